"""What the experiments on curation share: random problems, the steps they take, and words."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption
from theorytk.selfconsuming import CurationMap

PAPER = "ferbach2024"
POPULATION = Assumption("models of unlimited capacity, trained on unlimited data", checked=False)
FINITE = Assumption("finitely many atoms, of bounded reward")
STARTS_AT_REAL = Assumption("the first model is the law of the real data")
ROUNDING = 1e-8
REASON = "a violation is larger than 1e-8 relatively: rounding over the generations is below"
SIZES = (2, 3, 4, 8, "infinity")
INSTANCES = {"quick": dict(replicates=300), "paper": dict(replicates=3000)}


def number(factor):
    """Return a factor that may be the word infinity."""
    return math.inf if factor == "infinity" else factor


def random_problem(rng, spread=None):
    """Return a law, rewards and a number of samples: 2 to 12 atoms of all sizes."""
    n = int(rng.integers(2, 13))
    spread = 10 ** rng.uniform(-1.5, 1) if spread is None else spread
    p = rng.dirichlet(np.full(n, 10 ** rng.uniform(-1, 1))) + 1e-3
    return p / p.sum(), spread * rng.uniform(0, 1, n), number(SIZES[rng.integers(len(SIZES))])


def rare_atom(rng):
    """Return a problem in which one rare atom is the best by far."""
    p, reward, K = random_problem(rng, spread=0.1)
    rare = 10 ** rng.uniform(-9, -4)
    p = np.append((1 - rare) * p, rare)
    return p, np.append(reward, reward.max() + rng.uniform(0, 5)), K


def retrain(p, reward, K, lam, p_ref):
    """Return the next model as the library does."""
    return CurationMap(reward, K, lam=lam, p_ref=p_ref).step(p)


def violations_of(table, column):
    """Return how many of `column` exceed rounding, and of how many."""
    return int((table[column] > ROUNDING).sum()), len(table)
