"""Total sensitivities of the tables that come with scikit-learn."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, mean_estimate, violations_estimate
from theorytk.sensitivity.sensitivities import sensitivities

from .estimates import lewis_total
from .mistakes import TOTALS


def standardised(name):
    """Return a table's columns, standardised, and a column of ones; None without scikit-learn."""
    try:
        from sklearn import datasets
    except ImportError:
        return None
    X = getattr(datasets, f"load_{name}")(return_X_y=True)[0]
    return np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0)])


@experiment(
    "sensitivity-sampling/tables",
    paper="padmanabhan2023",
    design=grid(table=["iris", "wine", "diabetes"], p=[1, 3], size=20, draws=40),
    paired=("estimate", "scores"),
    columns={
        "columns": Column("columns d of the table, null without scikit-learn", dtype="int"),
        "total": Column("total sensitivity, null without scikit-learn"),
        "position": Column("of it, from 0 at d^(p/2) to 1 at d by logarithms; null likewise"),
        "error": Column("relative error of an estimate of it, null without scikit-learn"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=5)},
    algorithm="estimate",
)
def tables(*, table, p, size, draws, estimate="lewis", scores="sensitivity", rng):
    """Total sensitivity of a table, standardised with an intercept, and estimates of it.

    Estimates use `size` rows drawn by Lewis weights; with `scores` "leverage" the total is that of
    leverage scores. The algorithm is ``estimate(A, p, size, rng) -> float``.
    """
    A = standardised(table)
    if A is None:
        return {"columns": None, "total": None, "position": None, "error": None}
    total = sensitivities(A, p if scores == "sensitivity" else 2).total
    d = A.shape[1]
    place = {
        "columns": d,
        "total": total,
        "position": np.log(total / d ** (p / 2)) / np.log(d ** (1 - p / 2)),
    }
    estimate = {"lewis": lewis_total, **TOTALS}.get(estimate, estimate)
    error = [estimate(A, p, size, rng) / total - 1 for _ in range(draws)]
    return [{**place, "error": e} for e in error]


@claim(
    "sensitivity-sampling/tables-total-estimate",
    theorem="abstract (total sensitivities of real data); tables and sizes are ours",
    status="empirical",
    statement=r"On three tables that come with scikit-learn ($d=5$, $14$, $11$, intercept "
    r"included) $20$ sensitivities of rows drawn by Lewis weights give the total sensitivity for "
    r"$p=1$ and $3$ with a mean error of at most $5\%$.",
    experiment=tables,
    region=AtMost(0.05),
    reason="chosen before measuring: what one would call quickly approximated",
    assumptions=(Assumption("these tables only; those of the paper are not known to us"),),
    control=Control("rows drawn uniformly", estimate="uniform"),
    needs=("sklearn",),
)
def tables_total_estimate(table):
    """Mean absolute relative error, per table and p."""
    return {
        f"{name}, p={p:g}": mean_estimate(np.abs(g["error"].to_numpy(dtype=float)))
        for (name, p), g in table.groupby(["table", "p"])
    }


@claim(
    "sensitivity-sampling/tables-look-flat",
    theorem="abstract (totals of real data are far below their bounds); the measure is ours",
    status="empirical",
    statement=r"The totals of these tables for $p=1$, $1.5$ and $3$ are nearer to $d^{p/2}$, the "
    r"order of flat rows, than to $d$, by the ratio: well below the bound $d$ for $p=1$, and well "
    r"above the least $d$ for $p=3$.",
    experiment=tables,
    at=dict(p=[1, 1.5, 3], draws=1),
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a position above 1/2, half-way",
    assumptions=(Assumption("these tables only; those of the paper are not known to us"),),
    control=Control("the total of leverage scores, which is d", scores="leverage"),
    needs=("sklearn",),
)
def tables_look_flat(table):
    """Share of tables and exponents nearer to the other end."""
    return violations_estimate(int((table["position"] > 0.5).sum()), len(table))
