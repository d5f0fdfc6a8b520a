"""What the experiments on kinetic-optimal paths share: random laws, the named paths, data sets."""

from __future__ import annotations

import functools

import numpy as np

from theorytk.claims import Assumption
from theorytk.experiments import Column
from theorytk.paths.kinetic_optimal import best_vp_path, kinetic_optimal_path
from theorytk.paths.named_paths import (
    cond_ot_path,
    ddpm_path,
    polynomial_path,
    trigonometric_path,
    vp_linear_path,
)
from theorytk.paths.oracles import atoms_separation, gaussian_separation

PAPER = "shaul2023"
NORMALISED = Assumption("laws are scaled to $E|x_1|^2=d$")
EXACT = Assumption("separations by quadrature; their error is below the tolerance")
FAMILY = Column("kind of law", dtype="str")

PATHS = {
    "kinetic-optimal": kinetic_optimal_path,
    "best-vp": best_vp_path,
    "cond-ot": lambda separation: cond_ot_path(),
    "trigonometric": lambda separation: trigonometric_path(),
    "square": lambda separation: polynomial_path(2.0),
    "vp-linear": lambda separation: vp_linear_path(),
    "ddpm": lambda separation: ddpm_path(),
}


def build(path, separation):
    """Return the path of this name, or that of the user's rule, for a law."""
    return PATHS.get(path, path)(separation)


def random_spectrum(rng, n_values=None):
    """Return eigenvalues of mean 1 that take so many values, each as often as drawn."""
    n_values = int(rng.integers(2, 7)) if n_values is None else n_values
    values = np.geomspace(1, rng.uniform(4, 40), n_values) * rng.uniform(0.8, 1.25, n_values)
    e = np.repeat(values, rng.integers(1, 5, n_values))
    return e / e.mean()


def random_atoms(rng):
    """Return the separation of 2 or 3 atoms of random weights on a line in R^d, d up to 512."""
    n = int(rng.integers(2, 4))
    points = np.cumsum(rng.uniform(0.5, 1.5, n))
    return atoms(tuple(points), tuple(rng.dirichlet(np.full(n, 3.0))), 2 ** int(rng.integers(10)))


@functools.cache
def atoms(points, weights, d):
    """Return the separation of atoms; its table is kept for the paired conditions."""
    return atoms_separation(points, weights, embed=d)


def random_law(rng):
    """Return the name of a family and the separation of a random law of it."""
    if rng.random() < 0.4:
        return "atoms", random_atoms(rng)
    return "gaussian", gaussian_separation(random_spectrum(rng))


def violations(table, column, above=0.0):
    """Return how many rows of a column lie above a number, and of how many."""
    return int((table[column] > above).sum()), len(table)
