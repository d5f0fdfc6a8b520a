"""OptCS-Full-MSel: the choice among learners that are fitted to all data."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from theorytk.claims import Control, claim
from theorytk.conformal import PRUNINGS, full_scores, held_out_scores, regression_data
from theorytk.experiments import experiment, grid
from theorytk.inference import AtLeast, AtMost

from .candidates import LEARNERS
from .common import EXCHANGEABLE, PAPER
from .full import SETTINGS
from .model_selection import LIANG, compared
from .selections import (
    CLIPPED,
    COLUMNS,
    NAIVE,
    SYMMETRIC,
    THREE_WAYS,
    UNPRUNED,
    excess,
    gains,
)


def three_way(parts, X, y, X_test, learners):
    """Return the scores of learners that are fitted to one of three parts of the labelled rows."""
    chosen, trained, rest = parts
    k = round(len(y) * trained / (chosen + trained + rest))
    new = np.vstack([X[k:], X_test])
    cal, values = held_out_scores(X[:k], y[:k], X[k:], y[k:], new, learners)
    imputed, test = np.split(values, [len(y) - k], axis=1)
    return cal, imputed, test


@lru_cache(maxsize=256)
def scored_sets(seed, setting, n, m, d, sigma, models, sets, three_ways, learners, folds):
    """Return data sets with their scores, and these by split, which all choices share.

    None without the learners.
    """
    points, drawn, split = np.random.default_rng(seed), [], {name: [] for name in three_ways}
    for _ in range(sets):
        X, y = regression_data(setting, n + m, sigma=sigma, d=d, rng=points)
        several = LEARNERS[learners](X.shape[1], models, folds, points)
        if several is None:
            return None
        rows = X[:n], y[:n], X[n:]
        cal, test = full_scores(*rows, several)
        drawn.append((cal, None, test, y[n:] > 0))
        for name, found in split.items():
            found.append((*three_way(THREE_WAYS[name], *rows, several), y[n:] > 0))
    return drawn, split


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
        "paper": dict(
            replicates=60,
            setting=[*SETTINGS, *LIANG],
            n=200,
            m=100,
            d=None,
            sigma=None,
            models=9,
            sets=8,
        ),
    },
    block=10,
    algorithm="selection",
)
def full_model_choice(
    *,
    setting,
    n,
    m,
    d,
    sigma,
    models,
    q,
    sets,
    selection=PRUNINGS,
    baselines=(),
    three_ways=(),
    learners="halves",
    folds=None,
    rng,
):
    """Regressions of the paper; learners fitted to all rows, each predicted by a fit without it.

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``: clipped scores (K, n),
    None, those of the test points (K, m), and a mask (m,).
    """
    seed = int(rng.integers(2**32))
    settings = setting, n, m, d, sigma, models, sets, tuple(three_ways), learners, folds
    found = scored_sets(seed, *settings)
    if found is None:
        return dict.fromkeys(COLUMNS)
    drawn, split = found
    beside = [row for name, them in split.items() for row in compared((), (name,), them, q, rng)]
    return compared(selection, baselines, drawn, q, rng) + beside


OF_BOTH = (EXCHANGEABLE, SYMMETRIC, CLIPPED)


@claim(
    "conformal-selection/optcs-fullmsel-fdr",
    theorem="finite-sample FDR control of OptCS-Full-MSel (abstract)",
    statement=r"The choice among $K$ learners, each fitted to labelled and test points together, "
    r"has $\mathrm{FDR}\le q$ for deterministic, homogeneous and heterogeneous pruning.",
    experiment=full_model_choice,
    region=AtMost(0, margin=0.06),
    reason="homogeneous pruning comes near the bound; the margin is the widest interval, once",
    assumptions=OF_BOTH,
    control=(NAIVE, UNPRUNED),
)
def full_msel_fdr(table):
    """False discovery rate minus q, per setting, pruning and q."""
    return excess(table, ("setting", "method", "level"))


@experiment(
    "conformal-selection/full-choice-against-splitting",
    paper=PAPER,
    design=grid(
        setting=SETTINGS[1], n=50, m=30, d=10, sigma=0.3, models=8, q=(0.2, 0.3, 0.4), sets=20
    ),
    paired=("selection",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=100),
        "paper": dict(
            replicates=100,
            setting=[*SETTINGS, *LIANG],
            n=200,
            m=100,
            d=None,
            sigma=None,
            models=9,
            sets=4,
        ),
    },
    block=10,
    algorithm="selection",
)
def full_choice_against_splitting(
    *, setting, n, m, d, sigma, models, q, sets, selection="homogeneous", rng
):
    """As `full_model_choice`, beside a learner at random and splits of the points into three.

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``, as there.
    """
    settings = dict(setting=setting, n=n, m=m, d=d, sigma=sigma, models=models, q=q, sets=sets)
    compare = dict(selection=selection, baselines=("random",), three_ways=tuple(THREE_WAYS))
    return full_model_choice.function(rng=rng, **settings, **compare)


@claim(
    "conformal-selection/optcs-fullmsel-power",
    theorem="Section 5.3",
    status="empirical",
    statement=r"In the second setting at $q=0.4$, OptCS-Full-MSel with homogeneous pruning has "
    r"more power, by $0.05$ at least, than a learner at random and than splitting the labelled "
    r"points into three parts that train, choose and calibrate ($1:1:2$, $1:2:1$, $2:1:1$, "
    r"$1:1:1$).",
    experiment=full_choice_against_splitting,
    at=dict(setting=SETTINGS[1], sets=20),
    region=AtLeast(0.05, margin=0.05),
    reason="the least effect that one would call a gain; the margin is the interval",
    assumptions=OF_BOTH,
    control=Control("a learner drawn at random, without a choice", selection="random"),
)
def full_msel_power(table):
    """Power minus that of each baseline."""
    return gains(table[table["level"] == 0.4], ("setting",))
