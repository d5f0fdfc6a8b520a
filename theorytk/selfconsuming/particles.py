"""Retraining on finitely many samples, with a model fitted to them in every generation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from theorytk._validation import as_generator, check_array, check_int
from theorytk.selfconsuming._arguments import Array, check_group_size, check_mixing

__all__ = [
    "ParticleHistory",
    "empirical_model",
    "kde_model",
    "luce_choice",
    "mixture_model",
    "simulate_particles",
]

Sampler = Callable[[int, np.random.Generator], Array]


@dataclass(frozen=True)
class ParticleHistory:
    """The training sets of all generations.

    Parameters
    ----------
    samples : ndarray, shape (T + 1, n, ...)
        Training set of every generation, the curated samples first; the first is of real data.
    rewards : ndarray, shape (T + 1, n)
        Their rewards.
    """

    samples: Array
    rewards: Array


def luce_choice(rewards: ArrayLike, rng: int | np.random.Generator | None = None) -> Array:
    """Return which sample every user keeps, by Luce's rule.

    Parameters
    ----------
    rewards : array_like, shape (users, K)
        Rewards of the samples that each user sees; finite.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray of int, shape (users,)
        Index k with probability ``exp(r_k) / sum_j exp(r_j)``: the largest of r plus independent
        Gumbel variables, so that no exponential overflows.

    Examples
    --------
    >>> luce_choice([[0.0, 900.0], [900.0, 0.0]], rng=0)
    array([1, 0])
    """
    r = check_array("rewards", rewards, ndim=2)
    return np.asarray(np.argmax(r + as_generator(rng).gumbel(size=r.shape), axis=1))


def empirical_model(samples: Array) -> Sampler:
    """Return the sampler of a model that has learnt its training set by heart.

    Parameters
    ----------
    samples : ndarray, shape (n, ...)
        Training set.

    Returns
    -------
    callable
        ``sampler(size, rng) -> ndarray (size, ...)``, drawing with replacement.

    Examples
    --------
    >>> empirical_model(np.array([7, 7]))(3, np.random.default_rng(0))
    array([7, 7, 7])
    """
    return lambda size, rng: samples[rng.integers(len(samples), size=size)]


def kde_model(samples: Array) -> Sampler:
    """Return the sampler of a Gaussian kernel density estimate.

    Parameters
    ----------
    samples : ndarray, shape (n, d)
        Training set.

    Returns
    -------
    callable
        ``sampler(size, rng) -> ndarray (size, d)``; bandwidth by Scott's rule.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> kde_model(rng.standard_normal((50, 2)))(3, rng).shape
    (3, 2)
    """
    from scipy.stats import gaussian_kde

    kde = gaussian_kde(check_array("samples", samples, ndim=2).T)
    return lambda size, rng: np.asarray(kde.resample(size, seed=rng).T)


def mixture_model(n_components: int) -> Callable[[Array], Sampler]:
    """Return the fit of a mixture of Gaussians; needs the extra ``theorytk[sklearn]``.

    Parameters
    ----------
    n_components : int
        Gaussians, at least 1.

    Returns
    -------
    callable
        ``fit(samples (n, d))``, which returns a sampler as `kde_model` does. The start of the
        expectation maximisation is drawn with seed 0.

    Raises
    ------
    ImportError
        Without scikit-learn.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> mixture_model(2)(rng.standard_normal((50, 2)))(3, rng).shape
    (3, 2)
    """
    n_components = check_int("n_components", n_components, lower=1)
    try:
        from sklearn.mixture import GaussianMixture
    except ImportError as error:
        raise ImportError(
            "mixture_model needs scikit-learn; install it with: pip install 'theorytk[sklearn]'"
        ) from error

    def fit(samples: Array) -> Sampler:
        mixture = GaussianMixture(n_components, random_state=0).fit(samples)

        def sample(size: int, rng: np.random.Generator) -> Array:
            component = rng.choice(n_components, size=size, p=mixture.weights_)
            roots = np.linalg.cholesky(mixture.covariances_)
            noise = rng.standard_normal((size, samples.shape[1], 1))
            return np.asarray(mixture.means_[component] + (roots[component] @ noise)[:, :, 0])

        return sample

    return fit


def simulate_particles(
    reference: Sampler,
    reward: Callable[[Array], Array],
    K: int,
    *,
    n: int,
    generations: int,
    lam: float = math.inf,
    fit: Callable[[Array], Sampler] = empirical_model,
    rng: int | np.random.Generator | None = None,
) -> ParticleHistory:
    """Retrain a fitted model on n curated and real samples, generation after generation.

    Parameters
    ----------
    reference : callable
        ``reference(size, rng) -> ndarray (size, ...)``: fresh real data.
    reward : callable
        ``reward(samples (m, ...)) -> ndarray (m,)``.
    K : int
        Samples that a user chooses from, at least 1; 1 is no curation.
    n : int
        Size of every training set, at least 1.
    generations : int
        Retrainings T, >= 0.
    lam : float, default inf
        Weight of curated samples, in [0, inf]: a training set has ``n lam / (1 + lam)`` of them,
        rounded, and real data for the rest.
    fit : callable
        ``fit(samples) -> sampler``, such as `empirical_model`, `kde_model` or
        ``mixture_model(8)``.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ParticleHistory
        Training sets and rewards of all generations.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or if rewards are not finite or of the wrong shape.

    Examples
    --------
    >>> draw = lambda size, rng: rng.integers(2, size=size)
    >>> history = simulate_particles(draw, lambda x: 9.0 * x, 4, n=100, generations=3, rng=0)
    >>> history.samples.mean(axis=1).round(1)
    array([0.6, 1. , 1. , 1. ])
    """
    K = int(check_group_size(check_int("K", K, lower=1), lower=1))
    n, generations = check_int("n", n, lower=1), check_int("generations", generations, lower=0)
    lam = check_mixing(lam)
    curated = n if lam == math.inf else round(n * lam / (1 + lam))
    rng = as_generator(rng)
    samples = [reference(n, rng)]
    rewards = [_rewards(reward, samples[0])]
    for _ in range(generations):
        shown = fit(samples[-1])(curated * K, rng)
        kept = luce_choice(_rewards(reward, shown).reshape(curated, K), rng)
        chosen = shown[np.arange(curated) * K + kept]
        samples.append(np.concatenate([chosen, reference(n - curated, rng)]))
        rewards.append(_rewards(reward, samples[-1]))
    return ParticleHistory(np.array(samples), np.array(rewards))


def _rewards(reward: Callable[[Array], Array], samples: Array) -> Array:
    return check_array("reward(samples)", reward(samples), shape=(len(samples),))
