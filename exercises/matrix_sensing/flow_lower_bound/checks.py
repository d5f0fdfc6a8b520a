"""Checks against the flow in closed form, from starts whose free energies are prescribed."""

import numpy as np

from theorytk.classroom import Wrong, array, check, close, picture
from theorytk.matrix_sensing import flow_symmetric

PAPER = "xiong2024"
QUESTION = "Prove the theorem: why is the noise block of the closed form at least as large?"

SIZES = ((6, 2, 4), (5, 1, 2), (8, 3, 6), (5, 2, 8))


def _problem(rng, n, r, k):
    """Return M, a start, and its free energies, the largest first.

    The noise rows have a part in the rows of the signal, which does not count, and a free part.
    """
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    M = (Q[:, :r] * rng.uniform(0.5, 1.5, r)) @ Q[:, :r].T
    U0 = rng.standard_normal((r, k)) / np.sqrt(k)
    free = np.linalg.svd(U0)[2][r:].T
    q = min(n - r, free.shape[1])
    b = np.sort(rng.uniform(0.4, 1.2, q))[::-1]
    left = np.linalg.qr(rng.standard_normal((n - r, q)))[0]
    right = np.linalg.qr(rng.standard_normal((free.shape[1], q)))[0] if q else np.zeros((0, 0))
    J0 = (left * b) @ (free @ right).T + rng.standard_normal((n - r, r)) @ U0 / 2
    return (M + M.T) / 2, Q @ np.vstack([U0, J0]), b**2


def _squared_errors(M, X0, t):
    return ((flow_symmetric(M, X0, t) - M) ** 2).sum(axis=(-2, -1))


def _sizes(rng):
    r = int(rng.integers(1, 4))
    n, extra = r + int(rng.integers(1, 5)), int(rng.integers(1, 5))
    return (*SIZES, (n, r, r + extra))


def _given(n, r, k):
    return f"n = {n}, r = {r}, k = {k}"


@check(points=2)
def energies(student, rng):
    """The free energies.

    Rotate into the eigenvectors of M first. Where do the rows of J0 go if you project them on the
    kernel of U0, and what is that kernel if U0 is not square?
    """
    for n, r, k in _sizes(rng):
        M, X0, b2 = _problem(rng, n, r, k)
        close(
            student.free_energies(M, X0),
            b2,
            "free_energies(M, X0)",
            rtol=1e-8,
            given=_given(n, r, k),
        )


@check(points=2)
def below(student, rng):
    """The bound lies below the error of the flow at all times.

    Test it at t = 0, in the middle and in the end. Is it a bound of the error or of its square?
    """
    for n, r, k in _sizes(rng):
        M, X0, b2 = _problem(rng, n, r, k)
        t = np.concatenate([[0.0], np.geomspace(0.01, 100 / b2[-1], 40)])
        found = array(student.lower_bound(M, X0, t), "lower_bound(M, X0, t)", shape=t.shape)
        above = found > _squared_errors(M, X0, t) * (1 + 1e-9)
        if above.any():
            when = f"t = {t[np.argmax(above)]:.3g} and {_given(n, r, k)}"
            raise Wrong(f"lower_bound(M, X0, t) is above the error of the flow at {when}")


@check(points=2)
def sharp(student, rng):
    """The bound is within 1 % of the error at t = 100 / (the smallest free energy).

    A bound that is lower than it need be has lost a direction, or counts time too fast.
    """
    for n, r, k in _sizes(rng):
        M, X0, b2 = _problem(rng, n, r, k)
        t = np.array([100 / b2[-1]])
        found = array(student.lower_bound(M, X0, t), "lower_bound(M, X0, t)", shape=(1,))
        close(
            found,
            _squared_errors(M, X0, t),
            "lower_bound(M, X0, t)",
            rtol=0.01,
            given=f"t = {t[0]:.3g} and {_given(n, r, k)}",
        )


@check(points=1)
def early(student, rng):
    """The bound at early times, where it is not sharp.

    Take the formula of the theorem as it stands.
    """
    M, X0, b2 = _problem(rng, 8, 2, 6)
    t = rng.uniform(0.0, 3.0, 5)
    expected = [sum(float(b / (1 + 2 * s * b)) ** 2 for b in b2) for s in t]
    close(student.lower_bound(M, X0, t), expected, "lower_bound(M, X0, t)", rtol=1e-8)


@check(points=1)
def no_free_direction(student, rng):
    """Without free directions the bound is 0.

    What is the kernel of U0 if k = r?
    """
    M, X0, _ = _problem(rng, 6, 3, 3)
    t = np.array([0.0, 1.0, 10.0])
    found = array(student.free_energies(M, X0), "free_energies(M, X0)", shape=(None,))
    if found.size:
        raise Wrong(f"free_energies(M, X0) has {found.size} entries for {_given(6, 3, 3)}")
    given = _given(6, 3, 3)
    close(student.lower_bound(M, X0, t), np.zeros(3), "lower_bound(...)", atol=1e-12, given=given)


@picture
def flow_and_bound(student, rng, figure):
    axes = figure.add_subplot()
    t = np.geomspace(0.05, 300, 120)
    for i, extra in enumerate((1, 3, 5)):
        M, X0, _ = _problem(rng, 10, 2, 2 + extra)
        axes.loglog(t, _squared_errors(M, X0, t), color=f"C{i}", label=f"flow, $k - r = {extra}$")
        axes.loglog(t, student.lower_bound(M, X0, t), "--", color=f"C{i}")
    axes.plot([], [], "--", color="grey", label="your lower bound")
    axes.set(xlabel="time $t$ (1)", ylabel=r"$\Vert X_t X_t^\top - M \Vert_F^2$ (1)")
    axes.legend()
