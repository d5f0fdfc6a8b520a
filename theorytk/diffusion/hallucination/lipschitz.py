"""The best denoiser whose slope is bounded: weighted isotonic regression, exact and linear in G."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_real
from theorytk.diffusion.hallucination._kernels import isotonic
from theorytk.diffusion.hallucination.chain import levels
from theorytk.diffusion.hallucination.tables import DenoiserTable
from theorytk.diffusion.schedules import VPDiscrete
from theorytk.diffusion.targets import MixtureTarget

__all__ = ["cap_slope", "excess_loss", "level_weights", "lipschitz_projection"]

Array = np.ndarray

# Nodes without weight take this share of the largest: they decide nothing, and follow the others.
SMALLEST_WEIGHT = 1e-290


def lipschitz_projection(x: Any, values: Any, weights: Any, bound: float) -> Array:
    """Return the function of slope at most `bound` that is nearest in weighted mean square.

    The slope is bounded from above. Where `values` do not decrease, neither does the result, and
    `bound` is its Lipschitz constant.

    Parameters
    ----------
    x : array_like, shape (G,)
        Increasing.
    values : array_like, shape (G,)
        The function.
    weights : array_like, shape (G,)
        Weights >= 0, not all 0.
    bound : float
        The largest slope, > 0; inf returns the values.

    Returns
    -------
    ndarray, shape (G,)

    Raises
    ------
    ValueError
        If the arguments are not as above.

    References
    ----------
    Derived here: with h = bound x - g the constraint on g says that h does not decrease, so that
    h is the isotonic regression of bound x - values. At the edge of a pool h rises by no more than
    bound x - values does, since the end of a pool is at most its mean: g does not decrease there
    if the values do not. Pool-adjacent-violators: Ayer et al. (1955).

    Examples
    --------
    >>> lipschitz_projection([0.0, 1.0, 2.0], [0.0, 3.0, 3.0], [1.0, 1.0, 1.0], 1.0)
    array([1., 2., 3.])
    """
    x = check_array("x", x, shape=(None,))
    if np.any(np.diff(x) <= 0):
        raise ValueError("x must be increasing")
    values = check_array("values", values, shape=x.shape)
    weights = check_array("weights", weights, shape=x.shape)
    bounds = np.array([_check_bound(bound)])
    return np.asarray(_project(x, values[None], weights[None], bounds)[0])


def cap_slope(
    table: DenoiserTable, schedule: VPDiscrete, bound: float, weights: Array
) -> DenoiserTable:
    """Return the table of the best denoiser whose slope is at most `bound` in units of the data.

    Parameters
    ----------
    table : DenoiserTable
        The denoiser, T labels.
    schedule : VPDiscrete
        The schedule.
    bound : float
        The largest slope of y = x_t / alpha_t to the prediction, > 0, or inf.
    weights : array_like, shape (T, G)
        The density of x_t on the grid (:func:`level_weights`), or any multiple of each row.

    Returns
    -------
    DenoiserTable
        At each label the minimiser of the denoising loss under the bound.

    References
    ----------
    Derived here; see :func:`lipschitz_projection`.

    Examples
    --------
    >>> from theorytk.diffusion import VPDiscrete
    >>> schedule = VPDiscrete(alphas_cumprod=[0.64, 0.25])
    >>> table = DenoiserTable(np.array([-1.0, 0.0, 1.0]), np.array([[-3.0, 0.0, 3.0]]))
    >>> cap_slope(table, schedule, 1.6, np.ones((1, 3))).values
    array([[-2.,  0.,  2.]])
    """
    alpha = levels(schedule)[0][: len(table.values)]
    weights = check_array("weights", weights, shape=table.values.shape)
    bounds = _check_bound(bound) / alpha
    return DenoiserTable(table.grid, _project(table.grid, table.values, weights, bounds))


def level_weights(target: MixtureTarget, schedule: VPDiscrete, table: DenoiserTable) -> Array:
    """Return the density of the noisy data at each label of a table.

    Parameters
    ----------
    target : MixtureTarget
        The law of the data, of one dimension.
    schedule : VPDiscrete
        The schedule.
    table : DenoiserTable
        Gives the grid and the labels.

    Returns
    -------
    ndarray, shape (T, G)

    Examples
    --------
    >>> from theorytk.diffusion import VPDiscrete
    >>> table = DenoiserTable(np.array([-1.0, 0.0, 1.0]), np.zeros((1, 3)))
    >>> normal = MixtureTarget([1.0], [0.0], [1.0])
    >>> level_weights(normal, VPDiscrete(alphas_cumprod=[0.64, 0.25]), table).round(4)
    array([[0.242 , 0.3989, 0.242 ]])
    """
    points = table.grid[:, None]
    alpha, sigma = (level[: len(table.values)] for level in levels(schedule))
    rows = zip(alpha, sigma, strict=True)
    return np.stack([np.exp(target.logpdf(points, float(a), float(s))) for a, s in rows])


def excess_loss(
    table: DenoiserTable, best: DenoiserTable, schedule: VPDiscrete, weights: Array
) -> float:
    """Return by how much the loss of the noise prediction exceeds that of the best denoiser.

    Parameters
    ----------
    table, best : DenoiserTable
        A denoiser, and the conditional mean, on one grid and the same labels.
    schedule : VPDiscrete
        The schedule.
    weights : array_like, shape (T, G)
        The density of x_t on the grid.

    Returns
    -------
    float
        The mean over labels of E (D - D*)^2 alpha_t^2 / sigma_t^2, for one coordinate.

    References
    ----------
    The excess is exact, for D* is the conditional mean; eps - D's noise prediction is
    (D - x_0) alpha / sigma.

    Examples
    --------
    >>> from theorytk.diffusion import VPDiscrete
    >>> schedule = VPDiscrete(alphas_cumprod=[0.5, 0.25])
    >>> grid = np.array([-1.0, 0.0, 1.0])
    >>> zero, one = (DenoiserTable(grid, np.full((1, 3), v)) for v in (0.0, 1.0))
    >>> print(f"{excess_loss(one, zero, schedule, np.ones((1, 3))):.6f}")
    1.000000
    """
    if table.values.shape != best.values.shape or not np.array_equal(table.grid, best.grid):
        raise ValueError("table and best must have one grid and the same labels")
    weights = check_array("weights", weights, shape=table.values.shape)
    alpha, sigma = (level[: len(table.values)] for level in levels(schedule))
    squares = np.sum(weights * (table.values - best.values) ** 2, axis=1) / weights.sum(axis=1)
    return float(np.mean(squares * (alpha / sigma) ** 2))


def _project(x: Array, values: Array, weights: Array, bounds: Array) -> Array:
    """Return the projection of each row under its bound."""
    top = weights.max(axis=1, keepdims=True)
    if weights.min() < 0 or top.min() <= 0:
        raise ValueError("weights must be >= 0, and not all 0")
    if math.isinf(bounds[0]):
        return values.copy()
    line = bounds[:, None] * x
    fitted = np.empty_like(line)
    isotonic(line - values, np.maximum(weights / top, SMALLEST_WEIGHT), fitted)
    return np.asarray(line - fitted)


def _check_bound(bound: Any) -> float:
    return bound if bound == math.inf else check_real("bound", bound, lower=0.0, lower_open=True)
