"""The regressions on which the papers on conformal selection simulate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import as_generator, check_choice, check_int, check_real

__all__ = ["SETTINGS", "Setting", "regression_data"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """A regression: Y = mean(X) + sigma * scale(mean, d) * noise.

    Attributes
    ----------
    covariates, noise : {"uniform", "normal", "t3"}
        Law of X: uniform on [-1, 1]^d, standard normal, multivariate t with 3 degrees of freedom;
        and of the noise, likewise.
    mean : callable
        ``mean(X)`` of shape (n,).
    scale : callable
        ``scale(mean, d)``, shape (n,) or a number: the standard deviation at sigma = 1 (up to
        that of the noise, and to its sign, which a symmetric noise does not show).
    d : int
        Covariates in the paper.
    sigma : float
        Noise level in the paper, or in the middle of its range.
    least_d : int
        Fewest covariates that `mean` can use.
    source : str
        Where the setting is from.
    """

    covariates: str
    noise: str
    mean: Callable[[Array], Array]
    scale: Callable[[Array, int], Any]
    d: int
    sigma: float
    least_d: int
    source: str


def regression_data(
    name: str,
    n: int,
    *,
    sigma: float | None = None,
    d: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> tuple[Array, Array]:
    """Draw independent points of a published regression; the threshold is 0.

    Parameters
    ----------
    name : str
        One of `SETTINGS`: ``"jin-msel-1"`` to ``"jin-msel-4"`` and ``"jin-full-1"`` to
        ``"jin-full-4"`` (model selection; training on all data), ``"liang-1"`` to ``"liang-4"``,
        ``"cfbh-1"`` to ``"cfbh-8"``, and ``"gaussian"``: X standard normal, Y = X + noise.
    n : int
        Points, >= 1.
    sigma : float or None
        Noise level, >= 0; ``None`` is that of the setting.
    d : int or None
        Covariates; ``None`` is the number of the setting.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    X : ndarray, shape (n, d)
    y : ndarray, shape (n,)

    References
    ----------
    Tian Bai, Ying Jin, arXiv:2411.17983 (jin-msel, jin-full, liang); Ying Jin, Emmanuel Candes,
    JMLR 24 (2023) (cfbh).

    Examples
    --------
    >>> X, y = regression_data("jin-msel-1", 5, rng=0)
    >>> X.shape, y.shape
    ((5, 20), (5,))
    """
    setting = SETTINGS[check_choice("name", name, SETTINGS)]
    n = check_int("n", n, lower=1)
    d = check_int("d", setting.d if d is None else d, lower=setting.least_d)
    sigma = check_real("sigma", setting.sigma if sigma is None else sigma, lower=0)
    rng = as_generator(rng)
    X = DRAWS[setting.covariates](rng, n, d)
    mean = setting.mean(X)
    noise = DRAWS[setting.noise](rng, n, 1)[:, 0]
    return X, mean + sigma * setting.scale(mean, d) * noise


def _multivariate_t3(rng: np.random.Generator, n: int, d: int) -> Array:
    return rng.standard_normal((n, d)) / np.sqrt(rng.chisquare(3, size=(n, 1)) / 3)


DRAWS: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "uniform": lambda rng, n, d: rng.uniform(-1, 1, size=(n, d)),
    "normal": lambda rng, n, d: rng.standard_normal((n, d)),
    "t3": _multivariate_t3,
}


def _either(X: Array, same: Array | float, different: Array | float) -> Array:
    """Choose by whether the first two covariates have the same sign."""
    return np.where(X[:, 0] * X[:, 1] > 0, same, different)


def _sparse_steps(X: Array) -> Array:
    x = X[:, 3]
    return _either(X, (x > 0.5) * (0.25 + x), (x < -0.5) * (x - 0.25))


def _smooth(X: Array) -> Array:
    return np.asarray(2 * (X[:, 0] * X[:, 1] + X[:, 2] ** 2 + np.exp(X[:, 3] - 1) - 1))


def _tilted(X: Array) -> Array:
    return X[:, 3] + _either(X, 0.5, 1.0)


def _clamped(X: Array) -> Array:
    return 4 * _either(X, np.maximum(X[:, 3], 0.5), np.minimum(X[:, 3], -0.5))


def _product(X: Array) -> Array:
    return np.asarray(5 * (X[:, 0] * X[:, 1] + np.exp(X[:, 3] - 1)))


def _every_20th(X: Array) -> Array:
    return np.asarray(X[:, ::20].sum(axis=1))


def _average(X: Array) -> Array:
    return np.asarray(X.mean(axis=1))


def _constant(scale: float) -> Callable[[Array, int], Any]:
    return lambda mean, d: scale


def _falling(divisor: float) -> Callable[[Array, int], Any]:
    return lambda mean, d: (5.5 - np.abs(mean)) / divisor


def _bent(mean: Array, d: int) -> Array:
    """Grow with the mean; the two parts overlap on 1 <= |mean| < 2, as in the authors' code."""
    size = np.abs(mean)
    return np.asarray(0.25 * mean**2 * (size < 2) + 0.5 * size * (size >= 1))


def _uniform(
    family: str, d: int, sigma: float, source: str, *parts: tuple[Any, Any]
) -> dict[str, Setting]:
    """Name settings on the cube that use four covariates."""
    return {
        f"{family}-{i}": Setting("uniform", "normal", mean, scale, d, sigma, 4, source)
        for i, (mean, scale) in enumerate(parts, start=1)
    }


JIN, CFBH = "arXiv:2411.17983, Section 5", "JMLR 24 (2023)"

SETTINGS: dict[str, Setting] = {
    **_uniform(
        "jin-msel", 20, 1.0, JIN,
        (_sparse_steps, _constant(1.0)), (_smooth, _constant(1.5)),
        (_sparse_steps, _falling(2.0)), (_smooth, _falling(2.0)),
    ),
    **_uniform(
        "jin-full", 10, 0.5, JIN,
        (_tilted, _constant(2.0)), (_smooth, _constant(1.5)),
        (_tilted, _falling(2.0)), (_smooth, _falling(3.0)),
    ),
    "liang-1": Setting("normal", "normal", _every_20th, _constant(1.0), 100, 3.0, 1, JIN),
    "liang-2": Setting("normal", "t3", _every_20th, _constant(1.0), 100, 3.0, 1, JIN),
    "liang-3": Setting("normal", "normal", _average, lambda mean, d: 1 / d, 100, 3.0, 1, JIN),
    "liang-4": Setting("t3", "normal", _every_20th, _constant(1.0), 100, 3.0, 1, JIN),
    **_uniform(
        "cfbh", 20, 0.5, CFBH,
        (_clamped, _constant(1.0)),
        (_product, _constant(1.5)), (_product, _falling(2.0)), (_product, _bent),
        (_sparse_steps, _constant(1.0)),
        (_smooth, _constant(1.5)), (_smooth, _falling(2.0)), (_smooth, _bent),
    ),
    "gaussian": Setting("normal", "normal", _every_20th, _constant(1.0), 1, 0.5, 1, "derived here"),
}  # fmt: skip
"""The regressions of the papers by name, with their dimensions and noise levels."""
