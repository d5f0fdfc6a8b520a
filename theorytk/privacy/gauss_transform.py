"""The fast Gauss transform with noise: moments of the points of every cell of a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_array, check_int
from theorytk.privacy import _kernel_loops
from theorytk.privacy._arguments import Array
from theorytk.privacy.linear_mechanism import GRID_BITS, check_noise, is_replace, noise_scale
from theorytk.privacy.tensor_mechanism import MAX_NUMBERS, TensorMechanism, check_widths

__all__ = [
    "GaussTransform",
    "gauss_transform",
    "gauss_transform_error",
    "gauss_transform_noise",
    "gauss_transform_sensitivity",
]

# Cramer's constant: |H_n(x)| exp(-x^2 / 2) <= CRAMER sqrt(2^n n!).
CRAMER = 1.086435


@dataclass(frozen=True, eq=False)
class GaussTransform(TensorMechanism):
    """Sums of the monomials of points from the centres of their cells; see `gauss_transform`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells no wider than the bandwidth, times moments, per coordinate."""
        return tuple(cells * self.degree for cells in self._cells.tolist())

    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the moments in grid steps."""
        cells = np.minimum((points * self._cells) >> GRID_BITS, self._cells - 1)
        # From the centre of the cell, in cells: exact but for one rounding.
        away = np.ldexp(((points * self._cells) - (cells << GRID_BITS)).astype(np.float64), -32)
        residuals = np.clip((away - 0.5) * self._sides, -0.5, 0.5)
        shape = np.array(self.shape)
        height = 2.0**GRID_BITS
        return np.asarray(_kernel_loops.moment_totals(cells, residuals, shape, self.degree, height))

    def coordinate_weights(self, y: Array, j: int) -> Array:
        """Return the Taylor coefficients of the Gaussian at every cell, shape (q, shape[j])."""
        centres = (np.arange(self._cells[j]) + 0.5) * self._sides[j]
        v = self.widths[j] * y[:, None] - centres
        terms = [np.exp(-(v**2))]
        before = np.zeros_like(v)
        for k in range(1, self.degree):
            terms.append(2 * (v * terms[-1] - before) / k)
            before = terms[-2]
        return np.stack(terms, axis=2).reshape(len(y), -1)

    @property
    def _cells(self) -> NDArray[np.int64]:
        return np.ceil(self.widths).astype(np.int64)

    @property
    def _sides(self) -> Array:
        return np.asarray(self.widths / self._cells)


def gauss_transform(
    widths: Any,
    degree: int = 8,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    noise: str = "discrete",
) -> GaussTransform:
    """Return the fast Gauss transform with the noise that its budget asks for.

    Answers are sums of exp(-|x - y|^2) in units of the bandwidth. Every cell of a grid on the box,
    no wider than the bandwidth, releases the sums of all monomials of its points, from its
    centre, of degree below `degree` in each coordinate.

    Parameters
    ----------
    widths : array_like, shape (d,)
        Widths > 0 of the box in units of the bandwidth.
    degree : int
        Number >= 1 of moments per coordinate.
    epsilon : float, optional
        Pure privacy > 0 by Laplace noise.
    rho : float, optional
        zCDP > 0 by Gaussian noise instead.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    GaussTransform

    Raises
    ------
    ValueError
        If more than 10^7 numbers would be released.

    References
    ----------
    Wagner, Naamad, Mishra (ICML 2023), LSQ-FGT, for the Laplace form with "add_remove"; Greengard,
    Strain (1991). The other forms are derived here.

    Examples
    --------
    >>> mechanism = gauss_transform([10.0], 4, epsilon=1.0)
    >>> mechanism.sizes, mechanism.scales
    (array([40]), array([1.875]))
    """
    widths = check_widths(widths)
    degree = check_int("degree", degree, lower=1, upper=64)
    numbers = math.prod(math.ceil(width) * degree for width in widths)
    if numbers > MAX_NUMBERS:
        raise ValueError(
            f"widths and degree must make at most 10^7 numbers to release; got {numbers:.3g}"
        )
    norm = "l2" if epsilon is None else "l1"
    sensitivity = gauss_transform_sensitivity(degree, len(widths), norm, neighbours)
    scale, kind = noise_scale(sensitivity ** (2 if norm == "l2" else 1), epsilon, rho)
    return GaussTransform(0, np.array([scale]), kind, check_noise(noise), widths, degree)


def gauss_transform_sensitivity(
    degree: int, d: int = 1, norm: str = "l1", neighbours: str = "add_remove"
) -> float:
    """Return the largest change of all moments of all cells together.

    Parameters
    ----------
    degree, d : int
        Number of moments per coordinate and dimension, >= 1.
    norm : {"l1", "l2"}
        Norm of the change.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.

    Returns
    -------
    float
        For "l1" (2 (1 - 2^-degree))^d, twice that with "replace"; for "l2" the square root of
        (4/3 (1 - 4^-degree))^d, sqrt(2) times that with "replace".

    Notes
    -----
    A point half a cell from the centre in each coordinate attains it: its monomials are powers of
    1/2. Two such points in different cells change different moments; in one cell they lose less,
    for their moments have a positive scalar product.

    References
    ----------
    Wagner, Naamad, Mishra (ICML 2023) for "l1" and "add_remove"; the others are derived here.

    Examples
    --------
    >>> gauss_transform_sensitivity(3), gauss_transform_sensitivity(3, 2, neighbours="replace")
    (1.75, 6.125)
    """
    degree = check_int("degree", degree, lower=1)
    d = check_int("d", d, lower=1)
    replace = is_replace(neighbours)
    if norm == "l1":
        return (2 if replace else 1) * (2 * (1 - 2.0**-degree)) ** d
    if norm == "l2":
        return math.sqrt((2 if replace else 1) * (4 / 3 * (1 - 4.0**-degree)) ** d)
    raise ValueError(f"norm must be one of 'l1', 'l2'; got {norm!r}")


def gauss_transform_error(degree: int, d: int = 1) -> float:
    """Return a bound of the error of a kernel value by moments, without noise.

    Parameters
    ----------
    degree, d : int
        Number of moments per coordinate and dimension, >= 1.

    Returns
    -------
    float
        (1 + e)^d - 1 with e = 1.0865 / sqrt(2^degree degree!).

    References
    ----------
    Derived here: Taylor's remainder within half a cell, with Cramer's inequality for the
    derivatives of the Gaussian, which are Hermite functions.

    Examples
    --------
    >>> [float(f"{gauss_transform_error(degree):.2g}") for degree in (2, 4, 8)]
    [0.38, 0.055, 0.00034]
    """
    degree = check_int("degree", degree, lower=1)
    d = check_int("d", d, lower=1)
    one = CRAMER * math.exp(-(degree * math.log(2) + math.lgamma(degree + 1)) / 2)
    return math.expm1(d * math.log1p(one))


def gauss_transform_noise(
    y: Any,
    widths: Any,
    degree: int,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
) -> Array:
    """Return the standard deviation of the noise of a sum by noisy moments.

    Parameters
    ----------
    y : array_like, shape (q, d)
        Queries in units of the box.
    widths, degree, epsilon, rho, neighbours
        As in `gauss_transform`.

    Returns
    -------
    ndarray, shape (q,)
        That of one released number, times the root of the product over coordinates of the sum over
        cells c and k < degree of (h_k(y - c) / k!)^2, with Hermite functions h_k(v) =
        H_k(v) exp(-v^2). For continuous noise.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> gauss_transform_noise([[0.5], [2.0]], [4.0], 4, epsilon=1.0).round(3)
    array([5.38, 0.  ])
    """
    widths = check_widths(widths)
    y = check_array("y", y, shape=(None, len(widths)))
    degree = check_int("degree", degree, lower=1, upper=64)
    norm = "l2" if epsilon is None else "l1"
    sensitivity = gauss_transform_sensitivity(degree, len(widths), norm, neighbours)
    scale, kind = noise_scale(sensitivity ** (2 if norm == "l2" else 1), epsilon, rho)
    factorials = np.cumprod(np.maximum(np.arange(float(degree)), 1))
    variance = np.full(len(y), scale**2 * (1 if kind == "gaussian" else 2))
    for width, coordinate in zip(widths, y.T, strict=True):
        cells = math.ceil(width)
        v = width * (coordinate[:, None] - (np.arange(cells) + 0.5) / cells)
        terms = np.polynomial.hermite.hermvander(v, degree - 1) * np.exp(-(v**2))[:, :, None]
        variance *= ((terms / factorials) ** 2).sum(axis=(1, 2))
    return np.asarray(np.sqrt(variance))
