"""Orders of convergence from errors at refined step sizes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from theorytk._validation import check_array, check_int, check_real
from theorytk.inference._laws import Law, Student, Undecided
from theorytk.inference.estimates import MIN_REPLICATES, Estimate

__all__ = ["order_estimate"]

EPSILON = float(np.finfo(np.float64).eps)


def order_estimate(errors: ArrayLike, *, ratio: float = 2.0, floor: float = EPSILON) -> Estimate:
    """Estimate an order of convergence by Richardson extrapolation of the local orders.

    With ``p_k = log(e_k / e_{k+1}) / log(ratio)`` the estimate is
    ``p_K + (p_K - p_{K-1}) / (ratio - 1)``, which is ``2 p_K - p_{K-1}`` at ratio 2, plus or
    minus the size of that correction. Over replicates both are averaged and Student's t is added.

    Parameters
    ----------
    errors : array_like, shape (levels,) or (replicates, levels)
        Errors >= 0 at step sizes ``h, h/ratio, h/ratio**2, ...``; at least 4 levels, and at
        least 20 replicates where there are any.
    ratio : float
        Of successive step sizes, > 1.
    floor : float
        Rounding error of one entry, > 0, in its unit; smaller entries are set to it.

    Returns
    -------
    Estimate
        The order. Its interval is the whole line (nothing can be decided) when the local orders
        (averaged over replicates) are not monotone, or when a finest error is below
        ``100 * floor``.

    References
    ----------
    Derived here: for ``e(h) = c h^p (1 + a h + O(h^2))`` the local orders are
    ``p + b ratio^-k + O(ratio^-2k)``, and the combination above removes b.

    Examples
    --------
    >>> h = 0.1 * 0.5 ** np.arange(5)
    >>> order = order_estimate(h * (1 + h))
    >>> lo, hi = order.interval()
    >>> 0.98 < lo < 1 < hi < 1.02
    True
    """
    e = np.atleast_2d(check_array("errors", errors))
    replicates, _ = check_array("errors", e, ndim=2).shape
    check_int("errors (levels)", e.shape[1], lower=4)
    check_real("errors (smallest)", float(e.min()), lower=0)
    ratio = check_real("ratio", ratio, lower=1, lower_open=True)
    floor = check_real("floor", floor, lower=0, lower_open=True)
    if np.ndim(errors) == 2:
        check_int("errors (replicates)", replicates, lower=MIN_REPLICATES)
    p = -np.diff(np.log(np.maximum(e, floor)), axis=1) / math.log(ratio)
    corrections = (p[:, -1] - p[:, -2]) / (ratio - 1)
    orders = p[:, -1] + corrections
    value = float(orders.mean())
    se = float(orders.std(ddof=1)) / math.sqrt(replicates) if replicates > 1 else 0.0
    steps = np.diff(p.mean(axis=0))
    monotone = bool(np.all(steps >= 0) or np.all(steps <= 0))
    law: Law = Undecided()
    if monotone and e[:, -1].min() > 100 * floor:
        law = Student(value, se, replicates - 1, bias=abs(float(corrections.mean())))
    return Estimate(value, replicates, "order of convergence", se, law)
