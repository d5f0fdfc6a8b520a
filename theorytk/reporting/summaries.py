"""From replicates to what a figure shows: a centre and an interval per point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from theorytk._validation import check_real

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["summarise"]


def summarise(
    table: pd.DataFrame,
    by: Sequence[str],
    column: str,
    *,
    logarithm: bool = False,
    level: float = 0.05,
) -> pd.DataFrame:
    """Return the mean over replicates and its Student t interval, for each level of `by`.

    Parameters
    ----------
    table : DataFrame
        One row per replicate and level of `by`; rows with a null in `column` are left out.
    by : sequence of str
        Columns that name a point of the figure.
    column : str
        What is averaged.
    logarithm : bool
        Average logarithms of positive values and return to the scale of the data: the geometric
        mean and its interval.
    level : float
        Two-sided error probability of the interval; 0.05 draws 95% intervals.

    Returns
    -------
    DataFrame
        The columns `by`, then ``n``, ``centre``, ``low`` and ``high``; a single replicate has an
        interval of no length.

    Raises
    ------
    ValueError
        If `logarithm` meets a value that is not positive.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"k": [1, 1, 2, 2], "error": [1.0, 100.0, 2.0, 2.0]})
    >>> summarise(rows, ["k"], "error", logarithm=True)["centre"].round(6).tolist()
    [10.0, 2.0]
    """
    from scipy.special import stdtrit

    level = check_real("level", level, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    rows = table[[*by, column]].dropna()
    if logarithm and not (rows[column] > 0).all():
        raise ValueError(f"column {column!r} must be positive; got {rows[column].min()}")
    values = np.log(rows[column]) if logarithm else rows[column]
    points = rows.assign(**{column: values}).groupby(list(by), sort=True)[column]
    found = points.agg(n="count", centre="mean", spread="std").reset_index()
    width = stdtrit(np.maximum(found["n"] - 1, 1), 1 - level / 2) / np.sqrt(found["n"])
    half = found.pop("spread").fillna(0.0) * width
    found["low"], found["high"] = found["centre"] - half, found["centre"] + half
    if logarithm:
        found[["centre", "low", "high"]] = np.exp(found[["centre", "low", "high"]])
    return found
