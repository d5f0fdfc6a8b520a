"""Checks against Bayes' rule on a grid, the library's separation and the known integrals."""

import numpy as np

from theorytk.classroom import check, close, picture
from theorytk.paths import two_point_separation

PAPER = "shaul2023"
QUESTION = "Which number is $d\\,h$, and what is its value for another discrete law?"

# The noise of the oracle: a trapezoidal sum, exact to rounding.
NOISE = np.linspace(-10, 10, 2001)
WEIGHTS = np.exp(-(NOISE**2) / 2) / np.exp(-(NOISE**2) / 2).sum()


def _posterior_mean(y, s):
    """Return the posterior mean by Bayes' rule."""
    up, down = (np.exp(-((y - s * x) ** 2) / 2) for x in (1, -1))
    return (up - down) / (up + down)


def _error(s):
    """Return the mean square error over both points and all noise."""
    errors = [(x - _posterior_mean(s * x + NOISE, s)) ** 2 @ WEIGHTS for x in (1, -1)]
    return sum(errors) / 2


@check(points=1)
def posterior(student, rng):
    """The posterior mean of two points.

    Bayes' rule; then divide by the common factor.
    """
    for s in (0.0, *rng.uniform(0.1, 3.0, 3)):
        y = rng.normal(0, 2, 6)
        found = student.posterior_mean(y, s)
        given = f"s = {s:.3g}"
        close(found, _posterior_mean(y, s), "posterior_mean(y, s)", atol=1e-10, given=given)


@check(points=2)
def error(student, rng):
    """The error of the posterior mean, to 1e-8.

    The mean over the noise is an integral of a smooth function against a Gaussian.
    """
    for s in (0.0, *rng.uniform(0.05, 5.0, 6)):
        found = student.one_minus_lambda(s)
        close(found, _error(s), "one_minus_lambda(s)", atol=1e-8, given=f"s = {s:.3g}")


@check(points=2)
def separation(student, rng):
    """The integral delta, to 1e-4, for d = 1 and other dimensions.

    In d dimensions the amplitude along the first axis is s sqrt(d), and no other axis has data.
    """
    for d in (1, *rng.integers(2, 200, 3)):
        expected = two_point_separation(int(d)).delta()
        close(student.delta(int(d)), expected, "delta(d)", atol=1e-4, given=f"d = {d}")


@check(points=2)
def entropy(student, rng):
    """The integral h, to 1e-6.

    Integrate until nothing is left; how fast does the error of the posterior mean decay?
    """
    for d in (1, *rng.integers(2, 50, 3)):
        close(student.sum_rule(int(d)), np.log(2) / d, "sum_rule(d)", atol=1e-6, given=f"d = {d}")


@picture
def areas(student, rng, figure):
    left, right = figure.subplots(1, 2)
    s = np.linspace(0, 5, 120)
    errors = np.array([student.one_minus_lambda(float(v)) for v in s])
    left.plot(s, errors, label="two points")
    left.plot(s, 1 / (1 + s**2), ":", color="grey", label="Gaussian")
    left.fill_between(s, errors, alpha=0.2, label=rf"$\delta = {student.delta(1):.4f}$")
    left.set(xlabel="amplitude $s$ (1)", ylabel=r"$1 - \lambda(s)$ (1)")
    right.plot(s, s * errors)
    right.fill_between(s, s * errors, alpha=0.2, label=f"$h = {student.sum_rule(1):.6f}$")
    right.set(xlabel="amplitude $s$ (1)", ylabel=r"$s\,(1 - \lambda(s))$ (1)")
    left.legend()
    right.legend()
