"""The Bernstein mechanism: a function of private points by its noisy values on a lattice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from theorytk._validation import check_array, check_choice, check_int
from theorytk.privacy import _kernel_loops
from theorytk.privacy._arguments import Array
from theorytk.privacy.kernels import KERNELS
from theorytk.privacy.linear_mechanism import GRID_BITS, check_noise, is_replace, noise_scale
from theorytk.privacy.tensor_mechanism import MAX_NUMBERS, TensorMechanism, check_widths

__all__ = ["Bernstein", "bernstein", "bernstein_error", "bernstein_noise"]


@dataclass(frozen=True, eq=False)
class Bernstein(TensorMechanism):
    """Kernel sums at the lattice points of a box; see `bernstein`.

    Attributes
    ----------
    kernel : str
        Name of the kernel.
    """

    kernel: str = "gaussian"

    @property
    def shape(self) -> tuple[int, ...]:
        """Lattice points per coordinate."""
        return (self.degree + 1,) * len(self.widths)

    def totals(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the kernel sums at the lattice points in grid steps."""
        steps = [np.arange(self.degree + 1) / self.degree * width for width in self.widths]
        lattice = np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, len(steps))
        scaled = np.ldexp(points.astype(np.float64), -GRID_BITS) * self.widths
        code, height = KERNELS.index(self.kernel), 2.0**GRID_BITS
        return np.asarray(_kernel_loops.lattice_totals(scaled, lattice, code, height))

    def coordinate_weights(self, y: Array, j: int) -> Array:
        """Return the Bernstein polynomials at y, clipped to the unit interval, shape (q, shape)."""
        k = np.arange(self.degree + 1)
        y = np.clip(y, 0, 1)[:, None]
        choices = gammaln(self.degree + 1) - gammaln(k + 1) - gammaln(self.degree - k + 1)
        return np.asarray(np.exp(choices + xlogy(k, y) + xlog1py(self.degree - k, -y)))


def bernstein(
    kernel: str,
    widths: Any,
    degree: int = 8,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    neighbours: str = "add_remove",
    noise: str = "discrete",
) -> Bernstein:
    """Return the Bernstein mechanism of a kernel with the noise that its budget asks for.

    The kernel sums at the (degree + 1)^d lattice points of the box are released; the answer is the
    Bernstein polynomial with these values.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `kernel_profile`.
    widths : array_like, shape (d,)
        Widths > 0 of the box in units of the bandwidth.
    degree : int
        Degree >= 1 of the polynomial in each coordinate.
    epsilon : float, optional
        Pure privacy > 0 by Laplace noise of scale (degree + 1)^d / epsilon.
    rho : float, optional
        zCDP > 0 by Gaussian noise instead, of variance (degree + 1)^d / (2 rho).
    neighbours : {"add_remove", "replace"}
        Neighbouring relation; the noise is the same for both, since kernels are in [0, 1].
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.

    Returns
    -------
    Bernstein

    Raises
    ------
    ValueError
        If the lattice has more than 10^7 points.

    References
    ----------
    Alda, Rubinstein (AAAI 2017), with the operator of order 1. The Gaussian form is derived here,
    and that replacement costs no more.

    Examples
    --------
    >>> bernstein("gaussian", [2.0, 2.0], 4, epsilon=0.5).scales
    array([50.])
    >>> bernstein("gaussian", [2.0] * 8, 9, epsilon=0.5)
    Traceback (most recent call last):
    ValueError: degree must make a lattice of at most 10^7 points; got 1e+08
    """
    kernel = check_choice("kernel", kernel, KERNELS)
    widths = check_widths(widths)
    degree = check_int("degree", degree, lower=1)
    numbers = (degree + 1) ** len(widths)
    if numbers > MAX_NUMBERS:
        raise ValueError(f"degree must make a lattice of at most 10^7 points; got {numbers:.3g}")
    is_replace(neighbours)
    scale, kind = noise_scale(float(numbers), epsilon, rho)
    return Bernstein(0, np.array([scale]), kind, check_noise(noise), widths, degree, kernel)


def bernstein_error(kernel: str, widths: Any, degree: int) -> float:
    """Return a bound of the error of a kernel value by its Bernstein polynomial, without noise.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `kernel_profile`.
    widths : array_like, shape (d,)
        Widths > 0 of the box in units of the bandwidth.
    degree : int
        Degree >= 1.

    Returns
    -------
    float
        The sum of widths^2 over 4 degree for "gaussian" and "cauchy", whose second derivatives are
        within 2; for the others the sum of widths over 2 sqrt(degree).

    References
    ----------
    Derived here: a Bernstein polynomial is a mean over binomial lattice points, whose variance in
    a coordinate is at most width^2 / (4 degree).

    Examples
    --------
    >>> bernstein_error("gaussian", [2.0], 16), bernstein_error("inverse", [2.0], 16)
    (0.0625, 0.25)
    """
    kernel = check_choice("kernel", kernel, KERNELS)
    widths = np.array(check_widths(widths))
    degree = check_int("degree", degree, lower=1)
    if kernel in ("gaussian", "cauchy"):
        return float((widths**2).sum() / (4 * degree))
    return float(widths.sum() / (2 * math.sqrt(degree)))


def bernstein_noise(y: Any, degree: int, epsilon: float) -> Array:
    """Return the standard deviation of the noise of an answer of the pure Bernstein mechanism.

    Parameters
    ----------
    y : array_like, shape (q, d)
        Queries in the unit cube.
    degree : int
        Degree >= 1.
    epsilon : float
        Pure privacy > 0.

    Returns
    -------
    ndarray, shape (q,)
        With a product P over coordinates sqrt(2 P) (degree + 1)^d / epsilon: of the means of
        (1 - 2 y (1 - y) (1 - cos t))^degree over t, the probability that two binomial numbers
        agree and thus the sum of the squares of the weights.

    References
    ----------
    Derived here; for continuous noise.

    Examples
    --------
    >>> bernstein_noise([[0.0], [0.5]], 10, 1.0).round(3)
    array([15.556,  6.53 ])
    """
    y = check_array("y", y, shape=(None, None))
    if ((y < 0) | (y > 1)).any():
        raise ValueError(f"y must lie in [0, 1]; got {y[(y < 0) | (y > 1)][0]:g}")
    degree = check_int("degree", degree, lower=1)
    scale, _ = noise_scale(float(degree + 1) ** y.shape[1], epsilon, None)
    # A trigonometric polynomial of this degree: its mean over more equal steps is exact.
    cosine = np.cos(2 * math.pi * np.arange(degree + 1) / (degree + 1))
    agree = ((1 - 2 * (y * (1 - y))[:, :, None] * (1 - cosine)) ** degree).mean(axis=2)
    return np.asarray(math.sqrt(2) * scale * np.sqrt(agree.prod(axis=1)))
