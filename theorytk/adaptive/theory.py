"""What is proven about private choices, Thresholdout, SparseValidate and the sparse vector.

Queries have values in [0, 1], n is the sample's size, k or m the number of queries. For widths
see :mod:`theorytk.adaptive.bounds`, for transfer theorems :mod:`theorytk.adaptive.transfer`, for
mechanisms that update a state :mod:`theorytk.adaptive.update_laws`. Where we can prove more than
was printed, ``printed=True`` gives the paper's constants. HOLD is Dwork et al. (NeurIPS 2015),
DR14 Dwork, Roth, The Algorithmic Foundations of Differential Privacy (2014).
"""

from __future__ import annotations

import math

from theorytk._validation import check_int, check_real
from theorytk.adaptive._arguments import check_probability

__all__ = [
    "approximate_dp_tail",
    "pure_dp_tail",
    "sparse_validate_factor",
    "sparse_vector_accuracy",
    "thresholdout_n0",
    "thresholdout_n1",
    "thresholdout_parameters",
    "thresholdout_samples",
]


def pure_dp_tail(n: int, tau: float) -> float:
    """Return 6 exp(-tau^2 n), a bound of P(|q(S) - q(P)| >= tau) for a tau-private choice of q.

    Parameters
    ----------
    n : int
        Points in the sample, >= 1.
    tau : float
        Both the error and the privacy epsilon of the choice, in (0, 1).

    Returns
    -------
    float
        At most 1.

    References
    ----------
    DFHPRR (Dwork et al., STOC 2015); HOLD, Corollary 7, on both sides.

    Examples
    --------
    >>> round(pure_dp_tail(1000, 0.1), 6)
    0.000272
    """
    n = check_int("n", n, lower=1)
    return min(1.0, 6 * math.exp(-(check_probability("tau", tau) ** 2) * n))


def approximate_dp_tail(n: int, epsilon: float, delta: float) -> float:
    """Return a bound of P(|q(S) - q(P)| >= 13 epsilon) for an (epsilon, delta)-private choice of q.

    Parameters
    ----------
    n : int
        Points in the sample, >= 1.
    epsilon, delta : float
        Privacy of the choice, in (0, 1).

    Returns
    -------
    float
        (2 delta / epsilon) ln(2 / epsilon) if n >= 2 ln(8 / delta) / epsilon^2, at most 1; else 1.

    References
    ----------
    Nissim, Stemmer (2015); HOLD, Theorem 8.

    Examples
    --------
    >>> round(approximate_dp_tail(100_000, 0.02, 1e-6), 6), approximate_dp_tail(1000, 0.02, 1e-6)
    (0.000461, 1.0)
    """
    epsilon = check_probability("epsilon", epsilon)
    delta = check_probability("delta", delta)
    if check_int("n", n, lower=1) < 2 * math.log(8 / delta) / epsilon**2:
        return 1.0
    return min(1.0, 2 * delta / epsilon * math.log(2 / epsilon))


def thresholdout_parameters(m: int, tau: float, beta: float) -> tuple[float, float]:
    """Return the threshold 3 tau / 4 and noise tau / (96 ln(4 m / beta)) of Thresholdout.

    Parameters
    ----------
    m : int
        Queries, >= 1.
    tau, beta : float
        Error and failure probability wanted, in (0, 1).

    Returns
    -------
    threshold, sigma : float

    References
    ----------
    HOLD, Theorem 25. Derived here: twice this sigma suffices, as the noises 2 sigma and 4 sigma
    have tails exp(-t), where the proof uses exp(-t / 2).

    Examples
    --------
    >>> threshold, sigma = thresholdout_parameters(10_000, 0.1, 0.05)
    >>> round(threshold, 3), f"{sigma:.3e}"
    (0.075, '7.664e-05')
    """
    tau, beta = check_probability("tau", tau), check_probability("beta", beta)
    return 3 * tau / 4, tau / (96 * math.log(4 * check_int("m", m, lower=1) / beta))


def thresholdout_n0(budget: int, sigma: float, tau: float, beta: float) -> float:
    """Return max(2 B / (sigma tau), ln(6 / beta) / tau^2), sufficient by pure privacy.

    Parameters
    ----------
    budget : int
        Answers B from the holdout, >= 1.
    sigma : float
        Noise of Thresholdout, > 0.
    tau, beta : float
        Error of one query on the holdout, and its failure probability, in (0, 1).

    Returns
    -------
    float
        A holdout of so many points will do.

    References
    ----------
    HOLD, Lemma 24.

    Examples
    --------
    >>> thresholdout_n0(10, 0.001, 0.05, 0.01)
    400000.0
    """
    budget, sigma, tau, beta = _check_thresholdout(budget, sigma, tau, beta)
    return max(2 * budget / (sigma * tau), math.log(6 / beta) / tau**2)


def thresholdout_n1(budget: int, sigma: float, tau: float, beta: float) -> float:
    """Return 80 sqrt(B ln(1 / (tau beta))) / (tau sigma), sufficient by approximate privacy.

    Parameters
    ----------
    budget : int
        Answers B from the holdout, >= 1.
    sigma : float
        Noise of Thresholdout, > 0.
    tau, beta : float
        Error of one query on the holdout, and its failure probability, in (0, 1).

    Returns
    -------
    float
        A holdout of so many points will do.

    References
    ----------
    HOLD, Lemma 24, as printed.

    Examples
    --------
    >>> round(thresholdout_n1(10, 0.001, 0.05, 0.01))
    13949305
    """
    budget, sigma, tau, beta = _check_thresholdout(budget, sigma, tau, beta)
    return 80 * math.sqrt(budget * math.log(1 / (tau * beta))) / (tau * sigma)


def thresholdout_samples(budget: int, m: int, tau: float, beta: float) -> float:
    """Return a size of holdout for which Thresholdout answers m queries to within tau.

    Parameters
    ----------
    budget : int
        Queries B that may overfit the training set by more than tau / 2, >= 1.
    m : int
        Queries, >= 1.
    tau, beta : float
        Error and failure probability wanted, in (0, 1).

    Returns
    -------
    float

    References
    ----------
    HOLD, Theorem 25: the lesser of n0 and n1 at the sigma of `thresholdout_parameters`, tau / 8
    and beta / (2 m).

    Examples
    --------
    >>> f"{thresholdout_samples(10, 10_000, 0.1, 0.05):.4g}"
    '2.088e+07'
    """
    _, sigma = thresholdout_parameters(m, tau, beta)
    wanted = (budget, sigma, tau / 8, beta / (2 * m))
    return min(thresholdout_n0(*wanted), thresholdout_n1(*wanted))


def sparse_validate_factor(index: int, budget: int, *, printed: bool = False) -> int:
    """Return by how much SparseValidate may multiply the probability that a query says one.

    If P(psi(S) = 1) <= b for every query psi fixed beforehand, then the query number `index` that
    the analyst chooses says one with probability factor times b at most.

    Parameters
    ----------
    index : int
        Number i of the query, >= 1.
    budget : int
        Ones B after which SparseValidate stops, >= 1.
    printed : bool
        Return the paper's factor.

    Returns
    -------
    int
        The sum of C(i - 1, j) over j <= min(i, B) - 1; the paper's is that of C(i, j) over
        j <= min(i - 1, B).

    References
    ----------
    HOLD, Theorem 27. Derived here: the query is a function of the i - 1 bits before it, of which
    at most B - 1 are ones, or it would not be answered. Some analyst attains this factor. If b
    bounds the probabilities of all earlier statements too, i times b is a bound as well.

    Examples
    --------
    >>> sparse_validate_factor(10, 2), sparse_validate_factor(10, 2, printed=True)
    (10, 56)
    """
    i, budget = check_int("index", index, lower=1), check_int("budget", budget, lower=1)
    if printed:
        return sum(math.comb(i, j) for j in range(min(i - 1, budget) + 1))
    return sum(math.comb(i - 1, j) for j in range(min(i, budget)))


def sparse_vector_accuracy(
    n: int,
    k: int,
    c: int,
    epsilon: float,
    beta: float,
    *,
    delta: float = 0.0,
    printed: bool = False,
) -> float:
    """Return the accuracy alpha of the numeric sparse vector mechanism on queries of a sample.

    With probability 1 - beta, until the mechanism stops, answers of "below" belong to queries of
    at most T + alpha, numbers to queries of at least T - alpha, and these are within alpha.

    Parameters
    ----------
    n : int
        Points in the sample, >= 1.
    k : int
        Queries, >= 1.
    c : int
        Numbers after which the mechanism stops, >= 1.
    epsilon : float
        Privacy epsilon > 0.
    beta : float
        Failure probability, in (0, 1).
    delta : float
        Privacy delta, in [0, 1).
    printed : bool
        Return the book's accuracy.

    Returns
    -------
    float
        In units of the queries' range.

    References
    ----------
    DR14, Algorithm 3 (NumericSparse) and Theorem 3.28. Derived here from the scales of its Laplace
    noises, s(epsilon_1) on the threshold, twice that on queries and s(epsilon_2) on numbers: the
    larger of s(epsilon_1) (ln(3c/beta) + 2 ln(3k/beta)) and s(epsilon_2) ln(3c/beta). With
    delta > 0 the second can exceed the printed accuracy, which leaves that noise out.

    Examples
    --------
    >>> round(sparse_vector_accuracy(100_000, 1000, 10, 1.0, 0.05), 5)
    0.00639
    >>> round(sparse_vector_accuracy(100_000, 1000, 10, 1.0, 0.05, printed=True), 5)
    0.01223
    """
    n, k, c = (check_int(a, v, lower=1) for a, v in (("n", n), ("k", k), ("c", c)))
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    delta = check_real("delta", delta, lower=0.0, upper=1.0, upper_open=True)
    beta = check_probability("beta", beta)
    root = math.sqrt(512)
    scale, first, second = 2.0 * c, 8 / 9, 2 / 9
    factor = 9.0 * c
    if delta > 0:
        scale, first, second = (
            math.sqrt(32 * c * math.log(2 / delta)),
            root / (root + 1),
            2 / (root + 1),
        )
        factor = (root + 1) * math.sqrt(c * math.log(2 / delta))
    if printed:
        return factor * (math.log(k) + math.log(4 * c / beta)) / (epsilon * n)
    crossing = scale / first * (math.log(3 * c / beta) + 2 * math.log(3 * k / beta))
    return max(crossing, scale / second * math.log(3 * c / beta)) / (epsilon * n)


def _check_thresholdout(
    budget: int, sigma: float, tau: float, beta: float
) -> tuple[int, float, float, float]:
    return (
        check_int("budget", budget, lower=1),
        check_real("sigma", sigma, lower=0.0, lower_open=True),
        check_probability("tau", tau),
        check_probability("beta", beta),
    )
