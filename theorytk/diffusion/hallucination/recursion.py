"""Models trained on what their predecessors returned, with and without a filter.

Sampled: a model is fitted to finitely many samples. In the population: the law of a generation is
the exact output law of the best denoiser, of bounded slope, of the law before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.diffusion.hallucination.chain import Denoiser, levels, start_label
from theorytk.diffusion.hallucination.lipschitz import cap_slope
from theorytk.diffusion.hallucination.propagation import PAD, GridLaw, propagate_law
from theorytk.diffusion.hallucination.sampling import ChainSamples
from theorytk.diffusion.hallucination.tables import DenoiserTable
from theorytk.diffusion.schedules import VPDiscrete
from theorytk.diffusion.targets import MixtureTarget

__all__ = [
    "Generation",
    "denoiser_of_masses",
    "keep_first",
    "population_recursion",
    "recursive_training",
]

Array = np.ndarray
Fit = Callable[[Array, np.random.Generator], Denoiser]
Sample = Callable[[Denoiser, int, np.random.Generator], ChainSamples]
Filter = Callable[[Array, int], Array]

# Densities below this share of the largest are the rounding of a Fourier transform.
NOISE_FLOOR = 1e-13


@dataclass(frozen=True)
class Generation:
    """What one model returned, and what the next is trained on.

    Attributes
    ----------
    x : ndarray, shape (m, d)
        Its samples.
    hal : ndarray, shape (m,)
        The variances of their predictions.
    kept : ndarray of int, shape (n,)
        Which of them the next model is trained on.
    """

    x: Array
    hal: Array
    kept: Array

    def rates(self, rule: Callable[[Array], Array]) -> tuple[float, float]:
        """Return the share of samples that a rule marks, before and after the filter."""
        marked = np.asarray(rule(self.x))
        return float(marked.mean()), float(marked[self.kept].mean())

    def mode_statistics(self, target: MixtureTarget) -> tuple[Array, Array]:
        """Return weight and standard deviation of each mode among the kept samples, (K,) each.

        A sample belongs to its nearest mode. The deviation is from the mean of its samples,
        averaged over coordinates in mean square; without samples it is NaN.
        """
        x, means = self.x[self.kept], target.law.means
        owner = ((x[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
        count = np.bincount(owner, minlength=len(means))
        with np.errstate(invalid="ignore"):
            sums = np.stack([np.bincount(owner, c, len(means)) for c in x.T], axis=1)
            centres = sums / count[:, None]
            squares = np.bincount(owner, ((x - centres[owner]) ** 2).mean(axis=1), len(means))
            return count / len(x), np.sqrt(squares / count)


def keep_first(score: Array, keep: int) -> Array:
    """Return the indices 0, ..., keep - 1: the filter that looks at nothing.

    Samples of a model are exchangeable, so that the first are as good as random ones.

    Parameters
    ----------
    score : array_like, shape (n,)
        Not used.
    keep : int
        How many are kept, from 1 to n.

    Returns
    -------
    ndarray of int, shape (keep,)

    Examples
    --------
    >>> keep_first([0.3, 0.1, 0.2], 2)
    array([0, 1])
    """
    return np.arange(check_int("keep", keep, lower=1, upper=len(score)))


def recursive_training(
    data: Any,
    fit: Fit,
    sample: Sample,
    *,
    n_generations: int,
    keep: Filter = keep_first,
    oversampling: float = 0.025,
    rng: int | np.random.Generator | None = None,
) -> list[Generation]:
    """Train a model, filter what it returns, train the next model on that, and so on.

    Parameters
    ----------
    data : array_like, shape (n, d)
        What the first model is trained on; all have n samples.
    fit : callable
        A function of samples (n, d) and a Generator to a denoiser, such as
        :func:`~theorytk.diffusion.hallucination.mlp.train_mlp`.
    sample : callable
        A function of a denoiser, a number m and a Generator to :class:`ChainSamples` of m samples.
    n_generations : int
        Number of models, >= 1.
    keep : callable
        The filter, a function of the variances (m,) and n to n different indices:
        :func:`~theorytk.diffusion.hallucination.detector.least_variable`, or :func:`keep_first` for
        a random filter, which is none.
    oversampling : float
        Each model returns m = ceil((1 + oversampling) n) samples, >= 0.
    rng : int, Generator or None
        Random state; each generation has two of its own, spawned from it, so that what one draws
        does not move the others.

    Returns
    -------
    list of Generation

    Raises
    ------
    ValueError
        If samples have another shape or are not finite, or the filter does not return n different
        indices; the generation is named.

    References
    ----------
    Aithal et al. (2024), section on recursive training; oversampling by 2500 of 100 000 as in the
    released code.

    Examples
    --------
    >>> def fit(x, rng):
    ...     return lambda y, t: np.full_like(y, x.mean())
    >>> def sample(denoiser, m, rng):
    ...     noise = rng.standard_normal((m, 1))
    ...     return ChainSamples(denoiser(noise, 0) + noise, noise[:, 0] ** 2, noise[:0])
    >>> history = recursive_training(np.zeros((4, 1)), fit, sample, n_generations=2, rng=0)
    >>> len(history), history[1].x.shape
    (2, (5, 1))
    """
    data = check_array("data", data, shape=(None, None))
    n, d = check_int("data (samples)", len(data), lower=1), data.shape[1]
    n_generations = check_int("n_generations", n_generations, lower=1)
    oversampling = check_real("oversampling", oversampling, lower=0.0)
    m = math.ceil(round((1 + oversampling) * n, 6))
    history = []
    for generation, source in enumerate(as_generator(rng).spawn(n_generations)):
        of_fit, of_sample = source.spawn(2)
        drawn = sample(fit(data, of_fit), m, of_sample)
        x = check_array(f"sample (generation {generation})", drawn.x, shape=(m, d))
        hal = check_array(f"variances (generation {generation})", drawn.hal, shape=(m,))
        kept = np.asarray(keep(hal, n))
        if kept.shape != (n,) or np.unique(kept).size < n or kept.min() < 0 or kept.max() >= m:
            raise ValueError(f"keep must return {n} different indices; not so in {generation=}")
        history.append(Generation(x, hal, kept))
        data = x[kept]
    return history


def population_recursion(
    target: MixtureTarget,
    schedule: VPDiscrete,
    grid: Array,
    *,
    bound: float,
    n_generations: int,
    remove: Callable[[Array], Array] | None = None,
    t_start: int | None = None,
) -> list[GridLaw]:
    """Return the output laws of generations of models with infinitely many samples.

    Each model is the best denoiser, of slope at most `bound`, of the law before it.

    Parameters
    ----------
    target : MixtureTarget
        The law of the data, of one dimension.
    schedule : VPDiscrete
        The schedule.
    grid : ndarray, shape (G,)
        As for :func:`~theorytk.diffusion.hallucination.tables.tabulate`; it holds the noisy data of
        all generations.
    bound : float
        The largest slope in units of the data, > 0, or inf.
    n_generations : int
        Number of models, >= 1.
    remove : callable, optional
        A function of points (n, 1) to which of them are removed before the next model, such as a
        :class:`~theorytk.diffusion.hallucination.rules.HallucinationRule`: a perfect filter. It is
        asked at the mean of each cell of the grid.
    t_start : int, optional
        The label at which the chains start; by default the schedule's last.

    Returns
    -------
    list of GridLaw
        Before the filter.

    Raises
    ------
    ValueError
        If an argument is not as above, or nothing is left by the filter; the generation is named.

    References
    ----------
    Derived here: see :func:`denoiser_of_masses`, :func:`cap_slope`, :func:`propagate_law`.

    Examples
    --------
    >>> from theorytk.diffusion.hallucination.chain import steep_schedule
    >>> from theorytk.diffusion.hallucination.mixtures import three_in_a_row
    >>> laws = population_recursion(
    ...     three_in_a_row(), steep_schedule(), np.linspace(-6.5, 7.5, 4096), bound=2.0,
    ...     n_generations=1, t_start=300,
    ... )
    >>> print(f"{laws[0].probability([[1.3, 1.7], [2.3, 2.7]]):.4f}")
    0.0048
    """
    if target.dimension != 1:
        raise ValueError(f"target must have dimension 1; got {target.dimension}")
    n_generations = check_int("n_generations", n_generations, lower=1)
    points = check_array("grid", grid, shape=(None,))
    edges = np.concatenate([[-np.inf], (points[1:] + points[:-1]) / 2, [np.inf]])
    masses = np.exp(target.logpdf(points[:, None]))
    laws: list[GridLaw] = []
    for generation in range(n_generations):
        if laws:
            masses, means, _ = laws[-1].moments(edges)
            points = np.where(masses > 0, means, grid)
            if remove is not None:
                masses[np.asarray(remove(points[:, None]), dtype=bool)] = 0.0
        if not masses.sum() > 0:
            raise ValueError(f"remove must leave something; it does not before {generation=}")
        table, weights = denoiser_of_masses(points, masses, schedule, grid, t_start=t_start)
        capped = cap_slope(table, schedule, bound, weights)
        laws.append(propagate_law(capped, schedule, t_start=t_start))
    return laws


def denoiser_of_masses(
    points: Any, masses: Any, schedule: VPDiscrete, grid: Array, *, t_start: int | None = None
) -> tuple[DenoiserTable, Array]:
    """Return the exact denoiser of a discrete law on the line, and the density of its noisy data.

    Parameters
    ----------
    points, masses : array_like, shape (m,)
        The law: masses >= 0, not all 0; they need not sum to 1. Masses are the nodes' own if
        `points` is a grid with several nodes in each standard deviation of the noise.
    schedule : VPDiscrete
        The schedule.
    grid : ndarray, shape (G,)
        Uniform; it must hold the noisy data of all labels.
    t_start : int, optional
        The last label; by default the schedule's.

    Returns
    -------
    table : DenoiserTable
        E[x_0 | x_t] at labels 0, ..., t_start.
    weights : ndarray, shape (t_start + 1, G)
        The density of x_t, up to a factor. It is 0 where it cannot be told from rounding; there
        the table is interpolated.

    References
    ----------
    Bayes' rule: with the density phi of sigma_t eps, the denoiser is the convolution of phi with
    the measure of x_0 at alpha_t x_0, divided by that with the law itself. Masses are divided among
    neighbouring nodes, an error of second order in the spacing.

    Examples
    --------
    >>> schedule = VPDiscrete(alphas_cumprod=[0.5, 0.1])
    >>> grid = np.linspace(-8.0, 8.0, 801)
    >>> table, _ = denoiser_of_masses([-1.0, 1.0], [1.0, 1.0], schedule, grid)
    >>> print(f"{table(np.array([0.5]), 0)[0]:.3f} {np.tanh(0.5 / np.sqrt(0.5)):.3f}")
    0.609 0.609
    """
    points = check_array("points", points, shape=(None,))
    masses = check_array("masses", masses, shape=points.shape)
    if not (masses.size and masses.min() >= 0 and masses.max() > 0):
        raise ValueError("masses must be >= 0, and not all 0")
    grid = check_array("grid", grid, shape=(None,))
    G = check_int("grid (nodes)", grid.size, lower=3)
    spacing = (grid[-1] - grid[0]) / (G - 1)
    alpha, sigma = (level[: start_label(schedule, t_start) + 1] for level in levels(schedule))
    size = next_fast_len(G + math.ceil(PAD * sigma.max() / spacing), True)
    half_squares = -0.5 * (2 * math.pi * np.arange(size // 2 + 1) / (size * spacing)) ** 2
    values, weights = np.empty((alpha.size, G)), np.empty((alpha.size, G))
    for t, (a, s) in enumerate(zip(alpha, sigma, strict=True)):
        place = (a * points - grid[0]) / spacing
        if place.min() < 0 or place.max() > G - 1:
            raise ValueError(f"grid must hold the points at all labels; it does not at label {t}")
        left = np.minimum(place.astype(int), G - 2)
        shares = [
            np.bincount(left, m * (1 - place + left), size)
            + np.bincount(left + 1, m * (place - left), size)
            for m in (masses, masses * points)
        ]
        smooth = irfft(rfft(shares) * np.exp(s**2 * half_squares), size)[:, :G]
        clear = smooth[0] > NOISE_FLOOR * smooth[0].max()
        values[t] = np.interp(grid, grid[clear], smooth[1, clear] / smooth[0, clear])
        weights[t] = np.where(clear, smooth[0], 0.0)
    return DenoiserTable(grid, values), weights
