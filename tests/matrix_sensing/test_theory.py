import numpy as np
import pytest

from theorytk.matrix_sensing.descent import OneStep, factorized_gd
from theorytk.matrix_sensing.flows import flow_symmetric
from theorytk.matrix_sensing.iteration import iterates
from theorytk.matrix_sensing.local_rate import local_rate
from theorytk.matrix_sensing.operators import IdentitySensing
from theorytk.matrix_sensing.problems import init_factors, init_symmetric_factor, low_rank_matrix
from theorytk.matrix_sensing.theory import (
    agn_contraction,
    degrees_of_freedom,
    eckart_young_error,
    one_step_contraction,
    one_step_max_step,
    precgd_contraction,
    symmetric_asymptote,
    symmetric_exact_contraction,
    symmetric_lower_bound,
    worst_case_lower_bound,
)


def errors(M, F0, G0=None, **arguments):
    """Return all the errors of a population run."""
    run = iterates(IdentitySensing(*M.shape), truth=M, F0=F0, G0=G0, record="all", **arguments)
    return np.array([np.linalg.norm(F @ G.T - M) for _, F, G in run])


@pytest.mark.parametrize("seed", range(8))
def test_flow_obeys_the_symmetric_lower_bound_and_attains_it(seed):
    rng = np.random.default_rng(seed)
    n, r, k = int(rng.integers(4, 9)), int(rng.integers(1, 3)), int(rng.integers(3, 7))
    M = low_rank_matrix(n, singular_values=rng.uniform(0.4, 1, r), psd=True, rng=rng)
    X0 = init_symmetric_factor(n, k, scale=rng.uniform(0.2, 1.5), rng=rng)
    t = np.array([0.0, 0.1, 1.0, 5.0, 25.0, 100.0])
    error = np.linalg.norm(flow_symmetric(M, X0, t) - M, axis=(1, 2))
    bound = symmetric_lower_bound(M, X0, t)
    assert (error >= bound * (1 - 1e-9)).all()
    assert error[-1] == pytest.approx(bound[-1], rel=1e-3)


def test_lower_bound_needs_the_projection_on_the_kernel():
    # With the whole of J0 in the place of its part on ker U0 the flow falls below.
    M = np.diag([1.0, 0.0])
    X0 = np.array([[0.5, 0.0], [0.5, 0.3]])
    t = 50.0
    error = np.linalg.norm(flow_symmetric(M, X0, t) - M)
    wrong = symmetric_lower_bound(np.zeros((1, 1)), X0[1:], t)
    assert symmetric_lower_bound(M, X0, t) <= error < 0.99 * wrong


def test_discrete_lower_bound_where_it_is_proved():
    # Orthogonal signal and noise rows: each noise singular value obeys s <- s (1 - eta s^2).
    M, eta = np.diag([1.0, 0.0, 0.0]), 0.3
    X0 = np.array([[0.2, 0.0, 0.0], [0.0, 0.9, 0.1], [0.0, -0.3, 0.5]])
    measured = errors(M, X0, step_size=eta, max_iter=300)
    t = np.arange(301)
    assert (measured >= symmetric_lower_bound(M, X0, t, step_size=eta)).all()
    assert (measured < symmetric_lower_bound(M, X0, eta * t))[1:20].any()


def test_discrete_lower_bound_fails_for_some_other_start():
    rng = np.random.default_rng(186)
    n, r, k = int(rng.integers(4, 12)), int(rng.integers(1, 3)), int(rng.integers(3, 7))
    M = low_rank_matrix(n, singular_values=rng.uniform(0.2, 1, r), psd=True, rng=rng)
    X0 = init_symmetric_factor(n, k, scale=rng.uniform(0.1, 1.5), rng=rng)
    eta = rng.uniform(0.02, 0.9) * min(1 / np.linalg.norm(X0, 2) ** 2, 0.5)
    measured = errors(M, X0, step_size=eta, max_iter=100)
    ratio = measured / symmetric_lower_bound(M, X0, np.arange(101), step_size=eta)
    assert 0.9 < ratio.min() < 0.95


def test_no_bound_for_exact_parameterisation():
    M = low_rank_matrix(6, singular_values=[1.0, 0.5], psd=True, rng=0)
    X0 = init_symmetric_factor(6, 2, scale=0.5, rng=1)
    assert symmetric_lower_bound(M, X0, [0.0, 5.0]) == pytest.approx([0.0, 0.0], abs=1e-15)


@pytest.mark.parametrize(("n", "k"), [(50, 4), (50, 8), (5, 8)])
def test_symmetric_asymptote_is_reached(n, k):
    M = low_rank_matrix(n, singular_values=[1.0, 0.75, 0.5], psd=True, rng=0)
    X0 = init_symmetric_factor(n, k, scale=0.5, rng=1)
    run = iterates(IdentitySensing(n), truth=M, F0=X0, step_size=0.1, max_iter=10**5)
    t, X, _ = list(run)[-1]
    predicted = symmetric_asymptote(n, 3, k, t, step_size=0.1)
    assert np.linalg.norm(X @ X.T - M) == pytest.approx(predicted, rel=5e-3)


def test_exact_symmetric_descent_contracts_by_the_least_eigenvalue():
    M = low_rank_matrix(8, singular_values=[1.0, 0.4], psd=True, rng=0)
    X0 = init_symmetric_factor(8, 2, scale=0.3, rng=1)
    e = errors(M, X0, step_size=0.1, max_iter=500)
    assert e[500] / e[499] == pytest.approx(symmetric_exact_contraction(0.4, 0.1), rel=1e-6)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_too_few_columns_leave_the_eckart_young_error(k):
    sigma = [1.0, 0.8, 0.5, 0.2]
    M = low_rank_matrix(10, singular_values=sigma, rng=0)
    F0, G0 = init_factors(10, 10, k, scale=0.3, rng=1)
    error = errors(M, F0, G0, step_size=0.2, max_iter=1500)[-1]
    assert error == pytest.approx(eckart_young_error(sigma[::-1], k), abs=1e-10)


@pytest.mark.parametrize("alpha", [0.1, 0.3, 1.2])
@pytest.mark.parametrize("c", [0.1, 1 / 3, 0.9])
def test_worst_case_start_obeys_its_bound_with_the_right_rate(alpha, c):
    M, eta = np.diag([1.0, 0.0]), 0.1
    steps = int(8 / (eta * alpha**2))
    e = errors(M, alpha * np.eye(2), c * alpha * np.eye(2), step_size=eta, max_iter=steps)
    bound = worst_case_lower_bound(alpha, np.arange(steps + 1), step_size=eta, ratio=c)
    assert (e >= bound).all()
    # The bound decays with alpha^2; the run with delta, between (1 - c^2) alpha^2 and alpha^2.
    rate = -np.log(e[-1] / e[-2])
    assert rate <= -np.log(bound[-1] / bound[-2]) * (1 + 1e-6)
    if c < 0.5:
        assert rate >= 0.85 * (1 - c**2) * eta * alpha**2


def test_one_step_factor_is_the_local_rate_at_the_ideal_limit():
    M = low_rank_matrix(8, singular_values=[1.0, 0.7], rng=0)
    U = np.linalg.svd(M)[0]
    for beta in (0.4, 0.8, 1.3):
        F = beta * U[:, :4]
        G = M.T @ F / beta**2
        found = local_rate(IdentitySensing(8), F, G, rank=2)
        assert 1 - 0.1 * found.rate == pytest.approx(one_step_contraction(0.7, beta, 0.1))
        assert 2 / found.spectrum[-1] == pytest.approx(one_step_max_step(1.0, beta))


def test_one_step_run_has_the_predicted_rate_and_stability():
    M = low_rank_matrix(30, singular_values=[1.0, 0.75, 0.5], rng=0)
    F0, G0 = init_factors(30, 30, 5, scale=0.1, rng=1)

    def last_error(step_size, max_iter, burn_in=200):
        run = iterates(IdentitySensing(30), truth=M, F0=F0, G0=G0, step_size=0.1, max_iter=burn_in)
        _, F, G = list(run)[-1]
        return factorized_gd(
            IdentitySensing(30),
            truth=M,
            F0=F,
            G0=G,
            step_size=step_size,
            max_iter=max_iter,
            rule=lambda F, G, residual, eta: (
                F - eta * residual(F, G) @ G,
                G - eta * residual(F, G).T @ F,
            ),
            one_step=OneStep(beta=0.8, at=0),
        ).history["error"][-1]

    contraction = (last_error(0.1, 600) / last_error(0.1, 500)) ** 0.01
    rate = (1 - contraction) / (1 - one_step_contraction(0.5, 0.8, 0.1))
    assert rate == pytest.approx(1, rel=0.05)
    limit = one_step_max_step(1.0, 0.8)
    assert last_error(0.95 * limit, 800) < 1e-10 < last_error(1.05 * limit, 800)


@pytest.mark.parametrize(("kappa", "c"), [(1, 1.0), (10, 1.0), (100, 1.0), (10, 0.3)])
def test_precgd_contracts_by_its_factor_for_any_condition_number(kappa, c):
    M = low_rank_matrix(20, singular_values=[1.0, 1 / kappa], psd=True, rng=1)
    X0 = init_symmetric_factor(20, 4, scale=0.3, rng=2)

    def rule(F, G, residual, eta):
        R = residual(F, G)
        inverse = np.linalg.inv(F.T @ F + c * np.linalg.norm(R) * np.eye(4))
        return F - eta * R @ F @ inverse, G

    e = errors(M, X0, step_size=0.3, max_iter=70, rule=rule)
    assert e[70] / e[69] == pytest.approx(precgd_contraction(20, 2, 4, 0.3, c=c), rel=2e-3)


@pytest.mark.parametrize(("n", "r", "k", "c"), [(4, 2, 4, 0.2), (2, 1, 2, 0.3)])
def test_precgd_is_faster_when_the_factor_reaches_every_direction(n, r, k, c):
    M, X0 = np.diag([1.0] * r + [0.0] * (n - r)), init_symmetric_factor(n, k, scale=0.3, rng=2)

    def rule(F, G, residual, eta):
        R = residual(F, G)
        inverse = np.linalg.inv(F.T @ F + c * np.linalg.norm(R) * np.eye(k))
        return F - eta * R @ F @ inverse, G

    e = errors(M, X0, step_size=0.3, max_iter=40, rule=rule)
    law = precgd_contraction(n, r, k, 0.3, c=c)
    assert law < 0.65
    assert e[40] / e[39] == pytest.approx(law, rel=5e-3)


@pytest.mark.parametrize("kappa", [1, 10, 100])
def test_agn_contracts_by_one_minus_the_step(kappa):
    M = low_rank_matrix(20, singular_values=[1.0, 1 / kappa], rng=1)
    F0, G0 = init_factors(20, 20, 4, scale=0.3, rng=2)
    # From about 1e-8 on rounding in the null directions takes part.
    e = errors(M, F0, G0, step_size=0.5, max_iter=20, rule="agn")
    assert e[20] / e[19] == pytest.approx(agn_contraction(0.5), rel=1e-3)


@pytest.mark.parametrize(
    ("n1", "n2", "r", "k"), [(6, 5, 2, 3), (5, 6, 2, 3), (5, 6, 2, 2), (4, 6, 3, 5), (6, 4, 1, 6)]
)
def test_degrees_of_freedom_is_the_rank_of_the_jacobian(n1, n2, r, k):
    rng = np.random.default_rng(0)
    F = rng.standard_normal((n1, k))
    G = rng.standard_normal((n2, r)) @ rng.standard_normal((r, k))
    left = [np.outer(e, G[:, b]).ravel() for e in np.eye(n1) for b in range(k)]
    right = [np.outer(F[:, b], e).ravel() for e in np.eye(n2) for b in range(k)]
    assert np.linalg.matrix_rank(np.array(left + right)) == degrees_of_freedom(n1, n2, r, k)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: symmetric_lower_bound([[0.0, 1.0], [0.0, 0.0]], np.eye(2), 1.0), "symmetric"),
        (lambda: symmetric_lower_bound(-np.eye(2), np.eye(2), 1.0), "positive semidefinite"),
        (lambda: symmetric_lower_bound(np.eye(2), np.eye(3), 1.0), "X0 must have shape"),
        (lambda: symmetric_lower_bound(np.eye(2), np.eye(2), -1.0), "t must be >= 0"),
        (lambda: symmetric_lower_bound(np.eye(2), np.eye(2), 1.0, step_size=1.0), "below 1"),
        (lambda: symmetric_asymptote(5, 3, 3, 1.0, step_size=0.1), "k must be"),
        (lambda: symmetric_asymptote(5, 3, 4, 0.0, step_size=0.1), "t must be > 0"),
        (lambda: symmetric_exact_contraction(0.0, 0.1), "sigma_r must be"),
        (lambda: eckart_young_error([1.0], -1), "k must be"),
        (lambda: worst_case_lower_bound(0.1, 1.0, step_size=0.1, ratio=1.0), "ratio must be"),
        (lambda: worst_case_lower_bound(4.0, 1.0, step_size=0.1), "step_size must be below"),
        (lambda: one_step_contraction(0.5, 0.0, 0.1), "beta must be"),
        (lambda: one_step_max_step(-1.0, 0.1), "sigma_1 must be"),
        (lambda: precgd_contraction(5, 2, 2, 0.1), "k must be"),
        (lambda: agn_contraction(1.5), "step_size must be"),
        (lambda: degrees_of_freedom(5, 5, 3, 2), "k must be"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
