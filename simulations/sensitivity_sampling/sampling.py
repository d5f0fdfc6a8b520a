"""Independent sampling by sensitivities: its mean, its variance, its distortion."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    Between,
    mean_estimate,
    proportion_estimate,
    slope_estimate,
)
from theorytk.sensitivity.distortion import distortion
from theorytk.sensitivity.matrices import coherent, heavy_tailed, stacked_identity
from theorytk.sensitivity.matrix_laws import stacked_identity_failure
from theorytk.sensitivity.sampling_laws import estimator_variance
from theorytk.sensitivity.sensitivities import sensitivities

from .common import PAPER
from .samplers import INDEPENDENT, PLANE, WITH_REPLACEMENT, draw

SQUARE_ROOT = Control(
    "rows scaled by q^(-1/2) whatever p: right for p = 2 only", sampler="square-root-scaling"
)


@experiment(
    "sensitivity-sampling/reweighted-sum",
    paper=PAPER,
    design=grid(n=60, p=[1, 3], oversampling=20, draws=100),
    paired=("sampler",),
    columns={
        "mean": Column("mean over draws of ||S A x||_p^p / ||A x||_p^p"),
        "variance": Column("variance over draws, relative to its law"),
    },
    presets={"quick": dict(replicates=60), "paper": dict(replicates=800)},
    algorithm="sampler",
)
def reweighted_sum(*, n, p, oversampling, draws, sampler="independent", rng):
    """Sample heavy-tailed rows by their sensitivities again and again, in the direction of the
    heaviest row.

    The algorithm is a sampler ``sampler(scores, p, alpha, rng) -> omega``, the weights of all n
    rows on p-th powers, 0 for those left out.
    """
    A = heavy_tailed(n, 2, df=3, rng=rng)
    scores = sensitivities(A, p).values
    powers = np.abs(A @ A[scores.argmax()]) ** p
    powers /= powers.sum()
    sums = [draw(sampler, scores, p, oversampling, rng) @ powers for _ in range(draws)]
    law = estimator_variance(powers, np.minimum(1, oversampling * scores))
    return {"mean": np.mean(sums), "variance": np.var(sums, ddof=1) / law}


@claim(
    "sensitivity-sampling/unbiased",
    theorem="Section 1, the sampling matrix S",
    statement=r"With kept rows divided by $q_i^{1/p}$, "
    r"$\mathbb E\Vert SAx\Vert_p^p=\Vert Ax\Vert_p^p$ for every $x$.",
    experiment=reweighted_sum,
    region=Between(1, 1, margin=0.02),
    reason="exact; the margin leaves room for the interval of 6000 draws, about 0.01, twice",
    assumptions=(INDEPENDENT,),
    control=(
        SQUARE_ROOT,
        Control(
            "choice(replace=False, p=pi), with weights 1/(m pi)", sampler="without-replacement"
        ),
    ),
)
def unbiased(table):
    """Mean of the weighted sum over the sum of all rows, per p."""
    return {k: mean_estimate(v[:, 0]) for k, v in by_replicate(table, "mean", by=("p",)).items()}


@claim(
    "sensitivity-sampling/variance-law",
    theorem="derived here (estimator_variance)",
    status="ours",
    statement=r"The variance of $\Vert SAx\Vert_p^p$ is $\sum_i(1/q_i-1)|a_i^\top x|^{2p}$, which "
    r"is at most $\Vert Ax\Vert_p^{2p}/\alpha$.",
    experiment=reweighted_sum,
    region=Between(1, 1, margin=0.2),
    reason="exact; the margin leaves room for the interval of 60 variances of 100 draws, twice",
    assumptions=(INDEPENDENT,),
    control=(SQUARE_ROOT, WITH_REPLACEMENT),
)
def variance_law(table):
    """Variance over draws, relative to the law, per p."""
    return {
        k: mean_estimate(v[:, 0]) for k, v in by_replicate(table, "variance", by=("p",)).items()
    }


STACK = dict(d=4, n_copies=60, oversampling=30, epsilon=0.25)


@experiment(
    "sensitivity-sampling/stacked-identity",
    paper=PAPER,
    design=grid(d=STACK["d"], n_copies=STACK["n_copies"], p=1.5, oversampling=30),
    paired=("sampler",),
    columns={"distortion": Column("distortion, exact")},
    presets={"quick": dict(replicates=800), "paper": dict(replicates=8000)},
    block=200,
    algorithm="sampler",
)
def stacked(*, d, n_copies, p, oversampling, sampler="independent", rng):
    """Sample stacked identities by their sensitivities, 1 / n_copies.

    The algorithm is a sampler ``sampler(scores, p, alpha, rng) -> omega``, the weights of all n
    rows on p-th powers, 0 for those left out.
    """
    A = stacked_identity(d, n_copies, p)
    omega = draw(sampler, np.full(len(A), 1 / n_copies), p, oversampling, rng)
    return {"distortion": distortion(A, omega, p).lower}


FAILURE = stacked_identity_failure(**STACK)


@claim(
    "sensitivity-sampling/stacked-identity-failure",
    theorem="derived here (stacked_identity_failure)",
    status="ours",
    statement=r"On $m$ stacked identities the distortion is $\max_j|K_j/\alpha-1|$ with "
    r"independent $K_j\sim\mathrm{Bin}(m,\alpha/m)$, for every $p$: the probability of a "
    r"distortion above $\varepsilon$ is known exactly.",
    experiment=stacked,
    region=Between(FAILURE, FAILURE, margin=0.12),
    reason="exact; the margin leaves room for the interval of 800 draws, 0.06, twice",
    assumptions=(INDEPENDENT, Assumption("a block-diagonal matrix: the distortion is exact")),
    control=(SQUARE_ROOT, WITH_REPLACEMENT),
)
def stacked_failure(table):
    """Share of samples with a distortion above epsilon."""
    failures = table["distortion"] > STACK["epsilon"]
    return proportion_estimate(int(failures.sum()), len(table))


@experiment(
    "sensitivity-sampling/distortion-against-oversampling",
    paper=PAPER,
    design=grid(n=8000, df=4, oversampling=(25, 100, 400)),
    paired=("sampler",),
    columns={
        "alpha": Column("oversampling", dtype="int"),
        "rows": Column("rows kept", dtype="int"),
        "distortion": Column("distortion, exact"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=400, n=20_000)},
    algorithm="sampler",
)
def against_oversampling(*, n, df, oversampling, sampler="independent", rng):
    """Sample n heavy-tailed rows of the plane by their l_1 sensitivities, more and more of them.

    The algorithm is a sampler ``sampler(scores, p, alpha, rng) -> omega``, the weights of all n
    rows on p-th powers, 0 for those left out.
    """
    A = heavy_tailed(n, 2, df=df, rng=rng)
    scores, rows = sensitivities(A, 1).values, []
    for alpha in oversampling:
        omega = draw(sampler, scores, 1, alpha, rng)
        found = distortion(A, omega, 1).lower
        rows.append({"alpha": alpha, "rows": np.count_nonzero(omega), "distortion": found})
    return rows


@claim(
    "sensitivity-sampling/distortion-law",
    theorem="Section 1: rows of order 1/epsilon^2",
    status="empirical",
    statement=r"At a fixed matrix the distortion falls with the oversampling like "
    r"$\hat\varepsilon\propto\alpha^{-1/2}$.",
    experiment=against_oversampling,
    region=Between(-0.58, -0.45),
    decides="paper",
    reason="a central limit theorem: at 30 rows the skewness, and at 500 of 20000 the rows kept "
    "for certain, move the distortion by less than 10% over a factor 16 in alpha",
    assumptions=(INDEPENDENT, PLANE, Assumption("at most 5% of the rows are kept")),
    control=(
        Control("kept rows left without weights", sampler="unweighted"),
        Control("weights of an oversampling 8% higher", sampler="stale-weights"),
    ),
)
def distortion_law(table):
    """Slope of log distortion on log oversampling."""
    wide = table.pivot_table(index="replicate", columns="alpha", values="distortion")
    return slope_estimate(np.log(wide.columns.to_numpy(float)), np.log(wide.to_numpy()))


@experiment(
    "sensitivity-sampling/uniform-on-coherent",
    paper=PAPER,
    design=grid(n=60, rate=0.5),
    paired=("scores", "sampler"),
    columns={"least_ratio": Column("least ratio of norms, exact")},
    presets={"quick": dict(replicates=1200), "paper": dict(replicates=6000)},
    block=500,
    algorithm="sampler",
)
def uniform_on_coherent(*, n, rate, scores="uniform", sampler="independent", rng):
    """Keep a share of the rows of a matrix whose last column has a single entry.

    The algorithm is a sampler ``sampler(scores, p, alpha, rng) -> omega``, the weights of all n
    rows on p-th powers, 0 for those left out.
    """
    A = coherent(n, 2, rng=rng)
    s = np.full(n, 1 / n) if scores == "uniform" else sensitivities(A, 1).values
    omega = draw(sampler, s, 1, rate * n / s.sum(), rng)
    return {"least_ratio": distortion(A, omega, 1).ratio_min}


@claim(
    "sensitivity-sampling/uniform-loses-rank",
    theorem="Section 1, why rows are scored; exact here",
    status="ours",
    statement=r"Uniform sampling at the rate $\rho$ loses a column that is zero but for one entry, "
    r"and has distortion at least $1$, with probability $1-\rho$; here $\rho=1/2$.",
    experiment=uniform_on_coherent,
    region=Between(0.5, 0.5, margin=0.12),
    reason="exact up to 2^-59, no other row; the margin is nearly twice the interval, 0.064",
    assumptions=(INDEPENDENT, Assumption("one entry in the last column")),
    control=(
        Control("rows scored by their sensitivities", scores="sensitivity"),
        WITH_REPLACEMENT,
    ),
)
def uniform_loses_rank(table):
    """Share of samples that miss the row."""
    return proportion_estimate(int((table["least_ratio"] < 1e-9).sum()), len(table))
