"""Separations known exactly: in closed form or by quadrature of the noise alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import ive, roots_hermite

from theorytk._validation import check_array, check_int
from theorytk.paths.datasets import Array, DataSet, normalise
from theorytk.paths.separation import Separation
from theorytk.paths.separation_laws import checked_eigenvalues

__all__ = [
    "atoms_separation",
    "gaussian_posterior_mean",
    "gaussian_separation",
    "single_point_separation",
    "sphere_separation",
    "subspace_separation",
    "two_point_separation",
]

# The trapezoidal rule for the noise: exact to rounding, since the integrands are analytic.
NOISE = np.linspace(-9.0, 9.0, 481)
NOISE_WEIGHTS = np.exp(-0.5 * NOISE**2) * (NOISE[1] - NOISE[0]) / math.sqrt(2 * math.pi)

# Beyond this amplitude gamma of the sphere is constant to 1e-10, and rounding takes over.
LARGEST_AMPLITUDE = 1e5

# Nodes along and across the mean of the quadrature for the sphere.
ALONG, ACROSS = 32, 20

# Ratios of Bessel functions: below UNDERFLOW a function is not trusted and a recurrence of so many
# steps takes over; beyond FAR times the order squared their asymptotic series.
UNDERFLOW, RECURRENCE, FAR = 1e-250, 20, 1e5

# Values that one step of a quadrature may hold.
CHUNK = 50_000


def gaussian_separation(eigenvalues: Any) -> Separation:
    """Return the separation of N(0, Sigma).

    ``gamma = mean((e - 1)^2 sin^2 cos^2 / (cos^2 + e sin^2))`` over the eigenvalues e.

    Parameters
    ----------
    eigenvalues : array_like, shape (d,)
        Eigenvalues >= 0 of Sigma; they are scaled to mean 1.

    Returns
    -------
    Separation

    References
    ----------
    Derived here from 1 - lambda = mean(e / (1 + s^2 e)), without its cancellation at small angles.

    Examples
    --------
    >>> print(round(gaussian_separation([4.0, 0.0, 0.0, 0.0]).angle(), 6), round(np.arccos(0.5), 6))
    1.047198 1.047198
    """
    e = checked_eigenvalues(eigenvalues)
    e = e / e.mean()

    def gamma(theta: Array) -> Array:
        sine, cosine = np.sin(theta)[..., None] ** 2, np.cos(theta)[..., None] ** 2
        return np.asarray(((e - 1) ** 2 * sine * cosine / (cosine + e * sine)).mean(axis=-1))

    return Separation(gamma, len(e))


def gaussian_posterior_mean(eigenvalues: Any) -> Callable[[Any, float], Any]:
    """Return E[x_1 | y] for N(0, diag(eigenvalues)) as a function of y and s.

    Parameters
    ----------
    eigenvalues : array_like, shape (d,)
        Eigenvalues >= 0; they are scaled to mean 1.

    Returns
    -------
    callable
        Of y, shape (k, d), and s >= 0, with values of shape (k, d).

    References
    ----------
    Linear regression: s e y / (1 + s^2 e).

    Examples
    --------
    >>> gaussian_posterior_mean([0.5, 1.5])(np.array([[1.0, 1.0]]), 1.0).round(6)
    array([[0.333333, 0.6     ]])
    """
    e = checked_eigenvalues(eigenvalues)
    e = e / e.mean()
    return lambda y, s: s * e / (1 + s * s * e) * y


def subspace_separation(k: int, d: int) -> Separation:
    """Return the separation of a Gaussian on a k-dimensional subspace of R^d.

    Parameters
    ----------
    k : int
        Dimension of the subspace, from 1 to d.
    d : int
        Dimension of the space.

    Returns
    -------
    Separation
        With Phi = arccos(sqrt(k/d)) and delta = pi/2 sqrt(k/d).

    References
    ----------
    Derived here: `gaussian_separation` with the eigenvalues d/k and 0.

    Examples
    --------
    >>> print(round(subspace_separation(1, 4).delta() / math.pi, 9))
    0.25
    """
    d = check_int("d", d, lower=1)
    rho = d / check_int("k", k, lower=1, upper=d)

    def gamma(theta: Array) -> Array:
        sine = np.sin(theta) ** 2
        return (rho - 1) * sine / (1 + (rho - 1) * sine)

    return Separation(gamma, d)


def single_point_separation(d: int) -> Separation:
    """Return the separation of one point, which is lambda = 1: Cond-OT is optimal.

    Parameters
    ----------
    d : int
        The dimension; the point has norm sqrt(d) and is not centred.

    Returns
    -------
    Separation

    References
    ----------
    Shaul et al. (ICML 2023), the case lambda = 1.

    Examples
    --------
    >>> single_point_separation(3).delta()
    0.0
    """
    return Separation(np.ones_like, check_int("d", d, lower=1), 0.0)


def atoms_separation(points: Any, weights: Any = None, *, embed: int = 1) -> Separation:
    """Return the separation of a discrete law on the line, or on a line in R^d.

    That of independent coordinates of the same law is the one of a single coordinate: with
    points -1 and 1 and ``embed=1`` it is that of the cube {-1, 1}^d for every d.

    Parameters
    ----------
    points : array_like, shape (n,)
        The atoms; they are normalised.
    weights : array_like, shape (n,), optional
        Their weights; equal by default.
    embed : int, default 1
        The dimension d of the space; the law is on a line through 0, of second moment d.

    Returns
    -------
    Separation
        Its `entropy` / `d` is the entropy of the atoms over `embed`.

    References
    ----------
    Derived here: ``gamma = (1 + s^2) E(mu - s y / (1 + s^2))^2`` by the trapezoidal rule in the
    noise; the d - 1 other coordinates, where mu = 0, add sin^2 each.

    Examples
    --------
    >>> print(round(atoms_separation([-1.0, 1.0]).delta(), 9))
    1.017601657
    """
    d = check_int("embed", embed, lower=1)
    data = normalise(check_array("points", points, ndim=1)[:, None], weights)

    def gamma(theta: Array) -> Array:
        # On the line the amplitude is s sqrt(d), and gamma is a mean over the d coordinates.
        s = np.tan(theta)
        return _chunked(lambda t: _line_gamma(data, t, d), s, data.n**2 * len(NOISE))

    return Separation(gamma, d, data.entropy)


def two_point_separation(d: int) -> Separation:
    """Return the separation of the two points +-sqrt(d) e_1 in R^d.

    Parameters
    ----------
    d : int
        The dimension.

    Returns
    -------
    Separation
        With delta = 1.0176016569 / sqrt(d).

    References
    ----------
    Derived here: `atoms_separation`; lambda = E tanh(q + sqrt(q) g), q = s^2 d.

    Examples
    --------
    >>> print(round(two_point_separation(100).delta(), 9))
    0.101760166
    """
    return atoms_separation([-1.0, 1.0], embed=d)


def sphere_separation(d: int) -> Separation:
    """Return the separation of the uniform law on the sphere of radius sqrt(d) in R^d.

    Parameters
    ----------
    d : int
        The dimension, >= 2.

    Returns
    -------
    Separation
        Its gamma is exact to about 3e-5 for d = 2, 1e-6 for d = 3, and 1e-11 from d = 10 on.

    References
    ----------
    Derived here: mu = sqrt(d) A(s sqrt(d) |y|) y / |y| with A the ratio of the modified Bessel
    functions I_(d/2) and I_(d/2 - 1), the mean of the von Mises-Fisher law.

    Examples
    --------
    >>> print(round(1 - sphere_separation(3).one_minus_lambda(1.0), 6))
    0.524078
    """
    d = check_int("d", d, lower=2)
    along, along_weights = roots_hermite(ALONG)
    across, across_weights = _gamma_rule(ACROSS, (d - 1) / 2)
    w = np.outer(along_weights / along_weights.sum(), across_weights)

    def of_amplitude(s: Array) -> Array:
        s = s[:, None, None]
        radius = np.sqrt((s * math.sqrt(d) + math.sqrt(2) * along[:, None]) ** 2 + 2 * across)
        ratio = _bessel_ratio(d / 2 - 1, s * math.sqrt(d) * radius)
        missed = math.sqrt(d) * ratio - s / (1 + s * s) * radius
        return np.asarray((1 + s[:, 0, 0] ** 2) / d * (w * missed**2).sum(axis=(1, 2)))

    def gamma(theta: Array) -> Array:
        return _chunked(of_amplitude, np.minimum(np.tan(theta), LARGEST_AMPLITUDE), w.size)

    return Separation(gamma, d)


def _chunked(function: Callable[[Array], Array], s: Array, size: int) -> Array:
    """Return a function of every s, in pieces that hold about CHUNK values of `size` each."""
    flat = np.atleast_1d(s).ravel()
    pieces = np.array_split(flat, max(1, len(flat) * size // CHUNK))
    return np.concatenate([function(piece) for piece in pieces]).reshape(np.shape(s))


def _line_gamma(data: DataSet, s: Array, d: int) -> Array:
    """Return gamma of atoms x sqrt(d) on a line in R^d, for x of variance 1."""
    # Axes: s, source, noise; in front, where sums over it are fast, the atoms of the posterior.
    x, a = data.points[:, 0] * math.sqrt(d), s[:, None, None]
    source = x[:, None]
    to_source = a * (source - x[:, None, None, None]) + NOISE
    logits = np.log(data.weights)[:, None, None, None] - 0.5 * to_source**2
    w = np.exp(logits - logits.max(axis=0))
    mean, square = np.tensordot(x, w, 1) / w.sum(axis=0), 1 + a * a
    # The same twice: mu - s y / (1 + s^2), without cancellation for small and for large s.
    missed = np.where(
        a < 1,
        mean - a * (a * source + NOISE) / square,
        (mean - source) + (source - a * NOISE) / square,
    )
    line = (square * missed**2) @ NOISE_WEIGHTS @ data.weights
    return np.asarray((line + (d - 1) * s * s / (1 + s * s)) / d)


def _gamma_rule(n: int, shape: float) -> tuple[Array, Array]:
    """Return the Gauss rule of the gamma law of this shape; scipy's overflows for large ones."""
    k = np.arange(n)
    off_diagonal = np.sqrt(k[1:] * (k[1:] + shape - 1))
    nodes, vectors = eigh_tridiagonal(2 * k + shape, off_diagonal)
    return np.asarray(nodes, dtype=np.float64), vectors[0] ** 2


def _bessel_ratio(order: float, x: Array) -> Array:
    """Return I_(order + 1)(x) / I_order(x)."""
    scaled = ive(order, x)
    far = x > FAR * (order + 1) ** 2
    safe = (scaled > UNDERFLOW) & ~far
    # Where the functions underflow x is far below the order, and a backward recurrence is short.
    ratio = x / (2 * (order + RECURRENCE))
    for n in range(RECURRENCE - 1, 0, -1):
        ratio = x / (2 * (order + n) + x * ratio)
    np.divide(ive(order + 1, x), scaled, out=ratio, where=safe)
    ratio[far] = 1 - (order + 0.5) / x[far] + (order**2 - 0.25) / (2 * x[far] ** 2)
    return ratio
