"""Data with a known selection error or a known defect: covariate shift, screening, separation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from theorytk._validation import as_generator, check_array, check_int, check_real

__all__ = [
    "ShiftedData",
    "screening_data",
    "separated_data",
    "shifted_data",
    "shifted_prediction",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ShiftedData:
    """Calibration and test points whose covariates have different laws.

    Parameters
    ----------
    X_cal, y_cal : ndarray, shape (n,)
        Calibration covariates and responses.
    X_test, y_test : ndarray, shape (m,)
        Test covariates and responses.
    cal_weight, test_weight : ndarray, shape (n,), (m,)
        At these covariates, the density of test covariates over that of calibration covariates.
    """

    X_cal: Array
    y_cal: Array
    X_test: Array
    y_test: Array
    cal_weight: Array
    test_weight: Array


def shifted_data(
    n: int,
    m: int,
    *,
    shift: float = 1.0,
    sigma: float = 0.5,
    rng: int | np.random.Generator | None = None,
) -> ShiftedData:
    """Draw Y = 0.8 - X + sigma * noise with X normal around 0, and around `shift` in the test.

    Positives (Y > 0) are rarer in the test; unweighted p-values are then too small.

    Parameters
    ----------
    n, m : int
        Calibration and test points, >= 1.
    shift : float
        Mean of the test covariates.
    sigma : float
        Standard deviation of the noise, >= 0.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ShiftedData
        With weights ``exp(shift x - shift^2 / 2)``.

    References
    ----------
    Derived here, for weighted conformal selection (Ying Jin, Emmanuel Candes, arXiv:2307.09291).

    Examples
    --------
    >>> data = shifted_data(3, 2, rng=0)
    >>> data.cal_weight.shape, data.y_test.shape
    ((3,), (2,))
    """
    n, m = check_int("n", n, lower=1), check_int("m", m, lower=1)
    shift, sigma = check_real("shift", shift), check_real("sigma", sigma, lower=0)
    rng = as_generator(rng)
    X = rng.standard_normal(n + m) + shift * (np.arange(n + m) >= n)
    y = 0.8 - X + sigma * rng.standard_normal(n + m)
    weight = np.exp(shift * X - shift**2 / 2)
    return ShiftedData(X[:n], y[:n], X[n:], y[n:], weight[:n], weight[n:])


def shifted_prediction(X: Any) -> Array:
    """Return an imperfect prediction for `shifted_data`: the regression plus 0.4 sin(3 x).

    Parameters
    ----------
    X : array_like, shape (n,)
        Covariates.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> shifted_prediction([0.0])
    array([0.8])
    """
    X = check_array("X", X, ndim=1)
    return np.asarray(0.8 - X + 0.4 * np.sin(3 * X))


def screening_data(
    n: int,
    K: int,
    *,
    active: float = 0.3,
    skill: Any = None,
    correlation: float = 0.5,
    df: float = 3.0,
    rng: int | np.random.Generator | None = None,
) -> tuple[Array, Array]:
    """Draw heavy-tailed activities and the predictions of K correlated models of different skill.

    A substitute for the drug screens of the papers, whose predictions are not published. Skill 0
    for all and correlation 0 make useless independent predictors, those of
    `theorytk.conformal.theory.naive_fdr`.

    Parameters
    ----------
    n, K : int
        Points and models, >= 1.
    active : float
        Probability of an active point, Y > 0, in (0, 1).
    skill : array_like, shape (K,), or None
        Correlation of each prediction with the normal score of the activity, -1 to 1; ``None``
        spaces the models evenly from 0 to 0.8.
    correlation : float
        Correlation of the errors of any two models, 0 to 1.
    df : float
        Degrees of freedom of the activities, Student t, > 0.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    predictions : ndarray, shape (K, n)
        Standard normal for each model.
    y : ndarray, shape (n,)
        Activities, moved so that the threshold is 0.

    References
    ----------
    Derived here, in the place of Section 6.1 of Bai, Jin, arXiv:2411.17983.

    Examples
    --------
    >>> predictions, y = screening_data(1000, 8, rng=0)
    >>> predictions.shape, bool(abs((y > 0).mean() - 0.3) < 0.05)
    ((8, 1000), True)
    """
    n, K = check_int("n", n, lower=1), check_int("K", K, lower=1)
    active = check_real("active", active, lower=0, upper=1, lower_open=True, upper_open=True)
    correlation = check_real("correlation", correlation, lower=0, upper=1)
    df = check_real("df", df, lower=0, lower_open=True)
    skill = check_array("skill", np.linspace(0, 0.8, K) if skill is None else skill, shape=(K,))
    check_real("skill (largest size)", float(np.abs(skill).max()), upper=1)
    rng = as_generator(rng)
    rank = rng.random(n)
    common, own = rng.standard_normal(n), rng.standard_normal((K, n))
    error = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    predictions = skill[:, None] * special.ndtri(rank) + np.sqrt(1 - skill**2)[:, None] * error
    return predictions, stats.t.ppf(rank, df) - stats.t.ppf(1 - active, df)


def separated_data(
    n: int, *, pi0: float = 0.8, rng: int | np.random.Generator | None = None
) -> tuple[Array, Array]:
    """Draw points whose prediction X puts every positive above every null, and orders no more.

    There a tie-breaking uniform shared by all p-values breaks the level, by
    `theorytk.conformal.theory.shared_uniform_fdr`.

    Parameters
    ----------
    n : int
        Points, >= 1.
    pi0 : float
        Probability of a null, 0 to 1.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    X : ndarray, shape (n,)
        The prediction: uniform on [0, 1] for nulls, on [1, 2] for positives.
    y : ndarray, shape (n,)
        -1 for nulls, 1 for positives.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> X, y = separated_data(100, rng=0)
    >>> bool(((X > 1) == (y > 0)).all())
    True
    """
    n, pi0 = check_int("n", n, lower=1), check_real("pi0", pi0, lower=0, upper=1)
    rng = as_generator(rng)
    positive = rng.random(n) >= pi0
    return rng.random(n) + positive, np.where(positive, 1.0, -1.0)
