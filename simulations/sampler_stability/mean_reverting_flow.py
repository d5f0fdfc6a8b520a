"""The MR Sampler as centred solvers: formulas with the mean, orders of the flow, its baseline."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from itertools import pairwise

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import Model, compile_plan, expected_order, reference_trajectory, time_grid
from theorytk.diffusion.centring import mean_reverting_sample
from theorytk.diffusion.samplers import multistep
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, mean_estimate, order_estimate

from ..diffusion_samplers.common import run
from ..diffusion_samplers.order_experiments import POINTS, root_mean_squares, sampler
from .stochastic_common import MRS, SCHEDULE, restored

LEVELS = 4
ERRORS = [f"error_{k}" for k in range(LEVELS)]
GROUPS, HISTORY = 20, 3
SPAN = tuple(np.array([-4.0, 0.0]) - math.log(SCHEDULE.sigma_inf))
EXACT = Assumption("exact score of three Gaussians: all derivatives exist")


class Step:
    """A step from time s to time t as printed, with the mean mu written out."""

    def __init__(self, solver, s, t, shift):
        self.kind, self.output, _ = solver.split("-")
        self.alphas, self.sigmas = SCHEDULE.alpha([s, t]), SCHEDULE.sigma([s, t])
        self.h = float(SCHEDULE.lam(t) - SCHEDULE.lam(s))
        self.shift = shift

    def coefficients(self, kind):
        """Return the weights of x, of the output, of its difference over h, and of the noise."""
        (a_s, a_t), (s_s, s_t), h = self.alphas, self.sigmas, self.h
        if self.output == "noise":
            k, noise = (1, 0.0) if kind == "ode" else (2, s_t * math.sqrt(math.exp(2 * h) - 1))
            gain = -k * s_t * (math.exp(h) - 1)
            return a_t / a_s, gain, -k * s_t * ((math.exp(h) - 1) / h - 1), noise
        k = 1 if kind == "ode" else 2
        noise = 0.0 if kind == "ode" else s_t * math.sqrt(1 - math.exp(-2 * h))
        lost = 1 - math.exp(-k * h)
        return s_t / s_s * math.exp((1 - k) * h), a_t * lost, a_t * (1 - lost / (k * h)), noise

    def mean_weight(self):
        """Return the weight of mu as printed, or that of the "other" kind of step, or "none"."""
        kind = {"other": "sde" if self.kind == "ode" else "ode"}.get(self.shift, self.kind)
        decay, gain, _, _ = self.coefficients(kind)
        if self.output == "noise":
            return 1 - decay if self.shift == "printed" else 0.0
        whole = 1 - decay - gain
        return {"none": 0.0}.get(self.shift, whole)

    def __call__(self, x, mean, m, slope, z):
        decay, gain, second, noise = self.coefficients(self.kind)
        return decay * x + self.mean_weight() * mean + gain * m + second * slope + noise * z


def printed(solver, times, model, x, mean, noise, shift):
    """Return the end of a printed solver; `model` gives its output at (x, t)."""
    old, before = None, None
    for (s, t), z in zip(pairwise(times), noise, strict=True):
        m, step = model(x, s), Step(solver, s, t, shift)
        slope = 0.0
        if solver.endswith("2") and old is not None:
            slope = (m - old) * step.h / float(SCHEDULE.lam(s) - SCHEDULE.lam(before))
        x, old, before = step(x, mean, m, slope, z), m, s
    return x


SOLVERS = [f"{kind}-{output}-{k}" for kind in ("ode", "sde") for output in ("data", "noise")
           for k in (1, 2)]  # fmt: skip


def plan_of(solver, times):
    """Return the plan of a solver for centred states."""
    kind, output, order = solver.split("-")
    if kind == "ode":
        return multistep(SCHEDULE, times, order=int(order), output=output)
    method = {"data": "sde_dpmpp", "noise": "sde_dpm"}[output]
    return compile_plan(SCHEDULE, times, method, order=int(order))


@experiment(
    "sampler-stability/mr-centred",
    paper=MRS,
    design=grid(solver=SOLVERS, shift="printed"),
    paired=("shift",),
    columns={
        "residual": Column(
            "largest difference of a coordinate between the solvers, over the largest one"
        )
    },
    presets={"quick": dict(replicates=6), "paper": dict(replicates=200)},
    block=6,
)
def centred_solvers(*, solver, shift, rng):
    """A plan for x - mu against the printed solver on a random grid, mean and nonlinear model.

    The weight of mu in its steps is the "printed" one, that of the "other" kind of steps, of the
    ODE or of the SDE, or 0 ("none").
    """
    mean, x = rng.uniform(0.2, 0.8, 3), rng.standard_normal((4, 3))
    shares = np.cumsum(rng.uniform(0.5, 1.5, rng.integers(4, 8)))
    times = 1.0 - 0.8 * (shares - shares[0]) / (shares[-1] - shares[0])
    noise = rng.standard_normal((len(times) - 1, 4, 3))

    def clean(x, t):
        return np.tanh(x) + 0.1 * t

    def noisy(x, t):
        alpha, sigma = float(SCHEDULE.alpha(t)), float(SCHEDULE.sigma(t))
        return (x - mean - alpha * (clean(x, t) - mean)) / sigma

    output, plan = solver.split("-")[1], plan_of(solver, times)
    function = clean if output == "data" else noisy
    drawn = list(noise) if solver.startswith("sde") else None
    found = mean_reverting_sample(plan, Model(function, output), x, mean, noise=drawn).x
    told = printed(solver, times, function, x, mean, noise, shift)
    return {"residual": np.max(np.abs(found - told)) / max(1.0, np.max(np.abs(found)))}


@claim(
    "sampler-stability/mr-is-centred",
    theorem="solvers of the ODE and of the SDE, orders 1 and 2; the reduction derived here",
    status="ours",
    statement=r"The MR solvers, of the ODE and the SDE, in noise and data prediction, are the "
    r"DPM-Solvers for $x-\mu$ on the schedule $(\alpha,\sigma)$: their terms in $\mu$ are what "
    r"centring gives.",
    experiment=centred_solvers,
    kind="identity",
    region=AtMost(1e-12),
    reason="rounding of at most 6 steps, relative to the largest coordinate",
    assumptions=(Assumption("any model: here a nonlinear one"),),
    control=(
        Control("the weight of mu of the other kind of steps", shift="other"),
        Control("the term in mu left out", shift="none"),
    ),
)
def centred_residual(table):
    """Largest difference, per solver."""
    return {
        name: exact_estimate(rows["residual"].max(), len(rows))
        for name, rows in table.groupby("solver", sort=False)
    }


@lru_cache(maxsize=32)
def times_of(n_steps):
    """Return a grid uniform in lambda."""
    t_max, t_min = (float(t) for t in SCHEDULE.t_of_lam(np.array(SPAN)))
    return time_grid(SCHEDULE, "logsnr", n_steps, t_min=t_min, t_max=t_max)


@lru_cache(maxsize=32)
def compiled(algorithm, n_steps):
    """Return a plan with exact history; all replicates share it."""
    return sampler(algorithm)(SCHEDULE, times_of(n_steps), HISTORY)


@cache
def flow(seed, n_steps, count):
    """Return the flow at the first `count` times of a grid; solvers that are compared share it."""
    times, target = times_of(n_steps)[:count], restored()
    level = float(SCHEDULE.alpha(times[0])), float(SCHEDULE.sigma(times[0]))
    x = target.sample(GROUPS * POINTS, seed, *level)
    return reference_trajectory(target, SCHEDULE, x, times, rtol=1e-12)


@experiment(
    "sampler-stability/mr-flow-errors",
    paper=MRS,
    design=grid(algorithm=["dpm_2m taylor", "dpmpp_2m taylor"]),
    paired=("algorithm",),
    columns={
        "accuracy": Column("largest error of the reference, in a coordinate"),
        **{
            name: Column(f"root mean square error of a group at {16 * 2**k} steps")
            for k, name in enumerate(ERRORS)
        },
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=8)},
    block=1,
    algorithm="algorithm",
)
def flow_errors(*, algorithm, rng):
    """Errors of a solver of the mean-reverting ODE, centred, on refined grids uniform in lambda.

    The algorithm is ``algorithm(schedule, times, bootstrap) -> Plan``; it may take the exact states
    at the first ``bootstrap + 1`` times as inputs. Rows are groups of starting points.
    """
    seed, model = int(rng.integers(2**32)), restored().model(SCHEDULE)
    exact = flow(seed, 1, 2)
    rows = {"accuracy": exact.accuracy}
    for k, name in enumerate(ERRORS):
        n_steps = 16 * 2**k
        found = run(compiled(algorithm, n_steps), model, flow(seed, n_steps, HISTORY + 1).states)
        rows[name] = root_mean_squares(found - exact.states[-1])
    return rows


def flow_orders(table):
    """Return the order of each solver less the expected one."""
    return {
        name: order_estimate(rows[ERRORS].to_numpy(), floor=rows["accuracy"].max())
        for name, rows in table.groupby("algorithm", sort=False)
    }


def flow_claim(name, order, at=None, **rest):
    """Register the claim that solvers of the mean-reverting ODE have an order."""
    return claim(
        f"sampler-stability/{name}",
        experiment=flow_errors,
        at=at,
        region=Between(order - 0.25, order + 0.25),
        reason="extrapolation leaves O(h^2), in the interval; a quarter tells integers apart",
        assumptions=(EXACT, Assumption("exact states at the first four nodes")),
        **rest,
    )(flow_orders)


flow_claim(
    "mr-ode-second-order",
    expected_order("dpmpp_2m"),
    theorem="section on ODE solvers, order 2",
    statement=r"The second-order solvers of the mean-reverting ODE, in noise and in data "
    r"prediction, have a global error $O(h^2)$.",
    control=(
        Control("the difference of outputs left out", algorithm="dpmpp_2m damped 1"),
        Control("that difference 3% too small", algorithm="dpmpp_2m damped 0.03"),
    ),
)
flow_claim(
    "mr-ode-third-order",
    expected_order("dpmpp_3m"),
    dict(algorithm="dpmpp_3m"),
    status="erratum",
    theorem="section on ODE solvers, order 3, as released",
    statement=r"The third-order solver of the mean-reverting ODE has a global error $O(h^3)$ with "
    r"the whole second difference; as released, with half of it, it has $O(h^2)$.",
    control=(
        Control("the released weights", algorithm="dpmpp_3m published"),
        Control("differences weighed 0.4% too much", algorithm="dpmpp_3m damped -0.004"),
    ),
)


def heun(score, times, x):
    """Return Heun's method in t for the mean-reverting ODE, centred."""

    def slope(x, t):
        rate = (SCHEDULE.log_alpha(t - 1e-5) - SCHEDULE.log_alpha(t + 1e-5)) / 2e-5
        return -rate * x - rate * SCHEDULE.sigma_inf**2 * score(x, t, float(rate))

    for s, t in pairwise(times):
        here = slope(x, s)
        x = x + (t - s) / 2 * (here + slope(x + (t - s) * here, t))
    return x


@experiment(
    "sampler-stability/mr-heun-errors",
    paper=MRS,
    design=grid(divisor="sigma"),
    paired=("divisor",),
    columns={
        "coarse": Column("logarithm of the root mean square error of a group at 80 steps"),
        "fine": Column("the same at 160 steps"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=8)},
    block=1,
)
def heun_errors(*, divisor, rng):
    """Heun's method for the mean-reverting ODE, its score the noise over minus the `divisor`.

    That is "sigma", or the diffusion coefficient "g" as released, or a number of times sigma.
    """
    target, seed = restored(), int(rng.integers(2**32))
    exact = flow(seed, 1, 2).states

    def score(x, t, rate):
        sigma = float(SCHEDULE.sigma(t))
        other = {"sigma": sigma, "g": math.sqrt(2 * rate) * SCHEDULE.sigma_inf}
        below = other[divisor] if divisor in other else divisor * sigma
        return -target.noise(x, float(SCHEDULE.alpha(t)), sigma) / below

    first, last = times_of(1)
    errors = [heun(score, np.linspace(first, last, n + 1), exact[0]) - exact[1] for n in (80, 160)]
    coarse, fine = (np.log2(root_mean_squares(e)) for e in errors)
    return {"coarse": coarse, "fine": fine}


@claim(
    "sampler-stability/mr-heun-baseline",
    theorem="baselines of the released code",
    status="erratum",
    statement=r"Heun's method for the mean-reverting ODE converges with order 2 if the score is "
    r"$-\epsilon/\sigma_t$; the released baseline takes $-\epsilon/g_t$ and does not converge.",
    experiment=heun_errors,
    region=Between(1.75, 2.25),
    reason="the local order of 80 and 160 steps; a quarter tells integers apart",
    assumptions=(EXACT,),
    control=(
        Control("the noise over the diffusion coefficient, as released", divisor="g"),
        Control("the noise over 0.999998 sigma", divisor=0.999998),
    ),
)
def heun_order(table):
    """Mean local order over groups."""
    return mean_estimate(table["coarse"] - table["fine"])
