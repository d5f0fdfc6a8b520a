"""Samples that grow until their distortion is certified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_int, check_real
from theorytk.sensitivity._linalg import check_exponent, check_matrix
from theorytk.sensitivity._scores import row_scores
from theorytk.sensitivity._whitening import Array
from theorytk.sensitivity.distortion import Distortion, distortion
from theorytk.sensitivity.sampling import RowSample, sample_rows

__all__ = ["CertifiedSample", "certified_sample"]


@dataclass(frozen=True)
class CertifiedSample:
    """Sampled rows whose distortion is known to be small enough.

    Parameters
    ----------
    sample : RowSample
        The rows and their weights.
    distortion : Distortion
        Its upper bound is at most epsilon; the status is ``"exact"`` or ``"certified"``.
    alpha : float
        The oversampling at which they were drawn.
    n_measured : int
        How many samples were measured.
    """

    sample: RowSample
    distortion: Distortion
    alpha: float
    n_measured: int


def certified_sample(
    A: Any,
    p: float,
    epsilon: float,
    *,
    scores: Any = "lewis",
    n_tries: int = 5,
    rng: int | np.random.Generator | None = None,
) -> CertifiedSample:
    """Double the oversampling until the distortion is at most epsilon for certain.

    The first oversampling expects as many rows as A has columns. Samples of one oversampling are
    drawn anew up to `n_tries` times. When all rows are kept there is no distortion, so that the
    search ends.

    Parameters
    ----------
    A : array_like, shape (n, d)
        The matrix, of any rank but zero, such that `distortion` finds an upper bound: p = 2, even
        p with not too many columns, or blocks of rank up to 4.
    p : float
        The exponent, finite and >= 1.
    epsilon : float
        The distortion of p-th powers that is allowed, > 0; from 1 on rank may be lost.
    scores : str or array_like, shape (n,)
        ``"lewis"`` (default), ``"sensitivity"``, ``"augmented"``, ``"leverage"``,
        ``"root-leverage"`` (p < 2) or ``"uniform"``, or the scores, positive for rows that are not
        zero.
    n_tries : int, default 5
        Samples measured at one oversampling before it is doubled.
    rng : int, Generator or None
        Random state of the samples, and of the starts of the distortion.

    Returns
    -------
    CertifiedSample

    Raises
    ------
    ValueError
        If an argument is out of range, or if there is no certificate for this p and rank.

    Notes
    -----
    Let beta be the least oversampling from which on a sample succeeds with probability 1/2. Up to
    a probability of 2^-n_tries the expected number of rows is at most twice that at beta. Samples
    that share their uniform random numbers, and so are nested, lack this: a draw that is unlucky at
    beta stays so.

    The sample was chosen by its distortion: its weighted sums are no longer unbiased. What is
    certified holds for this sample, for every x.

    References
    ----------
    Derived here: an oversampling between beta and 2 beta is tried, if the search gets so far, and
    the expected number of rows is concave in it.

    Examples
    --------
    >>> from theorytk.sensitivity.adaptive import certified_sample
    >>> A = np.random.default_rng(0).standard_normal((2000, 3))
    >>> found = certified_sample(A, 2, 0.5, rng=0)
    >>> found.distortion.status, found.distortion.upper <= 0.5, len(found.sample.idx) < 400
    ('exact', True, True)
    """
    A, p = check_matrix(A), check_exponent(p)
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    if not A.any():
        raise ValueError("A must not be zero: its distortion has no meaning")
    s, generator = row_scores(A, p, scores), as_generator(rng)
    n_tries = check_int("n_tries", n_tries, lower=1)
    alpha, n_measured = min(A.shape) / s.sum(), 0
    while (alpha * s[s > 0] < 1).any():
        for _ in range(n_tries):
            sample = sample_rows(s, p, alpha=alpha, rng=generator)
            measured = distortion(A, sample.omega(), p, rng=generator)
            n_measured += 1
            if measured.status == "estimate":
                raise ValueError(
                    "p and the rank of A must allow a certificate, which exists for p = 2, for "
                    f"even p with few columns and for rank up to 4; got p = {p:g}, shape {A.shape}"
                )
            if measured.upper <= epsilon:
                return CertifiedSample(sample, measured, alpha, n_measured)
        alpha *= 2
    return CertifiedSample(
        sample_rows(s, p, alpha=alpha, rng=generator), _none(A), alpha, n_measured
    )


def _none(A: Array) -> Distortion:
    """Return the distortion of all rows of A with weight one."""
    x = A[np.abs(A).max(axis=1).argmax()]
    return Distortion(0.0, 0.0, "exact", 1.0, 1.0, x, x)
