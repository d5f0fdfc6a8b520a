"""The network and the training of the Gaussian experiments, in PyTorch; needs ``theorytk[torch]``.

Aithal et al. (2024) train for hours where :func:`~theorytk.diffusion.hallucination.mlp.train_mlp`
takes seconds. Here are their settings; any other network takes the place of theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.diffusion.hallucination.chain import levels
from theorytk.diffusion.schedules import VPDiscrete
from theorytk.diffusion.torch import import_torch, to_numpy

if TYPE_CHECKING:
    import torch

__all__ = ["NetworkDenoiser", "official_network", "train_network"]

Array = np.ndarray

LEAK = 0.02  # of the leaky rectifiers
LONGEST_PERIOD = 10_000.0  # of the features of the label, over 2 pi


@dataclass(frozen=True, eq=False)
class NetworkDenoiser:
    """A network that predicts the noise, as a denoiser: a function of points and a label.

    Parameters
    ----------
    module : torch.nn.Module
        Called as ``module(x, t)`` with x (n, ...) and labels t (n,).
    schedule : VPDiscrete
        The schedule it was trained for.
    """

    module: torch.nn.Module
    schedule: VPDiscrete

    def __call__(self, x: Any, t: int) -> Array:
        """Return the predictions of x_0 at points x_t, without gradients."""
        torch = import_torch()
        alpha, sigma = levels(self.schedule)
        t = check_int("t", t, lower=0, upper=alpha.size - 1)
        x = check_array("x", x)
        like = next(self.module.parameters())
        points = torch.as_tensor(x, dtype=like.dtype, device=like.device)
        with torch.no_grad():
            noise = self.module(points, torch.full((len(x),), t, device=like.device))
        return np.asarray((x - sigma[t] * to_numpy(noise)) / alpha[t])


def official_network(
    dimension: int,
    *,
    width: int = 128,
    depth: int = 3,
    tied: bool = True,
    rng: int | np.random.Generator | None = None,
) -> torch.nn.Module:
    """Return the network of the Gaussian experiments.

    Parameters
    ----------
    dimension : int
        The dimension of the data, >= 1.
    width : int
        Units of all layers, and features of the label; even, >= 4.
    depth : int
        Number of blocks, >= 1.
    tied : bool
        Whether all blocks are one and the same. They are in the released code.
    rng : int, Generator or None
        Random state of the weights.

    Returns
    -------
    torch.nn.Module
        A function of points (n, dimension) and labels (n,) to the predicted noise.

    Raises
    ------
    ValueError
        If an argument is not as above.
    ImportError
        Without PyTorch.

    References
    ----------
    Aithal et al. (2024), released code: 67 074 parameters in the plane, 166 658 if not tied.
    """
    dimension = check_int("dimension", dimension, lower=1)
    width = check_int("width", width, lower=4)
    if width % 2:
        raise ValueError(f"width must be even; got {width}")
    depth = check_int("depth", depth, lower=1)
    network: Any = _classes()(dimension, width, depth, tied)
    initialise(network, rng)
    return network


def initialise(network: torch.nn.Module, rng: int | np.random.Generator | None) -> None:
    """Draw the weights of all linear layers and convolutions after Glorot; biases are 0."""
    torch = import_torch()
    generator = torch.Generator().manual_seed(int(as_generator(rng).integers(2**62)))
    for layer in network.modules():
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
            torch.nn.init.xavier_uniform_(layer.weight, generator=generator)
            if layer.bias is not None:
                torch.nn.init.zeros_(layer.bias)


def label_features(rates: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """Return sines and cosines of labels (n,) times rates (m,), (n, 2 m)."""
    torch = import_torch()
    angles = t[:, None] * rates
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


def label_rates(width: int) -> torch.Tensor:
    """Return the rates (width / 2,) of the features of a label, a geometric sequence."""
    torch = import_torch()
    half = width // 2
    return torch.exp(torch.arange(half) * (-math.log(LONGEST_PERIOD) / (half - 1)))


def train_network(
    module: torch.nn.Module,
    data: Any,
    schedule: VPDiscrete,
    *,
    n_epochs: int = 10_000,
    batch_size: int = 10_000,
    learning_rate: float = 1e-3,
    rng: int | np.random.Generator | None = None,
) -> Array:
    """Train a network to predict the noise, as the Gaussian experiments do.

    An epoch goes through the data in batches that are the same, in the same order, every time; what
    is left over is not used. So the number of updates grows with that of samples. The network is
    trained in place, on its device and in its precision, and is left in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        Called as ``module(x, t)`` with x (n, ...) and labels t (n,).
    data : array_like, shape (n, ...)
        Training data.
    schedule : VPDiscrete
        The schedule.
    n_epochs, batch_size : int
        Epochs, and samples in a batch, from 1 to n.
    learning_rate : float
        Of Adam, constant, > 0.
    rng : int, Generator or None
        Random state of labels and noise.

    Returns
    -------
    ndarray, shape (n_epochs,)
        The mean square error of the noise prediction in each epoch.

    Raises
    ------
    ValueError
        If an argument is not as above. The released code trains on nothing if the batch is larger
        than the data.
    ImportError
        Without PyTorch.

    References
    ----------
    Aithal et al. (2024), released code, whose settings the defaults are: Adam without warm-up,
    averaging or clipping.
    """
    torch = import_torch()
    data = check_array("data", data)
    n = check_int("data (samples)", len(np.atleast_1d(data)), lower=1)
    batch_size = check_int("batch_size", batch_size, lower=1, upper=n)
    n_epochs = check_int("n_epochs", n_epochs, lower=1)
    learning_rate = check_real("learning_rate", learning_rate, lower=0.0, lower_open=True)
    like = next(module.parameters())
    place = {"device": like.device, "dtype": like.dtype}
    generator = torch.Generator(like.device).manual_seed(int(as_generator(rng).integers(2**62)))
    x_0 = torch.as_tensor(data, **place)
    shape = (-1,) + (1,) * (x_0.ndim - 1)
    alpha, sigma = (torch.as_tensor(level, **place) for level in levels(schedule))
    optimizer = torch.optim.Adam(module.parameters(), lr=learning_rate)
    batches = x_0[: n // batch_size * batch_size].split(batch_size)
    losses = torch.zeros(n_epochs, device=like.device)
    module.train()
    for epoch in range(n_epochs):
        for batch in batches:
            t = torch.randint(len(alpha), (batch_size,), generator=generator, device=like.device)
            noise = torch.randn(batch.shape, generator=generator, **place)
            x = alpha[t].reshape(shape) * batch + sigma[t].reshape(shape) * noise
            loss = torch.nn.functional.mse_loss(module(x, t), noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[epoch] += loss.detach() / len(batches)
    module.eval()
    return to_numpy(losses)


@cache
def _classes() -> Any:
    """Return the class of the network, which needs PyTorch to be defined."""
    torch = import_torch()
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        """Two layers with a skip; the label comes in between."""

        def __init__(self, width: int) -> None:
            super().__init__()
            self.enter = nn.Sequential(
                nn.LayerNorm(width), nn.LeakyReLU(LEAK), nn.Linear(width, width, bias=False)
            )
            self.time = nn.Linear(width, width)
            self.leave = nn.Sequential(
                nn.LayerNorm(width), nn.LeakyReLU(LEAK), nn.Linear(width, width, bias=False)
            )

        def forward(self, x: Any, time: Any) -> Any:
            return x + self.leave(self.enter(x) + self.time(time))

    class Network(nn.Module):  # type: ignore[misc, name-defined]
        """Blocks between two linear layers."""

        def __init__(self, dimension: int, width: int, depth: int, tied: bool) -> None:
            super().__init__()
            self.register_buffer("rates", label_rates(width))
            self.time = nn.Sequential(nn.Linear(width, width), nn.LeakyReLU(LEAK))
            self.enter = nn.Linear(dimension, width, bias=False)
            blocks = [Block(width)] * depth if tied else [Block(width) for _ in range(depth)]
            self.blocks = nn.ModuleList(blocks)
            self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, dimension))

        def forward(self, x: Any, t: Any) -> Any:
            time = self.time(label_features(self.rates, t))
            x = self.enter(x)
            for block in self.blocks:
                x = block(x, time)
            return self.leave(x)

    return Network
