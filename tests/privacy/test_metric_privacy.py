"""Losses of short moves, against the exact losses of the mechanisms."""

import numpy as np
import pytest

from theorytk.privacy.gaussian_process import gaussian_process
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.kernels import KERNELS
from theorytk.privacy.metric_privacy import hat_metric_loss, kernel_metric_loss

RNG = np.random.default_rng(0)


def test_hats_lose_the_distance():
    mechanism = hierarchical_hat(6, rho=0.7)
    x, other = RNG.integers(0, 65, (2, 200)) / 64
    law = hat_metric_loss(x, other, 0.7)
    np.testing.assert_allclose(mechanism.privacy_loss(x, other), law, atol=1e-9)
    x, other = RNG.random((2, 200))
    assert (mechanism.privacy_loss(x, other) <= hat_metric_loss(x, other, 0.7) + 1e-9).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_processes_lose_the_distance_of_the_kernels(kernel):
    x, other = RNG.normal(size=(2, 3, 1))
    away = np.abs(x - other)[:, 0]
    private = gaussian_process(x, kernel=kernel, rho=0.7, rng=0)
    private.answers(RNG.normal(size=(4, 1)))
    law = kernel_metric_loss(kernel, away, 0.7)
    assert (private.mechanism.privacy_loss(x, other) <= law + 1e-6).all()
    private.answers(np.vstack([x, other]))
    np.testing.assert_allclose(private.mechanism.privacy_loss(x, other), law, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hat_metric_loss(0.0, 1.0, 0.0), "rho"),
        (lambda: hat_metric_loss(np.nan, 1.0, 1.0), "x must be finite"),
        (lambda: kernel_metric_loss("gaussian", -1.0, 1.0), "z must be >= 0"),
        (lambda: kernel_metric_loss("cosine", 1.0, 1.0), "kernel"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
