"""Replicates where they are needed: until means are precise enough, or the time is over."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from theorytk._validation import check_choice, check_real
from theorytk.experiments import Design, Experiment
from theorytk.runner.run import Wanted
from theorytk.runner.store import Store

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Precision", "check_targets", "until_precise"]


@dataclass(frozen=True)
class Precision:
    """What a run until precise has reached.

    Attributes
    ----------
    table : DataFrame
        Rows of all conditions, each with its own number of replicates.
    open : Design
        Conditions whose means are not precise enough yet: the time was over.
    """

    table: pd.DataFrame
    open: Design


def check_targets(experiment: Experiment, mcse: Mapping[str, float]) -> dict[str, float]:
    """Return the largest Monte Carlo standard errors by column, checked."""
    numbers = [name for name, column in experiment.columns.items() if column.dtype != "str"]
    return {
        check_choice(f"mcse column of {experiment.id}", name, numbers): check_real(
            f"mcse of {name}", target, lower=0.0, lower_open=True
        )
        for name, target in mcse.items()
    }


def until_precise(
    want: Wanted,
    store: Store,
    mcse: Mapping[str, float],
    run: Callable[[Wanted], object],
    go_on: Callable[[], bool],
) -> Precision:
    """Double the replicates of conditions until their means are precise.

    Parameters
    ----------
    want : Wanted
        The conditions, and the replicates to begin with.
    store : Store
        Where rows are.
    mcse : mapping of str to float
        Largest standard error of the mean over replicates, by column.
    run : callable
        Runs what is missing.
    go_on : callable
        Tells whether there is time for more.

    Returns
    -------
    Precision
        The rows, and the conditions that did not get there.
    """
    import pandas as pd

    tables = []
    while True:
        run(want)
        found = _by_condition(want, store)
        rest = [
            c for c, rows in zip(want.conditions, found, strict=True) if not _precise(rows, mcse)
        ]
        last = not (rest and go_on())
        still = set() if last else set(Design(rest).keys())
        by_key = zip(want.conditions.keys(), found, strict=True)
        tables += [rows for key, rows in by_key if key not in still]
        if last:
            return Precision(pd.concat(tables, ignore_index=True), Design(rest))
        want = replace(want, conditions=Design(rest), replicates=2 * want.replicates)


def _by_condition(want: Wanted, store: Store) -> list[pd.DataFrame]:
    """Return the rows of each condition, in the order of the design."""
    table, factors = want.table(store), want.experiment.factors()
    if factors:
        found = [rows for _, rows in table.groupby(factors, sort=False, dropna=False)]
    else:
        found = [table]
    if len(found) != len(want.conditions):
        raise RuntimeError(f"{want.experiment.id}: some conditions have no rows; tasks failed")
    return found


def _precise(rows: pd.DataFrame, mcse: Mapping[str, float]) -> bool:
    means = rows.groupby("replicate")[list(mcse)].mean()
    return all(
        means[name].std(ddof=1) <= target * math.sqrt(max(means[name].count(), 1))
        for name, target in mcse.items()
    )
