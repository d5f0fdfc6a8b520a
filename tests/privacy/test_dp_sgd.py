"""Private gradient descent: its account against another library and by integration, its steps."""

import dp_accounting
import numpy as np
import pytest
from dp_accounting import rdp
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import norm

from theorytk.privacy._gradient_kernels import clipped_gradients
from theorytk.privacy.dp_sgd import (
    dp_sgd,
    sampled_gaussian_epsilon,
    sampled_gaussian_multiplier,
    sampled_gaussian_rdp,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("q", "sigma"), [(0.01, 1.0), (0.1, 3.0), (0.6, 8.0)])
def test_divergence_is_the_integral(q, sigma):
    for order in (2, 3, 7):
        integral, _ = quad(
            lambda z, a=order: (
                norm.pdf(z, 0, sigma) * (1 - q + q * np.exp((2 * z - 1) / (2 * sigma**2))) ** a
            ),
            -15 * sigma,
            15 * sigma + 8,
            limit=400,
        )
        expected = np.log(integral) / (order - 1)
        assert sampled_gaussian_rdp(order, q, sigma) == pytest.approx(expected, rel=1e-6)


def test_divergence_of_integer_noise_is_the_same():
    """Steps as coarse as half the noise, and both directions, against the sum over the integers."""
    q, sigma, shift = 0.3, 2.0, 3
    y = np.arange(-300, 304)
    without = -(y**2) / (2 * sigma**2)
    total = logsumexp(without)
    moved = -((y - shift) ** 2) / (2 * sigma**2)
    with_it = np.logaddexp(np.log(1 - q) + without, np.log(q) + moved)
    for order in (2, 5, 9):
        there = logsumexp(order * with_it + (1 - order) * without) - total
        back = logsumexp(order * without + (1 - order) * with_it) - total
        bound = sampled_gaussian_rdp(order, q, sigma / shift)
        assert there / (order - 1) == pytest.approx(bound, rel=1e-9)
        assert back / (order - 1) <= bound


@pytest.mark.parametrize(("q", "sigma", "steps"), [(0.1, 5.0, 300), (0.5, 10.0, 50)])
def test_epsilon_against_dp_accounting(q, sigma, steps):
    event = dp_accounting.PoissonSampledDpEvent(q, dp_accounting.GaussianDpEvent(sigma))
    accountant = rdp.RdpAccountant(orders=[float(a) for a in range(2, 257)])
    accountant.compose(dp_accounting.SelfComposedDpEvent(event, steps))
    theirs = accountant.get_epsilon(1e-5)
    assert sampled_gaussian_epsilon(q, sigma, steps, 1e-5) == pytest.approx(theirs, rel=1e-3)


def test_multiplier_is_the_inverse():
    for epsilon in (0.1, 1.0, 8.0):
        sigma = sampled_gaussian_multiplier(epsilon, 1e-5, 0.2, 100)
        found = sampled_gaussian_epsilon(0.2, sigma, 100, 1e-5)
        assert found <= epsilon
        assert found == pytest.approx(epsilon, rel=1e-6)


def softmax_gradients(X, labels, weights):
    scores = np.exp(X @ weights)
    residual = scores / scores.sum(axis=1, keepdims=True) - np.eye(weights.shape[1])[labels]
    return X[:, :, None] * residual[:, None, :]


def test_gradients_are_clipped_and_added():
    X, labels, weights = RNG.normal(size=(20, 3)), RNG.integers(4, size=20), RNG.normal(size=(3, 4))
    batch = np.array([0, 3, 4, 19])
    gradients = softmax_gradients(X, labels, weights)[batch]
    lengths = np.linalg.norm(gradients, axis=(1, 2))
    assert lengths.min() < 0.9 < lengths.max()
    clipped = gradients * np.minimum(1, 0.9 / lengths)[:, None, None]
    found = clipped_gradients(X, labels, batch, weights, 0.9, 2.0**32)
    np.testing.assert_allclose(found / 2.0**32, clipped.sum(axis=0), atol=4 * 2.0**-31)
    for i in batch:
        alone = clipped_gradients(X, labels, np.array([i]), weights, 0.9, 2.0**32)
        assert np.linalg.norm(alone / 2.0**32) <= 0.9


def test_without_noise_it_is_gradient_descent():
    """With nearly all points in each step; clipping does not act on rows this short."""
    X, labels = 0.3 * RNG.normal(size=(2000, 3)), RNG.integers(3, size=2000)
    weights = np.zeros((3, 3))
    for _ in range(3):
        weights -= 2.0 / 2000 * softmax_gradients(X, labels, weights).sum(axis=0)
    options = dict(delta=1e-5, size=2000, steps=3, sampling_rate=1 - 1e-9, learning_rate=2.0)
    model = dp_sgd(X, labels, 3, epsilon=200.0, clip=1.5, rng=0, **options)
    noise = 2.0 * 1.5 / 2000 * model.noise_multiplier * np.sqrt(3)
    np.testing.assert_allclose(model.weights, weights, atol=8 * noise)
    assert noise < np.abs(weights).max() / 20


def test_noise_has_its_scale():
    """Without points: weights are a sum of noise of known variance, on the grid or not."""
    options = dict(epsilon=1.0, delta=1e-5, size=50, steps=4, sampling_rate=0.2, clip=0.5)
    model = dp_sgd(np.empty((0, 600)), [], 2, rng=1, **options)
    sd = 4.0 * 0.5 / (0.2 * 50) * model.noise_multiplier * 2
    assert np.std(model.weights) == pytest.approx(sd, rel=0.12)
    with pytest.warns(UserWarning, match="floating-point noise"):
        other = dp_sgd(np.empty((0, 600)), [], 2, rng=1, noise="float", **options)
    assert np.std(other.weights) == pytest.approx(sd, rel=0.12)


def test_prediction():
    labels = np.repeat([0, 1], 200)
    X = RNG.normal(size=(400, 2)) + 4 * labels[:, None] - 2
    model = dp_sgd(X, labels, 2, epsilon=2.0, delta=1e-5, size=400, steps=30, rng=0)
    assert (model.predict(X) == labels).mean() > 0.95
    np.testing.assert_array_equal(model.predict(X), model.decision_function(X).argmax(axis=1))
    assert model.guarantee.epsilon == 2.0


def test_bad_input():
    options = dict(epsilon=1.0, delta=1e-5, size=2)
    with pytest.raises(ValueError, match="labels must hold classes 0 to 1"):
        dp_sgd([[0.0]], [2], 2, **options)
    with pytest.raises(ValueError, match=r"labels must have shape \(1\)"):
        dp_sgd([[0.0]], [0, 1], 2, **options)
    with pytest.raises(ValueError, match="steps must be an integer >= 1"):
        dp_sgd([[0.0]], [0], 2, steps=0, **options)
    with pytest.raises(ValueError, match="sampling_rate must be a number > 0 and < 1"):
        dp_sgd([[0.0]], [0], 2, sampling_rate=1, **options)
    with pytest.raises(ValueError, match="noise must be one of"):
        dp_sgd([[0.0]], [0], 2, noise="none", **options)
    with pytest.raises(ValueError, match=r"epsilon must be what multipliers from 0\.1 to 100000"):
        sampled_gaussian_multiplier(1e-9, 1e-5, 0.1, 10)
    with pytest.raises(ValueError, match=r"order must hold integers >= 2; got 1.5"):
        sampled_gaussian_rdp(1.5, 0.1, 1.0)
