import numpy as np
import pytest
from scipy import stats

from theorytk.matrix_sensing.problems import (
    init_factors,
    init_symmetric_factor,
    low_rank_matrix,
    reduce_core,
)

SIGMA = [1.0, 0.75, 0.5]


def test_low_rank_matrix_has_the_singular_values():
    M = low_rank_matrix(9, 6, singular_values=[0.5, 2.0], rng=0)
    assert M.shape == (9, 6)
    assert np.linalg.svd(M)[1] == pytest.approx([2.0, 0.5, 0, 0, 0, 0], abs=1e-14)


def test_psd_matrix_is_symmetric_with_the_eigenvalues():
    M = low_rank_matrix(7, singular_values=SIGMA, psd=True, rng=0)
    assert np.array_equal(M, M.T)
    assert np.linalg.eigvalsh(M)[-3:] == pytest.approx([0.5, 0.75, 1.0])
    assert np.linalg.eigvalsh(M)[:4] == pytest.approx(np.zeros(4), abs=1e-14)


def test_singular_vectors_are_uniform():
    # A coordinate of a uniform unit vector in R^4, squared, is Beta(1/2, 3/2).
    rng = np.random.default_rng(0)
    u = [low_rank_matrix(4, 1, singular_values=[1.0], rng=rng)[0, 0] for _ in range(2000)]
    assert stats.kstest(np.square(u), stats.beta(0.5, 1.5).cdf).pvalue > 1e-6
    assert stats.binomtest(int(np.sum(np.array(u) > 0)), len(u)).pvalue > 1e-6


def test_initial_entries_are_gaussian_of_variance_one_over_rows():
    F0, G0 = init_factors(400, 100, 20, scale=0.5, ratio=0.2, rng=0)
    assert stats.kstest(F0.ravel() / 0.5 * 20, "norm").pvalue > 1e-6
    assert stats.kstest(G0.ravel() / 0.1 * 10, "norm").pvalue > 1e-6


def test_a_seed_gives_the_same_draw_at_every_scale():
    a = init_factors(6, 5, 3, scale=1.0, rng=7)
    b = init_factors(6, 5, 3, scale=0.25, ratio=0.5, rng=7)
    assert np.allclose(b[0], 0.25 * a[0], rtol=1e-15)
    assert np.allclose(b[1], 0.375 * a[1], rtol=1e-15)
    assert np.array_equal(a[0], init_symmetric_factor(6, 3, scale=1.0, rng=7))


@pytest.mark.parametrize(("n1", "n2", "k"), [(12, 9, 2), (12, 9, 5), (6, 7, 5), (3, 3, 4)])
def test_core_commutes_with_a_population_step(n1, n2, k):
    M = low_rank_matrix(n1, n2, singular_values=SIGMA, rng=1)
    F, G = init_factors(n1, n2, k, scale=0.6, rng=2)
    U, s, Vt = np.linalg.svd(M)
    core = reduce_core(F, G, U[:, :3], s[:3], Vt[:3].T)
    S = np.zeros((len(core.F), len(core.G)))
    S[:3, :3] = np.diag(s[:3])
    assert core.F.shape == (3 + min(k, n1 - 3), k)
    E, E_core = F @ G.T - M, core.F @ core.G.T - S
    assert np.linalg.norm(E_core) == pytest.approx(np.linalg.norm(E), rel=1e-13)
    assert np.allclose(core.left @ (core.F - E_core @ core.G), F - E @ G, atol=1e-14)
    assert np.allclose(core.right @ (core.G - E_core.T @ core.F), G - E.T @ F, atol=1e-14)
    assert np.allclose(core.left.T @ core.left, np.eye(len(core.F)), atol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n1": 3, "singular_values": [1.0, 0.0]}, "singular_values must be"),
        ({"n1": 3, "singular_values": []}, "singular_values must be"),
        ({"n1": 3, "singular_values": [1.0] * 4}, "singular_values must be 1 to 3"),
        ({"n1": 3, "n2": 4, "singular_values": [1.0], "psd": True}, "n1 == n2"),
        ({"n1": 0, "singular_values": [1.0]}, "n1 must be"),
        ({"n1": 3, "singular_values": [np.nan]}, "singular_values must be finite"),
    ],
)
def test_low_rank_matrix_rejects(arguments, message):
    with pytest.raises(ValueError, match=message):
        low_rank_matrix(**arguments)


@pytest.mark.parametrize(
    "change", [{"scale": 0.0}, {"scale": -1.0}, {"k": 0}, {"ratio": -0.1}, {"rng": -1}]
)
def test_init_factors_rejects(change):
    arguments = {"n1": 4, "n2": 4, "k": 2, "scale": 0.1} | change
    with pytest.raises(ValueError, match=next(iter(change))):
        init_factors(**arguments)


def test_reduce_core_rejects_unequal_columns():
    U = np.eye(5, 2)
    with pytest.raises(ValueError, match="G must have shape"):
        reduce_core(np.ones((5, 3)), np.ones((5, 2)), U, [1.0, 0.5], U)
