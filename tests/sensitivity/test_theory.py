"""Comparisons and rates against sensitivities by general optimisers and numerical Jacobians."""

import math

import numpy as np
import pytest

from theorytk.sensitivity.leverage import leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.matrices import coherent, flat_block, heavy_tailed, stacked_identity
from theorytk.sensitivity.theory import (
    flattening_bound,
    lewis_best_step,
    lewis_global_rate,
    lewis_local_rate,
    mixture_density_bound,
    onesided_lewis_bound,
    sensitivity_bounds_from_leverage,
    sensitivity_bounds_from_lewis,
    total_estimator_relative_sd,
    total_sensitivity_range,
)

EXPONENTS = [1.0, 1.5, 2.0, 3.0, 6.0]
MATRICES = {
    "Gaussian": np.random.default_rng(0).standard_normal((40, 3)),
    "Cauchy": heavy_tailed(40, 3, df=1.0, rng=1),
    "coherent": coherent(20, 3, rng=2),
    "flat": flat_block(4),
    "stacked": stacked_identity(3, 5, 2.0),
    "zero row": np.vstack([np.zeros((1, 2)), np.random.default_rng(3).standard_normal((9, 2))]),
}


@pytest.fixture(scope="module", params=MATRICES)
def instance(request, sensitivities_oracle):
    A = MATRICES[request.param]
    return A, {p: sensitivities_oracle(A, p) for p in EXPONENTS}


@pytest.mark.parametrize("p", EXPONENTS)
def test_scores_lie_within_their_bounds(instance, p):
    A, sensitivities = instance
    sigma = sensitivities[p]
    rank = A.shape[1]
    for lower, upper in (
        sensitivity_bounds_from_lewis(lewis_weights(A, p).weights, p, rank),
        sensitivity_bounds_from_leverage(leverage_scores(A), p),
    ):
        assert (lower <= sigma * (1 + 1e-6)).all()
        assert (sigma <= upper * (1 + 1e-6)).all()
    low, high = total_sensitivity_range(rank, p)
    assert low * (1 - 1e-6) <= sigma.sum() <= high * (1 + 1e-6)


def test_bounds_are_attained():
    # One column has sigma = w = |a|^p / sum |a|^p, and a total of 1.
    w = np.array([0.1, 0.2, 0.7])
    for p in (1.0, 4.0):
        assert np.allclose(sensitivity_bounds_from_lewis(w, p, 1), w)
        assert total_sensitivity_range(1, p) == (1.0, 1.0)
    # A column of n ones has sigma = 1/n: the lower bound for p < 2 and the upper for p > 2.
    tau = np.full(5, 0.2)
    assert sensitivity_bounds_from_leverage(tau, 1.0)[0] == pytest.approx(tau)
    assert sensitivity_bounds_from_leverage(tau, 4.0)[1] == pytest.approx(tau)


@pytest.mark.parametrize("p", EXPONENTS)
def test_variance_of_the_total_estimator(instance, p):
    A, sensitivities = instance
    sigma, w = sensitivities[p], lewis_weights(A, p).weights
    keep = w > 0
    pi = w[keep] / w.sum()
    variance = np.sum(sigma[keep] ** 2 / pi) / sigma.sum() ** 2 - 1
    assert math.sqrt(max(variance, 0) / 7) <= total_estimator_relative_sd(A.shape[1], p, 7) + 1e-6


def lewis_map(A, w, p):
    M = (A.T * w ** (1 - 2 / p)) @ A
    return np.einsum("ij,ji->i", A, np.linalg.solve(M, A.T)) ** (p / 2)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 4.0, 8.0])
@pytest.mark.parametrize("step", [0.25, 0.5, 1.0])
def test_local_rate_bounds_the_spectral_radius(p, step):
    A = MATRICES["Gaussian"]
    log_w = np.log(lewis_weights(A, p, tol=1e-12).weights)
    h = 1e-5

    def update(x):
        return (1 - step) * x + step * np.log(lewis_map(A, np.exp(x), p))

    directions = h * np.eye(len(A))
    J = np.array([(update(log_w + e) - update(log_w - e)) / (2 * h) for e in directions]).T
    eigenvalues = np.linalg.eigvals(J).real
    radius = np.abs(eigenvalues).max()
    assert radius <= lewis_local_rate(p, step) + 1e-7
    # The constants are an eigenvector, and 40 rows of 6 products have a kernel of L.
    assert np.abs(eigenvalues - (1 - step * p / 2)).min() < 1e-7
    assert radius == pytest.approx(lewis_local_rate(p, step), abs=1e-6)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 8.0])
def test_best_step_is_best(p):
    steps = np.linspace(0.01, 2.5, 500)
    rates = [lewis_local_rate(p, step) for step in steps]
    best = lewis_local_rate(p, lewis_best_step(p))
    assert best == pytest.approx(abs(p - 2) / (p + 2))
    assert best <= min(rates) + 1e-12
    assert steps[np.argmin(rates)] == pytest.approx(lewis_best_step(p), abs=0.01)


@pytest.mark.parametrize("p", [1.0, 1.7, 2.0, 3.0, 3.9, 6.0])
@pytest.mark.parametrize("step", [0.3, 0.8, 1.0, 1.3])
def test_global_rate_holds_from_any_start(p, step):
    rng = np.random.default_rng(4)
    for A in (MATRICES["Gaussian"], MATRICES["Cauchy"]):
        exact = lewis_weights(A, p, tol=1e-12).weights
        for _ in range(20):
            w = exact * np.exp(3 * rng.standard_normal(len(A)))
            after = w ** (1 - step) * lewis_map(A, w, p) ** step
            before = np.abs(np.log(w / exact)).max()
            assert np.abs(np.log(after / exact)).max() <= lewis_global_rate(p, step) * before + 1e-9


@pytest.mark.parametrize("p", [1.5, 3.0, 3.9])
def test_global_rate_of_the_best_step(p):
    rate = lewis_global_rate(p, lewis_best_step(p))
    assert rate == pytest.approx(3 * abs(p - 2) / (p + 2))
    assert rate < 1


def density(A, mu, p):
    M = (A.T * mu ** (1 - 2 / p)) @ A
    scores = np.einsum("ij,ji->i", A, np.linalg.solve(M, A.T))
    return np.max(mu ** (-2 / p) * scores), mu ** (1 - 2 / p) * scores


@pytest.mark.parametrize("p", [2.0, 3.0, 4.0, 10.0])
def test_flattening(p):
    rng = np.random.default_rng(5)
    for A in (MATRICES["Gaussian"], MATRICES["Cauchy"], MATRICES["flat"]):
        mu = rng.dirichlet(np.ones(len(A)))
        B, tau = density(A, mu, p)
        for _ in range(4):
            mu = (mu + tau / A.shape[1]) / 2
            after, tau = density(A, mu, p)
            assert after <= flattening_bound(B, A.shape[1], p) * (1 + 1e-12)
            B = after


@pytest.mark.parametrize("p", [2.0, 3.0, 6.0])
def test_density_of_a_mixture_with_lewis_weights(p):
    rng = np.random.default_rng(6)
    for A in (MATRICES["Gaussian"], MATRICES["Cauchy"], MATRICES["flat"], np.eye(3)):
        w, mu = lewis_weights(A, p).weights, rng.dirichlet(np.full(len(A), 0.1))
        bound = mixture_density_bound(A.shape[1])
        assert density(A, (mu + w / A.shape[1]) / 2, p)[0] <= bound * (1 + 1e-9)


def test_density_of_the_sensitivities_is_at_most_their_total(instance):
    A, sensitivities = instance
    for p in (2.0, 3.0, 6.0):
        keep = sensitivities[p] > 0
        sigma = sensitivities[p][keep]
        assert density(A[keep], sigma / sigma.sum(), p)[0] <= sigma.sum() * (1 + 1e-6)


def test_largest_sensitivity_grows_with_p(instance):
    largest = [instance[1][p].max() for p in EXPONENTS]
    assert (np.diff(largest) >= -1e-6).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sensitivity_bounds_from_lewis([0.5], 0.5, 1), "p must be >= 1"),
        (lambda: sensitivity_bounds_from_lewis([-0.5], 1.0, 1), "weights must be >= 0; got -0.5"),
        (lambda: sensitivity_bounds_from_lewis([[0.5]], 1.0, 1), "weights must have shape"),
        (lambda: sensitivity_bounds_from_leverage([np.nan], 1.0), "leverage must be finite"),
        (lambda: total_sensitivity_range(-1, 1.0), "rank must be"),
        (lambda: lewis_local_rate(1.0, 0.0), "step_size must be"),
        (lambda: lewis_best_step(math.inf), "p must be"),
        (lambda: flattening_bound(3.0, 2, 1.5), "p must be a number >= 2"),
        (lambda: onesided_lewis_bound(3, 4, 1), "rank must be"),
        (lambda: total_estimator_relative_sd(3, 1.0, 0), "n_samples must be"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
