"""Guidance: up to which scale a sampler is stable, and what it costs to be beyond."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import (
    FROZEN_RATE_METHODS,
    GaussianTarget,
    GuidedTarget,
    Model,
    VESchedule,
    compile_plan,
    frozen_rate_limit,
    sample,
    time_grid,
)
from theorytk.diffusion.torch import to_device, to_numpy
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, exact_estimate, mean_estimate, violations_estimate

from .common import DPMPP
from .suite import guided_log_error

FROZEN = Assumption(r"the rate $\kappa$ does not change, and all steps have one length $h$")
SWAPPED = {"ddim": "dpm_2m", "dpm_2m": "dpmpp_2m", "dpmpp_2m": "dpm_2m"}


def plan_of(method, schedule, n_steps, **options):
    """Return a method's plan on n_steps equal steps in lambda."""
    return compile_plan(schedule, time_grid(schedule, "logsnr", n_steps), method, **options)


def spectral_radius(plan, kappa):
    """Return the largest root of a multistep method's recurrence for dz/dlambda = -kappa z.

    The recurrence is read off one step of the plan, run from unit vectors.
    """
    rate = Model(lambda x, t: kappa * x / float(plan.schedule.sigma(t)))
    states = list(np.eye(len(plan.inputs))[..., None])
    coefficients = sample(plan, rate, states if len(states) > 1 else states[0]).x.ravel()
    return np.max(np.abs(np.roots([1.0, *-coefficients[::-1]])))


def measured_limit(method, h, **options):
    """Return the largest kappa at which no root of a method leaves the unit disc."""
    history = 0 if method == "ddim" else 1
    schedule = VESchedule(np.exp(-(history + 1) * h), 1.0)
    options |= dict(bootstrap=1) if history else {}
    plan = plan_of(method, schedule, history + 1, **options)
    return brentq(
        lambda kappa: spectral_radius(plan, kappa) - 1, 0.5, 5 / -np.expm1(-h), xtol=1e-13
    )


@experiment(
    "diffusion-samplers/frozen-rate",
    paper=DPMPP,
    design=grid(method=list(FROZEN_RATE_METHODS), variant="midpoint", read_as="itself"),
    paired=("method", "variant", "read_as"),
    columns={
        "h": Column(r"step in lambda"),
        "limit": Column("largest stable rate, by the roots of the method's recurrence"),
        "residual": Column("its relative difference from the law"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def frozen_rate(*, method, variant, read_as, rng):
    """Largest stable rate of a method at a random step, against the law.

    The law is that of the method "itself" or, wrongly, of the one "swapped" with it.
    """
    h = np.exp(rng.uniform(np.log(0.05), np.log(4)))
    options = {} if method == "ddim" else dict(variant=variant)
    limit = measured_limit(method, h, **options)
    law = frozen_rate_limit(method if read_as == "itself" else SWAPPED[method], h)
    return {"h": h, "limit": limit, "residual": abs(limit / law - 1)}


@claim(
    "diffusion-samplers/frozen-rate-limits",
    theorem="derived here",
    status="ours",
    statement=r"For $\dot z=-\kappa z$, $z=x/\alpha$, in $\lambda$ the largest stable $\kappa$ is, "
    r"with $q=e^{-h}$, $\frac2{1-q}$ for DDIM, $\frac4{(1-q)(3+q)}$ for 2M in noise and "
    r"$\frac{3-q}{2(1-q)}$ for 2M in data prediction.",
    experiment=frozen_rate,
    kind="identity",
    region=AtMost(1e-9),
    reason="roots by eigenvalues to 1e-14, divided by their speed of about h, at least 0.05",
    assumptions=(FROZEN,),
    control=(
        Control("the limits of noise and data prediction swapped", read_as="swapped"),
        Control("the exact integral in the place of the published midpoint", variant="consistent"),
    ),
)
def frozen_rate_limits(table):
    """Largest relative difference, per method."""
    return {m: exact_estimate(g["residual"].max(), len(g)) for m, g in table.groupby("method")}


@claim(
    "diffusion-samplers/data-prediction-gain",
    theorem="derived here; that data prediction is the more stable: abstract of DPM-Solver++",
    status="ours",
    statement=r"At order 2 data prediction is stable up to a rate $\kappa$ larger by the factor "
    r"$(9-q^2)/8$, $q=e^{-h}$: more than noise prediction, and never by more than $\frac98$.",
    experiment=frozen_rate,
    at=dict(method=["dpm_2m", "dpmpp_2m"]),
    kind="identity",
    region=AtMost(1e-9),
    reason="two limits to 1e-10 each",
    assumptions=(FROZEN,),
    control=Control("the exact integral in the place of the midpoint", variant="consistent"),
)
def data_prediction_gain(table):
    """Largest difference of the measured factor from the law."""
    noise, data = (
        table[table["method"] == m].set_index("replicate") for m in ("dpm_2m", "dpmpp_2m")
    )
    law = (9 - np.exp(-2 * data["h"])) / 8
    return exact_estimate((data["limit"] / noise["limit"] - law).abs().max(), len(law))


@experiment(
    "diffusion-samplers/guided-gaussians",
    paper=DPMPP,
    design=grid(method=list(FROZEN_RATE_METHODS), n_steps=10, distance=0.03, read_as="itself"),
    paired=("method", "read_as", "device"),
    columns={
        "h": Column("step in lambda"),
        "below": Column("growth of the last step, guidance below the limit"),
        "above": Column("growth of the last step, guidance above the limit"),
    },
    presets={"quick": dict(replicates=100), "paper": dict(replicates=1000)},
    block=50,
)
def guided_gaussians(*, method, n_steps, distance, read_as, device="cpu", rng):
    """Samplers of a narrow Gaussian guided away from a wide one, just below and above the limit.

    Steps have a random length; `distance` is that of the scale from the limit, relative to it.
    """
    h = rng.uniform(0.3, 1.2)
    law = frozen_rate_limit(method if read_as == "itself" else SWAPPED[method], h)
    end = np.exp(n_steps * h / 2)
    plan = plan_of(method, VESchedule(1 / end, end), n_steps)
    below, above = (growth(plan, s * law, device) for s in (1 - distance, 1 + distance))
    return {"h": h, "below": below, "above": above}


def growth(plan, scale, device):
    """Return by how much the last step of a plan multiplies a state, at a guidance scale."""
    wide, narrow = GaussianTarget([0.0], 1e16), GaussianTarget([0.0], 1e-16)
    model = GuidedTarget(wide, narrow, scale).model(plan.schedule)
    states = sample(plan, model, to_device(np.ones((1, 1)), device), record=True).states
    before, after = (float(to_numpy(x)[0, 0]) for x in states[-2:])
    return abs(after / before)


@claim(
    "diffusion-samplers/guidance-limit",
    theorem="derived here",
    status="ours",
    statement=r"A narrow Gaussian guided by the scale $w$ away from a wide one has the rate "
    r"$\kappa\to w$: states shrink for $w$ 3% below the limit of `frozen_rate_limit` and grow for "
    "$w$ 3% above it.",
    experiment=guided_gaussians,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a last step on the wrong side of 1; other roots have died out by then",
    assumptions=(FROZEN, Assumption("exact predictions of both Gaussians")),
    control=Control("the limits of noise and data prediction swapped", read_as="swapped"),
)
def guidance_limit(table):
    """Share of guided pairs that shrink above, or grow below, the limit."""
    wrong = (table["below"] >= 1) | (table["above"] <= 1)
    return violations_estimate(int(wrong.sum()), len(table))


@experiment(
    "diffusion-samplers/guided-errors",
    paper=DPMPP,
    design=grid(scale=7.5, n_steps=10, algorithm="ipndm", baseline="ddim"),
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

    The algorithm is ``algorithm(schedule, times, bootstrap) -> Plan``.
    """
    problem, device = (int(rng.integers(2**32)), float(scale)), str(device)
    own, other = (guided_log_error(*problem, a, n_steps, device) for a in (algorithm, baseline))
    return {"error": np.exp(own), "digits": (own - other) / np.log(10)}


@claim(
    "diffusion-samplers/high-orders-diverge",
    theorem="abstract of DPM-Solver++ (high orders are unstable under guidance); measured here",
    status="empirical",
    statement=r"At guidance $w=7.5$ and 10 steps, uniform in $\lambda$, samplers of third and "
    "fourth order have at least twice the error of DDIM, in the geometric mean.",
    experiment=guided_errors,
    at=dict(algorithm=["ipndm", "deis_tab3", "dpmpp_3m", "unipc-3 final"]),
    region=AtLeast(np.log10(2)),
    reason="the least effect worth the name, a factor of 2",
    assumptions=(Assumption("a population of random mixtures of 10 Gaussians in 8 dimensions"),),
    control=(
        Control("no guidance", scale=1),
        Control("twice as many steps", n_steps=20),
    ),
)
def high_orders_diverge(table):
    """Mean decimal logarithm of the ratio, per sampler."""
    return {str(a): mean_estimate(g["digits"]) for a, g in table.groupby("algorithm", sort=False)}
