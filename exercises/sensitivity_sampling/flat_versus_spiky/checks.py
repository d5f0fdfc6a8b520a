"""Checks against convex programs for all rows, and against the law of the library."""

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import linprog, minimize

from theorytk.classroom import between, check, close, number, picture

PAPER = "woodruff2023"
QUESTION = "Why is x = (1, ..., 1) / d the best direction for the row (1, ..., 1) of the cube?"


def _total(A, p):
    """Return the total sensitivity: for each row the least |A x|_p^p with a.x = 1, inverted."""
    return sum(1 / _least_norm(A, a, p) for a in A)


def _least_norm(A, a, p):
    if p == 1:  # no gradient: a linear program in x and in bounds of |A x|
        n, d = A.shape
        sides = np.block([[A, -np.eye(n)], [-A, -np.eye(n)]])
        cost, equation = np.r_[np.zeros(d), np.ones(n)], np.r_[a, np.zeros(n)]
        return linprog(cost, sides, np.zeros(2 * n), equation[None], [1.0], (None, None)).fun
    start, free = a / (a @ a), null_space(a[None])

    def norm(z):
        y = A @ (start + free @ z)
        return np.sum(np.abs(y) ** p), p * free.T @ (A.T @ (np.sign(y) * np.abs(y) ** (p - 1)))

    found = minimize(norm, np.full(free.shape[1], 0.01), jac=True, method="BFGS", tol=1e-9)
    return found.fun


@check(points=1)
def spiky(student, rng):
    """The spiky matrix.

    Which x makes all rows vanish but the copies of one row of the identity?
    """
    from theorytk.sensitivity import stacked_identity

    for p in (1.0, 4.0, rng.uniform(1.4, 4)):
        d, m = int(rng.integers(2, 6)), int(rng.integers(2, 9))
        given = f"d = {d}, {m} copies and p = {p:.3g}"
        expected = _total(stacked_identity(d, m, p), p)
        close(student.spiky_total(d, m, p), expected, "spiky_total", rtol=1e-7, given=given)


@check(points=2)
def small_cubes(student, rng):
    """Cubes whose rows can be listed, against the sensitivities of all their rows.

    Compute d = 2 with p = 1 by hand, rows (1, 1) and (1, -1), and compare with your formula.
    """
    from theorytk.sensitivity import flat_block

    for d in (2, 3, 6):
        for p in (1.0, 2.0, rng.uniform(1.4, 5)):
            given = f"d = {d} and p = {p:.3g}"
            expected = _total(flat_block(d), p)
            close(student.flat_total(d, p), expected, "flat_total", rtol=1e-7, given=given)


@check(points=3)
def closed_form(student, rng):
    """The closed form, at random pairs of d and p.

    By convexity the best x has equal entries; a sum of d signs takes d + 1 values.
    """
    from theorytk.sensitivity.matrix_laws import flat_block_total

    pairs = [(int(rng.integers(2, 201)), p) for p in (1.0, 4.0, *rng.uniform(1, 6, 18))]
    for d, p in pairs:
        given = f"d = {d} and p = {p:.6g}"
        found = student.flat_total(d, p)
        close(found, flat_block_total(d, p), "flat_total", rtol=1e-10, given=given)


@check(points=2)
def growth(student, rng):
    """The slopes of log total on log d.

    Both axes are logarithmic, and d runs through all integers from 2 to 200.
    """
    from theorytk.sensitivity.matrix_laws import flat_block_total

    between(student.flat_slope(1.0), 0.45, 0.55, "flat_slope(p)", given="p = 1")
    between(student.flat_slope(4.0), 1.9, 2.1, "flat_slope(p)", given="p = 4")
    d = np.arange(2, 201)
    p = rng.uniform(1, 6)
    expected = np.polyfit(np.log(d), np.log([flat_block_total(int(k), p) for k in d]), 1)[0]
    close(student.flat_slope(p), expected, "flat_slope(p)", rtol=1e-6, given=f"p = {p:.3g}")


@picture
def totals(student, rng, figure):
    axes = figure.add_subplot()
    d = np.unique(np.geomspace(2, 200, 40).astype(int))
    for color, p in enumerate((1, 1.5, 2, 3, 4)):
        flat = [number(student.flat_total(int(k), p), "flat_total") for k in d]
        axes.loglog(d, flat, f"C{color}-", label=f"flat, $p = {p}$")
        axes.loglog(d, d ** (p / 2), f"C{color}:", lw=1)
    spiky = [number(student.spiky_total(int(k), 3, 1.5), "spiky_total") for k in d]
    axes.loglog(d, spiky, "ks", ms=3, label="spiky, every $p$")
    axes.plot([], [], "0.5", ls=":", label="$d^{p/2}$")
    axes.set(xlabel="columns $d$ (1)", ylabel=r"total sensitivity $\mathfrak{S}$ (1)")
    axes.legend()
