"""Targets whose noise, data and score predictions are exact at every noise level.

Component k of x = alpha x_0 + sigma eps is normal with mean alpha mu_k and covariance
alpha^2 C_k + sigma^2 I. In the eigenvectors of C_k all noise levels are diagonal, with variances
V = alpha^2 v + sigma^2, so that each component is decomposed once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_numpy_array

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.diffusion._mixture_kernels import log_weights
from theorytk.diffusion.models import Model
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.paths.mixtures import GaussianMixture

__all__ = ["GaussianTarget", "MixtureTarget", "Target"]

Array = np.ndarray

# Points are taken in blocks with about this many numbers of scratch.
BLOCK_ENTRIES = 32768


class Target(ABC):
    """A law of data, or a guided pair of laws, with exact predictions.

    All predictions take points (n, d), NumPy or another array library's, and the coefficients
    alpha >= 0 and sigma >= 0 of a noise level, not both 0; the result is of the kind of the points.
    Points that are not finite give predictions that are not.
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """The dimension d."""

    @abstractmethod
    def noise(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return E[eps | x], which is -sigma times the score."""

    @abstractmethod
    def data(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return E[x_0 | x]."""

    @abstractmethod
    def score(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return the gradient of the log density of alpha x_0 + sigma eps."""

    def model(self, schedule: NoiseSchedule) -> Model:
        """Return the noise prediction as a model of (x, t) under a schedule."""

        def noise(x: Any, t: float) -> Any:
            return self.noise(x, float(schedule.alpha(t)), float(schedule.sigma(t)))

        return Model(noise, "noise", schedule)


class MixtureTarget(Target):
    """A mixture of K Gaussians in d dimensions.

    With diagonal covariances, NumPy points of double precision are given to a compiled kernel.

    Parameters
    ----------
    weights : array_like, shape (K,)
        Weights > 0, with sum 1 up to 1e-8.
    means : array_like, shape (K, d), or (K,) for d = 1
        The means.
    covariances : array_like, shape (K, d, d), (K, d) or (K,)
        The covariances, symmetric and positive definite; their diagonals, if they have no more; or
        variances, to multiply the identity.

    Raises
    ------
    ValueError
        As :class:`theorytk.paths.GaussianMixture`.

    References
    ----------
    The Jacobian's diagonal and the decomposition are derived here.

    Examples
    --------
    >>> target = MixtureTarget([0.5, 0.5], [-3.0, 3.0], [0.25, 0.25])
    >>> target.score([[3.5], [200.0]], 1.0, 0.0).ravel()
    array([  -2., -788.])
    >>> target.data([[1.0]], 0.0, 1.0)
    array([[0.]])
    """

    def __init__(self, weights: Any, means: Any, covariances: Any) -> None:
        covs = check_array("covariances", covariances)
        if covs.ndim == 2:
            covs = covs[:, :, None] * np.eye(covs.shape[1])
        self.law = GaussianMixture(weights, means, covs)
        covs = self.law.covariances
        self._variances = np.diagonal(covs, axis1=1, axis2=2).copy()
        self._vectors: Array | None = None
        if (covs != self._variances[:, None] * np.eye(self.dimension)).any():
            self._variances, self._vectors = np.linalg.eigh(covs)

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return self.law.dimension

    def component(self, k: int) -> GaussianTarget:
        """Return component k alone, such as the conditional law of a guided pair."""
        k = check_int("k", k, lower=0, upper=len(self.law.weights) - 1)
        return GaussianTarget(self.law.means[k], self.law.covariances[k])

    def noise(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return E[eps | x], which is -sigma times the score."""
        level = self._level(alpha, sigma)
        return self._average(x, level, level.sigma * level.precisions)

    def data(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return E[x_0 | x]."""
        level = self._level(alpha, sigma)
        slopes = level.alpha * self._variances * level.precisions
        return self._average(x, level, slopes, self.law.means)

    def score(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return the gradient of the log density of alpha x_0 + sigma eps."""
        level = self._level(alpha, sigma)
        return self._average(x, level, -level.precisions)

    def score_jacobian_diagonal(self, x: Any, alpha: float, sigma: float) -> Any:
        """Return the derivatives of each coordinate of the score by that coordinate, (n, d)."""
        x = _check_points(x, self.dimension)
        level = self._level(alpha, sigma)
        curvatures, slopes = level.precisions, _like(x, -level.precisions)
        if self._vectors is not None:
            curvatures = np.einsum("kab,kb->ka", self._vectors**2, curvatures)
        curvatures, level = _like(x, curvatures), level.like(x)
        with np.errstate(all="ignore"):
            weights = _softmax(level.logits(x))
            score, second = 0.0, 0.0
            for k in range(len(level.log_masses)):
                weight, g = weights[k, :, None], level.apply(x, k, slopes)
                score = score + weight * g
                second = second + weight * (g**2 - curvatures[k, :])
            return second - score**2

    def logpdf(self, x: Any, alpha: float = 1.0, sigma: float = 0.0) -> Any:
        """Return the log density of alpha x_0 + sigma eps at points x (n, d), shape (n,)."""
        x = _check_points(x, self.dimension)
        xp = array_namespace(x)
        with np.errstate(all="ignore"):
            logits = self._level(alpha, sigma).like(x).logits(x)
            top = xp.max(logits, axis=0)
            return top + xp.log(xp.sum(xp.exp(logits - top), axis=0))

    def sample(
        self,
        n: int,
        rng: int | np.random.Generator | None = None,
        alpha: float = 1.0,
        sigma: float = 0.0,
    ) -> Array:
        """Return n independent draws of alpha x_0 + sigma eps, shape (n, d)."""
        alpha, sigma = _check_level(alpha, sigma)
        rng = as_generator(rng)
        draws: Array = alpha * self.law.sample(n, rng)
        return draws + sigma * rng.standard_normal(draws.shape) if sigma else draws

    def _level(self, alpha: float, sigma: float) -> _Level:
        alpha, sigma = _check_level(alpha, sigma)
        variances = alpha**2 * self._variances + sigma**2
        constant = self.dimension / 2 * math.log(2 * math.pi)
        log_masses = np.log(self.law.weights) - np.log(variances).sum(axis=1) / 2 - constant
        means = alpha * self.law.means
        return _Level(alpha, sigma, log_masses, means, 1 / variances, self._vectors)

    def _average(self, x: Any, level: _Level, slopes: Array, offsets: Array | None = None) -> Any:
        """Return the average over k of offsets_k + slopes_k (x - m_k), given x."""
        x = _check_points(x, self.dimension)
        offsets = np.zeros_like(slopes) if offsets is None else offsets
        with np.errstate(all="ignore"):
            if self._vectors is None and is_numpy_array(x) and x.dtype == np.float64:
                return _in_blocks(x, level, slopes, offsets)
            level = level.like(x)
            weights, total = _softmax(level.logits(x)), 0.0
            slopes, offsets = _like(x, slopes), _like(x, offsets)
            for k in range(len(level.log_masses)):
                part = offsets[k, :] + level.apply(x, k, slopes)
                total = total + weights[k, :, None] * part
            return total


class GaussianTarget(MixtureTarget):
    """A Gaussian in d dimensions, whose probability flow has a closed form.

    Parameters
    ----------
    mean : array_like, shape (d,)
        The mean.
    covariance : array_like, shape (d, d) or (d,), or float
        The covariance, symmetric and positive definite; its diagonal; or one variance.

    References
    ----------
    The flow map is derived here: each eigen-direction of x - alpha m solves a linear equation, and
    its law keeps the variance V = alpha^2 v + sigma^2.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> target = GaussianTarget([0.0], 1.0)
    >>> bool(abs(target.flow([[2.0]], VPLinear(), 0.9, 0.1) - 2.0) < 1e-15)
    True
    """

    def __init__(self, mean: Any, covariance: Any) -> None:
        mean = check_array("mean", mean, shape=(None,))
        covariance = check_array("covariance", covariance)
        if covariance.ndim < 2:
            covariance = np.broadcast_to(covariance, mean.shape) * np.eye(len(mean))
        super().__init__([1.0], mean[None], check_array("covariance", covariance)[None])

    def moments(self, alpha: float = 1.0, sigma: float = 0.0) -> tuple[Array, Array]:
        """Return the mean (d,) and the covariance (d, d) of alpha x_0 + sigma eps."""
        alpha, sigma = _check_level(alpha, sigma)
        identity = np.eye(self.dimension)
        return alpha * self.law.means[0], alpha**2 * self.law.covariances[0] + sigma**2 * identity

    def directions(self) -> tuple[Array, Array]:
        """Return the eigenvalues (d,) of the covariance and, in columns, its eigenvectors."""
        vectors = np.eye(self.dimension) if self._vectors is None else self._vectors[0]
        return self._variances[0], vectors

    def flow(self, x: Any, schedule: NoiseSchedule, start: float, end: float) -> Any:
        """Return the states at time `end` of the flow through points x (n, d) at time `start`."""
        x = _check_points(x, self.dimension)
        before, after = (
            self._level(float(schedule.alpha(t)), float(schedule.sigma(t))) for t in (start, end)
        )
        factors = np.sqrt(before.precisions / after.precisions)
        return _like(x, after.means[0]) + before.like(x).apply(x, 0, _like(x, factors))


class _Level(NamedTuple):
    """The components at a noise level, in the eigenvectors (K, d, d) of their covariances.

    The log masses (K,) are log(w_k) less the norming of N(m_k, V_k); means and 1 / V are (K, d).
    """

    alpha: float
    sigma: float
    log_masses: Array
    means: Any
    precisions: Any
    vectors: Any

    def like(self, x: Any) -> _Level:
        """Return the level with its arrays in the manner of x."""
        arrays = (self.means, self.precisions, self.vectors)
        means, precisions, vectors = (None if a is None else _like(x, a) for a in arrays)
        return self._replace(means=means, precisions=precisions, vectors=vectors)

    def centred(self, x: Any, k: int) -> Any:
        """Return x - m_k in the eigenvectors of component k."""
        z = x - self.means[k, :]
        return z if self.vectors is None else z @ self.vectors[k, :, :]

    def apply(self, x: Any, k: int, factors: Any) -> Any:
        """Return x - m_k with its part along each eigenvector multiplied by a factor."""
        z = factors[k, :] * self.centred(x, k)
        return z if self.vectors is None else z @ self.vectors[k, :, :].T

    def logits(self, x: Any) -> Any:
        """Return log(w_k N(x; m_k, V_k)), shape (K, n)."""
        xp = array_namespace(x)
        return xp.stack(
            [
                float(mass) - xp.sum(self.precisions[k, :] * self.centred(x, k) ** 2, axis=-1) / 2
                for k, mass in enumerate(self.log_masses)
            ]
        )


def _check_level(alpha: float, sigma: float) -> tuple[float, float]:
    alpha, sigma = check_real("alpha", alpha, lower=0), check_real("sigma", sigma, lower=0)
    if alpha == sigma == 0:
        raise ValueError("alpha and sigma must not both be 0; got 0 and 0")
    return alpha, sigma


def _check_points(x: Any, d: int) -> Any:
    """Return points (n, d): arrays of any library as they are, other input as NumPy's doubles."""
    if not is_array_api_obj(x) or (is_numpy_array(x) and x.dtype.kind != "f"):
        return check_array("x", x, shape=(None, d), finite=False)
    real = array_namespace(x).isdtype(x.dtype, "real floating")
    if x.ndim != 2 or x.shape[1] != d or not real:
        raise ValueError(f"x must be real of shape (any, {d}); got {tuple(x.shape)}, {x.dtype}")
    return x


def _in_blocks(x: Array, level: _Level, slopes: Array, offsets: Array) -> Array:
    """Return the average, block by block so that scratch stays in cache.

    The weights are taken from squares, for the expanded square cancels where a component is narrow.
    """
    (n, d), K = x.shape, len(slopes)
    size = max(1, BLOCK_ENTRIES // (K + 2 * d))
    intercepts = offsets - slopes * level.means
    result = np.empty((n, d))
    for start in range(0, n, size):
        block = slice(start, start + size)
        points = np.ascontiguousarray(x[block].T)
        weights = log_weights(points, level.log_masses, level.means, level.precisions)
        np.exp(weights, out=weights)
        average = (slopes.T @ weights) * points + intercepts.T @ weights
        result[block] = (average / weights.sum(axis=0)).T
    return result


def _softmax(logits: Any) -> Any:
    """Return exp(logits) over its sum along the first axis."""
    xp = array_namespace(logits)
    weights = xp.exp(logits - xp.max(logits, axis=0))
    return weights / xp.sum(weights, axis=0)


def _like(x: Any, values: Array) -> Any:
    """Return a NumPy array in the manner of x."""
    if is_numpy_array(x):
        return values.astype(x.dtype, copy=False)
    return array_namespace(x).asarray(values, dtype=x.dtype, device=device(x))
