"""The row sampler against the functions behind it and scikit-learn's own checks."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.utils.estimator_checks import check_estimator

from theorytk.sensitivity.distortion import distortion
from theorytk.sensitivity.leverage import leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.sklearn import LpRowSampler

X = np.random.default_rng(0).standard_t(2, size=(1500, 4))
Y = X @ [1.0, 2.0, 3.0, 4.0] + np.random.default_rng(1).standard_normal(1500)


def test_scikit_learns_checks():
    results = check_estimator(LpRowSampler(random_state=0), on_fail=None, on_skip=None)
    assert [r for r in results if r["status"] in ("failed", "xfail")] == []
    assert sum(r["status"] == "passed" for r in results) >= 40


def test_scores_are_those_of_rows_and_targets():
    sampler = LpRowSampler(scores="leverage", size=100, random_state=0)
    np.testing.assert_allclose(sampler.fit(X).scores_, leverage_scores(X), rtol=1e-12)
    both = leverage_scores(np.column_stack([X, Y]))
    np.testing.assert_allclose(sampler.fit(X, Y).scores_, both, rtol=1e-12)
    assert sampler.n_features_in_ == 4
    own = np.arange(1.0, 1501)
    np.testing.assert_array_equal(sampler.set_params(scores=own).fit(X).scores_, own)
    lewis = LpRowSampler(p=1, random_state=0).fit(X).scores_
    np.testing.assert_allclose(lewis, lewis_weights(X, 1).weights, rtol=0.2)


@pytest.mark.parametrize("p", [1.0, 2.0])
def test_the_sample_preserves_the_norm(p):
    sampler = LpRowSampler(p=p, size=400, random_state=0).fit(X[:, :2])
    assert 300 < len(sampler.indices_) < 500
    omega = np.zeros(1500)
    omega[sampler.indices_] = sampler.weights_
    assert distortion(X[:, :2], omega, p).upper < 0.5


def test_weights_make_the_regression_on_the_sample_near_that_on_all():
    sampler = LpRowSampler(size=400, random_state=0).fit(X, Y)
    idx, weights = sampler.indices_, sampler.weights_
    few = LinearRegression(fit_intercept=False).fit(X[idx], Y[idx], sample_weight=weights)
    all_ = LinearRegression(fit_intercept=False).fit(X, Y)
    cost = [np.sum((Y - model.predict(X)) ** 2) for model in (few, all_)]
    assert 1 <= cost[0] / cost[1] < 1.05


def test_sample_weight_is_that_of_repeated_rows():
    counts = np.arange(1500) % 3
    sampler = LpRowSampler(p=1, scores="leverage", alpha=30.0, random_state=0)
    found = sampler.fit(X, sample_weight=counts)
    # Leverage scores of rows scaled by counts^(1/p); those of weight zero are never drawn.
    scores = leverage_scores(X * counts[:, None])
    np.testing.assert_allclose(found.scores_, scores, rtol=1e-12)
    idx = found.indices_
    assert (counts[idx] > 0).all()
    np.testing.assert_allclose(found.weights_, counts[idx] / np.minimum(1, 30 * scores[idx]))


def test_default_size_and_oversampling():
    draws = [len(LpRowSampler(random_state=s).fit(X, Y).indices_) for s in range(30)]
    # The expected number is 20 * 5 rows; the standard deviation of the mean is below 2.
    assert abs(np.mean(draws) - 100) < 10
    found = LpRowSampler(scores="leverage", alpha=1e9).fit(X)
    np.testing.assert_array_equal(found.indices_, np.arange(1500))
    np.testing.assert_array_equal(found.weights_, np.ones(1500))


def test_random_states():
    fits = [LpRowSampler(size=50, random_state=s).fit(X).indices_ for s in (0, 0, 1)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])
    state = LpRowSampler(size=50, random_state=np.random.RandomState(0)).fit(X).indices_
    np.testing.assert_array_equal(fits[0], state)
    sampler = LpRowSampler(p=1.5, size=50, random_state=0)
    assert clone(sampler).get_params() == sampler.get_params()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"p": 0.5}, "p must be >= 1, for below"),
        ({"size": 0}, "size must be an integer >= 1"),
        ({"alpha": -1.0}, "alpha must be a number > 0"),
        ({"size": 5, "alpha": 1.0}, "give one of alpha and size"),
        ({"scores": "levis"}, "did you mean 'lewis'"),
        ({"scores": [1.0]}, "scores must have shape"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        LpRowSampler(**parameters).fit(X)


def test_bad_data():
    with pytest.raises(ValueError, match="contains NaN"):
        LpRowSampler().fit([[np.nan]])
    with pytest.raises(ValueError, match="Negative values"):
        LpRowSampler().fit(X, sample_weight=-np.ones(1500))


def test_missing_scikit_learn_names_the_extra():
    code = "import sys; sys.modules['sklearn'] = None; import theorytk.sensitivity"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    done = subprocess.run([sys.executable, "-c", code + ".sklearn"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: LpRowSampler needs scikit-learn" in done.stderr
    assert "theorytk[sklearn]" in done.stderr
