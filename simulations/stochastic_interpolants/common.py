"""What the experiments on stochastic interpolants share: paths, laws, fields and their use."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from theorytk.claims import Assumption
from theorytk.paths.generate import integrate_ode, integrate_sde
from theorytk.paths.interpolants import gamma_schedule, interpolant
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

PAPER = "albergo2023"
INDEPENDENT = Assumption("x0, x1 and z are independent")
MIXTURES = Assumption("x0 and x1 have Gaussian mixtures, whose fields are exact")

NORMAL = GaussianMixture([1.0], [0.0], [1.0])
# The two laws of the paper's example in one dimension, a milder one, and one point.
LAWS = {
    "two": GaussianMixture([0.5, 0.5], [-3.0, 3.0], [0.25, 0.25]),
    "three": GaussianMixture([1 / 3] * 3, [-6.0, 0.0, 6.0], [0.5, 0.33, 0.5]),
    "near": GaussianMixture([0.5, 0.5], [-1.0, 1.0], [0.25, 0.25]),
    "normal": NORMAL,
    "point": GaussianMixture([1.0], [0.0], [1e-12]),
}
PATHS = {
    "linear": interpolant("linear"),
    "linear, a=2": interpolant("linear", gamma_schedule("brownian", a=2.0)),
    "trigonometric, gamma=0": interpolant("trigonometric", "none"),
    "trigonometric, a=1/50": interpolant("trigonometric", gamma_schedule("brownian", a=0.02)),
    "trigonometric": interpolant("trigonometric"),
    "trigonometric, a=2": interpolant("trigonometric", gamma_schedule("brownian", a=2.0)),
    "trigonometric, quadratic": interpolant("trigonometric", "quadratic"),
    "encoder-decoder": interpolant("encoder-decoder"),
    "one-sided-linear": interpolant("one-sided-linear"),
    "one-sided-trigonometric": interpolant("one-sided-trigonometric"),
    "one-sided-vp": interpolant("one-sided-vp"),
}


def flow_between(start, end, path):
    """Return the flow between two of LAWS along one of PATHS, or along an interpolant."""
    path = PATHS[path] if isinstance(path, str) else path
    return MixtureInterpolant(LAWS[start], LAWS[end], path)


def random_mixture(n_components, d, rng, scale=1.0):
    """Return a mixture of means within 6 and covariances of 1/4 or more, these times `scale`."""
    weights = rng.dirichlet(np.full(n_components, 4.0))
    A = rng.standard_normal((n_components, d, d)) / 2
    covariances = scale * (0.25 * np.eye(d) + A @ A.swapaxes(1, 2))
    return GaussianMixture(weights, rng.uniform(-6, 6, (n_components, d)), covariances)


def random_flow(path, d, rng):
    """Return a flow of 2 to 3 components, from N(0, 1) if the path is one-sided."""
    path = PATHS[path]
    start = GaussianMixture([1.0], np.zeros((1, d)), [1.0])
    if not path.one_sided:
        start = random_mixture(2, d, rng)
    return MixtureInterpolant(start, random_mixture(3, d, rng), path)


def cdf(law, x):
    """Return the distribution function of a mixture in one dimension at x (n,)."""
    return norm.cdf((x[:, None] - law.means[:, 0]) / np.sqrt(law.covariances[:, 0, 0])) @ (
        law.weights
    )


def generate(fields, x, *, epsilon, n_steps, t_span=(0.0, 1.0), rng):
    """Generate as the library does: by Euler-Maruyama, or the flow with as many evaluations."""
    if epsilon == 0:
        flow = dict(n_steps=max(1, n_steps // 4), t_span=t_span)
        return integrate_ode(lambda t, x: fields(t, x)[0], x, **flow)
    return integrate_sde(fields, x, epsilon=epsilon, n_steps=n_steps, t_span=t_span, rng=rng)
