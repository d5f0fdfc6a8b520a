"""What is proven about mechanisms that answer from a state and update it seldom.

Multiplicative weights, the median mechanism and the Ladder leaderboard. Where we can prove more
than was printed, ``printed=True`` gives the paper's constants. DR14 is Dwork, Roth, The Algorithmic
Foundations of Differential Privacy (2014).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln, ndtr

from theorytk._validation import check_int, check_real
from theorytk.adaptive._arguments import check_probability
from theorytk.adaptive.bounds import Width

__all__ = [
    "ladder_bound",
    "ladder_rate",
    "median_update_bound",
    "mw_attack_gap",
    "mw_point_mass_updates",
    "mw_potential_drop",
    "mw_update_bound",
]

MOST_LEVELS = 10**6


def mw_potential_drop(alpha: float, eta: float, *, printed: bool = False) -> float:
    """Return how much an update of multiplicative weights lowers the relative entropy at least.

    Parameters
    ----------
    alpha : float
        Every update is by a query with an error above alpha, in (0, 1), in the right direction.
    eta : float
        The step, > 0.
    printed : bool
        Return eta alpha - eta^2.

    Returns
    -------
    float
        Equal to eta alpha - eta^2 / 8, in nats; negative for eta > 8 alpha.

    References
    ----------
    DR14, Section 4.2, has eta alpha - eta^2. Derived here, by Hoeffding's lemma for the penalty r
    under the weights x^t: ln sum x^t exp(-eta r) <= -eta <r, x^t> + eta^2 / 8.

    Examples
    --------
    >>> round(mw_potential_drop(0.1, 0.05), 7), round(mw_potential_drop(0.1, 0.05, printed=True), 7)
    (0.0046875, 0.0025)
    """
    alpha = check_probability("alpha", alpha)
    eta = check_real("eta", eta, lower=0.0, lower_open=True)
    return eta * alpha - eta**2 * (1 if printed else 1 / 8)


def mw_update_bound(
    domain_size: int, alpha: float, *, eta: float | None = None, printed: bool = False
) -> float:
    """Return the most updates of multiplicative weights from uniform weights.

    Parameters
    ----------
    domain_size : int
        Cells of the domain, >= 2.
    alpha : float
        Every update is by a query with an error above alpha, in (0, 1), in the right direction.
    eta : float, optional
        The step, alpha / 2 if not given.
    printed : bool
        Use the book's drop; 4 ln |X| / alpha^2 with its step.

    Returns
    -------
    float
        Equal to ln |X| / `mw_potential_drop`; ``inf`` if the step is so long that nothing drops.
        The step 4 alpha is best: ln |X| / (2 alpha^2).

    References
    ----------
    DR14, Theorem 4.10; with a general step derived here.

    Examples
    --------
    >>> round(mw_update_bound(256, 0.1), 1), round(mw_update_bound(256, 0.1, printed=True), 1)
    (1183.0, 2218.1)
    """
    size = check_int("domain_size", domain_size, lower=2)
    alpha = check_probability("alpha", alpha)
    drop = mw_potential_drop(alpha, alpha / 2 if eta is None else eta, printed=printed)
    return math.log(size) / drop if drop > 0 else math.inf


def mw_point_mass_updates(domain_size: int, alpha: float, eta: float) -> int:
    """Return the updates of multiplicative weights on a point mass against its worst query.

    All data lie in one cell, answers are exact, and the query is of all other cells, until the
    total variation distance is at most alpha.

    Parameters
    ----------
    domain_size : int
        Cells of the domain, >= 2.
    alpha : float
        The distance, in (0, 1).
    eta : float
        The step, > 0.

    Returns
    -------
    int
        Equal to ceil(ln((|X| - 1) (1 - alpha) / alpha) / eta), and 0 if that is negative.

    References
    ----------
    Derived here: after t updates the other cells weigh (|X| - 1) exp(-eta t) to 1.

    Examples
    --------
    >>> mw_point_mass_updates(256, 0.1, 0.05)
    155
    """
    others = check_int("domain_size", domain_size, lower=2) - 1
    alpha = check_probability("alpha", alpha)
    eta = check_real("eta", eta, lower=0.0, lower_open=True)
    return max(0, math.ceil(math.log(others * (1 - alpha) / alpha) / eta))


def mw_attack_gap(n: int, updates: int, threshold: float) -> float:
    """Return the limiting gap of the two-stage attack on multiplicative weights without noise.

    Parameters
    ----------
    n : int
        Points, >= 1, of uniform cells that are far more than the queries.
    updates : int
        Updates u >= 0 that there have been.
    threshold : float
        The threshold t >= 0 in standard deviations 1 / (2 sqrt(n)) of a query's mean.

    Returns
    -------
    float
        Equal to Phi(sqrt(u (1 + t h(t)) / n)) - 1/2, h the normal density over its tail.

    References
    ----------
    Derived here: only the u answers that led to updates tell more than the weights, their z-scores
    are normal given that they exceed t, E[Z^2 | |Z| > t] = 1 + t h(t), and the attack weighs
    queries by them.

    Examples
    --------
    >>> round(mw_attack_gap(2000, 12, 2.5), 4), round(mw_attack_gap(2000, 1000, 0.0), 4)
    (0.087, 0.2602)
    """
    n, u = check_int("n", n, lower=1), check_int("updates", updates, lower=0)
    t = check_real("threshold", threshold, lower=0.0)
    hazard = math.exp(-(t**2) / 2) / math.sqrt(2 * math.pi) / float(ndtr(-t))
    return float(ndtr(math.sqrt(u * (1 + t * hazard) / n))) - 0.5


def median_update_bound(domain_size: int, net_points: int) -> float:
    """Return log2 of the net's size, the most updates of the median mechanism.

    Parameters
    ----------
    domain_size : int
        Cells of the domain, >= 1.
    net_points : int
        Points of the candidate databases, >= 1; the net is all histograms of so many points.

    Returns
    -------
    float
        Equal to log2 C(|X| + m - 1, m): each update removes at least half of what is left.

    References
    ----------
    DR14, Section 5.2.

    Examples
    --------
    >>> round(median_update_bound(4, 10), 4)
    8.1599
    """
    size = check_int("domain_size", domain_size, lower=1)
    m = check_int("net_points", net_points, lower=1)
    return math.log2(math.comb(size + m - 1, m))


def ladder_bound(
    n: int, k: int, beta: float = 0.05, *, step: float | None = None, printed: bool = False
) -> Width:
    """Return a bound of the leaderboard error of the Ladder.

    The error is the largest difference, over time, of the reported score and the true loss of the
    best submission so far; losses are in [0, 1].

    Parameters
    ----------
    n : int
        Points in the holdout, >= 1.
    k : int
        Submissions, >= 1.
    beta : float
        Failure probability, in (0, 1).
    step : float, optional
        The Ladder's step eta in (0, 1]; if not given, the best of 1, 1/2, 1/3, ...
    printed : bool
        Count histories as the paper does.

    Returns
    -------
    Width
        The value eta + e with exp(-2 e^2 n) H = beta, and the step.

    References
    ----------
    Blum, Hardt (ICML 2015), Theorem 3.1, with ln H = (1 / eta + 2) ln(4 k / eta) + 1. Derived here:
    reported scores are multiples of eta that never rise, so that the submissions of all histories
    are C(k - 1 + G, G), G = floor(1 / eta + 1/2) + 1, and H twice that.

    Examples
    --------
    >>> round(ladder_bound(4000, 400).value, 3)
    0.151
    >>> round(ladder_bound(4000, 400, printed=True).value, 3)
    0.215
    """
    n, k = check_int("n", n, lower=1), check_int("k", k, lower=1)
    beta = check_probability("beta", beta)
    if step is None:
        eta = 1 / np.arange(1, min(math.isqrt(n), MOST_LEVELS) + 1)
    else:
        eta = np.array([check_real("step", step, lower=0.0, upper=1.0, lower_open=True)])
    if printed:
        histories = (1 / eta + 2) * np.log(4 * k / eta) + 1
    else:
        levels = np.floor(1 / eta + 0.5) + 1
        histories = math.log(2) + gammaln(k + levels) - gammaln(levels + 1) - gammaln(k)
    error = eta + np.sqrt((histories - math.log(beta)) / (2 * n))
    best = int(error.argmin())
    return Width(float(error[best]), {"step": float(eta[best])})


def ladder_rate(n: int, k: int, beta: float = 0.05) -> float:
    """Return a bound of the leaderboard error of the Ladder that shows its rate n^(-1/3).

    Parameters
    ----------
    n : int
        Points in the holdout, >= 1.
    k : int
        Submissions, >= 1.
    beta : float
        Failure probability, in (0, 1).

    Returns
    -------
    float
        Equal to (1/2 + sqrt 2) (L / n)^(1/3) with L = 2 ln(e (k + 1) / 2) + ln(2 / beta). It is
        above `ladder_bound` at the best step where it is below 1 and n >= 36.

    References
    ----------
    Blum, Hardt (ICML 2015), Theorem 3.1, for the order (ln(k n) / n)^(1/3). Derived here, with a
    constant and without ln n.

    Examples
    --------
    >>> round(ladder_rate(4000, 400), 3), round(ladder_rate(32_000, 400), 3)
    (0.306, 0.153)
    """
    n, k = check_int("n", n, lower=1), check_int("k", k, lower=1)
    beta = check_probability("beta", beta)
    histories = 2 * math.log(math.e * (k + 1) / 2) + math.log(2 / beta)
    return (0.5 + math.sqrt(2)) * math.cbrt(histories / n)
