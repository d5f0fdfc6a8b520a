"""Samples from a chain, with the variance of each sample's predictions over a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_int
from theorytk.diffusion.hallucination._kernels import fill_normal, table_step, window_sums
from theorytk.diffusion.hallucination.chain import (
    Denoiser,
    ReverseSteps,
    check_window,
    checked_prediction,
    reverse_steps,
    start_label,
)
from theorytk.diffusion.hallucination.tables import DenoiserTable, check_table, off_grid
from theorytk.diffusion.schedules import VPDiscrete

__all__ = ["ChainSamples", "sample_chain"]

Array = np.ndarray

# Numbers in a block of samples, whose arrays stay in cache while one row of a table serves them;
# and the fewest samples, for a network's sake.
BLOCK_ENTRIES, BLOCK_SAMPLES = 4096, 64


@dataclass(frozen=True)
class ChainSamples:
    """What a chain returned.

    Attributes
    ----------
    x : ndarray, shape (n, d)
        The samples.
    hal : ndarray, shape (n,)
        The variance of the predictions over the window, averaged over coordinates.
    paths : ndarray, shape (t_start + 1, n_paths, d)
        The predictions of the first samples; entry t is that at label t.
    """

    x: Array
    hal: Array
    paths: Array


def sample_chain(
    denoiser: Denoiser,
    schedule: VPDiscrete,
    n: int,
    *,
    dimension: int = 1,
    eta: float = 1.0,
    variance: str = "large",
    t_start: int | None = None,
    window: tuple[int, int] = (0, 10),
    n_paths: int = 0,
    rng: int | np.random.Generator | None = None,
) -> ChainSamples:
    """Return samples of a chain that starts from N(0, I).

    Blocks of samples go through all steps together. A :class:`DenoiserTable` runs compiled and, in
    d dimensions, acts on each coordinate.

    Parameters
    ----------
    denoiser : callable
        A function of points (m, d) and a label to predictions (m, d).
    schedule : VPDiscrete
        The schedule.
    n : int
        Number of samples, >= 1.
    dimension : int
        The dimension d, >= 1.
    eta, variance
        As in :func:`reverse_steps`.
    t_start : int, optional
        The label at which the chain starts; by default the schedule's last.
    window : (int, int)
        The labels lo, ..., hi - 1, at least two, whose predictions `hal` looks at.
    n_paths : int
        How many samples' predictions are kept.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ChainSamples

    Raises
    ------
    ValueError
        If an argument is not as above, a prediction has another shape or is not finite, or a
        sample leaves a table's grid; the step is named.

    References
    ----------
    Aithal et al. (2024): the detector's window of the last ten steps and `variance="large"` are
    those of the released code. Deviations are taken from the window's first prediction, so that the
    variance of a settled path does not cancel.

    Examples
    --------
    >>> schedule = VPDiscrete(betas=[0.1, 0.2, 0.5])
    >>> result = sample_chain(lambda x, t: 0 * x + t, schedule, 2, window=(0, 3), rng=0)
    >>> result.x.ravel(), result.hal.round(4)
    (array([0., 0.]), array([0.6667, 0.6667]))
    """
    n, d = check_int("n", n, lower=1), check_int("dimension", dimension, lower=1)
    if isinstance(denoiser, DenoiserTable):
        start = check_table(denoiser, schedule, t_start)
    else:
        start = start_label(schedule, t_start)
    steps = reverse_steps(schedule, eta=eta, variance=variance)
    window = check_window(window, start + 1)
    n_paths = check_int("n_paths", n_paths, lower=0, upper=n)
    state = as_generator(rng).integers(0, 2**64, 4, dtype=np.uint64)

    x, hal, paths = np.empty((n, d)), np.empty(n), np.empty((start + 1, n_paths, d))
    size = max(BLOCK_SAMPLES, BLOCK_ENTRIES // d)
    for begin in range(0, n, size):
        block = slice(begin, min(begin + size, n))
        kept = paths[:, block]
        x[block], hal[block] = _run_block(denoiser, steps, window, x[block].shape, kept, state)
    return ChainSamples(x, hal, paths)


def _run_block(
    denoiser: Denoiser,
    steps: ReverseSteps,
    window: tuple[int, int],
    shape: tuple[int, ...],
    paths: Array,
    state: Array,
) -> tuple[Array, Array]:
    """Return the samples of a block and their variances, and write the first predictions."""
    x, z, predicted = np.empty(shape), np.empty(shape), np.empty(shape)
    reference, first, second = np.empty(shape), np.zeros(shape), np.zeros(shape)
    fill_normal(x.ravel(), state)
    lo, hi = window
    for t in range(len(paths) - 1, -1, -1):
        fill_normal(z.ravel(), state)
        _step(denoiser, x, predicted, z, t, (steps.signal[t], steps.keep[t], steps.noise[t]))
        if paths.shape[1]:
            paths[t] = predicted[: paths.shape[1]]
        if t == hi - 1:
            reference[:] = predicted
        if lo <= t < hi:
            window_sums(predicted.ravel(), reference.ravel(), first.ravel(), second.ravel())
    variances = second / (hi - lo) - (first / (hi - lo)) ** 2
    return x, np.maximum(variances, 0.0).mean(axis=1)


def _step(
    denoiser: Denoiser, x: Array, predicted: Array, z: Array, t: int, coefficients: Any
) -> None:
    """Write the prediction at x, and move x: the one place where the kernel is chosen."""
    if isinstance(denoiser, DenoiserTable):
        row, low, spacing = denoiser.values[t], denoiser.grid[0], denoiser.spacing
        left = table_step(x.ravel(), predicted.ravel(), z.ravel(), row, low, spacing, *coefficients)
        if left >= 0:
            raise off_grid(denoiser, t)
        return
    signal, keep, noise = coefficients
    predicted[:] = checked_prediction(denoiser, x, t)
    x[:] = signal * predicted + keep * x + noise * z
