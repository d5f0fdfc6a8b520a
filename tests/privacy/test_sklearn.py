"""The private classifier against its parts, scikit-learn's checks, and what must be public."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

from theorytk.privacy.classification import class_features
from theorytk.privacy.distances import PrivateDistanceSum
from theorytk.privacy.kernel_sums import PrivateKernelSum
from theorytk.privacy.kernels import kernel_values, random_frequencies
from theorytk.privacy.noise import PrivacyWarning
from theorytk.privacy.sklearn import SimilarityClassifier

RNG = np.random.default_rng(0)
Y = np.array(["a", "b", "c"])[np.arange(300) % 3]
X = RNG.normal(size=(300, 2)) + 3 * (np.arange(300) % 3)[:, None]
CLASSES = ("a", "b", "c")


@pytest.mark.filterwarnings("ignore::theorytk.privacy.noise.PrivacyWarning")
def test_scikit_learns_checks():
    model = SimilarityClassifier(n_features=20, rng=0)
    results = check_estimator(model, on_fail=None, on_skip=None)
    assert [r for r in results if r["status"] in ("failed", "xfail")] == []
    assert sum(r["status"] == "passed" for r in results) >= 40


@pytest.mark.parametrize(
    "estimator", [PrivateDistanceSum(alpha=0.3), PrivateKernelSum(n_features=9)]
)
def test_private_sums_can_be_cloned(estimator):
    again = clone(estimator.fit(X, bounds=(-9, 20)))
    assert again.get_params() == estimator.get_params()
    assert not hasattr(again, "guarantee_")


def test_it_releases_class_features():
    model = SimilarityClassifier(classes=CLASSES, rho=0.5, n_features=50, rng=3).fit(X, Y)
    rng = np.random.default_rng(3)
    mechanism = class_features(random_frequencies("gaussian", 2, 50, rng=rng), 3, rho=0.5, rng=rng)
    label = np.searchsorted(CLASSES, Y)
    table = mechanism.release(np.column_stack([X, label]), rng)
    expected = mechanism.similarities(table, X)
    np.testing.assert_allclose(model.similarities(X), expected, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), np.array(CLASSES)[expected.argmax(axis=1)])
    np.testing.assert_array_equal(model.decision_function(X), model.similarities(X))
    assert model.guarantee_.rho == 0.5


def test_with_little_noise_it_compares_mean_kernels():
    model = SimilarityClassifier(classes=CLASSES, rho=1e9, n_features=5000, rng=0).fit(X, Y)
    truth = kernel_values("gaussian", X, X)
    means = np.column_stack([truth[:, c == Y].mean(axis=1) for c in CLASSES])
    np.testing.assert_allclose(model.similarities(X), means, atol=0.1)
    two = SimilarityClassifier(classes=("a", "b"), rho=1e9, n_features=9, rng=0).fit(
        X[Y != "c"], Y[Y != "c"]
    )
    found = two.similarities(X)
    np.testing.assert_array_equal(two.decision_function(X), found[:, 1] - found[:, 0])


def test_every_fit_spends():
    model = SimilarityClassifier(classes=CLASSES, epsilon=0.4, n_features=5, rng=0)
    model.fit(X, Y).fit(X, Y)
    assert model.guarantee_.epsilon == 0.4
    assert model.spent_.epsilon == pytest.approx(0.8)


def test_classes_are_public():
    with pytest.warns(PrivacyWarning, match="the classes are taken from y"):
        model = SimilarityClassifier(n_features=5, rng=0).fit(X, Y)
    np.testing.assert_array_equal(model.classes_, CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        more = SimilarityClassifier(classes=[*CLASSES, "d"], n_features=5, rng=0).fit(X, Y)
    assert more.similarities(X[:4]).shape == (4, 4)
    few = SimilarityClassifier(classes=("a", "b"), rng=0)
    with pytest.raises(ValueError, match="y must hold only the classes"):
        few.fit(X, Y)
    assert not hasattr(few, "spent_")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "gausian"}, "did you mean 'gaussian'"),
        ({"bandwidth": 0}, "bandwidth must be a number > 0"),
        ({"n_features": 0}, "n_features must be an integer >= 1"),
        ({"count_share": 1.0}, "count_share must be a number >= 0 and < 1"),
        ({"epsilon": 0}, "epsilon must be a number > 0"),
        ({"rho": 1.0, "delta": 1e-5}, "give either rho or delta, not both"),
        ({"neighbours": "swap"}, "neighbours must be one of"),
        ({"noise": "none"}, "noise must be one of"),
    ],
)
def test_bad_options_spend_nothing(options, message):
    model = SimilarityClassifier(classes=CLASSES, **options)
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y)
    assert not hasattr(model, "spent_")


def test_privacy_imports_without_scikit_learn():
    code = (
        "import sys; sys.modules['sklearn'] = None; import theorytk.privacy\n"
        "try: import theorytk.privacy.sklearn\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install 'theorytk[sklearn]'" in done.stdout
