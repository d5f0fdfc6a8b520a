"""How fast a valley empties as the noise falls: the exponents of the flow and of the chain."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import VPDiscrete
from theorytk.diffusion.hallucination import (
    DenoiserTable,
    cap_slope,
    ddim_cdf,
    exact_denoiser,
    level_weights,
    line_mixture,
    ode_exponent,
    propagate_law,
    sde_exponent,
    tabulate,
)
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost

from .common import PAPER, violated

NARROW = Assumption("two modes at distance 1 with standard deviation 0.001")
LAWS = {"ode": ode_exponent, "sde": sde_exponent}
STEP = 0.02  # of log s
LEVELS = (0, 15, 30, 45)
WIDTH = 0.1  # of the interval whose mass is read, over s
# Nodes: the chain's noise at the least level, s sqrt(2 STEP), holds eight of them.
NODES = {"ode": 3001, "sde": 20_001}


def valley(bound, nodes):
    """Return the noise levels, the schedule and the table of a capped denoiser of two modes."""
    s = 0.025 * np.exp(STEP * np.arange(336))
    schedule = VPDiscrete(alphas_cumprod=1 / (1 + s**2), clip=None)
    target = line_mixture([-0.5, 0.5], 1e-3)
    table = tabulate(exact_denoiser(target, schedule), schedule, np.linspace(-6, 6, nodes))
    return s, schedule, cap_slope(table, schedule, bound, level_weights(target, schedule, table))


@lru_cache(maxsize=8)
def middle_masses(sampler, bound):
    """Return noise levels and the mass near the middle at each."""
    s, schedule, table = valley(bound, NODES[sampler])
    return [(s[i], middle_mass(table, schedule, i, s[i], sampler)) for i in LEVELS]


def middle_mass(table, schedule, first, level, sampler):
    """Return the mass around the middle of the state at the level numbered `first`."""
    kept = VPDiscrete(alphas_cumprod=schedule.alphas_cumprod[first:], clip=None)
    rows = DenoiserTable(table.grid, table.values[first:])
    ends = 0.5 * WIDTH * 0.025 * np.array([-1.0, 1.0]) / np.sqrt(1 + level**2)
    if sampler == "ode":
        return float(np.diff(ddim_cdf(rows, kept, ends, last_step=False))[0])
    law = propagate_law(rows, kept, variance="small", last_step=False)
    return law.probability([ends])


@experiment(
    "mode-interpolation/exponents",
    paper=PAPER,
    design=grid(sampler=["ode", "sde"], bound=[1.5, 2, 3], law="own"),
    paired=("law",),
    columns={
        "level": Column("noise level s", unit="data"),
        "mass": Column("probability near the middle of the valley"),
        "exponent": Column("what the law says of it"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def exponents(*, sampler, bound, law, rng):
    """Mass near the middle of a valley at some noise levels, 2% apart, and the exponent's law."""
    exponent = LAWS[sampler if law == "own" else law](bound)
    return [
        {"level": level, "mass": mass, "exponent": exponent}
        for level, mass in middle_masses(sampler, float(bound))
    ]


def off(table, factor):
    """Return the share of bounds whose exponent is off by more than steps of finite length do."""
    failures = []
    for bound, rows in table.groupby("bound"):
        found = np.polyfit(np.log(rows["level"]), np.log(rows["mass"]), 1)[0]
        allowed = factor * (bound - 1) * bound * STEP + 0.02
        failures.append(abs(found - rows["exponent"].iloc[0]) > allowed)
    return violated(np.array(failures))


@claim(
    "mode-interpolation/ode-exponent",
    theorem="derived here",
    status="ours",
    statement=r"Under the probability flow a denoiser of slope at most $\Lambda$ empties the "
    r"valley between two modes only as $s^{\Lambda-1}$, as the noise level $s$ falls.",
    experiment=exponents,
    at=dict(sampler="ode"),
    kind="refutable",
    region=AtMost(0),
    reason="steps h of log s take (L-1) L h off the exponent to first order; 0.02 for the rest",
    assumptions=(NARROW,),
    control=Control("the exponent of the reverse SDE", law="sde"),
)
def ode(table):
    """Share of bounds with another exponent."""
    return off(table, 1)


@claim(
    "mode-interpolation/sde-exponent-doubles",
    theorem="derived here",
    status="ours",
    statement=r"Under the reverse SDE, the limit of the ancestral chain, it empties as "
    r"$s^{2(\Lambda-1)}$: with twice the exponent of the flow.",
    experiment=exponents,
    at=dict(sampler="sde"),
    kind="refutable",
    region=AtMost(0),
    reason="steps h of log s take 2 (L-1) L h off the exponent to first order; 0.02 for the rest",
    assumptions=(NARROW,),
    control=Control("the exponent of the flow", law="ode"),
)
def sde(table):
    """Share of bounds with another exponent."""
    return off(table, 2)
