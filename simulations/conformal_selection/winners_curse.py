"""The winner's curse: the best of K useless predictors, chosen on the data that calibrate it."""

from __future__ import annotations

from functools import cache

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import bh, conformal_pvalues
from theorytk.conformal.theory import naive_fdr, naive_fdr_bound
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between

from .common import CONTINUOUS, PAPER, proportions
from .pvalues import means


def draw_useless(K, n, m, pi0, correlation, sets, rng):
    """Return calibration scores (sets, K, n), test scores (sets, K, m) and positives (sets, m)."""
    positive = rng.random((sets, 1, n + m)) >= pi0
    common, own = (rng.standard_normal((sets, k, n + m)) for k in (1, K))
    scores = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    cal = np.where(positive, np.inf, scores)[:, :, :n]
    return cal, scores[:, :, n:], positive[:, 0, n:]


def largest(cal, test, q, rng):
    """Select with the model of the largest selection, ties at random, in each of many sets."""
    sets, K, n = cal.shape
    p = conformal_pvalues(cal.reshape(-1, n), test.reshape(sets * K, -1)).reshape(test.shape)
    selected = bh(p, q)
    best = (selected.sum(axis=2) + rng.random((sets, K)) / 2).argmax(axis=1)
    return selected[np.arange(sets), best]


@cache
def naive_law(*arguments):
    """Return `naive_fdr`, which many conditions share."""
    return naive_fdr(*arguments)


@cache
def mean_proportion(seed, n, m, q, pi0, K, sets, correlation, chosen_from):
    """Return the mean false discovery proportion of data sets; laws share it."""
    rng = np.random.default_rng(seed)
    cal, test, positive = draw_useless(K, n, m, pi0, correlation, sets, rng)
    if chosen_from == "one":
        cal, test = cal[:, :1], test[:, :1]
    return proportions(largest(cal, test, q, rng), positive)[0].mean()


@experiment(
    "conformal-selection/useless-models",
    paper=PAPER,
    design=grid(n=49, m=5, q=0.2, pi0=[0.5, 0.8], K=[2, 4, 16], sets=300),
    paired=("correlation", "chosen_from", "bound"),
    columns={
        "fdp": Column("mean false discovery proportion of the data sets"),
        "over_law": Column("the same over its law"),
        "over_bound": Column("the same over the bound"),
    },
    presets={"quick": dict(replicates=50), "paper": dict(replicates=500)},
    block=10,
)
def useless_models(*, n, m, q, pi0, K, sets, correlation=0, chosen_from="all", bound="proved", rng):
    """K predictions independent of everything; the one that selects most is taken.

    Errors of any two have a `correlation`; with `chosen_from` "one" only the first is looked at.
    """
    seed = int(rng.integers(2**32))
    fdp = mean_proportion(seed, n, m, q, pi0, K, sets, correlation, chosen_from)
    most = naive_fdr_bound(q, pi0, K) if bound == "proved" else pi0 * naive_fdr_bound(q, 1, K)
    return {"fdp": fdp, "over_law": fdp / naive_law(q, n, m, pi0, K), "over_bound": fdp / most}


USELESS = (
    Assumption("predictions independent of each other and of the labels"),
    Assumption("clipped scores and conservative p-values"),
    CONTINUOUS,
)


@claim(
    "conformal-selection/naive-inflation-law",
    theorem="derived here (naive_fdr)",
    status="ours",
    statement=r"The best of $K$ useless predictors, chosen on the same data, has exactly the false "
    r"discovery rate $\pi_0\,(1-\mathbb E\,h(N)^K)$, $h(N)$ the probability that one predictor "
    r"selects nothing given $N$ calibration nulls.",
    experiment=useless_models,
    region=Between(1, 1, margin=0.1),
    reason="exact; the margin is nearly twice the widest interval of 15,000 data sets",
    assumptions=USELESS,
    control=(
        Control("one model in the place of the best of K", chosen_from="one"),
        Control("errors of the models correlated by 0.3", correlation=0.3),
    ),
)
def inflation_law(table):
    """False discovery rate over its law, per pi0 and K."""
    return means(table, "over_law", ("pi0", "K"))


@claim(
    "conformal-selection/naive-inflation-bound",
    theorem="derived here (naive_fdr_bound)",
    status="ours",
    statement=r"The best of $K$ useless predictors, chosen on the same data, has a false "
    r"discovery rate of at most $\pi_0\,(1-(1-q/\pi_0)^K)$, which tends to $\pi_0$.",
    experiment=useless_models,
    region=AtMost(1, margin=0.1),
    reason="nearly attained; the margin is nearly twice the widest interval of 15,000 data sets",
    assumptions=USELESS,
    control=Control("the chance to select taken as q for q / pi0", bound="all null"),
)
def inflation_bound(table):
    """False discovery rate over the bound, per pi0 and K."""
    return means(table, "over_bound", ("pi0", "K"))
