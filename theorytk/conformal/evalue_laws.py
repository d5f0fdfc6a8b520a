"""What the e-values of OptCS are on average over which point of a pool is tested."""

from __future__ import annotations

from theorytk._validation import check_choice, check_int, check_real
from theorytk.conformal.theory import SLACK

__all__ = ["mean_null_evalue"]


def mean_null_evalue(threshold: float, N: int, nulls: int, *, tie: str = "conservative") -> float:
    """Return the mean e-value of a test point, over which point of a pool is tested, exactly.

    Of N points each is the test point once, the others calibrate, and all else stays. Where the
    test point is null its e-value is ``1{p <= threshold} / threshold``, where it is not 0 is
    counted.

    Parameters
    ----------
    threshold : float
        With what the p-value is compared, ``beta q r / m`` in OptCS, in (0, 1]. It depends on the
        pool as a whole only.
    N : int
        Points of the pool, the calibration points and the tested one, >= 2.
    nulls : int
        How many of them are null, 0 to N.
    tie : {"conservative", "randomised"}
        The p-value ``(1 + L) / N``, or the mean over U of that with ``(L + U) / N``, L calibration
        scores being below the test score.

    Returns
    -------
    float
        At most 1, and 1 if the pool has nulls enough and, for conservative p-values,
        ``threshold N`` is an integer.

    Notes
    -----
    Clipped scores of the pool are the same, whichever null point is tested, and have no ties. So L
    runs through 0, ..., nulls - 1, and ``1 + L <= threshold N`` for ``min(floor(threshold N),
    nulls)`` of them; ``L + U <= threshold N`` for ``min(threshold N, nulls)`` in the mean. The
    mean e-value is this over ``threshold N``. With one test point the threshold of OptCS is q:
    then q times the mean e-value is the false discovery rate, given the pool.

    References
    ----------
    Derived here, from the argument of Bai, Jin (2024), arXiv:2411.17983.

    Examples
    --------
    >>> mean_null_evalue(0.25, 20, 12), mean_null_evalue(0.29, 20, 12)
    (1.0, 0.8620689655172414)
    >>> mean_null_evalue(0.29, 20, 12, tie="randomised")
    1.0
    """
    threshold = check_real("threshold", threshold, lower=0, upper=1, lower_open=True)
    N = check_int("N", N, lower=2)
    nulls = check_int("nulls", nulls, lower=0, upper=N)
    exact = threshold * N
    whole = int(exact * (1 + SLACK))
    randomised = check_choice("tie", tie, ("conservative", "randomised")) == "randomised"
    return float(min(exact if randomised else whole, nulls) / exact)
