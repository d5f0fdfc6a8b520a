"""Checks by the library's exact weights, by samples in pairs, and on 500 random problems."""

from math import comb

import numpy as np

from theorytk.classroom import Wrong, array, check, close, picture
from theorytk.selfconsuming import curation_weights

PAPER = "ferbach2024"
QUESTION = (
    "Prove the bound. When is it nearly an equality, and why can c not be larger? Why must r_* be "
    "the largest reward that occurs, not any larger one that does not?"
)


def _gain(p, r, K):
    """Return the gain by the library's weights, which come from an integral."""
    return float(p @ ((curation_weights(p, r, K) - 1) * np.exp(r)))


def _pairs(p, r):
    """Return the variance of w as half the mean squared difference of two samples."""
    w = np.exp(r)
    return float(np.sum(np.outer(p, p) * np.subtract.outer(w, w) ** 2) / 2)


def _bound(p, r, K):
    """Return the bound; c is the share of pairs among K x K samples that are different ones."""
    return 2 * comb(K, 2) / K**2 * _pairs(p, r) / max(np.exp(r[p > 0]))


def _problem(rng, absent=False):
    """Return a law on 2 to 4 outputs, rewards of any scale and 2 to 4 samples."""
    n, K = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    p = (rng.dirichlet(np.full(n, 0.7)) + 0.01) / (1 + 0.01 * n)
    # Apart from each other, lest rounding decides the ratio of two tiny numbers.
    r = 10 ** rng.uniform(-1, 0.5) * (rng.permutation(n) + rng.uniform(-0.3, 0.3, n))
    if absent:
        p, r = np.append(p, 0.0), np.append(r, r.max() + rng.uniform(0.2, 2))
    return p, r, K


def _given(p, r, K):
    return f"n = {len(p)}, K = {K} and rewards from {r.min():.3g} to {r.max():.3g}"


@check(points=1)
def gains(student, rng):
    """The gain of one generation.

    The new law is p times H; the mean of exp(r) is taken under both laws.
    """
    for _ in range(10):
        p, r, K = _problem(rng)
        scale = float(p @ np.exp(r))
        found = student.gain(p.copy(), r.copy(), K)
        close(found, _gain(p, r, K), "gain(p, r, K)", atol=1e-11 * scale, given=_given(p, r, K))


@check(points=3)
def spread(student, rng):
    """The gain as an expected sum of squares over a sum.

    Given the weights, sample k is kept with probability W_k over their sum. Subtract the mean,
    bring both on one denominator, and recall how a sum of squares about the mean is computed.
    """
    for _ in range(8):
        p, r, K = _problem(rng)
        scale = float(p @ np.exp(r))
        found = student.gain_by_spread(p.copy(), r.copy(), K)
        close(
            found,
            _gain(p, r, K),
            "gain_by_spread(p, r, K)",
            atol=1e-11 * scale,
            given=_given(p, r, K),
        )


@check(points=3)
def bounds(student, rng):
    """The bound and its constant.

    What is the largest that the sum of K weights can be, and what is the expected sum of squares of
    K independent samples about their own mean?
    """
    for _ in range(10):
        p, r, K = _problem(rng)
        found = student.gain_bound(p.copy(), r.copy(), K)
        close(found, _bound(p, r, K), "gain_bound(p, r, K)", rtol=1e-9, given=_given(p, r, K))


@check(points=1)
def absent(student, rng):
    """The bound when the best output has the probability 0.

    Only weights that can be drawn are in the sum.
    """
    for _ in range(5):
        p, r, K = _problem(rng, absent=True)
        given = f"{_given(p, r, K)}, the largest of them with p = 0"
        found = student.gain_bound(p.copy(), r.copy(), K)
        close(found, _bound(p, r, K), "gain_bound(p, r, K)", rtol=1e-9, given=given)


@check(points=2)
def ratios(student, rng):
    """The least ratio on 500 random problems, none below 1.

    Rewards that are nearly equal come near to 1: they are among the problems.
    """
    problems = [_problem(rng) for _ in range(499)]
    p, r, K = _problem(rng)
    problems.append((p, 0.01 * r, K))
    copies = [(p.copy(), r.copy(), K) for p, r, K in problems]
    found = float(array(student.least_ratio(copies), "least_ratio(problems)", shape=()))
    if found < 1 - 1e-9:
        raise Wrong(f"a gain is {found:.4g} times your bound, which is none then")
    expected = min(_gain(*problem) / _bound(*problem) for problem in problems)
    close(found, expected, "least_ratio(problems)", rtol=1e-6)


@picture
def gain_over_bound(student, rng, figure):
    axes = figure.add_subplot()
    scales = np.geomspace(0.01, 5, 30)
    p, r = rng.dirichlet(np.ones(3)), np.array([-0.5, 0.1, 0.5])
    for K in (2, 3, 4):
        ratio = [student.least_ratio([(p, s * r, K)]) for s in scales]
        axes.semilogx(scales, ratio, label=f"$K = {K}$")
    axes.axhline(1, color="black", lw=0.8, label="bound")
    axes.set(xlabel="range of the rewards (1)", ylabel="gain over its lower bound (1)")
    axes.legend()
