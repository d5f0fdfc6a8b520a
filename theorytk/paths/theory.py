"""What is proven about kinetic energies of normalised laws, per dimension.

A law on R^d is normalised if E|x|^2 = d; centring is needed where a function says so.
delta is int (1 - lambda(s)) ds and Phi is int sqrt(gamma), see
:class:`theorytk.paths.separation.Separation`. Bounds of delta are in
:mod:`theorytk.paths.separation_laws`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real
from theorytk.paths.datasets import Array
from theorytk.paths.separation_laws import checked_eigenvalues

__all__ = [
    "cond_ot_energy",
    "cond_ot_gap_bound",
    "conditional_energy_range",
    "gaussian_wasserstein",
    "optimal_energy",
    "sphere_wasserstein",
    "start_exponent",
    "two_eigenvalue_path",
    "two_point_wasserstein",
]


def optimal_energy(angle: float, second_moment: float = 1.0) -> float:
    """Return the least kinetic energy 1 + k - 2 sqrt(k) cos(Phi).

    Parameters
    ----------
    angle : float
        Phi in [0, pi/2], of the law after it is scaled to second moment 1.
    second_moment : float, default 1
        k = E|x_1|^2 / d of the law itself.

    Returns
    -------
    float
        2 - 2 cos(Phi) for a normalised law.

    References
    ----------
    Derived here: in the polar coordinates (r, phi) the optimum is the chord between radii 1 and
    sqrt(k). It is the constant b of Theorem 3.1 of Shaul et al. (ICML 2023), which allows [0, 4].

    Examples
    --------
    >>> [round(optimal_energy(np.pi / 3, k), 12) for k in (1.0, 4.0)]
    [1.0, 3.0]
    """
    phi = check_real("angle", angle, lower=0.0, upper=math.pi / 2)
    root = math.sqrt(check_real("second_moment", second_moment, lower=0.0, lower_open=True))
    return (1 - root) ** 2 + 4 * root * math.sin(phi / 2) ** 2


def cond_ot_energy(delta: float) -> float:
    """Return the kinetic energy 2 - delta of Cond-OT.

    Parameters
    ----------
    delta : float
        In [0, pi/2].

    Returns
    -------
    float

    References
    ----------
    Derived here from eq (21) of Shaul et al. (ICML 2023): beta^2 dt = ds for a = t, m = 1 - t.

    Examples
    --------
    >>> cond_ot_energy(0.5)
    1.5
    """
    return 2 - _delta(delta)


def cond_ot_gap_bound(delta: float) -> float:
    """Return 2 sin(delta) - delta, which the energy of Cond-OT exceeds the optimum by at most.

    It is at most delta, and exact for N(0, I). It decreases beyond delta = pi/3: with an upper
    limit of delta only, take the largest value up to there.

    Parameters
    ----------
    delta : float
        In [0, pi/2].

    Returns
    -------
    float

    References
    ----------
    Derived here: Phi >= int gamma = pi/2 - delta, since gamma <= 1.

    Examples
    --------
    >>> round(cond_ot_gap_bound(np.pi / 2), 6)  # 2 - pi/2, the energy for N(0, I)
    0.429204
    """
    return 2 * math.sin(_delta(delta)) - delta


def conditional_energy_range(
    conditional_energy: float, size: float, delta_bound: float
) -> tuple[float, float]:
    """Return bounds of the kinetic energy from the conditional one, E_c - 2 M^2 delta to E_c.

    Parameters
    ----------
    conditional_energy : float
        E_c = int a'^2 + m'^2.
    size : float
        M, a bound of a, m, |a'| and |m'|; a/m must increase strictly.
    delta_bound : float
        An upper bound of delta. With the paper's, 3 n / sqrt(d), it is the paper's theorem.

    Returns
    -------
    lower, upper : float

    References
    ----------
    Shaul et al. (ICML 2023), Theorem 4.2, with 6 M^2 n / sqrt(d) for 2 M^2 delta. Derived again
    here: the difference is int (a'm - a m') (1 - lambda) ds with s = a/m.

    Examples
    --------
    >>> conditional_energy_range(2.0, 1.0, 0.25)
    (1.5, 2.0)
    """
    top = check_real("conditional_energy", conditional_energy, lower=0.0)
    size = check_real("size", size, lower=0.0)
    return top - 2 * size**2 * check_real("delta_bound", delta_bound, lower=0.0), top


def gaussian_wasserstein(eigenvalues: Any) -> float:
    """Return W_2^2(N(0, I), N(0, Sigma)) / d = mean((sqrt(e) - 1)^2).

    For any centred law of covariance Sigma it is a lower bound of W_2^2 / d, and this is one of
    every kinetic energy; for Gaussian laws the optimal energy attains it if and only if Sigma has
    at most two distinct eigenvalues.

    Parameters
    ----------
    eigenvalues : array_like, shape (d,)
        Eigenvalues >= 0 of Sigma.

    Returns
    -------
    float

    References
    ----------
    Gelbrich (1990) for the bound. Derived here: marginal velocities of Gaussian paths are
    gradients, so the kinetic energy is the action of Benamou, Brenier (2000); equality needs
    a^2 e + m^2 = (1 - t + t sqrt(e))^2, quadratic in sqrt(e), at every eigenvalue.

    Examples
    --------
    >>> round(gaussian_wasserstein([0.25, 1.75]), 8)
    0.17712434
    """
    return float(((np.sqrt(checked_eigenvalues(eigenvalues)) - 1) ** 2).mean())


def two_eigenvalue_path(sd_low: float, sd_high: float, t: Any) -> tuple[Array, Array]:
    """Return the optimal a(t), m(t) for a Gaussian law with two distinct standard deviations.

    Particles move on straight lines at constant speed: one Euler step is exact.

    Parameters
    ----------
    sd_low, sd_high : float
        The two standard deviations, >= 0, not both 0.
    t : array_like
        Times in [0, 1].

    Returns
    -------
    a, m : ndarray
        Of the shape of `t`.

    References
    ----------
    Derived here: the solution of a^2 e + m^2 = (1 - t + t sqrt(e))^2 for both.

    Examples
    --------
    >>> a, m = two_eigenvalue_path(0.0, 2.0, [0.5])
    >>> a.round(6), m
    (array([0.707107]), array([0.5]))
    """
    low = check_real("sd_low", sd_low, lower=0.0)
    total = low + check_real("sd_high", sd_high, lower=0.0)
    if total == 0:
        raise ValueError("sd_high must be positive if sd_low is 0; got 0")
    t = _unit_times(t)
    a = np.sqrt(t**2 + 2 * t * (1 - t) / total)
    return a, np.sqrt((1 - t) ** 2 + 2 * t * (1 - t) * low * sd_high / total)


def two_point_wasserstein(d: int) -> float:
    """Return W_2^2 / d from N(0, I) to the points +-sqrt(d) e_1: 2 - 2 sqrt(2 / (pi d)).

    Parameters
    ----------
    d : int
        The dimension; d = 1 is also the cube {-1, 1}^d of any dimension.

    Returns
    -------
    float

    References
    ----------
    Derived here: the transport map is the sign of the first coordinate.

    Examples
    --------
    >>> round(two_point_wasserstein(1), 10)
    0.4042308784
    """
    return 2 - 2 * math.sqrt(2 / (math.pi * check_int("d", d, lower=1)))


def sphere_wasserstein(d: int) -> float:
    """Return W_2^2 / d from N(0, I) to the uniform law on the sphere of radius sqrt(d).

    Parameters
    ----------
    d : int
        The dimension.

    Returns
    -------
    float
        2 - 2 E|z| / sqrt(d).

    References
    ----------
    Derived here: the transport map is radial.

    Examples
    --------
    >>> round(sphere_wasserstein(2), 6), round(sphere_wasserstein(50), 6)
    (0.227546, 0.009974)
    """
    d = check_int("d", d, lower=1)
    ratio = math.exp(math.lgamma((d + 1) / 2) - math.lgamma(d / 2))
    return 2 - 2 * math.sqrt(2 / d) * ratio


def start_exponent(order: int) -> float:
    """Return the exponent of t with which a(t) of the kinetic-optimal path starts.

    gamma starts like theta^(2 (k - 1)) where the cumulants of order k are the first that differ
    from those of N(0, I), hence phi like theta^k, and phi is linear in t.

    Parameters
    ----------
    order : int
        k >= 1: 1 for a mean, 2 for a covariance, 3 for skewness, 4 for kurtosis.

    Returns
    -------
    float
        1 / k.

    References
    ----------
    Derived here from the expansion of the posterior mean at s = 0, whose term of order k - 1 is
    the cumulant of order k.

    Examples
    --------
    >>> start_exponent(2)
    0.5
    """
    return 1 / check_int("order", order, lower=1)


def _delta(delta: float) -> float:
    """Return delta if it is in [0, pi/2]."""
    return check_real("delta", delta, lower=0.0, upper=math.pi / 2)


def _unit_times(t: Any) -> Array:
    """Return times in [0, 1]."""
    t = check_array("t", t)
    if ((t < 0) | (t > 1)).any():
        raise ValueError(f"t must be in [0, 1]; got {t.min():g} to {t.max():g}")
    return np.asarray(t)
