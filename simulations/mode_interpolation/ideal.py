"""How steep exact denoisers are, the best smooth ones, and what smooth scores cannot do."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion.hallucination import (
    density_floor,
    grid_mixture,
    line_mixture,
    lipschitz_projection,
    peak_slope,
)
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate

from .common import PAPER, envelopes, violated

PEAKS = {
    "exact": peak_slope,
    "at s = sigma": lambda d, sigma: d**2 / (16 * sigma**2) + 0.5,
    "without 1/2": lambda d, sigma: d**2 / (16 * sigma**2),
}


def steepest(target, middle, sigma):
    """Return the largest slope in the middle over the noise levels, by central differences."""

    def slope(s):
        h = 3e-5 * sigma
        ends = target.data(np.array([[middle + h], [middle - h]]), 1.0, s)
        return (ends[0, 0] - ends[1, 0]) / (2 * h)

    found = minimize_scalar(lambda s: -slope(s), bounds=(1e-6 * sigma, 3 * sigma), method="bounded")
    return -found.fun


@experiment(
    "mode-interpolation/slopes",
    paper=PAPER,
    design=grid(formula="exact"),
    paired=("formula",),
    columns={
        "ratio": Column("distance of the modes over their standard deviation"),
        "error": Column("relative error of the formula for the steepest slope"),
    },
    presets={"quick": dict(replicates=60), "paper": dict(replicates=1000)},
    block=50,
)
def slopes(*, formula, rng):
    """Steepest slope of the exact denoiser of two modes, 2.1 to 40 standard deviations apart."""
    sigma, ratio = rng.uniform(0.02, 0.3), np.exp(rng.uniform(np.log(2.1), np.log(40)))
    d = ratio * sigma
    found = steepest(line_mixture([0.0, d], sigma), d / 2, sigma)
    return {"ratio": ratio, "error": abs(PEAKS[formula](d, sigma) / found - 1)}


@claim(
    "mode-interpolation/peak-slope",
    theorem="derived here; the paper shows the jump of the ideal denoiser",
    status="ours",
    statement=r"The exact denoiser of two equal modes at distance $d\ge2\sigma$ has the largest "
    r"slope $\Lambda_{\max}=\frac{d^2}{16\sigma^2}+\frac12+\frac{\sigma^2}{d^2}$ over all noise "
    r"levels: $25.5$ and $100.5$ for the modes of the paper.",
    experiment=slopes,
    kind="identity",
    region=AtMost(1e-6),
    reason="central differences over 3e-5 sigma, of relative error 3e-8 at most (d / sigma <= 40)",
    assumptions=(Assumption("equal weights and widths"),),
    control=(
        Control("the slope at s = sigma taken for the largest", formula="at s = sigma"),
        Control("the linear part left out", formula="without 1/2"),
    ),
)
def peak(table):
    """Largest relative error."""
    return exact_estimate(table["error"].max(), len(table))


def unweighted(x, values, weights, bound):
    """Project as if all points were equally likely."""
    return lipschitz_projection(x, values, np.ones_like(weights), bound)


PROJECTIONS = {"isotonic": lipschitz_projection, "envelopes": envelopes, "unweighted": unweighted}


def duality_gap(x, values, weights, bound, g):
    """Return by how much the loss of g may exceed the least one, relative, by weak duality."""
    price = np.maximum(np.cumsum(weights * (g - values)), 0.0)
    price[-1] = 0.0
    change = np.diff(price, prepend=0.0)
    dual = price[:-1] @ (np.diff(values) - bound * np.diff(x)) - 0.5 * np.sum(change**2 / weights)
    return 1 - dual / (0.5 * np.sum(weights * (g - values) ** 2))


@experiment(
    "mode-interpolation/projections",
    paper=PAPER,
    design=grid(projection="isotonic"),
    paired=("projection",),
    columns={
        "excess": Column("largest slope over the bound, minus 1"),
        "gap": Column("bound on the relative excess of the loss over the least one"),
    },
    presets={"quick": dict(replicates=100), "paper": dict(replicates=2000)},
    block=50,
    algorithm="projection",
)
def projections(*, projection, rng):
    """The denoiser of a random mixture of five modes, projected on those of bounded slope.

    The algorithm is ``projection(x, values, weights, bound) -> values``, each (200,).
    """
    target = line_mixture(np.sort(rng.uniform(-3, 3, 5)), rng.uniform(0.03, 0.2))
    x, s = np.linspace(-4, 4, 200), np.exp(rng.uniform(np.log(0.05), np.log(0.4)))
    values = target.data(x[:, None], 1.0, s)[:, 0]
    weights = np.exp(rng.standard_normal(200))
    bound = np.diff(values).max() / np.diff(x).max() * rng.uniform(0.2, 0.8)
    g = PROJECTIONS.get(projection, projection)(x, values, weights, bound)
    return {
        "excess": np.max(np.diff(g) / np.diff(x)) / bound - 1,
        "gap": duality_gap(x, values, weights, bound, g),
    }


@claim(
    "mode-interpolation/best-lipschitz-is-isotonic",
    theorem="derived here; the paper says that networks are smooth",
    status="ours",
    statement=r"Among functions of slope at most $\Lambda$ the least denoising loss "
    r"$\int p\,(D-g)^2$ is attained by $g=\Lambda y-\mathrm{Iso}_p(\Lambda y-D)$, isotonic "
    r"regression with weights $p$.",
    experiment=projections,
    kind="identity",
    region=AtMost(1e-8),
    reason="rounding of sums of 200 terms, relative to a loss that is a small part of them",
    assumptions=(Assumption("dimension one; a grid of points with positive weights"),),
    control=(
        Control("the mean of the two envelopes: of bounded slope too", projection="envelopes"),
        Control("all points equally likely", projection="unweighted"),
    ),
)
def best_lipschitz(table):
    """Largest excess of slope, or of loss as certified by duality."""
    return exact_estimate(table[["excess", "gap"]].to_numpy().max(), len(table))


def random_score(d, rng):
    """Return y on [0, d] and a score that is 0 at both ends and brings the density back."""
    y, k = np.linspace(0, d, 2001), np.arange(1, 7)
    waves = np.sin(np.pi * np.outer(y / d, k))
    score = waves @ (rng.standard_normal(6) / k**2)
    triangle = -np.interp(y / d, [0, 0.25, 0.75, 1], [0, 1, -1, 0])
    score -= waves[:, 0] * np.trapezoid(score, y) / np.trapezoid(waves[:, 0], y)
    return y, triangle + rng.choice([0.0, 0.02, 0.2, 1.0]) * score


@experiment(
    "mode-interpolation/scores",
    paper=PAPER,
    design=grid(bound_scale=1),
    paired=("bound_scale",),
    columns={"drop": Column("fall of the log density over the largest that the slope allows")},
    presets={"quick": dict(replicates=300), "paper": dict(replicates=5000)},
    block=100,
)
def scores(*, bound_scale, rng):
    """Random scores between two modes of equal height; their Lipschitz constant times a factor."""
    d = rng.uniform(0.5, 3)
    y, score = random_score(d, rng)
    bound = np.abs(np.diff(score) / np.diff(y)).max() * bound_scale
    log_density = np.append(0, np.cumsum((score[1:] + score[:-1]) / 2 * np.diff(y)))
    return {"drop": log_density.min() / np.log(density_floor(d, bound))}


@claim(
    "mode-interpolation/density-floor",
    theorem="derived here; the paper says that smooth scores cannot be 0 between modes",
    status="ours",
    statement=r"A density with an $L$-Lipschitz score between two modes of equal height at "
    r"distance $d$ is nowhere between them below $e^{-Ld^2/16}$ times that height. The triangular "
    "score attains it.",
    experiment=scores,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a fall of more than 1 + 1e-9 of the largest, rounding",
    assumptions=(Assumption("the score is 0 at both modes"),),
    control=(
        Control("a Lipschitz constant too small by 1%", bound_scale=0.99),
        Control("16 read as 32", bound_scale=0.5),
    ),
)
def floor(table):
    """Share of scores whose density falls lower."""
    return violated(table["drop"] > 1 + 1e-9)


@experiment(
    "mode-interpolation/grids",
    paper=PAPER,
    design=grid(angle=0),
    paired=("angle",),
    columns={"error": Column("largest difference over the spacing of the grid")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=500)},
    block=40,
)
def grids(*, angle, rng):
    """The denoiser of a 5 by 5 grid turned by `angle` degrees against that of its coordinates."""
    target = grid_mixture(angle=np.radians(angle))
    side = line_mixture(np.unique(grid_mixture().law.means[:, 0]), 0.05 / np.sqrt(0.05**2 + 8))
    x, s = rng.standard_normal((50, 2)), np.exp(rng.uniform(np.log(0.03), np.log(2)))
    found = target.data(x, 1.0, s)
    product = np.stack([side.data(x[:, [i]], 1.0, s)[:, 0] for i in range(2)], axis=1)
    return {"error": np.abs(found - product).max() / 0.7070}


@claim(
    "mode-interpolation/grids-are-products",
    theorem="derived here, for the two-dimensional experiment",
    status="ours",
    statement=r"The exact denoiser of the $5\times5$ grid is that of its coordinates, "
    r"$D(x_1,x_2)=(D_1(x_1),D_1(x_2))$: a plane of modes adds nothing to a line of them.",
    experiment=grids,
    kind="identity",
    region=AtMost(1e-9),
    reason="rounding, times distances of up to 40 standard deviations between modes",
    assumptions=(Assumption("equal weights; sides along the axes"),),
    control=Control("the grid turned by 45 degrees, as the paper's diamond", angle=45),
)
def products(table):
    """Largest difference."""
    return exact_estimate(table["error"].max(), len(table))
