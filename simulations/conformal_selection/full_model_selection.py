"""OptCS-Full-MSel: the choice among learners that are fitted to all data."""

from __future__ import annotations

from theorytk.claims import claim
from theorytk.conformal import (
    PRUNINGS,
    ColumnsLearner,
    KNNLearner,
    RidgeLearner,
    full_scores,
    regression_data,
)
from theorytk.experiments import experiment, grid
from theorytk.inference import AtMost

from .candidates import some_columns
from .common import EXCHANGEABLE, PAPER
from .full import SETTINGS
from .model_selection import compared
from .selections import CLIPPED, COLUMNS, NAIVE, SYMMETRIC, UNPRUNED, excess


def learners(d, models, rng):
    """Return as many models: neighbours and ridges in turn on random halves of the features."""
    kinds = KNNLearner(8), RidgeLearner()
    return [ColumnsLearner(kinds[k % 2], some_columns(d, d // 2, rng)) for k in range(models)]


@experiment(
    "conformal-selection/full-model-choice",
    paper=PAPER,
    design=grid(
        setting=SETTINGS[1], n=50, m=30, d=10, sigma=0.3, models=8, q=(0.2, 0.3, 0.4), sets=18
    ),
    paired=("selection",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=60),
        "paper": dict(replicates=60, setting=SETTINGS, n=200, m=100, sigma=0.5, models=9),
    },
    block=10,
    algorithm="selection",
)
def full_model_choice(
    *, setting, n, m, d, sigma, models, q, sets, selection=PRUNINGS, baselines=(), rng
):
    """Regressions of the paper; learners on random features, fitted to all rows, one left out.

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``: clipped scores (K, n),
    None, those of the test points (K, m), and a mask (m,).
    """
    points, own = rng.spawn(2)
    drawn = []
    for _ in range(sets):
        X, y = regression_data(setting, n + m, sigma=sigma, d=d, rng=points)
        cal, test = full_scores(X[:n], y[:n], X[n:], learners(d, models, points))
        drawn.append((cal, None, test, y[n:] > 0))
    return compared(selection, baselines, drawn, q, own)


@claim(
    "conformal-selection/optcs-fullmsel-fdr",
    theorem="finite-sample FDR control of OptCS-Full-MSel (abstract)",
    statement=r"The choice among $K$ learners, each fitted to labelled and test points together, "
    r"has $\mathrm{FDR}\le q$ for deterministic, homogeneous and heterogeneous pruning.",
    experiment=full_model_choice,
    region=AtMost(0, margin=0.06),
    reason="homogeneous pruning comes near the bound; the margin is the widest interval, once",
    assumptions=(EXCHANGEABLE, SYMMETRIC, CLIPPED),
    control=(NAIVE, UNPRUNED),
)
def full_msel_fdr(table):
    """False discovery rate minus q, per setting, pruning and q."""
    return excess(table, ("setting", "method", "level"))
