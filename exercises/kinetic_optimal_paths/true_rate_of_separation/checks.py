"""Checks against exact posteriors on a grid, the library's estimate and the entropy law.

Estimates of the student are noisy; tolerances are at least six standard deviations wide.
"""

import numpy as np
from scipy.stats import linregress

from theorytk.classroom import array, check, close, number, picture, true
from theorytk.paths import separation_function, two_point_separation

PAPER = "shaul2023"
QUESTION = "Does your experiment contradict the theorem? What does it say about its rate?"

SIZES = np.array([4, 8, 16, 32, 64])


def _points(rng, n, d):
    X = rng.standard_normal((n, d))
    X = X - X.mean(axis=0)
    return X / np.sqrt(np.mean(X**2))


def _posterior_mean(X, y, s):
    """Return the posterior mean by Bayes' rule with all Gaussian factors."""
    w = np.exp(-((y[:, None, :] - s * X) ** 2).sum(axis=-1) / 2)
    return w @ X / w.sum(axis=1, keepdims=True)


def _exact(X, s):
    """Return 1 - lambda of points in the plane by summing over a grid of noise."""
    z = np.linspace(-6, 6, 41)
    noise = np.stack(np.meshgrid(z, z), axis=-1).reshape(-1, 2)
    weight = np.exp(-(noise**2).sum(axis=1) / 2)
    errors = [((x - _posterior_mean(X, s * x + noise, s)) ** 2).sum(axis=1) for x in X]
    return sum(weight @ e for e in errors) / weight.sum() / X.size


def _deltas(student, rng, d, sources):
    found = [student.delta(_points(rng, int(n), d), sources // int(n), rng) for n in SIZES]
    return np.array([number(value, "delta(X, n_noise, rng)") for value in found])


@check(points=1)
def posterior(student, rng):
    """The posterior mean.

    The points have different norms: which terms of the exponent do not cancel in the quotient?
    """
    for s in (0.0, *rng.uniform(0.2, 2.0, 3)):
        X = _points(rng, 5, 3) * rng.uniform(0.5, 1.5, (5, 1))
        y = 2 * rng.standard_normal((4, 3))
        found = student.posterior_mean(X, y, s)
        given = f"s = {s:.3g}"
        close(found, _posterior_mean(X, y, s), "posterior_mean(X, y, s)", atol=1e-9, given=given)


@check(points=2)
def error(student, rng):
    """The mean error of the posterior mean, for points in the plane.

    An error per dimension; the noise is fresh for every observation.
    """
    for _ in range(2):
        X, s = _points(rng, 8, 2), np.concatenate([[0.0], rng.uniform(0.3, 2.5, 3)])
        found = student.one_minus_lambda(X, s, 400, rng)
        expected = [_exact(X, v) for v in s]
        close(found, expected, "one_minus_lambda(X, s, 400, rng)", atol=0.06)


@check(points=1)
def large_amplitudes(student, rng):
    """No error is left at large amplitudes, and no number is lost.

    What happens to the quotient if all exponentials are 0, or infinite? Only differences of
    exponents matter.
    """
    X, s = _points(rng, 5, 40), np.array([8.0, 60.0, 1e4])
    found = array(student.one_minus_lambda(X, s, 10, rng), "one_minus_lambda(...)", shape=(3,))
    close(found, np.zeros(3), "one_minus_lambda(X, s, 10, rng)", atol=1e-6, given="s from 8 on")


@check(points=2)
def integral(student, rng):
    """The integral, for two points, where it is known, and for more.

    Does your rule see where the integrand lives? And what is ds, if you integrate over an angle?
    """
    d = int(rng.integers(1, 3))
    found = student.delta(_points(rng, 2, d), 2000, rng)
    expected = two_point_separation(d).delta()
    close(found, expected, "delta(X, 2000, rng)", rtol=0.12, given=f"n = 2, d = {d}")
    d = int(rng.integers(30, 60))
    X = _points(rng, 32, d)
    expected = separation_function(X, n_sweeps=20, rng=rng).delta()
    found = student.delta(X, 40, rng)
    close(found, expected, "delta(X, 40, rng)", rtol=0.08, given=f"n = 32, d = {d}")


@check(points=1)
def fits(student, rng):
    """The two fits, on sequences that follow the law exactly and on others.

    Logarithms of both for a power; natural logarithm of n alone for the other one.
    """
    for noise in (0.0, 0.05):
        delta = 0.3 * np.sqrt(0.1 + np.log(SIZES)) * (1 + noise * rng.standard_normal(len(SIZES)))
        power = linregress(np.log(SIZES), np.log(delta)).slope
        slope = linregress(np.log(SIZES), delta**2).slope
        close(student.growth(SIZES, delta), power, "growth(n, delta)", rtol=1e-8)
        close(student.log_slope(SIZES, delta), slope, "log_slope(n, delta)", rtol=1e-8)


@check(points=3)
def law(student, rng):
    """The slope of delta^2 against ln n is within 25 % of 2 / d, and n grows in vain.

    Is the posterior over all points? Fewer points are better separated.
    """
    d = int(rng.integers(40, 64))
    deltas = _deltas(student, rng, d, 3072)
    true((deltas > 0).all(), "delta(X, n_noise, rng) must be positive")
    given = f"d = {d} and n from 4 to 64"
    close(
        number(student.log_slope(SIZES, deltas), "log_slope(n, delta)"),
        2 / d,
        "the slope of your delta^2 against ln n",
        rtol=0.25,
        given=given,
    )
    exponent = number(student.growth(SIZES, deltas), "growth(n, delta)")
    true(exponent < 0.35, f"the fitted exponent of n is too large: {exponent:.3g}")


@picture
def growth_of_delta(student, rng, figure):
    left, right = figure.subplots(1, 2)
    n = SIZES
    for d in (20, 50):
        deltas = _deltas(student, rng, d, 256)
        slope = student.log_slope(n, deltas)
        [line] = left.loglog(n, deltas, "o-", label=f"$d = {d}$")
        left.loglog(n, 3 * n / np.sqrt(d), ":", color=line.get_color())
        right.plot(np.log(n), deltas**2 * d / 2, "o-", label=f"slope {slope * d / 2:.2f} of $2/d$")
    right.plot(np.log(n), np.log(n), "--", color="grey", label="slope 1")
    left.plot([], [], ":", color="grey", label=r"$3n / \sqrt{d}$")
    left.set_xscale("log", base=2)
    left.set(xlabel="points $n$ (1)", ylabel=r"$\delta$ (1)")
    right.set(xlabel=r"$\ln n$ (1)", ylabel=r"$\delta^2 d / 2$ (1)")
    left.legend()
    right.legend()
