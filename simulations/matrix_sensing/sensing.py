"""Sensing operators: the law of a Gaussian measurement, and how isometric they are."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, distribution_distance_estimate, slope_estimate
from theorytk.matrix_sensing import (
    DenseSensing,
    GaussianSensing,
    RankOneSensing,
    isometry_lower_bound,
)

from .common import PAPER

GAUSSIAN = Assumption("independent Gaussian measurement matrices with independent entries")


@experiment(
    "matrix-sensing/measured-energy",
    paper=PAPER,
    design=grid(n=4, m=12, draws=300),
    paired=("ensemble", "divisor"),
    columns={"energy": Column("divisor times ||A(X)||^2 / ||X||_F^2")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
)
def measured_energy(*, n, m, draws, ensemble="gaussian", divisor="m", rng):
    """Measure one non-symmetric matrix by independent operators."""
    X = np.triu(np.ones((n, n)))
    energy = [np.sum(sensing(ensemble, m, n, rng).apply(X) ** 2) for _ in range(draws)]
    degrees = m if divisor == "m" else m - 1
    return {"energy": m / degrees * m * np.array(energy) / np.sum(X**2)}


def sensing(ensemble, m, n, rng):
    """Return m measurements: Gaussian, symmetric Gaussian, or rank-one a b'."""
    if ensemble == "rank-one":
        return RankOneSensing(rng.standard_normal((m, n)), rng.standard_normal((m, n)))
    return GaussianSensing(m, n, symmetric=ensemble == "symmetric", rng=rng)


@claim(
    "matrix-sensing/chi-square-isometry",
    theorem="Section 2, restricted isometry of Gaussian measurements",
    status="ours",
    statement=r"For a fixed $X$ and $m$ Gaussian measurements "
    r"$m\Vert\mathcal A(X)\Vert^2/\Vert X\Vert_F^2$ is distributed as $\chi^2_m$.",
    experiment=measured_energy,
    region=AtMost(0, margin=0.07),
    reason="the law is exact; the margin leaves room for the band of 6000 draws, 0.032, twice",
    assumptions=(GAUSSIAN,),
    control=(
        Control("rank-one measurements a b', isotropic but heavy-tailed", ensemble="rank-one"),
        Control("symmetric measurements, blind to the skew part of X", ensemble="symmetric"),
        Control("normalised by m - 1, like a variance", divisor="m - 1"),
    ),
)
def chi_square_isometry(table):
    """Largest distance between the distribution of the energies and that of chi-square."""
    return distribution_distance_estimate(table["energy"], chi2(table["m"].iloc[0]).cdf)


@experiment(
    "matrix-sensing/isometry",
    paper=PAPER,
    design=grid(n=8, rank=2, m=[500, 8000]),
    paired=("m", "repeat_after"),
    columns={"delta": Column("lower bound of the restricted isometry constant")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=100, n=12)},
)
def isometry(*, n, rank, m, repeat_after=None, rng):
    """Bound the restricted isometry constant of a Gaussian operator by power iterations."""
    matrices = rng.standard_normal((min(m, repeat_after or m), n, n))
    operator = DenseSensing(np.resize(matrices, (m, n, n)), storage="gram")
    return {"delta": isometry_lower_bound(operator, rank, n_restarts=3, n_iter=30, rng=rng).delta}


@claim(
    "matrix-sensing/isometry-rate",
    theorem="Section 2, restricted isometry of Gaussian measurements",
    status="ours",
    statement=r"The restricted isometry constant of $m$ Gaussian measurements falls like "
    r"$m^{-1/2}$, as far as power iterations find it.",
    experiment=isometry,
    region=Between(-0.6, -0.5),
    reason="the largest stretch (1 + x)^2 with x ~ m^(-1/2) gives -1/2 (1 + x / (2 + x)), and x "
    "is below 0.4",
    assumptions=(GAUSSIAN,),
    control=Control("the generator is seeded again after 4000 measurements", repeat_after=4000),
)
def isometry_rate(table):
    """Slope of log delta on log m."""
    delta = by_replicate(table, "delta", by=("m",))
    sizes = np.sort(table["m"].unique())
    return slope_estimate(np.log(sizes), np.log(np.hstack([delta[f"m={m:g}"] for m in sizes])))
