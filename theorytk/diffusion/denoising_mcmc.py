"""Denoising MCMC: draws of (x, sigma) by Langevin steps and Gibbs, then denoising from there."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real
from theorytk.diffusion.joint_law import JointLaw

__all__ = [
    "LEVEL_RULES",
    "SELECTIONS",
    "GibbsResult",
    "Kernel",
    "denoise",
    "exact_kernel",
    "langevin_gibbs",
    "mala_kernel",
    "ula_kernel",
]

Array = np.ndarray
Kernel = Callable[[JointLaw, Array, Array, np.random.Generator], tuple[Array, Array]]
"""``kernel(joint, x, sigma, rng) -> (x, accepted)``: new points (n, d), and (n,) if they moved."""

LEVEL_RULES = ("draw", "argmax")
"""How :func:`langevin_gibbs` gets the level of a point."""

SELECTIONS = ("last", "smallest")
"""Which state of the last sweeps :func:`langevin_gibbs` returns."""


class GibbsResult(NamedTuple):
    """The states of the chains of :func:`langevin_gibbs`.

    Attributes
    ----------
    x : ndarray, shape (n, d)
        The points.
    sigma : ndarray, shape (n,)
        Their noise levels.
    acceptance : float
        The share of accepted moves of x.
    level_counts : ndarray, shape (M,)
        How often each level was drawn, over all chains and sweeps.
    """

    x: Array
    sigma: Array
    acceptance: float
    level_counts: Array


def exact_kernel(
    joint: JointLaw, x: Array, sigma: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return independent draws of x given sigma: what the other kernels approach.

    Parameters
    ----------
    joint : JointLaw
        The law of (x, sigma).
    x : ndarray, shape (n, d)
        The points, which are forgotten.
    sigma : ndarray, shape (n,)
        Their levels.
    rng : Generator
        Random state.

    Returns
    -------
    tuple of ndarray
        New points (n, d), and that all were accepted (n,).

    Examples
    --------
    >>> from theorytk.diffusion.targets import MixtureTarget
    >>> joint = JointLaw(MixtureTarget([1.0], [[0.0]], [1.0]), [0.1, 1.0])
    >>> exact_kernel(joint, np.zeros((2, 1)), np.ones(2), np.random.default_rng(0))[1]
    array([ True,  True])
    """
    return joint.sample_given(sigma, rng), np.ones(len(x), dtype=bool)


def ula_kernel(step: float = 0.5, *, scaled: bool = True) -> Kernel:
    """Return the unadjusted Langevin step x + (eta / 2) score + sqrt(eta) z.

    Parameters
    ----------
    step : float
        The step, > 0: eta = step sigma^2.
    scaled : bool
        Whether the step is scaled with the level's variance; without, eta = step.

    Returns
    -------
    callable
        The kernel. It leaves another law invariant than that of x given sigma.

    References
    ----------
    B. Kim and J. C. Ye, Denoising MCMC (ICML 2023), with constant steps.

    Examples
    --------
    >>> from theorytk.diffusion.targets import MixtureTarget
    >>> joint = JointLaw(MixtureTarget([1.0], [[0.0]], [1.0]), [0.1, 1.0])
    >>> x, _ = ula_kernel(0.1)(joint, np.zeros((2, 1)), np.ones(2), np.random.default_rng(0))
    >>> x.shape
    (2, 1)
    """
    step = check_real("step", step, lower=0, lower_open=True)

    def kernel(
        joint: JointLaw, x: Array, sigma: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        eta = _sizes(step, scaled, sigma)
        moved = x + eta / 2 * joint.score(x, sigma) + np.sqrt(eta) * rng.standard_normal(x.shape)
        return moved, np.ones(len(x), dtype=bool)

    return kernel


def mala_kernel(step: float = 0.5, *, scaled: bool = True) -> Kernel:
    """Return the Langevin step with Metropolis' correction, which keeps the law of x given sigma.

    A step that depends on sigma alone is allowed, because sigma is fixed while x moves.

    Parameters
    ----------
    step : float
        The step, > 0: eta = step sigma^2.
    scaled : bool
        Whether the step is scaled with the level's variance; without, eta = step.

    Returns
    -------
    callable
        The kernel; it evaluates the score twice.

    References
    ----------
    G. O. Roberts and R. L. Tweedie, Bernoulli 2 (1996). Steps scaled by the variance of the level
    are ours: at a small level a constant step is never accepted, at a large one it hardly moves.

    Examples
    --------
    >>> from theorytk.diffusion.targets import MixtureTarget
    >>> joint = JointLaw(MixtureTarget([1.0], [[0.0]], [1.0]), [0.1, 1.0])
    >>> _, accepted = mala_kernel()(joint, np.zeros((9, 1)), np.ones(9), np.random.default_rng(0))
    >>> int(accepted.sum())
    8
    """
    step = check_real("step", step, lower=0, lower_open=True)

    def kernel(
        joint: JointLaw, x: Array, sigma: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        eta = _sizes(step, scaled, sigma)
        score, logpdf = joint.score_and_logpdf(x, sigma)
        moved = x + eta / 2 * score + np.sqrt(eta) * rng.standard_normal(x.shape)
        its_score, its_logpdf = joint.score_and_logpdf(moved, sigma)
        there = ((moved - x - eta / 2 * score) ** 2).sum(axis=1)
        back = ((x - moved - eta / 2 * its_score) ** 2).sum(axis=1)
        log_ratio = its_logpdf - logpdf + (there - back) / (2 * eta[:, 0])
        accepted = np.log1p(-rng.random(len(x))) < log_ratio
        return np.where(accepted[:, None], moved, x), accepted

    return kernel


def langevin_gibbs(
    joint: JointLaw,
    x: Any,
    sigma: Any,
    *,
    n_sweeps: int,
    kernel: Kernel | None = None,
    level_rule: str = "draw",
    select: str = "last",
    window: int = 10,
    rng: int | np.random.Generator | None = None,
) -> GibbsResult:
    """Run independent chains of denoising Langevin Gibbs (DLG).

    A sweep moves each x at its level, then gets the level anew given x.

    Parameters
    ----------
    joint : JointLaw
        The law of (x, sigma).
    x : array_like, shape (n, d)
        The points at the start.
    sigma : array_like, shape (n,)
        Their levels.
    n_sweeps : int
        The number of sweeps, >= 1.
    kernel : callable, optional
        ``kernel(joint, x, sigma, rng) -> (x, accepted)``, a move of x at fixed sigma;
        :func:`mala_kernel` by default.
    level_rule : {"draw", "argmax"}
        ``"draw"`` draws from the exact posterior; ``"argmax"`` takes its mode, as released.
    select : {"last", "smallest"}
        ``"last"`` returns the last state; ``"smallest"`` that of the smallest level among the last
        `window` sweeps, as released.
    window : int
        See `select`; from 1 to `n_sweeps` where it is used.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    GibbsResult

    Warns
    -----
    UserWarning
        With ``"argmax"`` or ``"smallest"``: the law of (x, sigma) is then not kept.

    References
    ----------
    B. Kim and J. C. Ye, Denoising MCMC (ICML 2023), Algorithm 1 (DLG), and its released code for
    ``"argmax"`` and ``"smallest"``.

    Examples
    --------
    >>> from theorytk.diffusion.targets import MixtureTarget
    >>> joint = JointLaw(MixtureTarget([1.0], [[0.0]], [1.0]), np.geomspace(0.1, 10, 20))
    >>> result = langevin_gibbs(joint, *joint.sample(100, 0), n_sweeps=5, rng=1)
    >>> result.x.shape, int(result.level_counts.sum())
    ((100, 1), 500)
    """
    x = check_array("x", x, shape=(None, joint.target.dimension))
    sigma = check_array("sigma", sigma, shape=(len(x),))
    n_sweeps = check_int("n_sweeps", n_sweeps, lower=1)
    smallest = check_choice("select", select, SELECTIONS) == "smallest"
    draws = check_choice("level_rule", level_rule, LEVEL_RULES) == "draw"
    if smallest:
        check_int("window", window, lower=1, upper=n_sweeps)
    if smallest or not draws:
        warnings.warn("the law of (x, sigma) is not kept", UserWarning, stacklevel=2)
    kernel = mala_kernel() if kernel is None else kernel
    generator = as_generator(rng)
    counts, accepted = np.zeros(len(joint.levels), dtype=int), 0
    best = x, np.full(len(x), np.inf)
    for sweep in range(n_sweeps):
        x, moved = kernel(joint, x, sigma, generator)
        accepted += int(moved.sum())
        sigma = joint.draw_levels(x, generator) if draws else _likeliest(joint, x)
        counts += np.bincount(np.searchsorted(joint.levels, sigma), minlength=len(counts))
        if smallest and sweep >= n_sweeps - window:
            less = sigma < best[1]
            best = np.where(less[:, None], x, best[0]), np.where(less, sigma, best[1])
    x, sigma = best if smallest else (x, sigma)
    return GibbsResult(x, sigma, accepted / max(1, len(x) * n_sweeps), counts)


def denoise(
    joint: JointLaw, x: Any, sigma: Any, *, n_steps: int, sigma_min: float = 0.01, rho: float = 7.0
) -> Array:
    """Follow the probability flow from each point's own level to data.

    Parameters
    ----------
    joint : JointLaw
        The law of (x, sigma).
    x : array_like, shape (n, d)
        The points.
    sigma : array_like, shape (n,)
        Their levels. A point below `sigma_min` takes no steps.
    n_steps : int
        Steps of Heun's method from sigma to `sigma_min`, >= 0, at levels equally spaced in
        sigma^(1 / rho). There are 2 `n_steps` + 1 evaluations of the score for each point.
    sigma_min : float
        The last level, > 0, from which Tweedie's formula leads to the data.
    rho : float
        The exponent of the grid, >= 1.

    Returns
    -------
    ndarray, shape (n, d)
        The expected data given the states at `sigma_min`.

    References
    ----------
    B. Kim and J. C. Ye, Denoising MCMC (ICML 2023); T. Karras et al., NeurIPS 2022, Algorithm 1.

    Examples
    --------
    >>> from theorytk.diffusion.targets import MixtureTarget
    >>> joint = JointLaw(MixtureTarget([1.0], [[3.0]], [1e-4]), [0.1, 1.0, 10.0])
    >>> denoise(joint, [[-5.0]], [10.0], n_steps=8).round(1)
    array([[3.]])
    """
    x = check_array("x", x, shape=(None, joint.target.dimension))
    sigma = check_array("sigma", sigma, shape=(len(x),))
    n_steps = check_int("n_steps", n_steps, lower=0)
    last = check_real("sigma_min", sigma_min, lower=0, lower_open=True)
    power = 1 / check_real("rho", rho, lower=1)
    first, end = sigma**power, np.minimum(sigma, last) ** power
    level = sigma
    for i in range(n_steps):
        following = (first + (i + 1) / n_steps * (end - first)) ** (1 / power)
        length = (following - level)[:, None]
        slope = -level[:, None] * joint.score(x, level)
        ahead = -following[:, None] * joint.score(x + length * slope, following)
        x, level = x + length / 2 * (slope + ahead), following
    cleaned: Array = x + level[:, None] ** 2 * joint.score(x, level)
    return cleaned


def _likeliest(joint: JointLaw, x: Array) -> Array:
    """Return the likeliest level of each point."""
    levels: Array = joint.levels[joint.posterior(x).argmax(axis=1)]
    return levels


def _sizes(step: float, scaled: bool, sigma: Array) -> Array:
    """Return the Langevin step of each chain, (n, 1)."""
    sizes: Array = step * (sigma**2 if scaled else np.ones_like(sigma))[:, None]
    return sizes
