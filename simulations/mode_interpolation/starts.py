"""What a chain makes of modes, exactly: how wide they come out, and where chains may start."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion.hallucination import (
    HallucinationRule,
    cap_slope,
    default_grid,
    exact_denoiser,
    level_weights,
    levels,
    propagate_law,
    tabulate,
)
from theorytk.diffusion.hallucination.modes import mode_spread, start_tilt
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate

from .common import (
    LABELS,
    PAPER,
    RULE,
    SCHEDULE,
    START,
    UNBOUNDED,
    capped,
    mixture,
    schedule_of,
    violated,
)

MODES, SIGMA = "1,2,3", 0.05
EDGES = [0.7, 1.3, 1.7, 2.3, 2.7, 3.3]  # of modes, and of the gaps between them
ONCE = {"quick": dict(replicates=1), "paper": dict(replicates=1)}


@lru_cache(maxsize=1)
def whole_table():
    """Return the best table of slope at most 2, of all 1000 labels."""
    target = mixture(MODES)
    points = default_grid(target, 4096)
    table = tabulate(exact_denoiser(target, SCHEDULE), SCHEDULE, points)
    return cap_slope(table, SCHEDULE, 2, level_weights(target, SCHEDULE, table))


@lru_cache(maxsize=8)
def modes_and_gaps(t_start):
    """Return the weights of the modes (3,) and the rate, for chains that start at a label."""
    law = propagate_law(whole_table(), SCHEDULE, t_start=t_start)
    return law.masses(EDGES)[::2], law.probability(HallucinationRule(mixture(MODES)).gaps)


@experiment(
    "mode-interpolation/starts",
    paper=PAPER,
    design=grid(t_start=300),
    paired=("t_start",),
    columns={
        "weight": Column("largest change of a mode's weight against a start at label 999"),
        "rate": Column("relative change of the mass between modes"),
        "tilt": Column("largest change of a weight by the law, to first order"),
    },
    presets=ONCE,
)
def starts(*, t_start, rng):
    """Exact laws of chains from N(0, 1) at label `t_start` and at the last, slope at most 2."""
    (weights, rate), (whole, reference) = modes_and_gaps(int(t_start)), modes_and_gaps(999)
    return {
        "weight": np.abs(weights - whole).max(),
        "rate": abs(rate / reference - 1),
        "tilt": np.abs(start_tilt(mixture(MODES), levels(SCHEDULE)[0][t_start])).max(),
    }


@claim(
    "mode-interpolation/t-start-truncation",
    theorem="derived here",
    status="ours",
    statement=r"Chains may start at label $300$ of $1000$ from $N(0,1)$: weights of modes and the "
    r"rate of hallucination (relative) change by $10^{-4}$ at most, about twice "
    r"$w_j\bar\alpha_t\,m\,|m-\mu_j|$, with the mean $m$ of the data.",
    experiment=starts,
    kind="identity",
    region=AtMost(1e-4),
    reason="twice the law's first order, 5.04e-5 at label 300; the rate changes in second order",
    assumptions=(RULE, Assumption("modes 1, 2, 3; the best denoiser of slope at most 2")),
    control=(
        Control("a start at label 150, where 9% of the variance is the signal's", t_start=150),
    ),
)
def truncation(table):
    """Larger of the two changes."""
    return exact_estimate(table[["weight", "rate"]].to_numpy().max())


def by_last_step(sigma, schedule, **_):
    """Return the spread if what enters the last step had that of the noisy data."""
    alpha, noise = levels(schedule)
    return sigma**2 / np.hypot(sigma, noise[0] / alpha[0])


SPREADS = {
    "recursion": mode_spread,
    "last step": by_last_step,
    "data": lambda sigma, schedule, **_: sigma,
}


@experiment(
    "mode-interpolation/spreads",
    paper=PAPER,
    design=grid(variance=["large", "small"], formula="recursion"),
    paired=("formula",),
    columns={
        "spread": Column("standard deviation of what ends in the middle mode over the data's"),
        "error": Column("relative error of the formula for it"),
    },
    presets=ONCE,
)
def spreads(*, variance, formula, rng):
    """Width of the middle of the modes 1, 2, 3 in the exact law of the exact denoiser's chain."""
    schedule, start = schedule_of(LABELS)
    law = propagate_law(capped(MODES, UNBOUNDED), schedule, variance=variance, t_start=start)
    found = law.moments(EDGES)[2][2]
    formula = SPREADS[formula](SIGMA, schedule, variance=variance, t_start=start)
    return {"spread": found / SIGMA, "error": abs(formula / found - 1)}


@claim(
    "mode-interpolation/exact-chains-narrow-modes",
    theorem="derived here",
    status="ours",
    statement=r"An exact denoiser does not return the data: modes come out narrower, by the "
    r"recursion $V\leftarrow f_t^2V+\nu_t$ through linear steps to within $1\%$: to $0.94\sigma$ "
    r"with the released variance $\beta_t$ and to $0.77\sigma$ with the posterior's.",
    experiment=spreads,
    kind="refutable",
    region=AtMost(0),
    reason="modes part at s = d/2; what differs there shrinks to s (sigma/s)^2, of sigma^2 a share "
    "4 (sigma/d)^2 for each of two neighbours: half of both on the standard deviation",
    assumptions=(START, Assumption("modes 20 standard deviations apart")),
    control=(
        Control("the last step alone, applied to the noisy data", formula="last step"),
        Control("the spread of the data", formula="data"),
    ),
)
def narrow(table):
    """Share of chains whose width is off by more than 4 (sigma/d)^2 = 1%."""
    return violated(table["error"] > 4 * SIGMA**2)
