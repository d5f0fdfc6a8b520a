"""cfBH: Benjamini-Hochberg on conformal p-values, and how near to its level it comes."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import regression_data, separated_data
from theorytk.conformal.theory import shared_uniform_fdr, sub_fdr_range
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between

from .common import (
    CFBH,
    CONTINUOUS,
    EXCHANGEABLE,
    TRAINED_APART,
    proportions,
    scored_sets,
    select,
    select_at,
    trained_prediction,
)
from .pvalues import means

FORGOTTEN = Control(
    "the test point not counted: L / n for (1 + L) / (n + 1)", procedure="without-one"
)


@experiment(
    "conformal-selection/cfbh",
    paper=CFBH,
    design=grid(
        setting=["cfbh-1", "cfbh-6", "cfbh-8"],
        d=4,
        scores=("clip", "residual", "sub"),
        n=50,
        m=100,
        sigma=0.2,
        training=100,
        q=(0.1, 0.2, 0.3, 0.4, 0.5),
        sets=20,
    ),
    paired=("procedure",),
    columns={
        "score": Column("score function", dtype="str"),
        "level": Column("level q"),
        "fdp": Column("mean false discovery proportion of the data sets"),
        "ratio": Column("the same over q"),
        "power": Column("their mean power"),
    },
    presets={
        "quick": dict(replicates=100),
        "paper": dict(
            replicates=400,
            setting=[f"cfbh-{i}" for i in range(1, 9)],
            n=[50, 500],
            training=200,
        ),
    },
    block=10,
    algorithm="procedure",
)
def cfbh_settings(
    *, setting, d, scores, n, m, sigma, training, q, sets, procedure="randomised", rng
):
    """Published regressions with a kernel ridge prediction, trained anew in each replicate.

    The algorithm is ``procedure(cal, test, q, rng) -> selected``, shapes (n,), (m,) and (m,).
    """
    predict = trained_prediction(setting, training, d, sigma, rng)
    X, y = regression_data(setting, sets * (n + m), sigma=sigma, d=d, rng=rng)
    prediction, rows = predict(X), []
    for score in scores:
        cal, test, positive = scored_sets(prediction, y, n, m, score)
        for level, selected in zip(q, select_at(procedure, cal, test, q, rng), strict=True):
            fdp, power = proportions(selected, positive)
            found = {"fdp": fdp.mean(), "ratio": fdp.mean() / level, "power": power.mean()}
            rows.append({"score": score, "level": level, **found})
    return rows


@claim(
    "conformal-selection/cfbh-fdr",
    theorem="Theorems 3 and 6",
    statement=r"Benjamini-Hochberg at level $q$ on conformal p-values has $\mathrm{FDR}\le q$, for "
    r"every score that does not decrease in $y$, every prediction and all $n$ and $m$.",
    experiment=cfbh_settings,
    region=AtMost(1, margin=0.15),
    reason="clipped scores attain the bound; the margin is the widest interval, 0.1 q, and a half",
    assumptions=(EXCHANGEABLE, TRAINED_APART),
    control=FORGOTTEN,
)
def cfbh_fdr(table):
    """False discovery rate over q, per setting, n, score and q."""
    return means(table, "ratio", ("setting", "n", "score", "level"))


@experiment(
    "conformal-selection/known-rates",
    paper=CFBH,
    design=grid(n=199, m=20, q=0.2, sigma=0.5, score="clip", sets=200),
    paired=("procedure", "score", "constant", "rounding"),
    columns={
        "fdp": Column("mean false discovery proportion of the data sets"),
        "power": Column("their mean power"),
    },
    presets={"quick": dict(replicates=50), "paper": dict(replicates=500)},
    block=10,
    algorithm="procedure",
)
def known_rates(
    *, n, m, q, sigma, score, sets, procedure="conservative", constant=None, rounding=0, rng
):
    """A normal covariate that predicts its label plus noise: half of the points are null.

    A `constant` replaces infinity in clipped scores; labels of calibration points are rounded to
    multiples of `rounding`. The algorithm is ``procedure(cal, test, q, rng) -> selected``, shapes
    (n,), (m,) and (m,).
    """
    X, y = regression_data("gaussian", sets * (n + m), sigma=sigma, rng=rng)
    positive = y.reshape(sets, n + m)[:, n:] > 0
    if rounding:
        y = np.round(y / rounding) * rounding
    cal, test, _ = scored_sets(X[:, 0], y, n, m, score, constant)
    fdp, power = proportions(select(procedure, cal, test, q, rng), positive)
    return {"fdp": fdp.mean(), "power": power.mean()}


@claim(
    "conformal-selection/cfbh-exact-lattice",
    theorem="derived here (cfbh_fdr_range)",
    status="ours",
    statement=r"With clipped scores and conservative p-values the false discovery rate of cfBH is "
    r"$q$ exactly if $q(n+1)/m$ is an integer and nulls suffice, whatever their share $\pi_0$.",
    experiment=known_rates,
    at=dict(n=[99, 199, 499]),
    region=Between(0.2, 0.2, margin=0.012),
    reason="exact up to P(N_0 < q (n + 1)) < 1e-9; the margin is the interval of 10,000 data sets, "
    "0.006, twice",
    assumptions=(EXCHANGEABLE, TRAINED_APART, CONTINUOUS),
    control=(
        Control("residuals for clipped scores", score="residual"),
        Control("a constant that predictions exceed in the place of infinity", constant=2.5),
    ),
)
def exact_lattice(table):
    """False discovery rate, per n."""
    return means(table, "fdp", ("n",))


SUB = dict(n=399, m=5, q=0.2)
LEAST, MOST = sub_fdr_range(**SUB, pi0=0.5)


@claim(
    "conformal-selection/cfbh-sub-pi0q",
    theorem="derived here (sub_fdr_range)",
    status="ours",
    statement=r"Calibrated on nulls only, cfBH has the false discovery rate $\pi_0q$, up to the "
    r"lattice: it keeps at least $\mathbb E\min_r\lfloor gr\rfloor/gr$ of it, $g=q(N+1)/m$ and $N$ "
    r"calibration nulls.",
    experiment=known_rates,
    at=dict(**SUB, score="sub"),
    region=Between(LEAST, MOST, margin=0.02),
    reason="both ends are proved; the margin is the interval of 10,000 data sets, 0.01, twice",
    assumptions=(EXCHANGEABLE, TRAINED_APART, CONTINUOUS),
    control=(
        Control("clipped scores, which calibrate on all points", score="clip"),
        Control("labels rounded before they are compared with the threshold", rounding=0.4),
    ),
)
def sub_rate(table):
    """False discovery rate."""
    return means(table, "fdp", ("m",))


@claim(
    "conformal-selection/storey-on-nulls",
    theorem="Storey, Taylor, Siegmund (2004); for conformal p-values derived here",
    status="ours",
    statement=r"Storey's procedure, Benjamini-Hochberg at level $q/\hat\pi_0$ with "
    r"$\hat\pi_0=(1+\#\{p_j>\lambda\})/(m(1-\lambda))$, has $\mathrm{FDR}\le q(1+2/(N-1))$ on "
    r"p-values calibrated on $N$ nulls, $\lambda=1/2$. On clipped scores it has not.",
    experiment=known_rates,
    at=dict(procedure="storey", score="sub", q=0.1),
    region=AtMost(0.1, margin=0.015),
    reason="the bound allows 0.002 more at 99 nulls; the rest is the interval of 10,000 data sets",
    assumptions=(
        EXCHANGEABLE,
        TRAINED_APART,
        CONTINUOUS,
        Assumption("the estimate is at least q / lambda, but for a probability below 0.001", False),
    ),
    control=(
        Control("clipped scores, whose p-values are not uniform given the null", score="clip"),
        Control("the 1 in the numerator forgotten", procedure="storey-without-one"),
    ),
)
def storey_on_nulls(table):
    """False discovery rate."""
    return means(table, "fdp", ("m",))


@experiment(
    "conformal-selection/separated",
    paper=CFBH,
    design=grid(n=10, m=50, q=0.3, pi0=0.8, sets=400),
    paired=("procedure",),
    columns={"fdp": Column("mean false discovery proportion of the data sets")},
    presets={"quick": dict(replicates=100), "paper": dict(replicates=1000)},
    block=10,
    algorithm="procedure",
)
def separated(*, n, m, q, pi0, sets, procedure="randomised", rng):
    """Predictions that put all positives before all nulls and know no more; clipped scores.

    The algorithm is ``procedure(cal, test, q, rng) -> selected``, shapes (n,), (m,) and (m,).
    """
    X, y = separated_data(sets * (n + m), pi0=pi0, rng=rng)
    cal, test, positive = scored_sets(X, y, n, m)
    return {"fdp": proportions(select(procedure, cal, test, q, rng), positive)[0].mean()}


@claim(
    "conformal-selection/independent-uniforms",
    theorem="Theorem 6; a second proof is in shared_uniform_fdr",
    statement=r"Ties broken by uniforms that are drawn for each test point keep "
    r"$\mathrm{FDR}\le q$; one uniform shared by all points does not.",
    experiment=separated,
    region=AtMost(0.3, margin=0.004),
    reason="proved; the margin is the interval of 40,000 data sets",
    assumptions=(EXCHANGEABLE, TRAINED_APART, CONTINUOUS),
    control=Control("one uniform shared by all test points", procedure="shared"),
)
def independent_uniforms(table):
    """False discovery rate."""
    return means(table, "fdp", ("m",))


SHARED = shared_uniform_fdr(0.3, 10, 50, 0.8)


@claim(
    "conformal-selection/shared-uniform-law",
    theorem="derived here (shared_uniform_fdr)",
    status="ours",
    statement=r"With one tie-breaking uniform for all test points cfBH is not valid: with $n=10$, "
    r"$m=50$, $\pi_0=0.8$ and $q=0.3$ its false discovery rate on separated data is $0.31207$.",
    experiment=separated,
    at=dict(procedure="shared"),
    region=Between(SHARED, SHARED, margin=0.012),
    reason="exact; the margin is the interval of 40,000 data sets, 0.006, twice",
    assumptions=(
        EXCHANGEABLE,
        TRAINED_APART,
        Assumption("every positive is predicted above every null, nulls in random order"),
    ),
    control=(
        Control("a uniform for each test point", procedure="randomised"),
        Control("a uniform for each half of the test points", procedure="shared-by-batches"),
    ),
)
def shared_uniform(table):
    """False discovery rate."""
    return means(table, "fdp", ("m",))
