"""The Schroedinger bridge between two Gaussians in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int, check_real

__all__ = ["GaussianBridge", "gaussian_schroedinger_bridge", "variance_action"]

Array = np.ndarray


@dataclass(frozen=True)
class GaussianBridge:
    """The law of the diffusion dX = u dt + sqrt(2 epsilon) dW of least E |u|^2 between Gaussians.

    Parameters
    ----------
    mean0, mean1 : ndarray, shape (d,)
        The means at the ends.
    cov0, cov1 : ndarray, shape (d, d)
        The covariances at the ends.
    epsilon : float
        The diffusion coefficient.
    cross_covariance : ndarray, shape (d, d)
        The covariance E (x0 - m0)(x1 - m1)^T of the ends.
    action : float
        The least integral of E |u|^2.
    """

    mean0: Array
    cov0: Array
    mean1: Array
    cov1: Array
    epsilon: float
    cross_covariance: Array = field(repr=False)
    action: float

    def moments(self, t: float) -> tuple[Array, Array]:
        """Return mean (d,) and covariance (d, d) at time t."""
        t = check_real("t", t, lower=0.0, upper=1.0)
        C = self.cross_covariance
        mixed = C + C.T + 2 * self.epsilon * np.eye(len(C))
        cov = (1 - t) ** 2 * self.cov0 + t**2 * self.cov1 + t * (1 - t) * mixed
        return (1 - t) * self.mean0 + t * self.mean1, cov

    def drift(self, t: float, x: Any) -> Array:
        """Return the optimal drift u of the forward diffusion at points x (n, d)."""
        mean, cov = self.moments(t)
        x = check_array("x", x, shape=(None, len(mean)))
        C = self.cross_covariance
        noise = 2 * self.epsilon * t * np.eye(len(C))
        numerator = t * self.cov1 + (1 - t) * C.T - (1 - t) * self.cov0 - t * C - noise
        slope = np.linalg.solve(cov, numerator.T).T
        drift: Array = self.mean1 - self.mean0 + (x - mean) @ slope.T
        return drift


def gaussian_schroedinger_bridge(
    mean0: Any, cov0: Any, mean1: Any, cov1: Any, epsilon: float
) -> GaussianBridge:
    """Return the minimiser of the integral of E |u|^2 over d rho/dt + div(u rho) = epsilon lap rho.

    In one dimension the cross covariance is sqrt(s0^2 s1^2 + epsilon^2) - epsilon.

    Parameters
    ----------
    mean0, mean1 : array_like, shape (d,)
        The means at the ends.
    cov0, cov1 : array_like, shape (d, d)
        The covariances at the ends, symmetric and positive definite.
    epsilon : float
        The diffusion coefficient, > 0.

    Returns
    -------
    GaussianBridge

    References
    ----------
    Bunne, Hsieh, Cuturi, Krause (2023), "The Schroedinger bridge between Gaussian measures has a
    closed form", AISTATS. Derived here: over couplings with cross covariance cov0 M the action
    E |x1 - x0|^2 - 2 epsilon (d + log det(V / 2 epsilon)), V = cov1 - M^T cov0 M, is least where
    V = 2 epsilon M, so that N = cov0^(1/2) M cov0^(1/2) solves
    N^2 + 2 epsilon N = cov0^(1/2) cov1 cov0^(1/2). Albergo, Boffi, Vanden-Eijnden
    (2023), (3.35)-(3.39), attain it by the optimal interpolant.

    Examples
    --------
    >>> bridge = gaussian_schroedinger_bridge([0.0], [[1.0]], [0.0], [[4.0]], 0.5)
    >>> round(bridge.action, 6)
    0.431214
    """
    mean0 = check_array("mean0", mean0, shape=(None,))
    d = len(mean0)
    mean1 = check_array("mean1", mean1, shape=(d,))
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    cov0, cov1 = _check_covariance("cov0", cov0, d), _check_covariance("cov1", cov1, d)
    values, vectors = np.linalg.eigh(cov0)
    root = (vectors * np.sqrt(values)) @ vectors.T
    inverse_root = (vectors / np.sqrt(values)) @ vectors.T
    w, Q = np.linalg.eigh(root @ cov1 @ root)
    # The positive roots of N^2 + 2 epsilon N = w, without cancellation.
    N = (Q * (w / (np.sqrt(w + epsilon**2) + epsilon))) @ Q.T
    M = inverse_root @ N @ inverse_root
    cross = cov0 @ M
    apart = float(np.sum((mean1 - mean0) ** 2) + np.trace(cov0 + cov1 - 2 * cross))
    log_det = float(np.linalg.slogdet(M)[1])
    action = apart - 2 * epsilon * (d + log_det)
    return GaussianBridge(mean0, cov0, mean1, cov1, epsilon, cross, action)


def variance_action(
    variance: Callable[[Array], Array],
    d_variance: Callable[[Array], Array],
    epsilon: float,
    *,
    n_nodes: int = 64,
) -> float:
    """Return the integral of E u^2 for a path of centred Gaussians in one dimension, by quadrature.

    The drift with d rho/dt + d(u rho)/dx = epsilon d^2 rho/dx^2 is (C' / 2 - epsilon) x / C, so the
    action is the integral of (C' / 2 - epsilon)^2 / C.

    Parameters
    ----------
    variance, d_variance : callable
        The variance C > 0 and its derivative, of an array of times.
    epsilon : float
        The diffusion coefficient, >= 0.
    n_nodes : int, default 64
        Gauss-Legendre nodes on [0, 1].

    Returns
    -------
    float

    References
    ----------
    Derived here; over all C with the given ends the bridge has the least.

    Examples
    --------
    >>> import numpy as np
    >>> round(variance_action(lambda t: (1 + t) ** 2, lambda t: 2 * (1 + t), 0.0), 12)
    1.0
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    nodes, weights = np.polynomial.legendre.leggauss(check_int("n_nodes", n_nodes, lower=1))
    t = (1 + nodes) / 2
    C = check_array("variance(t)", variance(t), shape=t.shape)
    if not (C > 0).all():
        raise ValueError(f"variance must be > 0; got {C.min():g}")
    return float(weights / 2 @ ((d_variance(t) / 2 - epsilon) ** 2 / C))


def _check_covariance(name: str, value: Any, d: int) -> Array:
    cov = check_array(name, value, shape=(d, d))
    symmetric = np.abs(cov - cov.T).max() <= 1e-10 * np.abs(cov).max()
    if not symmetric or np.linalg.eigvalsh(cov)[0] <= 0:
        raise ValueError(f"{name} must be symmetric and positive definite; got one that is not")
    symmetrised: Array = (cov + cov.T) / 2
    return symmetrised
