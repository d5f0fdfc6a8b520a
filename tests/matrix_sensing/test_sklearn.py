"""The estimator against the truth, least squares and scikit-learn's own checks."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

from theorytk.matrix_sensing import sklearn
from theorytk.matrix_sensing.operators import DenseSensing
from theorytk.matrix_sensing.problems import low_rank_matrix
from theorytk.matrix_sensing.sklearn import MatrixSensing
from theorytk.matrix_sensing.structured import RankOneSensing

N1, N2, M_SAMPLES = 10, 8, 400
TRUTH = low_rank_matrix(N1, N2, singular_values=[2.0, 1.0], rng=0)
SAMPLES = np.random.default_rng(1).standard_normal((M_SAMPLES, N1, N2))
TARGETS = np.einsum("ijk,jk->i", SAMPLES, TRUTH)
ROWS = SAMPLES.reshape(M_SAMPLES, -1)
NOISE = np.random.default_rng(2).standard_normal(M_SAMPLES)


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


# The data of these checks are not made to converge on, and some have fewer samples than features.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:interpolation regime:UserWarning")
def test_scikit_learns_checks():
    results = check_estimator(MatrixSensing(rng=0), on_fail=None, on_skip=None)
    assert [r for r in results if r["status"] in ("failed", "xfail")] == []
    assert sum(r["status"] == "passed" for r in results) >= 40


@pytest.mark.parametrize("n_components", [2, 4])
def test_recovers_the_truth_without_noise(n_components):
    model = MatrixSensing(n_components, tol=1e-10, rng=0).fit(SAMPLES, TARGETS)
    assert model.stop_reason_ == "converged"
    np.testing.assert_allclose(model.coef_, TRUTH, atol=1e-7)
    np.testing.assert_allclose(model.F_ @ model.G_.T, model.coef_, atol=1e-15)
    assert model.score(SAMPLES, TARGETS) == pytest.approx(1.0, abs=1e-12)
    assert model.history_["iteration"][-1] == model.n_iter_


@pytest.mark.parametrize("shape", [(N1, N2), (20, 4)])
def test_kinds_of_samples_agree(shape):
    matrices = SAMPLES.reshape(M_SAMPLES, *shape)
    model = MatrixSensing(tol=1e-8, shape=shape, rng=0)
    rows = model.fit(ROWS, TARGETS).coef_
    assert rows.shape == shape
    assert np.array_equal(model.fit(matrices, TARGETS).coef_, rows)
    operator = DenseSensing(matrices)
    np.testing.assert_allclose(model.fit(operator, TARGETS).coef_, rows, atol=1e-9)
    assert model.n_features_in_ == N1 * N2
    for X in (ROWS, matrices, operator):
        np.testing.assert_allclose(model.predict(X), ROWS @ model.coef_.ravel(), atol=1e-12)


def test_structured_operator():
    rng = np.random.default_rng(3)
    A, B = rng.standard_normal((M_SAMPLES, N1)), rng.standard_normal((M_SAMPLES, N2))
    y = np.sum(A @ TRUTH * B, axis=1)
    model = MatrixSensing(tol=1e-9, rng=0).fit(RankOneSensing(A, B), y)
    np.testing.assert_allclose(model.coef_, TRUTH, atol=1e-6)


def alternating_least_squares(A, y, k, sweeps=200):
    G = np.linalg.svd(np.einsum("i,ijk->jk", y, A))[2][:k].T
    for _ in range(sweeps):
        F = np.linalg.lstsq((A @ G).reshape(len(y), -1), y)[0].reshape(-1, k)
        AF = A.transpose(0, 2, 1) @ F
        G = np.linalg.lstsq(AF.reshape(len(y), -1), y)[0].reshape(-1, k)
    return F @ G.T


@pytest.mark.parametrize("one_step", [True, False])
def test_noisy_fit_is_the_least_squares_fit_of_the_rank(one_step):
    y = TARGETS + NOISE
    expected = alternating_least_squares(SAMPLES, y, 2)
    model = MatrixSensing(tol=1e-9, one_step=one_step, rng=0).fit(SAMPLES, y)
    np.testing.assert_allclose(model.coef_, expected, atol=1e-6)
    # Half the mean squared residual, in the units of the targets.
    residual = y - ROWS @ expected.ravel()
    assert model.history_["loss"][-1] == pytest.approx(np.mean(residual**2) / 2, rel=1e-9)


def test_full_rank_fit_is_ordinary_least_squares():
    X = np.random.default_rng(4).standard_normal((60, 6))
    y = X @ [3.0, 0.5, -1.0, 0.2, 2.0, 1.0] + NOISE[:60]
    model = MatrixSensing(n_components=9, tol=1e-9, rng=0).fit(X, y)
    assert model.F_.shape == (2, 2)
    np.testing.assert_allclose(model.coef_.ravel(), np.linalg.lstsq(X, y)[0], atol=1e-6)


def test_one_step_makes_the_rate_independent_of_the_scale():
    def iterations(scale, one_step):
        model = MatrixSensing(
            4, scale=scale, one_step=one_step, tol=1e-6, max_iter=200_000, rng=0
        ).fit(SAMPLES, TARGETS)
        np.testing.assert_allclose(model.coef_, TRUTH, atol=1e-3)
        return model.n_iter_

    with_switch = [iterations(scale, True) for scale in (0.3, 0.1)]
    without = [iterations(scale, False) for scale in (0.3, 0.1)]
    assert with_switch[1] < 1.5 * with_switch[0]
    assert without[1] > 3 * without[0] > 3 * with_switch[0]


@pytest.mark.parametrize("unit", [1e-6, 1e3])
def test_units_do_not_matter(unit):
    model = MatrixSensing(rng=0)
    coef, n_iter = (fit := model.fit(SAMPLES, TARGETS)).coef_, fit.n_iter_
    other_samples = model.fit(unit * SAMPLES, TARGETS)
    np.testing.assert_allclose(unit * other_samples.coef_, coef, atol=1e-4)
    other_targets = model.fit(SAMPLES, unit * TARGETS)
    np.testing.assert_allclose(other_targets.coef_ / unit, coef, rtol=1e-8)
    assert other_targets.n_iter_ == n_iter


def test_symmetric_fit():
    truth = low_rank_matrix(N1, singular_values=[2.0, 1.0], psd=True, rng=0)
    X = np.random.default_rng(5).standard_normal((M_SAMPLES, N1, N1))
    y = np.einsum("ijk,jk->i", X, truth)
    model = MatrixSensing(symmetric=True, tol=1e-10, rng=0).fit(X, y)
    np.testing.assert_allclose(model.coef_, truth, atol=1e-7)
    assert model.G_ is model.F_
    with pytest.warns(ConvergenceWarning):
        curse = MatrixSensing(4, symmetric=True, tol=1e-10, rng=0).fit(X, y)
    assert 1e-5 < np.linalg.norm(curse.coef_ - truth) < 1e-2


def test_warns_where_max_iter_ends_the_fit():
    with pytest.warns(ConvergenceWarning, match="tol=1e-06 after max_iter=7 iterations"):
        model = MatrixSensing(max_iter=7, rng=0).fit(SAMPLES, TARGETS)
    assert (model.stop_reason_, model.n_iter_) == ("max_iter", 7)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_automatic_step_is_halved_until_descent_is_stable(monkeypatch):
    # Features far from centred, coefficients of sum 0: A*(y) does not show how large these are.
    X = np.random.default_rng(0).normal(loc=100.0, size=(100, 4))
    y = X @ [1.0, -1.0, 1.0, -1.0]
    model = MatrixSensing(rng=0).fit(X, y)
    assert np.mean((model.predict(X) - y) ** 2) < np.mean(y**2)
    monkeypatch.setattr(sklearn, "MAX_HALVINGS", 1)
    with pytest.raises(ValueError, match=r"step_size='auto' is too large"):
        model.fit(X, y)


def test_zero_targets_give_zero():
    model = MatrixSensing(rng=0).fit(SAMPLES, 0 * TARGETS)
    assert np.abs(model.coef_).max() < 1e-99
    assert model.stop_reason_ == "converged"


def test_seeds():
    first, again, other = (MatrixSensing(rng=s).fit(SAMPLES, TARGETS).coef_ for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("size", "shape"), [(2, (1, 2)), (7, (1, 7)), (12, (3, 4)), (16, (4, 4))])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_default_shape_is_near_a_square(size, shape):
    X = np.random.default_rng(0).standard_normal((50, size))
    assert MatrixSensing(rng=0).fit(X, X[:, 0]).coef_.shape == shape


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, r"n_components must be an integer >= 1; got 0"),
        ({"shape": (8, 9)}, r"shape must have 80 entries, one a feature; got \(8, 9\)"),
        ({"shape": (-8, -10)}, r"shape\[0\] must be an integer >= 1"),
        ({"symmetric": True}, r"symmetric=True needs square matrices; got shape \(8, 10\)"),
        ({"scale": 0.0}, r"scale must be a number > 0"),
        ({"ratio": -1.0}, r"ratio must be a number >= 0"),
        ({"step_size": -1.0}, r"step_size must be a number > 0"),
        ({"max_iter": -1}, r"max_iter must be an integer >= 0"),
        ({"tol": -1.0}, r"tol must be a number >= 0"),
        ({"rng": -1}, r"rng must be an integer >= 0"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        MatrixSensing(**parameters).fit(ROWS, TARGETS)


@pytest.mark.filterwarnings("ignore:step above the stability limit:RuntimeWarning")
def test_a_step_that_diverges_is_an_error():
    with pytest.raises(ValueError, match=r"step_size=10.0 is too large: the descent diverged"):
        MatrixSensing(step_size=10.0, rng=0).fit(SAMPLES, TARGETS)


def test_samples_of_another_shape():
    swapped = SAMPLES.transpose(0, 2, 1)
    with pytest.raises(ValueError, match=r"shape must be that of the samples, \(8, 10\)"):
        MatrixSensing(shape=(N1, N2)).fit(swapped, TARGETS)
    model = MatrixSensing(rng=0).fit(SAMPLES, TARGETS)
    with pytest.raises(ValueError, match=r"X must measure \(10, 8\) matrices; got \(8, 10\)"):
        model.predict(swapped)
    with pytest.raises(ValueError, match=r"y must have shape \(400\)"):
        model.fit(DenseSensing(SAMPLES), TARGETS[:-1])


def test_missing_scikit_learn_names_the_extra():
    code = "import sys; sys.modules['sklearn'] = None; import theorytk.matrix_sensing"
    assert run(code).returncode == 0
    done = run(code + ".sklearn")
    assert done.returncode == 1
    assert "ImportError: MatrixSensing needs scikit-learn" in done.stderr
    assert "theorytk[sklearn]" in done.stderr
