"""What cfBH tends to as calibration and test points grow together, and how fast."""

from __future__ import annotations

from functools import cache

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import regression_data
from theorytk.conformal.limits import gaussian_limits
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, slope_estimate

from .common import CFBH, EXCHANGEABLE, proportions, scored_sets, select
from .pvalues import means


@cache
def limits_of(score, q, sigma):
    """Return the limits of a score, found once for many replicates."""
    return gaussian_limits(score, q, sigma)


@cache
def rates(entropy, key, procedure, n, m, score, q, sigma, sets):
    """Return the false discovery proportions and powers of data sets; laws share them."""
    rng = np.random.default_rng(np.random.SeedSequence(entropy, spawn_key=key))
    X, y = regression_data("gaussian", sets * (n + m), sigma=sigma, rng=rng)
    cal, test, positive = scored_sets(X[:, 0], y, n, m, score)
    return proportions(select(procedure, cal, test, q, rng), positive)


@experiment(
    "conformal-selection/growing",
    paper=CFBH,
    design=grid(
        n=[100, 400, 1600],
        score=["clip", "residual", "sub"],
        q=0.2,
        sigma=0.5,
        test_growth=1,
        sets=60,
    ),
    paired=("test_growth", "law_score", "law_sigma"),
    columns={
        "test_points": Column("test points m", dtype="int"),
        "fdp": Column("mean false discovery proportion of the data sets"),
        "power": Column("their mean power"),
        "fdp_sd": Column("standard deviation of the false discovery proportion"),
        "power_sd": Column("standard deviation of the power"),
        "fdp_excess": Column("mean false discovery proportion less its limit"),
        "power_excess": Column("mean power less its limit"),
    },
    presets={"quick": dict(replicates=160), "paper": dict(replicates=400)},
    block=10,
    algorithm="procedure",
)
def growing(
    *,
    n,
    score,
    q,
    sigma,
    test_growth,
    sets,
    law_score=None,
    law_sigma=None,
    procedure="randomised",
    rng,
):
    """A normal covariate that predicts its label plus noise; m = 100 (n / 100)^test_growth.

    The algorithm is ``procedure(cal, test, q, rng) -> selected``, shapes (n,), (m,) and (m,).
    """
    m = round(100 * (n / 100) ** test_growth)
    stream = rng.bit_generator.seed_seq
    settings = procedure, n, m, score, q, sigma, sets
    fdp, power = rates(stream.entropy, stream.spawn_key, *settings)
    limits = limits_of(law_score or score, q, law_sigma or sigma)
    return {
        "test_points": m,
        "fdp": fdp.mean(),
        "power": power.mean(),
        "fdp_sd": fdp.std(ddof=1),
        "power_sd": power.std(ddof=1),
        "fdp_excess": fdp.mean() - limits.fdr,
        "power_excess": power.mean() - limits.power,
    }


def both(table, columns, estimate):
    """Return an estimate for each score and each of two columns."""
    return {
        f"{score}, {column.split('_')[0]}": estimate(rows, column)
        for score, rows in table.groupby("score")
        for column in columns
    }


BED = (EXCHANGEABLE, Assumption("the Gaussian bed, whose limits are known"))


@claim(
    "conformal-selection/asymptotic-limits",
    theorem="asymptotic analysis of cfBH; the limits of this bed derived here (gaussian_limits)",
    statement=r"As $n=m$ grows the false discovery proportion and the power of cfBH tend to those "
    r"of the last cut $v$ with $F(v)\le q\,G(v)$, $F$ and $G$ the distribution functions of "
    r"calibration and test scores.",
    experiment=growing,
    at=dict(n=1600),
    region=Between(-0.005, 0.005),
    reason="the next term is of order 1/n: of m = 1600 points some 400 are selected, and a cut "
    "that is off by two of them moves either rate by 0.005",
    assumptions=BED,
    control=(
        Control("the limits of calibration on nulls only", law_score="sub"),
        Control("the limits for a noise of 0.49 in the place of 0.5", law_sigma=0.49),
    ),
)
def limits(table):
    """Mean less its limit, per score, for both rates."""
    columns = ("fdp_excess", "power_excess")
    return both(table, columns, lambda rows, column: means(rows, column, ("n",))["n=1600"])


@claim(
    "conformal-selection/asymptotic-fluctuations",
    theorem="asymptotic analysis of cfBH; the rate derived here",
    status="ours",
    statement=r"False discovery proportion and power fluctuate around their limits by "
    r"$O(n^{-1/2})$ if $m$ grows like $n$.",
    experiment=growing,
    region=Between(-0.57, -0.43),
    reason="a central limit theorem: a term of the next order that changes the standard deviation "
    "at n = 100, where few points are selected, by 20% is (log 1.2) / (log 16) = 0.07 of slope",
    assumptions=BED,
    control=(
        Control("as many test points at every n", test_growth=0),
        Control("test points that grow like n^0.4", test_growth=0.4),
    ),
)
def fluctuations(table):
    """Slope of log standard deviation on log n, per score, for both rates."""
    return both(table, ("fdp_sd", "power_sd"), _slope)


def _slope(rows, column):
    wide = rows.pivot_table(index="replicate", columns="n", values=column)
    return slope_estimate(np.log(wide.columns.to_numpy(float)), np.log(wide.to_numpy()))
