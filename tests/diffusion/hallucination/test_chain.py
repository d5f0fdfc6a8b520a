"""The reverse chain: coefficients by conditioning of Gaussians, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from theorytk.diffusion import VPDiscrete, VPLinear
from theorytk.diffusion.hallucination import (
    checked_prediction,
    levels,
    reverse_steps,
    steep_schedule,
    subsample_schedule,
)

BETAS = np.array([0.05, 0.2, 0.4, 0.7])
SCHEDULE = VPDiscrete(betas=BETAS, clip=None)


def test_levels_are_the_products_of_the_rates():
    alpha, sigma = levels(steep_schedule())
    bar = np.cumprod(1 - np.linspace(1e-3, 0.2, 1000))
    np.testing.assert_allclose(alpha**2, bar, rtol=1e-11)
    np.testing.assert_allclose(sigma**2, 1 - bar, rtol=1e-11)


def test_a_clip_shortens_the_chain():
    clipped = VPDiscrete(betas=np.linspace(1e-3, 0.2, 1000))
    alpha, sigma = levels(clipped)
    whole, spread = levels(steep_schedule())
    kept = np.log(whole / spread) >= -5.1
    assert 0 < kept.sum() < 1000
    np.testing.assert_array_equal(alpha, whole[kept])
    np.testing.assert_array_equal(sigma, spread[kept])


@pytest.mark.parametrize("t", [1, 2, 3])
def test_ancestral_coefficients_condition_the_forward_chain(t):
    bar = np.cumprod(1 - BETAS)
    # x_{t-1} given x_0 is N(sqrt(bar) x_0, 1 - bar), and x_t = sqrt(1 - beta) x_{t-1} + noise.
    prior, rate = 1 - bar[t - 1], np.sqrt(1 - BETAS[t])
    gain = prior * rate / (rate**2 * prior + BETAS[t])
    for variance, expected in (("small", prior * (1 - gain * rate)), ("large", BETAS[t])):
        steps = reverse_steps(SCHEDULE, variance=variance)
        assert steps.keep[t] == pytest.approx(gain, rel=1e-12)
        assert steps.signal[t] == pytest.approx(np.sqrt(bar[t - 1]) * (1 - gain * rate), rel=1e-12)
        assert steps.noise[t] ** 2 == pytest.approx(expected, rel=1e-12)


def test_ddim_keeps_the_noise_of_a_point():
    steps, (alpha, sigma) = reverse_steps(SCHEDULE, eta=0.0), levels(SCHEDULE)
    x0, eps = 1.3, -0.7
    for t in (1, 2, 3):
        x = alpha[t] * x0 + sigma[t] * eps
        moved = steps.signal[t] * x0 + steps.keep[t] * x
        assert moved == pytest.approx(alpha[t - 1] * x0 + sigma[t - 1] * eps, rel=1e-13)
    assert not steps.noise.any()


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_small_variance_keeps_the_marginal_laws(eta):
    steps, (alpha, sigma) = reverse_steps(SCHEDULE, eta=eta, variance="small"), levels(SCHEDULE)
    for t in (1, 2, 3):
        signal = steps.signal[t] + steps.keep[t] * alpha[t]
        assert signal == pytest.approx(alpha[t - 1], rel=1e-12)
        variance = (steps.keep[t] * sigma[t]) ** 2 + steps.noise[t] ** 2
        assert variance == pytest.approx(sigma[t - 1] ** 2, rel=1e-12)


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_the_last_step_returns_the_prediction(eta):
    steps = reverse_steps(SCHEDULE, eta=eta)
    assert (steps.signal[0], steps.keep[0], steps.noise[0]) == (1.0, 0.0, 0.0)


def test_subsampled_schedules_keep_the_noise_levels():
    alpha, _ = levels(steep_schedule())
    fewer, _ = levels(subsample_schedule(steep_schedule(), 50))
    assert fewer.size == 50
    np.testing.assert_allclose(fewer[[0, -1]], alpha[[0, -1]], rtol=1e-10)
    assert all(np.isclose(alpha, a, rtol=1e-10, atol=0).any() for a in fewer)


def test_bad_input():
    with pytest.raises(TypeError, match="schedule must be a VPDiscrete"):
        levels(VPLinear())
    with pytest.raises(ValueError, match="strictly decreasing"):
        VPDiscrete(alphas_cumprod=[0.5, 0.5])
    with pytest.raises(ValueError, match="eta must be a number >= 0 and <= 1"):
        reverse_steps(SCHEDULE, eta=1.5)
    with pytest.raises(ValueError, match="variance must be one of 'large', 'small'"):
        reverse_steps(SCHEDULE, variance="smal")
    with pytest.raises(ValueError, match="n_labels must be an integer >= 2 and <= 4"):
        subsample_schedule(SCHEDULE, 5)
    x = np.zeros((3, 1))
    with pytest.raises(ValueError, match=r"shape \(3, 1\); got \(3,\) at step 7"):
        checked_prediction(lambda x, t: x[:, 0], x, 7)
    with pytest.raises(ValueError, match="finite values; it did not at step 7"):
        checked_prediction(lambda x, t: x / np.array([[1.0], [np.inf], [np.nan]]), x, 7)
