"""Row sampling in the conventions of scikit-learn; needs the extra ``theorytk[sklearn]``."""

from __future__ import annotations

from typing import Any

import numpy as np

from theorytk.sensitivity._linalg import check_exponent
from theorytk.sensitivity._scores import row_scores
from theorytk.sensitivity.sampling import sample_rows

try:
    from sklearn.base import BaseEstimator
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import _check_sample_weight, validate_data
except ImportError as error:
    raise ImportError(
        "LpRowSampler needs scikit-learn; install it with: pip install 'theorytk[sklearn]'"
    ) from error

__all__ = ["LpRowSampler"]

# Rows a feature that are drawn if neither size nor alpha is given.
ROWS_PER_FEATURE = 20


class LpRowSampler(BaseEstimator):  # type: ignore[misc]
    """A weighted sample of rows that preserves the l_p norm of every combination of the columns.

    It selects samples, where a transformer makes features: take ``X[sampler.indices_]`` and hand
    ``sampler.weights_`` to an estimator as its `sample_weight`.

    Parameters
    ----------
    p : float, default 2.0
        The exponent, finite and >= 1: that of the loss to come, 2 for squares, 1 for absolute
        values.
    scores : str or array_like, shape (n_samples,), default "lewis"
        ``"lewis"``, ``"sensitivity"``, ``"augmented"``, ``"leverage"``, ``"root-leverage"`` or
        ``"uniform"``, or the scores, positive for rows that are not zero.
    size : int, optional
        The expected number of rows drawn.
    alpha : float, optional
        The oversampling, in the place of `size`: row i is drawn with the probability
        min(1, alpha scores_[i]). Without both, `size` is 20 times the number of columns.
    random_state : int, RandomState instance or None
        Random state of the draw.

    Attributes
    ----------
    scores_ : ndarray, shape (n_samples,)
        The scores.
    indices_ : ndarray of int, shape (n_drawn,)
        The rows drawn, in increasing order.
    weights_ : ndarray, shape (n_drawn,)
        Their weights: `sample_weight` over the probability of the row.
    n_features_in_ : int
        The number of features.

    Notes
    -----
    Estimators that add an intercept have one column more than X: append a column of ones for the
    sampler.

    References
    ----------
    Woodruff, Yasuda (ICML 2023); see `theorytk.sensitivity.sample_rows`.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.sensitivity.sklearn import LpRowSampler
    >>> rng = np.random.default_rng(0)
    >>> X, noise = rng.standard_normal((10_000, 3)), rng.standard_normal(10_000)
    >>> y = X @ [1.0, 2.0, 3.0] + noise
    >>> sampler = LpRowSampler(p=2, size=500, random_state=0).fit(X, y)
    >>> from sklearn.linear_model import LinearRegression
    >>> fit = LinearRegression(fit_intercept=False).fit(
    ...     X[sampler.indices_], y[sampler.indices_], sample_weight=sampler.weights_
    ... )
    >>> bool(np.abs(fit.coef_ - [1, 2, 3]).max() < 0.2)
    True
    """

    def __init__(
        self,
        p: float = 2.0,
        scores: Any = "lewis",
        size: int | None = None,
        alpha: float | None = None,
        random_state: Any = None,
    ) -> None:
        self.p = p
        self.scores = scores
        self.size = size
        self.alpha = alpha
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> LpRowSampler:
        """Score the rows and draw the sample.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            The rows.
        y : array_like, shape (n_samples,), optional
            Targets of a regression to come. The rows of [X y] are scored then, so that residuals
            keep their norms.
        sample_weight : array_like, shape (n_samples,), optional
            The weights >= 0 of the rows on p-th powers, one by default.

        Returns
        -------
        LpRowSampler
            The sampler itself.
        """
        p = check_exponent(self.p)
        if y is None:
            A = X = validate_data(self, X, dtype=np.float64)
        else:
            X, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
            A = np.column_stack([X, y])
        omega = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        size = self.size
        if size is None and self.alpha is None:
            size = ROWS_PER_FEATURE * A.shape[1]
        self.scores_ = row_scores(A * omega[:, None] ** (1 / p), p, self.scores)
        seed = int(check_random_state(self.random_state).randint(2**31))
        sample = sample_rows(self.scores_, p, size=size, alpha=self.alpha, rng=seed)
        self.indices_, self.weights_ = sample.idx, omega[sample.idx] * sample.weights
        return self
