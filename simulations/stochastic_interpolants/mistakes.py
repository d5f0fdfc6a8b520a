"""Mistakes that the claims on stochastic interpolants must catch; none belongs in an algorithm."""

from __future__ import annotations

from functools import partial

import numpy as np

from theorytk.paths.generate import denoise, feynman_kac, integrate_ode, integrate_sde
from theorytk.paths.interpolant_theory import euler_maruyama_moments
from theorytk.paths.objectives import interpolant_loss

from .common import generate


def exact_fields(flow, t, x):
    """Return velocity and score as the library does."""
    return flow.velocity_and_score(t, x)


def mean_velocity_fields(flow, t, x):
    """Take the mean velocity v, without the part of the noise, for the velocity b."""
    return flow.mean_velocity(t, x), flow.score(t, x)


def flipped_score(flow, t, x):
    """Take +E[z | x] / gamma for the score: a sign lost between two conventions."""
    b, s = flow.velocity_and_score(t, x)
    return b, -s


FIELDS = {"exact": exact_fields, "mean-velocity": mean_velocity_fields, "flipped": flipped_score}


def exact_means(flow, t, x):
    """Return E[x0 | x], E[x1 | x], E[z | x] as the library does."""
    return flow.conditional_means(t, x)


def flipped_denoiser(flow, t, x):
    """Return -E[z | x] for the denoiser, as a loss with +eta.z learns it."""
    eta_0, eta_1, eta_z = flow.conditional_means(t, x)
    return eta_0, eta_1, -eta_z


MEANS = {"exact": exact_means, "flipped": flipped_denoiser}


def without_score(fields, x, *, epsilon, n_steps, t_span=(0.0, 1.0), rng):
    """Add noise to the flow and leave its drift as it is."""

    def drift(t, x):
        b, s = fields(t, x)
        return b, 0 * s

    return integrate_sde(drift, x, epsilon=epsilon, n_steps=n_steps, t_span=t_span, rng=rng)


def root_noise(fields, x, *, epsilon, n_steps, t_span=(0.0, 1.0), rng):
    """Take noise of variance epsilon h in the place of 2 epsilon h."""

    def doubled(t, x):
        b, s = fields(t, x)
        return b, 2 * s

    return generate(doubled, x, epsilon=epsilon / 2, n_steps=n_steps, t_span=t_span, rng=rng)


def without_noise(fields, x, *, epsilon, n_steps, t_span=(0.0, 1.0), rng):
    """Follow the flow, whatever epsilon is."""
    return generate(fields, x, epsilon=0, n_steps=n_steps, t_span=t_span, rng=rng)


def capped_noise(fields, x, *, epsilon, n_steps, t_span=(0.0, 1.0), rng):
    """Cap epsilon at 1.4, for stability."""
    return generate(fields, x, epsilon=min(epsilon, 1.4), n_steps=n_steps, t_span=t_span, rng=rng)


def little_noise(fields, x, *, epsilon, n_steps, t_span=(0.0, 1.0), rng):
    """Take a thousandth of epsilon: a unit mistaken."""
    return generate(fields, x, epsilon=epsilon / 1000, n_steps=n_steps, t_span=t_span, rng=rng)


SAMPLERS = {
    "library": generate,
    "without-score": without_score,
    "root-noise": root_noise,
    "without-noise": without_noise,
    "capped": capped_noise,
    "little-noise": little_noise,
}


def without_half(field, target, interpolant, t, x0, x1, z):
    """Take |f|^2 - f.y for the loss: its first term has lost a factor 1/2."""
    return interpolant_loss(lambda t, x: 2 * field(t, x), target, interpolant, t, x0, x1, z) / 2


def one_draw(field, target, interpolant, t, x0, x1, z):
    """Draw z alone, without -z."""
    return interpolant_loss(field, target, interpolant, t, x0, x1, z, antithetic=False)


def unequal_pair(field, target, interpolant, t, x0, x1, z, share=0.5115):
    """Give the first of a pair z, -z a weight of 0.5115, or another."""
    first = one_draw(field, target, interpolant, t, x0, x1, z)
    return share * first + (1 - share) * one_draw(field, target, interpolant, t, x0, x1, -z)


LOSSES = {
    "antithetic": interpolant_loss,
    "without-half": without_half,
    "one-draw": one_draw,
    "unequal": unequal_pair,
    "more-unequal": partial(unequal_pair, share=0.5225),
}


def root_noise_moments(fields, mean, variance, *, epsilon, n_steps):
    """Take noise of variance epsilon h in the place of 2 epsilon h."""

    def doubled(t, x):
        b, s = fields(t, x)
        return b, 2 * s

    return euler_maruyama_moments(doubled, mean, variance, epsilon=epsilon / 2, n_steps=n_steps)


MOMENTS = {"library": euler_maruyama_moments, "root-noise": root_noise_moments}


def euler(interpolant, conditional_means, x, *, n_steps):
    """Follow the velocity by Euler's method in the place of the denoising iteration."""
    return integrate_ode(
        lambda t, x: velocity_of_means(interpolant, conditional_means, t, x),
        x,
        n_steps=n_steps,
        method="euler",
    )


def heun(interpolant, conditional_means, x, *, n_steps):
    """Follow the velocity by Heun's method, which is of order 2."""
    return integrate_ode(
        lambda t, x: velocity_of_means(interpolant, conditional_means, t, x),
        x,
        n_steps=n_steps,
        method="heun",
    )


def velocity_of_means(interpolant, conditional_means, t, x):
    """Return the velocity gamma' E[z | x] + beta' E[x1 | x] of a one-sided interpolant."""
    c, means = interpolant.coefficients(t), conditional_means(t, x)
    if c.gamma2 == 0:
        return c.d_beta * means[1]
    return c.gamma_d_gamma / np.sqrt(c.gamma2) * means[-1] + c.d_beta * means[1]


ITERATIONS = {"denoise": denoise, "euler": euler, "heun": heun}


def without_divergence(x, drift, divergence, density0, **options):
    """Leave out the factor exp(-integral of the divergence)."""
    return feynman_kac(x, drift, lambda t, x: 0 * divergence(t, x), density0, **options)


DENSITIES = {"feynman-kac": feynman_kac, "without-divergence": without_divergence}
