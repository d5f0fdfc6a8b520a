"""Max-information and posterior sensitivity, exactly, where samples and outputs can be enumerated.

A channel is a matrix of P(output | sample), a row for each sample; a prior gives the samples'
probabilities. For bits and a mechanism that sees only their number, samples are the counts
0, ..., n: neither quantity changes if samples with equal rows are put together.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import binom

from theorytk._validation import check_array, check_int, check_real
from theorytk.adaptive._arguments import check_probability
from theorytk.adaptive._optimise import Array

__all__ = [
    "binomial_prior",
    "gaussian_channel",
    "geometric_channel",
    "max_information",
    "max_information_of_outputs",
    "max_information_of_privacy",
    "posterior_sensitivity",
]


def max_information(prior: Any, channel: Any, beta: float = 0.0) -> float:
    """Return the beta-approximate max-information of sample and output, in bits.

    Parameters
    ----------
    prior : array_like, shape (s,)
        Probabilities of the samples.
    channel : array_like, shape (s, y)
        Probabilities of the outputs given the sample.
    beta : float
        Probability left out, in [0, 1).

    Returns
    -------
    float
        The least t such that P((S, Y) in O) <= 2^t P(S x Y in O) + beta for every event O, where
        S x Y are independent with the same marginals.

    References
    ----------
    HOLD (Dwork et al., NeurIPS 2015), Definition 10. The best events are the pairs of the largest
    ratios of joint and product probability, so that sorting gives the exact value.

    Examples
    --------
    >>> max_information([0.5, 0.5], [[1.0, 0.0], [0.0, 1.0]])
    1.0
    """
    prior, channel = _check_channel(prior, channel)
    beta = check_real("beta", beta, lower=0.0, upper=1.0, upper_open=True)
    joint = prior[:, None] * channel
    product = prior[:, None] * (prior @ channel)
    possible = product > 0
    joint, product = joint[possible], product[possible]
    order = np.argsort(-joint / product)
    ratios = (np.cumsum(joint[order]) - beta) / np.cumsum(product[order])
    return math.log2(ratios.max())


def posterior_sensitivity(prior: Any, channel: Any, statistic: Any) -> Array:
    """Return |E[statistic | output] - E[statistic]| for every output.

    Parameters
    ----------
    prior : array_like, shape (s,)
        Probabilities of the samples.
    channel : array_like, shape (s, y)
        Probabilities of the outputs given the sample.
    statistic : array_like, shape (s,)
        Its value on every sample.

    Returns
    -------
    ndarray, shape (y,)
        0 for outputs of probability 0; the others have probabilities ``prior @ channel``.

    References
    ----------
    Jung et al. (ITCS 2020); at most `tanh_gap` for the mean of a query if the channel is private.

    Examples
    --------
    >>> n = 20
    >>> channel = geometric_channel(n, 0.1)
    >>> gaps = posterior_sensitivity(binomial_prior(n, 0.5), channel, np.arange(n + 1) / n)
    >>> round(float(gaps.max()), 6)
    0.024979
    """
    prior, channel = _check_channel(prior, channel)
    values = check_array("statistic", statistic, shape=prior.shape)
    outputs = prior @ channel
    means = (prior * (values - prior @ values)) @ channel
    gaps: Array = np.abs(means) / np.where(outputs > 0, outputs, 1.0)
    return gaps


def binomial_prior(n: int, p: float) -> Array:
    """Return the probabilities of 0, ..., n ones among n independent Bernoulli(p) bits.

    Parameters
    ----------
    n : int
        Bits, >= 1.
    p : float
        Probability of a one, in (0, 1).

    Returns
    -------
    ndarray, shape (n + 1,)

    Examples
    --------
    >>> binomial_prior(2, 0.5)
    array([0.25, 0.5 , 0.25])
    """
    n = check_int("n", n, lower=1)
    return binom.pmf(np.arange(n + 1), n, check_probability("p", p))


def geometric_channel(n: int, epsilon: float) -> Array:
    """Return the channel of a count with geometric noise, clamped to 0, ..., n.

    Parameters
    ----------
    n : int
        Bits, >= 1.
    epsilon : float
        Privacy epsilon > 0: noise j has probability proportional to exp(-epsilon |j|).

    Returns
    -------
    ndarray, shape (n + 1, n + 1)
        Rows are counts of ones, columns answers.

    References
    ----------
    Ghosh, Roughgarden, Sundararajan (SIAM J. Comput. 2012).

    Examples
    --------
    >>> geometric_channel(1, 1.0).round(4)
    array([[0.7311, 0.2689],
           [0.2689, 0.7311]])
    """
    n = check_int("n", n, lower=1)
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    counts = np.arange(n + 1)
    channel: Array = np.exp(-epsilon * np.abs(counts[:, None] - counts))
    channel[:, 1:-1] *= math.tanh(epsilon / 2)
    channel[:, [0, -1]] /= 1 + math.exp(-epsilon)
    return channel


def gaussian_channel(n: int, sigma: float, n_bins: int = 400) -> Array:
    """Return the channel of a mean with Gaussian noise, told by the bin that it falls into.

    Parameters
    ----------
    n : int
        Bits, >= 1.
    sigma : float
        Standard deviation of the noise on the mean, > 0: 1 / (n sigma)-GDP.
    n_bins : int
        Bins, >= 2, of equal width from six sigma below 0 to six above 1; the outer two have no
        outer end.

    Returns
    -------
    ndarray, shape (n + 1, n_bins)
        Rows are counts of ones, columns bins.

    Examples
    --------
    >>> gaussian_channel(1, 1.0, 2).round(4)
    array([[0.6915, 0.3085],
           [0.3085, 0.6915]])
    """
    n = check_int("n", n, lower=1)
    sigma = check_real("sigma", sigma, lower=0.0, lower_open=True)
    edges = np.linspace(-6 * sigma, 1 + 6 * sigma, check_int("n_bins", n_bins, lower=2) + 1)
    edges[[0, -1]] = -np.inf, np.inf
    z = (edges - np.arange(n + 1)[:, None] / n) / sigma
    # Above the mean the difference of upper tails keeps its digits.
    lower, upper = z[:, :-1], z[:, 1:]
    return np.where(lower > 0, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower))


def max_information_of_privacy(n: int, epsilon: float, beta: float = 0.0) -> float:
    """Return a bound of the max-information of epsilon-private outputs, in bits.

    Parameters
    ----------
    n : int
        Points in the sample, >= 1.
    epsilon : float
        Privacy epsilon >= 0.
    beta : float
        Probability left out, in [0, 1); above 0 the points must be independent.

    Returns
    -------
    float
        Equal to epsilon n / ln 2; with beta > 0 at most
        (epsilon^2 n / 2 + epsilon sqrt(n ln(2 / beta) / 2)) / ln 2.

    References
    ----------
    HOLD (Dwork et al., NeurIPS 2015), Theorems 19 and 20.

    Examples
    --------
    >>> round(max_information_of_privacy(20, 0.1), 4)
    2.8854
    >>> round(max_information_of_privacy(20, 0.1, 0.05), 4)
    1.0205
    """
    n = check_int("n", n, lower=1)
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    beta = check_real("beta", beta, lower=0.0, upper=1.0, upper_open=True)
    nats = epsilon * n
    if beta > 0:
        spread = epsilon * math.sqrt(n * math.log(2 / beta) / 2)
        nats = min(nats, epsilon**2 * n / 2 + spread)
    return nats / math.log(2)


def max_information_of_outputs(n_outputs: int, beta: float) -> float:
    """Return log2(|Y| / beta), a bound of the max-information of |Y| possible outputs, in bits.

    Parameters
    ----------
    n_outputs : int
        Outputs |Y|, >= 1.
    beta : float
        Probability left out, in (0, 1).

    Returns
    -------
    float

    References
    ----------
    HOLD (Dwork et al., NeurIPS 2015), Theorem 17.

    Examples
    --------
    >>> max_information_of_outputs(4, 0.5)
    3.0
    """
    n_outputs = check_int("n_outputs", n_outputs, lower=1)
    return math.log2(n_outputs / check_probability("beta", beta))


def _check_channel(prior: Any, channel: Any) -> tuple[Array, Array]:
    prior = check_array("prior", prior, shape=(None,))
    channel = check_array("channel", channel, shape=(len(prior), None))
    for name, rows in (("prior", prior), ("channel", channel)):
        totals = rows.sum(axis=-1)
        if (rows < 0).any() or not np.allclose(totals, 1.0, rtol=0, atol=1e-9):
            raise ValueError(
                f"{name} must hold probabilities that sum to 1; got values from {rows.min():g} "
                f"and sums from {totals.min():g} to {totals.max():g}"
            )
    return prior, channel
