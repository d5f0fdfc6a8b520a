"""The paper's own learners inside OptCS-Full and OptCS-Full-MSel, and Full with more data."""

from __future__ import annotations

from theorytk.claims import Assumption, claim
from theorytk.conformal import PRUNINGS
from theorytk.experiments import experiment, grid
from theorytk.inference import AtMost

from .common import PAPER
from .full import OF_FULL, REUSED, SETTINGS, SPLITS, full_selection
from .full_model_selection import OF_BOTH, full_model_choice
from .model_selection import LIANG
from .selections import COLUMNS, NAIVE, excess

FOLDS = Assumption("out-of-fold predictions, folds drawn by the set of rows, not by their order")


@experiment(
    "conformal-selection/full-paper-learners",
    paper=PAPER,
    design=grid(
        learner="svr",
        setting=SETTINGS[1],
        n=60,
        m=40,
        d=10,
        sigma=0.2,
        q=(0.1, 0.2, 0.3, 0.4),
        folds=5,
        sets=10,
    ),
    paired=("scores",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=60),
        "paper": dict(
            replicates=60,
            learner=["boosting", "forest", "svr"],
            n=200,
            m=100,
            sigma=0.5,
            sets=2,
        ),
    },
    block=5,
    algorithm="scores",
)
def full_paper_learners(*, learner, setting, n, m, d, sigma, q, folds, sets, scores="full", rng):
    """As `full_against_splitting`, with boosting, a forest or support vectors by scikit-learn.

    The algorithm is ``scores(X, y, X_test) -> (cal, test)``, of shapes (n,) and (m,).
    """
    settings = dict(setting=setting, n=n, m=m, d=d, sigma=sigma, q=q, sets=sets, rng=rng)
    fitted = dict(learner=learner, folds=folds, scores=scores, baselines=(*SPLITS, "oracle"))
    return full_selection.function(**settings, **fitted)


@claim(
    "conformal-selection/optcs-full-fdr-paper",
    theorem="finite-sample FDR control of OptCS-Full (abstract); Section 5.2",
    statement=r"With the paper's own learners (boosting, random forests and support vectors; at "
    r"the quick preset support vectors only), each row predicted by a fit without its fold, "
    r"OptCS-Full at level $q=0.4$ has $\mathrm{FDR}\le q$.",
    experiment=full_paper_learners,
    region=AtMost(0, margin=0.1),
    reason="as wide as an interval of 120 data sets; lower levels select too few points for these",
    assumptions=(*OF_FULL, FOLDS),
    control=REUSED,
    needs=("sklearn",),
)
def full_paper_fdr(table):
    """False discovery rate minus q, per learner and setting."""
    return excess(table[table["level"] == 0.4], ("learner", "setting"))


@experiment(
    "conformal-selection/full-choice-paper-learners",
    paper=PAPER,
    design=grid(
        setting=[SETTINGS[1], LIANG[0]],
        n=200,
        m=100,
        q=(0.4, 0.5),
        folds=3,
        sets=5,
    ),
    paired=("selection",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=2, setting=LIANG[:1], n=50, m=20, sets=1),
        "paper": dict(replicates=40),
    },
    algorithm="selection",
)
def full_choice_paper_learners(*, setting, n, m, q, folds, sets, selection=PRUNINGS, rng):
    """As `full_model_choice` at the paper's noise, with the paper's learners by scikit-learn.

    The algorithm is ``selection(cal, imputed, test, q, rng) -> selected``, as there.
    """
    learners = "paper-seven" if setting in LIANG else "paper-nine"
    settings = dict(setting=setting, n=n, m=m, d=None, sigma=None, models=None, q=q, sets=sets)
    compare = dict(selection=selection, learners=learners, folds=folds)
    return full_model_choice.function(rng=rng, **settings, **compare)


@claim(
    "conformal-selection/optcs-fullmsel-fdr-paper",
    theorem="finite-sample FDR control of OptCS-Full-MSel (abstract); Section 5.3",
    statement=r"The choice among the paper's own learners (9 by forests, support vectors, lasso "
    r"and ridge for Jin's settings, 7 by quantile and least squares regression for Liang's), each "
    r"fitted to labelled and test points together and predicting by folds, has "
    r"$\mathrm{FDR}\le q$ at $q=0.4$ and $0.5$ for all three prunings.",
    experiment=full_choice_paper_learners,
    region=AtMost(0, margin=0.1),
    reason="as wide as an interval of 200 data sets; lower levels select too few points for these",
    assumptions=(*OF_BOTH, FOLDS),
    control=NAIVE,
    decides="paper",
    needs=("sklearn",),
)
def full_msel_paper_fdr(table):
    """False discovery rate minus q, per setting, pruning and q."""
    return excess(table, ("setting", "method", "level"))


@experiment(
    "conformal-selection/full-more-data",
    paper=PAPER,
    design=grid(setting=SETTINGS[:2], size=[25, 50, 100], m=40, d=10, sigma=0.2, q=(0.3,), sets=5),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=25),
        "paper": dict(replicates=20, size=[50, 100, 200, 300, 500, 1000], m=100, sigma=0.5, sets=2),
    },
    block=5,
)
def full_more_data(*, setting, size, m, d, sigma, q, sets, rng):
    """As `full_against_splitting`, with more and more labelled points."""
    settings = dict(setting=setting, n=size, m=m, d=d, sigma=sigma, q=q, sets=sets, rng=rng)
    return full_selection.function(**settings, baselines=(*SPLITS, "oracle"))
