"""Real data that come with scikit-learn: who is among the 30% with the fastest diabetes?"""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import PRUNINGS, cfbh
from theorytk.experiments import experiment, grid
from theorytk.inference import AtMost

from .candidates import CANDIDATES
from .common import PAPER
from .full import scored
from .model_selection import compared, data_sets
from .selections import (
    CLIPPED,
    COLUMNS,
    NAIVE,
    SYMMETRIC,
    UNPRUNED,
    excess,
    outcome,
    rows_of,
    several,
)

SPLITS = Assumption("random splits of one table: points exchange places, whatever the table")


def diabetes():
    """Return the table, standardised, and its labels; None without scikit-learn."""
    try:
        from sklearn.datasets import load_diabetes
    except ImportError:
        return None
    X, y = load_diabetes(return_X_y=True)
    return (X - X.mean(axis=0)) / X.std(axis=0), y


def shuffled(table, top, rng):
    """Return the rows in random order, and by how much labels exceed that of the share `top`."""
    X, y = table
    order = rng.permutation(len(y))
    return X[order], (y - np.quantile(y, 1 - top))[order]


@experiment(
    "conformal-selection/diabetes-full",
    paper=PAPER,
    design=grid(n=70, m=50, top=0.3, q=(0.2, 0.3, 0.4), splits=12),
    paired=("scores",),
    columns=COLUMNS,
    presets={"quick": dict(replicates=50), "paper": dict(replicates=100, n=200, m=200)},
    block=10,
    algorithm="scores",
)
def diabetes_full(*, n, m, top, q, splits, scores="full", rng):
    """Random splits of the table, n patients labelled and m to select from; kernel ridge.

    The algorithm is ``scores(X, y, X_test) -> (cal, test)``, of shapes (n,) and (m,).
    """
    table, rows = diabetes(), []
    if table is None:
        return dict.fromkeys(COLUMNS)
    for method in several(scores):
        found, draws = [], rng.spawn(1)[0]
        for _ in range(splits):
            X, y = shuffled(table, top, draws)
            cal, test = scored(method, X[:n], y[:n], X[n : n + m], None)
            chosen = cfbh(cal[0], test[0], np.array(q), tie="conservative").selected
            found.append(outcome(chosen, y[n : n + m] > 0))
        rows += rows_of(method, False, q, found)
    return rows


@claim(
    "conformal-selection/diabetes-full-fdr",
    theorem="finite-sample FDR control of OptCS-Full (abstract); the table is ours",
    statement=r"On the diabetes table of scikit-learn, patients in the top $30\%$ to be found, "
    r"OptCS-Full at level $q$ has $\mathrm{FDR}\le q$ over random splits.",
    experiment=diabetes_full,
    region=AtMost(0, margin=0.06),
    reason="the table adds nothing to the error; the margin is the widest interval, once",
    assumptions=(SPLITS, SYMMETRIC, CLIPPED),
    control=(
        Control("calibrated on the labelled rows that were fitted", scores="reused 1"),
        Control(
            "fitted to two fifths of the labelled rows, calibrated on all", scores="reused 0.4"
        ),
    ),
    needs=("sklearn",),
)
def diabetes_full_fdr(table):
    """False discovery rate minus q, per q."""
    return excess(table, ("level",))


@experiment(
    "conformal-selection/diabetes-choice",
    paper=PAPER,
    design=grid(candidates="few", training=60, n=60, m=60, top=0.3, q=(0.2, 0.3, 0.4), splits=24),
    paired=("selection",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=40),
        "paper": dict(replicates=20, candidates="trees", splits=40),
    },
    block=10,
    algorithm="selection",
)
def diabetes_choice(
    *, candidates, training, n, m, top, q, splits, selection=PRUNINGS, baselines=(), rng
):
    """Models trained on part of the table; the rest is split at random again and again.

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``: clipped scores (K, n),
    the same with labels at the threshold, those of the test points (K, m), and a mask (m,).
    """
    table = diabetes()
    if table is None:
        return dict.fromkeys(COLUMNS)
    points, own = rng.spawn(2)
    X, y = shuffled(table, top, points)
    (*fitted, X), (*labels, y) = (np.split(rows, [training, 2 * training]) for rows in (X, y))
    predictions = CANDIDATES[candidates](*zip(fitted, labels, strict=True), X, points)
    return compared(selection, baselines, data_sets(predictions, y, n, m, splits, points), q, own)


@claim(
    "conformal-selection/diabetes-choice-fdr",
    theorem="finite-sample FDR control of OptCS (abstract); the table is ours",
    statement=r"On the diabetes table of scikit-learn, patients in the top $30\%$ to be found, the "
    r"choice among models by OptCS-MSel has $\mathrm{FDR}\le q$ over random splits.",
    experiment=diabetes_choice,
    region=AtMost(0, margin=0.06),
    reason="the table adds nothing to the error; the margin is the widest interval, once",
    assumptions=(SPLITS, CLIPPED),
    control=(NAIVE, UNPRUNED),
    needs=("sklearn",),
)
def diabetes_choice_fdr(table):
    """False discovery rate minus q, per pruning and q."""
    return excess(table, ("method", "level"))
