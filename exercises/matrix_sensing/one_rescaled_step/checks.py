"""Checks by the properties of the factors, measured rates and the claim of the library."""

import numpy as np
from scipy.optimize import minimize_scalar

import theorytk as tk
from theorytk.classroom import Wrong, array, check, close, picture, refuses
from theorytk.matrix_sensing import IdentitySensing, OneStep, factorized_gd
from theorytk.matrix_sensing.theory import one_step_contraction

PAPER = "xiong2024"
QUESTION = "The product does not change: what does, and why does it help all later steps?"

ALPHAS = (0.02, 0.1, 0.4)


def _pair(student, F, G, beta):
    found = student.rescale(F.copy(), G.copy(), beta)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("rescale must return a pair: the new F and the new G")
    return array(found[0], "the new F", shape=F.shape), array(found[1], "the new G", shape=G.shape)


def _factors(rng):
    n1, n2, k = rng.integers(5, 9), rng.integers(9, 12), rng.integers(2, 6)
    return rng.standard_normal((n1, k)) / 2, rng.standard_normal((n2, k)) / 2


def _dependent(rng):
    """Return left factors whose columns are dependent, exactly or up to rounding."""
    F = rng.standard_normal((6, 3))
    combined = np.column_stack([F, F @ rng.standard_normal(3)])
    return {
        "a zero column": np.column_stack([F, np.zeros(6)]),
        "a repeated column": np.column_stack([F, F[:, 1]]),
        "a column that is a combination of the others": combined,
        "more columns than rows": rng.standard_normal((3, 5)),
    }


def _problem(rng, alpha, n=15, k=4):
    singular_values = np.array([1.0, 0.6])
    U, V = (np.linalg.qr(rng.standard_normal((n, 2)))[0] for _ in range(2))
    F0, G0 = (c * alpha / np.sqrt(n) * rng.standard_normal((n, k)) for c in (1, 1 / 3))
    return (U * singular_values) @ V.T, F0, G0, singular_values[-1]


def _rate(errors):
    """Return the rate of decay between 1e-4 and 1e-10, or of the last half if it is slower."""
    tail = np.flatnonzero((errors < 1e-4) & (errors > 1e-10))
    tail = tail if len(tail) > 10 else np.arange(len(errors) // 2, len(errors))
    return -np.polyfit(tail, np.log(np.maximum(errors[tail], 1e-16)), 1)[0]


@check(points=2)
def product(student, rng):
    """The product is kept to 1e-12, also for a badly conditioned F.

    Write out F G^T with F = A B C^T and read off what belongs to G.
    """
    for i, beta in enumerate(rng.uniform(0.3, 2.0, 6)):
        F, G = _factors(rng)
        if i >= 4:
            F = F * np.geomspace(1, 1e-6, F.shape[1])
        new_F, new_G = _pair(student, F, G, beta)
        given = f"F of shape {F.shape}, G of shape {G.shape} and beta = {beta:.3g}"
        close(new_F @ new_G.T, F @ G.T, "the product of the new factors", atol=1e-12, given=given)


@check(points=1)
def equal_singular_values(student, rng):
    """The new left factor has the Gram matrix beta^2 I, to 1e-12.

    Which matrix of the decomposition has orthonormal columns?
    """
    for beta in rng.uniform(0.3, 1.5, 4):
        F, G = _factors(rng)
        new_F, _ = _pair(student, F, G, beta)
        expected = beta**2 * np.eye(F.shape[1])
        close(new_F.T @ new_F, expected, "(new F)^T (new F)", atol=1e-12)


@check(points=2)
def refusals(student, rng):
    """Dependent columns, and a beta that is not positive, are refused.

    How large is a singular value that would be zero without rounding, next to the largest one?
    """
    for what, F in _dependent(rng).items():
        F = F * rng.uniform(1e-3, 1e3)
        G = rng.standard_normal((7, F.shape[1]))
        refuses(
            lambda F=F, G=G: student.rescale(F, G, 0.7),
            f"rescale for {what}",
            ValueError,
            np.linalg.LinAlgError,
        )
    F, G = _factors(rng)
    for beta in (0.0, -0.5):
        refuses(lambda beta=beta: student.rescale(F, G, beta), f"rescale for beta = {beta}")


@check(points=2)
def descent(student, rng):
    """Descent with the one rescaled step, and without it.

    Look at the error before you step, and remember whether it was done.
    """
    M, F0, G0, sigma_r = _problem(rng, 0.3)
    for threshold in (0.0, 0.1 * sigma_r):
        beta = rng.uniform(0.5, 0.9)
        found = student.descend(M, F0, G0, 0.2, 150, threshold, beta)
        plain = factorized_gd(
            IdentitySensing(*M.shape),
            truth=M,
            F0=F0,
            G0=G0,
            step_size=0.2,
            max_iter=150,
            record="all",
        )
        errors = np.asarray(plain.history["error"])
        at = np.flatnonzero(errors <= threshold)
        if len(at):
            switched = factorized_gd(
                IdentitySensing(*M.shape),
                truth=M,
                F0=F0,
                G0=G0,
                step_size=0.2,
                max_iter=150,
                record="all",
                one_step=OneStep(beta=beta, at=int(at[0])),
            )
            errors = np.asarray(switched.history["error"])
        given = f"threshold = {threshold:.3g}"
        close(found, errors, "descend(...)", rtol=1e-6, atol=1e-12, given=given)


@check(points=2)
def free_of_the_scale(student, rng):
    """The rate does not depend on the scale of the start.

    Its slope against log alpha must be below 0.1, and the claim of the library must hold.
    """
    F, G = _factors(rng)
    _pair(student, F, G, 0.7)
    seed, rates = int(rng.integers(2**31)), []
    for alpha in ALPHAS:
        M, F0, G0, sigma_r = _problem(np.random.default_rng(seed), alpha)
        found = student.descend(M, F0, G0, 0.2, 500, 0.1 * sigma_r, np.sqrt(sigma_r))
        rates.append(_rate(array(found, "descend(...)", shape=(501,))))
    if min(rates) < 0.02:
        raise Wrong("descend(...) with beta^2 = sigma_r hardly converges, or not at all")
    slope = np.polyfit(np.log(ALPHAS), np.log(rates), 1)[0]
    if abs(slope) >= 0.1:
        raise Wrong(f"the rate of descend(...) goes like alpha^{slope:.2g}")
    [result] = tk.check("matrix-sensing/one-step-alpha-free", algorithm=student.rescale)
    if str(result.verdict) != "supported":
        raise Wrong(f"rescale(...) does not pass the claim {result.claim.id}: {result.verdict}")


@check(points=1)
def choice_of_beta(student, rng):
    """The best beta.

    One rate grows with beta, the other one falls. Where do they meet?
    """
    for sigma_r in rng.uniform(0.05, 3.0, 4):
        best = minimize_scalar(
            lambda log_beta, s=sigma_r: one_step_contraction(s, float(np.exp(log_beta)), 1e-3),
            bounds=(np.log(sigma_r) / 2 - 1, np.log(sigma_r) / 2 + 1.1),
            method="bounded",
            options={"xatol": 1e-9},
        )
        found = student.best_beta(sigma_r)
        given = f"sigma_r = {sigma_r:.3g}"
        close(found, np.exp(best.x), "best_beta(sigma_r)", rtol=1e-4, given=given)


@picture
def scales(student, rng, figure):
    axes = figure.add_subplot()
    seed = int(rng.integers(2**31))
    for i, alpha in enumerate((0.05, 0.2, 0.4)):
        M, F0, G0, sigma_r = _problem(np.random.default_rng(seed), alpha)
        for threshold, style in ((0.0, ":"), (0.1 * sigma_r, "-")):
            beta = student.best_beta(sigma_r)
            errors = student.descend(M, F0, G0, 0.2, 400, threshold, beta)
            label = rf"$\alpha = {alpha}$" if threshold else None
            axes.semilogy(errors, style, color=f"C{i}", label=label)
    axes.plot([], [], ":", color="grey", label="never rescaled")
    axes.set(xlabel="iteration $t$ (1)", ylabel=r"$\Vert E_t \Vert_F$ (1)", ylim=(1e-14, 5))
    axes.legend()
