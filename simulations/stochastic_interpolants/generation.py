"""Generation by the flow and by diffusions: the law at the end, from a law and from a point."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, distribution_distance_estimate, mean_estimate

from .common import MIXTURES, PAPER, cdf, flow_between
from .mistakes import SAMPLERS

WITHOUT_SCORE = Control("noise added, the drift left at b", sampler="without-score")
ROOT_NOISE = Control("noise of variance epsilon h for 2 epsilon h", sampler="root-noise")
STEPS = (
    "Euler-Maruyama: with a step h a variance C is wrong by about epsilon h / C, here 4%, which "
    "moves a normal distribution function by 0.005; the margin leaves room for the DKW band, 0.0175"
)


@experiment(
    "stochastic-interpolants/generation",
    paper=PAPER,
    design=grid(path="trigonometric", ends=("two", "three"), start="law", epsilon=1, n_steps=500),
    paired=("sampler",),
    columns={"u": Column("distribution function of the exact law at a generated point")},
    presets={
        "quick": dict(replicates=4, draws=5000),
        "paper": dict(replicates=20, draws=5000, n_steps=2000),
    },
    algorithm="sampler",
)
def generation(
    *, path, ends, start, epsilon, n_steps, draws, backward=False, sampler="library", rng
):
    """Generate from the exact fields, from draws of the first law or from a point of it.

    The algorithm is ``sampler(fields, x, epsilon=..., n_steps=..., t_span=..., rng=...) -> x``,
    where ``fields(t, x)`` are velocity and score, and the points x have shape (n, 1).
    """
    flow = flow_between(*ends, path)
    first, last = (flow.rho1, flow.rho0) if backward else (flow.rho0, flow.rho1)
    x = first.sample(draws, rng) if start == "law" else np.full((draws, 1), first.means[0])
    sampler = SAMPLERS[sampler] if isinstance(sampler, str) else sampler
    options = dict(epsilon=epsilon, n_steps=n_steps, t_span=(1, 0) if backward else (0, 1))
    x = sampler(flow.velocity_and_score, x, **options, rng=rng)
    return {"u": cdf(last, x[:, 0])}


def distances(table, by):
    """Return the distance of all draws from the exact law, for each level of some factors."""
    return {
        label: distribution_distance_estimate(u.ravel(), lambda u: u)
        for label, u in by_replicate(table, "u", by).items()
    }


@claim(
    "stochastic-interpolants/marginals",
    theorem="generative models: the flow and the forward SDE",
    statement=r"Started with $\rho_0$, the flow $\dot X=b$ and the diffusion "
    r"$dX=(b+\epsilon s)\,dt+\sqrt{2\epsilon}\,dW$ end with $\rho_1$, for any $\epsilon$.",
    experiment=generation,
    at=dict(epsilon=[0, 0.5, 5]),
    region=AtMost(0.01, margin=0.025),
    reason=STEPS,
    assumptions=(MIXTURES,),
    control=(WITHOUT_SCORE, ROOT_NOISE),
)
def marginals(table):
    """Kolmogorov's distance from the law of x1, per epsilon."""
    return distances(table, ("epsilon",))


@claim(
    "stochastic-interpolants/backward-marginals",
    theorem="generative models: the backward SDE",
    statement=r"Started with $\rho_1$ at $t=1$, the backward diffusion with drift "
    r"$b-\epsilon s$ ends at $t=0$ with $\rho_0$.",
    experiment=generation,
    at=dict(epsilon=[0.5, 5], backward=True),
    region=AtMost(0.01, margin=0.025),
    reason=STEPS,
    assumptions=(MIXTURES,),
    control=(WITHOUT_SCORE, ROOT_NOISE),
)
def backward_marginals(table):
    """Kolmogorov's distance from the law of x0, per epsilon."""
    return distances(table, ("epsilon",))


@claim(
    "stochastic-interpolants/point-start",
    theorem="diffusive interpolants (Theorem 31 of the journal version)",
    statement=r"With $\rho_0$ one point and $\gamma^2=t(1-t)$, linear coefficients, the diffusion "
    r"with $\epsilon=1/2$ has a drift that is regular at $t=0$ and maps the point to $\rho_1$; "
    r"no regular flow does.",
    experiment=generation,
    at=dict(path="linear", ends=("point", "three"), start="point", epsilon=0.5),
    region=AtMost(0.01, margin=0.025),
    reason="the slope of the drift stays below 32 where there is mass: times the step 1/500 it is "
    "6% of a variance, which moves a normal distribution function by 0.008; the margin leaves "
    "room for the DKW band",
    assumptions=(MIXTURES, Assumption("the point is a normal law of variance 1e-12")),
    control=(Control("the flow instead", sampler="without-noise"), ROOT_NOISE),
)
def from_a_point(table):
    """Kolmogorov's distance from the law of x1."""
    return distribution_distance_estimate(table["u"], lambda u: u)


@claim(
    "stochastic-interpolants/forgets-its-start",
    theorem="role of epsilon: the limit of large epsilon",
    statement=r"From one fixed $x_0$ the law at the end tends to $\rho_1$ as $\epsilon\to\infty$: "
    r"Kolmogorov's distance falls with $\epsilon$, by 0.05 or more for each of these steps.",
    status="empirical",
    experiment=generation,
    at=dict(start="point", epsilon=[0.1, 1, 5, 20], draws=2000, n_steps=500),
    region=AtLeast(0.05),
    reason="the least effect of an ordering; distances of 200 draws are biased upwards alike",
    assumptions=(MIXTURES,),
    control=(
        Control("a thousandth of epsilon: a unit mistaken", sampler="little-noise"),
        Control("epsilon capped", sampler="capped"),
    ),
)
def forgets_its_start(table):
    """Fall of the distance from each epsilon to the next, over batches of 200 draws."""
    found = {
        epsilon: [distance_from_uniform(batch) for batch in rows["u"].to_numpy().reshape(-1, 200)]
        for epsilon, rows in table.groupby("epsilon")
    }
    return {
        f"{low:g} to {high:g}": mean_estimate(np.subtract(found[low], found[high]))
        for low, high in pairwise(sorted(found))
    }


def distance_from_uniform(u):
    """Return Kolmogorov's distance of draws from the uniform law."""
    return distribution_distance_estimate(u, lambda u: u).value
