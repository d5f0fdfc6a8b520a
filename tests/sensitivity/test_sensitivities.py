"""Sensitivities against linear programs, general solvers, closed forms and certificates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from theorytk.sensitivity.sensitivities import linear_program, sensitivities
from theorytk.sensitivity.totals import (
    block_sensitivities,
    max_sensitivity,
    total_sensitivity,
)


def families():
    rng = np.random.default_rng(0)
    gauss = rng.standard_normal((60, 4))
    return {
        "gauss": gauss,
        "cauchy": rng.standard_cauchy((60, 4)),
        "condition 1e8": gauss @ np.diag([1, 1e-3, 1e-5, 1e-8]) @ rng.standard_normal((4, 4)),
        "row scales": gauss * np.exp(6 * rng.standard_normal((60, 1))),
        "stacked identity": np.tile(np.eye(4), (10, 1)),
        "sign ties": rng.integers(-1, 2, (80, 4)).astype(float),
        "duplicates": np.repeat(gauss[:15], 4, axis=0),
        "rank 3": gauss[:, :3] @ rng.standard_normal((3, 5)),
        "zero rows": np.vstack([gauss[:20], np.zeros((3, 4))]),
        "wide": rng.standard_normal((3, 6)),
        "plane": rng.standard_cauchy((50, 2)),
        "line": rng.standard_cauchy((20, 1)),
    }


FAMILIES = families()


def by_linear_program(A, a):
    """Return sup |a.x| / |A x|_1 as max a.x over |A x|_1 <= 1: the primal, in split residuals."""
    (n, d), norm = A.shape, np.linalg.norm(a)
    objective = np.concatenate([-a / norm, np.zeros(n)])
    above = np.block([[A, -np.eye(n)], [-A, -np.eye(n)], [np.zeros((1, d)), np.ones((1, n))]])
    found = linprog(
        objective,
        above,
        np.append(np.zeros(2 * n), 1.0),
        bounds=[(None, None)] * d + [(0, None)] * n,
    )
    return -norm * found.fun


@pytest.mark.parametrize("name", ["gauss", "sign ties", "stacked identity", "duplicates", "plane"])
def test_l1_is_the_linear_program(name):
    A = FAMILIES[name]
    expected = [by_linear_program(A, a) for a in A[:12]]
    found = sensitivities(A, 1, rows=range(12))
    np.testing.assert_allclose(found.values, expected, rtol=1e-8)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("p", [1, 1.05, 1.3, 2, 3, 4.5, 8])
def test_intervals_are_narrow_and_match_invariances(name, p):
    A = FAMILIES[name]
    found = sensitivities(A, p)
    assert (found.lower <= found.values).all()
    assert (found.values <= found.upper).all()
    assert (found.upper - found.lower <= 1e-9 * found.upper).all()
    assert (found.upper <= 1).all()
    assert (found.values[~A.any(axis=1)] == 0).all()
    mixing = np.random.default_rng(1).standard_normal((A.shape[1], A.shape[1]))
    rows = np.arange(len(A))[::-1]
    mixed = sensitivities(3 * A @ mixing, p, rows=rows)
    rtol = 1e-5 if name == "condition 1e8" else 1e-8
    np.testing.assert_allclose(mixed.values[::-1], found.values, rtol=rtol)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("p", [1, 1.5, 3, 6])
def test_no_direction_exceeds_the_upper_bound(name, p):
    A = FAMILIES[name]
    x = np.random.default_rng(2).standard_normal((A.shape[1], 2000))
    x = np.hstack([x, np.linalg.pinv(A)])
    power = np.abs(A @ x) ** p
    power = power[:, power.sum(axis=0) > 1e-200]
    assert (power / power.sum(axis=0) <= sensitivities(A, p).upper[:, None] * (1 + 1e-7)).all()


@pytest.mark.parametrize("p", [1.4, 3.0])
def test_newton_agrees_with_a_general_solver(p):
    A = FAMILIES["gauss"]
    for i in range(4):
        constraint = {"type": "eq", "fun": lambda x, i=i: A[i] @ x - 1}
        start = A[i] / (A[i] @ A[i])
        found = minimize(
            lambda x: np.sum(np.abs(A @ x) ** p),
            start,
            constraints=[constraint],
            options={"ftol": 1e-14, "maxiter": 500},
        )
        expected = sensitivities(A, p, rows=[i]).values[0]
        assert 1 / found.fun == pytest.approx(expected, rel=1e-6)


def test_p2_is_leverage():
    A = FAMILIES["gauss"]
    hat = np.diag(A @ np.linalg.pinv(A))
    np.testing.assert_allclose(sensitivities(A, 2).values, hat, rtol=1e-12)


def test_infinity_against_the_hull():
    A = np.array([[1.0, 0.0], [0.0, 1.0], [0.25, 0.5], [2.0, 2.0]])
    # In the symmetric hull of (1, 0), (0, 1), (2, 2) the row (0.25, 0.5) is 0.125 (2, 2) + 0.25
    # (0, 1), with sum 0.375; the others are exposed.
    found = sensitivities(A, math.inf)
    np.testing.assert_allclose(found.values, [1, 1, 0.375, 1], rtol=1e-12)
    large = sensitivities(A, 200.0).values ** (1 / 200)
    np.testing.assert_allclose(large, found.values, rtol=0.02)


@pytest.mark.parametrize("p", [1, 1.5, 3, 4])
@pytest.mark.parametrize("d", [2, 3, 5])
def test_cube_closed_form(d, p):
    signs = np.array(np.meshgrid(*[[1.0, -1.0]] * d)).reshape(d, -1).T
    cube = signs[signs[:, 0] > 0]
    expected = d**p / np.mean(np.abs(signs.sum(axis=1)) ** p)
    assert sensitivities(cube, p).total == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_splitting_a_row_splits_its_score(p):
    A = FAMILIES["gauss"][:20]
    split = np.vstack([A[1:], np.repeat(A[:1], 3, axis=0) * 3 ** (-1 / p)])
    whole, parts = sensitivities(A, p).values, sensitivities(split, p).values
    np.testing.assert_allclose(parts[:-3], whole[1:], rtol=1e-8)
    np.testing.assert_allclose(parts[-3:], whole[0] / 3, rtol=1e-8)


@pytest.mark.parametrize("p", [1, 1.5, 2, 4])
def test_reference_with_a_smaller_range(p):
    A = np.array([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1e-3]])
    found = sensitivities(A, p, reference=[[1.0, 0.0], [1.0, 0.0]])
    np.testing.assert_allclose(found.values, [2.0**p / 2, math.inf, 0, math.inf], rtol=1e-12)
    nothing = sensitivities(A, p, reference=np.zeros((2, 2)))
    np.testing.assert_array_equal(nothing.values, [math.inf, math.inf, 0, math.inf])


@pytest.mark.parametrize("p", [1, math.inf])
def test_linear_program_of_the_fallback(p):
    A = FAMILIES["gauss"]
    found = sensitivities(A, p, rows=range(8))
    for i in range(8):
        lower, upper = linear_program(A, A[i], p)
        assert upper >= lower * (1 - 1e-12)
        assert lower == pytest.approx(found.upper[i], rel=1e-8)
        assert upper == pytest.approx(found.lower[i], rel=1e-8)


def test_plane_agrees_with_the_active_set():
    A = FAMILIES["plane"]
    lifted = np.block([[A, np.zeros((50, 1))], [np.zeros((1, 2)), np.ones((1, 1))]])
    np.testing.assert_allclose(
        sensitivities(A, 1).values, sensitivities(lifted, 1).values[:-1], rtol=1e-9
    )


def test_unreachable_tolerance_warns_and_still_brackets():
    A = FAMILIES["cauchy"]
    with pytest.warns(RuntimeWarning, match="certified intervals wider than tol"):
        found = sensitivities(A, 1.3, tol=1e-300)
    accurate = sensitivities(A, 1.3, tol=1e-11)
    assert (found.lower <= accurate.upper * (1 + 1e-12)).all()
    assert (found.upper >= accurate.lower * (1 - 1e-12)).all()


def test_huge_and_tiny_entries():
    A = FAMILIES["gauss"]
    for p in (1, 1.5, 4):
        expected = sensitivities(A, p).values
        for scale in (1e-150, 1e150):
            np.testing.assert_allclose(sensitivities(scale * A, p).values, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"A": [1.0, 2.0], "p": 1}, "A must have shape"),
        ({"A": [[1.0, np.nan]], "p": 1}, "A must be finite"),
        ({"A": [[1.0]], "p": 0.5}, "p must be >= 1, for below"),
        ({"A": [[1.0]], "p": "one"}, "p must be a number"),
        ({"A": [[1.0]], "p": 1, "rows": [1]}, "rows must be an integer >= 0 and <= 0"),
        ({"A": [[1.0]], "p": 1, "rows": [0.5]}, "rows must be an integer"),
        ({"A": [[1.0]], "p": 1, "reference": [[1.0, 2.0]]}, "reference must have shape"),
        ({"A": [[1.0]], "p": 1, "tol": 0}, "tol must be a number > 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        sensitivities(**arguments)


def test_too_many_rows_ask_for_a_reference():
    A = np.random.default_rng(0).standard_normal((20_001, 3))
    with pytest.raises(ValueError, match="reference=coreset"):
        sensitivities(A, 1)
    assert len(sensitivities(A, 1, rows=[0, 5]).values) == 2
    assert sensitivities(A[:, :2], 1).total < 2


@pytest.mark.parametrize("p", [1, 1.5, 4])
def test_total_estimate(p):
    A = FAMILIES["cauchy"]
    exact = total_sensitivity(A, p)
    scores = sensitivities(A, p).values
    assert exact.value == pytest.approx(scores.sum())
    assert exact.std_error == 0
    found = [total_sensitivity(A, p, size=30, rng=i) for i in range(60)]
    values, errors = np.array([(t.value, t.std_error) for t in found]).T
    # The mean of 60 is normal enough for z = 5.5, false alarm below 1e-6 and a margin for skew.
    assert abs(values.mean() - exact.value) <= 5.5 * values.std(ddof=1) / math.sqrt(60)
    bound = math.sqrt(4 ** abs(1 - p / 2) / 30) * exact.value
    assert math.sqrt(np.mean(errors**2)) <= bound
    assert 0.5 < values.std(ddof=1) / math.sqrt(np.mean(errors**2)) < 2


def test_total_of_zero_and_bad_size():
    assert total_sensitivity(np.zeros((3, 2)), 1, size=5).value == 0
    with pytest.raises(ValueError, match="size must be an integer >= 2"):
        total_sensitivity(np.eye(2), 1, size=1)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("p", [1, 1.5, 2, 4])
def test_max_is_the_maximum(name, p):
    A = FAMILIES[name]
    scores = sensitivities(A, p)
    found = max_sensitivity(A, p)
    assert found.lower == pytest.approx(scores.values.max(), rel=1e-7)
    assert found.upper == pytest.approx(found.lower, rel=1e-7)
    assert scores.values[found.row] == pytest.approx(found.lower, rel=1e-7)
    few = max_sensitivity(A, p, size=1)
    assert few.n_computed <= A.shape[1]
    assert few.lower <= scores.upper.max() * (1 + 1e-9)
    assert few.upper >= scores.lower.max() * (1 - 1e-9)
    assert few.upper <= few.n_computed**p * few.lower * (1 + 1e-7)


def test_max_of_zero_matrix():
    with pytest.raises(ValueError, match="A must not be zero"):
        max_sensitivity(np.zeros((2, 2)), 1)


@pytest.mark.parametrize("p", [1, 3])
def test_block_scores(p):
    A = np.random.default_rng(3).standard_normal((90, 3))
    scores = sensitivities(A, p).values.reshape(-1, 9)
    sums, largest = scores.sum(axis=1), scores.max(axis=1)
    once = np.array([block_sensitivities(A, p, 9, n_repeats=1, rng=i) for i in range(40)])
    assert (once <= 9 ** (p - 1) * sums * (1 + 1e-9)).all()
    # At most half of the draws may fall short; 200 above the mean of 400 tries is z > 6 at 0.65.
    assert np.mean(once < largest * (1 - 1e-9)) < 0.65
    many = block_sensitivities(A, p, 9, n_repeats=30, rng=0)
    assert (many >= largest * (1 - 1e-9)).all()
    assert block_sensitivities(A, p, 20, n_repeats=1, rng=0).shape == (5,)
