"""OptCS-Full: one learner fitted to labelled and test points together, without splitting."""

from __future__ import annotations

from functools import cache

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import (
    cfbh,
    class_weights,
    full_scores,
    held_out_scores,
    predict_all,
    regression_data,
)
from theorytk.experiments import experiment, grid
from theorytk.inference import AtLeast, AtMost

from .candidates import KERNEL_RIDGE, learner_named
from .common import EXCHANGEABLE, PAPER
from .selections import CLIPPED, COLUMNS, SYMMETRIC, excess, gains, outcome, rows_of, several

SETTINGS = [f"jin-full-{i}" for i in range(1, 5)]
RATIOS = (0.1, 0.25, 0.5, 0.75, 0.9)
SPLITS = ("split 0.25", "split 0.5", "split 0.75")
OF_FULL = (EXCHANGEABLE, SYMMETRIC, CLIPPED)


def full(X, y, X_test, learner):
    """OptCS-Full: the fit that leaves each row out, over labelled and test rows."""
    return full_scores(X, y, X_test, learner)


def in_sample(X, y, X_test, learner):
    """The fit to all rows at these rows: symmetric, hence valid too."""
    return full_scores(X, y, X_test, learner, loo=False)


def split(ratio):
    """Fit to a share of the labelled rows, calibrate on the others."""

    def scores(X, y, X_test, learner):
        k = round(ratio * len(y))
        return held_out_scores(X[:k], y[:k], X[k:], y[k:], X_test, learner)

    return scores


def reused(ratio):
    """The mistake: fit to a share of the labelled rows, calibrate on all of them."""

    def scores(X, y, X_test, learner):
        k = round(ratio * len(y))
        return held_out_scores(X[:k], y[:k], X, y, X_test, learner)

    return scores


def labelled_only(X, y, X_test, learner):
    """The mistake: leave each labelled row out among these, fit to all of them for test rows."""
    labels = (y > 0).astype(float)
    weights = class_weights(labels)
    cal = -predict_all(learner, X, labels, sample_weight=weights)
    test = -predict_all(learner, X, labels, X_test, sample_weight=weights)
    return np.where(labels > 0, np.inf, cal), test


SCORES = {
    "full": full,
    "in-sample": in_sample,
    "labelled-only": labelled_only,
    **{f"split {ratio:g}": split(ratio) for ratio in RATIOS},
    **{f"reused {ratio:g}": reused(ratio) for ratio in (0.4, 1)},
}


def scored(scores, X, y, X_test, fresh, learner=KERNEL_RIDGE):
    """Return scores (1, n) and (1, m), named or the user's own; the oracle fits to fresh rows."""
    if scores == "oracle":
        return held_out_scores(*fresh, X, y, X_test, learner)
    found = (
        SCORES[scores](X, y, X_test, learner) if isinstance(scores, str) else scores(X, y, X_test)
    )
    return [np.atleast_2d(values) for values in found]


@cache
def outcomes(seed, scores, learner, folds, setting, n, m, d, sigma, q, sets):
    """Return the outcomes on data sets, which all comparisons share; None without the learner."""
    rng, found = np.random.default_rng(seed), []
    fitted = learner_named(learner, folds, rng.spawn(1)[0])
    if fitted is None:
        return None
    for _ in range(sets):
        X, y = regression_data(setting, 2 * n + m, sigma=sigma, d=d, rng=rng)
        fresh, positive = (X[n + m :], y[n + m :]), y[n : n + m] > 0
        cal, test = scored(scores, X[:n], y[:n], X[n : n + m], fresh, fitted)
        selected = cfbh(cal[0], test[0], np.array(q), tie="conservative").selected
        found.append(outcome(selected, positive))
    return found


@experiment(
    "conformal-selection/full",
    paper=PAPER,
    design=grid(setting=SETTINGS[:2], n=60, m=40, d=10, sigma=0.2, q=(0.1, 0.2, 0.3, 0.4), sets=12),
    paired=("scores",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=60),
        "paper": dict(replicates=100, setting=SETTINGS, n=200, m=100, sigma=0.5),
    },
    block=10,
    algorithm="scores",
)
def full_selection(
    *,
    setting,
    n,
    m,
    d,
    sigma,
    q,
    sets,
    scores="full",
    baselines=(),
    learner="kernel-ridge",
    folds=None,
    rng,
):
    """Regressions of the paper; a learner fitted to the labels, all n labelled points calibrate.

    The algorithm is ``scores(X, y, X_test) -> (cal, test)``, of shapes (n,) and (m,).
    """
    methods = [*((one, False) for one in several(scores)), *((one, True) for one in baselines)]
    seed, levels = int(rng.integers(2**32)), tuple(q)
    rest = learner, folds, setting, n, m, d, sigma, levels, sets
    found = [outcomes(seed, method, *rest) for method, _ in methods]
    if None in found:
        return dict.fromkeys(COLUMNS)
    return [
        row for method, own in zip(methods, found, strict=True) for row in rows_of(*method, q, own)
    ]


REUSED = (
    Control("calibrated on the labelled rows that were fitted", scores="reused 1"),
    Control("fitted to two fifths of the labelled rows, calibrated on all", scores="reused 0.4"),
)


@claim(
    "conformal-selection/optcs-full-fdr",
    theorem="finite-sample FDR control of OptCS-Full (abstract)",
    statement=r"Fitted to labelled and test points together, by a learner that is symmetric in the "
    r"rows, OptCS-Full at level $q$ has $\mathrm{FDR}\le q$.",
    experiment=full_selection,
    region=AtMost(0, margin=0.06),
    reason="near the bound where power is high; the margin is the widest interval, once",
    assumptions=OF_FULL,
    control=REUSED,
)
def full_fdr(table):
    """False discovery rate minus q, per setting and q."""
    return excess(table, ("setting", "level"))


@experiment(
    "conformal-selection/full-against-splitting",
    paper=PAPER,
    design=grid(setting=SETTINGS[:2], n=100, m=40, d=10, sigma=0.2, q=(0.1, 0.2, 0.3, 0.4), sets=8),
    paired=("scores",),
    columns=COLUMNS,
    presets={
        "quick": dict(replicates=50),
        "paper": dict(replicates=100, setting=SETTINGS, n=200, m=100, sigma=0.5),
    },
    block=10,
    algorithm="scores",
)
def full_against_splitting(*, setting, n, m, d, sigma, q, sets, scores="full", rng):
    """As `full_selection`, beside three ways to split the labelled points and beside the oracle.

    The algorithm is ``scores(X, y, X_test) -> (cal, test)``, of shapes (n,) and (m,).
    """
    settings = dict(setting=setting, n=n, m=m, d=d, sigma=sigma, q=q, sets=sets, rng=rng)
    return full_selection.function(**settings, scores=scores, baselines=(*SPLITS, "oracle"))


POWERFUL = (*OF_FULL, Assumption("kernel ridge with penalty 0.3"))
QUARTER = Control("a quarter of the points to fit, the others to calibrate", scores="split 0.25")


@claim(
    "conformal-selection/optcs-full-power",
    theorem="Section 5.2",
    status="empirical",
    statement=r"In the second setting at $q=0.4$, OptCS-Full has more power than data splitting "
    r"with $25\%$, $50\%$ or $75\%$ of the labelled points to fit, by $0.05$ at least.",
    experiment=full_against_splitting,
    at=dict(setting=SETTINGS[1]),
    region=AtLeast(0.05, margin=0.05),
    reason="the least effect that one would call a gain; the margin is the interval",
    assumptions=POWERFUL,
    control=QUARTER,
)
def full_power(table):
    """Power minus that of each split."""
    return gains(table[(table["method"] != "oracle") & (table["level"] == 0.4)], ("setting",))


@claim(
    "conformal-selection/optcs-full-oracle",
    theorem="Section 5.2",
    status="empirical",
    statement=r"In the second setting at $q=0.4$, OptCS-Full with $n$ labelled points loses at "
    r"most $0.1$ of power to an oracle with $2n$, which fits to $n$ and calibrates on $n$ others.",
    experiment=full_against_splitting,
    at=dict(setting=SETTINGS[1]),
    region=AtLeast(-0.1, margin=0.05),
    reason="a tenth of the positives; the margin is half an interval",
    assumptions=POWERFUL,
    control=QUARTER,
)
def full_oracle(table):
    """Power minus that of the oracle."""
    splits = table["baseline"].astype(bool) & (table["method"] != "oracle")
    return gains(table[~splits & (table["level"] == 0.4)], ("setting",))
