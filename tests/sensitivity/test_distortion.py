"""Distortions against closed forms, grids of directions, brute force and one another."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.linalg import block_diag

from theorytk.sensitivity.distortion import distortion


def sampled(n, d, seed, rate=0.3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), (rng.random(n) < rate) / rate


def ratios(A, omega, p, x):
    power = np.abs(A @ np.asarray(x).T) ** p
    return omega @ power / power.sum(axis=0)


def check_witnesses(A, omega, p, found):
    assert ratios(A, omega, p, found.x_max) == pytest.approx(found.ratio_max, rel=1e-9)
    assert ratios(A, omega, p, found.x_min) == pytest.approx(found.ratio_min, rel=1e-9, abs=1e-9)
    assert found.lower == pytest.approx(max(found.ratio_max - 1, 1 - found.ratio_min), rel=1e-9)
    assert found.upper >= found.lower


def circle(count):
    angle = np.linspace(0, np.pi, count, endpoint=False)
    return np.column_stack([np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("p", [1, 1.3, 2, 3, 4])
def test_plane_on_a_grid(p, seed):
    A, omega = sampled(60, 2, seed)
    grid = ratios(A, omega, p, circle(100_000))
    found = distortion(A, omega, p, rng=0)
    assert found.status == ("exact" if p in (1, 2) else "certified")
    assert found.ratio_max == pytest.approx(grid.max(), rel=1e-4)
    assert found.ratio_min == pytest.approx(grid.min(), rel=1e-4)
    assert found.upper >= max(grid.max() - 1, 1 - grid.min())
    assert found.upper - found.lower <= 1e-4 * (1 + found.upper)
    check_witnesses(A, omega, p, found)


@pytest.mark.parametrize("seed", range(4))
def test_l1_in_space_by_all_vertices(seed):
    A, omega = sampled(25, 3, seed)
    A[3] = 2 * A[5]
    vertices = np.array([np.cross(a, b) for a, b in itertools.combinations(A, 2)])
    vertices = vertices[np.linalg.norm(vertices, axis=1) > 1e-9]
    values = ratios(A, omega, 1, vertices)
    found = distortion(A, omega, 1)
    assert found.status == "exact"
    assert found.ratio_max == pytest.approx(values.max(), rel=1e-10)
    assert found.ratio_min == pytest.approx(values.min(), rel=1e-10, abs=1e-12)
    check_witnesses(A, omega, 1, found)


def test_p2_is_an_eigenvalue_problem():
    A, omega = sampled(200, 5, 0)
    values = np.linalg.eigvals(np.linalg.solve(A.T @ A, (omega * A.T) @ A)).real
    found = distortion(A, omega, 2)
    assert found.status == "exact"
    assert found.upper == pytest.approx(max(values.max() - 1, 1 - values.min()), rel=1e-9)
    check_witnesses(A, omega, 2, found)


@pytest.mark.parametrize("p", [1, 1.5, 3, 4])
def test_stacked_identity_is_exact_for_every_p(p):
    omega = np.random.default_rng(0).integers(0, 4, 60).astype(float)
    A = np.tile(np.eye(5), (12, 1)) * 12 ** (-1 / p)
    found = distortion(A, omega, p)
    sums = omega.reshape(12, 5).mean(axis=0)
    assert found.status == "exact"
    assert found.lower == pytest.approx(np.abs(sums - 1).max())
    check_witnesses(A, omega, p, found)


@pytest.mark.parametrize("p", [1, 3])
def test_blocks_are_measured_apart(p):
    parts = [sampled(40, 2, seed) for seed in range(3)]
    A, omega = block_diag(*[A for A, _ in parts]), np.concatenate([w for _, w in parts])
    shuffle = np.random.default_rng(0).permutation(120)
    columns = [4, 0, 2, 5, 1, 3]
    found = distortion(A[shuffle][:, columns], omega[shuffle], p, rng=0)
    apart = [distortion(*part, p, rng=0) for part in parts]
    assert found.lower == pytest.approx(max(part.lower for part in apart), rel=1e-5)
    assert found.status == apart[0].status
    check_witnesses(A[shuffle][:, columns], omega[shuffle], p, found)


@pytest.mark.parametrize("d", [3, 4, 6])
@pytest.mark.parametrize("p", [1, 1.5, 3, 4, 6])
def test_no_direction_leaves_the_interval(d, p):
    A, omega = sampled(120, d, 7)
    found = distortion(A, omega, p, rng=0)
    check_witnesses(A, omega, p, found)
    x = np.vstack([np.random.default_rng(1).standard_normal((5000, d)), A])
    values = ratios(A, omega, p, x)
    assert values.max() <= found.ratio_max * (1 + 1e-9)
    assert values.min() >= found.ratio_min * (1 - 1e-9)
    bounded = d <= 4 or p in (4, 6)
    expected = "exact" if p == 1 and d == 3 else "certified" if bounded else "estimate"
    assert found.status == expected
    assert (found.upper < math.inf) == bounded


@pytest.mark.parametrize("seed", range(5))
def test_ascent_comes_near_the_exact_l1_distortion(seed):
    # A block joined on by one row makes the rank 4, so that ascent must be used; the exact
    # distortion of the part of rank 3 is a lower bound that it must reach.
    A, omega = sampled(80, 3, seed)
    exact = distortion(A, omega, 1)
    joined = np.vstack([np.column_stack([A, np.zeros(80)]), [1e-3, 0, 0, 1e-3]])
    found = distortion(joined, np.append(omega, 1.0), 1, rng=0)
    assert found.status == "certified"
    assert found.lower >= 0.97 * exact.lower
    assert found.upper >= 0.999 * exact.lower


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4])
@pytest.mark.parametrize("d", [2, 3, 5])
def test_lost_rank_is_distortion_at_least_one(d, p):
    A = np.random.default_rng(0).standard_normal((30, d))
    omega = np.zeros(30)
    omega[: d - 1] = 1.0
    found = distortion(A, omega, p, rng=0)
    assert found.ratio_min == pytest.approx(0, abs=1e-12)
    assert found.lower >= 1 - 1e-12
    check_witnesses(A, omega, p, found)
    nothing = distortion(A, np.zeros(30), p, rng=0)
    assert nothing.lower == pytest.approx(1)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4])
def test_uniform_weights_scale_the_norm(p):
    A = np.random.default_rng(0).standard_normal((40, 3))
    found = distortion(A, np.full(40, 1.25), p, rng=0)
    assert found.lower == pytest.approx(0.25, rel=1e-9)
    assert found.upper == pytest.approx(0.25, abs=1e-3)


def test_zero_rows_columns_and_dependent_columns_change_nothing():
    A, omega = sampled(50, 2, 0)
    wide = np.column_stack([A, np.zeros(50), A @ [1.0, 2.0]])
    wide = np.vstack([wide, np.zeros(4)])
    found = distortion(wide, np.append(omega, 3.0), 1)
    assert found.status == "exact"
    assert found.lower == pytest.approx(distortion(A, omega, 1).lower, rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"A": np.zeros((2, 2))}, "A must not be zero"),
        ({"A": [1.0, 2.0]}, "A must have shape"),
        ({"weights": [1.0]}, "weights must have shape"),
        ({"weights": [1.0, -1.0]}, "weights must be >= 0; got -1"),
        ({"weights": [1.0, np.nan]}, "weights must be finite"),
        ({"p": 0.9}, "p must be >= 1"),
        ({"p": math.inf}, "p must be a number"),
        ({"n_starts": 0}, "n_starts must be an integer >= 1"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        distortion(**{"A": np.eye(2), "weights": np.ones(2), "p": 1, **arguments})
