"""Widths by the formulas, numbers of queries by the calculator, which minimises on grids."""

import numpy as np
from scipy.stats import norm

from theorytk.adaptive import max_queries
from theorytk.classroom import check, close, number, picture, quick, true
from theorytk.privacy.conversions import zcdp_epsilon

PAPER = "jung2020"
QUESTION = "Why is the slope of one curve near 1 and of the other near 2?"
NAMES = {"split": "split", "noise": "jung"}


def _setting(rng):
    """Return a random width and failure probability."""
    return float(rng.uniform(0.07, 0.2)), float(rng.uniform(0.02, 0.1))


def _crossing(tau, beta):
    """Return the middle of the sizes at which noise overtakes splitting, by the calculator."""
    low, high = 1e4, 1e6
    for _ in range(2):
        n = np.geomspace(low, high, 25).astype(int)
        ahead = max_queries(n, tau, beta, bound="jung") > max_queries(n, tau, beta, bound="split")
        last = int(np.flatnonzero(~ahead)[-1])
        low, high = n[last], n[last + 1]
    return float(np.sqrt(low * high))


@check(points=1)
def splitting(student, rng):
    """The width of splitting.

    All k answers must be right: what failure probability is left for each?
    """
    for _ in range(10):
        _, beta = _setting(rng)
        n = int(np.exp(rng.uniform(5, 14)))
        k = int(n ** rng.uniform(0.1, 0.9))
        rows = n // k
        expected = np.sqrt(-np.log(beta / k / 2) / (2 * rows))
        given = f"n = {n}, k = {k}, beta = {beta:.3g}"
        close(student.split_width(n, k, beta), expected, "split_width", rtol=1e-9, given=given)


@check(points=3)
def noise(student, rng):
    """The width with noise, for a given noise and delta.

    Find c and d such that the failure probabilities sum up to beta, and share delta among the k
    answers.
    """
    for _ in range(10):
        _, beta = _setting(rng)
        n, delta = int(np.exp(rng.uniform(9, 14))), float(10 ** rng.uniform(-6, -3))
        k = int(np.exp(rng.uniform(0, 7)))
        sigma = rng.uniform(1, 3) * (k / n**2) ** 0.25
        epsilon = zcdp_epsilon(k / (2 * n**2 * sigma**2), delta)
        expected = sigma * norm.isf(delta / k / 2) + np.exp(epsilon) - 1 + 6 * delta / beta
        given = f"n = {n}, k = {k}, sigma = {sigma:.3g}, delta = {delta:.2g}"
        found = student.noise_width(n, k, beta, sigma, delta)
        close(found, expected, "noise_width", rtol=1e-6, given=given)


@check(points=2)
def table(student, rng):
    """The largest numbers of queries, within 1% or one query.

    With noise both parameters must be optimal for each k; they range over orders of magnitude, so
    search in their logarithms.
    """
    settings = [(n, 0.1, 0.05) for n in (10_000, 100_000, 400_000)]
    settings += [(int(np.exp(rng.uniform(9.5, 13.8))), *_setting(rng)) for _ in range(3)]
    for n, tau, beta in settings:
        for bound, name in NAMES.items():
            call = f'max_queries(n, tau, beta, "{bound}")'
            found = quick(lambda: student.max_queries(n, tau, beta, bound), 2, call)  # noqa: B023
            expected = max_queries(n, tau, beta, bound=name)
            given = f"n = {n}, tau = {tau:.3g}, beta = {beta:.3g}"
            tolerance = max(0.01 * expected, 1)
            close(found, expected, call, atol=tolerance, given=given)


@check(points=2)
def overtaken(student, rng):
    """The crossing, for tau = 0.1 and beta = 0.05 and for others.

    It lies where both allow the same number of queries; bisect the logarithm of n.
    """
    call = "crossing(tau, beta)"
    found = number(quick(lambda: student.crossing(0.1, 0.05), 3, call), call)
    true(1e5 < found < 2e5, f"{call} is {found:.4g} for tau = 0.1, beta = 0.05, which is wrong")
    for tau, beta in ((0.1, 0.05), _setting(rng)):
        found = quick(lambda: student.crossing(tau, beta), 3, call)  # noqa: B023
        given = f"tau = {tau:.3g}, beta = {beta:.3g}"
        close(found, _crossing(tau, beta), call, rtol=0.05, given=given)


@picture
def curves(student, rng, figure):
    axes = figure.add_subplot()
    n = np.geomspace(1e4, 1e6, 13)
    for bound, marker in (("split", "o-"), ("noise", "s-")):
        k = [student.max_queries(int(each), 0.1, 0.05, bound) for each in n]
        axes.loglog(n, k, marker, ms=4, label={"split": "splitting"}.get(bound, bound))
    axes.axvline(student.crossing(0.1, 0.05), color="grey", lw=1, label="crossing")
    label = r"queries within $\tau = 0.1$ with probability $0.95$ (1)"
    axes.set(xlabel="points $n$ (1)", ylabel=label)
    axes.legend()
