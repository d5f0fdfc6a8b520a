"""Gaussian mixtures and the interpolants between two of them, whose fields have closed forms.

Given its pair (i, j) of components, x_t is normal with mean m = alpha m0_i + beta m1_j and
covariance C = alpha^2 C0_i + beta^2 C1_j + gamma^2 I, and with y = C^-1 (x - m) the conditional
means of x0, x1 and z given x_t = x are m0_i + alpha C0_i y, m1_j + beta C1_j y and gamma y. Without
the pair they are averaged with its probabilities given x, which gives the velocity E[dx_t/dt | x_t]
as the average of m' + C' y / 2, and the score as that of -y.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_numpy_array

from theorytk._validation import as_generator, check_array, check_int
from theorytk.paths._mixture_kernels import average, whiten
from theorytk.paths.interpolants import Interpolant, as_column

__all__ = ["GaussianMixture", "MixtureInterpolant"]

Array = np.ndarray

# Above this dimension matrix products are faster than the kernels, which take blocks of points
# with about this many numbers of scratch.
KERNEL_DIMENSION = 32
BLOCK_ENTRIES = 16384


class GaussianMixture:
    """A mixture of K Gaussians in d dimensions.

    Points are NumPy arrays, or tensors of another array library; results are of the same kind.

    Parameters
    ----------
    weights : array_like, shape (K,)
        Weights > 0, with sum 1 up to 1e-8.
    means : array_like, shape (K, d), or (K,) for d = 1
        The means.
    covariances : array_like, shape (K, d, d) or (K,)
        The covariances, symmetric and positive definite, or variances, to multiply the identity.

    Examples
    --------
    >>> from theorytk.paths.mixtures import GaussianMixture
    >>> rho = GaussianMixture([0.5, 0.5], [-3.0, 3.0], [0.25, 0.25])
    >>> rho.score([[3.5], [200.0]]).ravel()
    array([  -2., -788.])
    """

    def __init__(self, weights: Any, means: Any, covariances: Any) -> None:
        weights = check_array("weights", weights, shape=(None,))
        if not (weights > 0).all() or abs(weights.sum() - 1) > 1e-8:
            raise ValueError(f"weights must be > 0 with sum 1; got {weights}")
        means = check_array("means", means)
        means = check_array(
            "means", means[:, None] if means.ndim == 1 else means, shape=(len(weights), None)
        )
        K, d = means.shape
        covs = check_array("covariances", covariances)
        covs = covs[:, None, None] * np.eye(d) if covs.ndim == 1 else covs
        covs = check_array("covariances", covs, shape=(K, d, d))
        transposed = covs.swapaxes(1, 2)
        scale = np.abs(covs).max(initial=0.0)
        if np.abs(covs - transposed).max(initial=0.0) > 1e-10 * scale:
            raise ValueError("covariances must be symmetric; got one that is not")
        if not (np.linalg.eigvalsh(covs) > 0).all():
            raise ValueError("covariances must be positive definite; got one that is not")
        self.weights, self.means = weights / weights.sum(), means
        self.covariances = (covs + transposed) / 2

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return int(self.means.shape[1])

    def mean(self) -> Array:
        """Return the mean, shape (d,)."""
        mean: Array = self.weights @ self.means
        return mean

    def covariance(self) -> Array:
        """Return the covariance, shape (d, d)."""
        centred = self.means - self.mean()
        within: Array = np.tensordot(self.weights, self.covariances, 1)
        covariance: Array = within + centred.T @ (self.weights[:, None] * centred)
        return covariance

    def logpdf(self, x: Any) -> Any:
        """Return the log density at points x (n, d), shape (n,)."""
        x = check_points(x, self.dimension)
        return _log_sum_exp(self._components(x).terms(x)[0])

    def score(self, x: Any) -> Any:
        """Return the gradient of the log density at points x (n, d), shape (n, d)."""
        x = check_points(x, self.dimension)
        logits, y = self._components(x).terms(x)
        return _average(logits, -y)

    def sample(self, n: int, rng: int | np.random.Generator | None = None) -> Array:
        """Return n independent draws, shape (n, d)."""
        rng = as_generator(rng)
        k = rng.choice(len(self.weights), size=check_int("n", n, lower=1), p=self.weights)
        factors = np.linalg.cholesky(self.covariances)[k]
        z = rng.standard_normal((n, self.dimension, 1))
        draws: Array = self.means[k] + (factors @ z)[..., 0]
        return draws

    def _components(self, x: Any) -> _Components:
        at_one_time = (np.log(self.weights), self.means, self.covariances)
        return _Components.of(*_like(x, *(values[:, None] for values in at_one_time)))


class MixtureInterpolant:
    """The flow of the laws of x_t between two Gaussian mixtures, with x0, x1, z independent.

    All fields take a time, one or (n,), and points (n, d) as NumPy arrays or tensors of another
    array library, and return the same kind. At one time and in few dimensions, NumPy points of
    double precision are given to compiled kernels.

    Parameters
    ----------
    rho0, rho1 : GaussianMixture
        The laws of x0 and x1.
    interpolant : Interpolant
        The coefficients alpha, beta, gamma.

    Raises
    ------
    ValueError
        If the dimensions differ, a one-sided interpolant does not start at a standard normal law,
        or the mirror interpolant has two laws.

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), Appendix A; the conditional means are derived here.

    Examples
    --------
    >>> from theorytk.paths.interpolants import interpolant
    >>> from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
    >>> rho0 = GaussianMixture([1.0], [0.0], [1.0])
    >>> rho1 = GaussianMixture([0.5, 0.5], [-2.0, 2.0], [0.1, 0.1])
    >>> flow = MixtureInterpolant(rho0, rho1, interpolant("linear"))
    >>> flow.velocity(0.0, [[1.0]]), flow.velocity(1.0, [[200.0]])
    (array([[-0.5]]), array([[-790.]]))
    """

    def __init__(
        self, rho0: GaussianMixture, rho1: GaussianMixture, interpolant: Interpolant
    ) -> None:
        if rho0.dimension != rho1.dimension:
            raise ValueError(
                f"rho0 and rho1 must have one dimension; got {rho0.dimension}, {rho1.dimension}"
            )
        if interpolant.one_sided and not _is_standard_normal(rho0):
            raise ValueError(f"rho0 must be standard normal for {interpolant.name!r}; got another")
        if interpolant.name == "mirror" and not _is_same(rho0, rho1):
            raise ValueError("rho0 must equal rho1 for 'mirror'; got two laws")
        self.rho0, self.rho1, self.interpolant = rho0, rho1, interpolant
        i, j = (k.ravel() for k in np.indices((len(rho0.weights), len(rho1.weights))))
        self._weights = rho0.weights[i] * rho1.weights[j]
        self._log_weights = np.log(self._weights)[:, None]
        self._ends = tuple(
            values[:, None]
            for values in (rho0.means[i], rho1.means[j], rho0.covariances[i], rho1.covariances[j])
        )

    @property
    def dimension(self) -> int:
        """The dimension d."""
        return self.rho0.dimension

    def marginal(self, t: float) -> GaussianMixture:
        """Return the law of x_t, one component for each pair."""
        c = self.interpolant.coefficients(t)
        m0, m1, C0, C1 = (values[:, 0] for values in self._ends)
        covs = c.alpha**2 * C0 + c.beta**2 * C1 + c.gamma2 * np.eye(self.dimension)
        return GaussianMixture(self._weights, c.alpha * m0 + c.beta * m1, covs)

    def logpdf(self, t: Any, x: Any) -> Any:
        """Return the log density of x_t at points x, shape (n,)."""
        x = check_points(x, self.dimension)
        return _log_sum_exp(self._pairs(t, x).components.terms(x)[0])

    def velocity_and_score(self, t: Any, x: Any) -> tuple[Any, Any]:
        """Return the velocity b and the score s at points x, shape (n, d) each, in one pass."""
        x = check_points(x, self.dimension)
        pairs = self._pairs(t, x)
        if _has_kernel(pairs, x):
            return _fused(pairs, x)
        logits, y = pairs.components.terms(x)
        velocity = _average(logits, pairs.d_means + _apply(pairs.half_d_covs, y))
        return velocity, _average(logits, -y)

    def velocity(self, t: Any, x: Any) -> Any:
        """Return b = E[d x_t / dt | x_t = x], which transports the law of x_t."""
        return self.velocity_and_score(t, x)[0]

    def score(self, t: Any, x: Any) -> Any:
        """Return s, the gradient of the log density of x_t."""
        return self.velocity_and_score(t, x)[1]

    def mean_velocity(self, t: Any, x: Any) -> Any:
        """Return v = E[dI/dt | x_t = x] = b + gamma gamma' s, the velocity without the noise's."""
        velocity, score = self.velocity_and_score(t, x)
        return velocity + as_column(self.interpolant.coefficients(t).gamma_d_gamma, score) * score

    def denoiser(self, t: Any, x: Any) -> Any:
        """Return E[z | x_t = x] = -gamma s."""
        score = self.score(t, x)
        return -as_column(np.sqrt(self.interpolant.coefficients(t).gamma2), score) * score

    def conditional_means(self, t: Any, x: Any) -> tuple[Any, Any, Any]:
        """Return E[x0 | x_t = x], E[x1 | x_t = x] and E[z | x_t = x]; x0 is z if one-sided."""
        x = check_points(x, self.dimension)
        c = self.interpolant.coefficients(t)
        logits, y = self._pairs(t, x).components.terms(x)
        gamma = as_column(np.sqrt(c.gamma2), x)
        m0, m1, C0, C1 = _like(x, *self._ends)
        eta_z = _average(logits, gamma * y)
        eta_1 = _average(logits, m1 + as_column(c.beta, x) * _apply(C1, y))
        if self.interpolant.one_sided:
            return eta_z, eta_1, eta_z
        return _average(logits, m0 + as_column(c.alpha, x) * _apply(C0, y)), eta_1, eta_z

    def sample(self, t: Any, n: int, rng: int | np.random.Generator | None = None) -> Array:
        """Return n independent draws of x_t, shape (n, d)."""
        rng = as_generator(rng)
        x0, x1 = self.rho0.sample(n, rng), self.rho1.sample(n, rng)
        z = None if self.interpolant.one_sided else rng.standard_normal(x0.shape)
        draws: Array = self.interpolant.interpolate(t, x0, x1, z)
        return draws

    def _pairs(self, t: Any, x: Any) -> _Pairs:
        """Return what is known of each pair at times t, of the kind of x."""
        coefficients = np.array(self.interpolant.coefficients(t))
        if coefficients.size // 6 not in (1, len(x)):
            raise ValueError(f"t must be one time or {len(x)}; got {coefficients.size // 6}")
        columns = coefficients.reshape(6, -1, 1, 1)
        (alpha, beta, gamma2, d_alpha, d_beta, slope), log_weights, identity, m0, m1, C0, C1 = (
            _like(x, columns, self._log_weights, np.eye(self.dimension), *self._ends)
        )
        components = _Components.of(
            log_weights,
            alpha[..., 0] * m0 + beta[..., 0] * m1,
            alpha**2 * C0 + beta**2 * C1 + gamma2 * identity,
        )
        d_means = d_alpha[..., 0] * m0 + d_beta[..., 0] * m1
        half_d_covs = alpha * d_alpha * C0 + beta * d_beta * C1 + slope * identity
        return _Pairs(components, d_means, half_d_covs)


class _Components(NamedTuple):
    """Normalised log weights (K, T), means (K, T, d), precisions (K, T, d, d) at T times."""

    log_weights: Any
    means: Any
    precisions: Any

    @classmethod
    def of(cls, log_weights: Any, means: Any, covs: Any) -> _Components:
        xp = array_namespace(covs)
        d = covs.shape[-1]
        L = xp.linalg.cholesky(covs)
        inverse = xp.linalg.inv(L)
        log_root = xp.sum(xp.log(xp.linalg.diagonal(L)), axis=-1)
        normalised = log_weights - log_root - d / 2 * math.log(2 * math.pi)
        return cls(normalised, means, xp.matrix_transpose(inverse) @ inverse)

    def terms(self, x: Any) -> tuple[Any, Any]:
        """Return log(w_k N(x; m_k, C_k)), shape (K, n), and C_k^-1 (x - m_k), shape (K, n, d)."""
        xp = array_namespace(x)
        centred = x - self.means
        y = _apply(self.precisions, centred)
        return self.log_weights - xp.sum(centred * y, axis=-1) / 2, y


class _Pairs(NamedTuple):
    """The pairs at T times: components, m' (K, T, d) and C' / 2 (K, T, d, d)."""

    components: _Components
    d_means: Any
    half_d_covs: Any


def check_points(x: Any, d: int) -> Any:
    """Return points (n, d): tensors as they are, other input as a NumPy array of floats."""
    if not is_array_api_obj(x) or is_numpy_array(x):
        dtype = np.float32 if getattr(x, "dtype", None) == np.float32 else np.float64
        return check_array("x", x, shape=(None, d), dtype=dtype)
    xp = array_namespace(x)
    if x.ndim != 2 or x.shape[1] != d or not xp.isdtype(x.dtype, "real floating"):
        raise ValueError(f"x must be real of shape (any, {d}); got {tuple(x.shape)}, {x.dtype}")
    if not bool(xp.all(xp.isfinite(x))):
        raise ValueError("x must be finite; got a value that is not")
    return x


def _has_kernel(pairs: _Pairs, x: Any) -> bool:
    one_time = pairs.d_means.shape[1] == 1
    double = is_numpy_array(x) and x.dtype == np.float64
    return one_time and double and x.shape[1] <= KERNEL_DIMENSION


def _fused(pairs: _Pairs, x: Array) -> tuple[Array, Array]:
    """Return velocity and score by the kernels, block by block so that scratch stays in cache."""
    (log_weights, means, precisions), d_means, half_d_covs = pairs
    (n, d), K = x.shape, len(means)
    size = max(1, BLOCK_ENTRIES // (K * (d + 1)))
    velocity, score = np.empty((n, d)), np.empty((n, d))
    for start in range(0, n, size):
        block = slice(start, start + size)
        points = np.ascontiguousarray(x[block].T)
        y, weights = whiten(points, log_weights[:, 0], means[:, 0], precisions[:, 0])
        np.exp(weights, out=weights)
        b, s = average(weights, y, d_means[:, 0], half_d_covs[:, 0])
        velocity[block], score[block] = b.T, s.T
    return velocity, score


def _apply(matrices: Any, vectors: Any) -> Any:
    """Return symmetric matrices (K, T, d, d) times vectors (K, n, d), T being 1 or n."""
    if matrices.shape[1] == 1:
        return vectors @ matrices[:, 0]
    return (matrices @ vectors[..., None])[..., 0]


def _average(logits: Any, values: Any) -> Any:
    """Return the average over k of values (K, n, d), weights proportional to exp(logits (K, n))."""
    xp = array_namespace(logits)
    weights = xp.exp(logits - xp.max(logits, axis=0))
    weights = weights / xp.sum(weights, axis=0)
    return xp.sum(weights[..., None] * values, axis=0)


def _log_sum_exp(logits: Any) -> Any:
    xp = array_namespace(logits)
    top = xp.max(logits, axis=0)
    return top + xp.log(xp.sum(xp.exp(logits - top), axis=0))


def _like(x: Any, *arrays: Array) -> list[Any]:
    """Return NumPy arrays in the manner of x."""
    xp, kind = array_namespace(x), {"dtype": x.dtype, "device": device(x)}
    return [xp.asarray(values, **kind) for values in arrays]


def _is_standard_normal(rho: GaussianMixture) -> bool:
    identity = np.eye(rho.dimension)
    return not rho.means.any() and bool((rho.covariances == identity).all())


def _is_same(rho: GaussianMixture, other: GaussianMixture) -> bool:
    pairs = zip(vars(rho).values(), vars(other).values(), strict=True)
    return all(np.array_equal(ours, theirs) for ours, theirs in pairs)
