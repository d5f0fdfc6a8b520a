"""The SDE solvers of the MR Sampler: exact moments on Gaussians, and what they lose."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import GaussianTarget, propagate_gaussian, time_grid
from theorytk.diffusion.sde_theory import expected_weak_order, first_order_variance_loss
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate, order_estimate

from .stochastic_common import MRS, SCHEDULE, stochastic

LEVELS = 4
COARSEST = 32
DIRECTIONS = 24  # variances of the data in one replicate
ERRORS = [f"error_{k}" for k in range(LEVELS)]
RANGES = {"whole": (SCHEDULE.t_min, SCHEDULE.t_max), "inner": (0.4, 0.8)}
NORMAL = (
    Assumption("data N(0, v) about the mean, and the prediction is exact"),
    Assumption("exact law at the start"),
)
REASON = "extrapolation leaves O(h^2); a quarter tells integers apart"


@lru_cache(maxsize=64)
def compiled(algorithm, part, n_steps):
    """Return a plan for a grid uniform in lambda."""
    t_min, t_max = RANGES[part]
    times = time_grid(SCHEDULE, "logsnr", n_steps, t_min=t_min, t_max=t_max)
    if isinstance(algorithm, str):
        return stochastic(algorithm, SCHEDULE, times)
    return algorithm(SCHEDULE, times)


def kept_variances(plan, variances):
    """Return the variances of a plan's result over the exact ones, less 1."""
    target, end = GaussianTarget(np.zeros(len(variances)), variances), float(plan.times[-1])
    exact = float(SCHEDULE.alpha(end)) ** 2 * variances + float(SCHEDULE.sigma(end)) ** 2
    return np.diag(propagate_gaussian(plan, target).covariance) / exact - 1


@experiment(
    "sampler-stability/mr-weak-errors",
    paper=MRS,
    design=grid(algorithm=["sde_dpm-2", "sde_dpmpp-2"], part="whole"),
    paired=("algorithm",),
    columns={
        "data_variance": Column("variance of the centred data"),
        **{
            name: Column(f"relative error of the variance at {COARSEST * 2**k} steps")
            for k, name in enumerate(ERRORS)
        },
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=4)},
    block=1,
    algorithm="algorithm",
)
def weak_errors(*, algorithm, part, rng):
    """Exact variances of an SDE solver at the end of refined grids, for 24 laws of the data.

    The algorithm is ``algorithm(schedule, times) -> Plan``, with noise instructions. The range of
    times is the "whole" one, or an "inner" one from noisy to less noisy states.
    """
    variances = SCHEDULE.sigma_inf**2 * rng.uniform(0.2, 2.0, DIRECTIONS)
    errors = {
        name: np.abs(kept_variances(compiled(algorithm, part, COARSEST * 2**k), variances))
        for k, name in enumerate(ERRORS)
    }
    return {"data_variance": variances, **errors}


def weak_orders(table):
    """Order of the error of the variance, per solver."""
    return {
        name: order_estimate(rows[ERRORS].to_numpy(), floor=1e-13)
        for name, rows in table.groupby("algorithm", sort=False)
    }


def weak_order_claim(name, order, at=None, **rest):
    """Register the claim that SDE solvers have a weak order."""
    weak = expected_weak_order(order)
    return claim(
        f"sampler-stability/{name}",
        experiment=weak_errors,
        at=at,
        region=Between(weak - 0.25, weak + 0.25),
        reason=REASON,
        assumptions=NORMAL,
        **rest,
    )(weak_orders)


weak_order_claim(
    "mr-sde-first-order",
    1,
    dict(algorithm=["sde_dpm-1", "sde_dpmpp-1"], part="inner"),
    theorem="section on SDE solvers, order 1",
    statement=r"The first-order SDE solvers, in noise and in data prediction, have weak order 1: "
    r"the variance of Gaussian data is off by $O(h)$, here where $v^2<u_0u_1$ with "
    r"$u=\sigma^2/\alpha^2$ at the two ends: at equality noise prediction loses nothing of order "
    r"$h$.",
    control=(
        Control("noise twice as large", algorithm="sde_dpmpp-1 louder 1"),
        Control("noise 0.4% too small", algorithm="sde_dpmpp-1 louder -0.004"),
    ),
)
weak_order_claim(
    "mr-sde-second-order",
    2,
    theorem="section on SDE solvers, order 2",
    statement=r"The second-order SDE solvers, in noise and in data prediction, have weak order 2: "
    r"the variance of Gaussian data is off by $O(h^2)$.",
    control=(
        Control("the difference of outputs D_1 left out", algorithm="sde_dpmpp-2 short 1"),
        Control("D_1 weighed 4% too much", algorithm="sde_dpmpp-2 short -0.04"),
    ),
)
weak_order_claim(
    "mr-sde-third-is-second",
    3,
    dict(algorithm=["sde_dpmpp-3", "sde_dpm-3", "sde_dpmpp-4"]),
    status="empirical",
    theorem="beyond the paper, whose SDE solvers end at order 2",
    statement=r"SDE solvers that interpolate three or four outputs still have weak order 2: more "
    r"history does not see the noise within a step, and the variance is off by $O(h^2)$.",
    control=(
        Control("one output only: order 1", algorithm="sde_dpmpp-1"),
        Control("differences of outputs 1% too large", algorithm="sde_dpmpp-3 short -0.01"),
    ),
)


@experiment(
    "sampler-stability/mr-variance-loss",
    paper=MRS,
    design=grid(output=["data", "noise"], part=["whole", "inner"], law="own"),
    paired=("law",),
    columns={
        "loss": Column("share of the variance lost per unit of the step, extrapolated to 0"),
        "law_value": Column("what the law says of it"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=4)},
    block=1,
)
def variance_loss(*, output, part, law, rng):
    """What first-order SDE steps lose of the variance, for 24 laws of the data.

    The law is the prediction's "own", that of the "other", or a number of times its own.
    """
    variances = SCHEDULE.sigma_inf**2 * rng.uniform(0.2, 2.0, DIRECTIONS)
    name = {"data": "sde_dpmpp-1", "noise": "sde_dpm-1"}[output]
    losses = []
    for n_steps in (128, 256):
        plan = compiled(name, part, n_steps)
        h = float(SCHEDULE.lam(plan.times[1]) - SCHEDULE.lam(plan.times[0]))
        losses.append(-kept_variances(plan, variances) / h)
    told = {"own": output, "other": {"data": "noise", "noise": "data"}[output]}.get(law, output)
    t_min, t_max = RANGES[part]
    value = first_order_variance_loss(SCHEDULE, t_max, t_min, variances, output=told)
    factor = 1.0 if law in ("own", "other") else law
    return {"loss": 2 * losses[1] - losses[0], "law_value": factor * value}


@claim(
    "sampler-stability/mr-variance-loss",
    theorem="derived here",
    status="ours",
    statement=r"With $u=\sigma^2/\alpha^2$ first-order SDE steps of length $h$ in $\lambda$ give "
    r"$N(m,v)$ the share $1-hc+O(h^2)$ of its variance, $c=(v+u_1)(f(u_1)-f(u_0))$ with "
    r"$f=\frac{v}{(v+u)^2}$ in data and $f=\frac{-u}{(v+u)^2}$ in noise prediction. From noise "
    r"to data this is $h$ against nothing.",
    experiment=variance_loss,
    region=Between(-0.01, 0.01),
    reason="extrapolation from 128 and 256 steps leaves a few h^2, h <= 0.04 at 256 steps",
    assumptions=NORMAL,
    control=(
        Control("the law of the other prediction", law="other"),
        Control("3% more than the law", law=1.03),
    ),
)
def variance_loss_law(table):
    """Mean difference of the extrapolated loss from the law, per prediction and range."""
    return {
        f"{output}, {part}": mean_estimate(rows["loss"] - rows["law_value"])
        for (output, part), rows in table.groupby(["output", "part"], sort=False)
    }
