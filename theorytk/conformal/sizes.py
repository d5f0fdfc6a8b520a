"""Leave-one-out selection sizes of every test point and level from one sort."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk.conformal import _kernels
from theorytk.conformal.multiple_testing import Array, check_levels, raised
from theorytk.conformal.pvalues import Ranks, check_scores, check_weights, rank

__all__ = ["leave_one_out_sizes"]

Counts = NDArray[np.int64]


def leave_one_out_sizes(
    cal: Any, test: Any, q: Any, cal_weight: Any = None, test_weight: Any = None
) -> Counts:
    """Return how many test points Benjamini-Hochberg selects when point j counts as p = 0.

    The size of j is that of the selection from ``p_j = 0`` and, for ``l != j``,
    ``p_l = (#{i: V_i <= T_l} + 1{T_j <= T_l}) / (n + 1)``: the calibration scores and that of j
    together rank the others, so that the size does not depend on which of these n + 1 is j's.
    With weights, as in weighted conformal selection, ``p_l = (sum of w_i over V_i < T_l + w_j
    1{T_j < T_l}) / (sum of w_i + w_j)``, with ``<``: on tied scores equal weights therefore do not
    give the size without weights.

    Parameters
    ----------
    cal : array_like, shape (n,) or (K, n)
        Calibration scores V, of K models if it has two axes; ``+inf`` is allowed.
    test : array_like, shape (m,) or (K, m)
        Test scores T, finite.
    q : float or array_like, shape (Q,)
        Target level or levels of the false discovery rate, in (0, 1).
    cal_weight : array_like, shape (n,), optional
        Density ratio of test to calibration covariates at the calibration points, up to a factor.
    test_weight : array_like, shape (m,), optional
        The same at the test points, given together with `cal_weight`.

    Returns
    -------
    ndarray of int, shape (m,), (K, m), (Q, m) or (Q, K, m)
        The sizes, from 1 to m; Q axis first.

    Raises
    ------
    ValueError
        As :func:`theorytk.conformal.pvalues.conformal_pvalues`, or if `q` is out of range.

    Notes
    -----
    Derived here; a model costs one sort, (n + m) log(n + m), and then m operations for each level,
    m log m with weights. There is no m-by-m array. Let T be sorted, with ranks l = 1..m, and let
    j's ties hold the ranks a..b. In the p-values of j's world j comes first, ranks below a follow
    one place later, and ranks above b keep their place.

    Without weights, ``g = q (n + 1) / m`` and ``N_l = #{i: V_i <= T_l}``. A rank l > b passes if
    ``N_l + 1 <= g l``. Let B be the largest rank with that, whatever j. N is constant on ties, so B
    ends a group of them. If B > b, the size is B. If not, the place l + 1 of a rank l < a passes if
    ``N_l <= g (l + 1)``, and the size is 1 + the largest such l, or 1; the other members of the
    group have ``N_a + 1`` and pass, at their last place b, just if B = b. For B = b this gives
    b, too. So a point of rank at most B has size B, and for the others one scan from B upwards is
    enough, because rank B passes ``N_B <= g (B + 1)``.

    With weights, ``W_l`` the weight of calibration scores below ``T_l``, W that of all,
    ``f_l = q l / m`` and ``w = w_j``, a rank l > b passes if ``W_l + w <= f_l (W + w)``, that is
    ``w <= M_l = (f_l W - W_l) / (1 - f_l)``. The largest l with ``max_{k >= l} M_k >= w`` is found
    by bisection, the maxima being nonincreasing; if it exceeds b it is the size. If not, the places
    l + 1 <= b pass if ``W_l <= f_{l+1} (W + w)``, that is ``w >= U_l = W_l m / (q (l + 1)) - W``
    (ties with j hold no w, and W is constant on them). A sweep over the ranks keeps those l that no
    later one undercuts, a stack on which U increases, and bisects it for the last ``U_l <= w``.

    References
    ----------
    Bai, Jin (2024), "Optimized conformal selection", arXiv 2411.17983, for the definition without
    weights; Jin, Candes (2023), arXiv 2307.09291, for the weighted one.

    Examples
    --------
    >>> from theorytk.conformal.sizes import leave_one_out_sizes
    >>> leave_one_out_sizes([1.0, 2.0, 3.0, 4.0, 5.0], [0.5, 0.7, 6.0], [0.2, 0.5])
    array([[1, 2, 3],
           [2, 2, 3]])
    """
    cal, test = check_scores(cal, test)
    weights = check_weights(cal_weight, test_weight, cal.shape[-1], test.shape[-1])
    levels = check_levels(q)
    found = sizes(rank(cal, test, weights), levels)
    return found.reshape(levels.shape + test.shape)


def sizes(ranks: Ranks, levels: Array) -> Counts:
    """Return the sizes (Q, K, m)."""
    q = raised(np.atleast_1d(levels))
    out = np.empty((len(q), *ranks.test.shape), dtype=np.int64)
    if ranks.cumulated is None:
        _kernels.sizes(ranks.cal, ranks.test, q, ranks.order, out)
    else:
        # The kernel divides by 1 - f, which must stay positive when the level is raised.
        q = np.minimum(q, np.nextafter(1.0, 0.0))
        total = ranks.cumulated[:, -1]
        below, weight = ranks.below(), ranks.weight
        _kernels.weighted_sizes(ranks.test, below, total, weight, q, ranks.order, out)
    return out
