"""Frozen rates: limits of third-order and momentum samplers, and complex rates of any sampler."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import Model, VESchedule, sample, time_grid
from theorytk.diffusion.frozen_rates import (
    frozen_rate_growth,
    frozen_rate_root_limit,
    momentum_rate_limit,
    multistep_rate_limit,
)
from theorytk.diffusion.samplers.momentum import MOMENTUM_METHODS
from theorytk.diffusion.stability import real_limit
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate

from ..diffusion_samplers.samplers import SAMPLERS
from .common import MOMENTUM, TOPIC, momentum

FROZEN = Assumption(r"the rate $\kappa$ does not change, and all steps have one length $h\le3$")
THIRD = ("dpm_3m", "dpmpp_3m")
RUN_STEPS = 80


def step_length(rng):
    """Return a random step in lambda, from 0.05 to 3."""
    return float(np.exp(rng.uniform(np.log(0.05), np.log(3))))


@experiment(
    f"{TOPIC}/third-order-rates",
    paper=MOMENTUM,
    design=grid(method=list(THIRD), variant=["consistent", "published"], read_as="itself"),
    paired=("method", "variant", "read_as"),
    columns={
        "h": Column("step in lambda"),
        "limit": Column("largest stable rate, by the roots of the sampler's recurrence"),
        "residual": Column("its relative difference from the law"),
    },
    presets={"quick": dict(replicates=10), "paper": dict(replicates=200)},
    block=10,
)
def third_order_rates(*, method, variant, read_as, rng):
    """Largest stable real rate of a three-step DPM-Solver at a random step, against the law.

    The law is that of the method "itself", of the other "prediction" or of the other "weights".
    """
    h, output = step_length(rng), "noise" if method == "dpm_3m" else "data"
    law = dict(output=output, variant=variant)
    if read_as == "prediction":
        law["output"] = "data" if output == "noise" else "noise"
    if read_as == "weights":
        law["variant"] = "published" if variant == "consistent" else "consistent"
    limit = frozen_rate_root_limit(method, h, variant=variant)
    residual = abs(limit / multistep_rate_limit(h, order=3, **law) - 1)
    return {"h": h, "limit": limit, "residual": residual}


@claim(
    f"{TOPIC}/third-order-rate-limits",
    theorem="derived here",
    status="ours",
    statement=r"For $\dot z=-\kappa z$ the largest stable $\kappa$ of the three-step DPM-Solvers, "
    r"consistent or as released, is $\frac2{q\sum_kG_k(1+q)^k}$ in noise and $1+\frac{1+q}"
    r"{\sum_kG_k2^k}$ in data prediction, $q=e^{-h}$, $G_k$ the moments of backward differences.",
    experiment=third_order_rates,
    kind="identity",
    region=AtMost(1e-9),
    reason="roots by eigenvalues to 1e-14, divided by their speed of about h, at least 0.05",
    assumptions=(FROZEN,),
    control=(
        Control("the limits of noise and data prediction swapped", read_as="prediction"),
        Control("the released weights for the consistent ones", read_as="weights"),
    ),
)
def third_order_rate_limits(table):
    """Largest relative difference, per method and variant."""
    return {
        f"{m}, {v}": exact_estimate(g["residual"].max(), len(g))
        for (m, v), g in table.groupby(["method", "variant"], sort=False)
    }


@experiment(
    f"{TOPIC}/momentum-rates",
    paper=MOMENTUM,
    design=grid(method=list(MOMENTUM_METHODS), read_as="itself"),
    paired=("method", "read_as"),
    columns={
        "h": Column("step in lambda"),
        "order": Column("terms of the Adams-Bashforth part", dtype="int"),
        "damping": Column("damping coefficient beta"),
        "limit": Column("largest stable rate, by the roots of the sampler's recurrence"),
        "residual": Column("its relative difference from the law"),
    },
    presets={"quick": dict(replicates=12), "paper": dict(replicates=300)},
    block=12,
)
def momentum_rates(*, method, read_as, rng):
    """Largest stable real rate of a momentum sampler on steps equal in lambda, against the law.

    The law is that of the method "itself", or that of steps "equal in rho", over h.
    """
    h, order, damping = step_length(rng), int(rng.integers(1, 5)), float(rng.uniform(0.2, 1))
    limit = frozen_rate_root_limit(method, h, order=order, damping=damping)
    if read_as == "itself":
        law = momentum_rate_limit(method, h, order=order, damping=damping)
    else:
        law = -real_limit(method, order, damping) / h
    row = {"h": h, "order": order, "damping": damping, "limit": limit}
    return {**row, "residual": abs(limit / law - 1)}


@claim(
    f"{TOPIC}/momentum-rate-limits",
    theorem="derived here",
    status="ours",
    statement=r"On steps $h$ equal in $\lambda$ the largest stable $\kappa$ of heavy ball is "
    r"$\frac{2(1+(1-\beta)q)}{(1-q)\beta\sum_{k<r}\gamma_k(1+q)^k}$, $q=e^{-h}$; likewise for GHVB "
    r"and for Nesterov's variant: twos of the limits in $\rho$ become $1+q$.",
    experiment=momentum_rates,
    kind="identity",
    region=AtMost(1e-9),
    reason="roots by eigenvalues to 1e-14, divided by their speed of about h, at least 0.05",
    assumptions=(FROZEN,),
    control=Control("the limit of steps equal in rho, over h", read_as="equal in rho"),
)
def momentum_rate_limits(table):
    """Largest relative difference, per method."""
    groups = table.groupby("method", sort=False)
    return {str(m): exact_estimate(g["residual"].max(), len(g)) for m, g in groups}


ALGORITHMS = (
    "dpm_2m",
    "dpmpp_2m",
    "dpm_3m",
    "dpmpp_3m",
    "unipc-3",
    "deis_rhoab2",
    "ipndm",
    "hb-3 at 0.8",
    "ghvb-2 at 0.8",
)


def sampler(algorithm):
    """Return a sampler by its name; a function is one already."""
    if callable(algorithm):
        return algorithm
    return SAMPLERS[algorithm] if algorithm in SAMPLERS else momentum(algorithm)


def edge(algorithm, h, direction):
    """Return the size of the first rate in a direction at which the chart says growth."""
    low, high = 0.1, 100.0
    for _ in range(2):
        sizes = np.geomspace(low, high, 80)
        growing = frozen_rate_growth(algorithm, h, sizes * direction, bootstrap=0) >= 1
        first = int(np.argmax(growing[1:])) + 1
        low, high = sizes[first - 1], sizes[first]
    return high


def run_growth(plan, kappa):
    """Return the mean growth of a long run's second half, for a complex rate in the plane."""
    rotation = np.array([[kappa.real, kappa.imag], [-kappa.imag, kappa.real]])
    model = Model(lambda x, t: x @ rotation / float(plan.schedule.sigma(t)))
    starts = [np.array([[1.0, 0.5]]), *(np.array([[0.3, -1.0]]),) * (len(plan.inputs) - 1)]
    run = sample(plan, model, starts[0] if len(starts) == 1 else starts, record=True)
    late, end = (float(np.linalg.norm(run.states[i])) for i in (RUN_STEPS // 2, RUN_STEPS))
    return (end / late) ** (2 / RUN_STEPS)


@experiment(
    f"{TOPIC}/complex-rates",
    paper=MOMENTUM,
    design=grid(algorithm=list(ALGORITHMS), chart="itself", distance=0.05),
    paired=("algorithm", "chart"),
    columns={
        "h": Column("step in lambda"),
        "angle": Column("angle of the complex rate", unit="rad"),
        "edge": Column("size of the rate at the chart's edge"),
        "below": Column("growth of a step of a long run, below the edge"),
        "above": Column("growth of a step of a long run, above the edge"),
    },
    presets={"quick": dict(replicates=4), "paper": dict(replicates=100)},
    block=4,
    algorithm="algorithm",
)
def complex_rates(*, algorithm, chart, distance, rng):
    """Long runs at complex rates just below and above the edge that a chart shows.

    The algorithm is ``algorithm(schedule, times, bootstrap) -> Plan``. The chart is read off
    "itself" or, wrongly, off "another" plan (2M in data prediction), or taken at "real" rates.
    """
    h, angle = float(rng.uniform(0.2, 1.2)), float(rng.uniform(0, 1.2))
    own, direction = sampler(algorithm), np.exp(1j * angle)
    charted = SAMPLERS["dpmpp_2m"] if chart == "another" else own
    size = edge(charted, h, 1.0 if chart == "real" else direction)
    schedule = VESchedule(math.exp(-RUN_STEPS * h), 1.0)
    plan = own(schedule, time_grid(schedule, "logsnr", RUN_STEPS), 0)
    below, above = (run_growth(plan, s * size * direction) for s in (1 - distance, 1 + distance))
    return {"h": h, "angle": angle, "edge": size, "below": below, "above": above}


@claim(
    f"{TOPIC}/complex-rates",
    theorem="derived here",
    status="ours",
    statement=r"The recurrence read off one step of a sampler's plan decides at complex rates "
    r"$\kappa$ too: runs shrink 5% inside the edge of its chart and grow 5% outside.",
    experiment=complex_rates,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a run's second half on the wrong side of 1; other roots died out",
    assumptions=(FROZEN, Assumption("real pairs of states that turn, for complex rates")),
    control=(
        Control("the chart of another sampler", chart="another"),
        Control("the edge at real rates, for all angles", chart="real"),
    ),
)
def complex_rates_are_charted(table):
    """Share of runs that grow inside, or shrink outside, the edge."""
    wrong = (table["below"] >= 1) | (table["above"] <= 1)
    return violations_estimate(int(wrong.sum()), len(table))


@experiment(
    f"{TOPIC}/point-mass",
    paper=MOMENTUM,
    design=grid(algorithm="ipndm"),
    paired=("algorithm",),
    columns={
        "h": Column("step in lambda"),
        "growth": Column("mean growth of a step, in a long run's second half"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=400)},
    block=20,
    algorithm="algorithm",
)
def point_mass(*, algorithm, rng):
    """Errors of a sampler of a single point with its exact prediction, at a random long step.

    The run starts from wrong states: without errors a point is followed exactly. The algorithm is
    ``algorithm(schedule, times, bootstrap) -> Plan``, with a history of three states where it may.
    """
    h = float(rng.uniform(0.75, 1.5))
    schedule = VESchedule(math.exp(-RUN_STEPS * h), 1.0)
    times = time_grid(schedule, "logsnr", RUN_STEPS)
    return {"h": h, "growth": run_growth(sampler(algorithm)(schedule, times, 3), 1.0 + 0.0j)}


@claim(
    f"{TOPIC}/fourth-order-amplifies-errors",
    theorem="derived here",
    status="ours",
    statement=r"On a single data point, without guidance, an error of iPNDM with four terms grows "
    r"from step to step if these are equal in $\lambda$ and $h\ge0.75$: its largest stable rate "
    r"is below $1$, the rate of a point, from $h=0.72$ on.",
    experiment=point_mass,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a run whose second half shrinks; other roots died out",
    assumptions=(FROZEN, Assumption("steps from 0.75 to 1.5: 6 to 13 in the usual range")),
    control=(
        Control("momentum: HB of four terms at 0.5", algorithm="hb-4 at 0.5"),
        Control("DPM-Solver of third order, in noise prediction", algorithm="dpm_3m"),
    ),
)
def fourth_order_amplifies_errors(table):
    """Share of runs that shrink."""
    return violations_estimate(int((table["growth"] <= 1).sum()), len(table))
