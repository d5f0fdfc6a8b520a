"""Gaussian data, where a sampler's law is exact: divergences, distances and DDIM's factor."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
from scipy.stats import multivariate_normal

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import (
    GaussianTarget,
    compile_plan,
    ddim_factor,
    flow_factor,
    gaussian_kl,
    gaussian_w2,
    propagate_gaussian,
    time_grid,
)
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, mean_estimate, order_estimate

from .common import DPM, SCHEDULE, run
from .common import grid as grid_between
from .samplers import SAMPLERS

NORMAL = Assumption("data are N(m, C), and the prediction is exact")
SPAN = (-4.0, 0.3)
STEPS = (16, 32, 64, 128)
ORDERS = {"ddim": 1, "dpm_2m": 2, "dpmpp_2m": 2, "heun": 2}
DIMENSION = 4


def random_gaussian(rng):
    """Return a Gaussian in four dimensions, with variances between 0.05 and 0.25."""
    vectors, _ = np.linalg.qr(rng.standard_normal((DIMENSION, DIMENSION)))
    variances = rng.uniform(0.05, 0.25, DIMENSION)
    return GaussianTarget(rng.standard_normal(DIMENSION), (vectors * variances) @ vectors.T)


def level(t):
    """Return alpha and sigma at a time."""
    return float(SCHEDULE.alpha(t)), float(SCHEDULE.sigma(t))


@cache
def plan_of(algorithm, n_steps):
    """Return the plan of an algorithm, given by its name or as a function."""
    times = grid_between("logsnr", n_steps, SPAN)
    return SAMPLERS.get(algorithm, algorithm)(SCHEDULE, times, 1)


@experiment(
    "diffusion-samplers/gaussian-distances",
    paper=DPM,
    design=grid(algorithm=list(ORDERS), compared_at=1),
    paired=("algorithm", "compared_at"),
    columns={
        "n_steps": Column("steps", dtype="int"),
        "kl": Column("divergence of the sampler's law from the exact one", unit="nat"),
        "w2": Column("2-Wasserstein distance of the two"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=10,
    algorithm="algorithm",
)
def gaussian_distances(*, algorithm, compared_at, rng):
    """Exact laws of a sampler of a random Gaussian, started from the exact law.

    They are compared with the law at `compared_at` times the last time. The algorithm is
    ``algorithm(schedule, times, bootstrap) -> Plan``; of order 2 but for "ddim".
    """
    target, rows = random_gaussian(rng), []
    for n_steps in STEPS:
        plan = plan_of(algorithm, n_steps)
        law = propagate_gaussian(plan, target)
        exact = target.moments(*level(compared_at * plan.times[-1]))
        rows.append(
            {"n_steps": n_steps, "kl": gaussian_kl(*law, *exact), "w2": gaussian_w2(*law, *exact)}
        )
    return rows


def root_order(rows, column, power):
    """Return the order of convergence of the root of a distance."""
    errors = rows.pivot(index="replicate", columns="n_steps", values=column) ** (1 / power)
    floor = 1e-13 if column == "w2" else 1e-26
    return order_estimate(errors.to_numpy(), floor=floor ** (1 / power))


@claim(
    "diffusion-samplers/gaussian-kl-order",
    theorem="derived here; for the orders see the claims on orders",
    status="ours",
    statement=r"For Gaussian data the law of a sampler of order $p$, $p=1$ or $2$, has "
    r"$W_2\propto h^p$ and $\mathrm{KL}\propto h^{2p}$: $W_2^{1/p}$ and $\mathrm{KL}^{1/2p}$ are "
    "of order 1.",
    experiment=gaussian_distances,
    region=Between(0.875, 1.125),
    reason="as for orders: a quarter of one at p = 2; extrapolation leaves terms of relative h^2",
    assumptions=(NORMAL, Assumption("exact law at the start, one exact state of history")),
    control=(
        Control("compared with the data, noise left at the end forgotten", compared_at=0),
        Control("compared with the law 0.02% of the last time off", compared_at=1.0002),
    ),
)
def gaussian_kl_order(table):
    """Order of the roots of KL and of W2, per method."""
    points = {}
    for name, rows in table.groupby("algorithm", sort=False):
        p = ORDERS.get(name, 2)
        points[f"KL, {name}"] = root_order(rows, "kl", 2 * p)
        points[f"W2, {name}"] = root_order(rows, "w2", p)
    return points


@experiment(
    "diffusion-samplers/gaussian-factor",
    paper=DPM,
    design=grid(variance_at="start"),
    paired=("variance_at", "device", "algorithm"),
    columns={"residual": Column("largest difference of a coordinate from the law")},
    presets={"quick": dict(replicates=50), "paper": dict(replicates=1000)},
    block=50,
    algorithm="algorithm",
)
def gaussian_factor(*, variance_at, algorithm="ddim", device="cpu", rng):
    """DDIM on random Gaussians and random grids against its product of factors.

    The variance of a step's factor is that at its "start" or, wrongly, at its "end"; or all
    factors are those of the exact "flow". The algorithm is
    ``algorithm(schedule, times, bootstrap) -> Plan``.
    """
    mean, variances = rng.standard_normal(DIMENSION), rng.uniform(0.05, 0.25, DIMENSION)
    target = GaussianTarget(mean, variances)
    times = np.sort(rng.uniform(0.01, 1, rng.integers(3, 12)))[::-1]
    x = rng.standard_normal((8, DIMENSION))
    plan = SAMPLERS.get(algorithm, algorithm)(SCHEDULE, times, 0)
    result = run(plan, target.model(SCHEDULE), x[None], device)
    factor = np.prod([step_factor(*ts, variances, variance_at) for ts in pairwise(times)], axis=0)
    first, last = SCHEDULE.alpha(times[[0, -1]])
    return {"residual": np.max(np.abs(result - last * mean - factor * (x - first * mean)))}


def step_factor(start, end, variances, variance_at):
    """Return the factor of a step, right or as it is taken wrongly."""
    if variance_at == "flow":
        return flow_factor(SCHEDULE, start, end, variances)
    factor = ddim_factor(SCHEDULE, start, end, variances)
    if variance_at == "start":
        return factor
    ratio = SCHEDULE.sigma(end) / SCHEDULE.sigma(start)
    alpha, sigma = (np.array(v) for v in zip(level(start), level(end), strict=True))
    V = alpha[:, None] ** 2 * variances + sigma[:, None] ** 2
    return ratio + (factor - ratio) * V[0] / V[1]


@claim(
    "diffusion-samplers/gaussian-ddim-factor",
    theorem="derived here, from DDIM's step in data prediction",
    status="ours",
    statement=r"For $N(m,v)$ a DDIM step from $s$ to $t$ multiplies $x-\alpha m$ by "
    r"$\frac{\sigma_t}{\sigma_s}+\alpha_t(1-e^{-h})\frac{\alpha_sv}{\alpha_s^2v+\sigma_s^2}$.",
    experiment=gaussian_factor,
    kind="identity",
    region=AtMost(1e-12),
    reason="rounding of at most 11 steps of states of size 5",
    assumptions=(NORMAL,),
    control=(
        Control("the variance of the step's end", variance_at="end"),
        Control("the factors of the exact flow", variance_at="flow"),
    ),
)
def gaussian_ddim_factor(table):
    """Largest difference."""
    return exact_estimate(table["residual"].max(), len(table))


@experiment(
    "diffusion-samplers/gaussian-monte-carlo",
    paper=DPM,
    design=grid(n_steps=4, n_draws=5000, law="propagated"),
    paired=("law", "device"),
    columns={
        "kl": Column("divergence by exact propagation", unit="nat"),
        "ratio": Column("mean over draws of the log ratio of densities, over this"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=10,
)
def gaussian_monte_carlo(*, n_steps, n_draws, law, device="cpu", rng):
    """Draws of 2M of few steps: their divergence from the exact law, by simulation.

    The divergence is that of the "propagated" law, in "bits", or taken in the "reverse" direction.
    """
    target = random_gaussian(rng)
    plan = compile_plan(SCHEDULE, time_grid(SCHEDULE, "logsnr", n_steps), "dpmpp_2m")
    x = target.sample(n_draws, rng, *level(plan.times[0]))
    draws = run(plan, target.model(SCHEDULE), x[None], device)
    ours, exact = propagate_gaussian(plan, target), target.moments(*level(plan.times[-1]))
    logs = multivariate_normal(*ours).logpdf(draws) - multivariate_normal(*exact).logpdf(draws)
    p, q = (exact, ours) if law == "reverse" else (ours, exact)
    kl = gaussian_kl(*p, *q) / (np.log(2) if law == "bits" else 1)
    return {"kl": kl, "ratio": logs.mean() / kl}


@claim(
    "diffusion-samplers/gaussian-monte-carlo",
    theorem="derived here: every register of a plan is affine in its start",
    status="ours",
    statement=r"The divergence of a sampler's law from the exact one by exact propagation, "
    r"$\mathrm{KL}(\hat p\,\Vert\,p)$ of Gaussians, is the mean over the sampler's draws of "
    r"$\log\hat p-\log p$.",
    experiment=gaussian_monte_carlo,
    region=Between(0.9, 1.1),
    reason="an equality; a tenth of it is what the draws of the quick preset can tell",
    assumptions=(NORMAL,),
    control=(
        Control("the divergence in the other direction", law="reverse"),
        Control("bits taken for nats", law="bits"),
    ),
)
def gaussian_monte_carlo_ratio(table):
    """Mean ratio of the two divergences."""
    return mean_estimate(table["ratio"])
