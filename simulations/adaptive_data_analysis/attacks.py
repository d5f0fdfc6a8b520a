"""The two-stage attack: its limit law, its exact law, what noise and forgetting do to it."""

from __future__ import annotations

import numpy as np

from theorytk.adaptive.attack_laws import attack_accuracy, exact_attack_accuracy, progressive_gap
from theorytk.adaptive.attacks import random_signs, two_stage_attack, vote_margins
from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate

from .common import DFHPRR, INDEPENDENT
from .mistakes import ATTACK_MISTAKES

ZRNIC_HARDT = "zrnic2019"
FAIR = (Assumption(INDEPENDENT), Assumption("queries of independent fair signs, and no signal"))


def two_stage(n, k, weights, sigma, rng):
    """Return the in-sample accuracy of the attack."""
    signs = random_signs(n, k, rng)
    return two_stage_attack(signs, weights=weights, sigma=sigma, rng=rng).accuracy


ATTACKS = {"two-stage": two_stage, **ATTACK_MISTAKES}


def mean_accuracy(attack, draws, n, k, weights, sigma, rng):
    """Return the mean accuracy of an attack, given by name or as a function, over many samples."""
    attack = ATTACKS[attack] if isinstance(attack, str) else attack
    return np.mean([attack(n, k, weights, sigma, rng) for _ in range(draws)])


ACCURACY = {
    "accuracy": Column("mean accuracy within the sample of the last classifier"),
    "error": Column("this accuracy less that of the law"),
}


@experiment(
    "adaptive-data-analysis/two-stage-attack",
    paper=DFHPRR,
    design=grid(
        n=2000, k=[20, 80, 320, 1280], weights="linear", sigma=0, attack="two-stage", draws=10
    ),
    paired=("attack",),
    columns=ACCURACY,
    presets={"quick": dict(replicates=60), "paper": dict(replicates=300)},
    block=20,
    algorithm="attack",
)
def attacked(*, n, k, weights, sigma, attack, draws, rng):
    """Mean accuracy of an attack within its sample, beside the limit law.

    The algorithm is ``attack(n, k, weights, sigma, rng) -> accuracy`` within a sample of n points,
    after k queries that are answered with Gaussian noise sigma, on the scale of +-1.
    """
    accuracy = mean_accuracy(attack, draws, n, k, weights, sigma, rng)
    law = float(attack_accuracy(n, k, weights=weights, sigma=sigma))
    return {"accuracy": accuracy, "error": accuracy - law}


def by(table, column):
    """Return the mean error for each level of a column."""
    return {
        f"{column}={level:.4g}": mean_estimate(g["error"]) for level, g in table.groupby(column)
    }


@claim(
    "adaptive-data-analysis/naive-sqrt-law",
    theorem="Appendix, for the order; the constant is derived here",
    status="ours",
    statement=r"After $k$ exact answers about a sample of $n$ points, the two-stage attack has a "
    r"classifier of accuracy $\Phi(\sqrt{k/n})$ on the sample and $1/2$ on the population.",
    experiment=attacked,
    region=Between(-0.004, 0.004),
    reason="the exact law is within 1e-4 of the limit at these n and k; the rest is resolution",
    assumptions=FAIR,
    control=(
        Control("the classifier judged on points that were not asked about", attack="fresh"),
        Control("of the points it is judged on, 6% are new", attack="some-new"),
    ),
)
def naive_sqrt_law(table):
    """Mean accuracy less the law, for each number of queries."""
    return by(table, "k")


@claim(
    "adaptive-data-analysis/gaussian-damping",
    theorem="derived here",
    status="ours",
    statement=r"Noise of variance $\sigma^2$ on answers in $[-1,1]$ damps the attack to the "
    r"accuracy $\Phi\bigl(\sqrt{k/(n(1+n\sigma^2))}\bigr)$.",
    experiment=attacked,
    at=dict(n=1600, k=800, sigma=[1 / 80, 1 / 40, 1 / 20, 1 / 10]),
    region=Between(-0.004, 0.004),
    reason="answers are sums of 1600 signs and normal noise: the law is off by O(1/n); the rest is "
    "resolution",
    assumptions=FAIR,
    control=(
        Control("the noise of answers in [0, 1]", attack="half-noise"),
        Control("of the points it is judged on, 6% are new", attack="some-new"),
    ),
)
def gaussian_damping(table):
    """Mean accuracy less the law, for each noise."""
    return by(table, "sigma")


@experiment(
    "adaptive-data-analysis/small-attack",
    paper=DFHPRR,
    design=grid(
        n=100, k=30, weights=["linear", "sign", "select"], sigma=[0, 0.1], attack="two-stage"
    ),
    paired=("attack",),
    columns=ACCURACY,
    presets={"quick": dict(replicates=60, draws=100), "paper": dict(replicates=100, draws=300)},
    block=20,
    algorithm="attack",
)
def small_attack(*, n, k, weights, sigma, attack, draws, rng):
    """Mean accuracy of an attack on a small sample, beside its exact expectation.

    The algorithm is ``attack(n, k, weights, sigma, rng) -> accuracy``.
    """
    accuracy = mean_accuracy(attack, draws, n, k, weights, sigma, rng)
    law = exact_attack_accuracy(n, k, weights=weights, sigma=sigma)
    return {"accuracy": accuracy, "error": accuracy - law}


@claim(
    "adaptive-data-analysis/exact-attack-law",
    theorem="derived here",
    status="ours",
    statement=r"The expected accuracy of the attack is a finite sum for every $n$ and $k$: for "
    r"weights that are the answers, their signs, or a selection of the queries, with Gaussian "
    r"noise and without.",
    experiment=small_attack,
    region=Between(-0.005, 0.005),
    reason="the law is exact: this is the resolution",
    assumptions=FAIR,
    control=(
        Control("ties of the vote count as errors", attack="ties-lost"),
        Control("of the points it is judged on, 6% are new", attack="some-new"),
    ),
)
def exact_attack_law(table):
    """Mean accuracy less the exact law, for all weights and noises."""
    return {
        f"{weights}, sigma={sigma:g}": mean_estimate(g["error"])
        for (weights, sigma), g in table.groupby(["weights", "sigma"])
    }


def forgetful(n, rounds, forgetting, rng):
    """Return the in-sample accuracy of sign(h) after rounds of h <- forgetting h + a_t u_t."""
    signs = random_signs(n, rounds, rng)
    answers = 2 * signs.stored().means() - 1
    margins = vote_margins(signs, forgetting ** np.arange(rounds)[::-1] * answers)
    return (margins > 0).mean() + (margins == 0).mean() / 2


ANALYSTS = {
    "progressive": forgetful,
    "never": lambda n, rounds, forgetting, rng: forgetful(n, rounds, 1.0, rng),
    "twice": lambda n, rounds, forgetting, rng: forgetful(n, rounds, forgetting**2, rng),
    "every other": lambda n, rounds, forgetting, rng: forgetful(n, rounds, forgetting**1.5, rng),
}


@experiment(
    "adaptive-data-analysis/progressive-analyst",
    paper=ZRNIC_HARDT,
    design=grid(n=1000, rounds=1000, forgetting=[0.5, 0.9, 0.97, 0.99], analyst="progressive"),
    paired=("analyst",),
    columns={"gap": Column("mean gap of in-sample and population accuracy, less the law")},
    presets={"quick": dict(replicates=40, draws=20), "paper": dict(replicates=100, draws=30)},
    block=10,
    algorithm="analyst",
)
def progressive(*, n, rounds, forgetting, analyst, draws, rng):
    """Gap of an analyst whose state forgets, after exact answers.

    The algorithm is ``analyst(n, rounds, forgetting, rng) -> accuracy`` within the sample.
    """
    analyst = ANALYSTS[analyst] if isinstance(analyst, str) else analyst
    accuracy = np.mean([analyst(n, rounds, forgetting, rng) for _ in range(draws)])
    return {"gap": accuracy - 0.5 - float(progressive_gap(n, rounds, forgetting))}


@claim(
    "adaptive-data-analysis/progressive-law",
    theorem="progressive analysts; the law is derived here",
    status="ours",
    statement=r"An analyst who forgets, $h\leftarrow\lambda h+a_tu_t$, overfits like one who has "
    r"asked $(1+\lambda)/(1-\lambda)$ queries, however long he goes on.",
    experiment=progressive,
    region=Between(-0.004, 0.004),
    reason="answers are sums of 1000 signs: the law is off by O(1/n); the rest is resolution",
    assumptions=FAIR,
    control=(
        Control("an analyst who never forgets", analyst="never"),
        Control("the state is contracted twice in each round", analyst="twice"),
        Control("and twice in every other round, on average", analyst="every other"),
    ),
)
def progressive_law(table):
    """Mean gap less the law, for each factor."""
    return {f"lambda={f:g}": mean_estimate(g["gap"]) for f, g in table.groupby("forgetting")}
