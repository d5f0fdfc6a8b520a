"""The two-dimensional examples of the paper: a ring of Gaussians and two moons, on a grid."""

from __future__ import annotations

import numpy as np

from theorytk.experiments import Column, experiment, grid
from theorytk.selfconsuming import (
    CurationMap,
    empirical_model,
    kde_model,
    simulate_particles,
)

from .common import PAPER, number

HALF_WIDTH = 3.6
LIKED = np.array([2.0, 0.0])


def centres(target):
    """Return the means of the Gaussians that make up a target, and their deviation."""
    if target == "ring":
        angle = 2 * np.pi * np.arange(8) / 8
        return 2 * np.column_stack([np.cos(angle), np.sin(angle)]), 0.3
    angle = np.pi * (np.arange(16) + 0.5) / 16
    upper = np.column_stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25])
    return 1.6 * np.vstack([upper, -upper]), 0.2


def reward_at(points, gamma):
    """Return the reward: minus gamma times the distance to what is liked, beyond 1."""
    return -gamma * np.maximum(0, np.linalg.norm(points - LIKED, axis=-1) - 1)


def on_grid(target, size):
    """Return points (size^2, 2) of a square grid, and the target's law on them."""
    x = np.linspace(-HALF_WIDTH, HALF_WIDTH, size)
    points = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    means, deviation = centres(target)
    distance2 = ((points[:, None] - means) ** 2).sum(axis=2)
    density = np.exp(-distance2 / (2 * deviation**2)).sum(axis=1)
    return points, density / density.sum()


def draw(target, size, rng):
    """Return points (size, 2) drawn from a target."""
    means, deviation = centres(target)
    return means[rng.integers(len(means), size=size)] + deviation * rng.standard_normal((size, 2))


@experiment(
    "self-consuming-curation/plane",
    paper=PAPER,
    design=grid(target=["ring", "moons"], lam=["infinity", 1, 0.3], K=4, gamma=2, generations=20),
    columns={
        "generation": Column("generation", dtype="int"),
        "reward": Column("mean reward", unit="nat"),
        "variance": Column("variance of exp(r)"),
        "top": Column("mass within distance 1 of what is liked"),
        "divergence": Column("KL from the law of the real data", unit="nat"),
    },
    presets={
        "quick": dict(replicates=1, size=60),
        "paper": dict(replicates=1, size=120, K=[2, 4, 16, "infinity"], lam=["infinity", 1, 0.3]),
    },
)
def plane(*, target, lam, K, gamma, generations, size, rng):
    """Reward, variance and divergence over generations, exactly on a grid."""
    points, p_ref = on_grid(target, size)
    reward = reward_at(points, gamma)
    curation = CurationMap(reward, number(K), lam=number(lam), p_ref=p_ref)
    history = curation.iterate(generations)
    return {
        "generation": np.arange(generations + 1),
        "reward": history.mean_reward,
        "variance": history.exp_reward_variance,
        "top": history.top_mass,
        "divergence": history.kl_divergence(p_ref),
    }


@experiment(
    "self-consuming-curation/plane-densities",
    paper=PAPER,
    design=grid(
        target=["ring", "moons"], lam=["infinity", 1], generation=[0, 1, 4, 20], K=4, gamma=2
    ),
    columns={
        "x": Column("first coordinate"),
        "y": Column("second coordinate"),
        "density": Column("density of the model, per unit area"),
    },
    presets={"quick": dict(replicates=1, size=60), "paper": dict(replicates=1, size=100)},
)
def plane_densities(*, target, lam, generation, K, gamma, size, rng):
    """Density of the model after some generations, exactly on a grid."""
    points, p_ref = on_grid(target, size)
    curation = CurationMap(reward_at(points, gamma), number(K), lam=number(lam), p_ref=p_ref)
    area = (2 * HALF_WIDTH / (size - 1)) ** 2
    density = curation.iterate(generation).final / area
    return {"x": points[:, 0], "y": points[:, 1], "density": density}


@experiment(
    "self-consuming-curation/fitted-models",
    paper=PAPER,
    design=grid(
        model=["by heart", "kernel density"],
        n=[300, 3000],
        lam=["infinity", 1],
        K=4,
        gamma=2,
        generations=12,
    ),
    columns={
        "generation": Column("generation", dtype="int"),
        "reward": Column("mean reward of the training set", unit="nat"),
        "kinds": Column("share of points that differ from all others"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=50, n=[300, 3000, 30_000])},
    block=10,
)
def fitted_models(*, model, n, lam, K, gamma, generations, rng):
    """Mean reward of training sets on the ring, and their variety, for two kinds of models."""
    history = simulate_particles(
        lambda size, rng: draw("ring", size, rng),
        lambda x: reward_at(x, gamma),
        K,
        n=n,
        generations=generations,
        lam=number(lam),
        fit={"by heart": empirical_model, "kernel density": kde_model}[model],
        rng=rng,
    )
    return {
        "generation": np.arange(generations + 1),
        "reward": history.rewards.mean(axis=1),
        "kinds": [len(np.unique(x[:, 0])) / n for x in history.samples],
    }
