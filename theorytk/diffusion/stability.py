"""Linear stability of multistep and momentum methods: regions, real limits, areas.

The test equation is y' = kappa y with steps of length h, z = h kappa. A linear multistep method
is stable at z if all roots xi of ``rho(xi) - z sigma(xi)`` lie in the open unit disc.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from theorytk._validation import check_array, check_choice, check_int, check_real
from theorytk.diffusion._stability_kernels import schur_stable
from theorytk.diffusion.samplers.momentum import MOMENTUM_METHODS, momentum_weights
from theorytk.diffusion.theory import adams_bashforth_differences

__all__ = [
    "STABILITY_METHODS",
    "Ellipse",
    "LinearMultistep",
    "boundary_locus",
    "characteristic",
    "heavy_ball_ellipse",
    "is_stable",
    "momentum_lag",
    "real_limit",
    "real_stability_limit",
    "stability_area",
]

Array = np.ndarray

STABILITY_METHODS = ("ab", *MOMENTUM_METHODS)
"""Adams-Bashforth and the momentum methods, whose laws are known here."""

FARTHEST = 1e6


class LinearMultistep(NamedTuple):
    """The polynomials of a linear multistep method, highest power first, of one length.

    The method is ``sum_j rho_j y_{n-j} = h sum_j sigma_j f_{n-j}``, f = y'.
    """

    rho: tuple[float, ...]
    sigma: tuple[float, ...]


class Ellipse(NamedTuple):
    """An ellipse with its axes along those of the complex plane."""

    centre: float
    real_axis: float
    imaginary_axis: float


def characteristic(method: str, order: int, damping: float = 1.0) -> LinearMultistep:
    """Return the polynomials of a method, its velocity eliminated.

    With w = 1 / xi and D = 1 - (1 - beta) w they are those of
    ``(1 - w) D = z w (beta a(w) c(w) + D d(w))``, where a, c and d are the generating functions of
    the weights ``inward``, ``outward`` and ``direct`` of
    :func:`~theorytk.diffusion.samplers.momentum.momentum_weights`.

    Parameters
    ----------
    method : {"ab", "hb", "ghvb", "nesterov"}
        Adams-Bashforth or a momentum method.
    order : int
        The number of terms, 1 to 5.
    damping : float, default 1
        The damping coefficient beta, in (0, 1]; Adams-Bashforth has none.

    Returns
    -------
    LinearMultistep

    References
    ----------
    Derived here.

    Examples
    --------
    >>> characteristic("hb", 1, 0.5)
    LinearMultistep(rho=(1.0, -1.5, 0.5), sigma=(0.0, 0.5, 0.0))
    """
    method = check_choice("method", method, STABILITY_METHODS)
    if method == "ab":
        method, damping = "hb", 1.0
    a, c, d = momentum_weights(method, order, damping)
    filtered = np.array([1.0, damping - 1.0])
    rho = np.convolve([1.0, -1.0], filtered)
    sigma: Array = damping * np.convolve(a, c)
    if d:
        sigma = np.polynomial.polynomial.polyadd(sigma, np.convolve(filtered, d))
    size = max(len(sigma) + 1, len(rho) - (damping == 1))
    padded = (np.pad(p, (0, max(size - len(p), 0)))[:size] for p in (rho, np.append(0.0, sigma)))
    return LinearMultistep(*(tuple(float(v) for v in p) for p in padded))


def is_stable(method: LinearMultistep, z: Any) -> Array:
    """Return where a method is stable.

    Parameters
    ----------
    method : LinearMultistep
        Its polynomials.
    z : array_like of complex
        Points h kappa.

    Returns
    -------
    ndarray of bool, of the shape of `z`
        Whether all roots lie in the open unit disc.

    References
    ----------
    I. Schur (1917) and A. Cohn (1922): a test of the coefficients, without the roots.

    Examples
    --------
    >>> is_stable(characteristic("ab", 2), [-0.99, -1.01, 0.5j])
    array([ True, False, False])
    """
    rho, sigma = _check_method(method)
    points = np.asarray(z, dtype=complex)
    if not np.isfinite(points).all():
        raise ValueError("z must be finite; got a value that is not")
    out = np.empty(points.size, dtype=bool)
    schur_stable(rho, sigma, points.ravel(), np.empty((2, rho.size), dtype=complex), out)
    return out.reshape(points.shape)


def boundary_locus(method: LinearMultistep, angle: Any) -> Array:
    """Return the points z at which a root is exp(i angle); the region's boundary is among them.

    Parameters
    ----------
    method : LinearMultistep
        Its polynomials.
    angle : array_like
        Angles in radians.

    Returns
    -------
    ndarray of complex
        ``rho / sigma`` at exp(i angle).

    Examples
    --------
    >>> bool(abs(boundary_locus(characteristic("ab", 2), 3.141592653589793) + 1) < 1e-12)
    True
    """
    rho, sigma = _check_method(method)
    root = np.exp(1j * check_array("angle", angle))
    locus: Array = np.polyval(rho, root) / np.polyval(sigma, root)
    return locus


def real_stability_limit(method: LinearMultistep) -> float:
    """Return the end z < 0 of the stable interval (z, 0), by following the roots.

    Parameters
    ----------
    method : LinearMultistep
        Its polynomials.

    Returns
    -------
    float
        To about 1e-12 relative; 0 if the method is unstable at -0.001, and minus infinity if it is
        stable down to -1e6.

    References
    ----------
    Derived here: steps of 2%, then bisection.

    Examples
    --------
    >>> round(real_stability_limit(characteristic("ab", 3)), 9) == round(-6 / 11, 9)
    True
    """
    steps = -np.geomspace(1e-3, FARTHEST, math.ceil(math.log(FARTHEST / 1e-3) / math.log(1.02)))
    unstable = np.flatnonzero(~is_stable(method, steps))
    if unstable.size == 0:
        return -math.inf
    if unstable[0] == 0:
        return 0.0
    inside, outside = (float(steps[unstable[0] - k]) for k in (1, 0))
    while inside - outside > 1e-13 * -outside:
        grid = np.linspace(inside, outside, 34)
        first = int(np.argmin(is_stable(method, grid[1:-1]))) + 1
        if is_stable(method, grid[first]):
            first = len(grid) - 1
        inside, outside = float(grid[first - 1]), float(grid[first])
    return outside


def real_limit(method: str, order: int, damping: float = 1.0) -> float:
    """Return the end z < 0 of a method's real stable interval (z, 0), in closed form.

    With ``S = sum_{k<r} 2^k gamma_k = 1, 2, 11/3, 20/3`` and ``a_k`` as in
    :func:`~theorytk.diffusion.samplers.momentum.ghvb_weights` it is -2 / S for Adams-Bashforth,
    -2 (2 - beta) / (beta S) for HB, -2 (2 - beta) / sum_{k<r} 2^k a_k for GHVB and
    -2 (2 - beta) / (beta (3 - 2 beta) S) for Nesterov's variant.

    Parameters
    ----------
    method : {"ab", "hb", "ghvb", "nesterov"}
        The method.
    order : int
        The number r of terms, 1 to 4.
    damping : float, default 1
        The damping coefficient beta, in (0, 1].

    Returns
    -------
    float

    References
    ----------
    Derived here: the root that leaves the unit disc first is -1.

    Examples
    --------
    >>> round(real_limit("hb", 2, 0.8), 12), round(real_limit("ghvb", 2, 0.8), 12)
    (-1.5, -1.2)
    """
    method = check_choice("method", method, STABILITY_METHODS)
    order = check_int("order", order, lower=1, upper=4)
    beta = check_real("damping", damping, lower=0, lower_open=True, upper=1)
    gamma = adams_bashforth_differences(order)
    total = sum(2**k * g for k, g in enumerate(gamma))
    if method == "ab":
        return float(-2 / total)
    shared = -2 * (2 - beta)
    if method == "ghvb":
        lagged = sum(2 ** (k + 1) * g for k, g in enumerate(gamma[:-1]))
        return float(shared / (beta * total + (1 - beta) * lagged))
    return float(shared / (beta * total * (3 - 2 * beta if method == "nesterov" else 1)))


def heavy_ball_ellipse(damping: float) -> Ellipse:
    """Return the stability region of heavy ball of one term: the inside of an ellipse.

    Parameters
    ----------
    damping : float
        The damping coefficient beta, in (0, 1].

    Returns
    -------
    Ellipse
        Centre -(2 - beta) / beta, real semi-axis (2 - beta) / beta, imaginary semi-axis 1: the
        area is pi (2 - beta) / beta.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> heavy_ball_ellipse(0.8)
    Ellipse(centre=-1.5, real_axis=1.5, imaginary_axis=1.0)
    """
    beta = check_real("damping", damping, lower=0, lower_open=True, upper=1)
    axis = round((2 - beta) / beta, 15)
    return Ellipse(-axis, axis, 1.0)


def momentum_lag(method: str, damping: float) -> float:
    """Return by how many steps a method's mean output lags behind Adams-Bashforth's.

    The step uses ``AB - lag h eps' + O(h^2)``: the method is of first order unless the lag is 0.

    Parameters
    ----------
    method : {"ab", "hb", "ghvb", "nesterov"}
        The method; for GHVB with two or more terms.
    damping : float
        The damping coefficient beta, in (0, 1].

    Returns
    -------
    float
        (1 - beta) / beta for HB, (1 - beta)^2 / beta for Nesterov's variant, 0 for the others.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> momentum_lag("hb", 0.5), momentum_lag("nesterov", 0.5)
    (1.0, 0.5)
    """
    method = check_choice("method", method, STABILITY_METHODS)
    beta = check_real("damping", damping, lower=0, lower_open=True, upper=1)
    return {"hb": (1 - beta) / beta, "nesterov": (1 - beta) ** 2 / beta}.get(method, 0.0)


def stability_area(method: LinearMultistep, n: int = 400) -> float:
    """Return the area of a method's stability region.

    Parameters
    ----------
    method : LinearMultistep
        Its polynomials, real and with a bounded boundary locus.
    n : int, default 400
        Cells in each direction of the box around the locus' upper half, whose centres are tested.

    Returns
    -------
    float
        With an error of about 1 / n of the area, mostly less.

    References
    ----------
    Derived here: the region is symmetric, and inside the box of its boundary locus.

    Examples
    --------
    >>> round(stability_area(characteristic("ab", 1)), 2)
    3.14
    """
    n = check_int("n", n, lower=2)
    locus = boundary_locus(method, np.linspace(0, math.pi, 2049))
    left, right = float(locus.real.min()), float(locus.real.max())
    top = float(np.abs(locus.imag).max())
    centres = (np.arange(n) + 0.5) / n
    points = left + (right - left) * centres + 1j * top * centres[:, None]
    return float(2 * is_stable(method, points).mean() * (right - left) * top)


def _check_method(method: LinearMultistep) -> tuple[Array, Array]:
    rho, sigma = (
        check_array(f"method.{name}", values, ndim=1)
        for name, values in zip(("rho", "sigma"), method, strict=True)
    )
    if not rho.size == sigma.size >= 2:
        raise ValueError(
            f"method must hold two polynomials of one length, >= 2; got {rho.size}, {sigma.size}"
        )
    return rho, sigma
