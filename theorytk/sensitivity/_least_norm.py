"""The least l_p norm of B x on the plane b.x = 1, with a dual certificate, for one b.

It is the reciprocal of a norm of b, the sensitivity, and it is l_p regression, where B = [A b] and
the plane fixes the last coordinate. A certificate is a v with B'v = b: |B x|_p >= 1 / |v|_q for
every x of the plane, 1/p + 1/q = 1. B is well conditioned, see `theorytk.sensitivity._whitening`.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linprog

from theorytk.sensitivity._active_set import l1_minimise
from theorytk.sensitivity._kernels import lp_minimise
from theorytk.sensitivity._whitening import Array

# Newton iterations; a few are the rule, but for p near 1.
MAX_ITER = 500

# Distance of the kinks of the l_1 problem, relative to the length of their rows.
SHIFT = 1e-11


def least_norm(B: Array, b: Array, p: float, tol: float) -> tuple[Array, Array, int]:
    """Return (x, v, iterations): x with b.x = 1 makes |B x|_p, v with B'v = b makes |v|_q least.

    Both are feasible up to rounding, whether or not the solver has converged.
    """
    length = float(np.linalg.norm(b))
    b = b / length
    gram_inverse, Bt = np.linalg.inv(B.T @ B), np.ascontiguousarray(B.T)
    x, lower, upper, n_iter = gram_inverse @ b, 0.0, math.inf, 0
    v = B @ x
    if p == 1:
        norms = np.linalg.norm(B, axis=1)
        lower, upper, n_iter = l1_minimise(B, Bt, b, norms, gram_inverse, *l1_settings(B), x, v)
    elif p < math.inf and p != 2:
        x /= b @ x
        lower, upper, n_iter = lp_minimise(Bt, b, gram_inverse, p, x, v, tol, MAX_ITER)
    if p in (1, math.inf) and lower < (1 - tol) * upper:
        found = program_solution(B, b, p)
        if found is not None:
            q = math.inf if p == 1 else 1
            x = min((x, found[0]), key=lambda z: float(np.linalg.norm(B @ z, p) / abs(b @ z)))
            v = min((v, found[1]), key=lambda u: float(np.linalg.norm(u, q)))
    return x / (length * (b @ x)), length * v, n_iter


def l1_settings(B: Array) -> tuple[Array, int]:
    """Return the shift of the kinks and the most pivots for the l_1 kernel."""
    # Any spread of distinct numbers serves; fixed ones make results reproducible.
    spread = np.random.default_rng(0).uniform(0.5, 1.0, len(B))
    return SHIFT * spread * np.linalg.norm(B, axis=1), 50 * B.shape[1] + 100


def linear_program(B: Array, b: Array, p: float) -> tuple[float, float]:
    """Return (lower, upper) for sup |b.x| / ||B x||_p at p = 1 or infinity by HiGHS.

    Without a solution the interval is (0, infinity).
    """
    length = np.linalg.norm(b)
    found = program_solution(B, b / length, p)
    if found is None:
        return 0.0, math.inf
    x, v = found
    lower = abs(b @ x) / np.linalg.norm(B @ x, p)
    return float(lower), float(length * np.linalg.norm(v, math.inf if p == 1 else 1))


def program_solution(B: Array, b: Array, p: float) -> tuple[Array, Array] | None:
    """Return (x, v) by HiGHS, x up to a factor: p = 1 or infinity, b of unit length.

    The dual is solved: its solution is v, its multipliers are x.
    """
    n, d = B.shape
    if p == 1:
        objective = np.append(np.zeros(n), -1.0)
        bounds = [(-1, 1)] * n + [(0, None)]
        found = linprog(objective, A_eq=np.column_stack([B.T, -b]), b_eq=np.zeros(d), bounds=bounds)
    else:
        found = linprog(np.ones(2 * n), A_eq=np.hstack([B.T, -B.T]), b_eq=b)
    if found.x is None:
        return None
    v = found.x[:n] / found.x[n] if p == 1 else found.x[:n] - found.x[n:]
    v += B @ np.linalg.solve(B.T @ B, b - B.T @ v)
    return np.asarray(found.eqlin.marginals), np.asarray(v)
