"""Freedman's paradox: a regression on noise, screened and fitted again, looks significant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats

from theorytk._validation import as_generator, check_int
from theorytk.adaptive._arguments import check_probability

__all__ = ["FreedmanResult", "Regression", "freedman_screening", "regression"]

Array = np.ndarray


@dataclass(frozen=True)
class Regression:
    """Least squares with an intercept.

    Parameters
    ----------
    r_squared : float
        Share of the variance that is explained.
    f_p_value : float
        p-value of the F-test that all coefficients but the intercept are 0; 1 without variables.
    p_values : ndarray, shape (d,)
        p-values of the two-sided t-tests of the coefficients.
    """

    r_squared: float
    f_p_value: float
    p_values: Array


@dataclass(frozen=True)
class FreedmanResult:
    """A screened regression.

    Parameters
    ----------
    first, second : Regression
        With all variables, and with those that were kept.
    n_kept : int
        Number of variables kept.
    n_significant : int
        Number of coefficients of the second regression with a p-value below the level.
    """

    first: Regression
    second: Regression
    n_kept: int
    n_significant: int


def regression(X: Any, y: Any) -> Regression:
    """Return the usual tests of a least-squares fit with an intercept.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Variables, of full column rank after centring, d < n - 1.
    y : array_like, shape (n,)
        Response, not constant.

    Returns
    -------
    Regression
        The tests.

    Examples
    --------
    >>> fit = regression([[0.0], [1.0], [2.0], [3.0]], [0.1, 0.9, 2.1, 2.9])
    >>> round(fit.r_squared, 3), round(fit.f_p_value, 4)
    (0.993, 0.0035)
    """
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    n, d = X.shape
    if d == 0:
        return Regression(0.0, 1.0, np.empty(0))
    y = y - y.mean()
    Q, R = np.linalg.qr(X - X.mean(axis=0))
    projected = Q.T @ y
    explained, total = projected @ projected, y @ y
    freedom = n - 1 - d
    variance = (total - explained) / freedom
    inverse = np.linalg.inv(R)
    t = inverse @ projected / np.sqrt(variance * (inverse**2).sum(axis=1))
    return Regression(
        r_squared=float(explained / total),
        f_p_value=float(scipy.stats.f.sf(explained / d / variance, d, freedom)),
        p_values=2 * scipy.stats.t.sf(np.abs(t), freedom),
    )


def freedman_screening(
    n: int = 100,
    d: int = 50,
    *,
    keep_level: float = 0.25,
    level: float = 0.05,
    split: bool = False,
    rng: Any = None,
) -> FreedmanResult:
    """Regress noise on noise, keep what looks promising, and regress again.

    Parameters
    ----------
    n : int
        Points of the first regression, >= d + 3; with `split` as many more for the second.
    d : int
        Variables, >= 1; they and the response are independent standard normals.
    keep_level : float
        A variable with a p-value below this is kept, in (0, 1).
    level : float
        Significance of a coefficient, in (0, 1).
    split : bool
        Fit the second regression to fresh points, so that its tests have their exact size.
    rng : int, Generator or None
        Randomness of the data.

    Returns
    -------
    FreedmanResult
        Both regressions and the counts.

    References
    ----------
    Freedman (The American Statistician, 1983), with these numbers as defaults. The first R^2 has
    the Beta law (d / 2, (n - 1 - d) / 2), with mean d / (n - 1); `n_kept` has mean keep_level d.

    Examples
    --------
    >>> result = freedman_screening(rng=0)
    >>> result.n_kept, result.n_significant, bool(result.second.f_p_value < 0.05)
    (12, 3, True)
    """
    d = check_int("d", d, lower=1)
    n = check_int("n", n, lower=d + 3)
    keep_level = check_probability("keep_level", keep_level)
    level = check_probability("level", level)
    rng = as_generator(rng)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    first = regression(X, y)
    kept = first.p_values < keep_level
    if split:
        X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    second = regression(X[:, kept], y)
    significant = np.count_nonzero(second.p_values < level)
    return FreedmanResult(first, second, int(kept.sum()), int(significant))
