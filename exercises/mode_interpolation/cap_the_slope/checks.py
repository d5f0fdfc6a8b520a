"""Conditions of optimality, a certificate by duality, and the rate of a chain by its exact law."""

from functools import lru_cache

import numpy as np
from scipy.optimize import isotonic_regression

import theorytk as tk
from theorytk.classroom import array, between, check, close, picture, quick, true
from theorytk.diffusion.hallucination import (
    DenoiserTable,
    HallucinationRule,
    default_grid,
    exact_denoiser,
    level_weights,
    levels,
    line_mixture,
    propagate_law,
    steep_schedule,
    tabulate,
)

PAPER = "aithal2024"
QUESTION = "Why does the loss of training hardly notice the cap, and the samples do?"
START = 300  # label at which the chain starts: only noise is shuffled before
ROUNDING = 1e-9


def _capped(student, y, values, p, bound):
    name = "cap(y, values, p, bound)"
    return array(student.cap(y.copy(), values.copy(), p.copy(), bound), name, shape=y.shape)


def _problem(rng):
    """Return a random grid, values, weights and a bound that binds here and there."""
    size = int(rng.integers(10, 200))
    y = np.cumsum(rng.uniform(0.2, 1.0, size)) / size
    steps = rng.standard_normal(6) @ np.tanh((y - rng.uniform(0, 1, (6, 1))) * 20)
    values = steps + 0.3 * rng.standard_normal(size)
    return y, values, np.exp(rng.standard_normal(size)), float(rng.uniform(0.5, 5))


@check(points=2)
def pools(student, rng):
    """Isotonic regression, on random values and in linear time.

    A merged pool may violate the order with the pool before it: look back until it does not.
    """
    for _ in range(10):
        size = int(rng.integers(1, 60))
        f, p = np.sort(rng.standard_normal(size)), np.exp(rng.standard_normal(size))
        f = f + rng.standard_normal(size)
        found = student.isotonic(f.copy(), p.copy())
        given = f"{size} values"
        expected = isotonic_regression(f, weights=p).x
        close(found, expected, "isotonic(f, p)", atol=1e-9, given=given)
    f, p = -np.sort(rng.standard_normal(4000)), rng.uniform(0.5, 2, 4000)
    found = quick(
        lambda: student.isotonic(f.copy(), p.copy()), 1, "isotonic of 4000 falling values"
    )
    close(
        found, np.full(4000, f @ p / p.sum()), "isotonic(f, p)", atol=1e-9, given="falling values"
    )


@check(points=3)
def optimal(student, rng):
    """The conditions of optimality (Karush, Kuhn, Tucker), on random problems.

    The multiplier of the i-th slope is the sum of p (g - values) up to i: it is not negative, it
    is 0 where the slope is below the bound, and the whole sum is 0.
    """
    for _ in range(20):
        y, values, p, bound = _problem(rng)
        g = _capped(student, y, values, p, bound)
        given = f"{len(y)} points and bound = {bound:.3g}"
        slack = bound - np.diff(g) / np.diff(y)
        scale = np.sum(p * np.abs(values)) + 1
        true(slack.min() > -ROUNDING * scale, f"the slope of cap exceeds the bound, for {given}")
        prices = np.cumsum(p * (g - values))
        message = f"cap is not the nearest function of bounded slope, for {given}: "
        true(abs(prices[-1]) < ROUNDING * scale, message + "all of it can be shifted")
        true(prices[:-1].min() > -ROUNDING * scale, message + "a part can be raised")
        used = prices[:-1][slack > 1e-6 * bound]
        wasted = "it is below the bound where it had better be steep"
        true(used.size == 0 or np.abs(used).max() < ROUNDING * scale, message + wasted)


@check(points=1)
def claim(student, rng):
    """Denoisers of random mixtures: theorytk's claim best-lipschitz-is-isotonic with your function.

    It computes how far the loss may be from the least one. Are the weights used?
    """
    errors = []

    def projection(x, values, weights, bound):
        try:
            g = np.zeros_like(values) if errors else _capped(student, x, values, weights, bound)
            true(errors or not np.array_equal(g, values), "cap changes nothing where it should")
            return g
        except Exception as error:  # the runner would hide it
            errors.append(error)
        return np.zeros_like(values)

    id = "mode-interpolation/best-lipschitz-is-isotonic"
    [result] = tk.check(id, algorithm=projection, seed=int(rng.integers(2**31)))
    if errors:
        raise errors[0]
    true(str(result.verdict) == "supported", "the loss of cap is not the least one")


@lru_cache(maxsize=1)
def _chain():
    """Return mixture, schedule, the exact denoiser's table and the densities of noisy data."""
    target, schedule = line_mixture([1, 2, 3], 0.05), steep_schedule()
    grid = default_grid(target, 4096)
    table = tabulate(exact_denoiser(target, schedule), schedule, grid, t_start=START)
    return target, schedule, table, level_weights(target, schedule, table)


def _smooth(student, bound):
    """Return the table of the student's denoisers."""
    _, schedule, table, weights = _chain()
    alpha, _ = levels(schedule)
    rows = []
    for scale, values, p in zip(alpha, table.values, weights, strict=False):
        y = table.grid / scale
        p = np.maximum(p / p.max(), 1e-290)
        steep = np.max(np.diff(values) / np.diff(y)) > bound  # the others are the best already
        rows.append(_capped(student, y, values, p, bound) if steep else values)
    return DenoiserTable(table.grid, np.array(rows))


def _rate(student, bound):
    target, schedule, *_ = _chain()
    law = propagate_law(_smooth(student, bound), schedule, t_start=START)
    return law.probability(HallucinationRule(target).gaps)


@check(points=2)
def rate(student, rng):
    """The share of samples between the modes with a bound of 2.

    If the conditions of optimality hold, this is right; a bound on the wrong side or wasted slope
    changes it by orders of magnitude.
    """
    name = "the share of samples between the modes"
    between(_rate(student, 2.0), 0.95 * 4.8e-3, 1.05 * 4.8e-3, name)


@picture
def ramps(student, rng, figure):
    _, schedule, table, weights = _chain()
    alpha, sigma = levels(schedule)
    left, right = figure.subplots(1, 2)
    label = int(np.searchsorted(sigma / alpha, 0.15))
    near = np.abs(table.grid / alpha[label] - 2) < 1.4
    y, values, p = (row[near] for row in (table.grid, table.values[label], weights[label]))
    left.plot(y / alpha[label], values, "k", lw=1, label="exact")
    for bound in (1.5, 2.0, 4.0):
        left.plot(
            y / alpha[label], student.cap(y / alpha[label], values, p, bound), label=f"{bound}"
        )
    left.set(xlabel="noisy data $y$, $s = 0.15$ (data units)", ylabel="prediction (data units)")
    left.legend(title=r"slope $\Lambda$ at most")
    bounds = [1.5, 2.0, 3.0]
    right.semilogy(bounds, [_rate(student, bound) for bound in bounds], "o-")
    right.set(xlabel=r"bound $\Lambda$ (1)", ylabel="share of samples between the modes (1)")
