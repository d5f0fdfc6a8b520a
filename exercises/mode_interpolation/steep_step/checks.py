"""The denoiser by quadrature and by the library, slopes by differences of the library's."""

import numpy as np
from scipy.optimize import minimize_scalar

from theorytk.classroom import array, check, close, picture
from theorytk.diffusion.hallucination import line_mixture

PAPER = "aithal2024"
QUESTION = "Which denoiser does training by mean squares prefer if slopes of 25 are out of reach?"


def _mixture(rng):
    """Return means, sigma and weights of a random mixture."""
    count = int(rng.integers(2, 6))
    means = np.cumsum(rng.uniform(0.4, 1.5, count)) - 2
    return means, float(rng.uniform(0.03, 0.15)), rng.dirichlet(np.full(count, 3.0))


def _denoised(student, x, alpha_bar, means, sigma, weights):
    name = "denoise(x, alpha_bar, means, sigma, weights)"
    found = student.denoise(x.copy(), alpha_bar, means.copy(), sigma, weights.copy())
    return array(found, name, shape=x.shape)


@check(points=2)
def denoiser(student, rng):
    """The denoiser at five points, by quadrature over the clean data.

    Two normal variables with a covariance: the gain is the covariance over the variance of x. And
    the modes are shifted by the square root of alpha_bar.
    """
    for _ in range(5):
        means, sigma, weights = _mixture(rng)
        alpha_bar = float(rng.uniform(0.05, 0.95))
        noise = np.sqrt(1 - alpha_bar)
        clean = rng.choice(means, 5, p=weights) + sigma * rng.standard_normal(5)
        x = np.sqrt(alpha_bar) * clean + noise * rng.standard_normal(5)
        expected = []
        grid = np.linspace(means[0] - 10 * sigma, means[-1] + 10 * sigma, 20_001)
        prior = np.exp(-((grid[:, None] - means) ** 2) / (2 * sigma**2)) @ weights
        for point in x:
            log = -((point - np.sqrt(alpha_bar) * grid) ** 2) / (2 * noise**2)
            mass = prior * np.exp(log - log.max())
            expected.append(np.sum(mass * grid) / np.sum(mass))
        found = _denoised(student, x, alpha_bar, means, sigma, weights)
        given = f"{len(means)} modes, alpha_bar = {alpha_bar:.3g}, sigma = {sigma:.3g}"
        close(found, expected, "denoise", atol=1e-10, given=given)


@check(points=1)
def far_away(student, rng):
    """The denoiser far from all modes.

    Subtract the largest logarithm before you take exponentials.
    """
    for alpha_bar in (0.999, 0.9, 0.1):
        means, sigma, weights = _mixture(rng)
        ends = means[-1] + rng.uniform(2, 40), means[0] - rng.uniform(2, 40)
        between = rng.uniform(means[0], means[-1], 3)
        x = np.sqrt(alpha_bar) * np.append(between, ends)
        target = line_mixture(means, sigma, weights)
        expected = target.data(x[:, None], np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar))[:, 0]
        found = _denoised(student, x, alpha_bar, means, sigma, weights)
        given = f"alpha_bar = {alpha_bar} and points up to {abs(x).max():.3g}"
        close(found, expected, "denoise", rtol=1e-10, atol=1e-10, given=given)


def _slope(s, d, sigma):
    """Return the slope in the middle by a central difference of the library's denoiser."""
    h = 1e-5 * sigma
    ends = line_mixture([-d / 2, d / 2], sigma).data(np.array([[h], [-h]]), 1.0, s)
    return (ends[0, 0] - ends[1, 0]) / (2 * h)


def _modes(rng, least):
    """Return the distance and the standard deviation of two modes."""
    sigma = float(rng.uniform(0.02, 0.3))
    return sigma * float(np.exp(rng.uniform(np.log(least), np.log(45)))), sigma


@check(points=2)
def slopes(student, rng):
    """The slope in the middle, at several noise levels.

    The difference of the two responsibilities is the hyperbolic tangent of y d / 2 over the
    variance. What is its derivative at 0?
    """
    for _ in range(5):
        d, sigma = _modes(rng, 1)
        s = sigma * np.exp(rng.uniform(-2, 3, 6))
        expected = [_slope(each, d, sigma) for each in s]
        found = student.midpoint_slope(s.copy(), d, sigma)
        given = f"d = {d:.3g}, sigma = {sigma:.3g}"
        close(found, expected, "midpoint_slope(s, d, sigma)", rtol=1e-5, atol=1e-7, given=given)


@check(points=2)
def peak(student, rng):
    """The largest slope over all noise levels, within 1%.

    With u = sigma^2 / (sigma^2 + s^2) the slope is a parabola in u.
    """
    for least in (3, 3, 3, 15, 15):
        d, sigma = _modes(rng, least)
        if least == 3:
            d = sigma * rng.uniform(3, 4)
        found = minimize_scalar(
            lambda s: -_slope(s, d, sigma),  # noqa: B023
            bounds=(1e-6 * sigma, 3 * sigma),
            method="bounded",
        )
        given = f"d = {d:.3g}, sigma = {sigma:.3g}"
        close(student.peak_slope(d, sigma), -found.fun, "peak_slope", rtol=0.01, given=given)


@picture
def steps(student, rng, figure):
    left, right = figure.subplots(1, 2)
    means, weights, sigma = np.array([1.0, 2.0, 3.0]), np.full(3, 1 / 3), 0.05
    y = np.linspace(0.7, 3.3, 600)
    for s in (0.05, 0.15, 0.4):
        alpha_bar = 1 / (1 + s**2)
        found = student.denoise(y * np.sqrt(alpha_bar), alpha_bar, means, sigma, weights)
        left.plot(y, found, label=f"$s = {s}$")
    left.set(xlabel="noisy data $y$ (data units)", ylabel="prediction $D$ (data units)")
    left.legend()
    s = np.geomspace(0.003, 1, 200)
    for d in (0.5, 1.0, 2.0):
        [line] = right.loglog(s, student.midpoint_slope(s, d, sigma), label=f"$d = {d}$")
        right.axhline(student.peak_slope(d, sigma), color=line.get_color(), ls=":", lw=1)
    right.set(xlabel="noise level $s$ (data units)", ylabel="slope in the middle (1)")
    right.legend()
