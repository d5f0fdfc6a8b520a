"""Softmax regression by private stochastic gradient descent, and the privacy that it costs."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.privacy._arguments import Array, check_probability
from theorytk.privacy._gradient_kernels import clipped_gradients
from theorytk.privacy.guarantees import PrivacyGuarantee
from theorytk.privacy.linear_mechanism import GRID_BITS, check_noise
from theorytk.privacy.noise import release

__all__ = [
    "SoftmaxRegression",
    "dp_sgd",
    "sampled_gaussian_epsilon",
    "sampled_gaussian_multiplier",
    "sampled_gaussian_rdp",
]

# Renyi orders over which guarantees are the best: all small ones, then ever fewer.
ORDERS = np.unique(np.rint(np.geomspace(2, 512, 64)))
# Multipliers within which one is looked for.
MULTIPLIERS = (0.1, 1e5)


@dataclass(frozen=True, eq=False)
class SoftmaxRegression:
    """Weights of a linear classifier, and what their release guarantees.

    Attributes
    ----------
    weights : ndarray, shape (d, classes)
        A class's score is the product of the point with its column; there is no intercept.
    guarantee : PrivacyGuarantee
        The sensitivity is the clipping norm of a step.
    noise_multiplier : float
        Standard deviation of the noise of a step over the clipping norm.
    """

    weights: Array
    guarantee: PrivacyGuarantee
    noise_multiplier: float

    def decision_function(self, X: Any) -> Array:
        """Return the scores of each class, shape (q, classes), at queries of shape (q, d)."""
        return np.asarray(check_array("X", X, shape=(None, len(self.weights))) @ self.weights)

    def predict(self, X: Any) -> NDArray[np.int64]:
        """Return the index of the class with the largest score, shape (q,)."""
        return np.asarray(self.decision_function(X).argmax(axis=1))


def dp_sgd(
    X: Any,
    labels: Any,
    n_classes: int,
    *,
    epsilon: float,
    delta: float,
    size: int,
    steps: int = 300,
    sampling_rate: float = 0.1,
    clip: float = 1.0,
    learning_rate: float = 4.0,
    noise: str = "discrete",
    rng: Any = None,
) -> SoftmaxRegression:
    """Return softmax regression by private stochastic gradient descent from zero weights.

    A step takes each point with probability `sampling_rate`, clips its gradient and adds Gaussian
    noise to their sum.

    Parameters
    ----------
    X : array_like, shape (n, d)
        Private points.
    labels : array_like of int, shape (n,)
        Their classes, from 0 to n_classes - 1, private too.
    n_classes : int
        Number of classes, >= 2, public.
    epsilon, delta : float
        Privacy epsilon > 0 at delta in (0, 1) of all steps together, for points that are added or
        removed.
    size : int
        Public guess >= 1 of the number of points; a step is divided by the batch that it expects.
    steps : int
        Number of steps, >= 1.
    sampling_rate : float
        Probability in (0, 1) with which a step takes a point.
    clip : float
        Gradients are shortened to this Euclidean length > 0.
    learning_rate : float
        Length > 0 of a step per mean gradient.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.
    rng : int, numpy.random.Generator or None
        Random state of samples and noise.

    Returns
    -------
    SoftmaxRegression

    References
    ----------
    Abadi, Chu, Goodfellow, McMahan, Mironov, Talwar, Zhang (CCS 2016), Algorithm 1, with the
    account of `sampled_gaussian_epsilon`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1], 300)
    >>> X = rng.normal(size=(600, 2)) + 3 * labels[:, None] - 1.5
    >>> model = dp_sgd(X, labels, 2, epsilon=1.0, delta=1e-5, size=600, steps=50, rng=0)
    >>> model.guarantee
    <(1, 1e-05)-DP, neighbours 'add_remove', l2 sensitivity 1, discrete Gaussian noise>
    >>> bool((model.predict(X) == labels).mean() > 0.9)
    True
    """
    X, labels = _check_data(X, labels, n_classes)
    size, steps = check_int("size", size, lower=1), check_int("steps", steps, lower=1)
    clip = check_real("clip", clip, lower=0.0, lower_open=True)
    pace = check_real("learning_rate", learning_rate, lower=0.0, lower_open=True)
    check_noise(noise)
    multiplier = sampled_gaussian_multiplier(epsilon, delta, sampling_rate, steps)
    draws, stream = as_generator(rng), None if rng is None else as_generator(rng)
    # In units of the clipping norm.
    X, weights = X / clip, np.zeros((X.shape[1], n_classes))
    for _ in range(steps):
        batch = np.flatnonzero(draws.random(len(X)) < sampling_rate)
        total = clipped_gradients(X, labels, batch, weights * clip, 1.0, 2.0**GRID_BITS)
        noisy = release(total, multiplier, bits=GRID_BITS, rng=stream, kind="gaussian", noise=noise)
        weights -= pace * clip / (sampling_rate * size) * noisy
    guarantee = PrivacyGuarantee(
        neighbours="add_remove",
        epsilon=epsilon,
        delta=delta,
        sensitivity=clip,
        norm="l2",
        noise=f"{noise} Gaussian",
    )
    return SoftmaxRegression(weights, guarantee, multiplier)


def sampled_gaussian_rdp(order: Any, sampling_rate: float, noise_multiplier: float) -> Array:
    """Return the Renyi divergence of one step: Gaussian noise on the sum of a random sample.

    Parameters
    ----------
    order : array_like of int
        Renyi orders >= 2.
    sampling_rate : float
        Probability in (0, 1) with which each point is in the sample.
    noise_multiplier : float
        Standard deviation > 0 of the noise over the largest contribution of a point.

    Returns
    -------
    ndarray
        1 / (order - 1) times the logarithm of
        sum_k binom(order, k) (1 - q)^(order - k) q^k exp(k (k - 1) / (2 sigma^2)).

    Notes
    -----
    For integer noise of steps h and contributions in whole steps the divergence is the same,
    exactly: its moment generating function at k v / sigma^2 is a sum of Gaussian weights moved by
    k v, a vector of whole steps, and hence exp(k^2 |v|^2 / (2 sigma^2)) as in the continuous case;
    and y -> v - y exchanges the laws with and without the point.

    References
    ----------
    Mironov, Talwar, Zhang (arXiv 1908.10530), Section 3.3, for points that are added or removed;
    for integer noise derived here.

    Examples
    --------
    >>> sampled_gaussian_rdp([2, 8], 0.1, 2.0).round(6)
    array([0.002836, 0.013725])
    """
    order = check_array("order", order)
    if (order < 2).any() or (order != np.rint(order)).any():
        raise ValueError(f"order must hold integers >= 2; got {order.tolist()}")
    q = check_probability("sampling_rate", sampling_rate)
    sigma = check_real("noise_multiplier", noise_multiplier, lower=0.0, lower_open=True)
    k = np.arange(order.max(initial=2) + 1)
    a = order[..., None]
    # Beyond the order the binomial coefficient is 1 / infinity.
    with np.errstate(invalid="ignore"):
        binomial = gammaln(a + 1) - gammaln(k + 1) - np.where(k <= a, gammaln(a - k + 1), np.inf)
    terms = binomial + (a - k) * math.log1p(-q) + k * math.log(q) + k * (k - 1) / (2 * sigma**2)
    return np.asarray(np.maximum(logsumexp(terms, axis=-1), 0.0) / (order - 1))


def sampled_gaussian_epsilon(
    sampling_rate: float, noise_multiplier: float, steps: int, delta: float
) -> float:
    """Return an epsilon of many steps together, the least known from integer Renyi orders.

    Parameters
    ----------
    sampling_rate, noise_multiplier
        As in `sampled_gaussian_rdp`.
    steps : int
        Number of steps, >= 1.
    delta : float
        Privacy delta in (0, 1).

    Returns
    -------
    float

    References
    ----------
    Canonne, Kamath, Steinke (NeurIPS 2020), Proposition 12, for the conversion.

    Examples
    --------
    >>> round(sampled_gaussian_epsilon(0.1, 5.0, 300, 1e-5), 4)
    1.4955
    """
    steps, delta = check_int("steps", steps, lower=1), check_probability("delta", delta)
    divergence = steps * sampled_gaussian_rdp(ORDERS, sampling_rate, noise_multiplier)
    a = ORDERS
    epsilons = divergence + np.log1p(-1 / a) - (math.log(delta) + np.log(a)) / (a - 1)
    return max(float(epsilons.min()), 0.0)


def sampled_gaussian_multiplier(
    epsilon: float, delta: float, sampling_rate: float, steps: int
) -> float:
    """Return the least noise multiplier for which `sampled_gaussian_epsilon` is this epsilon.

    Parameters
    ----------
    epsilon, delta : float
        Privacy epsilon > 0 at delta in (0, 1).
    sampling_rate, steps
        As in `sampled_gaussian_epsilon`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(sampled_gaussian_multiplier(1.4955, 1e-5, 0.1, 300), 3)
    5.0
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    delta = check_probability("delta", delta)
    sampling_rate = check_probability("sampling_rate", sampling_rate)
    steps = check_int("steps", steps, lower=1)
    return _least_multiplier(epsilon, delta, sampling_rate, steps)


@functools.lru_cache
def _least_multiplier(epsilon: float, delta: float, sampling_rate: float, steps: int) -> float:
    def excess(log_multiplier: float) -> float:
        multiplier = math.exp(log_multiplier)
        return sampled_gaussian_epsilon(sampling_rate, multiplier, steps, delta) - epsilon

    least, most = map(math.log, MULTIPLIERS)
    if excess(most) > 0 or excess(least) < 0:
        raise ValueError(
            f"epsilon must be what multipliers from {MULTIPLIERS[0]:g} to {MULTIPLIERS[1]:g} give; "
            f"got {epsilon:g}"
        )
    root: float = brentq(excess, least, most, xtol=1e-9)
    return math.exp(root) * (1 + 1e-8)


def _check_data(X: Any, labels: Any, n_classes: Any) -> tuple[Array, NDArray[np.int64]]:
    """Return the points and the indices of their classes."""
    X = check_array("X", X, shape=(None, None))
    found = check_array("labels", labels, shape=(len(X),))
    n_classes = check_int("n_classes", n_classes, lower=2)
    if not np.isin(found, np.arange(n_classes)).all():
        raise ValueError(f"labels must hold classes 0 to {n_classes - 1}")
    return X, found.astype(np.int64)
