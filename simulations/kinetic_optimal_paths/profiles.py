"""What the figures show: paths for growing dimension, energies, and the estimate's stability."""

from __future__ import annotations

import math

import numpy as np

from theorytk.experiments import Column, experiment, grid
from theorytk.paths.checkerboard import checkerboard_separation
from theorytk.paths.datasets import normalise
from theorytk.paths.energy import kinetic_energy
from theorytk.paths.kinetic_optimal import kinetic_optimal_path
from theorytk.paths.oracles import (
    gaussian_separation,
    single_point_separation,
    sphere_separation,
    two_point_separation,
)
from theorytk.paths.separation import default_angles, separation_function

from .common import PAPER, PATHS
from .dimension import gaussian_points

TIMES = np.linspace(0, 1, 101)
ANGLES = math.pi / 2 * TIMES**2


@experiment(
    "kinetic-optimal-paths/growing-dimension",
    paper=PAPER,
    design=grid(n=256, d=[12, 48, 192, 768]),
    columns={
        "theta": Column("angle", unit="rad"),
        "gamma": Column("gamma there"),
        "t": Column("time"),
        "a": Column("factor of the data at this time"),
        "m": Column("factor of the noise"),
    },
    presets={"quick": dict(replicates=1, sweeps=4), "paper": dict(replicates=1, n=2000, sweeps=2)},
)
def growing_dimension(*, n, d, sweeps, rng):
    """Separation and optimal path of n Gaussian points with variances 1/j in R^d."""
    points = normalise(gaussian_points(n, d, rng, decay=1))
    law = separation_function(points, n_sweeps=sweeps, rng=rng)
    path = kinetic_optimal_path(law)
    return {
        "theta": ANGLES,
        "gamma": law.gamma(ANGLES),
        "t": TIMES,
        "a": path.a(TIMES),
        "m": path.m(TIMES),
    }


LAWS = {
    "checkerboard": checkerboard_separation,
    "sphere, d = 3": lambda: sphere_separation(3),
    "spectrum 1/j, d = 64": lambda: gaussian_separation(1 / np.arange(1, 65)),
    "two points, d = 1": lambda: two_point_separation(1),
    "two points, d = 10": lambda: two_point_separation(10),
    "two points, d = 1000": lambda: two_point_separation(1000),
    "one point": lambda: single_point_separation(1),
}


@experiment(
    "kinetic-optimal-paths/energies",
    paper=PAPER,
    design=grid(law=list(LAWS)),
    columns={
        "path": Column("name of the path", dtype="str"),
        "energy": Column("its kinetic energy per dimension", infinite=True),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def energies(*, law, rng):
    """Energies of the named paths for a law; DDPM ends at t = 1 - 1e-5."""
    separation = LAWS[law]()
    return [
        {"path": name, "energy": kinetic_energy(make(separation), separation)}
        for name, make in PATHS.items()
    ]


@experiment(
    "kinetic-optimal-paths/stability",
    paper=PAPER,
    design=grid(d=48, n=[64, 256, 1024], sources=[64]),
    columns={"s": Column("amplitude"), "one_minus_lambda": Column("estimate of 1 - lambda(s)")},
    presets={
        "quick": dict(replicates=4, sources=[16, 64]),
        "paper": dict(replicates=10, n=[250, 1000, 4000], sources=[16, 64, 250]),
    },
    block=4,
)
def stability(*, d, n, sources, rng):
    """Estimates of 1 - lambda for the first n of the same kind of points, from few sources."""
    points = normalise(gaussian_points(n, d, rng, decay=1))
    law = separation_function(points, n_sweeps=1, n_sources=sources, rng=rng)
    s = np.tan(default_angles(d)[::4])
    return {"s": s, "one_minus_lambda": law.one_minus_lambda(s)}
