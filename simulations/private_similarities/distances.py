"""Sums of distances on a line: bias, noise, growth with the number of points, intervals."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtLeast,
    AtMost,
    Between,
    exact_estimate,
    mean_estimate,
    proportion_estimate,
    slope_estimate,
    violations_estimate,
)
from theorytk.privacy.distance_theory import hat_noise_rms
from theorytk.privacy.distances import PrivateDistanceSum
from theorytk.privacy.dyadic_tree import dyadic_tree

from .common import (
    CONCENTRATED,
    LINES,
    MECHANISMS,
    PAPER,
    PUBLIC_SIZE,
    UNIT_BOX,
    many_answers,
    noiseless,
    sums,
)

POINTS = Assumption("points with a random Beta law")


def beta_points(n, rng):
    """Return n points with a random Beta law, some of them crowded."""
    a, b = np.exp(rng.uniform(-1, 4, size=2))
    return rng.beta(a, b, size=n)


@experiment(
    "private-similarities/tree-bias",
    paper=PAPER,
    design=grid(alpha=[0.5, 0.1, 0.02], power=[1, 3], n=1000, levels=16),
    paired=("radius", "read"),
    columns={
        "below": Column("least excess of an answer over the sum, relative, plus its rounding"),
        "above": Column("largest excess over alpha times the sum, relative, minus its rounding"),
        "largest": Column("largest relative excess"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=500)},
    block=20,
)
def tree_bias(*, alpha, power, n, levels, radius="outer", read=1, rng):
    """Bias of the tree without noise at 20 random queries; `read` times alpha is believed.

    With `radius` "inner" or "geometric_mean" a ring counts with another radius than its outer one.
    """
    x, y = beta_points(n, rng), rng.random(20)
    named = "outer" if radius == "inner" else radius
    tree = dyadic_tree(levels, epsilon=1.0, alpha=alpha, power=power, ring_weights=named)
    answer = noiseless(tree, x, y) / (1 + alpha if radius == "inner" else 1)
    truth = (np.abs(y[:, None] - x) ** power).sum(axis=1)
    excess, rounding = answer / truth - 1, 2 * power * n / 2**levels / truth
    return {
        "below": (excess + rounding).min(),
        "above": (excess - rounding).max() - read * alpha,
        "largest": excess.max(),
    }


@claim(
    "private-similarities/tree-bias",
    theorem="Section 4: the factor 1 + alpha; Section 6 for powers",
    statement=r"Without noise the answer of the tree lies between the sum of $|x-y|^p$ and "
    r"$1+\alpha$ times it, up to the rounding of points to cells; rings grow by "
    r"$(1+\alpha)^{1/p}$.",
    experiment=tree_bias,
    kind="refutable",
    region=AtMost(0),
    reason="outside by more than 2 p n / m: x and y move by a cell each at most",
    assumptions=(UNIT_BOX, POINTS),
    control=(
        Control("rings count with their inner radius", radius="inner"),
        Control("rings count with the geometric mean of both radii", radius="geometric_mean"),
        Control("half of alpha, the typical bias, taken for the bound", read=0.5),
    ),
)
def tree_bias_bound(table):
    """Share of draws with an answer outside."""
    outside = (table["below"] < -1e-12) | (table["above"] > 1e-12)
    return violations_estimate(int(outside.sum()), len(table))


@experiment(
    "private-similarities/hat-synthesis",
    paper=PAPER,
    design=grid(method=["hat", "exact-tree"], n=500, levels=10),
    paired=("sign", "shift"),
    columns={"error": Column("largest error of a noiseless answer, over the number of points")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    block=20,
)
def hat_synthesis(*, method, n, levels, sign=1, shift=0, rng):
    """Error without noise at the grid points, moved by `shift` cells; numbers times `sign`.

    All released numbers but the first two are multiplied by `sign`.
    """
    x, y = beta_points(n, rng), (np.arange(2**levels) + shift) / 2**levels
    mechanism = LINES[method](levels, epsilon=1.0)
    released = mechanism.with_scales(0 * mechanism.scales).release(x)
    released[2:] *= sign
    found = mechanism.answers(mechanism.synthesise(released), y)
    return {"error": np.abs(found - sums(x[:, None], y[:, None])).max() / n}


@claim(
    "private-similarities/hat-exact",
    theorem="derived here (hierarchical_hat, exact_tree)",
    status="ours",
    statement=r"From $g(0)$, $g(1)$ and the sums of hats the sums of distances at all grid points "
    r"follow exactly, by $g(c)=\frac12(g(c-h)+g(c+h))-h\sum_i\Lambda_{c}(x_i)$; likewise from the "
    "counts and offsets of the exact tree.",
    experiment=hat_synthesis,
    kind="identity",
    region=AtMost(2.0**-32),
    reason="points are rounded to multiples of 2^-32: half a step each, and as much for sums",
    assumptions=(UNIT_BOX, POINTS),
    control=(
        Control("surpluses added instead of subtracted", sign=-1),
        Control("queries in the middle of cells", shift=0.5),
    ),
)
def hat_exact(table):
    """Largest error per point."""
    return exact_estimate(float(table["error"].max()), len(table))


@experiment(
    "private-similarities/noise-law",
    paper=PAPER,
    design=grid(method=["hat", "tree", "exact-tree", "flat"], levels=5, batch=40),
    paired=("scale",),
    columns={"ratio": Column("mean square of the noise over its law, over releases and queries")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=10,
)
def noise_law(*, method, levels, batch, scale=1, rng):
    """Noise of a batch of releases at 9 queries, over the variances of `noise_components`.

    Scales are multiplied by `scale` after the law was taken.
    """
    mechanism, y = LINES[method](levels, epsilon=1.0), (np.arange(9) + 0.5) / 9
    law = mechanism.noise_components(y)[0].sum(axis=1)
    actual = mechanism.with_scales(scale * mechanism.scales)
    noise = many_answers(actual, np.empty(0), y, batch, rng)
    return {"ratio": (noise**2 / law).mean()}


@claim(
    "private-similarities/noise-law",
    theorem="the trees' variance is that of a sum over disjoint nodes (Section 4); derived here",
    status="ours",
    statement=r"The variance of every answer of hat, tree, exact tree and flat histogram is the "
    r"sum $\sum_jw_j^2\sigma_j^2$ over the released numbers, with their weights and variances.",
    experiment=noise_law,
    region=Between(1, 1, margin=0.25),
    reason="the law is exact: one is the bound; the margin is what 1600 releases resolve",
    assumptions=(Assumption("integer noise at epsilon = 1"),),
    control=(
        Control("half the noise", scale=0.5),
        Control("scales 18% too small", scale=0.82),
    ),
)
def noise_is_as_stated(table):
    """Mean ratio, per method."""
    return {m: mean_estimate(g["ratio"].to_numpy()) for m, g in table.groupby("method")}


@experiment(
    "private-similarities/error-against-points",
    paper=PAPER,
    design=grid(n=[256, 1024, 4096], epsilon=1, batch=16),
    paired=("mechanism",),
    columns={
        "error": Column("root mean square error over releases and queries"),
        "law": Column("that of the hat mechanism by its law"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=5,
    algorithm="mechanism",
)
def error_against_points(*, n, epsilon, batch, mechanism="hat", rng):
    """Error of sums of distances of n uniform points on the unit interval, at 16 queries.

    The algorithm is ``mechanism(x, y, epsilon, rng) -> answers`` for points (n, 1) and queries
    (q, 1) in the unit interval: epsilon-private for added and removed points; n is public.
    """
    answer = MECHANISMS.get(mechanism, mechanism)
    x, y = rng.random((n, 1)), (np.arange(16)[:, None] + 0.5) / 16
    error = np.array([answer(x, y, epsilon, rng) for _ in range(batch)]) - sums(x, y)
    levels = int(np.ceil(np.log2(n * epsilon)))
    return {"error": np.sqrt((error**2).mean()), "law": hat_noise_rms(epsilon, levels)}


@claim(
    "private-similarities/hat-no-log",
    theorem="derived here (hat_noise_rms)",
    status="ours",
    statement=r"The error of the hat mechanism does not grow with the number of points: from "
    r"$2^8$ to $2^{12}$ points it is constant to $2\%$.",
    experiment=error_against_points,
    region=AtMost(0.008, margin=0.1),
    reason="the law grows by less than 2% over 4 doublings: log(1.02) / log(16) is below 0.008",
    assumptions=(UNIT_BOX, PUBLIC_SIZE),
    control=Control("the same budget for every level", mechanism="equal-rates"),
)
def hat_no_log(table):
    """Slope of the log error on the log of the number of points."""
    error = np.hstack(list(by_replicate(table, "error", by=("n",)).values()))
    return slope_estimate(np.log(np.sort(table["n"].unique())), np.log(error))


@claim(
    "private-similarities/hat-error",
    theorem="derived here (hat_noise_rms)",
    status="ours",
    statement=r"The mean square error of the hat mechanism over the unit interval is "
    r"$\frac43b_0^2+\frac23\sum_\ell h_\ell^2b_\ell^2$, with $b$ the scales of its Laplace noise.",
    experiment=error_against_points,
    region=Between(1, 1, margin=0.25),
    reason="one is the bound; the margin is what 1920 releases resolve, each of few squares",
    assumptions=(UNIT_BOX, PUBLIC_SIZE),
    control=(
        Control("the same budget for every level", mechanism="equal-rates"),
        Control("noise 20% too large", mechanism="noise x 1.2"),
    ),
)
def hat_error(table):
    """Mean square error over the law."""
    squares = table.assign(ratio=(table["error"] / table["law"]) ** 2)
    ratios = by_replicate(squares, "ratio", by=("n",))
    return mean_estimate(np.mean(list(ratios.values()), axis=0)[:, 0])


COVERED = {"hat": dict(method="hat", levels=8), "tree": dict(method="tree", levels=4, alpha=0.5)}


@experiment(
    "private-similarities/coverage",
    paper=PAPER,
    design=grid(method=list(COVERED), n=300, level=0.95),
    paired=("narrower", "centred"),
    columns={"covered": Column("whether the interval holds the true sum", dtype="bool")},
    presets={"quick": dict(replicates=800), "paper": dict(replicates=10_000)},
    block=200,
)
def coverage(*, method, n, level, narrower=0, centred=0, rng):
    """An interval of a fresh release for the sum at a random query.

    Its half width is reduced by the share `narrower`; with `centred` it is the answer plus or
    minus 1.96 standard deviations of the noise.
    """
    x, y = rng.random((n, 1)), rng.random((1, 1))
    fit = PrivateDistanceSum(rng=rng, **COVERED[method]).fit(x, bounds=(0, 1))
    if centred:
        low, high = fit.query(y)[0] + 1.96 * fit.noise_std(y)[0] * np.array([-1, 1])
    else:
        low, high = (float(end[0]) for end in fit.interval(y, level))
    off = abs((low + high) / 2 - sums(x, y)[0])
    return {"covered": bool(off <= (high - low) / 2 * (1 - narrower))}


@claim(
    "private-similarities/interval-coverage",
    theorem="derived here (closed-form noise law, PrivateDistanceSum.interval)",
    status="ours",
    statement="Intervals of level $0.95$ for sums of distances hold the true sum with that "
    "probability at least: noise by its law, bias and rounding by their bounds.",
    experiment=coverage,
    region=AtLeast(0.95, margin=0.05),
    reason="a coverage of 0.95 is the bound; the margin is what 800 intervals resolve",
    assumptions=(UNIT_BOX, Assumption("uniform points and queries")),
    control=(
        Control("the answer plus or minus 1.96 standard deviations of the noise", centred=1),
        Control("half widths 30% too small", narrower=0.3),
    ),
)
def interval_coverage(table):
    """Coverage, per method."""
    covered = {m: g["covered"] for m, g in table.groupby("method")}
    return {m: proportion_estimate(int(c.sum()), len(c)) for m, c in covered.items()}


@experiment(
    "private-similarities/all-queries",
    paper=PAPER,
    design=grid(rho=0.5, n=256, batch=30),
    paired=("mechanism",),
    columns={"ratio": Column("mean square error times 2 rho, over releases and 64 queries")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=5,
    algorithm="mechanism",
)
def all_queries(*, rho, n, batch, mechanism="hat", rng):
    """Error of sums at 64 queries from one release, against that of the best single answer.

    The algorithm is ``mechanism(x, y, rho, rng) -> answers``, rho-zCDP for added points (n, 1).
    """
    answer = CONCENTRATED.get(mechanism, mechanism)
    x, y = rng.random((n, 1)), rng.random((64, 1))
    error = [answer(x, y, rho, rng) for _ in range(batch)] - sums(x, y)
    return {"ratio": (error**2).mean() * 2 * rho}


@claim(
    "private-similarities/zcdp-all-queries",
    theorem="derived here (gaussian_distance_noise)",
    status="ours",
    statement=r"Under $\rho$-zCDP all queries cost as one: the mean square error of every answer "
    r"is at most $R^2/(2\rho)$, what the Gaussian mechanism pays for a single query.",
    experiment=all_queries,
    region=AtMost(1, margin=0.2),
    reason="one is the bound; the margin is what 1200 releases resolve",
    assumptions=(UNIT_BOX, PUBLIC_SIZE),
    control=(
        Control("half the budget for each of two queries", mechanism="two queries"),
        Control("noise 15% too large", mechanism="noise x 1.15"),
    ),
)
def zcdp_all_queries(table):
    """Mean square error over that of a single query."""
    return mean_estimate(table["ratio"].to_numpy())
