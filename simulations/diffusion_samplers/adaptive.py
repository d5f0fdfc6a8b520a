"""The adaptive DPM-Solver: how its error follows the tolerance, and what a batch does to it."""

from __future__ import annotations

from functools import cache

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import adaptive_sample, reference_trajectory, three_modes
from theorytk.diffusion.torch import to_device, to_numpy
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, slope_estimate

from . import common

TOLERANCES = [1e-5, 1e-6, 1e-7]
FIRST, LAST = (float(t) for t in common.grid("logsnr", 1, (-4.0, 0.0)))


def problem(n, rng):
    """Return the model of a mixture and n starting points."""
    target = three_modes()
    alpha, sigma = (float(f(FIRST)) for f in (common.SCHEDULE.alpha, common.SCHEDULE.sigma))
    return target.model(common.SCHEDULE), target.sample(n, rng, alpha, sigma)


@cache
def solved(seed):
    """Return a model, 24 starting points and the ends of the flow, which conditions share."""
    model, x = problem(24, np.random.default_rng(seed))
    return model, x, reference_trajectory(model, common.SCHEDULE, x, [FIRST, LAST]).states[-1]


def solve(model, x, device, **options):
    """Return the states that DPM-Solver-23 finds."""
    options |= dict(t_start=FIRST, t_end=LAST)
    return to_numpy(adaptive_sample(common.SCHEDULE, model, to_device(x, device), **options).x)


@experiment(
    "diffusion-samplers/adaptive",
    paper=common.DPM,
    design=grid(rtol=0.0),
    paired=("rtol", "device"),
    columns={
        "tolerance": Column("absolute tolerance of the solver"),
        "error": Column("root mean square error at the end"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=10,
)
def adaptive(*, rtol, device="cpu", rng):
    """DPM-Solver-23 at three absolute tolerances, from 24 starting points."""
    model, x, exact = solved(int(rng.integers(2**32)))
    found = [solve(model, x, device, atol=tolerance, rtol=rtol) for tolerance in TOLERANCES]
    return {
        "tolerance": TOLERANCES,
        "error": [float(np.sqrt(np.mean((y - exact) ** 2))) for y in found],
    }


@claim(
    "diffusion-samplers/adaptive-error",
    theorem="adaptive step size (appendix); the law derived here",
    status="ours",
    statement=r"The error of DPM-Solver-23 is proportional to its absolute tolerance: the rule "
    r"keeps the difference of the two solvers, of order $h^3$, at the tolerance, and the better "
    r"one errs by $O(h^3)$ at the end.",
    experiment=adaptive,
    region=Between(0.85, 1.15),
    reason="h falls from about 0.1 to 0.03, and 1 + O(h) changes a slope over two decades by 0.1",
    assumptions=(Assumption("rtol = 0: one tolerance alone"),),
    control=(
        Control("the default rtol left in", rtol=0.05),
        Control("a relative tolerance of the same size left in", rtol=1e-6),
    ),
)
def adaptive_error(table):
    """Slope of the logarithm of the error over that of the tolerance."""
    rows = np.log(table["error"].to_numpy().reshape(-1, len(TOLERANCES)))
    return slope_estimate(np.log(TOLERANCES), rows)


@experiment(
    "diffusion-samplers/adaptive-batches",
    paper=common.DPM,
    design=grid(per_sample=True),
    paired=("per_sample", "device"),
    columns={"difference": Column("largest difference of a state alone and in its batch")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    block=20,
)
def adaptive_batches(*, per_sample, device="cpu", rng):
    """DPM-Solver-23 at atol = rtol = 1e-3 for eight starting points and for the first alone."""
    model, x = problem(8, rng)
    options = dict(atol=1e-3, rtol=1e-3, per_sample=per_sample)
    batch, alone = (solve(model, y, device, **options)[:1] for y in (x, x[:1]))
    return {"difference": np.max(np.abs(batch - alone))}


@claim(
    "diffusion-samplers/adaptive-batch-independence",
    theorem="adaptive step size (appendix), read per sample; ours",
    status="ours",
    statement=r"With a step $h$ for each sample a result does not depend on the batch around it; "
    r"the published rule takes the largest estimate of the batch, and it does.",
    experiment=adaptive_batches,
    kind="identity",
    region=AtMost(1e-13),
    reason="the same operations in the same order, up to the last bit of vector code",
    assumptions=(Assumption("one model and one tolerance for all samples"),),
    control=Control("the published rule", per_sample=False),
)
def batch_independence(table):
    """Largest difference over replicates."""
    return exact_estimate(table["difference"].max(), len(table))
