"""OptCS-MSel: the choice among given models, on the data that calibrate the chosen one."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Control, claim
from theorytk.conformal import PRUNINGS, clip_score, regression_data
from theorytk.experiments import experiment, grid
from theorytk.inference import AtLeast, AtMost

from .candidates import CANDIDATES, quietly
from .common import EXCHANGEABLE, PAPER, TRAINED_APART
from .selections import (
    CLIPPED,
    COLUMNS,
    NAIVE,
    UNPRUNED,
    excess,
    gains,
    outcome,
    rows_of,
    selected_at,
    several,
)
from .winners_curse import draw_useless

JIN = [f"jin-msel-{i}" for i in range(1, 5)]
LIANG = [f"liang-{i}" for i in range(1, 5)]
OF_OPTCS = (EXCHANGEABLE, TRAINED_APART, CLIPPED)


def data_sets(predictions, y, n, m, draws, rng):
    """Yield scores of n calibration and m test points, drawn from a pool again and again."""
    for _ in range(draws):
        order = rng.permutation(len(y))[: n + m]
        prediction, label = predictions[:, order], y[order]
        cal, imputed = clip_score(prediction[:, :n], label[:n]), clip_score(prediction[:, :n])
        yield cal, imputed, clip_score(prediction[:, n:]), label[n:] > 0


def compared(procedures, baselines, sets, levels, rng):
    """Return the rows of all procedures on the same data sets."""
    sets, rows = list(sets), []
    methods = [*((one, False) for one in several(procedures)), *((one, True) for one in baselines)]
    for method, baseline in methods:
        found = [
            outcome(quietly(selected_at, method, *scores, levels, rng), positive)
            for *scores, positive in sets
        ]
        rows += rows_of(method, baseline, levels, found)
    return rows


@experiment(
    "conformal-selection/model-choice",
    paper=PAPER,
    design=grid(
        setting=JIN[:2],
        candidates="few",
        training=100,
        n=50,
        m=100,
        sigma=0.3,
        q=(0.2, 0.3, 0.4, 0.5),
        sets=24,
    ),
    paired=("selection",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=50),
        "paper": dict(replicates=80, setting=[*JIN, *LIANG], candidates="zoo", n=100, sigma=None),
    },
    block=10,
    algorithm="selection",
)
def model_choice(
    *, setting, candidates, training, n, m, sigma, q, sets, selection=PRUNINGS, baselines=(), rng
):
    """Regressions of the paper with models trained in each replicate; sets from a pool of 3(n+m).

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``: clipped scores (K, n),
    the same with labels at the threshold, those of the test points (K, m), and a mask (m,).
    """
    points, own = rng.spawn(2)
    X, y = regression_data(setting, 2 * training + 3 * (n + m), sigma=sigma, rng=points)
    (*fitted, X), (*labels, y) = (np.split(rows, [training, 2 * training]) for rows in (X, y))
    predictions = CANDIDATES[candidates](*zip(fitted, labels, strict=True), X, points)
    if predictions is None:
        return dict.fromkeys(COLUMNS)
    drawn = data_sets(predictions, y, n, m, sets, points)
    return compared(selection, baselines, drawn, q, own)


@claim(
    "conformal-selection/optcs-msel-fdr",
    theorem="finite-sample FDR control of OptCS (abstract)",
    statement=r"OptCS-MSel at level $q$ has $\mathrm{FDR}\le q$ whichever of the $K$ models it "
    "takes, for deterministic, homogeneous and heterogeneous pruning.",
    experiment=model_choice,
    region=AtMost(0, margin=0.06),
    reason="homogeneous pruning comes near the bound; the margin is the widest interval, once",
    assumptions=OF_OPTCS,
    control=(NAIVE, UNPRUNED),
)
def msel_fdr(table):
    """False discovery rate minus q, per setting, pruning and q."""
    return excess(table, ("setting", "method", "level"))


@experiment(
    "conformal-selection/paper-candidates",
    paper=PAPER,
    design=grid(
        setting=[*JIN, *LIANG],
        candidates=None,
        training=100,
        n=100,
        m=100,
        sigma=None,
        q=(0.2, 0.3, 0.4, 0.5),
        sets=80,
    ),
    paired=("selection",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=2, setting=JIN[:1], candidates="few", sets=2),
        "paper": dict(replicates=20),
    },
    algorithm="selection",
)
def paper_candidates(
    *, setting, candidates, training, n, m, sigma, q, sets, selection=PRUNINGS, rng
):
    """As `model_choice`, with the paper's sizes and candidates, by scikit-learn.

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``, as there.
    """
    named = candidates or ("trees" if setting in JIN else "quantile-regressions")
    settings = dict(training=training, n=n, m=m, sigma=sigma, q=q, sets=sets, selection=selection)
    return model_choice.function(setting=setting, candidates=named, rng=rng, **settings)


@claim(
    "conformal-selection/optcs-msel-fdr-paper",
    theorem="finite-sample FDR control of OptCS (abstract); Section 5.1",
    statement=r"At the paper's sizes and with its own candidates (24 by forests, boosting and "
    r"support vectors for Jin's settings, 11 by quantile and least squares regression for Liang's) "
    r"OptCS-MSel at level $q$ has $\mathrm{FDR}\le q$ for all three prunings.",
    experiment=paper_candidates,
    region=AtMost(0, margin=0.06),
    reason="homogeneous pruning comes near the bound; the margin is the widest interval, once",
    assumptions=OF_OPTCS,
    control=NAIVE,
    decides="paper",
    needs=("sklearn",),
)
def msel_fdr_paper(table):
    """False discovery rate minus q, per setting, pruning and q."""
    return excess(table, ("setting", "method", "level"))


@experiment(
    "conformal-selection/power-of-choice",
    paper=PAPER,
    design=grid(
        setting=JIN[:2],
        candidates="few",
        training=100,
        n=50,
        m=100,
        sigma=0.3,
        q=(0.2, 0.3, 0.4, 0.5),
        sets=16,
    ),
    paired=("selection",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=60),
        "paper": dict(replicates=80, setting=[*JIN, *LIANG], candidates="zoo", n=100, sigma=None),
    },
    block=10,
    algorithm="selection",
)
def power_of_choice(
    *, setting, candidates, training, n, m, sigma, q, sets, selection="homogeneous", rng
):
    """As `model_choice`, beside splitting the calibration data and beside a model at random.

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``, as there.
    """
    settings = dict(candidates=candidates, training=training, n=n, m=m, sigma=sigma, q=q, sets=sets)
    compare = dict(selection=selection, baselines=("split", "random"))
    return model_choice.function(setting=setting, rng=rng, **settings, **compare)


@claim(
    "conformal-selection/optcs-power-gain",
    theorem="Section 5.1",
    status="empirical",
    statement=r"In the first two settings at $q=0.4$, OptCS-MSel with homogeneous pruning has more "
    r"power than data splitting and than a random model, by $0.05$ at least: $\mathrm{E}"
    r"[\mathrm{power}_{\mathrm{OptCS}}-\mathrm{power}_{\mathrm{other}}]\ge0.05$.",
    experiment=power_of_choice,
    region=AtLeast(0.05, margin=0.05),
    reason="the least effect that one would call a gain; the margin is the interval",
    assumptions=OF_OPTCS,
    control=Control("pruned without random numbers", selection="deterministic"),
)
def power_gain(table):
    """Power minus that of each baseline, per setting."""
    return gains(table[table["level"] == 0.4], ("setting",))


@experiment(
    "conformal-selection/more-data",
    paper=PAPER,
    design=grid(
        setting=JIN[:1], candidates="few", size=[50, 100, 200], m=100, sigma=0.3, q=(0.3,), sets=10
    ),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=25),
        "paper": dict(
            replicates=20,
            setting=[JIN[0], LIANG[0]],
            candidates="zoo",
            size=[50, 200, 300, 500, 1000],
            sigma=None,
            sets=5,
        ),
    },
    block=5,
)
def more_data(*, setting, candidates, size, m, sigma, q, sets, rng):
    """As `model_choice`, with as many points to train the models as to calibrate."""
    compare = dict(selection=("homogeneous", "deterministic"), baselines=("split", "random"))
    settings = dict(setting=setting, candidates=candidates, m=m, sigma=sigma, q=q, sets=sets)
    return model_choice.function(training=size, n=size, rng=rng, **settings, **compare)


@experiment(
    "conformal-selection/choice-among-useless",
    paper=PAPER,
    design=grid(K=[2, 16], pi0=0.5, n=199, m=20, q=(0.1,), sets=40),
    paired=("selection",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=40),
        "paper": dict(replicates=150, K=[1, 2, 4, 8, 16, 32, 64]),
    },
    block=10,
    algorithm="selection",
)
def choice_among_useless(*, K, pi0, n, m, q, sets, selection="homogeneous", rng):
    """K predictions independent of everything, from which a procedure chooses.

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``, as in `model_choice`;
    the imputed scores are None here.
    """
    points, own = rng.spawn(2)
    cal, test, positive = draw_useless(K, n, m, pi0, 0, sets, points)
    drawn = zip(cal, [None] * sets, test, positive, strict=True)
    return compared(selection, (), drawn, q, own)


@claim(
    "conformal-selection/optcs-among-useless",
    theorem="finite-sample FDR control of OptCS (abstract)",
    statement=r"The more useless models there are to choose from, the more false discoveries a "
    r"naive choice makes; OptCS keeps $\mathrm{FDR}\le q$ for every $K$.",
    experiment=choice_among_useless,
    region=AtMost(0, margin=0.06),
    reason="the bound is attained; the margin is the interval, once",
    assumptions=OF_OPTCS,
    control=NAIVE,
)
def useless_fdr(table):
    """False discovery rate minus q, per number of models."""
    return excess(table, ("K", "level"))
