"""The U-Net learns Simple Shapes, and what it makes can be counted; at reduced size."""

from __future__ import annotations

import numpy as np
import pytest

from theorytk.diffusion import VPDiscrete
from theorytk.diffusion.hallucination.chain import levels
from theorytk.diffusion.hallucination.sampling import sample_chain
from theorytk.diffusion.hallucination.shapes import (
    count_shapes,
    images_of_rows,
    rows_of_images,
    sample_shapes,
)
from theorytk.diffusion.hallucination.torch import NetworkDenoiser, train_network
from theorytk.diffusion.hallucination.unet import shapes_unet

pytestmark = pytest.mark.torch
SCHEDULE = VPDiscrete(betas=tuple(np.linspace(0.005, 0.3, 30)), clip=None)


def affine_loss(rows):
    """Return the least mean square error of predictions of a pixel's noise from it alone."""
    alpha, sigma = (level[:, None] for level in levels(SCHEDULE))
    signal = alpha**2 * rows.var(axis=0)
    return float(np.mean(signal / (signal + sigma**2)))


def test_learns_more_than_an_affine_predictor_and_makes_images():
    rows = rows_of_images(sample_shapes(560, rng=0))
    network = shapes_unet(width=4, rng=0)
    options = dict(n_epochs=1, batch_size=8, learning_rate=1e-2)
    first = train_network(network, rows, SCHEDULE, rng=1, **options)[0]
    last = train_network(network, rows[:160], SCHEDULE, rng=2, **options)[0]
    assert last < affine_loss(rows) < first
    drawn = sample_chain(NetworkDenoiser(network, SCHEDULE), SCHEDULE, 3, dimension=4096, rng=0)
    counts = count_shapes(images_of_rows(drawn.x))
    assert counts.shape == (3, 3)
    assert counts.min() >= 0


def test_begins_with_the_prediction_zero_and_a_seed_gives_one_network():
    import torch

    one, same, other = (shapes_unet(8, width=4, n_resolutions=2, rng=seed) for seed in (0, 0, 1))
    x, t = torch.randn(5, 64), torch.arange(5)
    assert torch.equal(one(x, t), torch.zeros(5, 64))
    for a, b, c in zip(one.parameters(), same.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.ndim < 2 or torch.equal(a, torch.zeros_like(a)) or not torch.equal(a, c)


def test_the_same_shape_and_label_for_each_row():
    import torch

    network = shapes_unet(8, width=4, n_resolutions=2, rng=0).double()
    torch.nn.init.ones_(network.leave[-1].weight)
    x = torch.randn(4, 64, dtype=torch.float64)
    t = torch.tensor([3, 900, 3, 7])
    together = network(x, t)
    for i in range(4):
        torch.testing.assert_close(network(x[i : i + 1], t[i : i + 1])[0], together[i])
    assert not torch.allclose(network(x[:1], t[:1]), network(x[:1], t[1:2]))


def test_bad_arguments():
    with pytest.raises(ValueError, match="side must be a multiple of 4; got 62"):
        shapes_unet(62)
    with pytest.raises(ValueError, match="width must be a multiple of 4; got 6"):
        shapes_unet(width=6)
    with pytest.raises(ValueError, match=r"n_resolutions must be .*>= 1; got 0"):
        shapes_unet(n_resolutions=0)
