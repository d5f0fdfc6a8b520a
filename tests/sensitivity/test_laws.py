"""Laws of explicit matrices and of sample sizes against brute force and optimisers."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from theorytk.sensitivity.leverage import root_leverage_scores
from theorytk.sensitivity.matrices import (
    flat_block,
    heavy_tailed,
    polynomial_features,
    sparse_plus_low_rank,
    vandermonde,
)
from theorytk.sensitivity.matrix_laws import (
    flat_block_excess,
    flat_block_total,
    flat_block_total_limit,
    kept_row_excess,
    polynomial_features_total_bound,
    rank_loss_oversampling,
    rank_loss_probability,
    sparse_low_rank_total_bound,
    stacked_identity_failure,
    vandermonde_total_bound,
)
from theorytk.sensitivity.sampling_laws import (
    ROW_LAWS,
    cd21_over_v1,
    estimator_variance,
    root_leverage_limit,
    root_leverage_next,
    sufficient_oversampling,
    sufficient_rows,
)
from theorytk.sensitivity.theory import total_sensitivity_range


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 6.0])
@pytest.mark.parametrize("d", [2, 3, 5])
def test_flat_block_total_against_optimisers(sensitivities_oracle, d, p):
    total = sensitivities_oracle(flat_block(d), p).sum()
    assert flat_block_total(d, p) == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("d", [1, 2, 7, 40, 301])
def test_flat_block_total_closed_forms(d):
    mean = d * Fraction(math.comb(d - 1, (d - 1) // 2), 2 ** (d - 1))
    assert flat_block_total(d, 1.0) == pytest.approx(float(d / mean), rel=1e-11)
    assert flat_block_total(d, 2.0) == pytest.approx(d, rel=1e-11)
    assert flat_block_total(d, 4.0) == pytest.approx(d**3 / (3 * d - 2), rel=1e-11)
    assert flat_block_total(d, 6.0) == pytest.approx(d**5 / (15 * d**2 - 30 * d + 16), rel=1e-11)


@pytest.mark.parametrize("p", [1.0, 2.5, 4.0])
def test_flat_block_limit(p):
    density = scipy.stats.norm.pdf
    moment = 2 * scipy.integrate.quad(lambda x: x**p * density(x), 0, 40, epsabs=1e-12)[0]
    assert flat_block_total_limit(9, p) == pytest.approx(9 ** (p / 2) / moment, rel=1e-9)
    ratios = [flat_block_total(d, p) / flat_block_total_limit(d, p) for d in (100, 1000)]
    assert abs(ratios[1] - 1) < abs(ratios[0] - 1) / 5 < 0.01


@pytest.mark.parametrize("p", [1.0, 2.5, 4.0, 6.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_vandermonde_bound(sensitivities_oracle, p, weighted):
    rng = np.random.default_rng(1)
    A = vandermonde(rng.uniform(-1, 1, 60), 5)
    if weighted:
        A *= rng.standard_cauchy(60)[:, None]
    assert sensitivities_oracle(A, p).sum() <= vandermonde_total_bound(5, p)


def test_gaussian_matrix_breaks_the_vandermonde_bound(sensitivities_oracle):
    A = np.random.default_rng(2).standard_normal((120, 8))
    assert sensitivities_oracle(A, 4.0).sum() > 1.2 * vandermonde_total_bound(8, 4.0)


@pytest.mark.parametrize("p", [1.5, 4.0, 6.0])
def test_polynomial_features_bound(sensitivities_oracle, p):
    X = np.random.default_rng(3).standard_normal((60, 2))
    bound = polynomial_features_total_bound(2, 2, p)
    assert sensitivities_oracle(polynomial_features(X, 2), p).sum() <= bound
    k = math.ceil(p / 2)
    products = [e for e in itertools.product(range(2 * k + 1), repeat=2) if sum(e) <= 2 * k]
    assert bound == len(products)


@pytest.mark.parametrize("p", [1.0, 4.0])
def test_sparse_low_rank_bound(sensitivities_oracle, p):
    A = sparse_plus_low_rank(60, 5, rank=1, sparsity=1, rng=4)
    bound = sparse_low_rank_total_bound(5, 1, 1, p)
    assert bound == 5 * 2 ** max(1, p / 2)
    assert sensitivities_oracle(A, p).sum() <= bound


def test_rank_loss_against_the_binomial_sum():
    d, n, total = 5, 12, 3.0
    for alpha in (0.5, 1.7, 4.0):
        q = min(1.0, alpha * total / n)
        exact = sum(math.comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(d))
        assert rank_loss_probability(d, n, total, alpha) == pytest.approx(exact, rel=1e-12)
    assert rank_loss_oversampling(d, total) * total == d


def test_rank_loss_law_of_flat_blocks():
    # d / S(F) -> d^(1 - p/2) E|g|^p, at p = 1 with E|g| = sqrt(2/pi).
    d = 3000
    alpha = rank_loss_oversampling(d, flat_block_total(d, 1.0))
    assert alpha / (math.sqrt(d) * math.sqrt(2 / math.pi)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 0.5, 1.0, 5.0])
@pytest.mark.parametrize("alpha", [0.4, 2.0, 3.0])
def test_stacked_identity_failure_by_enumeration(alpha, epsilon):
    # All samples of two columns of three copies, with the distortion at p = 1 over many directions.
    A, q, t = np.tile(np.eye(2), (3, 1)), alpha / 3, np.linspace(0, 1, 41)
    X = np.array([1 - t, t])
    failure = 0.0
    for kept in itertools.product((0, 1), repeat=6):
        probability = math.prod(q if k else 1 - q for k in kept)
        ratio = (np.array(kept) / q) @ np.abs(A @ X) / np.abs(A @ X).sum(axis=0)
        failure += probability * (np.abs(ratio - 1).max() > epsilon + 1e-12)
    assert stacked_identity_failure(2, 3, alpha, epsilon) == pytest.approx(failure, abs=1e-12)


def test_kept_row_excess():
    assert kept_row_excess(16, 128, 4.0) == pytest.approx(16**2 / (3 * 128))
    assert kept_row_excess(16, 128, 1.0) == pytest.approx(4 * math.sqrt(math.pi / 2) / 128)


@pytest.mark.parametrize("p", [1.0, 4.0])
def test_flat_block_excess_by_enumeration(p):
    A, rate = flat_block(3), 0.4
    powers, mean = np.abs(A @ A.T) ** p, 0.0
    for kept in itertools.product((0, 1), repeat=4):
        probability = np.prod(np.where(kept, rate, 1 - rate))
        excess = np.array(kept) / rate @ powers / powers.sum(axis=0) - 1
        mean += probability * np.sum(excess * kept)
    assert 4 * rate * flat_block_excess(3, 4 * rate, p) == pytest.approx(mean)


def test_estimator_variance_by_enumeration():
    powers, q = np.array([1.0, 0.3, 2.0, 0.0]), np.array([0.2, 1.0, 0.7, 0.0])
    outcomes = np.array(list(itertools.product((0, 1), repeat=3)))
    probability = np.prod(np.where(outcomes, q[:3], 1 - q[:3]), axis=1)
    sums = (outcomes / q[:3]) @ powers[:3]
    assert probability @ sums == pytest.approx(powers.sum())
    variance = probability @ (sums - powers.sum()) ** 2
    assert estimator_variance(powers, q) == pytest.approx(variance)


def test_row_laws():
    arguments = dict(total=40.0, rank=9, epsilon=0.5)
    expected = {
        ("sensitivity", 1.0): 3 * 40,
        ("sensitivity", 4.0): 40**1.5,
        ("sensitivity-union", 3.0): 360,
        ("sensitivity-v1", 1.0): 1600,
        ("augmented", 1.5): 49,
        ("flattened", 4.0): 3 * 40,
        ("lewis", 1.0): 9,
        ("lewis", 4.0): 81,
    }
    sums = {"augmented": 49, "flattened": 1, "lewis": 9}
    assert {key for key, _ in expected} == set(ROW_LAWS)
    for (scores, p), order in expected.items():
        rows = sufficient_rows(scores, p, constant=2.0, **arguments)
        assert rows == pytest.approx(8 * order)
        alpha = sufficient_oversampling(scores, p, constant=2.0, **arguments)
        assert alpha * sums.get(scores, 40) == pytest.approx(rows)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0, 8.0])
@pytest.mark.parametrize("rank", [1, 4, 50])
def test_order_of_the_bounds(p, rank):
    low, high = total_sensitivity_range(rank, p)
    for total in np.linspace(low, high, 7):
        arguments = dict(total=total, rank=rank, epsilon=1.0)
        plain = sufficient_rows("sensitivity", p, **arguments)
        if p <= 2:
            old = sufficient_rows("sensitivity-v1", p, **arguments)
            assert cd21_over_v1(total, rank, p) == pytest.approx(plain / old)
            assert cd21_over_v1(total, rank, p) <= 1 + 1e-12
        else:
            # S^(2 - 2/p) <= d^(p/2 - 1) S, and mixing in leverage scores never costs the order.
            assert plain <= rank ** (p / 2 - 1) * total * (1 + 1e-12)
            mixed = sufficient_rows("flattened", p, **arguments)
            assert mixed <= plain * (1 + 1e-12)


@pytest.mark.parametrize("p", [1.0, 1.6, 2.0])
def test_root_leverage_total_is_at_most_that_of_equal_scores(p):
    for tails in (1.0, 30.0):
        A = heavy_tailed(80, 5, df=tails, rng=0)
        assert root_leverage_scores(A, p).sum() <= root_leverage_next(80, 5, p, 1.0) * (1 + 1e-12)


@pytest.mark.parametrize("p", [1.0, 1.5])
def test_root_leverage_recursion(p):
    A = flat_block(4)
    alpha = 1.2
    rows = np.minimum(1, alpha * root_leverage_scores(A, p)).sum()
    assert root_leverage_next(8, 4, p, alpha) == pytest.approx(rows)
    n = 1e6
    limit = root_leverage_limit(4, p, alpha)
    for _ in range(40):
        gap = math.log(n / limit)
        n = root_leverage_next(n, 4, p, alpha)
        assert math.log(n / limit) == pytest.approx((1 - p / 2) * gap, abs=1e-12)
    assert n == pytest.approx(limit)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: flat_block_total(0, 1.0), "d must be"),
        (lambda: flat_block_total_limit(3, 0.9), "p must be >= 1"),
        (lambda: vandermonde_total_bound(0, 1.0), "d must be"),
        (lambda: sparse_low_rank_total_bound(0, 1, 1, 1.0), "n_supports must be"),
        (lambda: rank_loss_probability(3, 8, 0.0, 1.0), "total_flat must be"),
        (lambda: stacked_identity_failure(2, 3, 4.0, 0.5), "oversampling must be"),
        (lambda: flat_block_excess(3, 5, 4.0), "n_kept must be"),
        (lambda: estimator_variance([1.0], [0.0]), "q must be in"),
        (lambda: cd21_over_v1(3.0, 3, 3.0), "p must be a number <= 2"),
        (lambda: root_leverage_limit(3, 2.5, 3.0), "p must be a number <= 2"),
        (
            lambda: sufficient_rows("levis", 1.0, total=1.0, rank=1, epsilon=1.0),
            "did you mean 'lewis'",
        ),
        (
            lambda: sufficient_rows("augmented", 3.0, total=1.0, rank=1, epsilon=1.0),
            r"p must be in \[1, 2\] for 'augmented'; got 3",
        ),
        (
            lambda: sufficient_rows("lewis", 3.0, total=1.0, rank=1, epsilon=0.0),
            "epsilon must be",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
