"""Orders of DPM-Solver-v3, and the bias of its steps."""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import compile_plan, random_mixture, reference_trajectory, three_modes
from theorytk.diffusion.tuning.estimation import estimate_statistics
from theorytk.diffusion.tuning.statistics import ModelStatistics
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, order_estimate

from ..diffusion_samplers.common import SCHEDULE, run
from ..diffusion_samplers.order_experiments import ASSUMPTIONS, ERRORS, REASON, order_errors, orders
from .common import V3, named

# Statistics beyond the range of the order experiments, whose steps end at lambda = 0.
SPAN = dict(zip(("t_max", "t_min"), SCHEDULE.t_of_lam(np.array([-4.2, 0.1])), strict=True))
STATED = Assumption("statistics estimated once from 512 draws; any smooth ones have the same order")


@cache
def three_modes_statistics():
    """Return the statistics of the target of the order experiments."""
    target = three_modes()
    options = dict(n_nodes=61, n_samples=512, rng=0, jacobian="exact", **SPAN)
    return estimate_statistics(target, target.sample, SCHEDULE, **options)


@cache
def with_statistics(algorithm):
    """Return a solver as a function of schedule, times and bootstrap."""
    return partial(solved, named(algorithm))


def solved(sampler, schedule, times, bootstrap):
    """Return the plan of a solver with the statistics of the target."""
    return sampler(schedule, times, three_modes_statistics(), bootstrap)


@experiment(
    "tuned-samplers/v3-orders",
    paper=V3,
    design=grid(algorithm="v3-3"),
    paired=("algorithm", "device"),
    columns={
        "accuracy": Column("largest error of the reference, in a coordinate"),
        **{
            name: Column(f"root mean square error of a group at coarsest * {2**k} steps")
            for k, name in enumerate(ERRORS)
        },
    },
    presets={"quick": dict(replicates=2), "paper": dict(replicates=16)},
    block=2,
    algorithm="algorithm",
)
def v3_order_errors(*, algorithm, kind="logsnr", coarsest=32, lam_start=-4.0, device="cpu", rng):
    """Errors on refined grids from exact histories, as for the other samplers.

    The algorithm is ``algorithm(schedule, times, statistics, bootstrap) -> Plan``; it may take the
    exact states at the first ``bootstrap + 1`` times.
    """
    settings = dict(kind=kind, coarsest=coarsest, lam_start=lam_start, device=device, rng=rng)
    return order_errors(algorithm=with_statistics(algorithm), **settings)


def order_claim(name, order, algorithms, *, statement, theorem, control, coarsest=32, **rest):
    """Register the claim that solvers have an order."""
    return claim(
        f"tuned-samplers/{name}",
        theorem=theorem,
        statement=statement,
        experiment=v3_order_errors,
        at=dict(algorithm=algorithms, coarsest=coarsest),
        region=Between(order - 0.25, order + 0.25),
        reason=REASON,
        assumptions=(*ASSUMPTIONS, STATED),
        control=control,
        **rest,
    )(orders)


order_claim(
    "v3-second-order",
    2,
    ["v3-2"],
    theorem="convergence of the (n + 1)-st order solver, n = 1",
    statement=r"DPM-Solver-v3 of order 2, a predictor, has a global error of order $h^2$.",
    control=(
        Control("the older output forgotten", algorithm="v3-1"),
        Control("the older output weighed 2% too little", algorithm="v3-2 damped 0.02"),
    ),
)
order_claim(
    "v3-third-order",
    3,
    ["v3-3"],
    theorem="convergence of the (n + 1)-st order solver, n = 2",
    statement=r"DPM-Solver-v3 of order 3, a predictor, has a global error of order $h^3$.",
    control=(
        Control("divided differences for derivatives", algorithm="v3-3 pseudo"),
        Control("older outputs weighed 0.2% too little", algorithm="v3-3 damped 0.002"),
    ),
)
order_claim(
    "v3-corrector-order",
    3,
    ["v3-3 corrected"],
    coarsest=160,
    status="ours",
    theorem="corrector of the released code; its order derived here",
    statement=r"The corrector of DPM-Solver-v3 uses as many outputs as the predictor: of order 3, "
    r"the two together have order $3$, not $4$ as UniPC's. It lowers the constant.",
    control=(
        Control("one output less", algorithm="v3-2 corrected"),
        Control("older outputs weighed 2e-5 too little", algorithm="v3-3 corrected damped 2e-5"),
    ),
)
order_claim(
    "v3-pseudo-order",
    2,
    ["v3-3 pseudo", "v3-3 pseudo-corrected"],
    status="ours",
    theorem="pseudo-order solver; its order derived here",
    statement=r"With divided differences for derivatives the solver of order 3 has order $2$, as "
    r"predictor and as corrector: $[u_0,u_1]g$ is $g'$ at the middle of two nodes.",
    control=(
        Control("the derivatives of the polynomial", algorithm="v3-3"),
        Control("older outputs weighed 2% too little", algorithm="v3-3 pseudo damped 0.02"),
    ),
)

START, LENGTHS = -0.5, (0.2, 0.1, 0.05, 0.025)
BIASES = [f"bias_{k}" for k in range(len(LENGTHS))]
RMS = [f"rms_{k}" for k in range(len(LENGTHS))]


def draws_with_statistics(target, seed, n):
    """Return draws at START and their own statistics: equal seeds give equal draws."""
    t_max, t_min = (float(t) for t in SCHEDULE.t_of_lam(np.array([START, START + LENGTHS[0]])))
    options = dict(n_samples=n, rng=seed, jacobian="exact", t_min=t_min, t_max=t_max)
    statistics = estimate_statistics(target, target.sample, SCHEDULE, n_nodes=11, **options)
    rng = np.random.default_rng(seed)
    clean = target.sample(n, rng)
    noise = rng.standard_normal(clean.shape)
    return float(SCHEDULE.alpha(t_max)) * clean + float(SCHEDULE.sigma(t_max)) * noise, statistics


def one_step(algorithm, times, statistics):
    """Return the plan of one step of first order."""
    if algorithm == "ddim":
        return compile_plan(SCHEDULE, times, "ddim")
    return named(algorithm)(SCHEDULE, times, statistics, 0)


@experiment(
    "tuned-samplers/v3-local-bias",
    paper=V3,
    design=grid(algorithm="v3-1"),
    paired=("algorithm", "b_off", "device"),
    columns={
        **{
            name: Column(f"length of the mean error of a step of {h} in lambda")
            for name, h in zip(BIASES, LENGTHS, strict=True)
        },
        **{
            name: Column(f"root mean square error of a step of {h} in lambda")
            for name, h in zip(RMS, LENGTHS, strict=True)
        },
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=1000)},
    block=100,
    algorithm="algorithm",
)
def local_bias(*, algorithm, b_off=0.0, n=64, device="cpu", rng):
    """Errors of one step from lambda = -0.5 over draws of the forward law of a random mixture.

    The statistics are the least-squares ones of these very draws, b off by a number. The algorithm
    is ``algorithm(schedule, times, statistics, bootstrap) -> Plan``, of one step.
    """
    target, seed = random_mixture(2, 3, rng), int(rng.integers(2**32))
    x, law = draws_with_statistics(target, seed, n)
    tables = ModelStatistics(law.lam, law.linear, law.scaling, law.bias + b_off)
    times = SCHEDULE.t_of_lam(START + np.array([0.0, *LENGTHS[::-1]]))
    exact = reference_trajectory(target, SCHEDULE, x, times, rtol=1e-13).states[:0:-1]
    row = {}
    for t, end, bias, rms in zip(times[:0:-1], exact, BIASES, RMS, strict=True):
        plan = one_step(algorithm, [times[0], t], tables)
        error = run(plan, target.model(SCHEDULE), x[None], device) - end
        row |= {bias: np.linalg.norm(error.mean(axis=0)), rms: np.sqrt(np.mean(error**2))}
    return row


@claim(
    "tuned-samplers/v3-local-unbiased",
    theorem="optimality of s and b: local unbiasedness of the first-order step",
    statement=r"With the least-squares $s$ and $b$ at the start of a first-order step, the mean of "
    r"its error over the law there is $O(h^3)$; without, as for DDIM, $O(h^2)$.",
    experiment=local_bias,
    region=Between(2.75, 3.25),
    reason=REASON,
    assumptions=(
        Assumption("exact score of random mixtures of three Gaussians in the plane"),
        Assumption("means over 64 draws, of which l, s and b are the statistics: exact for them"),
    ),
    control=(
        Control("DDIM", algorithm="ddim"),
        Control("b off by 0.001", b_off=0.001),
    ),
)
def local_unbiased(table):
    """Order of the length of the mean error."""
    return order_estimate(table[BIASES], floor=1e-12)
