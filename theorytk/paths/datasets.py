"""Data as the law of x_1: a finite, weighted, normalised set of points."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import array_api_compat
import numpy as np

from theorytk._validation import check_array, check_real

__all__ = ["DataSet", "entropy", "normalise"]

Array = np.ndarray[Any, np.dtype[np.float64]]

# Departure of E|x|^2/d from 1 that still counts as normalised.
SECOND_MOMENT_TOLERANCE = 1e-6


@dataclass(frozen=True)
class DataSet:
    """Distinct points with E|x|^2 = d and their probabilities; made by `normalise`.

    Parameters
    ----------
    points : array, shape (n, d)
        Distinct points in float64, a NumPy array or a torch tensor on any device.
    weights : ndarray, shape (n,)
        Their probabilities, positive.
    shift : ndarray, shape (d,)
        What was subtracted from the user's points.
    scale : float
        By what they were divided then.

    Examples
    --------
    >>> data = normalise([[1.0, 0.0], [3.0, 0.0], [3.0, 0.0], [1.0, 0.0]])
    >>> data.points.round(6).tolist(), data.weights.tolist(), round(data.entropy, 6)
    ([[-1.414214, 0.0], [1.414214, 0.0]], [0.5, 0.5], 0.693147)
    """

    points: Any = field(repr=False)
    weights: Array = field(repr=False)
    shift: Array = field(repr=False)
    scale: float

    @property
    def n(self) -> int:
        """The number of distinct points."""
        return int(self.points.shape[0])

    @property
    def d(self) -> int:
        """The dimension."""
        return int(self.points.shape[1])

    @property
    def entropy(self) -> float:
        """The entropy of the weights in nats."""
        return entropy(self.weights)

    def covariance_eigenvalues(self) -> Array:
        """Return the eigenvalues of the covariance, in ascending order.

        Returns
        -------
        ndarray, shape (d,)
            Where d > n, the d - n that must be zero are set to zero.
        """
        X = on_host(self.points)
        rooted = np.sqrt(self.weights)[:, None] * (X - self.weights @ X)
        values = np.linalg.svd(rooted, compute_uv=False) ** 2
        return np.concatenate([np.zeros(self.d - len(values)), values[::-1]])

    def posterior_mean(self, y: Any, s: float) -> Any:
        """Return E[x_1 | s x_1 + z = y] with z standard normal.

        Parameters
        ----------
        y : array, shape (k, d)
            Observations, in the array library of the points.
        s : float
            The signal-to-noise amplitude, >= 0.

        Returns
        -------
        array, shape (k, d)

        References
        ----------
        Shaul et al. (ICML 2023), the posterior mean of a finite data set in eq (17).
        """
        s = check_real("s", s, lower=0.0)
        xp = array_api_compat.array_namespace(self.points)
        log_weights = like(np.log(self.weights), self.points)
        squares = xp.vecdot(self.points, self.points)
        logits = s * (y @ self.points.T) - 0.5 * s * s * squares + log_weights
        weights = xp.exp(logits - xp.max(logits, axis=1)[:, None])
        return (weights @ self.points) / xp.sum(weights, axis=1)[:, None]


def normalise(X: Any, weights: Any = None, *, centre: bool = True, scale: bool = True) -> DataSet:
    """Centre and scale points to E x = 0 and E|x|^2 = d; equal rows become one with their weight.

    Parameters
    ----------
    X : array_like or torch tensor, shape (n, d)
        The points; constant columns are allowed.
    weights : array_like, shape (n,), optional
        Weights >= 0 with a positive sum; equal by default. Points of weight zero are left out.
    centre : bool, default True
        Whether to subtract the mean. Nothing but the paper's normalisation needs it.
    scale : bool, default True
        Whether to divide; if not, the points must have the right second moment already.

    Returns
    -------
    DataSet

    Raises
    ------
    ValueError
        If X is no finite matrix with rows and columns, a weight is negative or all are zero, the
        points are constant, or `scale` is False and E|x|^2 is not d.

    References
    ----------
    Shaul et al. (ICML 2023), eqs (7) and (8).

    Examples
    --------
    >>> normalise([[1.0], [1.0], [4.0]], [1, 1, 1]).weights
    array([0.66666667, 0.33333333])
    >>> normalise([[2.0], [-2.0]], scale=False)
    Traceback (most recent call last):
        ...
    ValueError: X must be normalised: E|x|^2/d must be 1; got 4, with |E x| = 0
    """
    points = check_array("X", on_host(X), ndim=2)
    if 0 in points.shape:
        raise ValueError(f"X must have rows and columns; got shape {points.shape}")
    p = _probabilities(weights, len(points))
    points, p = _merged(points, p)
    mean = p @ points
    shift = mean if centre else np.zeros(points.shape[1])
    points = points - shift
    second = float(p @ np.einsum("ij,ij->i", points, points)) / points.shape[1]
    if second <= (1e-14 * np.abs(shift).max()) ** 2:
        raise ValueError(
            f"X must not be constant; got {len(p)} distinct row(s), variance {second:g}"
        )
    if not scale and abs(second - 1) > SECOND_MOMENT_TOLERANCE:
        raise ValueError(
            f"X must be normalised: E|x|^2/d must be 1; got {second:g}, "
            f"with |E x| = {np.linalg.norm(mean):g}"
        )
    factor = second**0.5 if scale else 1.0
    points /= factor
    if array_api_compat.is_array_api_obj(X) and not array_api_compat.is_numpy_array(X):
        points = like(points, X)
    return DataSet(points, p, shift, factor)


def entropy(weights: Any) -> float:
    """Return the entropy -sum p ln p of weights, in nats.

    Parameters
    ----------
    weights : array_like, shape (n,)
        Weights >= 0, scaled to sum 1.

    Returns
    -------
    float

    References
    ----------
    Shannon (1948).

    Examples
    --------
    >>> round(entropy([1, 1, 1, 1]), 6)  # ln 4
    1.386294
    """
    p = _probabilities(weights, len(weights))
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def as_data_set(X: Any, weights: Any) -> DataSet:
    """Return a data set as it is, and normalised points otherwise."""
    if not isinstance(X, DataSet):
        return normalise(X, weights)
    if weights is not None:
        raise ValueError("weights must be None where X is a DataSet, which has its own; got both")
    return X


def on_host(X: Any) -> Any:
    """Return a tensor as a NumPy array; what is no tensor comes back as it is."""
    if array_api_compat.is_torch_array(X):
        return X.detach().cpu().numpy()
    return X


def like(values: Array, other: Any) -> Any:
    """Return a NumPy array in the array library and on the device of another one."""
    xp = array_api_compat.array_namespace(other)
    return xp.asarray(values, device=array_api_compat.device(other))


def _probabilities(weights: Any, n: int) -> Array:
    """Return weights as probabilities; equal ones for None."""
    if weights is None:
        return np.full(n, 1 / n)
    w = check_array("weights", on_host(weights), shape=(n,))
    if (w < 0).any() or not w.sum() > 0:
        raise ValueError(f"weights must be >= 0 with a positive sum; got {w.min():g} as the least")
    return np.asarray(w / w.sum())


def _merged(points: Array, p: Array) -> tuple[Array, Array]:
    """Return the distinct rows of positive weight and their weights, in order of appearance."""
    index: dict[bytes, int] = {}
    label = np.full(len(p), -1)
    for i in np.flatnonzero(p):
        # Adding zero makes -0.0 and 0.0 equal; a digest costs 16 bytes where a row may cost 100 kB.
        digest = hashlib.blake2b((points[i] + 0.0).tobytes(), digest_size=16).digest()
        label[i] = index.setdefault(digest, len(index))
    if len(index) == len(p):
        return points, p
    kept = label >= 0
    first = np.unique(label[kept], return_index=True)[1]
    merged = np.bincount(label[kept], weights=p[kept]).astype(np.float64)
    return points[kept][first], merged
