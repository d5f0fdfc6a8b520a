"""Regression against scikit-learn, linear programs, general optimisers and its own certificate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import linprog, minimize
from sklearn.linear_model import QuantileRegressor

from theorytk.sensitivity import _least_norm
from theorytk.sensitivity.regression import irls, lp_regression
from theorytk.sensitivity.sensitivities import sensitivities
from theorytk.sensitivity.theory import irls_local_rate


def problems():
    """Return name: (A, b), well posed and not."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((80, 4))
    noise = rng.standard_t(2, 80)
    mixing = np.diag([1, 1e-3, 1e-5, 1e-8]) @ rng.standard_normal((4, 4))
    integers = rng.integers(-2, 3, (60, 3)).astype(float)
    return {
        "gauss": (A, A.sum(axis=1) + noise),
        "cauchy": (rng.standard_cauchy((80, 4)), rng.standard_cauchy(80)),
        "uniform noise": (A, A.sum(axis=1) + rng.uniform(-1, 1, 80)),
        "condition 1e8": (A @ mixing, A.sum(axis=1) + noise),
        "row scales": (A * np.exp(4 * rng.standard_normal((80, 1))), noise),
        "ties": (integers, rng.integers(-3, 4, 60).astype(float)),
        "duplicates": (np.repeat(A[:20], 4, axis=0), np.repeat(noise[:20], 4)),
        "two labels": (np.ones((9, 1)), np.repeat([0.0, 1.0], [4, 5])),
        "rank 2 of 4": (A[:, :2] @ rng.standard_normal((2, 4)), noise),
        "zero rows": (np.vstack([A[:30], np.zeros((5, 4))]), noise[:35]),
        "zero matrix": (np.zeros((6, 2)), noise[:6]),
        "small residuals": (A, A.sum(axis=1) + 1e-9 * noise),
        "an outlier": (A, A.sum(axis=1) + np.where(np.arange(80) == 7, 1e9, noise)),
        "square but one": (A[:5], noise[:5]),
    }


PROBLEMS = problems()
EXPONENTS = [1, 1.05, 1.5, 2, 3, 4.5, 8, 20, math.inf]


def cost(A, b, p, x):
    residual = np.abs(A @ x - b)
    return residual.max() if p == math.inf else np.sum(residual**p)


def by_linear_program(A, b, p):
    """Return the least cost at p = 1 or infinity: the primal program in x and the residuals."""
    d, bounds = A.shape[1], np.eye(len(A)) if p == 1 else np.ones((len(A), 1))
    k = bounds.shape[1]
    above = np.block([[A, -bounds], [-A, -bounds]])
    objective = np.append(np.zeros(d), np.ones(k))
    free = [(None, None)] * d + [(0, None)] * k
    return linprog(objective, above, np.append(b, -b), bounds=free).fun


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("p", EXPONENTS)
def test_the_certificate_can_be_checked_by_hand(name, p):
    A, b = PROBLEMS[name]
    fit = lp_regression(A, b, p)
    assert fit.converged
    accurate = name not in ("condition 1e8", "small residuals")
    assert 0 <= fit.gap <= (1e-10 if accurate else 1e-6)
    assert fit.cost == pytest.approx(cost(A, b, p, fit.x), rel=1e-9)
    size = np.abs(fit.dual) @ np.abs(A)
    assert (np.abs(A.T @ fit.dual) <= 1e-12 * size).all()
    q = 1 if p == math.inf else math.inf if p == 1 else p / (p - 1)
    assert np.linalg.norm(fit.dual, q) == pytest.approx(1, rel=1e-12)
    # The product with b has fewer digits than that with the residuals, which are smaller.
    rounding = 1e-13 * (np.abs(fit.dual) @ np.abs(b) + size @ np.abs(fit.x))
    assert fit.dual @ b == pytest.approx(fit.lower ** (1 if p == math.inf else 1 / p), abs=rounding)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("p", EXPONENTS)
def test_no_neighbour_costs_less_than_the_lower_bound(name, p):
    A, b = PROBLEMS[name]
    fit = lp_regression(A, b, p)
    rng = np.random.default_rng(1)
    for scale in (1e-6, 1e-3, 1.0):
        for x in fit.x * (1 + scale * rng.standard_normal((50, len(fit.x)))):
            assert cost(A, b, p, x) >= fit.lower * (1 - 1e-12)


@pytest.mark.parametrize("name", ["gauss", "uniform noise", "ties", "duplicates", "zero rows"])
def test_l1_is_the_quantile_regression_of_scikit_learn(name):
    A, b = PROBLEMS[name]
    weights = np.random.default_rng(3).integers(0, 4, len(b)).astype(float)
    peer = QuantileRegressor(quantile=0.5, alpha=0, fit_intercept=False).fit(A, b, weights)
    fit = lp_regression(A, b, 1, sample_weight=weights)
    assert fit.cost == pytest.approx(weights @ np.abs(A @ peer.coef_ - b), rel=1e-9)
    assert (np.abs(fit.dual) <= weights * (1 + 1e-12)).all()


@pytest.mark.parametrize("name", ["gauss", "ties", "duplicates", "rank 2 of 4", "two labels"])
@pytest.mark.parametrize("p", [1, math.inf])
def test_linear_programs(name, p):
    A, b = PROBLEMS[name]
    assert lp_regression(A, b, p).cost == pytest.approx(by_linear_program(A, b, p), rel=1e-9)


@pytest.mark.parametrize("p", [1.4, 3.0, 6.0])
def test_newton_agrees_with_a_general_optimiser(p):
    A, b = PROBLEMS["gauss"]

    def gradient(x):
        residual = A @ x - b
        return p * A.T @ (np.sign(residual) * np.abs(residual) ** (p - 1))

    found = minimize(
        lambda x: cost(A, b, p, x), np.zeros(4), jac=gradient, tol=1e-9, method="L-BFGS-B"
    )
    assert lp_regression(A, b, p).cost == pytest.approx(found.fun, rel=1e-8)


def test_p2_is_least_squares():
    A, b = PROBLEMS["gauss"]
    weights = np.linspace(0, 3, 80)
    expected = np.linalg.solve((weights * A.T) @ A, (weights * A.T) @ b)
    fit = lp_regression(A, b, 2, sample_weight=weights)
    np.testing.assert_allclose(fit.x, expected, rtol=1e-12)


def test_large_exponents_approach_the_largest_residual():
    A, b = PROBLEMS["uniform noise"]
    largest = lp_regression(A, b, math.inf).cost
    norms = [lp_regression(A, b, p).cost ** (1 / p) for p in (20.0, 100.0, 300.0)]
    assert largest <= norms[2] <= norms[1] <= norms[0]
    assert norms[2] == pytest.approx(largest, rel=80 ** (1 / 300) - 1)


@pytest.mark.parametrize("p", [1, 1.5, 2, 4])
def test_weights_repeat_rows(p):
    A, b = PROBLEMS["gauss"]
    counts = np.random.default_rng(2).integers(0, 4, len(b))
    fit = lp_regression(A, b, p, sample_weight=counts)
    repeated = lp_regression(np.repeat(A, counts, axis=0), np.repeat(b, counts), p)
    assert fit.cost == pytest.approx(repeated.cost, rel=1e-9)
    assert (fit.dual[counts == 0] == 0).all()


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_the_cost_is_the_reciprocal_of_a_sensitivity(p):
    A, b = PROBLEMS["gauss"]
    target = np.eye(5)[-1:]
    score = sensitivities(target, p, reference=np.column_stack([A, b])).values[0]
    assert lp_regression(A, b, p).cost == pytest.approx(1 / score, rel=1e-9)


@pytest.mark.parametrize("p", [1, 1.5, 2, 6, math.inf])
def test_a_known_part_is_found_exactly(p):
    A, b = PROBLEMS["gauss"]
    shift = np.array([3.0, -2.0, 0.5, 7.0])
    mixing = np.random.default_rng(4).standard_normal((4, 4))
    fit = lp_regression(A, b, p)
    moved = lp_regression(2 * A @ mixing, 3 * (b + A @ shift), p)
    assert moved.cost == pytest.approx(fit.cost * 3 ** min(p, 1 if p == math.inf else p), rel=1e-8)
    # At infinity other minimisers may exist, in no other of these problems.
    np.testing.assert_allclose(mixing @ moved.x * 2 / 3 - shift, fit.x, atol=1e-4)


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("shape", [(3, 5), (4, 4), (50, 3)])
def test_labels_in_the_range_are_fitted(shape, p):
    rng = np.random.default_rng(5)
    A = rng.standard_normal(shape)
    b = A @ rng.standard_normal(shape[1])
    fit = lp_regression(A, b, p)
    assert fit.converged
    np.testing.assert_allclose(A @ fit.x, b, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-120, 1e120])
@pytest.mark.parametrize("p", [1, 1.5, 2])
def test_huge_and_tiny_entries(scale, p):
    A, b = PROBLEMS["gauss"]
    expected = lp_regression(A, b, p)
    fit = lp_regression(scale * A, scale * b, p)
    assert fit.cost == pytest.approx(expected.cost * scale**p, rel=1e-9)
    np.testing.assert_allclose(fit.x, expected.x, atol=1e-6)


def test_nothing_to_fit():
    A = np.ones((3, 2))
    for b, weights in ((np.zeros(3), np.ones(3)), (np.ones(3), np.zeros(3))):
        fit = lp_regression(A, b, 1.5, sample_weight=weights)
        assert fit.converged
        assert (fit.cost, fit.gap) == (0, 0)


@pytest.mark.parametrize("p", [1, 1.3, 7, math.inf])
def test_a_solver_that_stops_early_warns_and_still_brackets(p, monkeypatch):
    A, b = PROBLEMS["cauchy"]
    accurate = lp_regression(A, b, p)
    monkeypatch.setattr(_least_norm, "MAX_ITER", 0)
    monkeypatch.setattr(_least_norm, "l1_settings", lambda B: (1e-11 * np.arange(1.0, 81), 1))
    monkeypatch.setattr(_least_norm, "program_solution", lambda B, b, p: None)
    with pytest.warns(RuntimeWarning, match="certified relative gap .* above tol = 1e-10"):
        fit = lp_regression(A, b, p)
    assert not fit.converged
    assert fit.gap > 1e-10
    assert 0 < fit.lower <= accurate.lower
    assert fit.cost >= accurate.cost


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"A": [1.0]}, "A must have shape"),
        ({"A": [[np.inf], [1.0]]}, "A must be finite"),
        ({"b": [1.0]}, "b must have shape"),
        ({"b": [1.0, np.nan]}, "b must be finite"),
        ({"p": 0.5}, "p must be >= 1, for below"),
        ({"p": "one"}, "p must be a number"),
        ({"sample_weight": [1.0]}, "sample_weight must have shape"),
        ({"sample_weight": [1.0, -2.0]}, "sample_weight must be >= 0; got -2"),
        ({"tol": 0.0}, "tol must be a number > 0"),
        ({"b": [1e200, 0.0], "p": 8}, "b must be scaled"),
        ({"b": [1e-200, 0.0], "p": 8}, "b must be scaled"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        lp_regression(**{"A": [[1.0], [1.0]], "b": [0.0, 1.0], "p": 1, **arguments})


def irls_errors(p, step_size, start=1e-3, n_iter=6):
    """Return the errors of iterates that start near the minimiser."""
    rng = np.random.default_rng(6)
    A = rng.standard_normal((40, 3))
    b = rng.choice([-1, 1], 40) * rng.uniform(1, 2, 40)
    best = lp_regression(A, b, p, tol=1e-13).x
    best = irls(A, b, p, step_size=1 / (p - 1), x0=best, n_iter=3)[-1]
    away = rng.standard_normal(3)
    x0 = best + start * away / np.linalg.norm(away)
    iterates = irls(A, b, p, step_size=step_size, x0=x0, n_iter=n_iter)
    return np.linalg.norm(iterates - best, axis=1)


@pytest.mark.parametrize("p", [1.3, 1.5, 1.8, 2.5, 2.8, 3.2, 4.0])
@pytest.mark.parametrize("step_size", [1.0, 0.5])
def test_irls_has_its_local_rate(p, step_size):
    errors = irls_errors(p, step_size, start=1e-7, n_iter=4)
    np.testing.assert_allclose(errors[1:] / errors[:-1], irls_local_rate(p, step_size), atol=1e-3)


@pytest.mark.parametrize("p", [1.5, 3.0, 5.0])
def test_irls_with_the_step_of_newton_is_quadratic(p):
    errors = irls_errors(p, 1 / (p - 1), start=1e-2, n_iter=2)
    assert errors[1] <= 20 * errors[0] ** 2
    assert errors[2] <= 20 * errors[1] ** 2 + 1e-14
    assert errors[1] >= 1e-8


def test_irls_for_squares_is_done_in_one_step():
    A, b = PROBLEMS["gauss"]
    iterates = irls(A, b, 2, x0=np.ones(4), n_iter=2)
    expected = np.linalg.lstsq(A, b)[0]
    np.testing.assert_allclose(iterates[1:], [expected, expected], rtol=1e-12)
    np.testing.assert_array_equal(irls(A, 0 * b, 3, n_iter=2), np.zeros((3, 4)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1}, "p must be a number > 1"),
        ({"step_size": 0}, "step_size must be a number > 0"),
        ({"x0": [1.0, 2.0]}, "x0 must have shape"),
        ({"n_iter": -1}, "n_iter must be an integer >= 0"),
    ],
)
def test_bad_arguments_of_irls(arguments, message):
    with pytest.raises(ValueError, match=message):
        irls(**{"A": [[1.0], [1.0]], "b": [0.0, 1.0], "p": 3, **arguments})
