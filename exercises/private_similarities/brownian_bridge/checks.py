"""Checks by hats written out, and by the covariance of a Brownian bridge with random ends."""

import numpy as np

from theorytk.classroom import array, check, close, picture, true

PAPER = "backurs2024similarities"
QUESTION = "Why does a single query cost as much as all of them together?"
DRAWS = 40_000
# An entry of a sample covariance is off by at most sqrt(2) / sqrt(DRAWS) of the variance, in
# standard deviations; 9 / sqrt(DRAWS) is over six of them for each of the 153 entries.
TOLERANCE = 9.0


def _written_out(t, levels):
    total = np.zeros(len(t))
    for level in range(1, levels + 1):
        h = 2.0**-level
        centres = np.arange(1, 2**level, 2) * h
        total += h * (np.maximum(0, 1 - np.abs(t[:, None] - centres) / h) ** 2).sum(axis=1)
    return total


@check(points=1)
def sums(student, rng):
    """The sum of squared hats at random points.

    One hat of each level is above a point; its height has period 2 h.
    """
    t = rng.random(30)
    for levels in (1, 5, 8):
        found = student.hat_sum(t, levels)
        close(found, _written_out(t, levels), "hat_sum(t, levels)", atol=1e-10)


@check(points=1)
def closed_form(student, rng):
    """The closed form: what sixteen levels give on their grid.

    Symmetric in t and 1 - t, zero at the ends: what is its second difference on the grid?
    """
    t = rng.integers(0, 2**16 + 1, 30) / 2**16
    expected = np.zeros(30)
    for level in range(1, 17):  # on the grid the missing levels add nothing
        distance = np.abs(t * 2**level - np.round(t * 2**level / 2) * 2)
        expected += 2.0**-level * distance**2
    close(student.limit(t), expected, "limit(t)", atol=1e-12)


@check(points=1)
def cost(student, rng):
    """The cost of adding a point.

    The numbers that change: both ends, and one hat on each level.
    """
    rho, levels = rng.uniform(0.1, 2.0), 6
    x = rng.random(20)
    sigma = 1 / np.sqrt(2 * rho)
    expected = (x**2 + (1 - x) ** 2) / (2 * sigma**2) + _written_out(x, levels) / (2 * sigma**2)
    found = student.privacy_cost(x, rho, levels)
    close(found, expected, "privacy_cost(x, rho, levels)", rtol=1e-10, given=f"rho = {rho:.3g}")


@check(points=3)
def covariance(student, rng):
    """The noise of the answers: its covariance, at all pairs of queries.

    Draw the numbers that are released, then recover the answers level by level, as in the identity.
    """
    levels, rho = 4, rng.uniform(0.2, 2.0)
    shape = (DRAWS, 2**levels + 1)
    noise = array(student.answer_noise(levels, rho, DRAWS, rng), "answer_noise(...)", shape=shape)
    y = np.linspace(0, 1, 2**levels + 1)
    expected = (1 - np.abs(y[:, None] - y)) / (2 * rho)
    off = np.abs(np.cov(noise.T) - expected).max() * 2 * rho
    true(
        off < TOLERANCE / np.sqrt(DRAWS),
        f"the covariance of answer_noise(...) for rho = {rho:.3g} is off by {off:.2g} of the "
        "variance of an answer",
    )


@picture
def paths(student, rng, figure):
    left, right = figure.subplots(1, 2)
    y = np.linspace(0, 1, 257)
    noise = student.answer_noise(8, 0.5, 400, rng)
    left.plot(y, noise[:4].T, linewidth=0.8)
    left.set(xlabel="query $y$ (1)", ylabel="noise of the answer (1)")
    right.plot(y, noise.var(axis=0), label="measured, 400 draws")
    right.axhline(1.0, color="k", linestyle="--", label="a single query")
    right.set(xlabel="query $y$ (1)", ylabel=r"variance for $\rho = 1/2$ (1)", ylim=(0, 2))
    right.legend()
