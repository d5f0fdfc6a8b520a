"""Errors of samplers on four refined grids from exact histories, and the orders that they show."""

from __future__ import annotations

from functools import cache, lru_cache, partial

import numpy as np

from theorytk.claims import Assumption, claim
from theorytk.diffusion import reference_trajectory, three_modes
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, order_estimate

from . import common
from .mistakes import mistake
from .samplers import SAMPLERS

LEVELS = 4
HISTORY = 3  # exact states beyond the first: enough for methods of order four
LAM_END = 0.0  # before the modes of the target part, where orders settle slowly
POINTS = 24  # starting points behind one error, which then has no zero
ERRORS = [f"error_{k}" for k in range(LEVELS)]
FOURTH = dict(lam_start=-3.0)  # from a lower lambda errors of order four settle later
REFINED = {"quick": dict(replicates=2), "paper": dict(replicates=16)}
REASON = (
    "the extrapolated order still errs by O(h^2), which the interval's width h c shows; a quarter "
    "tells integers apart"
)
ASSUMPTIONS = (
    Assumption("exact score of a mixture of three Gaussians: all derivatives exist"),
    Assumption("exact states at the first four nodes, for methods that have a history"),
)


def sampler(algorithm):
    """Return a sampler by its name; a function is one already."""
    if callable(algorithm):
        return algorithm
    return SAMPLERS[algorithm] if algorithm in SAMPLERS else mistake(algorithm)


@lru_cache(maxsize=32)
def compiled(algorithm, kind, n_steps, span):
    """Return a plan for a grid; all replicates share it."""
    return sampler(algorithm)(common.SCHEDULE, common.grid(kind, n_steps, span), HISTORY)


@cache
def reference(seed, n, span, kind, n_steps, count):
    """Return the flow at the first `count` times of a grid; samplers that are compared share it."""
    target, times = three_modes(), common.grid(kind, n_steps, span)[:count]
    alpha, sigma = (float(f(times[0])) for f in (common.SCHEDULE.alpha, common.SCHEDULE.sigma))
    x = target.sample(n, seed, alpha, sigma)
    return reference_trajectory(target, common.SCHEDULE, x, times, rtol=1e-13)


def root_mean_squares(difference):
    """Return the root mean square over each group of POINTS rows."""
    return np.sqrt(np.mean(difference.reshape(-1, POINTS * difference.shape[1]) ** 2, axis=1))


def order_errors(
    *, algorithm, kind="logsnr", coarsest=32, lam_start=-4.0, groups=16, device="cpu", rng
):
    """Errors of a sampler at the end of grids of `coarsest` steps, twice that, and so on.

    The algorithm is ``algorithm(schedule, times, bootstrap) -> Plan``; it may take the exact states
    at the first ``bootstrap + 1`` times as inputs. Rows are groups of starting points.
    """
    model, span = three_modes().model(common.SCHEDULE), (lam_start, LAM_END)
    solved = partial(reference, int(rng.integers(2**32)), groups * POINTS, span)
    exact = solved("logsnr", 1, 2)
    rows = {"accuracy": exact.accuracy}
    for k, name in enumerate(ERRORS):
        n_steps = coarsest * 2**k
        states = solved(kind, n_steps, HISTORY + 1).states
        found = common.run(compiled(algorithm, kind, n_steps, span), model, states, device)
        rows[name] = root_mean_squares(found - exact.states[-1])
    return rows


def order_experiment(name, paper, algorithm):
    """Register the experiment on orders of the methods of one paper."""
    return experiment(
        f"diffusion-samplers/{name}",
        paper=paper,
        design=grid(algorithm=algorithm),
        paired=("algorithm", "kind", "device"),
        columns={
            "accuracy": Column("largest error of the reference, in a coordinate"),
            **{
                name: Column(f"root mean square error of a group at coarsest * {2**k} steps")
                for k, name in enumerate(ERRORS)
            },
        },
        presets=REFINED,
        block=2,
        algorithm="algorithm",
    )(order_errors)


def orders(table):
    """Return the order of convergence of each sampler, per grid."""
    return {
        f"{algorithm}, {kind}": order_estimate(g[ERRORS], floor=g["accuracy"].max())
        for (algorithm, kind), g in table.groupby(["algorithm", "kind"], sort=False)
    }


def order_claim(name, order, algorithms, *, of, statement, theorem, control, **rest):
    """Register the claim that samplers have an order."""
    settings = {key: rest.pop(key) for key in ("kind", "coarsest", "lam_start") if key in rest}
    return claim(
        f"diffusion-samplers/{name}",
        theorem=theorem,
        statement=statement,
        experiment=of,
        at=dict(algorithm=algorithms, **settings),
        region=Between(order - 0.25, order + 0.25),
        reason=REASON,
        assumptions=ASSUMPTIONS,
        control=control,
        **rest,
    )(orders)
