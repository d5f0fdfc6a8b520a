"""How delta depends on the number of points and on the dimension."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, Between, mean_estimate, slope_estimate
from theorytk.paths.datasets import normalise
from theorytk.paths.separation import separation_function
from theorytk.paths.separation_laws import entropy_bound

from .common import NORMALISED, PAPER

GAUSSIAN = Assumption("independent Gaussian points")


def gaussian_points(n, d, rng, decay=0.0, copies=1):
    """Return n points of variances j^-decay, of which each comes in so many copies."""
    spectrum = np.arange(1, d + 1.0) ** -decay
    points = rng.standard_normal((max(1, n // copies), d)) * np.sqrt(spectrum)
    return np.repeat(points, copies, axis=0)


def delta(points, sweeps, rng):
    """Return the estimated delta of points, copies merged; few points are swept more often."""
    data = normalise(points)
    sweeps = sweeps * max(1, 256 // data.n)
    return separation_function(data, n_sweeps=sweeps, rng=rng).delta()


@experiment(
    "kinetic-optimal-paths/dimension",
    paper=PAPER,
    design=grid(n=16, d=[64, 256, 1024], growth=0),
    paired=("growth",),
    columns={"delta": Column("estimate of int (1 - lambda) ds")},
    presets={"quick": dict(replicates=20, sweeps=1), "paper": dict(replicates=100, sweeps=2)},
    block=20,
)
def dimension(*, n, d, growth, sweeps, rng):
    """The delta of n random points at d = 64, and of more like d^growth."""
    return {"delta": delta(gaussian_points(round(n * (d / 64) ** growth), d, rng), sweeps, rng)}


@claim(
    "kinetic-optimal-paths/rate-in-dimension",
    theorem="Theorem 4.1; that the rate is attained is seen here",
    status="empirical",
    statement=r"For a fixed number of points in general position $\delta$ decays like $d^{-1/2}$, "
    r"as the paper's bound does.",
    experiment=dimension,
    region=Between(-0.55, -0.45),
    reason="squared distances scatter by 2/d^(1/2), 1/4 at d = 64, where delta is concave in them: "
    "a bias of (1/4)^2 / 8 per point and less for 16; with that of 1/d in the normalisation 0.02",
    assumptions=(NORMALISED, GAUSSIAN),
    control=(
        Control("more points in more dimensions, like d^0.35", growth=0.35),
        Control("points in proportion to the dimension", growth=1),
    ),
)
def rate_in_dimension(table):
    """Slope of log delta on log d."""
    wide = table.pivot_table(index="replicate", columns="d", values="delta")
    return slope_estimate(np.log(wide.columns.to_numpy(float)), np.log(wide.to_numpy()))


@experiment(
    "kinetic-optimal-paths/number-of-points",
    paper=PAPER,
    design=grid(n=[4, 16, 64, 256], d=256, copies=1, counted="entropy"),
    paired=("copies", "counted"),
    columns={
        "delta": Column("estimate of int (1 - lambda) ds"),
        "ratio": Column("delta over its entropy bound, arccos(exp(-H/d))"),
    },
    presets={
        "quick": dict(replicates=40, sweeps=1),
        "paper": dict(replicates=80, sweeps=2, n=[4, 16, 64, 256, 1024]),
    },
    block=20,
)
def number_of_points(*, n, d, copies, counted, sweeps, rng):
    """The delta of n random points, each in so many copies, over the bound for all n different.

    The entropy ln n is in nats, or taken as 0.9 of it.
    """
    found = delta(gaussian_points(n, d, rng, copies=copies), sweeps, rng)
    entropy = math.log(n) * {"entropy": 1.0, "nine tenths": 0.9}[counted]
    return {"delta": found, "ratio": found / entropy_bound(entropy, d)}


@claim(
    "kinetic-optimal-paths/rate-in-points",
    theorem="derived here (entropy_bound); that it is attained up to a constant is seen",
    status="empirical",
    statement=r"For $n$ points in general position $\delta$ grows like $\sqrt{2(\ln n)/d}$, not "
    r"like $n$: over $\arccos(n^{-1/d})$ it is at most 1 and at least what it is for two points.",
    experiment=number_of_points,
    region=Between(0.864, 1),
    reason="1 is proved, and 0.864 is the ratio of two points, C / sqrt(2 ln 2), C = 1.0176",
    assumptions=(NORMALISED, GAUSSIAN),
    control=(
        Control("each point twice, counted as different", copies=2),
        Control("nine tenths of the entropy", counted="nine tenths"),
    ),
)
def rate_in_points(table):
    """Ratio of delta to its bound, per number of points."""
    return {f"n={n}": mean_estimate(g["ratio"]) for n, g in table.groupby("n")}


@experiment(
    "kinetic-optimal-paths/codebooks",
    paper=PAPER,
    design=grid(d=[4, 16], rate=0.35),
    paired=("rate",),
    columns={"ratio": Column("delta over its entropy bound")},
    presets={
        "quick": dict(replicates=80, sweeps=1),
        "paper": dict(replicates=80, sweeps=1, d=[4, 8, 12, 16, 20]),
    },
    block=20,
)
def codebooks(*, d, rate, sweeps, rng):
    """A random Gaussian codebook of exp(rate d) points; with `rate` 0 as many as for d = 4."""
    n = round(math.exp(rate * d if rate else 0.35 * 4))
    found = delta(gaussian_points(n, d, rng), sweeps, rng)
    return {"ratio": found / entropy_bound(math.log(n), d)}


@claim(
    "kinetic-optimal-paths/capacity-tightness",
    theorem="derived here (entropy_bound is attained by good codes); the trend is seen",
    status="empirical",
    statement=r"For random Gaussian codebooks of $n=e^{0.35d}$ points $\delta/\arccos(n^{-1/d})$ "
    r"rises with $d$: the entropy bound is tight for good codes.",
    experiment=codebooks,
    region=AtLeast(0.02),
    reason="an ordering with a least effect of 2% between the smallest and the largest dimension",
    assumptions=(NORMALISED, GAUSSIAN),
    control=Control("as many points in every dimension", rate=0),
)
def capacity_tightness(table):
    """Ratio in the largest dimension minus that in the smallest."""
    wide = table.pivot_table(index="replicate", columns="d", values="ratio")
    return mean_estimate(wide[wide.columns.max()] - wide[wide.columns.min()])


def library_estimate(X, rng):
    """Four sweeps of the library's estimate."""
    return separation_function(X, n_sweeps=4, rng=rng)


@experiment(
    "kinetic-optimal-paths/estimated-sum-rule",
    paper=PAPER,
    design=grid(n=64, d=16, repeated=0, estimator="library"),
    paired=("repeated", "estimator"),
    columns={"ratio": Column("estimate of int s (1 - lambda) ds over ln(n) / d")},
    presets={"quick": dict(replicates=60), "paper": dict(replicates=400)},
    block=20,
    algorithm="estimator",
)
def estimated_sum_rule(*, n, d, repeated, estimator, rng):
    """The sum rule of n points, of which `repeated` are copies of others, as if all differed.

    The algorithm is ``estimator(X, rng) -> Separation`` of points (n, d).
    """
    X = normalise(gaussian_points(n, d, rng)).points
    X[n - repeated :] = X[:repeated]
    law = (library_estimate if estimator == "library" else estimator)(X, rng)
    return {"ratio": law.sum_rule() * d / math.log(n)}


@claim(
    "kinetic-optimal-paths/estimates-obey-sum-rule",
    theorem="derived here, from the I-MMSE relation of Guo, Shamai, Verdu (2005)",
    status="ours",
    statement=r"An estimate of $\lambda$ for a data set of $n$ distinct points satisfies "
    r"$\int_0^\infty s\,(1-\lambda(s))\,ds=(\ln n)/d$.",
    experiment=estimated_sum_rule,
    region=Between(0.98, 1.02),
    reason="exact but for the interpolation between 96 angles, 0.11 apart in log s: h^2 / 8 times "
    "a relative curvature of order 10 is 2%",
    assumptions=(NORMALISED, GAUSSIAN),
    control=(
        Control("9 points of 64 that are copies, counted as distinct", repeated=9),
        Control("half of the points copies", repeated=32),
    ),
)
def estimates_obey_sum_rule(table):
    """Mean ratio."""
    return mean_estimate(table["ratio"])
