"""A small network as a denoiser, trained in seconds on one core."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.diffusion.hallucination._mlp_kernels import activate, adam_step, scale_by_slopes
from theorytk.diffusion.hallucination.chain import levels, start_label
from theorytk.diffusion.schedules import VPDiscrete

__all__ = ["MLPDenoiser", "train_mlp"]

Array = np.ndarray
Layers = list[tuple[Array, Array]]

# Frequencies of the features of log(sigma_t / alpha_t).
TIME_FREQUENCIES = np.geomspace(0.3, 6.0, 8)
DECAYS, TINY = (0.9, 0.999), 1e-8  # of Adam, the usual ones
# Points in a block, whose hidden layers stay in cache.
BLOCK_ROWS = 1024


@dataclass(frozen=True, eq=False)
class MLPDenoiser:
    """A network that predicts the noise, as a denoiser: a function of points (n, d) and a label.

    Attributes
    ----------
    center : ndarray, shape (d,)
        The mean of the training data; the network sees them centred.
    gain : float
        The factor of the network's linear inputs.
    frequencies : ndarray, shape (d, m)
        Of its random Fourier features, radians per unit of x_t.
    layers : list of (ndarray, ndarray)
        Weights (inputs, outputs) and biases (outputs,) of each layer, in single precision.
    alpha, sigma : ndarray, shape (T,)
        The noise levels it was trained on.
    losses : ndarray, shape (n_updates,)
        The mean square error of the noise prediction over the batch of each update.
    """

    center: Array
    gain: float
    frequencies: Array
    layers: Layers
    alpha: Array
    sigma: Array
    losses: Array

    def __call__(self, x: Array, t: int) -> Array:
        """Return the predictions of x_0 at points (n, d) of x_t."""
        t = check_int("t", t, lower=0, upper=len(self.alpha) - 1)
        x = check_array("x", x, shape=(None, self.center.size))
        alpha, sigma = self.alpha[t], self.sigma[t]
        time = _time_features(alpha, sigma)
        value = np.empty_like(x)
        for start in range(0, len(x), BLOCK_ROWS):
            block = x[start : start + BLOCK_ROWS] - alpha * self.center
            features = _features(block, np.tile(time, (len(block), 1)), self.gain, self.frequencies)
            noise = _forward(self.layers, features)[0][-1]
            value[start : start + BLOCK_ROWS] = self.center + (block - sigma * noise) / alpha
        return value


def train_mlp(
    data: Any,
    schedule: VPDiscrete,
    *,
    hidden: int = 64,
    depth: int = 3,
    gain: float = 10.0,
    n_frequencies: int = 0,
    frequency_sd: float = 6.0,
    n_updates: int = 3000,
    batch_size: int = 1000,
    learning_rate: float = 3e-3,
    t_start: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> MLPDenoiser:
    """Train a network to predict the noise, and return it as a denoiser.

    The inputs are gain x, sines and cosines of random projections of x, and of log(sigma_t /
    alpha_t). Small networks learn low frequencies first: with raw inputs a budget of seconds ends
    long before the steps of the exact denoiser are seen.

    Parameters
    ----------
    data : array_like, shape (n, d)
        Training data.
    schedule : VPDiscrete
        The schedule.
    hidden, depth : int
        Units of a hidden layer, and how many of these there are, >= 1. The activation is SiLU.
    gain : float
        The factor of the linear inputs, > 0.
    n_frequencies : int
        Random Fourier features, >= 0: none by default, 32 is good in the plane.
    frequency_sd : float
        Standard deviation of their Gaussian frequencies, > 0.
    n_updates, batch_size : int
        Steps of Adam, and samples in each (drawn with replacement), >= 1.
    learning_rate : float
        The first, > 0; it falls to 0 along a cosine.
    t_start : int, optional
        Labels are uniform on 0, ..., t_start; by default to the schedule's last.
    rng : int, Generator or None
        Random state. One seed gives one network, bit for bit, on one machine: matrix products run
        in one thread.

    Returns
    -------
    MLPDenoiser

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above, or training diverges.

    References
    ----------
    The loss is that of Ho et al. (2020), *Denoising diffusion probabilistic models*, equation 14;
    Fourier features as Tancik et al. (2020). The sizes are ours: Aithal et al. (2024) train a
    larger network for longer, see :mod:`theorytk.diffusion.hallucination.torch`.

    Examples
    --------
    >>> from theorytk.diffusion.hallucination.chain import steep_schedule
    >>> denoiser = train_mlp(np.ones((5, 1)), steep_schedule(), n_updates=20, rng=0)
    >>> denoiser(np.array([[1.0], [1.1]]), 0).shape, len(denoiser.losses)
    ((2, 1), 20)
    """
    data = check_array("data", data, shape=(None, None))
    n, d = check_int("data (samples)", len(data), lower=1), data.shape[1]
    check_int("data (dimension)", d, lower=1)
    hidden = check_int("hidden", hidden, lower=1)
    depth = check_int("depth", depth, lower=1)
    gain = check_real("gain", gain, lower=0.0, lower_open=True)
    n_frequencies = check_int("n_frequencies", n_frequencies, lower=0)
    frequency_sd = check_real("frequency_sd", frequency_sd, lower=0.0, lower_open=True)
    n_updates = check_int("n_updates", n_updates, lower=1)
    batch_size = check_int("batch_size", batch_size, lower=1)
    learning_rate = check_real("learning_rate", learning_rate, lower=0.0, lower_open=True)
    n_labels = start_label(schedule, t_start) + 1
    rng = as_generator(rng)

    alpha, sigma = (level[:n_labels] for level in levels(schedule))
    center = data.mean(axis=0)
    centred = data - center
    time = _time_features(alpha, sigma)
    frequencies = frequency_sd * rng.standard_normal((d, n_frequencies))
    widths = [d + 2 * n_frequencies + time.shape[1], *[hidden] * depth, d]
    weights, layers = _initialise(widths, rng)
    gradient = np.empty_like(weights)
    gradients = _split(gradient, widths)
    optimizer = _Adam(weights, learning_rate, n_updates)
    losses = np.empty(n_updates)
    with threadpool_limits(1, user_api="blas"):
        for update in range(n_updates):
            t = rng.integers(n_labels, size=batch_size)
            noise = rng.standard_normal((batch_size, d), dtype=np.float32)
            x = alpha[t, None] * centred[rng.integers(n, size=batch_size)]
            x += sigma[t, None] * noise
            values, slopes = _forward(layers, _features(x, time[t], gain, frequencies))
            error = values[-1] - noise
            losses[update] = np.mean(error**2, dtype=float)
            _backward(layers, values, slopes, error * np.float32(2 / error.size), gradients)
            optimizer.step(gradient, update)
    if not np.isfinite(losses).all() or not np.isfinite(weights).all():
        raise ValueError(
            f"learning_rate must let training converge; it diverged with {learning_rate}"
        )
    return MLPDenoiser(center, gain, frequencies, layers, alpha, sigma, losses)


class _Adam:
    """Adam with a learning rate that falls to 0 along a cosine."""

    def __init__(self, weights: Array, learning_rate: float, n_updates: int) -> None:
        self.weights, self.learning_rate, self.n_updates = weights, learning_rate, n_updates
        self.mean, self.square = np.zeros_like(weights), np.zeros_like(weights)
        self.decays = np.float32(DECAYS[0]), np.float32(DECAYS[1])

    def step(self, gradient: Array, update: int) -> None:
        """Take step number `update`, from 0."""
        root = math.sqrt(1 - DECAYS[1] ** (update + 1))
        rate = 0.5 * self.learning_rate * (1 + math.cos(math.pi * update / self.n_updates))
        rate *= root / (1 - DECAYS[0] ** (update + 1))
        averages = self.mean, self.square
        constants = np.float32(rate), self.decays, np.float32(TINY * root)
        adam_step(self.weights, gradient, *averages, *constants)


def _initialise(widths: list[int], rng: np.random.Generator) -> tuple[Array, Layers]:
    """Return all parameters as a vector, and views of it as layers: the biases are 0."""
    weights = np.zeros(sum((a + 1) * b for a, b in pairwise(widths)), "f4")
    layers = _split(weights, widths)
    for matrix, _ in layers:
        matrix[:] = rng.standard_normal(matrix.shape) / math.sqrt(len(matrix))
    return weights, layers


def _split(vector: Array, widths: list[int]) -> Layers:
    """Return the matrices and biases that a vector holds, as views."""
    layers, start = [], 0
    for a, b in pairwise(widths):
        end = start + a * b
        layers.append((vector[start:end].reshape(a, b), vector[end : end + b]))
        start = end + b
    return layers


def _time_features(alpha: Any, sigma: Any) -> Array:
    """Return sines and cosines of the log noise level, (..., 16)."""
    angles = np.log(np.asarray(sigma) / alpha)[..., None] * TIME_FREQUENCIES
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1).astype(np.float32)


def _features(x: Array, time: Array, gain: float, frequencies: Array) -> Array:
    """Return the network's inputs (n, d + 2 m + 16) at centred points."""
    parts = [gain * x]
    if frequencies.shape[1]:
        angles = (x @ frequencies).astype(np.float32)
        parts += [np.sin(angles), np.cos(angles)]
    return np.concatenate([*parts, time], axis=1, dtype=np.float32, casting="same_kind")


def _forward(layers: Layers, features: Array) -> tuple[list[Array], list[Array]]:
    """Return the values of all layers, the inputs first, and the slopes of the hidden ones."""
    values, slopes = [features], []
    for matrix, bias in layers[:-1]:
        slope = values[-1] @ matrix
        value = np.empty_like(slope)
        activate(slope, bias, value)
        values.append(value)
        slopes.append(slope)
    matrix, bias = layers[-1]
    values.append(values[-1] @ matrix + bias)
    return values, slopes


def _backward(
    layers: Layers, values: list[Array], slopes: list[Array], error: Array, gradients: Layers
) -> None:
    """Write the derivatives of a loss, given those by the outputs, to `gradients`."""
    np.matmul(values[-2].T, error, out=gradients[-1][0])
    error.sum(axis=0, out=gradients[-1][1])
    for i in range(len(layers) - 2, -1, -1):
        error = error @ layers[i + 1][0].T
        scale_by_slopes(error, slopes[i], gradients[i][1])
        np.matmul(values[i].T, error, out=gradients[i][0])
