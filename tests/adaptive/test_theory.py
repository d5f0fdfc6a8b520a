"""Tails, Thresholdout, SparseValidate and the sparse vector by enumeration and exact noise laws."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import laplace

from theorytk.adaptive.theory import (
    approximate_dp_tail,
    pure_dp_tail,
    sparse_validate_factor,
    sparse_vector_accuracy,
    thresholdout_n0,
    thresholdout_n1,
    thresholdout_parameters,
    thresholdout_samples,
)


def test_tails():
    assert pure_dp_tail(400, 0.1) == pytest.approx(6 * math.exp(-4))
    assert pure_dp_tail(10, 0.1) == 1.0
    # HOLD, Theorem 6, with Hoeffding's probability in its place, on both sides.
    n, tau = 900, 0.07
    hoeffding = math.exp(-2 * n * tau**2)
    assert math.sqrt(math.log(1 / hoeffding) / (2 * n)) == pytest.approx(tau)
    assert pure_dp_tail(n, tau) == pytest.approx(2 * 3 * math.sqrt(hoeffding))
    edge = math.ceil(2 * math.log(8e5) / 0.01**2)
    assert approximate_dp_tail(edge, 0.01, 1e-5) == pytest.approx(0.002 * math.log(200))
    assert approximate_dp_tail(edge - 1, 0.01, 1e-5) == 1.0
    assert approximate_dp_tail(10**9, 0.01, 0.1) == 1.0


def test_thresholdout_numbers():
    threshold, sigma = thresholdout_parameters(10_000, 0.1, 0.05)
    assert threshold == pytest.approx(0.075)
    assert sigma == pytest.approx(7.664e-5, rel=1e-4)
    sizes = [thresholdout_samples(b, 10_000, 0.1, 0.05) for b in (1, 10, 100)]
    assert np.allclose(sizes, [2.088e6, 2.088e7, 2.088e8], rtol=3e-4)
    assert thresholdout_samples(10**5, 10_000, 0.1, 0.05) == thresholdout_n1(
        10**5, sigma, 0.1 / 8, 0.05 / 20_000
    )
    assert thresholdout_n0(1, 10.0, 0.1, 0.05) == pytest.approx(math.log(120) / 0.01)


@pytest.mark.parametrize("tau", [0.01, 0.1])
@pytest.mark.parametrize("beta", [1e-6, 0.05])
@pytest.mark.parametrize("budget", [1, 30, 3000])
def test_sufficient_holdouts_follow_from_the_tails(tau, beta, budget):
    sigma = tau / 500
    n0 = math.ceil(thresholdout_n0(budget, sigma, tau, beta))
    assert 2 * budget / (sigma * n0) <= tau
    assert pure_dp_tail(n0, tau) <= beta * (1 + 1e-9)
    # n1: 2 B mechanisms of 1 / (sigma n) each, composed, reach tau / 13 at a delta that will do.
    n1 = math.ceil(thresholdout_n1(budget, sigma, tau, beta))
    delta = beta * (tau / 13) / (2 * math.log(26 / tau))
    each = 1 / (sigma * n1)
    composed = math.sqrt(4 * budget * math.log(1 / delta)) * each
    assert composed + 2 * budget * each * math.expm1(each) <= tau / 13
    assert approximate_dp_tail(n1, tau / 13, delta) <= beta * (1 + 1e-9)


@pytest.mark.parametrize("m", [1, 2, 50, 10_000])
@pytest.mark.parametrize("beta", [0.01, 0.5])
def test_twice_the_noise_of_thresholdout_suffices(m, beta):
    # All |gamma| + |eta| within tau / 8 and all |xi| too, but for beta / 2: exactly.
    tau = 0.1
    sigma = 2 * thresholdout_parameters(m, tau, beta)[1]
    part = tau / 24
    within = laplace.cdf(part, scale=2 * sigma) - laplace.cdf(-part, scale=2 * sigma)
    both = m * math.log(within) + m * math.log1p(-math.exp(-2 * part / (4 * sigma)))
    released = m * math.log1p(-math.exp(-tau / 8 / sigma))
    assert -math.expm1(both + released) <= beta / 2


@pytest.mark.parametrize(("index", "budget"), [(1, 1), (4, 1), (6, 3), (5, 9), (9, 4)])
def test_sparse_validate_counts_histories(index, budget):
    histories = itertools.product([0, 1], repeat=index - 1)
    assert sparse_validate_factor(index, budget) == sum(sum(h) < budget for h in histories)
    strings = itertools.product([0, 1], repeat=index)
    printed = sum(sum(s) <= min(index - 1, budget) for s in strings)
    assert sparse_validate_factor(index, budget, printed=True) == printed


def scales(c, epsilon, delta):
    """Return the noise scales of NumericSparse on counts: threshold, queries, numbers."""
    if delta == 0:
        first, second = 8 / 9 * epsilon, 2 / 9 * epsilon
        return 2 * c / first, 4 * c / first, 2 * c / second
    root = math.sqrt(512)
    first, second = root / (root + 1) * epsilon, 2 / (root + 1) * epsilon
    size = math.sqrt(32 * c * math.log(2 / delta))
    return size / first, 2 * size / first, size / second


@pytest.mark.parametrize("delta", [0.0, 1e-6])
@pytest.mark.parametrize(("k", "c"), [(1, 1), (1000, 1), (1000, 100), (20, 20)])
def test_sparse_vector_keeps_its_accuracy(k, c, delta):
    n, epsilon, beta = 1000, 0.5, 0.05
    alpha = n * sparse_vector_accuracy(n, k, c, epsilon, beta, delta=delta)
    threshold, query, number = scales(c, epsilon, delta)
    rng = np.random.default_rng(k + c)
    trials = 2000
    gamma = np.abs(rng.laplace(scale=threshold, size=(trials, c))).max(axis=1)
    nu = np.abs(rng.laplace(scale=query, size=(trials, k))).max(axis=1)
    xi = np.abs(rng.laplace(scale=number, size=(trials, c))).max(axis=1)
    failures = np.count_nonzero((gamma + nu > alpha) | (xi > alpha))
    assert failures <= trials * beta + 5 * math.sqrt(trials * beta)


def test_printed_accuracy_leaves_out_the_noise_on_numbers():
    n, k, c, epsilon, beta = 1000, 1000, 100, 0.5, 0.05

    def failure(delta):
        alpha = n * sparse_vector_accuracy(n, k, c, epsilon, beta, delta=delta, printed=True)
        number = scales(c, epsilon, delta)[2]
        return -math.expm1(c * math.log1p(-math.exp(-alpha / number)))

    assert failure(0.0) < beta
    assert failure(1e-6) > 0.25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pure_dp_tail(0, 0.1), "n must be an integer >= 1"),
        (lambda: pure_dp_tail(5, 1.5), "tau must be a number > 0 and < 1"),
        (lambda: approximate_dp_tail(5, 0.1, 0.0), "delta must be a number > 0 and < 1"),
        (lambda: thresholdout_parameters(0, 0.1, 0.1), "m must be an integer >= 1"),
        (lambda: thresholdout_n0(0, 0.1, 0.1, 0.1), "budget must be an integer >= 1"),
        (lambda: thresholdout_n1(1, 0.0, 0.1, 0.1), "sigma must be a number > 0"),
        (lambda: thresholdout_samples(1, 5, 0.0, 0.1), "tau must be a number > 0 and < 1"),
        (lambda: sparse_validate_factor(0, 1), "index must be an integer >= 1"),
        (lambda: sparse_vector_accuracy(9, 9, 9, 0.0, 0.1), "epsilon must be a number > 0"),
        (lambda: sparse_vector_accuracy(9, 9, 0, 1.0, 0.1), "c must be an integer >= 1"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
