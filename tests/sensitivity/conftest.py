"""Oracles shared by the tests of the topic."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize


def _least_norm(A, a, p):
    """The least ||Ax||_p^p with a'x = 1: linear programming for p = 1, else BFGS on the plane."""
    n, d = A.shape
    if p == 1:
        cost = np.r_[np.zeros(d), np.ones(n)]
        above = np.block([[A, -np.eye(n)], [-A, -np.eye(n)]])
        bounds = [(None, None)] * d + [(0, None)] * n
        row = np.r_[a, np.zeros(n)][None]
        result = scipy.optimize.linprog(
            cost, A_ub=above, b_ub=np.zeros(2 * n), A_eq=row, b_eq=[1.0], bounds=bounds
        )
        assert result.status == 0
        return result.fun
    start = a / (a @ a)
    plane = scipy.linalg.null_space(a[None])
    y0, Y = A @ start, A @ plane

    def objective(z):
        y = y0 + Y @ z
        return np.log(np.sum(np.abs(y) ** p))

    def gradient(z):
        y = y0 + Y @ z
        power = np.abs(y) ** (p - 1) * np.sign(y)
        return p * Y.T @ power / np.sum(np.abs(y) ** p)

    z = np.linalg.lstsq(Y, -y0, rcond=None)[0]
    options = {"gtol": 1e-9, "maxiter": 1000}
    result = scipy.optimize.minimize(objective, z, jac=gradient, method="BFGS", options=options)
    return float(np.exp(result.fun))


@pytest.fixture(scope="session")
def sensitivities_oracle():
    """Sensitivities (n,) of a small matrix of full rank, by general optimisers, to about 1e-7."""

    def scores(A, p):
        Q = np.linalg.qr(np.asarray(A, dtype=float))[0]
        Q[~np.any(A, axis=1)] = 0
        lengths = np.linalg.norm(Q, axis=1)
        units = [q / length if length else None for q, length in zip(Q, lengths, strict=True)]
        least = [math.inf if unit is None else _least_norm(Q, unit, p) for unit in units]
        return lengths**p / np.array(least)

    return scores
