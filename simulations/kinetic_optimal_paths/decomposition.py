"""The kinetic energy by simulation: its decomposition, and what lambda may be."""

from __future__ import annotations

import functools

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, Between, mean_estimate
from theorytk.paths.datasets import normalise
from theorytk.paths.energy import conditional_energy, kinetic_energy
from theorytk.paths.oracles import (
    atoms_separation,
    gaussian_posterior_mean,
    gaussian_separation,
)

from .common import EXACT, NORMALISED, PAPER, build

ATOMS, WEIGHTS, SPECTRUM = (-0.5, 2.0), (0.8, 0.2), (0.25, 1.75)


def skew_draws(n, rng):
    """Draw from two atoms of unequal weights."""
    return rng.choice(ATOMS, (n, 1), p=WEIGHTS)


def gaussian_draws(n, rng):
    """Draw from a Gaussian law in the plane."""
    return rng.standard_normal((n, 2)) * np.sqrt(SPECTRUM)


SKEW = normalise(np.array(ATOMS)[:, None], WEIGHTS)
# Of every law its separation, its posterior mean and its draws.
LAWS = {
    "skew": (lambda: atoms_separation(ATOMS, WEIGHTS), SKEW.posterior_mean, skew_draws),
    "gaussian": (
        lambda: gaussian_separation(SPECTRUM),
        gaussian_posterior_mean(SPECTRUM),
        gaussian_draws,
    ),
}


@functools.cache
def energies(law, path):
    """Return the path for a law with its kinetic and conditional energy by eq (21)."""
    separation = LAWS[law][0]()
    found = build(path, separation)
    return found, kinetic_energy(found, separation), conditional_energy(found)


def library_velocity(path, t, x, posterior_mean):
    """The marginal velocity of the library."""
    return path.velocity(t, x, posterior_mean)


@experiment(
    "kinetic-optimal-paths/simulated-energy",
    paper=PAPER,
    design=grid(
        law=list(LAWS),
        path=["cond-ot", "trigonometric", "square"],
        formula="eq (21)",
        lag=0,
        velocity="library",
    ),
    paired=("formula", "lag", "velocity"),
    columns={"ratio": Column("mean of |u_t(x_t)|^2 / d over the energy of the formula")},
    presets={"quick": dict(replicates=40, n=400), "paper": dict(replicates=100, n=4000)},
    block=20,
    algorithm="velocity",
)
def simulated_energy(*, law, path, formula, lag, velocity, n, rng):
    """Mean |u|^2 over draws of x_t at 64 stratified times, beside eq (21) by quadrature.

    The velocity is taken `lag` before t. The algorithm is
    ``velocity(path, t, x, posterior_mean) -> u``, with ``posterior_mean(y, s)`` of y = s x_1 + z;
    x, y and u are of shape (k, d).
    """
    found, energy, conditional = energies(law, path)
    rule = library_velocity if velocity == "library" else velocity
    _, mean, draws = LAWS[law]
    squares = []
    for t in (np.arange(64) + rng.random(64)) / 64:
        x1 = draws(n, rng)
        z = rng.standard_normal(x1.shape)
        u = rule(found, max(t - lag, 0.0), found.a(t) * x1 + found.m(t) * z, mean)
        squares.append(np.mean(u**2))
    target = {"eq (21)": energy, "conditional": conditional}[formula]
    return {"ratio": np.mean(squares) / target}


@claim(
    "kinetic-optimal-paths/energy-decomposition",
    theorem="eqs (18) to (21)",
    statement=r"$\int_0^1\frac1d\mathbb E\|u_t(x_t)\|^2dt=\int_0^1(\dot a_t^2+\dot m_t^2)dt-"
    r"\int_0^1\beta_t^2(1-\lambda(a_t/m_t))dt$ with $\beta=\dot a-a\dot m/m$.",
    experiment=simulated_energy,
    region=Between(1, 1, margin=0.03),
    reason="an identity; the margin leaves room for the interval of a million draws",
    assumptions=(NORMALISED, EXACT, Assumption("two atoms, and a Gaussian law in the plane")),
    control=(
        Control("velocities one step of 1/64 late", lag=1 / 64),
        Control("the conditional energy alone", formula="conditional"),
    ),
)
def energy_decomposition(table):
    """Ratio of the energies, per law and path."""
    groups = table.groupby(["law", "path"])
    return {f"{law}, {path}": mean_estimate(g["ratio"]) for (law, path), g in groups}


@experiment(
    "kinetic-optimal-paths/simulated-lambda",
    paper=PAPER,
    design=grid(n=32, d=16, s=[0.2, 0.5, 1], scale=1),
    paired=("scale",),
    columns={"excess": Column("mean |mu|^2 / d over s^2 / (1 + s^2), minus 1")},
    presets={"quick": dict(replicates=60, sweeps=40), "paper": dict(replicates=400, sweeps=100)},
    block=20,
)
def simulated_lambda(*, n, d, s, scale, sweeps, rng):
    """Lambda by the paper's eq (39), |mu|^2 / d, for Gaussian points of second moment scale^2."""
    X = normalise(rng.standard_normal((n, d))).points * scale
    y = np.tile(s * X, (sweeps, 1)) + rng.standard_normal((sweeps * n, d))
    logits = s * y @ X.T - 0.5 * s * s * (X**2).sum(axis=1)
    weights = np.exp(logits - logits.max(axis=1)[:, None])
    mean = weights @ X / weights.sum(axis=1)[:, None]
    return {"excess": np.mean(mean**2) * (1 + s * s) / (s * s) - 1}


@claim(
    "kinetic-optimal-paths/above-gaussian",
    theorem="hypothesis of Theorem 3.1, which is derived here",
    status="ours",
    statement=r"$\lambda(s)\ge s^2/(1+s^2)$ for every law with $E|x_1|^2=d$: the hypothesis "
    r"$\gamma\ge0$ of the theorem always holds.",
    experiment=simulated_lambda,
    region=AtLeast(0),
    assumptions=(NORMALISED, Assumption("random Gaussian points, 32 in 16 dimensions")),
    control=(
        Control("points that are not normalised, of second moment 0.76", scale=0.87),
        Control("points of second moment 0.25", scale=0.5),
    ),
)
def above_gaussian(table):
    """Mean relative excess, per amplitude."""
    return {f"s={s:g}": mean_estimate(g["excess"]) for s, g in table.groupby("s")}
