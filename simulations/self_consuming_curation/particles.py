"""Finitely many samples: how training sets stray from the exact map."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate
from theorytk.selfconsuming import CurationMap, particle_deviations, simulate_particles

from .common import PAPER, number
from .mistakes import CHOICES
from .weights import LUCE

ATOMS = 20
BY_HEART = Assumption("the model is its training set, learnt by heart")
FRESH = Assumption("real data are drawn anew in every generation")


def shares_by_particles(reward, K, n, generations, lam, rng):
    """Return the shares of atoms in training sets as the library simulates them."""
    history = simulate_particles(
        lambda size, rng: rng.integers(reward.size, size=size),
        lambda x: reward[x],
        K,
        n=n,
        generations=generations,
        lam=lam,
        rng=rng,
    )
    return np.array([np.bincount(x, minlength=reward.size) / n for x in history.samples])


def without_luce(reward, K, n, generations, lam, rng):
    """Resample without a choice."""
    return shares_by_particles(reward, 1, n, generations, lam, rng)


def fewer(reward, K, n, generations, lam, rng):
    """Train on a fifth fewer samples than are counted."""
    return shares_by_particles(reward, K, n * 4 // 5, generations, lam, rng)


SIMULATIONS = {"library": shares_by_particles, "without-luce": without_luce, "fewer": fewer}


def expected_distance(history, curation, p_ref, lam):
    """Return sqrt(n) times the expected total variation of every generation."""
    models = history.probabilities
    jacobians = [curation.jacobian(p) for p in models[:-1]]
    deviations = particle_deviations(models, jacobians, p_ref, lam)
    return deviations.sum(axis=1) / math.sqrt(2 * math.pi)


@experiment(
    "self-consuming-curation/particles",
    paper=PAPER,
    design=grid(n=1000, lam=["infinity", 1], K=4, generations=3, runs=100),
    paired=("simulate",),
    columns={
        "generation": Column("generation", dtype="int"),
        "distance": Column("mean total variation from the exact model over the runs"),
        "ratio": Column("that over its law"),
    },
    presets={
        "quick": dict(replicates=60),
        "paper": dict(replicates=60, n=[1000, 4000], generations=6),
    },
    block=10,
    algorithm="simulate",
)
def particles(*, n, lam, K, generations, runs, simulate="library", rng):
    """Total variation between training sets of n and the exact model, 20 atoms.

    Rewards are on an even grid of range 3, real data uniform. The algorithm is
    ``simulate(reward, K, n, generations, lam, rng) -> shares``, shape (generations + 1, 20).
    """
    lam, reward = number(lam), np.linspace(0, 3, ATOMS)
    p_ref = np.full(ATOMS, 1 / ATOMS)
    curation = CurationMap(reward, K, lam=lam, p_ref=p_ref)
    history = curation.iterate(generations)
    used = SIMULATIONS.get(simulate, simulate)
    found = np.array([used(reward, K, n, generations, lam, rng) for _ in range(runs)])
    distance = 0.5 * np.abs(found - history.probabilities).sum(axis=2).mean(axis=0)
    law = expected_distance(history, curation, p_ref, lam) / math.sqrt(n)
    return {
        "generation": np.arange(generations + 1),
        "distance": distance,
        "ratio": distance / law,
    }


@claim(
    "self-consuming-curation/finite-sample-drift",
    theorem="derived here",
    status="ours",
    statement=r"Training sets of $n$ differ from the exact model by $\mathrm{TV}\approx"
    r"\sum_i\sigma_i/\sqrt{2\pi n}$, where the covariance follows "
    r"$\Sigma\mapsto a^2J\Sigma J^\top+aS(c)+(1-a)S(p_{\rm ref})$, $a=\lambda/(1+\lambda)$.",
    experiment=particles,
    region=Between(0.95, 1.05),
    reason="the next term is of relative order 1 / sqrt(n), 3.2% at n = 1000",
    assumptions=(LUCE, BY_HEART, FRESH),
    control=(
        Control("resampled without a choice", simulate="without-luce"),
        Control("a fifth of the samples lost", simulate="fewer"),
    ),
)
def finite_sample_drift(table):
    """Measured over predicted distance after the last generation, per n and lam."""
    last = table[table["generation"] == table["generation"].max()]
    return {
        f"n={n}, lam={lam}": mean_estimate(g["ratio"]) for (n, lam), g in last.groupby(["n", "lam"])
    }


@experiment(
    "self-consuming-curation/choices",
    paper=PAPER,
    design=grid(K=[2, 4, 16], users=30_000),
    paired=("choice",),
    columns={
        "error": Column("mean reward of what is kept, less that of the curated law, unit of r")
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=20,
    algorithm="choice",
)
def choices(*, K, users, choice="luce", rng):
    """Mean reward of what simulated users keep, against curation weights.

    The algorithm is ``choice(rewards, rng) -> k``: shapes (users, K) and (users,).
    """
    reward = np.linspace(-1, 1, ATOMS)
    p = np.full(ATOMS, 1 / ATOMS)
    shown = rng.integers(ATOMS, size=(users, K))
    kept = CHOICES.get(choice, choice)(reward[shown], rng)
    found = reward[shown[np.arange(users), kept]].mean()
    return {"error": found - CurationMap(reward, K).step(p) @ reward}


@claim(
    "self-consuming-curation/luce-choice",
    theorem="curation by the Bradley-Terry model of K samples (Section 2)",
    statement=r"What users keep by Luce's rule has the law $pH$: its mean reward is "
    r"$\sum_ip_iH_ir_i$, within $0.005$ of a range of $2$.",
    experiment=choices,
    region=Between(0, 0, margin=0.005),
    reason="an exact equality; the margin is 0.25% of the range of the rewards",
    assumptions=(LUCE,),
    control=(
        Control("the best of the samples kept", choice="best-of"),
        Control("chosen at a temperature of 0.95", choice="sharper"),
    ),
)
def luce_choices(table):
    """Mean difference of the rewards, per K."""
    return {f"K={K}": mean_estimate(g["error"]) for K, g in table.groupby("K")}
