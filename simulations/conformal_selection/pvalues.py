"""Conformal p-values of single points: calibrated jointly with the null, not given it; and ties."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import regression_data
from theorytk.conformal.theory import fdr_single_test
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, mean_estimate

from .common import CFBH, CONTINUOUS, EXCHANGEABLE, TRAINED_APART, proportions, scored_sets, select
from .mistakes import PVALUES

GIVEN_NULL = Control("calibration read as conditional, given that the point is null", given="null")


def pvalue_rows(rule, tie, cal, test, rng):
    """Return p-values (sets, m) by the library, a named rule, or the user's own, set by set."""
    if isinstance(rule, str):
        return PVALUES[tie if rule == "conformal" else rule](cal, test, rng)
    return np.stack([rule(c, t, rng) for c, t in zip(cal, test, strict=True)])


@experiment(
    "conformal-selection/single-points",
    paper=CFBH,
    design=grid(
        n=40, pi0=0.5, score="clip", tie=["conservative", "randomised"], t=(0.1, 0.25), sets=2000
    ),
    paired=("rule", "given", "law"),
    columns={
        "t_level": Column("level t"),
        "over_t": Column("share of points that are null with p <= t, over t"),
        "over_law": Column("the same over its law"),
    },
    presets={"quick": dict(replicates=50), "paper": dict(replicates=500)},
    block=10,
    algorithm="rule",
)
def single_points(
    *, n, pi0, score, tie, t, sets, rule="conformal", given="joint", law="exact", rng
):
    """One test point per data set: a normal covariate, which predicts its label plus noise.

    The algorithm is ``rule(cal, test, rng) -> p``, shapes (n,), (1,) and (1,).
    """
    X, y = regression_data("gaussian", sets * (n + 1), rng=rng)
    y = y - np.sqrt(1.25) * ndtri(pi0)
    cal, test, positive = scored_sets(X[:, 0], y, n, 1, score)
    p = pvalue_rows(rule, tie, cal, test, rng)
    levels, total = np.array(t), (~positive).sum() if given == "null" else sets
    share = ((p <= levels * (1 + 1e-12)) & ~positive).sum(axis=0) / total
    laws = levels if law == "level" else [fdr_single_test(a, n, pi0, tie=tie) for a in t]
    return {"t_level": levels, "over_t": share / levels, "over_law": share / laws}


def means(table, column, by):
    """Return the mean of a column for each level of some columns."""
    return {
        ", ".join(f"{name}={value}" for name, value in zip(by, level, strict=True)): mean_estimate(
            rows[column]
        )
        for level, rows in table.groupby(list(by))
    }


@claim(
    "conformal-selection/pvalue-joint",
    theorem="calibration of conformal p-values (Section 2)",
    statement=r"Conformal p-values are calibrated jointly with the null, "
    r"$\mathbb P(p_j\le t,\ Y_{n+j}\le c)\le t$ for every $t$; given the null they are not.",
    experiment=single_points,
    at=dict(score=["clip", "residual"]),
    region=AtMost(1, margin=0.1),
    reason="the bound is attained; the margin is the interval of 100,000 points, 0.05, twice",
    assumptions=(EXCHANGEABLE, TRAINED_APART, CONTINUOUS),
    control=(
        GIVEN_NULL,
        Control("the test point not counted: L / n for (1 + L) / (n + 1)", rule="without-one"),
    ),
)
def pvalue_joint(table):
    """Share of null points with p <= t over t, per score, kind of p-value and t."""
    return means(table, "over_t", ("score", "tie", "t_level"))


@claim(
    "conformal-selection/single-test-law",
    theorem="derived here (fdr_single_test)",
    status="ours",
    statement=r"With one test point and clipped scores the false discovery rate is "
    r"$\mathbb E\min(\lfloor q(n+1)\rfloor,N_0)/(n+1)$, $N_0\sim\mathrm{Bin}(n+1,\pi_0)$, whatever "
    r"the prediction; randomised p-values lose the floor.",
    experiment=single_points,
    at=dict(n=[9, 25], pi0=[0.2, 0.6]),
    region=Between(1, 1, margin=0.1),
    reason="exact; the margin is the interval of 100,000 points, 0.05, twice",
    assumptions=(EXCHANGEABLE, TRAINED_APART, CONTINUOUS),
    control=(GIVEN_NULL, Control("the floor and the number of nulls ignored", law="level")),
)
def single_test_law(table):
    """False discovery rate over its law, per n, pi0, kind of p-value and q."""
    return means(table, "over_law", ("n", "pi0", "tie", "t_level"))


@experiment(
    "conformal-selection/ties",
    paper=CFBH,
    design=grid(n=100, m=100, q=0.2, sigma=1, levels=[1, 3, 8], sets=50),
    paired=("procedure",),
    columns={
        "fdp": Column("mean false discovery proportion of the data sets"),
        "power": Column("their mean power"),
    },
    presets={"quick": dict(replicates=50), "paper": dict(replicates=500)},
    block=10,
    algorithm="procedure",
)
def ties(*, n, m, q, sigma, levels, sets, procedure="randomised", rng):
    """Predictions rounded to 1 / `levels` standard deviation, clipped scores.

    The algorithm is ``procedure(cal, test, q, rng) -> selected``, shapes (n,), (m,) and (m,).
    """
    X, y = regression_data("gaussian", sets * (n + m), sigma=sigma, rng=rng)
    prediction = np.round(X[:, 0] * levels) / levels
    cal, test, positive = scored_sets(prediction, y, n, m)
    fdp, power = proportions(select(procedure, cal, test, q, rng), positive)
    return {"fdp": fdp.mean(), "power": power.mean()}


@claim(
    "conformal-selection/ties",
    theorem="Theorem 6 (randomised p-values)",
    statement=r"With ties among the predictions cfBH has $\mathrm{FDR}\le q$ if ties count in the "
    r"p-value, $(L_j+U_j(1+T_j))/(n+1)$ with independent uniforms, or $(1+L_j+T_j)/(n+1)$.",
    experiment=ties,
    region=AtMost(0.2, margin=0.02),
    reason="the bound is nearly attained; the margin is the interval of 2500 data sets twice",
    assumptions=(EXCHANGEABLE, TRAINED_APART, Assumption("predictions rounded: many ties")),
    control=Control("ties forgotten: (1 + L) / (n + 1)", procedure="strict"),
)
def ties_fdr(table):
    """False discovery rate, per number of levels."""
    return means(table, "fdp", ("levels",))
