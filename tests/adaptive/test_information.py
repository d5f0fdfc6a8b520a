"""Max-information and posterior sensitivity by all events and all samples."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from theorytk.adaptive.information import (
    binomial_prior,
    gaussian_channel,
    geometric_channel,
    max_information,
    max_information_of_outputs,
    max_information_of_privacy,
    posterior_sensitivity,
)
from theorytk.adaptive.transfer import tanh_gap

CASES = [(20, 0.5, 0.1), (50, 0.3, 0.2), (12, 0.25, 1.0), (100, 0.5, 0.05)]


def over_all_events(prior, channel, beta):
    joint = (prior[:, None] * channel).ravel()
    product = (prior[:, None] * (prior @ channel)).ravel()
    events = np.array(list(itertools.product([0, 1], repeat=joint.size)))[1:]
    return math.log2(((events @ joint - beta) / (events @ product)).max())


@pytest.mark.parametrize("beta", [0.0, 0.03, 0.4, 0.9])
def test_max_information_over_all_events(beta):
    rng = np.random.default_rng(1)
    for _ in range(20):
        prior = rng.dirichlet(np.ones(3))
        channel = rng.dirichlet(np.full(4, 0.5), size=3)
        assert max_information(prior, channel, beta) == pytest.approx(
            over_all_events(prior, channel, beta), abs=1e-12
        )


def every_sample(n, p, channel):
    """Return prior, channel and means of all 2^n samples."""
    samples = np.array(list(itertools.product([0, 1], repeat=n)))
    counts = samples.sum(axis=1)
    return p**counts * (1 - p) ** (n - counts), channel[counts], counts / n


@pytest.mark.parametrize("beta", [0.0, 0.05])
def test_counts_stand_for_samples(beta):
    n, p = 7, 0.3
    for channel in (geometric_channel(n, 0.4), gaussian_channel(n, 0.1, 30)):
        prior, rows, means = every_sample(n, p, channel)
        few = binomial_prior(n, p)
        assert max_information(few, channel, beta) == pytest.approx(
            max_information(prior, rows, beta), abs=1e-12
        )
        gaps = posterior_sensitivity(few, channel, np.arange(n + 1) / n)
        outputs = prior @ rows
        bayes = np.abs((prior * means) @ rows / outputs - p)
        assert np.allclose(gaps, bayes, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_private_channels_keep_to_their_bounds(case):
    n, p, epsilon = case
    prior, channel = binomial_prior(n, p), geometric_channel(n, epsilon)
    for beta in (0.0, 0.001, 0.05, 0.3):
        bits = max_information(prior, channel, beta)
        assert bits <= max_information_of_privacy(n, epsilon, beta)
        if beta > 0:
            assert bits <= max_information_of_outputs(n + 1, beta)
    gaps = posterior_sensitivity(prior, channel, np.arange(n + 1) / n)
    assert gaps.max() <= tanh_gap(epsilon)
    assert gaps.max() > tanh_gap(epsilon / 2)


def test_calibrated_values():
    n = np.arange(21) / 20
    assert posterior_sensitivity(binomial_prior(20, 0.5), geometric_channel(20, 0.1), n).max() == (
        pytest.approx(0.5 * math.tanh(0.05), abs=1e-14)
    )
    values = [
        max_information(binomial_prior(n, 0.5), geometric_channel(n, epsilon), beta)
        for n, epsilon in ((20, 0.1), (100, 0.05))
        for beta in (0.0, 0.05)
    ]
    assert np.allclose(values, [1.4066, 0.1080, 3.5617, 0.1446], atol=5e-5)


def test_a_release_of_everything_is_above_the_private_bounds():
    n = 20
    told = max_information(binomial_prior(n, 0.5), np.eye(n + 1))
    assert told == pytest.approx(n, abs=1e-9)
    assert told > max_information_of_privacy(n, 0.1)
    assert max_information([0.5, 0.5], [[0.2, 0.8], [0.2, 0.8]]) == pytest.approx(0.0, abs=1e-15)


def test_bound_of_event_probabilities():
    # HOLD, Theorem 13: what an output may do to an event that is rare for every fixed output.
    n, epsilon, beta = 30, 0.3, 0.01
    prior, channel = binomial_prior(n, 0.5), geometric_channel(n, epsilon)
    counts = np.arange(n + 1)
    event = (counts[:, None] - 15) * np.sign(counts - 15) >= 6
    rare = (prior[:, None] * event).sum(axis=0).max()
    happens = (prior[:, None] * channel * event).sum()
    assert rare < happens <= 2 ** max_information(prior, channel, beta) * rare + beta


def test_channels():
    channel = geometric_channel(6, 0.7)
    noise = np.arange(-400, 401)
    law = np.exp(-0.7 * np.abs(noise))
    law /= law.sum()
    for count in range(7):
        answers = np.clip(count + noise, 0, 6)
        assert np.allclose(np.bincount(answers, weights=law), channel[count], atol=1e-14)
    ratios = channel[1:] / channel[:-1]
    assert max(ratios.max(), 1 / ratios.min()) == pytest.approx(math.exp(0.7))
    bins = gaussian_channel(4, 0.1, 50)
    edges = np.linspace(-0.6, 1.6, 51)
    assert np.allclose(bins[2, 1:25], np.diff(norm.cdf(edges, 0.5, 0.1))[1:25], rtol=1e-9, atol=0)
    assert np.allclose(bins[2], bins[2, ::-1], rtol=1e-9, atol=0)
    assert bins[4, 0] == pytest.approx(norm.sf((1 - edges[1]) / 0.1), rel=1e-9)
    assert np.allclose(bins.sum(axis=1), 1, atol=1e-12)
    assert np.allclose(binomial_prior(9, 0.2), binom.pmf(range(10), 9, 0.2))


def test_impossible_outputs_and_samples():
    channel = [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    assert posterior_sensitivity([1.0, 0.0], channel, [0.0, 1.0]).tolist() == [0.0, 0.0, 0.0]
    assert max_information([1.0, 0.0], channel) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_information([0.5, 0.4], np.eye(2)), "prior must hold probabilities"),
        (lambda: max_information([0.5, 0.5], [[1.5, -0.5], [0, 1]]), "channel must hold prob"),
        (lambda: max_information([1.0], np.eye(2)), r"channel must have shape \(1, any\)"),
        (lambda: max_information([1.0], [[1.0]], 1.0), "beta must be a number >= 0 and < 1"),
        (lambda: posterior_sensitivity([1.0], [[1.0]], [1, 2]), r"statistic must have shape \(1\)"),
        (lambda: binomial_prior(3, 1.0), "p must be a number > 0 and < 1"),
        (lambda: geometric_channel(0, 0.1), "n must be an integer >= 1"),
        (lambda: gaussian_channel(3, 0.0), "sigma must be a number > 0"),
        (lambda: max_information_of_outputs(0, 0.1), "n_outputs must be an integer >= 1"),
        (lambda: max_information_of_privacy(5, -1.0), "epsilon must be a number >= 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
