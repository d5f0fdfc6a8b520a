"""The one-step method: one rescaling of the factors makes the rate free of the initial scale."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtLeast,
    Between,
    mean_estimate,
    proportion_estimate,
    slope_estimate,
    tail_rate,
)
from theorytk.matrix_sensing import balance, init_factors, iterates, log_schedule, one_step_rescale
from theorytk.matrix_sensing.predictions import optimal_beta
from theorytk.matrix_sensing.theory import one_step_contraction, one_step_max_step

from .common import PAPER, descend, population_problem, schedule

FACTORS = dict(n=50, singular_values=(1, 0.75, 0.5), k=5, threshold=0.01)
ASSUMPTIONS = (
    Assumption("infinitely many measurements: the operator is the identity"),
    Assumption("Gaussian factors, and the switch at an error below threshold * sigma_r"),
)
BALANCED = Control("the product split into balanced factors instead", refactor="balanced")
NONE = Control("the factors left as they are", refactor="none")

REFACTORISATIONS = {
    "one-step": one_step_rescale,
    "balanced": lambda F, G, beta: balance(F, G),
    "none": lambda F, G, beta: (F, G),
}


def switched(singular_values, F0, G0, *, threshold, refactor, beta):
    """Return operator, truth and the factors refactored at an error below threshold * sigma_r."""
    operator, truth, F0, G0 = population_problem(singular_values, F0, G0)
    run = dict(truth=truth, F0=F0, G0=G0, step_size=0.1, max_iter=20_000)
    goal = threshold * min(singular_values)
    for _, F, G in iterates(operator, **run, record=log_schedule(20_000, per_decade=100)):
        if np.linalg.norm(F @ G.T - truth) < goal:
            break
    return operator, truth, *REFACTORISATIONS.get(refactor, refactor)(F, G, beta)


@experiment(
    "matrix-sensing/one-step-rate",
    paper=PAPER,
    design=grid(**FACTORS, alpha=0.1, beta_ratio=1, step_size=0.1, steps=2000),
    paired=("alpha", "beta_ratio", "refactor", "step_scale", "beta_power", "alpha_power"),
    columns={
        "rate": Column("tail rate of the error after the switch", unit="1/iteration"),
        "law": Column("-log of the contraction after the switch", unit="1/iteration"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    algorithm="refactor",
)
def one_step_rate(
    *,
    n,
    singular_values,
    k,
    threshold,
    alpha,
    beta_ratio,
    step_size,
    steps,
    refactor="one-step",
    step_scale=1,
    beta_power=0.5,
    alpha_power=0,
    rng,
):
    """Rate of descent after the factors were refactored once; beta = beta_ratio sqrt(sigma_r).

    The algorithm is a refactorisation ``refactor(F, G, beta) -> (F_new, G_new)`` of the product
    F G'.
    """
    sigma_r = min(singular_values)
    F0, G0 = init_factors(n, n, k, scale=alpha, rng=rng)
    beta = beta_ratio * sigma_r**beta_power * alpha**alpha_power
    start = switched(singular_values, F0, G0, threshold=threshold, refactor=refactor, beta=beta)
    record, step = schedule(steps), step_size * step_scale
    t, error = descend(*start, rule="gradient", step_size=step, record=record)
    reported = beta_ratio * optimal_beta(sigma_r)
    return {
        "rate": tail_rate(t, error),
        "law": -np.log(one_step_contraction(sigma_r, reported, step_size)),
    }


@claim(
    "matrix-sensing/one-step-alpha-free",
    theorem="Section 5, equation (5.1)",
    statement=r"After the rescaling of one single step the rate does not depend on $\alpha$.",
    experiment=one_step_rate,
    at=dict(alpha=[0.02, 0.1, 0.4]),
    region=Between(-0.015, 0.015),
    reason="the switch at an error of 0.01 sigma_r moves the rate by 4% at most: over log(20)",
    assumptions=ASSUMPTIONS,
    control=(
        NONE,
        Control("beta tied to alpha: alpha^(1/4)", alpha_power=0.25),
        Control("beta tied to alpha, weakly: alpha^0.017", alpha_power=0.017),
    ),
)
def one_step_alpha_free(table):
    """Slope of log rate on log alpha; no rate at all counts as one that falls like alpha^2."""
    rate = np.hstack(list(by_replicate(table, "rate", by=("alpha",)).values()))
    log_alpha = np.log(np.sort(table["alpha"].unique()))
    none = 1e-12 * np.exp(2 * log_alpha)  # a constant would look like a rate that is free of alpha
    return slope_estimate(log_alpha, np.log(np.maximum(rate, none)))


@claim(
    "matrix-sensing/one-step-rate",
    theorem="Section 5, equation (5.1), sharp rate",
    status="ours",
    statement=r"After the rescaling to $\tilde F^\top\tilde F=\beta^2I$ the error tends to $0$ as "
    r"$(1-\eta\min\{\beta^2,\sigma_r^2/\beta^2\})^t$.",
    experiment=one_step_rate,
    at=dict(beta_ratio=[0.5, 0.8, 1, 1.25]),
    region=Between(0.98, 1.02),
    reason="the switch at an error of 0.01 sigma_r moves the squares of the factors by twice that",
    assumptions=ASSUMPTIONS,
    control=(
        BALANCED,
        Control("beta = sigma_r: the square root forgotten", beta_power=1),
        Control("steps 2.1% longer than reported", step_scale=1.021),
    ),
)
def one_step_law(table):
    """Rate over its law, per beta."""
    rate, law = (by_replicate(table, column, by=("beta_ratio",)) for column in ("rate", "law"))
    return {label: mean_estimate((rate[label] / law[label])[:, 0]) for label in rate}


@claim(
    "matrix-sensing/one-step-best-beta",
    theorem="derived here (optimal_beta)",
    status="ours",
    statement=r"$\beta=\sqrt{\sigma_r}$ is the best choice: a larger or smaller $\beta$, by a "
    r"factor $1.2$, lowers the rate.",
    experiment=one_step_rate,
    at=dict(beta_ratio=[1 / 1.2, 1, 1.2]),
    region=AtLeast(0.2),
    reason="the law says log(1.44) = 0.36; a little more than half of it is the least effect",
    assumptions=ASSUMPTIONS,
    control=(
        Control("beta = sigma_r: the square root forgotten", beta_power=1),
        Control("beta = sigma_r^0.564", beta_power=0.564),
    ),
)
def one_step_best_beta(table):
    """Drop of the log rate from the best beta to a smaller and to a larger one."""
    smaller, best, larger = by_replicate(table, "rate", by=("beta_ratio",)).values()
    log = {"smaller beta": np.log(best / smaller), "larger beta": np.log(best / larger)}
    return {label: mean_estimate(v[:, 0]) for label, v in log.items()}


STEP_LIMITS = {
    "beta^2 + (sigma_1 / beta)^2": one_step_max_step,
    "sigma_1": lambda sigma_1, beta: 2 / sigma_1,
    "beta + sigma_1 / beta": lambda sigma_1, beta: 2 / (beta + sigma_1 / beta),
    "sigma_1^2 / beta^2": lambda sigma_1, beta: 2 * (beta / sigma_1) ** 2,
}


@experiment(
    "matrix-sensing/one-step-stability",
    paper=PAPER,
    design=grid(**FACTORS, alpha=0.1, beta_ratio=[0.7, 1, 1.5], fraction=[0.95, 1.05], steps=600),
    paired=("beta_ratio", "fraction", "curvature", "refactor"),
    columns={
        "grows": Column("whether the error exceeds that at the switch", dtype="bool"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    algorithm="refactor",
)
def one_step_stability(
    *,
    n,
    singular_values,
    k,
    threshold,
    alpha,
    beta_ratio,
    fraction,
    steps,
    curvature="beta^2 + (sigma_1 / beta)^2",
    refactor="one-step",
    rng,
):
    """Whether the error grows after the switch, at a fraction of the largest stable step.

    The algorithm is a refactorisation ``refactor(F, G, beta) -> (F_new, G_new)`` of the product
    F G'.
    """
    F0, G0 = init_factors(n, n, k, scale=alpha, rng=rng)
    beta = beta_ratio * optimal_beta(min(singular_values))
    start = switched(singular_values, F0, G0, threshold=threshold, refactor=refactor, beta=beta)
    step = fraction * STEP_LIMITS[curvature](max(singular_values), beta)
    _, error = descend(*start, rule="gradient", step_size=step, record=schedule(steps, 10, 20))
    return {"grows": bool(error.max() > error[0])}


@claim(
    "matrix-sensing/one-step-stability",
    theorem="derived here (one_step_max_step)",
    status="ours",
    statement=r"After the rescaling, near the limit, gradient descent is stable if and only if "
    r"$\eta(\beta^2+\sigma_1^2/\beta^2)<2$: the error shrinks at $0.95$ of that step and grows at "
    r"$1.05$ of it, in most draws.",
    experiment=one_step_stability,
    at=dict(threshold=0.001),
    region=AtLeast(0.5),
    reason="most draws: more than half of them",
    assumptions=ASSUMPTIONS,
    control=(
        Control("the rule eta sigma_1 < 2", curvature="sigma_1"),
        Control("the squares forgotten", curvature="beta + sigma_1 / beta"),
        Control("beta^2 forgotten", curvature="sigma_1^2 / beta^2"),
    ),
)
def one_step_is_stable(table):
    """Share of draws in which, at every beta, the error grows exactly beyond the limit."""
    grows = by_replicate(table, "grows", by=("fraction",))
    should = np.sort(table["fraction"].unique()) > 1
    right = {k: (v == s).all(axis=1) for (k, v), s in zip(grows.items(), should, strict=True)}
    return {label: proportion_estimate(v.sum(), len(v)) for label, v in right.items()}
