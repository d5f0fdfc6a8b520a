"""Checks against the defining equation and against rates that are measured."""

import numpy as np

from theorytk.classroom import array, check, close, number, picture, true

PAPER = "cohen2015"
QUESTION = "Which errors decay slowest with the best step, and why does a longer step not help?"
EXPONENTS = (1.0, 1.5, 3.0, 4.0, 6.0, 8.0)


def _leverage(A, w, p):
    return (np.linalg.qr(w[:, None] ** (0.5 - 1 / p) * A)[0] ** 2).sum(axis=1)


def _map(A, u, p, eta):
    """Return the damped iteration in logarithms, from the definition of F."""
    gram = A.T @ (np.exp(u * (1 - 2 / p))[:, None] * A)
    log_f = p / 2 * np.log(np.einsum("ij,ij->i", A, np.linalg.solve(gram, A.T).T))
    return (1 - eta) * u + eta * log_f


def _solution(A, p):
    u = np.zeros(len(A))
    for _ in range(300):
        u = _map(A, u, p, 4 / (p + 2))
    return np.exp(u)


def _slowest(A, w, p, eta):
    """Return radius and direction of the slowest error, by differences of the iteration."""
    u, h = np.log(w), 1e-5
    shifts = h * np.eye(len(u))
    columns = [(_map(A, u + e, p, eta) - _map(A, u - e, p, eta)) / (2 * h) for e in shifts]
    values, vectors = np.linalg.eig(np.array(columns).T)
    k = np.argmax(np.abs(values))
    direction = np.real(vectors[:, k])
    return abs(values[k]), direction / np.abs(direction).max()


def _instances(rng):
    """Yield matrices, some with few rows, exponents and steps."""
    for p in EXPONENTS:
        n, d = (40, 3) if rng.random() < 0.5 else (7, 5)
        yield rng.standard_normal((n, d)), p, rng.uniform(0.4, 1.15) * 4 / (p + 2)
    yield rng.standard_normal((6, 4)), 1.5, 0.8
    yield rng.standard_normal((30, 3)), 8.0, 0.44


def _given(A, p, eta):
    return f"shape {A.shape}, p = {p:g} and eta = {eta:.3g}"


@check(points=2)
def step(student, rng):
    """One damped iteration.

    The scores of the reweighted matrix hold w_i^(1 - 2/p) where F does not: what is F by w and tau?
    """
    for A, p, eta in _instances(rng):
        w = np.exp(rng.standard_normal(len(A)))
        found = student.damped_step(w.copy(), _leverage(A, w, p), eta, p)
        expected = np.exp(_map(A, np.log(w), p, eta))
        close(found, expected, "damped_step(...)", rtol=1e-9, given=_given(A, p, eta))


@check(points=2)
def weights(student, rng):
    """Lewis weights: they are the scores of the matrix that they reweight, and sum to d.

    Iterate until the step changes nothing, with a step that converges for this p.
    """
    for A, p, _ in _instances(rng):
        A = A * np.exp(rng.standard_normal(len(A)))[:, None]
        given = f"shape {A.shape} and p = {p:g}"
        w = array(student.lewis_weights(A.copy(), p), "lewis_weights(A, p)", (len(A),))
        true((w > 0).all(), f"lewis_weights(A, p) has a value that is not positive for {given}")
        close(w.sum(), A.shape[1], "the sum of lewis_weights(A, p)", rtol=1e-8, given=given)
        close(w, _leverage(A, w, p), "lewis_weights(A, p)", rtol=1e-8, given=given)


@check(points=3)
def rate(student, rng):
    """The predicted rate against the rate at which your iteration converges.

    The derivative has squares of entries of P. Take absolute values before the largest: errors may
    change their sign in each iteration. Matrices with few rows do not have the eigenvalue 0.
    """
    for A, p, eta in _instances(rng):
        w = _solution(A, p)
        radius, direction = _slowest(A, w, p, eta)
        said = number(student.predicted_rate(A.copy(), w.copy(), p, eta), "predicted_rate(...)")
        start, steps = 1e-3, max(2, int(np.log(1e-6) / np.log(radius)))
        v = w * np.exp(start * direction)
        for _ in range(min(steps, 40)):
            v = array(student.damped_step(v, _leverage(A, v, p), eta, p), "damped_step(...)")
            true((v > 0).all(), "damped_step(...) returned a value that is not positive")
        left = np.abs(np.log(v / w)).max()
        measured = (left / start) ** (1 / min(steps, 40))
        close(said, measured, "predicted_rate(...)", atol=0.02, given=_given(A, p, eta))


@check(points=1)
def best(student, rng):
    """The best step, and the theorem of the library with your iteration.

    Two errors bound the rate: one of the eigenvalue 0, one of the eigenvalue 1 - p/2. Which eta
    makes both as small?
    """
    import theorytk as tk

    for p in rng.uniform(1, 12, 5):
        given = f"p = {p:.3g}"
        close(student.best_step(p), 4 / (p + 2), "best_step(p)", rtol=1e-9, given=given)
    tau = np.array([0.5, 0.7, 0.8])
    array(student.damped_step(tau**2, tau, 0.8, 3.0), "damped_step(...)", shape=(3,))
    claim = "sensitivity-sampling/lewis-best-rate"
    ledger = tk.check(claim, student.damped_step, p=[1, 8], seed=int(rng.integers(2**31)))
    verdict = str(ledger.results[0].verdict)
    true(verdict == "supported", f"with your step the library finds its theorem {verdict}")


@picture
def convergence(student, rng, figure):
    panels = figure.subplots(1, 3, sharey=True)
    A, start = rng.standard_normal((40, 3)), np.exp(rng.standard_normal(40))
    for axes, p in zip(panels, (1.0, 3.0, 8.0), strict=True):
        solution = _solution(A, p)
        best_step = number(student.best_step(p), "best_step(p)")
        for eta, label in ((1, r"$\eta = 1$"), (2 / p, r"$\eta = 2/p$"), (best_step, "best")):
            w, errors = start, []
            for _ in range(30):
                errors.append(np.abs(np.log(w / solution)).max())
                w = np.clip(student.damped_step(w, _leverage(A, w, p), eta, p), 1e-30, 1e30)
            axes.semilogy(errors, label=label)
        rate = number(student.predicted_rate(A, solution, p, best_step), "predicted_rate(...)")
        k = np.arange(5, 26)
        axes.semilogy(k, 10.0 * rate**k, "k:", lw=1, label="rate of the best, predicted")
        axes.set(xlabel="iteration (1)", title=f"$p = {p:g}$", ylim=(1e-13, 1e3))
    panels[0].set(ylabel=r"$\max_i |\log(w_i / w_i^*)|$ (1)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
