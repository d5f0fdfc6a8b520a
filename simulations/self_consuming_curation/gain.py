"""One curated generation: what it does to the reward."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, violations_estimate
from theorytk.selfconsuming import gain_bound

from .common import FINITE, INSTANCES, PAPER, REASON, random_problem, violations_of
from .mistakes import WEIGHTS
from .weights import LUCE

REVERSED = Control("what is disliked is kept", weights="reversed")


def read_bound(bound, p, reward, K):
    """Return the lower bound on the gain, or one of its misreadings."""
    if bound == "without-K":
        return gain_bound(p, reward, K) * (1 if math.inf == K else K)
    if bound == "mean":
        return gain_bound(p, reward, K) / (p @ np.exp(reward - reward.max()))
    return gain_bound(p, reward, K)


def largest_rise(before, after, reward):
    """Return how far the distribution function of the reward rises at most; 0 if it does not."""
    order = np.argsort(reward)
    return max(0.0, float(np.max(np.cumsum((after - before)[order]))))


@experiment(
    "self-consuming-curation/one-generation",
    paper=PAPER,
    design=grid(bound="proven", range_scale=1),
    paired=("bound", "range_scale", "weights"),
    columns={
        "atoms": Column("atoms of the random law", dtype="int"),
        "range": Column("range of the reward", unit="nat"),
        "gain": Column("gain of E exp(r) over its lower bound"),
        "shortfall": Column("1 - gain / bound; positive if the bound fails"),
        "excess": Column("gain / (bound e^R) - 1; positive if the upper bound fails"),
        "rise": Column("largest rise of the distribution function of the reward"),
    },
    presets=INSTANCES,
    block=100,
    algorithm="weights",
)
def one_generation(*, bound, range_scale, weights="library", rng):
    """One generation of a random problem against the bounds on its gain.

    The upper bound is read at `range_scale` times the range. The algorithm is
    ``weights(p, reward, K) -> H``, shape (n,).
    """
    p, reward, K = random_problem(rng)
    curated = p * WEIGHTS.get(weights, weights)(p, reward, K)
    gain = (curated - p) @ np.expm1(reward - reward.max())
    lower, upper = read_bound(bound, p, reward, K), gain_bound(p, reward, K)
    upper *= np.exp(range_scale * np.ptp(reward))
    return {
        "atoms": p.size,
        "range": np.ptp(reward),
        "gain": gain / lower,
        "shortfall": 1 - gain / lower,
        "excess": gain / upper - 1,
        "rise": largest_rise(p, curated, reward),
    }


@claim(
    "self-consuming-curation/one-step-gain",
    theorem="lemma on the increase of the reward (as remembered); derived again here",
    statement=r"One curated generation raises $\mathbb E\,e^r$ by at least "
    r"$\frac{K-1}K\mathrm{Var}(e^r)/e^{r_*}$.",
    experiment=one_generation,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(LUCE, FINITE),
    control=(
        REVERSED,
        Control("K - 1 in the place of (K-1)/K", bound="without-K"),
        Control("the mean of exp(r) in the place of its maximum", bound="mean"),
    ),
)
def one_step_gain(table):
    """Share of problems with a smaller gain."""
    return violations_estimate(*violations_of(table, "shortfall"))


@claim(
    "self-consuming-curation/gain-from-above",
    theorem="derived here, from the same identity",
    status="ours",
    statement=r"It raises $\mathbb E\,e^r$ by at most $e^R$ times that, $R=\sup r-\inf r$: for "
    r"small ranges the gain is known.",
    experiment=one_generation,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(LUCE, FINITE),
    control=(
        Control("the limit of many samples taken for K", weights="infinitely-many"),
        Control("half the range in the bound", range_scale=0.5),
    ),
)
def gain_from_above(table):
    """Share of problems with a larger gain."""
    return violations_estimate(*violations_of(table, "excess"))


@claim(
    "self-consuming-curation/first-order-dominance",
    theorem="derived here",
    status="ours",
    statement=r"After a curated generation the reward is stochastically larger: "
    r"$P_{t+1}(r\le s)\le P_t(r\le s)$ for every $s$, so every increasing function of $r$ gains.",
    experiment=one_generation,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(LUCE, FINITE),
    control=REVERSED,
)
def first_order_dominance(table):
    """Share of problems whose distribution function rises somewhere."""
    return violations_estimate(*violations_of(table, "rise"))
