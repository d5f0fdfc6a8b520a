"""Every operator against its definition ``A(M)_i = <A_i, M> / sqrt(m)`` with explicit matrices."""

from __future__ import annotations

import itertools
import pickle
import tracemalloc

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermegauss
from scipy.stats import chi2

from theorytk.matrix_sensing.operators import DenseSensing, GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.sensing import SensingOperator
from theorytk.matrix_sensing.structured import EntrySensing, RankOneSensing

FALSE_ALARM = 1e-7


def cases() -> dict[str, tuple[SensingOperator, np.ndarray, bool]]:
    """Operators with their sensing matrices, and whether all of these are symmetric."""
    rng = np.random.default_rng(20)
    general = rng.standard_normal((7, 3, 4))
    square = rng.standard_normal((9, 4, 4))
    symmetric = square + square.transpose(0, 2, 1)
    a, b = rng.standard_normal((6, 3)), rng.standard_normal((6, 5))
    rows, cols = np.array([2, 0, 2, 1, 2]), np.array([1, 3, 1, 0, 2])
    entries = np.zeros((5, 3, 4))
    entries[np.arange(5), rows, cols] = np.sqrt(12)
    diagonal = np.zeros((2, 3, 3))
    diagonal[[0, 1], [1, 2], [1, 2]] = 3
    units = np.sqrt(6) * np.eye(6).reshape(6, 2, 3)
    found = {
        "identity": (IdentitySensing(2, 3), units, False),
        "rank one": (RankOneSensing(a, b), np.einsum("ip,iq->ipq", a, b), False),
        "rank one, symmetric": (RankOneSensing(a), np.einsum("ip,iq->ipq", a, a), True),
        "entries": (EntrySensing(rows, cols, (3, 4)), entries, False),
        "diagonal entries": (EntrySensing([1, 2], [1, 2], (3, 3)), diagonal, True),
    }
    for storage in (None, "dense", "gram"):
        found[f"general, {storage}"] = (DenseSensing(general, storage=storage), general, False)
        found[f"square, {storage}"] = (DenseSensing(square, storage=storage), square, False)
    for storage in (None, "dense", "svec", "gram"):
        found[f"symmetric, {storage}"] = (DenseSensing(symmetric, storage=storage), symmetric, True)
    return found


CASES = cases()


def measure(matrices: np.ndarray, M: np.ndarray) -> np.ndarray:
    return np.array([np.sum(A_i * M) for A_i in matrices]) / np.sqrt(len(matrices))


def spread(matrices: np.ndarray, z: np.ndarray) -> np.ndarray:
    return sum(z_i * A_i for z_i, A_i in zip(z, matrices, strict=True)) / np.sqrt(len(matrices))


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def close(actual, expected, rtol=1e-12):
    assert actual.shape == expected.shape
    assert actual.dtype == np.float64
    np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * np.abs(expected).max())


def test_attributes(case):
    operator, matrices, symmetric = case
    assert (operator.m, *operator.shape) == matrices.shape
    assert operator.symmetric is symmetric


def test_maps_of_one_argument(case, rng):
    operator, matrices, _ = case
    M, z = rng.standard_normal(operator.shape), rng.standard_normal(operator.m)
    close(operator.apply(M), measure(matrices, M))
    close(operator.adjoint(z), spread(matrices, z))
    close(operator.normal(M), spread(matrices, measure(matrices, M)))
    close(operator.matrix(), matrices.reshape(operator.m, -1) / np.sqrt(operator.m))


@pytest.mark.parametrize("batch", [(1,), (3,), (2, 3)])
def test_batches(case, rng, batch):
    operator, matrices, _ = case
    M = rng.standard_normal((*batch, *operator.shape))
    z = rng.standard_normal((*batch, operator.m))
    measured, adjoint, normal = operator.apply(M), operator.adjoint(z), operator.normal(M)
    assert measured.shape == z.shape
    assert adjoint.shape == normal.shape == M.shape
    for q in np.ndindex(*batch):
        close(measured[q], measure(matrices, M[q]))
        close(adjoint[q], spread(matrices, z[q]))
        close(normal[q], spread(matrices, measure(matrices, M[q])))


@pytest.mark.parametrize("k", [1, 2, 6])
def test_maps_of_factors(case, rng, k):
    operator, matrices, _ = case
    F, G = (rng.standard_normal((n, k)) for n in operator.shape)
    z = rng.standard_normal(operator.m)
    close(operator.apply_factors(F, G), measure(matrices, F @ G.T))
    close(operator.adjoint_times(z, G), spread(matrices, z) @ G)
    residual = spread(matrices, measure(matrices, F @ G.T) - z)
    grad_f, grad_g = operator.gradients(F, G, z)
    close(grad_f, residual @ G)
    close(grad_g, residual.T @ F)


def test_gradients_are_derivatives(case, rng):
    operator = case[0]
    F, G, dF, dG = (rng.standard_normal((n, 2)) for n in operator.shape * 2)
    y, h = rng.standard_normal(operator.m), 1e-5

    def loss(t):
        return np.sum((operator.apply_factors(F + t * dF, G + t * dG) - y) ** 2) / 2

    grad_f, grad_g = operator.gradients(F, G, y)
    slope = (loss(h) - loss(-h)) / (2 * h)
    assert slope == pytest.approx(np.sum(grad_f * dF) + np.sum(grad_g * dG), rel=1e-7)


@pytest.mark.parametrize("m", range(1, 10))
def test_normal_reads_every_row(m, rng):
    matrices = rng.standard_normal((m, 2, 3))
    E = rng.standard_normal((2, 3))
    close(DenseSensing(matrices).normal(E), spread(matrices, measure(matrices, E)))


@pytest.mark.parametrize("storage", ["dense", "svec", "gram"])
def test_single_precision(storage, rng):
    single, double = (
        GaussianSensing(30, 6, symmetric=True, storage=storage, dtype=dtype, rng=1)
        for dtype in ("float32", np.float64)
    )
    E = rng.standard_normal((6, 6))
    for batch in (E, E[None]):
        close(single.normal(batch), double.normal(batch), rtol=1e-5)
    close(single.apply(E), double.apply(E), rtol=1e-5)
    assert np.abs(single.normal(E) - double.normal(E)).max() > 1e-10


def test_inputs_of_other_layouts(case, rng):
    operator, matrices, _ = case
    n1, n2 = operator.shape
    M = rng.standard_normal((n2, n1)).T
    F, G = rng.standard_normal((2, n1)).T, rng.standard_normal((2 * n2, 2))[::2]
    close(operator.normal(M), spread(matrices, measure(matrices, M)))
    close(operator.apply_factors(F, G), measure(matrices, F @ G.T))
    integers = np.arange(n1 * n2).reshape(n1, n2)
    close(operator.apply(integers.tolist()), measure(matrices, integers))


def test_results_share_no_memory_with_arguments(case, rng):
    operator = case[0]
    E, z = rng.standard_normal(operator.shape), rng.standard_normal(operator.m)
    for result in (operator.apply(E), operator.normal(E)):
        assert not np.shares_memory(result, E)
    assert not np.shares_memory(operator.adjoint(z), z)


def test_operators_keep_their_own_data(rng):
    matrices, rows = rng.standard_normal((3, 2, 2)), np.array([0, 1])
    a = rng.standard_normal((3, 2))
    operators = [DenseSensing(matrices), EntrySensing(rows, rows, (2, 2)), RankOneSensing(a)]
    before = [operator.matrix() for operator in operators]
    matrices[:], rows[:], a[:] = 0, 0, 0
    for operator, matrix in zip(operators, before, strict=True):
        np.testing.assert_array_equal(operator.matrix(), matrix)


def test_pickle(case, rng):
    operator = case[0]
    E = rng.standard_normal(operator.shape)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(operator)).normal(E), operator.normal(E)
    )


def test_nan_passes_through(case):
    operator = case[0]
    assert np.isnan(operator.normal(np.full(operator.shape, np.nan))).any()


@pytest.mark.parametrize("symmetric", [False, True])
def test_gaussian_draws_do_not_depend_on_storage(symmetric):
    storages = ("dense", "gram", "svec") if symmetric else ("dense", "gram")
    first, *others = (
        GaussianSensing(8, 5, symmetric=symmetric, storage=s, rng=4).matrix() for s in storages
    )
    for other in others:
        close(other, first)
    assert not np.allclose(first, GaussianSensing(8, 5, symmetric=symmetric, rng=5).matrix())


def within_chi2(sum_of_squares: float, df: int) -> bool:
    lo, hi = chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], df)
    return lo < sum_of_squares < hi


def test_gaussian_isotropy():
    M = np.random.default_rng(0).standard_normal((5, 4))
    operator = GaussianSensing(20_000, 5, 4, rng=1)
    stretch = np.sum(operator.apply(M) ** 2) / np.sum(M**2)
    assert within_chi2(operator.m * stretch, operator.m)


def test_symmetric_gaussian_isotropy():
    M = np.random.default_rng(0).standard_normal((5, 5))
    operator = GaussianSensing(20_000, 5, symmetric=True, rng=1)
    seen = np.sum((M + M.T) ** 2) / 4
    stretch = np.sum(operator.apply(M) ** 2)
    assert within_chi2(operator.m * stretch / seen, operator.m)
    assert not within_chi2(operator.m * stretch / np.sum(M**2), operator.m)


def test_symmetric_gaussian_variances():
    operator = GaussianSensing(20_000, 4, symmetric=True, rng=2)
    matrices = operator.matrix().reshape(-1, 4, 4) * np.sqrt(operator.m)
    np.testing.assert_array_equal(matrices, matrices.transpose(0, 2, 1))
    upper = matrices[:, *np.triu_indices(4, 1)]
    assert within_chi2(np.sum(np.einsum("ijj->ij", matrices) ** 2), 4 * operator.m)
    assert within_chi2(2 * np.sum(upper**2), 6 * operator.m)


def gaussian_cubature(d: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights exact for the Gaussian mean of polynomials of degree 5 per coordinate."""
    x, w = hermegauss(3)
    nodes = np.array(list(itertools.product(x, repeat=d)))
    weights = np.array([np.prod(c) for c in itertools.product(w / w.sum(), repeat=d)])
    return nodes, weights


def test_rank_one_expectations(rng):
    nodes, weights = gaussian_cubature(5)
    share = len(nodes) * weights[:, None]
    M = rng.standard_normal((2, 3))
    independent = RankOneSensing(nodes[:, :2] * np.sqrt(share), nodes[:, 2:])
    close(independent.normal(M), M)
    N = rng.standard_normal((5, 5))
    quadratic = RankOneSensing(nodes * share**0.25)
    close(quadratic.normal(N), N + N.T + np.trace(N) * np.eye(5))


def test_entries_are_isotropic_under_uniform_sampling(rng):
    E = rng.standard_normal((2, 3))
    positions = list(np.ndindex(2, 3))
    drawn = [EntrySensing(*np.transpose(p), (2, 3)) for p in itertools.product(positions, repeat=3)]
    close(np.mean([operator.normal(E) for operator in drawn], axis=0), E)


def test_rank_one_never_forms_the_matrices(rng):
    m, n = 20_000, 40
    operator = RankOneSensing(rng.standard_normal((m, n)), rng.standard_normal((m, n)))
    F, G, y = rng.standard_normal((n, 3)), rng.standard_normal((n, 3)), rng.standard_normal(m)
    tracemalloc.start()
    operator.gradients(F, G, y)
    operator.normal(F @ G.T)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * m * n * n / 10


BAD_CONSTRUCTION = {
    "m must be an integer >= 1": lambda: GaussianSensing(0, 3),
    "n1 must be an integer >= 1": lambda: IdentitySensing(0),
    "n2 must be an integer >= 1": lambda: IdentitySensing(2, 0),
    "n2 must equal n1=3": lambda: GaussianSensing(5, 3, 4, symmetric=True),
    "storage must be one of": lambda: GaussianSensing(5, 3, storage="half"),
    "storage='svec' needs symmetric": lambda: GaussianSensing(5, 3, storage="svec"),
    "dtype must be one of": lambda: GaussianSensing(5, 3, dtype="int64"),
    "rng must be an integer": lambda: GaussianSensing(5, 3, rng=-1),
    "matrices must have shape": lambda: DenseSensing(np.eye(3)),
    "matrices must be finite": lambda: DenseSensing(np.full((1, 2, 2), np.inf)),
    "A must have shape": lambda: RankOneSensing([1.0, 2.0]),
    r"B must have shape \(2, any\)": lambda: RankOneSensing(np.ones((2, 3)), np.ones((3, 3))),
    "rows must be integers": lambda: EntrySensing([0.0], [0], (2, 2)),
    "the largest of rows": lambda: EntrySensing([2], [0], (2, 2)),
    "the smallest of cols": lambda: EntrySensing([0], [-1], (2, 2)),
    "cols must have shape": lambda: EntrySensing([0, 1], [0], (2, 2)),
    "shape must have shape": lambda: EntrySensing([0], [0], (2, 2, 2)),
    r"shape\[1\] must be": lambda: EntrySensing([0], [0], (2, 0)),
}


@pytest.mark.parametrize("message", BAD_CONSTRUCTION)
def test_bad_construction(message):
    with pytest.raises((ValueError, TypeError), match=message):
        BAD_CONSTRUCTION[message]()


def test_bad_arguments(case):
    operator = case[0]
    n1, n2 = operator.shape
    F, G, z = np.ones((n1, 2)), np.ones((n2, 2)), np.ones(operator.m)
    bad = {
        "M must have shape": lambda: operator.apply(np.ones((n1 + 1, n2))),
        "M must be an array of real": lambda: operator.apply(np.ones((n1, n2), complex)),
        "E must have shape": lambda: operator.normal(np.ones(n1)),
        "z must have shape": lambda: operator.adjoint(np.ones(operator.m + 1)),
        "F must have shape": lambda: operator.apply_factors(np.ones(n1), G),
        "G must have shape": lambda: operator.apply_factors(F, np.ones((n2, 3))),
        "y must have shape": lambda: operator.gradients(F, G, np.ones((2, operator.m))),
    }
    for message, call in bad.items():
        with pytest.raises((ValueError, TypeError), match=message):
            call()
    with pytest.raises(ValueError, match="z must have shape"):
        operator.adjoint_times(z[None], G)
    with pytest.raises(ValueError, match="G must have shape"):
        operator.adjoint_times(z, np.ones((n2 + 1, 2)))
