"""Where retraining with real data ends: from any start, beyond the threshold, without curation."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate
from theorytk.selfconsuming import (
    CurationMap,
    stability_threshold,
    two_atom_fixed_mass,
    uncurated_factor,
)

from .common import FINITE, PAPER, POPULATION, SIZES, STARTS_AT_REAL, number, random_problem
from .mistakes import STEPS
from .mixed import ASSUMED, read_lam
from .weights import LUCE

LONGEST = 10_000


@experiment(
    "self-consuming-curation/uncurated",
    paper=PAPER,
    design=grid(lam=[0.5, 2, 10], generations=30),
    paired=("step",),
    columns={"error": Column("largest distance from the law over atoms and generations")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=40,
    algorithm="step",
)
def without_curation(*, lam, generations, step="uncurated", rng):
    """Retraining without curation from a random start against its closed form.

    The algorithm is ``step(p, reward, K, lam, p_ref) -> p'``, shape (n,), with K = 1.
    """
    p_ref, reward, _ = random_problem(rng, spread=0.5)
    p0 = p = rng.dirichlet(np.ones(reward.size))
    error = 0.0
    for t in range(1, generations + 1):
        p = STEPS.get(step, step)(p, reward, 1, lam, p_ref)
        law = p_ref + uncurated_factor(lam) ** t * (p0 - p_ref)
        error = max(error, np.max(np.abs(p - law)))
    return {"error": error}


@claim(
    "self-consuming-curation/uncurated",
    theorem="case K = 1; after Bertrand et al. (2024), derived again here",
    statement=r"Without curation, $p_t-p_{\rm ref}=\big(\frac\lambda{1+\lambda}\big)^t"
    r"(p_0-p_{\rm ref})$ exactly, for every $\lambda<\infty$.",
    experiment=without_curation,
    kind="identity",
    region=AtMost(1e-12),
    assumptions=(FINITE, POPULATION),
    control=(
        Control("two samples to choose from", step="two-samples"),
        Control("real data left out", step="curated-only"),
    ),
)
def uncurated_law(table):
    """Largest distance from the law."""
    return exact_estimate(table["error"].max(), len(table))


@experiment(
    "self-consuming-curation/threshold",
    paper=PAPER,
    design=grid(
        K=2,
        gap=[0.5, 2, 50],
        rare=1e-4,
        relative_lam=[0.5, 0.8, 0.9, 1, 1.1, 1.25, 2, 4],
        lam_read="weight",
    ),
    paired=("step", "lam_read"),
    columns={
        "lam": Column("weight of curated samples"),
        "mass": Column("mass of the better atom at the fixed point"),
        "error": Column("its relative distance from the law for K = 2; 0 for other K"),
        "converged": Column("whether 10000 generations were enough", dtype="bool"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1, rare=[1e-4, 1e-6])},
    algorithm="step",
)
def threshold(*, K, gap, rare, relative_lam, lam_read, step="library", rng):
    """Mass of a rare better atom at the fixed point, below and beyond the threshold.

    `relative_lam` is in units of the threshold. The algorithm is
    ``step(p, reward, K, lam, p_ref) -> p'``, shape (2,).
    """
    lam = relative_lam * stability_threshold(number(K), gap)
    p_ref, reward = np.array([1 - rare, rare]), np.array([0.0, gap])
    p, used, change, t = p_ref, STEPS.get(step, step), 1.0, 0
    while change > 1e-7 * rare and t < LONGEST:
        new = used(p, reward, number(K), lam, p_ref)
        p, change, t = new, abs(new[1] - p[1]), t + 1
    law = two_atom_fixed_mass(rare, gap, read_lam(lam_read, lam)) if K == 2 else p[1]
    return {"lam": lam, "mass": p[1], "error": abs(p[1] / law - 1), "converged": t < LONGEST}


@claim(
    "self-consuming-curation/threshold",
    theorem="derived here",
    status="ours",
    statement=r"For $K=2$ and two atoms the better one ends with the mass $q$ of "
    r"$aq^2+(1-a)q=\epsilon$, $a=\lambda\tanh(\Delta/2)$. A rare one keeps about "
    r"$\epsilon/(1-a)$ for $a<1$ and takes $1-1/a$ for $a>1$: the threshold "
    r"$\lambda(H_{\max}-1)=1$ is sharp.",
    experiment=threshold,
    kind="identity",
    region=AtMost(1e-4),
    reason="stopped when a generation changes 1e-7 eps; at the threshold the rate is "
    "1 - O(eps^(1/2))",
    assumptions=(LUCE, POPULATION, STARTS_AT_REAL),
    control=(
        Control("lam read as the share of curated samples", lam_read="share"),
        Control("real data mixed in before curation", step="curate-all"),
    ),
)
def sharp_threshold(table):
    """Largest relative distance from the law."""
    return exact_estimate(table["error"].max(), len(table))


def tied_problem(rng):
    """Return a problem with levels of reward 1/2 apart, two best atoms, and two starts."""
    n = int(rng.integers(3, 9))
    p_ref = (rng.dirichlet(np.ones(n)) + 0.05) / (1 + 0.05 * n)
    reward = np.append(rng.integers(0, 6, n - 2) / 2, [3.0, 3.0])
    K = number(SIZES[rng.integers(len(SIZES))])
    return p_ref, reward, K, rng.dirichlet(np.ones(n), size=2)


@experiment(
    "self-consuming-curation/two-starts",
    paper=PAPER,
    design=grid(relative_lam=[0.5, 3, 10], generations=20_000, start="real"),
    paired=("step", "start"),
    columns={
        "apart": Column("total variation between the ends of two starts"),
        "fall": Column("largest fall of E exp(r - max r) from one generation to the next"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=150)},
    block=10,
)
def two_starts(*, relative_lam, generations, start, step="library", rng):
    """Ends of retraining from two random models, with lam below and beyond the threshold.

    Apart from that, falls of the reward in the first 60 generations from the real law, or from one
    of the models if `start` is "any".
    """
    p_ref, reward, K, (p, q) = tied_problem(rng)
    lam = relative_lam * stability_threshold(K, np.ptp(reward))
    weight = np.inf if step == "curated-only" else lam
    curation = CurationMap(reward, K, lam=weight, p_ref=p_ref)
    path = curation.iterate(60, p_ref if start == "real" else p).mean_exp_reward
    ends = [curation.fixed_point(x, max_iter=generations).probabilities for x in (p, q)]
    return {
        "apart": 0.5 * np.abs(ends[0] - ends[1]).sum(),
        "fall": max(0.0, -np.diff(path).min()),
    }


@claim(
    "self-consuming-curation/one-fixed-point",
    theorem="not proved beyond the threshold; observed here",
    status="empirical",
    statement=r"Retraining with real data ends at one law, whatever the first model, also for "
    r"$\lambda$ far beyond the threshold $1/(H_{\max}-1)$.",
    experiment=two_starts,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a total variation above 1e-8",
    assumptions=(LUCE, FINITE, POPULATION),
    control=Control("real data left out: ties at the top remember the start", step="curated-only"),
)
def one_fixed_point(table):
    """Share of problems with two ends."""
    return violations_estimate(int((table["apart"] > 1e-8).sum()), len(table))


@claim(
    "self-consuming-curation/reward-never-falls",
    theorem="not proved with real data; observed here",
    status="empirical",
    statement=r"From $p_0=p_{\rm ref}$ the mean $\mathbb E_{p_t}e^r$ never falls from one "
    r"generation to the next, with real data too.",
    experiment=two_starts,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a fall above 1e-12, in units of the largest exp(r)",
    assumptions=ASSUMED,
    control=Control("started at another model", start="any"),
)
def reward_never_falls(table):
    """Share of problems with a fall."""
    return violations_estimate(int((table["fall"] > 1e-12).sum()), len(table))
