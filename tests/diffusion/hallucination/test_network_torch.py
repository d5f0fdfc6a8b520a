"""The official network and its training, at reduced size."""

from __future__ import annotations

import numpy as np
import pytest

from theorytk.diffusion.hallucination.chain import levels, steep_schedule
from theorytk.diffusion.hallucination.mixtures import exact_denoiser, three_in_a_row
from theorytk.diffusion.hallucination.torch import (
    NetworkDenoiser,
    official_network,
    train_network,
)

pytestmark = pytest.mark.torch
SCHEDULE = steep_schedule()


def size(network):
    return sum(p.numel() for p in network.parameters())


def test_the_network_has_the_sizes_of_the_released_one():
    assert size(official_network(2, rng=0)) == 67_074
    assert size(official_network(2, tied=False, rng=0)) == 166_658


def test_the_forward_pass_is_that_of_the_released_network():
    import torch

    network = official_network(2, width=8, depth=2, rng=0)
    weight = {name: p.detach().double().numpy() for name, p in network.named_parameters()}
    x, t = np.random.default_rng(0).standard_normal((5, 2)), np.array([0, 1, 10, 500, 999])

    def leaky(z):
        return np.where(z > 0, z, 0.02 * z)

    def norm(z):
        centred = z - z.mean(axis=1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)

    angles = t[:, None] * 10_000.0 ** (-np.arange(4) / 3)
    time = leaky(np.hstack([np.sin(angles), np.cos(angles)]) @ weight["time.0.weight"].T)
    h = x @ weight["enter.weight"].T
    for _ in range(2):
        inner = leaky(norm(h)) @ weight["blocks.0.enter.2.weight"].T
        inner = inner + time @ weight["blocks.0.time.weight"].T
        h = h + leaky(norm(inner)) @ weight["blocks.0.leave.2.weight"].T
    expected = norm(h) @ weight["leave.1.weight"].T
    network = network.double()
    with torch.no_grad():
        found = network(torch.as_tensor(x), torch.as_tensor(t)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_training_comes_close_to_the_exact_denoiser():
    target = three_in_a_row()
    data = target.sample(2000, 0)
    network = official_network(1, width=32, depth=2, rng=0)
    losses = train_network(network, data, SCHEDULE, n_epochs=400, batch_size=1000, rng=1)
    denoiser, exact = NetworkDenoiser(network, SCHEDULE), exact_denoiser(target, SCHEDULE)
    assert losses[-50:].mean() < 0.25 * losses[0]
    alpha, sigma = levels(SCHEDULE)
    x = target.sample(2000, 2, float(alpha[100]), float(sigma[100]))
    truth = exact(x, 100)
    assert np.mean((denoiser(x, 100) - truth) ** 2) < 0.25 * truth.var()


def test_a_seed_gives_one_network():
    data = three_in_a_row().sample(100, 0)
    runs = []
    for _ in range(2):
        network = official_network(1, width=8, depth=1, rng=0)
        train_network(network, data, SCHEDULE, n_epochs=3, batch_size=50, rng=1)
        runs.append(NetworkDenoiser(network, SCHEDULE)(data, 10))
    np.testing.assert_array_equal(*runs)


def test_bad_arguments():
    data = three_in_a_row().sample(100, 0)
    network = official_network(1, width=8, depth=1, rng=0)
    with pytest.raises(ValueError, match=r"batch_size must be .* <= 100; got 101"):
        train_network(network, data, SCHEDULE, batch_size=101)
    with pytest.raises(ValueError, match="width must be even; got 9"):
        official_network(1, width=9)
    with pytest.raises(ValueError, match=r"t must be .* <= 999; got 1000"):
        NetworkDenoiser(network, SCHEDULE)(data, 1000)
