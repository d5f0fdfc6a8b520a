"""The local denoiser against Bayes' rule over all signals, and the boxes that it makes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import beta, norm

from theorytk.diffusion.hallucination.chain import levels, steep_schedule
from theorytk.diffusion.hallucination.local_window import BoxSignals, LocalWindowDenoiser
from theorytk.diffusion.hallucination.sampling import sample_chain

SCHEDULE = steep_schedule()


def all_signals(signals):
    """Return every possible signal and its log probability."""
    box = np.full((signals.n_positions + 1, signals.length), -1.0)
    for p in range(signals.n_positions):
        box[p, p : p + signals.width] = 1.0
    mass = np.full(len(box), signals.presence / signals.n_positions)
    mass[-1] = 1 - signals.presence
    return box, np.log(mass)


@pytest.mark.parametrize("radius", [0, 2, 5, None])
@pytest.mark.parametrize("presence", [0.5, 0.9])
@pytest.mark.parametrize("t", [0, 30, 300])
def test_it_is_the_posterior_mean_over_all_signals(radius, presence, t):
    signals = BoxSignals(9, 3, presence)
    alpha, sigma = (level[t] for level in levels(SCHEDULE))
    box, log_prior = all_signals(signals)
    rng = np.random.default_rng(0)
    x = alpha * signals.sample(20, rng) + sigma * rng.standard_normal((20, 9))
    reach = 9 if radius is None else radius
    expected = np.empty_like(x)
    for i in range(9):
        seen = np.abs(np.arange(9) - i) <= reach
        log = norm(alpha * box[:, seen], sigma).logpdf(x[:, None, seen]).sum(axis=2) + log_prior
        expected[:, i] = np.exp(log - logsumexp(log, axis=1, keepdims=True)) @ box[:, i]
    found = LocalWindowDenoiser(SCHEDULE, radius, signals)(x, t)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_extreme_points_do_not_overflow():
    x = np.array([[-1e6] * 32, [1e6] * 32])
    found = LocalWindowDenoiser(SCHEDULE, 3)(x, 0)
    np.testing.assert_array_equal(found[0], -1.0)
    assert np.isfinite(found).all()


def test_a_local_denoiser_makes_two_boxes_and_a_global_one_none():
    signals, n = BoxSignals(), 800
    shares, doubles = {}, {}
    for radius, n_samples in ((None, n // 4), (7, n)):
        denoiser = LocalWindowDenoiser(SCHEDULE, radius, signals)
        x = sample_chain(denoiser, SCHEDULE, n_samples, dimension=32, t_start=400, rng=1).x
        shares[radius] = (~signals.supports(x)).sum()
        doubles[radius] = (signals.count_boxes(x) > 1).sum()
    assert shares[None] == 0
    assert beta.ppf(1e-6, shares[7], n - shares[7] + 1) > 0.01
    assert doubles[7] > 0.8 * shares[7]


def test_samples_of_the_law():
    signals = BoxSignals(10, 3, 0.25)
    x = signals.sample(4000, 0)
    assert signals.supports(x).all()
    has = (x > 0).any(axis=1)
    assert abs(has.mean() - 0.25) < 5.5 * np.sqrt(0.25 * 0.75 / 4000)
    starts = np.bincount((x[has] > 0).argmax(axis=1))
    assert starts.size == 8
    assert abs(starts - has.sum() / 8).max() < 5.5 * np.sqrt(has.sum() / 8)


def test_runs_are_counted():
    x = np.array([[1, -1, 1, 1, -1, 1], [-1, -1, -1, -1, -1, -1], [1, 1, 1, 1, 1, 1]])
    signals = BoxSignals(6, 2)
    np.testing.assert_array_equal(signals.count_boxes(x), [3, 0, 1])
    np.testing.assert_array_equal(signals.supports(x), [False, True, False])


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"width must be .* <= 4; got 5"):
        BoxSignals(5, 5)
    with pytest.raises(ValueError, match="presence must be"):
        BoxSignals(presence=1.0)
    with pytest.raises(ValueError, match="radius must be"):
        LocalWindowDenoiser(SCHEDULE, -1)
    with pytest.raises(TypeError, match="schedule must be a VPDiscrete"):
        LocalWindowDenoiser("linear")
    with pytest.raises(ValueError, match="x must have shape"):
        LocalWindowDenoiser(SCHEDULE)(np.zeros((2, 5)), 0)
