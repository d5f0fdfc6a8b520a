"""Two closed forms by another route: the Gaussian Schroedinger bridge, densities by Feynman-Kac."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Polynomial
from scipy.optimize import minimize
from scipy.stats import norm

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, mean_estimate
from theorytk.paths.bridges import gaussian_schroedinger_bridge, variance_action

from .common import PAPER
from .mistakes import DENSITIES


def path_of_variances(variance0, variance1, weights):
    """Return the variance (1-t)^2 C0 + t^2 C1 + t (1-t) p(t), p a polynomial with `weights`."""
    ends = Polynomial([1, -2, 1]) * variance0 + Polynomial([0, 0, 1]) * variance1
    return ends + Polynomial([0, 1, -1]) * Polynomial(weights)


def action_of(weights, variance0, variance1, epsilon):
    """Return the action of a path of variances; a large number where it is no path."""
    C = path_of_variances(variance0, variance1, weights)
    if C(np.linspace(0, 1, 101)).min() <= 0:
        return 1e3
    return variance_action(C, C.deriv(), epsilon)


def optimised(variance0, variance1, epsilon):
    """Return the least action over interpolants with a linear p, by Nelder and Mead."""
    start, given = [1.0, 0.0], (variance0, variance1, epsilon)
    options = dict(xatol=1e-6, fatol=1e-12)
    return minimize(action_of, start, given, method="Nelder-Mead", options=options).fun


def independent(variance0, variance1, epsilon):
    """Return the action of x0, x1 independent and gamma^2 = 2 epsilon t (1 - t)."""
    return action_of([2 * epsilon], variance0, variance1, epsilon)


def half_noise(variance0, variance1, epsilon):
    """Return the least action for noise of variance epsilon dt, in the place of 2 epsilon dt."""
    return optimised(variance0, variance1, epsilon / 2)


BRIDGES = {"optimised": optimised, "independent": independent, "half-noise": half_noise}


@experiment(
    "stochastic-interpolants/gaussian-bridge",
    paper=PAPER,
    design=grid(coupling="optimised"),
    paired=("coupling",),
    columns={"error": Column("relative error of the action")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=10,
    algorithm="coupling",
)
def gaussian_bridge(*, coupling, rng):
    """Action of interpolants between N(0, C0) and N(0, C1), optimised, against the bridge's.

    The algorithm is ``coupling(variance0, variance1, epsilon) -> action``.
    """
    variance0, variance1, epsilon = rng.uniform(0.25, 4), rng.uniform(0.25, 4), rng.uniform(0.1, 1)
    exact = gaussian_schroedinger_bridge([0.0], [[variance0]], [0.0], [[variance1]], epsilon)
    coupling = BRIDGES[coupling] if isinstance(coupling, str) else coupling
    return {"error": abs(coupling(variance0, variance1, epsilon) / exact.action - 1)}


@claim(
    "stochastic-interpolants/gaussian-bridge",
    theorem="(3.35)-(3.39); the closed form derived here (gaussian_schroedinger_bridge)",
    status="ours",
    statement=r"The interpolant optimised for the least $\int\mathbb E|u|^2dt$, "
    r"$\partial_t\rho+\nabla\cdot(u\rho)=\epsilon\Delta\rho$, is the Schroedinger bridge; between "
    r"Gaussians its cross covariance is $\sqrt{\sigma_0^2\sigma_1^2+\epsilon^2}-\epsilon$.",
    experiment=gaussian_bridge,
    kind="identity",
    region=AtMost(1e-5),
    reason="at a minimum the action errs by the square of the optimiser's error, 1e-5",
    assumptions=(Assumption("centred Gaussians in one dimension"),),
    control=(
        Control("x0 and x1 independent", coupling="independent"),
        Control("noise of variance epsilon dt for 2 epsilon dt", coupling="half-noise"),
    ),
)
def optimised_bridge(table):
    """Largest relative error of the action."""
    return exact_estimate(table["error"].max(), len(table))


@experiment(
    "stochastic-interpolants/feynman-kac",
    paper=PAPER,
    design=grid(epsilon=0.25, x=[0, 1], draws=4000, n_steps=100),
    paired=("density", "noise_scale"),
    columns={"ratio": Column("mean of the draws over the density")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400, n_steps=1000)},
    block=10,
    algorithm="density",
)
def density_at_the_end(*, epsilon, x, draws, n_steps, noise_scale=1, density="feynman-kac", rng):
    """Density at t = 1 of dX = -epsilon X dt + sqrt(2 epsilon) dW, at rest with N(0, 1).

    The algorithm is ``density(x, drift, divergence, density0, epsilon=..., n_steps=..., rng=...)
    -> draws``, shape (n,), whose mean is the density at points x (n, 1).
    """
    density = DENSITIES[density] if isinstance(density, str) else density
    found = density(
        np.full((draws, 1), float(x)),
        lambda t, x: -epsilon * x,
        lambda t, x: np.full(len(x), -epsilon),
        lambda x: norm.pdf(x[:, 0]),
        epsilon=noise_scale * epsilon,
        n_steps=n_steps,
        rng=rng,
    )
    return {"ratio": np.mean(found) / norm.pdf(x)}


@claim(
    "stochastic-interpolants/feynman-kac",
    theorem="(2.58)",
    statement=r"The density of the forward diffusion at the end is a mean over paths that run "
    r"back from $x$: $\hat\rho_F(1,x)=\mathbb E^x\big[e^{-\int\nabla\cdot\hat b_F}"
    r"\rho_0(Y_0)\big]$.",
    experiment=density_at_the_end,
    region=Between(0.98, 1.02),
    reason="exactly 1 without a step; a step of 1/100 is worth epsilon h = 0.25%",
    assumptions=(Assumption("the Ornstein-Uhlenbeck diffusion, at rest"),),
    control=(
        Control("the factor of the divergence left out", density="without-divergence"),
        Control("epsilon 15% too small in the noise", noise_scale=0.85),
    ),
)
def density_by_paths(table):
    """Mean of the draws over the density, per point."""
    return {f"x={x:g}": mean_estimate(rows["ratio"]) for x, rows in table.groupby("x")}
