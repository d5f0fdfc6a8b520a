"""What the experiments on adaptive data analysis share."""

from __future__ import annotations

import itertools

import numpy as np

DFHPRR = "dwork2015"
HOLD = "dwork2015holdout"
BNS = "bassily2016"
JLNRSS = "jung2020"
RRSSTW = "rogers2020"
DR14 = "dwork2014"

INDEPENDENT = "independent points of one law"


def truth(query):
    """Return the mean over the population of any query about fair signs: 1/2."""
    return 0.5


def random_privacy(rng):
    """Return a number of bits, the probability of a one, and a privacy epsilon."""
    return int(rng.integers(1, 40)), rng.uniform(0.05, 0.95), float(np.exp(rng.uniform(-4, 1)))


def random_channel(rng):
    """Return cell probabilities (c,), samples (s, n), their prior, and a random channel (s, y)."""
    n, cells, outputs = rng.integers(1, 4), rng.integers(2, 4), rng.integers(2, 7)
    law = rng.dirichlet(np.full(cells, rng.choice([0.3, 1.0, 5.0])))
    samples = np.array(list(itertools.product(range(cells), repeat=n)))
    rows = rng.dirichlet(np.full(outputs, rng.choice([0.2, 1.0])), size=len(samples))
    rows += rng.choice([0.0, 0.5, 3.0]) * rng.dirichlet(np.ones(outputs))
    return law, samples, law[samples].prod(axis=1), rows / rows.sum(axis=1, keepdims=True)


def neighbours(samples):
    """Return pairs (2, m) of indices of samples that differ in one point."""
    differences = (samples[:, None] != samples).sum(axis=2)
    return np.array(np.nonzero(differences == 1))
