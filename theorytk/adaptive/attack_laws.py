"""What attacks on answered queries achieve: limits for large n and k, and exact laws.

Answers are on the scale of +-1: n points, k random queries with fair signs s_ij (query j agrees
with the label of point i), means m_j = sum_i s_ij / n, answers a_j = m_j + noise. A noise of
standard deviation t on the scale [0, 1] is sigma = 2 t here. All laws are derived here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.special import erfcx, ndtr, ndtri
from scipy.stats import binom, laplace

from theorytk._validation import check_array, check_choice, check_int, check_real
from theorytk.adaptive._arguments import check_counts, check_nonnegative
from theorytk.adaptive.attacks import NOISES, WEIGHTS

__all__ = [
    "attack_accuracy",
    "exact_attack_accuracy",
    "expected_selected",
    "feature_selection_accuracy",
    "plurality_accuracy",
    "progressive_gap",
    "signal_accuracy",
    "tracing_queries",
]

Array = np.ndarray

# Atoms further than this many standard deviations out weigh less than rounding.
REACH = 10.0


def attack_accuracy(
    n: Any, k: Any, *, weights: str = "linear", sigma: Any = 0.0, noise: str = "gaussian"
) -> Array:
    """Return the limiting in-sample accuracy of the two-stage attack; its population's is 1/2.

    Parameters
    ----------
    n, k : array_like of int
        Points and queries, >= 1.
    weights : {"linear", "sign", "select"}
        As for `attacks.two_stage_attack`.
    sigma : array_like
        Standard deviation of an answer's noise, on the scale of +-1.
    noise : {"gaussian", "laplace"}
        Its law, which does not matter for the weights "linear".

    Returns
    -------
    ndarray, shape of the broadcast arguments
        Phi(z) with z = sqrt(k / n) / sqrt(1 + n sigma^2) for "linear", 2 f sqrt(k) / n for "sign"
        and f sqrt(2 k) / n for "select"; f is the density of an answer at 0. Without noise
        f = sqrt(n / (2 pi)): sqrt(2 k / (pi n)) and sqrt(k / (pi n)).

    References
    ----------
    The order sqrt(k / n) is in Dwork et al. (STOC 2015), appendix. Derived here: s_1j moves a_j by
    1 / n, so that E w_j s_1j is E a_j s_1j = 1 / n, 2 f / n or f / n, and E w_j^2 is
    1 / n + sigma^2, 1 or 1/2; the k terms are independent.

    Examples
    --------
    >>> attack_accuracy(2000, [100, 1000]).round(4)
    array([0.5885, 0.7602])
    >>> float(attack_accuracy(4000, 400, weights="select").round(4))
    0.5708
    """
    n, k = check_counts("n", n), check_counts("k", k)
    check_choice("weights", weights, WEIGHTS)
    check_choice("noise", noise, NOISES)
    sigma = check_nonnegative("sigma", sigma)
    if weights == "linear":
        return np.asarray(ndtr(np.sqrt(k / n / (1 + n * sigma**2))))
    factor = 2 if weights == "sign" else math.sqrt(2)
    return np.asarray(ndtr(factor * _density_at_zero(n, sigma, noise) * np.sqrt(k) / n))


def exact_attack_accuracy(
    n: int, k: int, *, weights: str = "linear", sigma: float = 0.0, noise: str = "gaussian"
) -> float:
    """Return the exact expected in-sample accuracy of the two-stage attack, a tie being 1/2.

    Parameters
    ----------
    n, k : int
        Points and queries, >= 1.
    weights, sigma, noise
        As for `attack_accuracy`; Laplace noise has no exact law here for linear weights.

    Returns
    -------
    float
        The accuracy, up to rounding.

    References
    ----------
    Derived here. Linear: n sum_j a_j s_1j = k + W + n sigma sqrt(k) Z, W a sum of k (n - 1) fair
    signs and Z normal, all independent. Else w_j s_1j are k independent values -1, 0, 1, with
    probabilities that sum over the other n - 1 signs. For n odd, no noise and "sign" this is
    P(B > k/2) + P(B = k/2) / 2, B binomial (k, 1/2 + C(n - 1, (n - 1) / 2) 2^-n).

    Examples
    --------
    >>> round(exact_attack_accuracy(1001, 101), 5)
    0.62468
    >>> round(exact_attack_accuracy(1001, 101, weights="sign"), 5)
    0.60032
    """
    n, k = check_int("n", n, lower=1), check_int("k", k, lower=1)
    check_choice("weights", weights, WEIGHTS)
    check_choice("noise", noise, NOISES)
    sigma = check_real("sigma", sigma, lower=0.0)
    if weights != "linear":
        return _trinomial_accuracy(k, *_vote_probabilities(n, weights, sigma, noise))
    if sigma and noise == "laplace":
        raise ValueError("noise must be 'gaussian' for linear weights with noise; got 'laplace'")
    trials = k * (n - 1)
    if not sigma:
        # k + W > 0 for W = 2 B - trials.
        return float(_tail_with_half(trials, 0.5, (trials - k) / 2))
    ones = _atoms(trials, 0.5)
    z = (k + 2 * ones - trials) / (n * sigma * math.sqrt(k))
    return float(binom.pmf(ones, trials, 0.5) @ ndtr(z))


def tracing_queries(n: Any, accuracy: float, sigma: Any = 0.0) -> Array:
    """Return how many queries the attack with linear weights needs for an in-sample accuracy.

    Parameters
    ----------
    n : array_like of int
        Points, >= 1.
    accuracy : float
        Accuracy to reach, in (1/2, 1).
    sigma : array_like
        Standard deviation of an answer's noise, on the scale of +-1.

    Returns
    -------
    ndarray, shape of the broadcast arguments
        The real number Phi^-1(accuracy)^2 n (1 + n sigma^2): linear in n without noise, quadratic
        with any noise of constant size.

    References
    ----------
    Derived here from `attack_accuracy`. Steinke, Ullman (COLT 2015) prove that no efficient
    mechanism of constant error survives more than about n^2 queries.

    Examples
    --------
    >>> tracing_queries([64, 512], 0.9, 0.3).round()
    array([  711., 39589.])
    """
    n, sigma = check_counts("n", n), check_nonnegative("sigma", sigma)
    accuracy = check_real(
        "accuracy", accuracy, lower=0.5, upper=1.0, lower_open=True, upper_open=True
    )
    return np.asarray(ndtri(accuracy) ** 2 * n * (1 + n * sigma**2))


def progressive_gap(n: int, rounds: int, forgetting: Any) -> Array:
    """Return the gap of in-sample and population accuracy of a progressive analyst.

    Parameters
    ----------
    n : int
        Points, >= 1.
    rounds : int
        Rounds T, >= 1, of h <- lambda h + a_t u_t with exact answers a_t to random queries u_t.
    forgetting : array_like
        The factor lambda in [0, 1]; 1 forgets nothing.

    Returns
    -------
    ndarray, shape of `forgetting`
        Phi(S_1 / sqrt(n S_2)) - 1/2 for sign(h), S_p the sum over t < T of lambda^(p t). For many
        rounds the effective number of queries S_1^2 / S_2 is (1 + lambda) / (1 - lambda).

    References
    ----------
    The analysts are those of Zrnic, Hardt (ICML 2019); derived here as `attack_accuracy` is.

    Examples
    --------
    >>> progressive_gap(2000, 2000, [0.5, 0.9, 0.99, 1.0]).round(4)
    array([0.0154, 0.0388, 0.1238, 0.3413])
    """
    n, rounds = check_int("n", n, lower=1), check_int("rounds", rounds, lower=1)
    factor = check_array("forgetting", forgetting)
    wrong = (factor < 0) | (factor > 1)
    if wrong.any():
        raise ValueError(f"forgetting must be in [0, 1]; got {factor[wrong].flat[0]:g}")
    s1, s2 = _geometric_sum(factor, rounds), _geometric_sum(factor**2, rounds)
    return np.asarray(ndtr(s1 / np.sqrt(n * s2)) - 0.5)


def plurality_accuracy(n: int, k: int, n_classes: int) -> float:
    """Return the limiting in-sample accuracy of the weighted plurality of k random labellings.

    Parameters
    ----------
    n, k : int
        Points and queries, >= 1; the limit needs k much larger than the number of classes.
    n_classes : int
        Classes m, >= 2; the accuracy on the population is 1 / m.

    Returns
    -------
    float
        P(Z_0 + z > max(Z_1, ..., Z_(m-1))) for independent normal Z and
        z = sqrt(k m / (n (m - 1))); Phi(sqrt(k / n)) for two classes. For small z the gap is
        z E[max of m normals] / m.

    References
    ----------
    Derived here: the votes sum_j (a_j - 1/m) 1[u_j = c] for the m classes have means
    k (m - 1) / (n m^2) for the point's own class and -k / (n m^2) for the others, the variance
    k (m - 1) / (n m^3) and no correlation. Feldman, Frostig, Hardt (ICML 2019) bound every attack's
    gap by a multiple of max(sqrt(k log n / (m n)), k / n), up to logarithms.

    Examples
    --------
    >>> round(plurality_accuracy(1000, 500, 2), 4), round(plurality_accuracy(1000, 500, 10), 4)
    (0.7602, 0.2641)
    """
    n, k = check_int("n", n, lower=1), check_int("k", k, lower=1)
    m = check_int("n_classes", n_classes, lower=2)
    z = math.sqrt(k * m / (n * (m - 1)))

    def own_wins(x: float) -> float:
        return math.exp(-0.5 * (x - z) ** 2) / math.sqrt(2 * math.pi) * ndtr(x) ** (m - 1)

    return float(quad(own_wins, z - REACH, z + REACH, points=[z], epsabs=1e-12, limit=200)[0])


def expected_selected(d: int) -> float:
    """Return how many of d noise variables pass the feature selection on average.

    Parameters
    ----------
    d : int
        Variables, >= 1, that pass if both correlations exceed 1 / sqrt(n) with the same sign.

    Returns
    -------
    float
        2 q^2 d with q = 1 - Phi(1), the mean of the binomial number.

    References
    ----------
    Derived here; the experiment is that of Dwork et al. (Science 2015).

    Examples
    --------
    >>> round(expected_selected(10_000), 1)
    503.4
    """
    return float(2 * ndtr(-1.0) ** 2 * check_int("d", d, lower=1))


def feature_selection_accuracy(n: int, d: int, sizes: Any) -> tuple[Array, Array]:
    """Return the limiting train and holdout accuracies of the feature selection without signal.

    Parameters
    ----------
    n : int
        Points of each set, >= 1.
    d : int
        Variables, >= 1.
    sizes : array_like of int
        Numbers k >= 1 of variables kept; above m = `expected_selected` they count as m.

    Returns
    -------
    train, holdout : ndarray, shape of `sizes`
        Phi(sqrt(k / n) h(t)) and Phi(sqrt(k / n) h(1)), with t = Phi^-1(1 - q k / m),
        q = 1 - Phi(1) and h the normal density over its upper tail. On fresh points it is 1/2.

    References
    ----------
    Derived here: correlations times sqrt(n) are independent normals, h(t) is the mean of those
    above t, and the k / m of largest size among those above 1 are those above t.

    Examples
    --------
    >>> train, holdout = feature_selection_accuracy(10_000, 10_000, [100, 500])
    >>> train.round(4), holdout.round(4)
    (array([0.589 , 0.6338]), array([0.5606, 0.6335]))
    """
    n, k = check_int("n", n, lower=1), check_counts("sizes", sizes)
    q, m = ndtr(-1.0), expected_selected(d)
    k = np.minimum(k, m)
    root = np.sqrt(k / n)
    train = ndtr(root * _mean_above(-ndtri(q * k / m)))
    return train, ndtr(root * _mean_above(np.ones_like(k)))


def signal_accuracy(n: int, sizes: Any, n_signal: int = 20, bias: float | None = None) -> Array:
    """Return the fresh accuracy of a sign classifier that includes all variables with signal.

    Parameters
    ----------
    n : int
        Points of each set, >= 1.
    sizes : array_like of int
        Numbers k >= n_signal of variables kept.
    n_signal : int
        Variables with signal, >= 1.
    bias : float, optional
        Mean of a signal variable times the label, > 0; 6 / sqrt(n) if not given.

    Returns
    -------
    ndarray, shape of `sizes`
        Phi(n_signal bias / sqrt(k)), exact given the selection.

    References
    ----------
    Derived here; number and bias are those of Dwork et al. (Science 2015).

    Examples
    --------
    >>> signal_accuracy(10_000, [20, 500]).round(4)
    array([0.6058, 0.5214])
    """
    n, k = check_int("n", n, lower=1), check_counts("sizes", sizes)
    n_signal = check_int("n_signal", n_signal, lower=1)
    if (k < n_signal).any():
        raise ValueError(f"sizes must be >= n_signal = {n_signal}; got {k.min():g}")
    mean = 6 / math.sqrt(n) if bias is None else check_real("bias", bias, lower=0, lower_open=True)
    return np.asarray(ndtr(n_signal * mean / np.sqrt(k)))


def _density_at_zero(n: Array, sigma: Array, noise: str) -> Array:
    """Return the density at 0 of a normal mean of variance 1 / n plus noise."""
    if noise == "gaussian":
        return np.asarray(np.sqrt(n / (2 * math.pi * (1 + n * sigma**2))))
    n, sigma = np.broadcast_arrays(n, sigma)
    scale = np.where(sigma > 0, sigma, 1.0) / math.sqrt(2)
    # E[exp(-|m| / scale)] / (2 scale) for the normal mean m.
    convolved = erfcx(1 / (scale * np.sqrt(2 * n))) / (2 * scale)
    return np.where(sigma > 0, convolved, np.sqrt(n / (2 * math.pi)))


def _vote_probabilities(n: int, weights: str, sigma: float, noise: str) -> tuple[float, float]:
    """Return P(w_j s_1j = 1) and P(w_j s_1j = -1)."""
    ones = _atoms(n - 1, 0.5)
    mass = binom.pmf(ones, n - 1, 0.5)
    mean = (2 * ones - (n - 2)) / n
    if not sigma:
        above, below = mass @ (mean > 0), mass @ (mean < 0)
    elif noise == "gaussian":
        above, below = mass @ ndtr(mean / sigma), mass @ ndtr(-mean / sigma)
    else:
        law = laplace(scale=sigma / math.sqrt(2))
        above, below = mass @ law.cdf(mean), mass @ law.cdf(-mean)
    if weights == "sign":
        return float(above), float(below)
    # The query is kept if a_j >= 0; by symmetry P(a_j >= 0 | s = -1) = P(a_j <= 0 | s = 1).
    return float(1 - below) / 2, float(1 - above) / 2


def _trinomial_accuracy(k: int, plus: float, minus: float) -> float:
    """Return P(S > 0) + P(S = 0) / 2 for a sum S of k independent values in {-1, 0, 1}."""
    voting = min(plus + minus, 1.0)
    votes = _atoms(k, voting)
    wins = _tail_with_half(votes, plus / (plus + minus), votes / 2)
    return float(binom.pmf(votes, k, voting) @ wins)


def _tail_with_half(trials: Any, p: float, bar: Any) -> Any:
    """Return P(B > bar) + P(B = bar) / 2 for B binomial (trials, p)."""
    return binom.sf(np.floor(bar), trials, p) + 0.5 * binom.pmf(bar, trials, p)


def _atoms(trials: int, p: float) -> Array:
    """Return the integers that hold all but a negligible mass of a binomial law."""
    reach = REACH * math.sqrt(trials * p * (1 - p)) + REACH**2
    centre = trials * p
    return np.arange(max(0, int(centre - reach)), min(trials, int(centre + reach) + 1) + 1)


def _geometric_sum(ratio: Array, terms: int) -> Array:
    with np.errstate(invalid="ignore"):
        return np.where(ratio == 1, terms, (1 - ratio**terms) / (1 - ratio))


def _mean_above(t: Array) -> Array:
    """Return E[Z | Z > t] of a standard normal Z."""
    return np.exp(-0.5 * t**2) / (math.sqrt(2 * math.pi) * ndtr(-t))
