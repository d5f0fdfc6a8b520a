"""Guided mixtures: fourth order diverges, with momentum too; heavy ball cures third order."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, mean_estimate

from ..diffusion_samplers.suite import guided_log_error
from .common import MOMENTUM, TOPIC, momentum

MIXTURES = Assumption("a population of random mixtures of 10 Gaussians in 8 dimensions")
GUIDED = Assumption("guidance towards one component, exact predictions")


@experiment(
    f"{TOPIC}/guided-errors",
    paper=MOMENTUM,
    design=grid(scale=7.5, n_steps=10, algorithm="ghvb-4 at 1", baseline="ghvb-2 at 0.8"),
    paired=("scale", "n_steps", "algorithm", "baseline", "device"),
    columns={
        "error": Column("root mean square error over starting points and coordinates"),
        "digits": Column("decimal logarithm of its ratio to that of the baseline"),
    },
    presets={"quick": dict(replicates=25), "paper": dict(replicates=200)},
    block=25,
    algorithm="algorithm",
)
def guided_errors(*, scale, n_steps, algorithm, baseline, device="cpu", rng):
    """Error of a sampler of a random guided mixture, grid uniform in lambda.

    The algorithm is ``algorithm(schedule, times, bootstrap) -> Plan``; by its name a momentum
    sampler, which is iPNDM "at 1".
    """
    problem, device = (int(rng.integers(2**32)), float(scale)), str(device)
    own, other = (
        guided_log_error(*problem, a if callable(a) else momentum(a), n_steps, device)
        for a in (algorithm, baseline)
    )
    return {"error": np.exp(own), "digits": (own - other) / np.log(10)}


def digits(table):
    """Return the mean decimal logarithm of the ratio, per sampler."""
    groups = table.groupby("algorithm", sort=False)
    return {str(a): mean_estimate(g["digits"]) for a, g in groups}


@claim(
    f"{TOPIC}/fourth-order-diverges",
    theorem="high orders diverge under guidance (figures); measured here",
    status="empirical",
    statement=r"At guidance $w=7.5$ and 10 steps, uniform in $\lambda$, iPNDM and GHVB of fourth "
    r"order, $\beta=0.8$, have at least five times the error of GHVB of second order with "
    r"$\beta=0.8$, in the geometric mean.",
    experiment=guided_errors,
    at=dict(algorithm=["ghvb-4 at 1", "ghvb-4 at 0.8"]),
    region=AtLeast(np.log10(5)),
    reason="the least effect that is claimed, a factor of 5",
    assumptions=(MIXTURES, GUIDED),
    control=(
        Control("twice as many steps", n_steps=20),
        Control("second order, without momentum", algorithm="ghvb-2 at 1"),
        Control("third order with much momentum", algorithm="ghvb-3 at 0.3"),
    ),
)
def fourth_order_diverges(table):
    """Mean decimal logarithm of the ratio, per sampler."""
    return digits(table)


@claim(
    f"{TOPIC}/heavy-ball-cures-third-order",
    theorem="momentum mitigates divergence (title); measured here",
    status="empirical",
    statement=r"There heavy ball around Adams-Bashforth of third order, $\beta=0.8$, has at most "
    r"half the error of the same method without momentum, $\beta=1$, although its order is 1.",
    experiment=guided_errors,
    at=dict(algorithm="hb-3 at 0.8", baseline="ghvb-3 at 1"),
    region=AtMost(np.log10(0.5)),
    reason="the least effect that is claimed, a factor of 2",
    assumptions=(MIXTURES, GUIDED),
    control=(
        Control("hardly any momentum", algorithm="hb-3 at 0.99"),
        Control(
            "weights that undo the lag, and most of the cure: GHVB", algorithm="ghvb-3 at 0.94"
        ),
    ),
)
def heavy_ball_cures_third_order(table):
    """Mean decimal logarithm of the ratio."""
    return digits(table)
