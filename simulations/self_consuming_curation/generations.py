"""Curated samples alone: what is left after many generations, and how fast."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate
from theorytk.selfconsuming import CurationMap, losing_ratio, reward_gap_limit, uniform_reward_gap

from .common import FINITE, PAPER, POPULATION, number
from .weights import LUCE

ONLY = Assumption("trained on curated samples alone")
BOUNDED = Assumption("rewards of a law with a density, on 10^4 midpoints")
LEFT_OVER = 1e-13
SIZES = [2, 4, 10, "infinity"]


@experiment(
    "self-consuming-curation/levels",
    paper=PAPER,
    design=grid(K=SIZES, gap_scale=1, top_spread=0),
    paired=("gap_scale", "top_spread"),
    columns={
        "gap": Column("gap between the two best levels", unit="nat"),
        "generations": Column("generations until the worse levels have a mass of 1e-13"),
        "rate": Column("logarithm of the last factor of their mass over the law, less 1"),
        "conditional": Column("largest change of the law within the top level"),
        "divergence": Column("difference between KL(p_* | p_t) and -log P_t(top)", unit="nat"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def levels(*, K, gap_scale, top_spread, rng):
    """Retrain three atoms of the best reward, two of the second best and some worse ones.

    The law is read at `gap_scale` times the gap; `top_spread` parts the best rewards.
    """
    gap = rng.uniform(0.3, 1.5)
    worse = gap + rng.uniform(1, 3, int(rng.integers(1, 4)))
    reward = -np.concatenate([top_spread * np.arange(3), [gap, gap], worse])
    curation, p = CurationMap(reward, number(K)), rng.dirichlet(np.ones(reward.size))
    start, lost, before, t = p[:3] / p[:3].sum(), p[3:].sum(), 1.0, 0
    divergence = 0.0
    while lost > LEFT_OVER:
        p, before, t = curation.step(p), lost, t + 1
        lost, top = p[3:].sum(), p[:3].sum()
        divergence = max(divergence, abs(start @ np.log(start / p[:3]) + math.log(top)))
    return {
        "gap": gap,
        "generations": t,
        "rate": abs(
            math.log(lost / before) / math.log(losing_ratio(gap_scale * gap, number(K))) - 1
        ),
        "conditional": np.max(np.abs(p[:3] / p[:3].sum() - start)),
        "divergence": divergence,
    }


@claim(
    "self-consuming-curation/geometric-rate",
    theorem="derived here, for the paper's theorem on the limit",
    status="ours",
    statement=r"If the best reward has mass, all other mass decays geometrically, in the end by "
    r"the factor $\rho_K=K/(1+(K-1)e^\Delta)$ per generation, $\Delta$ the gap to the second best.",
    experiment=levels,
    kind="identity",
    region=AtMost(1e-4),
    reason="at a mass of 1e-13 the third level, worse by 1 at least, is a small part of it",
    assumptions=(LUCE, FINITE, POPULATION, ONLY),
    control=Control("a gap mistaken by 10%", gap_scale=1.1),
)
def geometric_rate(table):
    """Largest relative error of the rate."""
    return exact_estimate(table["rate"].max(), len(table))


@claim(
    "self-consuming-curation/top-level",
    theorem="theorem on the limit without real data (as remembered); derived again here",
    statement=r"The model converges to the first one given that the reward is best, $p_*$; within "
    r"that level the law never changes.",
    experiment=levels,
    kind="identity",
    region=AtMost(1e-11),
    assumptions=(LUCE, FINITE, POPULATION, ONLY),
    control=Control("best rewards that differ by 1e-2", top_spread=0.01),
)
def top_level(table):
    """Largest change of the conditional law."""
    return exact_estimate(table["conditional"].max(), len(table))


@claim(
    "self-consuming-curation/divergence-from-limit",
    theorem="theorem on the limit without real data (as remembered); derived again here",
    statement=r"$\mathrm{KL}(p_*\,\Vert\,p_t)=-\log P_t(r=r_*)$ at every time, which tends to $0$.",
    experiment=levels,
    kind="identity",
    region=AtMost(1e-11),
    assumptions=(LUCE, FINITE, POPULATION, ONLY),
    control=Control("best rewards that differ by 1e-2", top_spread=0.01),
)
def divergence_from_limit(table):
    """Largest difference over generations, in nats."""
    return exact_estimate(table["divergence"].max(), len(table))


def first_law(density, size):
    """Return a law on midpoints of [0, 1], an atom at the top included or not."""
    x = (np.arange(size) + 0.5) / size
    p = {"sloped": 0.5 + x, "vanishing": 1 - x}.get(density, np.ones(size))
    p = p / p.sum()
    if density == "atom":
        return x, 0.9 * p + 0.1 * (np.arange(size) == size - 1)
    return x, p


@experiment(
    "self-consuming-curation/continuous-reward",
    paper=PAPER,
    design=grid(K=[2, 4, 100, "infinity"], density="uniform", samples_scale=1),
    paired=("K", "density", "samples_scale"),
    columns={
        "t": Column("generations", dtype="int"),
        "gap": Column("largest reward less its mean", unit="nat"),
        "speed": Column("growth of 1 / gap per generation, times K / (K-1)"),
    },
    presets={
        "quick": dict(replicates=1, size=4000, generations=160),
        "paper": dict(replicates=1, size=20_000, generations=320),
    },
)
def continuous_reward(*, K, density, samples_scale, size, generations, rng):
    """Gap between best and mean reward, generation by generation, for a reward with a density.

    Users see `samples_scale` times K samples.
    """
    reward, p = first_law(density, size)
    curation = CurationMap(reward, number(K) * samples_scale)
    gap = 1 - curation.iterate(generations, p).mean_reward
    return {
        "t": np.arange(1, generations + 1),
        "gap": gap[1:],
        "speed": reward_gap_limit(number(K)) * np.diff(1 / gap),
    }


@claim(
    "self-consuming-curation/uniform-reward",
    theorem="derived here",
    status="ours",
    statement=r"For infinite $K$ and a reward uniform on $[0,1]$ at first, "
    r"$1-\mathbb E_{p_t}r=\frac1t-\frac1{e^t-1}$.",
    experiment=continuous_reward,
    at=dict(K="infinity"),
    kind="identity",
    region=AtMost(3e-4),
    reason="midpoints of distance h: (t h)^2 / 12 relatively, 1.4e-4 at t = 160, h = 1/4000",
    assumptions=(LUCE, BOUNDED, POPULATION, ONLY),
    control=(
        Control("an atom at the best reward", density="atom"),
        Control("ten samples taken for infinitely many", K=10),
    ),
)
def uniform_reward(table):
    """Largest relative error over generations."""
    law = np.array([uniform_reward_gap(int(t)) for t in table["t"]])
    return exact_estimate(np.max(np.abs(table["gap"] / law - 1)), len(table))


@claim(
    "self-consuming-curation/one-over-t",
    theorem="derived here",
    status="ours",
    statement=r"If the reward has a positive continuous density at its maximum, "
    r"$r_*-\mathbb E_{p_t}r\sim\frac K{K-1}\frac1t$; there is no geometric rate.",
    experiment=continuous_reward,
    at=dict(K=[2, 4], density=["uniform", "sloped"]),
    kind="identity",
    region=AtMost(2e-3),
    reason="1/gap grows by (K-1)/K + O(1/t) per generation; extrapolated from t and t/2 the next "
    "term is of order log(t) / t^2",
    assumptions=(LUCE, BOUNDED, POPULATION, ONLY),
    control=(
        Control("an atom at the best reward", density="atom"),
        Control("a density that vanishes at the best reward", density="vanishing"),
    ),
)
def one_over_t(table):
    """Largest distance of the extrapolated speed from 1."""
    errors = []
    for _, rows in table.groupby(["K", "density"]):
        speed = rows.set_index("t")["speed"]
        last = int(speed.index.max())
        errors.append(abs(2 * speed[last] - speed[last // 2] - 1))
    return exact_estimate(max(errors), len(errors))
