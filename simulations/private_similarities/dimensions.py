"""More dimensions: budgets split over coordinates, random projections, squared distances."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtMost,
    Between,
    exact_estimate,
    mean_estimate,
    proportion_estimate,
    slope_estimate,
)
from theorytk.privacy.distance_theory import squared_distance_noise
from theorytk.privacy.distances import PrivateDistanceSum
from theorytk.privacy.projections import (
    CLIP_FAILURE,
    projection_box,
    projection_relative_sd,
    random_directions,
)

from .common import CONCENTRATED, MECHANISMS, PAPER, PUBLIC_SIZE, UNIT_BOX, sums


@experiment(
    "private-similarities/error-against-dimension",
    paper=PAPER,
    design=grid(kind="pure", d=[1, 8], n=16, budget=1.0, batch=6),
    paired=("mechanism",),
    columns={"error": Column("root mean square error over releases and queries")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=5,
    algorithm="mechanism",
)
def error_against_dimension(*, kind, d, n, budget, batch, mechanism="hat", rng):
    """Error of sums of l_1 distances in the unit cube, at 10 random queries.

    The algorithm is ``mechanism(x, y, budget, rng) -> answers`` for points (n, d) and queries
    (q, d) in the unit cube; its budget is epsilon, with `kind` "zcdp" rho.
    """
    answer = (MECHANISMS if kind == "pure" else CONCENTRATED).get(mechanism, mechanism)
    x, y = rng.integers(0, n + 1, (n, d)) / n, rng.integers(0, n + 1, (10, d)) / n
    error = np.array([answer(x, y, budget, rng) for _ in range(batch)]) - sums(x, y)
    return {"error": np.sqrt((error**2).mean())}


def dimension_slope(table):
    """Return the slope of the log error on the log of the dimension."""
    error = np.hstack(list(by_replicate(table, "error", by=("d",)).values()))
    return slope_estimate(np.log(np.sort(table["d"].unique())), np.log(error))


CONTROLS = (
    Control("the whole budget spent on every coordinate", mechanism="budget not split"),
    Control("each coordinate gets the share d^(-0.7)", mechanism="budget split by d^0.7"),
)
REASON = "the slope is exact; the margin is what 40 batches of 6 releases resolve"


@claim(
    "private-similarities/dimension-pure",
    theorem="Section 4: the error over dimensions",
    statement=r"With $\varepsilon/d$ for each coordinate the error of sums of $\ell_1$ distances "
    r"grows as $d^{3/2}$.",
    experiment=error_against_dimension,
    region=Between(1.5, 1.5, margin=0.2),
    reason=REASON,
    assumptions=(UNIT_BOX, PUBLIC_SIZE),
    control=CONTROLS,
)
def dimension_pure(table):
    """Slope of the log error."""
    return dimension_slope(table)


@claim(
    "private-similarities/dimension-zcdp",
    theorem="derived here (gaussian_distance_noise)",
    status="ours",
    statement=r"With $\rho/d$ for each coordinate the error grows as $d$ only, as that of a single "
    r"query and as the lower bound: no factor $\sqrt d$ is lost under zCDP.",
    experiment=error_against_dimension,
    at=dict(kind="zcdp"),
    region=Between(1, 1, margin=0.2),
    reason=REASON,
    assumptions=(UNIT_BOX, PUBLIC_SIZE),
    control=(
        CONTROLS[0],
        Control("each gets the share d^(-0.6)", mechanism="budget split by d^0.6"),
    ),
)
def dimension_zcdp(table):
    """Slope of the log error."""
    return dimension_slope(table)


@experiment(
    "private-similarities/projected-norms",
    paper=PAPER,
    design=grid(k=[10, 40, 160], d=20, batch=100),
    paired=("scale",),
    columns={
        "bias": Column("mean relative error of an estimated norm, times sqrt(k)"),
        "square": Column("mean square relative error over the law"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=20,
    algorithm="directions",
)
def projected_norms(*, k, d, batch, scale=1, directions="gaussian", rng):
    """Norms of a random unit vector from batches of k projections, times `scale`.

    The algorithm is ``directions(d, k, rng) -> array (d, k)``.
    """
    draw = random_directions if directions == "gaussian" else directions
    u = rng.standard_normal(d)
    u /= np.linalg.norm(u)
    norms = np.array([np.abs(u @ draw(d, k, rng)).sum() for _ in range(batch)])
    error = scale * norms - 1
    law = projection_relative_sd(k)
    return {"bias": error.mean() * np.sqrt(k), "square": (error**2).mean() / law**2}


FORGOTTEN = Control("normalised by 1/k: sqrt(pi/2) forgotten", scale=np.sqrt(2 / np.pi))


@claim(
    "private-similarities/l2-via-l1",
    theorem="Section 6 (reduction of Euclidean to l_1 distances); the constant derived here",
    status="ours",
    statement=r"The mean of $k$ absolute Gaussian projections times $\sqrt{\pi/2}$ estimates a "
    r"Euclidean distance with mean square relative error $(\pi/2-1)/k$ in any dimension.",
    experiment=projected_norms,
    region=Between(1, 1, margin=0.2),
    reason="the law is exact; the margin is what 4000 norms resolve",
    assumptions=(Assumption("independent standard normal directions"),),
    control=(
        FORGOTTEN,
        Control("norms 8% too large", scale=1.08),
    ),
)
def l2_via_l1(table):
    """Mean square relative error over the law, per number of projections."""
    return {f"k={k}": mean_estimate(g["square"].to_numpy()) for k, g in table.groupby("k")}


@experiment(
    "private-similarities/projection-box",
    paper=PAPER,
    design=grid(n=100, k=50, d=10),
    paired=("failure",),
    columns={"clipped": Column("whether any projection of any point is outside", dtype="bool")},
    presets={"quick": dict(replicates=2000), "paper": dict(replicates=20_000)},
    block=500,
)
def projection_boxes(*, n, k, d, failure=CLIP_FAILURE, rng):
    """Whether a box made for the chance `failure` clips a projection of n random unit vectors."""
    x = rng.standard_normal((n, d))
    x /= np.linalg.norm(x, axis=1)[:, None]
    half = projection_box(1.0, n, k) * np.sqrt(
        np.log(n * k / failure) / np.log(n * k / CLIP_FAILURE)
    )
    return {"clipped": bool((np.abs(x @ random_directions(d, k, rng)) > half).any())}


@claim(
    "private-similarities/projection-box",
    theorem="derived here (projection_box)",
    status="ours",
    statement=r"A public box of half width $B=R_2\sqrt{2\ln(nk/\eta)}$ (in units of the "
    r"projections) clips any of the $k$ projections of $n$ points of norm at most $R_2$ with "
    r"probability at most $\eta=10^{-4}$; $R_2\sqrt{2\ln(2nk)}$ would be too small.",
    experiment=projection_boxes,
    region=AtMost(CLIP_FAILURE, margin=0.01),
    reason="a bound; the margin is what 2000 sets of directions resolve",
    assumptions=(Assumption("points on the sphere of radius R_2, the worst case"),),
    control=(
        Control("the box sqrt(2 log(2 n k)), whose chance is not controlled", failure=0.5),
        Control("the box made for a chance of 1/5", failure=0.2),
    ),
)
def projection_box_holds(table):
    """Share of sets of directions that clip."""
    return proportion_estimate(int(table["clipped"].sum()), len(table))


@experiment(
    "private-similarities/squared-noise",
    paper=PAPER,
    design=grid(d=[1, 2, 4, 8, 16, 32, 64], kind=["pure", "zcdp"]),
    paired=("read",),
    columns={
        "residual": Column("noise of squared distances at a corner over its law, minus 1"),
        "order": Column("the law over d^1.5 / epsilon, or over d / sqrt(2 rho)"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def squared_noise(*, d, kind, read="law", rng):
    """Noise of squared distances at a corner of the unit cube, for epsilon or rho of 0.01.

    With `read` "linear" the law is taken for d R^2 times its value for d = 1.
    """
    unit = {"pure": "epsilon", "zcdp": "rho"}[kind]
    fit = PrivateDistanceSum(metric="l2_squared", **{unit: 0.01}, rng=rng)
    fit.fit(np.empty((0, d)), bounds=(0, 1))
    noise = fit.noise_std(np.ones((1, d)))[0]
    law = squared_distance_noise(d, **{unit: 0.01})
    stated = law if read == "law" else d * squared_distance_noise(1, **{unit: 0.01})
    unit_order = d**1.5 / 0.01 if kind == "pure" else d / np.sqrt(2 * 0.01)
    return {"residual": noise / stated - 1, "order": law / unit_order}


@claim(
    "private-similarities/squared-noise",
    theorem="derived here (squared_distance_noise)",
    status="ours",
    statement=r"Sums of squared distances in $[0,R]^d$, released for all queries, have noise "
    r"$\frac32d\sqrt{2d+1}R^2/\varepsilon$ at a corner with pure privacy, of order $d^{3/2}$ and "
    r"not $d$, and $\frac34dR^2/\sqrt\rho$ under zCDP.",
    experiment=squared_noise,
    kind="identity",
    region=AtMost(1e-6),
    reason="integer noise of scale 300 or more, and scales 2^-28 d larger for rounding",
    assumptions=(Assumption("neighbours differ by one added or removed point"),),
    control=Control("the noise grows as d", read="linear"),
)
def squared_noise_law(table):
    """Largest residual."""
    return exact_estimate(float(np.abs(table["residual"]).max()), len(table))
