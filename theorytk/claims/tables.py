"""From rows to arrays: what the estimates of claims take out of a table."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["by_replicate"]


def by_replicate(table: pd.DataFrame, column: str, by: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return a column as an array with a row per replicate, for each level of some factors.

    Parameters
    ----------
    table : DataFrame
        Rows of an experiment, the same number for every replicate of a level.
    column : str
        The column to take.
    by : sequence of str
        Factors; each combination of their levels gives one array.

    Returns
    -------
    dict of str to ndarray, shape (replicates, rows of one)
        By labels such as ``"k=5, alpha=0.1"``, in increasing order of the levels.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"k": 5, "replicate": [0, 0, 1, 1], "error": [4.0, 3.0, 2.0, 1.0]})
    >>> by_replicate(rows, "error", by=("k",))
    {'k=5': array([[4., 3.],
           [2., 1.]])}
    """
    return {
        _label(by, level): np.stack([g[column].to_numpy() for _, g in rows.groupby("replicate")])
        for level, rows in table.groupby(list(by))
    }


def _label(by: Sequence[str], level: Sequence[Any]) -> str:
    shown = [f"{value:g}" if isinstance(value, Real) else str(value) for value in level]
    return ", ".join(f"{name}={value}" for name, value in zip(by, shown, strict=True))
