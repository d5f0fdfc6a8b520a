from functools import partial

import numpy as np
import pytest

from theorytk.matrix_sensing.iteration import iterates
from theorytk.matrix_sensing.operators import GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.problems import init_factors, low_rank_matrix
from theorytk.matrix_sensing.updates import (
    UPDATE_RULES,
    AlternatingLeastSquares,
    agn_step,
    damped_step,
    gradient_step,
    precgd_step,
    scaled_step,
    sequential_step,
)

N1, N2, K, ETA = 6, 5, 3, 0.05


@pytest.fixture
def state():
    rng = np.random.default_rng(0)
    M = low_rank_matrix(N1, N2, singular_values=[1.0, 0.5], rng=rng)
    F, G = rng.standard_normal((N1, K)), rng.standard_normal((N2, K))
    operator = GaussianSensing(40, N1, N2, rng=rng)
    return operator, M, F, G, lambda F, G: operator.normal(F @ G.T - M)


def numerical_gradient(loss, X):
    """Return central differences of the loss: the other route to a gradient."""
    gradient = np.zeros_like(X)
    for index in np.ndindex(X.shape):
        step = np.zeros_like(X)
        step[index] = 1e-5
        gradient[index] = (loss(X + step) - loss(X - step)) / 2e-5
    return gradient


def test_gradient_step_follows_both_gradients_of_the_loss(state):
    operator, M, F, G, residual = state

    def loss(F, G):
        return np.sum(operator.apply(F @ G.T - M) ** 2) / 2

    F_next, G_next = gradient_step(F, G, residual, ETA)
    assert np.allclose((F - F_next) / ETA, numerical_gradient(lambda X: loss(X, G), F), atol=1e-7)
    assert np.allclose((G - G_next) / ETA, numerical_gradient(lambda X: loss(F, X), G), atol=1e-7)
    F_turn, G_turn = sequential_step(F, G, residual, ETA)
    assert np.array_equal(F_turn, F_next)
    new = numerical_gradient(lambda X: loss(F_turn, X), G)
    assert np.allclose((G - G_turn) / ETA, new, atol=1e-7)


@pytest.mark.parametrize(
    ("rule", "damping"),
    [
        (scaled_step, lambda R: 0.0),
        (damped_step, lambda R: 0.01),
        (partial(damped_step, damping=0.3), lambda R: 0.3),
        (precgd_step, lambda R: np.sqrt(np.sum(R**2))),
        (partial(precgd_step, c=0.5), lambda R: 0.5 * np.sqrt(np.sum(R**2))),
    ],
)
def test_preconditioned_steps_divide_by_the_damped_gram(state, rule, damping):
    _, _, F, G, residual = state
    R = residual(F, G)
    ridge = damping(R) * np.eye(K)
    F_next, G_next = rule(F, G, residual, ETA)
    assert np.allclose(F_next, F - ETA * R @ G @ np.linalg.inv(G.T @ G + ridge), atol=1e-12)
    assert np.allclose(G_next, G - ETA * R.T @ F @ np.linalg.inv(F.T @ F + ridge), atol=1e-12)


def test_agn_is_free_of_the_gauge(state):
    # A change of basis F Q, G Q^-T leaves the products of AGN, not those of GD, as they were.
    _, _, F, G, residual = state
    Q = np.diag([1.0, 3.0, 0.2])
    for rule, invariant in ((agn_step, True), (gradient_step, False)):
        A, B = rule(F, G, residual, 0.5)
        C, D = rule(F @ Q, G @ np.linalg.inv(Q), residual, 0.5)
        assert np.allclose(A @ B.T, C @ D.T, atol=1e-10) == invariant


def test_alternating_least_squares_solves_each_half_exactly(state):
    operator, M, F, G, residual = state
    als = AlternatingLeastSquares(operator)
    F_next, G_next = als(F, G, residual, 1.0)
    y = operator.apply(M)
    columns = [operator.apply(np.outer(e, g)) for e in np.eye(N1) for g in G.T]
    by_lstsq = np.linalg.lstsq(np.array(columns).T, y, rcond=None)[0].reshape(N1, K)
    assert np.allclose(F_next, by_lstsq, atol=1e-9)
    columns = [operator.apply(np.outer(f, e)) for e in np.eye(N2) for f in F_next.T]
    by_lstsq = np.linalg.lstsq(np.array(columns).T, y, rcond=None)[0].reshape(N2, K)
    assert np.allclose(G_next, by_lstsq, atol=1e-9)
    half = als(F, G, residual, 0.5)[0]
    assert np.allclose(half, (F + F_next) / 2, atol=1e-12)


def test_alternating_least_squares_in_the_population_is_agn_with_a_full_step(state):
    _, M, F, G, _ = state

    def residual(F, G):
        return F @ G.T - M

    als = AlternatingLeastSquares(IdentitySensing(N1, N2))(F, G, residual, 1.0)
    agn = agn_step(F, G, residual, 1.0)
    assert np.allclose(als[0], agn[0], atol=1e-10)
    assert np.allclose(als[1], agn[1], atol=1e-10)


def test_alternating_least_squares_recovers_with_too_many_columns():
    M = low_rank_matrix(12, singular_values=[1.0, 0.5], rng=1)
    F0, G0 = init_factors(12, 12, 4, scale=0.3, rng=2)
    operator = GaussianSensing(300, 12, rng=0)
    rule = AlternatingLeastSquares(operator)
    run = iterates(operator, truth=M, F0=F0, G0=G0, step_size=1.0, max_iter=30, rule=rule)
    _, F, G = list(run)[-1]
    assert np.linalg.norm(F @ G.T - M) < 1e-13


def test_every_named_rule_converges_for_a_small_step_in_the_population():
    M = low_rank_matrix(8, singular_values=[1.0, 0.5], rng=1)
    U, s, Vt = np.linalg.svd(M)
    rng = np.random.default_rng(2)
    F0 = U[:, :2] * np.sqrt(s[:2]) + 0.05 * rng.standard_normal((8, 2))
    G0 = Vt[:2].T * np.sqrt(s[:2]) + 0.05 * rng.standard_normal((8, 2))
    for name in UPDATE_RULES:
        run = iterates(
            IdentitySensing(8), truth=M, F0=F0, G0=G0, step_size=0.2, max_iter=400, rule=name
        )
        _, F, G = list(run)[-1]
        assert np.linalg.norm(F @ G.T - M) < 1e-11, name


def test_a_symmetric_rule_may_return_anything_second():
    X0 = np.full((3, 2), 0.3)

    def rule(X, _, residual, step_size):
        return X - step_size * residual(X, X) @ X, None

    run = dict(truth=np.eye(3), F0=X0, step_size=0.1, max_iter=5, record=[5])
    (_, mine, _), (_, ours, _) = (
        list(iterates(IdentitySensing(3), rule=r, **run))[-1] for r in (rule, "gradient")
    )
    np.testing.assert_allclose(mine, ours, rtol=1e-13)


def test_precgd_runs_on_after_convergence_with_singular_grams():
    truth = np.diag([1.0, 0.5, 0.0, 0.0, 0.0])
    F0 = init_factors(5, 5, 4, scale=0.3, rng=0)[0]
    run = iterates(
        IdentitySensing(5), truth=truth, F0=F0, step_size=0.5, max_iter=3000, rule="precgd"
    )
    *_, (iteration, X, _) = run
    assert iteration == 3000
    assert np.linalg.norm(X @ X.T - truth) < 1e-14
