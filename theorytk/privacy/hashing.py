"""Locality-sensitive hashes: points collide with a probability that is a kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real
from theorytk.privacy import _hash_kernels
from theorytk.privacy._arguments import Array, check_nonnegative

__all__ = [
    "BINNING_KERNELS",
    "Hashes",
    "angular_collision",
    "angular_hashes",
    "binning_hashes",
    "l2_collision",
    "l2_hashes",
]

# Convex functions of a distance: mixtures of triangles, which are the collisions of a grid.
BINNING_KERNELS = ("laplacian", "exponential", "inverse")


@dataclass(frozen=True, eq=False)
class Hashes:
    """Independent rows of public hash functions from points to 2^bits buckets.

    In each row a point has integer codes ``floor(<a_j, x> + b_j)``, or the signs of ``<a_j, x>``.
    Points of equal codes share a bucket; others do with probability 2^-bits exactly, over the
    random keys (strongly universal hashing).

    Attributes
    ----------
    linear : ndarray, shape (rows, functions, d)
        The vectors a_j.
    offsets : ndarray, shape (rows, functions)
        The numbers b_j.
    signs : bool
        Whether codes are signs.
    keys : ndarray of uint64, shape (rows, functions + 1)
        Keys that turn codes into buckets.
    bits : int
        Logarithm of the number of buckets to base 2.

    References
    ----------
    Dietzfelbinger (STACS 1996) for the keys.
    """

    linear: Array
    offsets: Array
    signs: bool
    keys: NDArray[np.uint64]
    bits: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.offsets)

    @property
    def dimension(self) -> int:
        """Dimension d of the points."""
        return int(self.linear.shape[2])

    def buckets(self, points: Any) -> NDArray[np.int64]:
        """Return the buckets of points (n, d) in every row, shape (n, rows)."""
        points = check_array("points", points, shape=(None, self.dimension))
        return np.asarray(_hash_kernels.buckets(points, *self._arguments))

    def counters(self, points: Any) -> NDArray[np.int64]:
        """Return how many points (n, d) each bucket holds, shape (rows, 2^bits)."""
        points = check_array("points", points, shape=(None, self.dimension))
        return np.asarray(_hash_kernels.counters(points, *self._arguments))

    @property
    def _arguments(self) -> tuple[Any, ...]:
        return self.linear, self.offsets, self.signs, self.keys, self.bits


def l2_hashes(
    d: int, rows: int, *, width: float = 1.0, power: int = 1, bits: int = 8, rng: Any = None
) -> Hashes:
    """Draw hashes of Gaussian projections: points collide with `l2_collision` to the power.

    Parameters
    ----------
    d, rows : int
        Dimension of the points and number of rows, >= 1.
    width : float
        Width > 0 of the cells of a projection, in the unit of the points.
    power : int
        Projections per row, >= 1, all of which must agree.
    bits : int
        From 1 to 24: 2^bits buckets per row.
    rng : int, numpy.random.Generator or None
        Random state; hashes do not depend on data and are public.

    Returns
    -------
    Hashes

    References
    ----------
    Datar, Immorlica, Indyk, Mirrokni (SoCG 2004).

    Examples
    --------
    >>> hashes = l2_hashes(2, 20_000, width=3.0, bits=12, rng=0)
    >>> first, second = hashes.buckets([[0.0, 0.0], [1.0, 0.0]])
    >>> round(float(np.mean(first == second)), 2), round(float(l2_collision(1.0, width=3.0)), 2)
    (0.73, 0.73)
    """
    width = check_real("width", width, lower=0.0, lower_open=True)
    rng = as_generator(rng)
    shape = _shape(rows, power, d)
    return _hashes(rng.normal(size=shape) / width, rng.random(shape[:2]), False, bits, rng)


def angular_hashes(d: int, rows: int, *, power: int = 1, bits: int = 8, rng: Any = None) -> Hashes:
    """Draw hashes of signs of projections: points collide with `angular_collision`.

    Parameters
    ----------
    d, rows, power, bits, rng
        As in `l2_hashes`; the power is the number of signs per row.

    Returns
    -------
    Hashes

    References
    ----------
    Goemans, Williamson (1995); Charikar (STOC 2002).

    Examples
    --------
    >>> hashes = angular_hashes(2, 20_000, bits=12, rng=0)
    >>> first, second = hashes.buckets([[1.0, 0.0], [0.0, 2.0]])
    >>> round(float(np.mean(first == second)), 2)
    0.5
    """
    rng = as_generator(rng)
    shape = _shape(rows, power, d)
    return _hashes(rng.normal(size=shape), np.zeros(shape[:2]), True, bits, rng)


def binning_hashes(
    kernel: str, d: int, rows: int, *, bandwidth: float = 1.0, bits: int = 8, rng: Any = None
) -> Hashes:
    """Draw hashes into cells of random grids: points collide with a kernel of their l_1 distance.

    Parameters
    ----------
    kernel : {"laplacian", "exponential", "inverse"}
        exp(-z), twice, or 1 / (1 + z), with z the l_1 distance over the bandwidth; the last two
        are kernels of Euclidean distances, so for them d = 1.
    d, rows, bits, rng
        As in `l2_hashes`.
    bandwidth : float
        Distances are divided by it, > 0.

    Returns
    -------
    Hashes

    Notes
    -----
    A grid of width w, randomly shifted, keeps two numbers together with probability
    (1 - distance / w)_+; widths with the Gamma law of shape 2 make exp(-distance). No hash
    has the Gaussian or the Cauchy kernel: one less a collision probability obeys the triangle
    inequality, which 1 - k(z) of order z^2 near 0 breaks.

    References
    ----------
    Rahimi, Recht (NeurIPS 2007), random binning; Charikar (STOC 2002) for the triangle
    inequality. "inverse", 1 / (1 + z) = E exp(-T z) for an exponential T, is derived here.

    Examples
    --------
    >>> hashes = binning_hashes("laplacian", 2, 20_000, bits=12, rng=0)
    >>> first, second = hashes.buckets([[0.0, 0.0], [1.0, 1.0]])
    >>> round(float(np.mean(first == second) - np.exp(-2)), 2)
    0.0
    """
    kernel = check_choice("kernel", kernel, BINNING_KERNELS)
    bandwidth = check_real("bandwidth", bandwidth, lower=0.0, lower_open=True)
    rng = as_generator(rng)
    shape = _shape(rows, d, d)
    if kernel != "laplacian" and shape[2] != 1:
        raise ValueError(
            f"kernel {kernel!r} has hashes for d = 1, 'laplacian' for every d; got d = {shape[2]}"
        )
    rates = 1 / (bandwidth * rng.gamma(2.0, size=shape[:2]))
    if kernel == "inverse":
        rates *= rng.exponential(size=(shape[0], 1))
    return _hashes(rates[:, :, None] * np.eye(shape[2]), rng.random(shape[:2]), False, bits, rng)


def l2_collision(distance: Any, *, width: float = 1.0, power: int = 1) -> Array:
    """Return the collision probability of `l2_hashes` for points at a Euclidean distance.

    Parameters
    ----------
    distance : array_like
        Distances c >= 0.
    width, power
        As in `l2_hashes`.

    Returns
    -------
    ndarray
        1 - 2 Phi(-w / c) - 2 c (1 - exp(-w^2 / (2 c^2))) / (sqrt(2 pi) w), to the power.

    References
    ----------
    Datar, Immorlica, Indyk, Mirrokni (SoCG 2004).

    Examples
    --------
    >>> l2_collision([0.0, 1.0, 10.0]).round(3)
    array([1.   , 0.369, 0.04 ])
    """
    distance = check_nonnegative("distance", distance)
    width = check_real("width", width, lower=0.0, lower_open=True)
    power = check_int("power", power, lower=1)
    ratio = np.divide(width, distance, out=np.full(distance.shape, math.inf), where=distance > 0)
    spread = -np.expm1(-(ratio**2) / 2) * math.sqrt(2 / math.pi) / ratio
    return np.asarray((1 - 2 * ndtr(-ratio) - spread) ** power)


def angular_collision(x: Any, y: Any, *, power: int = 1) -> Array:
    """Return the collision probability of `angular_hashes`.

    Parameters
    ----------
    x, y : array_like, shape (..., d)
        Vectors that are not zero.
    power : int
        Signs per row, >= 1.

    Returns
    -------
    ndarray, shape (...)
        (1 - angle / pi)^power.

    References
    ----------
    Goemans, Williamson (1995); Charikar (STOC 2002).

    Examples
    --------
    >>> angular_collision([1.0, 0.0], [[1.0, 0.0], [3.0, 3.0], [-1.0, 0.0]]).tolist()
    [1.0, 0.75, 0.0]
    """
    x, y = (_directions(name, v) for name, v in (("x", x), ("y", y)))
    power = check_int("power", power, lower=1)
    # Twice the angle of the half chord: accurate for small and for large angles.
    angle = 2 * np.arctan2(np.linalg.norm(x - y, axis=-1), np.linalg.norm(x + y, axis=-1))
    return np.asarray((1 - angle / math.pi) ** power)


def _directions(name: str, value: Any) -> Array:
    vectors = check_array(name, value)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if (lengths == 0).any():
        raise ValueError(f"{name} must hold vectors that are not zero")
    return np.asarray(vectors / lengths)


def _shape(rows: Any, functions: Any, d: Any) -> tuple[int, int, int]:
    names = (("rows", rows), ("power", functions), ("d", d))
    checked = [check_int(name, value, lower=1) for name, value in names]
    return checked[0], checked[1], checked[2]


def _hashes(
    linear: Array, offsets: Array, signs: bool, bits: Any, rng: np.random.Generator
) -> Hashes:
    """Return hashes with fresh keys."""
    bits = check_int("bits", bits, lower=1, upper=24)
    shape = (len(offsets), offsets.shape[1] + 1)
    return Hashes(linear, offsets, signs, rng.integers(0, 2**64, shape, dtype=np.uint64), bits)
