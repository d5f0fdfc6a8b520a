"""Samplers under several names that are one; evaluations of the model; the phi functions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import phi_moment, random_mixture
from theorytk.diffusion.samplers import fast_orders, multistep, singlestep
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate

from . import common
from .mistakes import mistake
from .samplers import SAMPLERS, named

ROUNDING = "rounding of some ten float64 operations per term, over at most 12 steps"
ANY_GRID = (
    Assumption("times drawn at random, 4 to 12 steps of unequal length"),
    Assumption("a random mixture of Gaussians: a model that is not linear"),
)
FROM_HISTORY = (*ANY_GRID, Assumption("both start from the same states at the first nodes"))


def first_order(schedule, times, bootstrap):
    """Return DPM-Solver-1."""
    return singlestep(schedule, times, orders=1)


def lagrange(order, output="data"):
    """Return the multistep method that integrates the interpolating polynomial exactly."""
    return lambda schedule, times, bootstrap: multistep(
        schedule, times, order=order, output=output, bootstrap=bootstrap
    )


PAIRS = {
    "DPM-Solver-1": (first_order, SAMPLERS["ddim"]),
    "tAB0": (SAMPLERS["deis_tab0"], SAMPLERS["ddim"]),
    "rhoAB0": (SAMPLERS["deis_rhoab0"], SAMPLERS["ddim"]),
    "Euler in rho": (SAMPLERS["euler"], SAMPLERS["ddim"]),
    "iPNDM of one term": (named("ipndm", order=1), SAMPLERS["ddim"]),
    "UniP-1": (SAMPLERS["unip-1"], SAMPLERS["ddim"]),
    "noise prediction": (named("ddim", output="noise"), SAMPLERS["ddim"]),
    "a weight off by 1e-3": (mistake("ddim 0.1% short"), SAMPLERS["ddim"]),
    "UniP-2 with bh2 and 2M": (SAMPLERS["released unip-2 bh2"], SAMPLERS["dpmpp_2m"]),
    "UniP-2 with bh1 and 2M": (SAMPLERS["released unip-2 bh1"], SAMPLERS["dpmpp_2m"]),
    **{
        f"UniP-{p} with bh1 and bh2": tuple(SAMPLERS[f"released unip-{p} bh{k}"] for k in (1, 2))
        for p in (2, 3, 4)
    },
    "UniP-3 and exact weights": (SAMPLERS["released unip-3 bh2"], lagrange(3)),
    "UniP-4 and exact weights": (SAMPLERS["released unip-4 bh1"], lagrange(4)),
    "UniP-3 and the released 3M": (SAMPLERS["released unip-3 bh2"], SAMPLERS["dpmpp_3m published"]),
    **{
        f"log-rho DEIS of degree {r}": (SAMPLERS[f"deis_logrho{r}"], lagrange(r + 1, "noise"))
        for r in (1, 2, 3)
    },
    "tAB-DEIS of degree 2": (SAMPLERS["deis_tab2"], lagrange(3, "noise")),
    "rhoAB-DEIS of degree 2": (SAMPLERS["deis_rhoab2"], lagrange(3, "noise")),
}


@experiment(
    "diffusion-samplers/identities",
    paper=common.DEIS,
    design=grid(pair="tAB0"),
    paired=("pair", "device"),
    columns={"difference": Column("largest difference of two results over their largest entry")},
    presets={"quick": dict(replicates=30), "paper": dict(replicates=300)},
    block=30,
)
def identities(*, pair, history=3, device="cpu", rng):
    """Two samplers on a random grid, for a random mixture, from the same `history` + 1 states."""
    n_steps, target = int(rng.integers(4, 13)), random_mixture(3, 4, rng)
    lam = np.cumsum(rng.uniform(0.1, 1.0, n_steps + 1))
    times = common.SCHEDULE.t_of_lam(-4.5 + 7 * (lam - lam[0]) / (lam[-1] - lam[0]))
    states = rng.standard_normal((4, 5, 3))
    model = target.model(common.SCHEDULE)
    one, other = (
        common.run(sampler(common.SCHEDULE, times, history), model, states, device)
        for sampler in PAIRS[pair]
    )
    return {"difference": np.max(np.abs(one - other)) / np.max(np.abs(other))}


def largest(table):
    """Return the largest difference, per pair of samplers."""
    return {
        pair: exact_estimate(g["difference"].max(), len(g)) for pair, g in table.groupby("pair")
    }


def identity(
    name, pairs, statement, theorem, control, assumptions=FROM_HISTORY, status="ours", **at
):
    """Register the claim that the samplers of each pair are one."""
    return claim(
        f"diffusion-samplers/{name}",
        theorem=theorem,
        status=status,
        statement=statement,
        experiment=identities,
        at=dict(pair=pairs, **at),
        kind="identity",
        region=AtMost(1e-12),
        reason=ROUNDING,
        assumptions=assumptions,
        control=control,
    )(largest)


identity(
    "ddim-identities",
    list(PAIRS)[:7],
    r"DDIM, DPM-Solver-1, tAB0 and rhoAB0 of DEIS, Euler's method in $\rho$, iPNDM with one term "
    r"and UniP-1, in noise or in data prediction, are one method on every grid.",
    "tAB0 is DDIM (proposition); DPM-Solver-1 is DDIM",
    Control("one coefficient off by a thousandth", pair="a weight off by 1e-3"),
    assumptions=ANY_GRID,
    status="theorem",
    history=0,
)
identity(
    "unip2-is-2m",
    ["UniP-2 with bh2 and 2M"],
    r"UniP-2 in data prediction with $B(h)=e^{-h}-1$ is the published DPM-Solver++(2M).",
    "UniP-2 and DPM-Solver++(2M); derived here",
    Control("the other function, B(h) = h", pair="UniP-2 with bh1 and 2M"),
)
identity(
    "unip3-b-invariant",
    ["UniP-3 with bh1 and bh2", "UniP-4 with bh1 and bh2"],
    r"From order 3 on a step of UniP does not depend on $B(h)$: it is on both sides of the "
    r"linear system for the weights.",
    "UniP-p, p >= 3; derived here",
    Control("the same said of order 2", pair="UniP-2 with bh1 and bh2"),
)
identity(
    "unip3-is-consistent-3m",
    ["UniP-3 and exact weights", "UniP-4 and exact weights"],
    r"UniP-3 and UniP-4 are the multistep methods with the exact integral of the interpolating "
    r"polynomial in $\lambda$, so that the released UniP-3 and the released DPM-Solver++(3M) "
    r"disagree.",
    "UniP-3; derived here",
    Control("the released 3M", pair="UniP-3 and the released 3M"),
)
identity(
    "deis-logrho-is-lagrange",
    [f"log-rho DEIS of degree {r}" for r in (1, 2, 3)],
    r"DEIS with a polynomial of degree $r$ in $\log\rho$ is the consistent multistep DPM-Solver "
    r"of order $r+1$ in noise prediction.",
    "DEIS; derived here",
    (
        Control("the polynomial in t", pair="tAB-DEIS of degree 2"),
        Control("the polynomial in rho", pair="rhoAB-DEIS of degree 2"),
    ),
)

CALLS = {
    "multistep": (SAMPLERS["dpmpp_3m"], 1),
    "DEIS": (SAMPLERS["deis_tab3"], 1),
    "UniPC": (SAMPLERS["unipc-3"], 1),
    "two stages": (SAMPLERS["dpm_2s"], 2),
    "three stages": (SAMPLERS["dpmpp_3s"], 3),
    "Heun": (SAMPLERS["heun"], 2),
    "Runge-Kutta": (SAMPLERS["deis_rhork_rk4"], 4),
    "corrected to the end": (named("unipc", order=3, final_corrector=True), 1),
}


@experiment(
    "diffusion-samplers/evaluations",
    paper=common.UNIPC,
    design=grid(family="UniPC"),
    paired=("family",),
    columns={
        "excess": Column("calls of the model beyond stages * steps"),
        "fast": Column("calls of DPM-Solver-fast beyond its budget"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    block=100,
)
def evaluations(*, family, rng):
    """Calls of a model that counts them, on grids of 4 to 40 steps."""
    n_steps, calls = int(rng.integers(4, 41)), []

    def counting(x, t):
        calls.append(t)
        return 0.5 * x

    sampler, per_step = CALLS[family]
    times = common.grid("logsnr", n_steps, (-4.0, 2.0))
    common.run(sampler(common.SCHEDULE, times, 0), counting, np.ones((1, 1, 1)))
    excess = len(calls) - per_step * n_steps
    return {"excess": abs(excess), "fast": abs(sum(fast_orders(n_steps, 3)) - n_steps)}


@claim(
    "diffusion-samplers/evaluations",
    theorem="abstract (no extra evaluations); counts of the papers' algorithms",
    statement=r"Multistep methods, DEIS and UniPC with its corrector call the model once per step, "
    r"methods of $k$ stages $k$ times, and DPM-Solver-fast as often as its budget says.",
    experiment=evaluations,
    at=dict(family=list(CALLS)[:-1]),
    kind="identity",
    region=AtMost(0),
    reason="whole numbers",
    assumptions=(Assumption("no evaluation for a last denoising step"),),
    control=Control(
        "the model called again after the last correction", family="corrected to the end"
    ),
)
def counted(table):
    """Largest difference of counted and stated calls, per family."""
    return {
        family: exact_estimate(g[["excess", "fast"]].max().max(), len(g))
        for family, g in table.groupby("family")
    }


def exact_moment(k, h, sign, terms=60):
    """Return h k! phi_{k+1}(sign h) by its series in rational arithmetic."""
    z = Fraction(sign * h)
    series = sum(z**j / math.factorial(j + k + 1) for j in range(terms))
    return Fraction(h) * math.factorial(k) * series


def subtractive_moment(k, h, sign):
    """Return it by the recurrence of the released codes."""
    value = math.expm1(sign * h) / (sign * h)
    for j in range(1, k + 1):
        value = (value - 1 / math.factorial(j)) / (sign * h)
    return h * math.factorial(k) * value


@experiment(
    "diffusion-samplers/phi",
    paper=common.DPM,
    design=grid(k=[0, 1, 2, 3], form="series"),
    paired=("form",),
    columns={"error": Column("relative error of a moment")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=1000)},
    block=200,
)
def phi_errors(*, k, form, rng):
    """Moments of steps h between 1e-4 and 4, of both signs, against rational arithmetic."""
    h, sign = float(np.exp(rng.uniform(np.log(1e-4), np.log(4.0)))), int(rng.choice([-1, 1]))
    if form == "series":
        value = phi_moment(k, h, "noise" if sign > 0 else "data")
    else:
        value = subtractive_moment(k, h, sign)
    return {"error": abs(float(Fraction(value) / exact_moment(k, h, sign) - 1))}


@claim(
    "diffusion-samplers/phi-cancellation",
    theorem="the integrals of the exact solution; their evaluation is ours",
    status="ours",
    statement=r"The moments $h\,k!\,\varphi_{k+1}(\pm h)$, $k\le3$, are computed to 1e-14 for all "
    r"steps from $10^{-4}$ to 4; the recurrence of the released codes loses its digits.",
    experiment=phi_errors,
    kind="identity",
    region=AtMost(1e-14),
    reason="sums of positive terms, each rounded at 1.1e-16; at most 40 of them",
    assumptions=(Assumption("double precision"),),
    control=Control("the recurrence of the released codes", form="subtractive"),
)
def phi_accurate(table):
    """Largest relative error over all moments."""
    return exact_estimate(table["error"].max(), len(table))
