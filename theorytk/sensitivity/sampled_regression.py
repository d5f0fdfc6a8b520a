"""l_p regression on sampled rows, and what the sample's distortion says about all of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array
from theorytk.sensitivity._linalg import check_matrix
from theorytk.sensitivity._scores import row_scores
from theorytk.sensitivity._whitening import Array
from theorytk.sensitivity.distortion import Distortion, distortion
from theorytk.sensitivity.regression import Regression, lp_regression
from theorytk.sensitivity.sampling import RowSample, sample_rows
from theorytk.sensitivity.sampling_laws import active_cost_ratio, coreset_cost_ratio

__all__ = ["SampledRegression", "sampled_regression"]


@dataclass(frozen=True)
class SampledRegression:
    """Regression on sampled rows, and what their distortion says about all rows.

    Parameters
    ----------
    fit : Regression
        The regression on the sample, with its weights; `dual` is that of the rows drawn.
    sample : RowSample
        The rows drawn.
    distortion : Distortion
        Of ``[A b]`` by the sample, or of A alone if the labels were asked for. Its status says
        whether its upper bound, on which all below rests, is exact, certified, or infinite.
    active : bool
        Whether only the labels of the rows drawn were asked for.
    """

    fit: Regression
    sample: RowSample
    distortion: Distortion
    active: bool

    @property
    def x(self) -> Array:
        """The minimiser on the sample."""
        return self.fit.x

    def cost_ratio_bound(self, delta: float | None = None) -> float:
        """Return a bound of the cost of x on all rows over the least one; infinity if none holds.

        Of a sample by the scores of ``[A b]`` it holds for certain. If only sampled labels are
        known, it fails with a probability of at most `delta`, which must be given.
        """
        upper, p, slack = self.distortion.upper, self.fit.p, _slack(self.fit)
        if not self.active:
            return coreset_cost_ratio(upper) * slack
        if delta is None:
            raise ValueError("delta must be given where only sampled labels are known; got None")
        return active_cost_ratio(upper, p, delta) * slack

    @property
    def optimum(self) -> tuple[float, float]:
        """An interval that holds the least cost on all rows; (0, infinity) if `active`.

        Its upper end bounds the cost of x.
        """
        upper = self.distortion.upper
        if self.active:
            return 0.0, math.inf
        return self.fit.lower / (1 + upper), self.fit.cost / (1 - upper) if upper < 1 else math.inf


def _slack(fit: Regression) -> float:
    """Return the cost over its lower bound, 1 for an exact fit."""
    if fit.lower == 0:
        return 1.0 if fit.converged else math.inf
    return fit.cost / fit.lower


def sampled_regression(
    A: Any,
    b: Any | Callable[[np.ndarray], Any],
    p: float,
    *,
    scores: Any = "lewis",
    size: int | None = None,
    alpha: float | None = None,
    tol: float = 1e-10,
    rng: int | np.random.Generator | None = None,
) -> SampledRegression:
    """Minimise ``||A x - b||_p`` over sampled rows, and bound what that costs on all rows.

    With all labels given, rows are sampled by the scores of ``[A b]``: with distortion epsilon of
    that matrix the cost of the result is at most (1 + epsilon) / (1 - epsilon) times the least. If
    labels must be asked for, rows are sampled by the scores of A, which bounds the cost by a
    constant with a chosen probability.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix, of any rank.
    b : array_like, shape (n,), or callable
        All labels, or a function from the indices (m,) of rows to their labels, called once.
    p : float
        The exponent, finite and >= 1.
    scores : str or array_like, shape (n,)
        ``"lewis"`` (default), ``"sensitivity"``, ``"augmented"``, ``"leverage"``,
        ``"root-leverage"`` (p < 2) or ``"uniform"``, of ``[A b]`` or A as above, or the scores.
    size, alpha : int or float
        The expected number of rows, or the oversampling: one of them.
    tol : float, default 1e-10
        As in `lp_regression`.
    rng : int, Generator or None
        Random state of the sample, and of the starts of the distortion.

    Returns
    -------
    SampledRegression

    Notes
    -----
    The distortion, which reads all of A, takes longer than the regression for most p. Who needs no
    statement calls `sample_rows`, and `lp_regression` with its weights.

    References
    ----------
    Woodruff, Yasuda (ICML 2023), on sampling; Chen, Derezinski (COLT 2021), on few labels. The
    bounds are those of `theorytk.sensitivity.sampling_laws`, derived here.

    Examples
    --------
    >>> from theorytk.sensitivity.sampled_regression import sampled_regression
    >>> rng = np.random.default_rng(0)
    >>> A, noise = np.ones((1000, 1)), rng.standard_normal(1000)
    >>> found = sampled_regression(A, 3 + noise, 1, size=400, rng=0)
    >>> found.distortion.status, 1 < found.cost_ratio_bound() < 2
    ('exact', True)
    """
    A, generator = check_matrix(A), as_generator(rng)
    active = callable(b)
    seen = A if active else np.column_stack([A, check_array("b", b, shape=(len(A),))])
    sample = sample_rows(row_scores(seen, p, scores), p, size=size, alpha=alpha, rng=generator)
    idx = sample.idx
    labels = check_array("b", b(idx), shape=(len(idx),)) if callable(b) else seen[idx, -1]
    fit = lp_regression(A[idx], labels, p, sample_weight=sample.weights, tol=tol)
    measured = distortion(seen, sample.omega(), p, rng=generator)
    return SampledRegression(fit, sample, measured, active)
