"""What is proven about factorised matrix sensing: bounds, rates and closed forms.

First-order and random-matrix approximations are in :mod:`theorytk.matrix_sensing.predictions`.

"Population" means A*A = I. Errors are Frobenius norms of X X^T - M or F G^T - M, sigma_1 >= ... >=
sigma_r > 0 are the singular values of M, k the columns of the factors, eta the step. The rate
constants of Xiong, Ding and Du (ICLR 2024) are not repeated here: "derived here" marks our own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.matrix_sensing.sensing import Array

__all__ = [
    "agn_contraction",
    "degrees_of_freedom",
    "eckart_young_error",
    "one_step_contraction",
    "one_step_max_step",
    "precgd_contraction",
    "symmetric_asymptote",
    "symmetric_exact_contraction",
    "symmetric_lower_bound",
    "worst_case_lower_bound",
]


def symmetric_lower_bound(M: Any, X0: Any, t: Any, *, step_size: float | None = None) -> Array:
    """Return a lower bound of the error of symmetric descent in the population.

    With U0 and J0 the rows of X0 in the range and in the kernel of M, and b_j the non-zero
    singular values of J0 restricted to the kernel of U0, the flow obeys for every t >= 0 and X0

        ||X_t X_t^T - M||_F^2 >= sum_j (b_j^2 / (1 + 2 t b_j^2))^2.

    Parameters
    ----------
    M : array_like, shape (n, n)
        The truth, symmetric positive semidefinite.
    X0 : array_like, shape (n, k)
        The initial factor; the bound is zero unless k > r.
    t : array_like of float
        Time of the gradient flow or, with `step_size`, iterations of gradient descent.
    step_size : float, optional
        The step eta; ``2 t b^2`` then becomes ``2 eta t b^2 / (1 - eta b^2)^2``, and
        eta ||X0||^2 < 1 is needed.

    Returns
    -------
    ndarray, shape of `t`

    References
    ----------
    Derived here; sharpens, in the population, the lower bound of Xiong, Ding, Du (ICLR 2024),
    Theorem 3.1, whose constants it does not use. Proved for the flow. For gradient descent proved
    if J0 U0^T = 0, and false for other starts in general (the theory page has a counterexample).

    Examples
    --------
    >>> symmetric_lower_bound([[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 2.0]], [0.0, 1.0])
    array([4.        , 0.44444444])
    """
    M = check_array("M", M, shape=(None, None))
    if len(M) != M.shape[1] or np.abs(M - M.T).max() > 1e-10 * np.abs(M).max():
        raise ValueError("M must be symmetric; got one that is not")
    X0 = check_array("X0", X0, shape=(len(M), None))
    t = _times(t)
    w, Q = np.linalg.eigh(M)
    tolerance = len(M) * np.finfo(float).eps * max(abs(w[0]), abs(w[-1]))
    if w[0] < -tolerance:
        raise ValueError(f"M must be positive semidefinite; got the eigenvalue {w[0]:.3g}")
    b2 = _free_energies(Q[:, w > tolerance].T @ X0, Q[:, w <= tolerance].T @ X0)
    growth = 2 * t[..., None] * b2
    if step_size is not None:
        eta = check_real("step_size", step_size, lower=0.0, lower_open=True)
        if eta * np.linalg.norm(X0, 2) ** 2 >= 1:
            raise ValueError(f"step_size must be below 1 / ||X0||^2; got {eta:g}")
        growth = eta * growth / (1 - eta * b2) ** 2
    return np.asarray(np.sqrt(np.sum((b2 / (1 + growth)) ** 2, axis=-1)))


def symmetric_asymptote(n: int, r: int, k: int, t: Any, *, step_size: float) -> Array:
    """Return the leading term of the error of over-parameterised symmetric gradient descent.

    ``sqrt(q) / (2 eta t)`` with q = min(k - r, n - r): free of the initial scale, of sigma and,
    but for q, of n.

    Parameters
    ----------
    n, r, k : int
        Rows, rank and columns, k > r and n > r.
    t : array_like of float
        Iterations, > 0.
    step_size : float
        The step eta (1 for times of the flow).

    Returns
    -------
    ndarray, shape of `t`

    References
    ----------
    Derived here: the limit of `symmetric_lower_bound`, which the descent attains.

    Examples
    --------
    >>> symmetric_asymptote(50, 3, 7, [1000.0], step_size=0.1)
    array([0.01])
    """
    r = check_int("r", r, lower=1)
    q = min(check_int("k", k, lower=r + 1), check_int("n", n, lower=r + 1)) - r
    step_size = _positive("step_size", step_size)
    t = _times(t)
    if not (t > 0).all():
        raise ValueError("t must be > 0; got 0")
    return np.asarray(math.sqrt(q) / (2 * step_size * t))


def symmetric_exact_contraction(sigma_r: float, step_size: float) -> float:
    """Return the asymptotic factor 1 - eta sigma_r of the error for k = r < n, symmetric.

    The block between signal and noise rows decides; the signal block goes with 2 sigma_r or more.
    It needs a step at which that is the slowest, eta (2 sigma_1 + sigma_r) < 2.

    Parameters
    ----------
    sigma_r : float
        Least non-zero eigenvalue of the truth.
    step_size : float
        The step eta.

    Returns
    -------
    float

    References
    ----------
    Rate exp(-Omega(T)) for k = r: Xiong, Ding, Du (ICLR 2024); this factor is derived here, for
    the population.

    Examples
    --------
    >>> symmetric_exact_contraction(0.5, 0.1)
    0.95
    """
    return 1 - _positive("step_size", step_size) * _positive("sigma_r", sigma_r)


def eckart_young_error(singular_values: Any, k: int) -> float:
    """Return the error that remains for k < r: (sum of sigma_i^2 over i > k)^(1/2).

    Parameters
    ----------
    singular_values : array_like, shape (r,)
        Singular values of the truth, in any order.
    k : int
        Columns of the factors.

    Returns
    -------
    float

    References
    ----------
    Eckart, Young (1936). That descent attains it from almost every start is observed, not cited.

    Examples
    --------
    >>> eckart_young_error([3.0, 10.0, 4.0], 1)
    5.0
    """
    s = np.sort(check_array("singular_values", singular_values, shape=(None,)))[::-1]
    return float(np.linalg.norm(s[check_int("k", k, lower=0) :]))


def worst_case_lower_bound(
    scale: float, t: Any, *, step_size: float, ratio: float = 1 / 3
) -> Array:
    """Return a lower bound of the error from the start that shows the rate alpha^2 to be sharp.

    From ``F0 = alpha [I; 0]``, ``G0 = c alpha [I; 0]`` with a diagonal truth and k > r the
    coordinates decouple, and in one with sigma = 0 the pair follows f (1 - eta g^2) and
    g (1 - eta f^2). Hence g_t >= c alpha (1 - eta alpha^2)^t, and
    f_t^2 >= alpha^2 (1 - c^2) (1 - eta c^2 alpha^2) for ever; the error is at least f_t g_t.

    Parameters
    ----------
    scale : float
        The scale alpha > 0, with eta alpha^2 < 1.
    t : array_like of float
        Iterations.
    step_size : float
        The step eta.
    ratio : float, default 1/3
        The ratio c in (0, 1).

    Returns
    -------
    ndarray, shape of `t`

    References
    ----------
    The paper's message that the dependence on alpha cannot be avoided, Xiong, Ding, Du (ICLR
    2024); this bound and its constants are derived here.

    Examples
    --------
    >>> worst_case_lower_bound(0.1, [0.0], step_size=0.1).round(5)
    array([0.00314])
    """
    alpha, eta = _positive("scale", scale), _positive("step_size", step_size)
    c = check_real("ratio", ratio, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    if eta * alpha**2 >= 1:
        raise ValueError(f"step_size must be below 1 / scale^2; got {eta:g}")
    least_f = alpha * math.sqrt((1 - c**2) * (1 - eta * c**2 * alpha**2))
    return np.asarray(least_f * c * alpha * (1 - eta * alpha**2) ** _times(t))


def one_step_contraction(sigma_r: float, beta: float, step_size: float) -> float:
    """Return the asymptotic factor 1 - eta min(beta^2, sigma_r^2 / beta^2) after the one step.

    Parameters
    ----------
    sigma_r : float
        Least non-zero singular value of the truth.
    beta : float
        Singular values of F after the rescaling, k > r.
    step_size : float
        The step eta, below `one_step_max_step`.

    Returns
    -------
    float

    References
    ----------
    Method: Xiong, Ding, Du (ICLR 2024), Section 5. Factor derived here, for the population and a
    switch at small error: the spectrum at (beta A, M^T A / beta). The best beta is
    sqrt(sigma_r).

    Examples
    --------
    >>> one_step_contraction(0.25, 0.5, 0.4)
    0.9
    """
    sigma_r, beta = _positive("sigma_r", sigma_r), _positive("beta", beta)
    return 1 - _positive("step_size", step_size) * min(beta**2, (sigma_r / beta) ** 2)


def one_step_max_step(sigma_1: float, beta: float) -> float:
    """Return the largest stable step after the one step, 2 / (beta^2 + sigma_1^2 / beta^2).

    Parameters
    ----------
    sigma_1 : float
        Largest singular value of the truth.
    beta : float
        Singular values of F after the rescaling.

    Returns
    -------
    float

    References
    ----------
    Derived here: the largest eigenvalue of the population Hessian at (beta A, M^T A / beta).

    Examples
    --------
    >>> one_step_max_step(1.0, 1.0)
    1.0
    """
    sigma_1, beta = _positive("sigma_1", sigma_1), _positive("beta", beta)
    return 2 / (beta**2 + (sigma_1 / beta) ** 2)


def precgd_contraction(n: int, r: int, k: int, step_size: float, *, c: float = 1.0) -> float:
    """Return PrecGD's factor of the error, k > r: max((1 - eta / (1 + a))^2, 1 - eta).

    The damping is lambda_t = c ||E_t||_F, and a = c sqrt(q) with q = min(k - r, n - r). Of the q
    noise singular values the larger shrink faster, so they become equal to one s, and lambda to
    a s^2: the first term. The noise directions that the factor does not reach, which exist for
    k < n only, meet the signal rows at 1 - eta: the second, left out for k >= n.

    Parameters
    ----------
    n, r, k : int
        Rows, rank and columns, k > r and n > r.
    step_size : float
        The step eta, <= 2/3.
    c : float, default 1.0
        Damping per unit of error.

    Returns
    -------
    float

    References
    ----------
    Method: Zhang, Fattahi, Zhang (NeurIPS 2021). Factor derived here, for the population.

    Examples
    --------
    >>> precgd_contraction(50, 3, 4, 0.5)
    0.5625
    """
    r = check_int("r", r, lower=1)
    k, n = check_int("k", k, lower=r + 1), check_int("n", n, lower=r + 1)
    eta = check_real("step_size", step_size, lower=0.0, upper=2 / 3, lower_open=True)
    noise = (1 - eta / (1 + _positive("c", c) * math.sqrt(min(k, n) - r))) ** 2
    return max(noise, 1 - eta) if k < n else noise


def agn_contraction(step_size: float) -> float:
    """Return the asymptotic factor 1 - eta of alternating Gauss-Newton, free of kappa.

    Each half step removes the fraction eta of the error in the range of one factor.

    Parameters
    ----------
    step_size : float
        The step eta, <= 1.

    Returns
    -------
    float

    References
    ----------
    Jia, Feng, Meng, Sun (NeurIPS 2024); derived again here, for the population.

    Examples
    --------
    >>> agn_contraction(0.5)
    0.5
    """
    return 1 - check_real("step_size", step_size, lower=0.0, upper=1.0, lower_open=True)


def degrees_of_freedom(n1: int, n2: int, r: int, k: int) -> int:
    """Return the dimension n1 r + n2 k' - k' r of the errors seen to first order, k' = min(k, n1).

    At a limit with F of rank k' and G of rank r these are the non-zero eigenvalues of the
    Gauss-Newton Hessian; fewer measurements leave zero-loss directions, so m of at least this
    many is necessary for local recovery.

    Parameters
    ----------
    n1, n2 : int
        Shape of the truth.
    r : int
        Its rank, <= k.
    k : int
        Columns of the factors.

    Returns
    -------
    int

    References
    ----------
    Derived here: n1 n2 less the (n1 - k') (n2 - r) errors from null F to null G. For k = r it is
    the dimension (n1 + n2 - r) r of the manifold of rank-r matrices.

    Examples
    --------
    >>> degrees_of_freedom(12, 12, 2, 2), degrees_of_freedom(12, 12, 2, 4)
    (44, 64)
    """
    n1, n2 = check_int("n1", n1, lower=1), check_int("n2", n2, lower=1)
    r = check_int("r", r, lower=1, upper=min(n1, n2))
    k = min(check_int("k", k, lower=r), n1)
    return n1 * r + n2 * k - k * r


def _free_energies(U0: Array, J0: Array) -> Array:
    """Return the squared non-zero singular values of J0 on the kernel of U0."""
    kernel = np.eye(U0.shape[1])
    if len(U0):
        _, s, Vt = np.linalg.svd(U0)
        kernel = Vt[np.count_nonzero(s > 1e-12 * s[0]) :].T
    return np.asarray(np.linalg.svd(J0 @ kernel, compute_uv=False) ** 2)


def _times(t: Any) -> Array:
    times: Array = check_array("t", t)
    if not (times >= 0).all():
        raise ValueError(f"t must be >= 0; got {times.min()}")
    return times


def _positive(name: str, value: float) -> float:
    return check_real(name, value, lower=0.0, lower_open=True)
