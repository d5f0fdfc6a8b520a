"""The lower bound against exact constants: grids of angles, eigenvalues, weighted entries."""

from __future__ import annotations

import numpy as np
import pytest

from theorytk.matrix_sensing.isometry import isometry_lower_bound
from theorytk.matrix_sensing.operators import DenseSensing, GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.structured import EntrySensing, RankOneSensing


def stretches(operator, Z):
    return np.sum((Z.reshape(len(Z), -1) @ operator.matrix().T) ** 2, axis=1)


def unit_vectors(n_angles):
    angle = np.linspace(0, np.pi, n_angles, endpoint=False)
    return np.column_stack([np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("seed", range(5))
def test_rank_one_on_a_grid(seed):
    operator = GaussianSensing(12, 2, rng=seed)
    u = unit_vectors(400)
    grid = stretches(operator, np.einsum("ap,bq->abpq", u, u).reshape(-1, 2, 2))
    bound = isometry_lower_bound(operator, 1, n_restarts=10, n_iter=300, rng=0)
    assert bound.upper == pytest.approx(grid.max(), rel=1e-3)
    assert bound.lower == pytest.approx(grid.min(), abs=1e-3 * grid.max())


@pytest.mark.parametrize("seed", range(5))
def test_symmetric_rank_one_on_a_grid(seed):
    operator = GaussianSensing(12, 2, symmetric=True, rng=seed)
    u = unit_vectors(4000)
    grid = stretches(operator, np.einsum("ap,aq->apq", u, u))
    bound = isometry_lower_bound(operator, 1, n_restarts=10, n_iter=300, rng=0)
    assert bound.upper == pytest.approx(grid.max(), rel=1e-4)
    assert bound.lower == pytest.approx(grid.min(), abs=1e-4 * grid.max())


@pytest.mark.parametrize(
    "operator",
    [
        GaussianSensing(60, 3, 2, rng=0),
        GaussianSensing(60, 3, symmetric=True, rng=0),
        RankOneSensing(np.random.default_rng(1).standard_normal((40, 3))),
    ],
)
def test_full_rank_is_an_eigenvalue_problem(operator):
    n1, n2 = operator.shape
    basis = np.eye(n1 * n2)
    if operator.symmetric:
        swap = basis.reshape(n1, n1, -1).transpose(1, 0, 2).reshape(n1 * n1, -1)
        values, vectors = np.linalg.eigh((basis + swap) / 2)
        basis = vectors[:, values > 0.5]
    A = operator.matrix() @ basis
    eigenvalues = np.linalg.eigvalsh(A.T @ A)
    bound = isometry_lower_bound(operator, min(n1, n2), n_iter=1000, rng=0)
    assert bound.upper == pytest.approx(eigenvalues[-1], rel=1e-8)
    assert bound.lower == pytest.approx(eigenvalues[0], rel=1e-6)
    assert bound.delta == max(bound.upper - 1, 1 - bound.lower)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_witnesses_certify_the_bound(symmetric, rank):
    operator = GaussianSensing(80, 5, symmetric=symmetric, rng=3)
    bound = isometry_lower_bound(operator, rank, rng=0)
    witnesses = np.array([bound.upper_witness, bound.lower_witness])
    for Z in witnesses:
        assert np.linalg.matrix_rank(Z, tol=1e-12) <= rank
        assert np.linalg.norm(Z) == pytest.approx(1, abs=1e-12)
        assert not symmetric or np.allclose(Z, Z.T, rtol=0, atol=1e-12)
    np.testing.assert_allclose(stretches(operator, witnesses), [bound.upper, bound.lower])
    random = np.random.default_rng(0).standard_normal((2, 2000, 5, rank))
    Z = random[0] @ (random[0] if symmetric else random[1]).transpose(0, 2, 1)
    found = stretches(operator, Z / np.linalg.norm(Z, axis=(1, 2), keepdims=True))
    assert bound.lower < found.min() < found.max() < bound.upper


def test_bound_scales_with_the_operator():
    matrices = np.random.default_rng(0).standard_normal((80, 5, 5))
    one = isometry_lower_bound(DenseSensing(matrices), 2, rng=0)
    ten = isometry_lower_bound(DenseSensing(10 * matrices), 2, rng=0)
    assert ten.upper == pytest.approx(100 * one.upper)
    assert ten.lower == pytest.approx(100 * one.lower)


def test_unobserved_entry_gives_delta_at_least_one():
    operator = EntrySensing([0, 0, 1], [0, 1, 0], (2, 2))
    bound = isometry_lower_bound(operator, 1, n_iter=200, rng=0)
    assert bound.lower == pytest.approx(0, abs=1e-8)
    assert bound.delta == pytest.approx(1, abs=1e-8)


def test_identity_is_an_isometry():
    assert isometry_lower_bound(IdentitySensing(4, 3), 2, rng=0).delta == pytest.approx(
        0, abs=1e-12
    )


def test_repr_is_short():
    assert "witness" not in repr(isometry_lower_bound(IdentitySensing(3), 1, rng=0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": 0}, "rank must be an integer >= 1 and <= 2"),
        ({"rank": 3}, "rank must be an integer >= 1 and <= 2"),
        ({"rank": 1, "n_restarts": 0}, "n_restarts must be"),
        ({"rank": 1, "n_iter": 0}, "n_iter must be"),
        ({"rank": 1, "rng": "seed"}, "rng must be"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        isometry_lower_bound(IdentitySensing(3, 2), **arguments)


def test_zero_operator():
    with pytest.raises(ValueError, match="operator must not be zero"):
        isometry_lower_bound(DenseSensing(np.zeros((2, 2, 2))), 1, rng=0)
