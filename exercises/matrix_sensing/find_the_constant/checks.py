"""Checks against the descent of the library and the proven asymptote."""

import numpy as np

from theorytk.classroom import array, check, close, number, picture
from theorytk.matrix_sensing import IdentitySensing, factorized_gd
from theorytk.matrix_sensing.theory import symmetric_asymptote

PAPER = "xiong2024"
QUESTION = "Why does the scale of the start not matter in the end, and what does it matter for?"

STEPS = 1500


def _problem(rng, n, r, k):
    """Return M and a start whose free directions have sizes from 0.21 to 0.42."""
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    M = (Q[:, :r] * rng.uniform(0.5, 1.0, r)) @ Q[:, :r].T
    scales = 0.3 * rng.uniform(0.7, 1.4, min(n, k))
    wide = np.linalg.qr(rng.standard_normal((max(n, k), min(n, k))))[0]
    # Rows that are orthogonal in the basis of M if k > n, columns that are orthogonal else.
    return (M + M.T) / 2, wide * scales if k <= n else Q @ (wide * scales).T


def _descend(M, X0, step_size, n_steps):
    run = factorized_gd(
        IdentitySensing(len(M), len(M)),
        truth=M,
        F0=X0,
        step_size=step_size,
        max_iter=n_steps,
        record="all",
    )
    return np.asarray(run.history["error"])


def _law(n, r, k, step_size):
    T = 1e6
    return 1 / (float(symmetric_asymptote(n, r, k, T, step_size=step_size)) * T)


@check(points=2)
def descent(student, rng):
    """The errors of gradient descent.

    The gradient belongs to the old X; the first error is the one of the start.
    """
    for k in (2, 4):
        M, X0 = _problem(rng, 8, 2, k)
        step_size = rng.uniform(0.05, 0.2)
        close(
            student.errors(M, X0, step_size, 300),
            _descend(M, X0, step_size, 300),
            "errors(M, X0, step_size, 300)",
            rtol=1e-6,
            atol=1e-13,
            given=f"n = 8, r = 2, k = {k}, step_size = {step_size:.3g}",
        )


@check(points=2)
def estimate(student, rng):
    """The slope within 1 % on given sequences, for k - r = 1, 2 and 5.

    Early errors know the start; leave them out. And a line has two parameters.
    """
    for extra in (1, 2, 5):
        r, step_size = int(rng.integers(1, 4)), rng.uniform(0.08, 0.15)
        found = student.slope(_descend(*_problem(rng, 20, r, r + extra), step_size, STEPS))
        close(
            found,
            _law(20, r, r + extra, step_size),
            "slope(errors)",
            rtol=0.01,
            given=f"k - r = {extra}, step_size = {step_size:.3g} and {STEPS} steps",
        )


@check(points=2)
def experiment(student, rng):
    """Your descent and your slope together, within 1 % of the law.

    If both parts are right, this is.
    """
    for extra in (1, 2, 5):
        r, step_size = int(rng.integers(1, 4)), rng.uniform(0.08, 0.15)
        M, X0 = _problem(rng, 15, r, r + extra)
        found = student.errors(M, X0, step_size, STEPS)
        close(
            student.slope(array(found, "errors(...)", shape=(STEPS + 1,))),
            _law(15, r, r + extra, step_size),
            "slope(errors(...))",
            rtol=0.01,
            given=f"k - r = {extra}",
        )


@check(points=2)
def law(student, rng):
    """The formula, for k at most n.

    Plot the slopes against the step first, and then against k - r on logarithmic axes.
    """
    for extra in (1, 2, 5, 9):
        r, step_size = int(rng.integers(1, 4)), rng.uniform(0.01, 0.2)
        n = r + extra + int(rng.integers(0, 10))
        found = student.constant(n, r, r + extra, step_size)
        given = f"n = {n}, r = {r}, k = {r + extra}, step_size = {step_size:.3g}"
        close(found, _law(n, r, r + extra, step_size), "constant(...)", rtol=1e-9, given=given)


@check(points=1)
def many_columns(student, rng):
    """The formula for more columns than rows.

    The error decays like 1/T in how many directions? The rank of X X^T is at most n.
    """
    for n, r in ((6, 2), (9, 1), (5, 4)):
        k = n + int(rng.integers(1, 12))
        found = number(student.constant(n, r, k, 0.1), "constant(...)")
        given = f"n = {n}, r = {r}, k = {k}, step_size = 0.1"
        close(found, _law(n, r, k, 0.1), "constant(...)", rtol=1e-9, given=given)


@picture
def lines(student, rng, figure):
    axes = figure.add_subplot()
    T = np.arange(STEPS + 1)
    for extra in (1, 2, 5):
        M, X0 = _problem(rng, 20, 2, 2 + extra)
        [line] = axes.plot(T, 1 / student.errors(M, X0, 0.1, STEPS), label=f"$k - r = {extra}$")
        slope = student.constant(20, 2, 2 + extra, 0.1)
        axes.plot(T, slope * T, "--", color=line.get_color())
    axes.plot([], [], "--", color="grey", label="your law, through the origin")
    axes.set(xlabel="iteration $T$ (1)", ylabel=r"$1 / \Vert E_T \Vert_F$ (1)", ylim=(0, None))
    axes.legend()
