"""Lewis weights against the equation they solve, convex programs and closed forms."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse

from theorytk.sensitivity.lewis import lewis_weights, lewis_weights_onesided
from theorytk.sensitivity.matrices import flat_block, vandermonde
from theorytk.sensitivity.theory import lewis_best_step, lewis_local_rate

EXPONENTS = [1.0, 1.3, 2.0, 3.0, 3.9, 4.0, 5.0, 8.0, 16.0]


def reweighted_scores(A, w, p):
    """The scores of W^(1/2 - 1/p) A, for A of full rank, by the normal equations."""
    v = w ** (1 - 2 / p)
    return v * np.einsum("ij,ji->i", A, np.linalg.solve((A.T * v) @ A, A.T))


@pytest.fixture(scope="module")
def gaussian():
    return np.random.default_rng(0).standard_normal((200, 4))


@pytest.fixture(scope="module")
def cauchy():
    return np.random.default_rng(1).standard_cauchy((200, 4))


@pytest.mark.parametrize("p", EXPONENTS)
def test_the_equation_holds(gaussian, p):
    result = lewis_weights(gaussian, p)
    assert result.converged
    assert result.rank == 4
    np.testing.assert_allclose(result.weights, reweighted_scores(gaussian, result.weights, p))
    assert result.weights.sum() == pytest.approx(4, rel=1e-8)


@pytest.mark.parametrize("p", [1.0, 3.0, 8.0, 32.0])
def test_heavy_tails(cauchy, p):
    # In logarithms, as the weights of p = 32 go down to 1e-70 and below.
    w = lewis_weights(cauchy, p).weights
    M = (cauchy.T * w ** (1 - 2 / p)) @ cauchy
    quadratic = np.einsum("ij,ji->i", cauchy, np.linalg.solve(M, cauchy.T))
    np.testing.assert_allclose(p / 2 * np.log(quadratic), np.log(w), rtol=0, atol=1e-6)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 6.0])
def test_against_the_convex_program(p):
    # The weights are (a'Xa)^(p/2) for the X of largest determinant with sum (a'Xa)^(p/2) <= d.
    A = np.random.default_rng(2).standard_normal((15, 2))

    def matrix(theta):
        L = np.array([[math.exp(theta[0]), 0.0], [theta[1], math.exp(theta[2])]])
        return L @ L.T

    def objective(theta):
        X = matrix(theta)
        norm = np.sum(np.einsum("ij,jk,ik->i", A, X, A) ** (p / 2))
        return 2 / p * 2 * math.log(norm / 2) - np.linalg.slogdet(X)[1]

    best = scipy.optimize.minimize(objective, np.zeros(3), options={"gtol": 1e-9})
    X = matrix(best.x)
    w = np.einsum("ij,jk,ik->i", A, X, A) ** (p / 2)
    np.testing.assert_allclose(lewis_weights(A, p).weights, 2 * w / w.sum(), rtol=1e-5)


@pytest.mark.parametrize("p", [1.0, 2.5, 7.0])
def test_closed_forms(p):
    a = np.array([1.0, -2.0, 0.5, 3.0])
    share = np.abs(a) ** p / np.sum(np.abs(a) ** p)
    np.testing.assert_allclose(lewis_weights(a[:, None], p).weights, share, rtol=1e-9)
    np.testing.assert_allclose(lewis_weights(flat_block(4), p).weights, np.full(8, 0.5), rtol=1e-9)


@pytest.mark.parametrize("p", [1.0, 1.7, 3.0, 6.0])
def test_invariances(gaussian, p):
    w = lewis_weights(gaussian, p).weights
    rng = np.random.default_rng(3)
    transformed = lewis_weights(gaussian @ rng.standard_normal((4, 4)), p).weights
    np.testing.assert_allclose(transformed, w, rtol=1e-8)
    split = np.vstack([np.repeat(gaussian[:1], 5, axis=0) * 5 ** (-1 / p), gaussian[1:]])
    parts = lewis_weights(split, p).weights
    np.testing.assert_allclose(parts[:5], w[0] / 5, rtol=1e-8)
    np.testing.assert_allclose(parts[5:], w[1:], rtol=1e-8)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 3.5])
def test_the_error_bound_is_one(cauchy, p):
    exact = lewis_weights(cauchy, p, tol=1e-12).weights
    for tol in (1.0, 0.1, 1e-3):
        rough = lewis_weights(cauchy, p, tol=tol)
        error = np.abs(np.log(rough.weights / exact)).max()
        assert 0 < error <= rough.error_bound
        assert rough.residual <= tol


def test_no_error_bound_from_four(gaussian):
    assert lewis_weights(gaussian, 4.0).error_bound == math.inf


@pytest.mark.parametrize("p", [1.0, 3.0, 8.0])
def test_overestimates_whether_converged_or_not(cauchy, p):
    with pytest.warns(RuntimeWarning, match="after 2 iterations"):
        rough = lewis_weights(cauchy, p, max_iter=2)
    assert not rough.converged
    assert rough.n_iter == 2
    w = rough.overestimates
    assert (reweighted_scores(cauchy, w, p) <= w * (1 + 1e-12)).all()


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 4.0, 8.0, 16.0])
def test_iterations_follow_the_local_rate(gaussian, p):
    rough = lewis_weights(gaussian, p, tol=1e-4).n_iter
    fine = lewis_weights(gaussian, p, tol=1e-10).n_iter
    rate = lewis_local_rate(p, lewis_best_step(p))
    assert fine - rough <= math.log(1e6) / -math.log(rate) + 2


def test_fallback_from_a_start_that_stalls(monkeypatch, gaussian):
    # A step of 4/p makes the iteration swing for ever; the safeguard must end that.
    monkeypatch.setattr("theorytk.sensitivity.lewis.lewis_best_step", lambda p: 4 / p)
    for p in (3.0, 6.0):
        result = lewis_weights(gaussian, p)
        np.testing.assert_allclose(result.weights, reweighted_scores(gaussian, result.weights, p))
    monkeypatch.setattr("theorytk.sensitivity.lewis.WINDOW", 10**6)
    with pytest.warns(RuntimeWarning, match="residual"):
        assert not lewis_weights(gaussian, 3.0).converged


@pytest.mark.parametrize("p", [1.0, 4.0, 16.0])
def test_ill_conditioned_basis(p):
    # The same polynomials in two bases, of condition about 1e10 and 10.
    nodes = np.linspace(0, 1, 300)
    w = lewis_weights(vandermonde(2 * nodes - 1, 14), p).weights
    ill = lewis_weights(vandermonde(nodes, 14, basis="monomial"), p)
    assert ill.converged
    np.testing.assert_allclose(ill.weights, w, rtol=1e-4)


@pytest.mark.parametrize("p", [1.0, 3.0, 6.0])
def test_rank_zero_rows_and_wide(gaussian, p):
    w = lewis_weights(gaussian, p).weights
    A = np.vstack([np.zeros((2, 4)), gaussian]) @ np.random.default_rng(4).standard_normal((4, 6))
    result = lewis_weights(A, p)
    assert result.rank == 4
    assert (result.weights[:2] == 0).all()
    np.testing.assert_allclose(result.weights[2:], w, rtol=1e-7)
    np.testing.assert_allclose(lewis_weights(gaussian[:3], p).weights, np.ones(3), rtol=1e-9)
    assert not lewis_weights(np.zeros((3, 2)), p).weights.any()


def test_sparse_and_blocks():
    S = scipy.sparse.random_array((200, 5), density=0.5, rng=np.random.default_rng(5), format="csr")
    dense = lewis_weights(S.toarray(), 3.0).weights
    np.testing.assert_allclose(
        lewis_weights(S, 3.0, block_rows=30).weights, dense, rtol=1e-8, atol=1e-14
    )


@pytest.mark.parametrize("p", [2.0, 3.0, 8.0, math.inf])
@pytest.mark.parametrize("n_rounds", [1, 2, 5, 20])
def test_one_sided(cauchy, p, n_rounds):
    result = lewis_weights_onesided(np.vstack([cauchy, np.zeros((3, 4))]), p, n_rounds)
    assert result.weights.sum() == pytest.approx(4)
    assert (result.weights[200:] == 0).all()
    ratio = (reweighted_scores(cauchy, result.weights[:200], p) / result.weights[:200]).max()
    assert result.ratio == pytest.approx(ratio)
    assert result.bound == pytest.approx(50 ** (1 / n_rounds))
    assert result.ratio <= result.bound
    w = result.overestimates[:200]
    assert (reweighted_scores(cauchy, w, p) <= w * (1 + 1e-10)).all()


def test_d_optimal_design():
    # For polynomials of degree 2 on [-1, 1] the design is 1/3 at -1, 0 and 1 (Guest, 1958).
    nodes = np.linspace(-1, 1, 41)
    A = vandermonde(nodes, 3, basis="monomial")
    result = lewis_weights_onesided(A, math.inf, 300)
    best = 3 * math.log(1 / 3) + 2 * np.linalg.slogdet(A[[0, 20, 40]])[1]
    reached = np.linalg.slogdet((A.T * (result.weights / 3)) @ A)[1]
    assert result.ratio < 1.02
    assert best - 3 * math.log(result.ratio) <= reached <= best + 1e-12


def test_rank_deficient_one_sided(gaussian):
    A = gaussian @ np.random.default_rng(6).standard_normal((4, 7))
    result = lewis_weights_onesided(A, 6.0, 10)
    assert result.rank == 4
    np.testing.assert_allclose(
        result.weights, lewis_weights_onesided(gaussian, 6.0, 10).weights, rtol=1e-9
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(p=0.9), ValueError, "p must be >= 1, for below the unit ball is not convex; got 0.9"),
        (dict(p=math.inf), ValueError, "lewis_weights_onesided"),
        (dict(p=math.nan), ValueError, "p must be"),
        (dict(p="1"), TypeError, "p must be a number >= 1"),
        (dict(p=3.0, tol=0.0), ValueError, "tol must be a number > 0"),
        (dict(p=3.0, max_iter=0), ValueError, "max_iter"),
    ],
)
def test_bad_arguments(gaussian, arguments, error, message):
    with pytest.raises(error, match=message):
        lewis_weights(gaussian, **arguments)


def test_bad_matrices():
    for p in (1.0, 5.0):
        with pytest.raises(ValueError, match="must be finite; got nan"):
            lewis_weights([[1.0], [np.nan]], p)
    with pytest.raises(ValueError, match="p must be a number >= 2"):
        lewis_weights_onesided([[1.0]], 1.5, 3)
    with pytest.raises(ValueError, match="n_rounds"):
        lewis_weights_onesided([[1.0]], 3.0, 0)
