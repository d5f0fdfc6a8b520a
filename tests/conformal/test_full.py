"""OptCS-Full against refits, its guarantee by enumeration of all splits, and bad input."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight
from statsmodels.stats.multitest import multipletests

from theorytk.conformal.full import (
    class_weights,
    full_scores,
    held_out_scores,
    optcs_full,
    optcs_full_msel,
)
from theorytk.conformal.learners import (
    KernelRidgeLearner,
    KNNLearner,
    RidgeLearner,
    ScaledLearner,
)
from theorytk.conformal.selection import optcs_msel

GAMMA, PENALTY = 0.2, 0.7
KERNEL = KernelRidgeLearner(GAMMA, PENALTY)
LEARNERS = [KERNEL, RidgeLearner((0.1, 3.0)), KNNLearner(5)]
RNG = np.random.default_rng(0)
X, X_TEST = RNG.standard_normal((80, 3)), RNG.standard_normal((30, 3))
Y, Y_TEST = X[:, 0] + 0.3 * RNG.standard_normal(80), X_TEST[:, 0] + 0.3 * RNG.standard_normal(30)


def kernel_fit(X, y, w, X_new):
    """Weighted kernel ridge as one least-squares problem for (root weight residual, norm)."""
    kernel = np.exp(-GAMMA * ((X[:, None] - X) ** 2).sum(axis=2))
    root = np.linalg.cholesky(kernel + 1e-13 * np.eye(len(X)))
    A = np.vstack([np.sqrt(w)[:, None] * root, np.sqrt(PENALTY) * np.eye(len(X))])
    beta = np.linalg.lstsq(A, np.append(np.sqrt(w) * y, np.zeros(len(X))))[0]
    new = np.exp(-GAMMA * ((X_new[:, None] - X) ** 2).sum(axis=2))
    return new @ np.linalg.solve(root.T, beta)


@pytest.mark.parametrize("loo", [True, False])
@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_scores_by_their_definition(loo, class_weight):
    n, m, c = 20, 6, 0.3
    stack, labels = np.vstack([X[:n], X_TEST[:m]]), np.append(Y[:n] > c, np.zeros(m))
    w = compute_sample_weight(class_weight, labels)
    expected = []
    for i in range(n + m):
        keep = np.arange(n + m) != i if loo else np.full(n + m, True)
        expected.append(-kernel_fit(stack[keep], labels[keep], w[keep], stack[i : i + 1])[0])
    cal, test = full_scores(
        X[:n], Y[:n], X_TEST[:m], KERNEL, c=c, loo=loo, class_weight=class_weight
    )
    assert (cal.shape, test.shape) == ((1, n), (1, m))
    positive = Y[:n] > c
    assert (cal[0, positive] == np.inf).all()
    np.testing.assert_allclose(cal[0, ~positive], np.array(expected)[:n][~positive], atol=1e-9)
    np.testing.assert_allclose(test[0], expected[n:], atol=1e-9)


def test_class_weights_against_scikit_learn():
    for labels in (RNG.integers(0, 2, 50), RNG.integers(0, 3, 50), np.ones(4)):
        expected = compute_sample_weight("balanced", labels)
        np.testing.assert_allclose(class_weights(labels), expected, rtol=1e-15)
        assert (class_weights(labels, None) == 1).all()


def test_only_the_side_of_the_threshold_matters():
    first = full_scores(X, Y, X_TEST, LEARNERS, c=0.2)
    shifted = full_scores(X, Y - 0.2, X_TEST, LEARNERS)
    signs = full_scores(X, np.where(Y > 0.2, 5, -1), X_TEST, LEARNERS)
    own = full_scores(X, Y + X[:, 1], X_TEST, LEARNERS, c=0.2 + X[:, 1])
    for other in (shifted, signs, own):
        assert all(map(np.array_equal, first, other))


def test_several_learners_are_stacked_in_their_order():
    cal, test = full_scores(X, Y, X_TEST, LEARNERS)
    assert (cal.shape, test.shape) == ((4, 80), (4, 30))
    assert np.array_equal(cal[0], full_scores(X, Y, X_TEST, KERNEL)[0][0])
    assert np.array_equal(test[3], full_scores(X, Y, X_TEST, KNNLearner(5))[1][0])


def test_held_out_scores_by_their_definition():
    cal, test = held_out_scores(X[:30], Y[:30], X[30:], Y[30:], X_TEST, KERNEL, c=0.1)
    labels = (Y[:30] > 0.1).astype(float)
    w = compute_sample_weight("balanced", labels)
    expected = -kernel_fit(X[:30], labels, w, np.vstack([X[30:], X_TEST]))
    null = Y[30:] <= 0.1
    np.testing.assert_allclose(cal[0, null], expected[:50][null], atol=1e-9)
    assert (cal[0, ~null] == np.inf).all()
    np.testing.assert_allclose(test[0], expected[50:], atol=1e-9)


@pytest.mark.parametrize("loo", [True, False])
def test_selection_is_benjamini_hochberg_on_conservative_p_values(loo):
    cal, test = full_scores(X, Y, X_TEST, KERNEL, loo=loo)
    p = (1 + (cal[0] <= test[0][:, None]).sum(axis=1)) / 81
    for q in (0.07, 0.13, 0.31):
        selection = optcs_full(X, Y, X_TEST, q, KERNEL, loo=loo)
        np.testing.assert_allclose(selection.p, p, rtol=1e-14)
        assert np.array_equal(selection.selected, multipletests(p, q, "fdr_bh")[0])
    assert selection.selected.any()
    assert selection.power(Y_TEST > 0) > 0.5


@pytest.mark.parametrize("pruning", ["deterministic", "homogeneous", "heterogeneous"])
def test_one_learner_needs_no_pruning(pruning):
    for learner in (KERNEL, KNNLearner(5)):
        for q in (0.1, 0.3):
            one = optcs_full(X, Y, X_TEST, q, learner)
            many = optcs_full_msel(X, Y, X_TEST, q, [learner], pruning=pruning, rng=0)
            assert np.array_equal(one.selected, many.selected)


def test_choice_among_learners_is_optcs_msel_on_their_scores():
    scores = full_scores(X, Y, X_TEST, LEARNERS)
    for pruning in ("deterministic", "homogeneous", "heterogeneous"):
        found = optcs_full_msel(X, Y, X_TEST, 0.3, LEARNERS, pruning=pruning, rng=3)
        expected = optcs_msel(*scores, 0.3, pruning=pruning, rng=3)
        assert np.array_equal(found.selected, expected.selected)
        assert np.array_equal(found.model, expected.model)
    assert set(np.unique(found.model)) <= {0, 1, 2, 3}


def pools(count, size):
    """Small labelled data sets of which every split will be tried."""
    rng = np.random.default_rng(1)
    for _ in range(count):
        X = rng.standard_normal((size, 2))
        yield X, (X[:, 0] + rng.standard_normal(size) > 0.3).astype(float)


def mean_fdp(select, X, y, n_test):
    """The false discovery proportion over all ways to hide the labels of `n_test` points."""
    fdp = []
    for test in map(list, combinations(range(len(y)), n_test)):
        cal = np.setdiff1d(np.arange(len(y)), test)
        mask = select(X[cal], y[cal], X[test])
        fdp.append((mask & (y[test] == 0)).sum() / max(1, mask.sum()))
    return np.mean(fdp)


@pytest.mark.parametrize(
    "learner", [KERNEL, RidgeLearner(), KNNLearner(3), ScaledLearner(RidgeLearner(), KERNEL)]
)
@pytest.mark.parametrize("loo", [True, False])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_false_discovery_rate_of_a_single_test_point_is_known_exactly(learner, loo):
    # Whichever null point is tested, the stack is the same; its rank takes every value once.
    for X, y in pools(12, 10):
        n_null = int((y == 0).sum())
        if n_null == len(y):
            continue
        for k in (1, 3, 8):
            rate = mean_fdp(
                lambda *rows, q=(k + 0.5) / 10: (
                    optcs_full(*rows, q, learner, c=0.5, loo=loo).selected
                ),
                X,
                y,
                1,
            )
            exact = min(k, n_null) / 10
            tied = isinstance(learner, KNNLearner)
            assert rate <= exact + 1e-12 if tied else rate == pytest.approx(exact)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_scores_of_rows_that_were_fitted_to_their_labels_exceed_it():
    def mistake(X, y, X_test):
        learner = KernelRidgeLearner(0.5, 0.1)
        cal, test = held_out_scores(X, y, X, y, X_test, learner, c=0.5)
        return (1 + (cal[0] <= test[0, 0]).sum(keepdims=True)) / 10 <= 0.1

    rates = [mean_fdp(mistake, X, y, 1) for X, y in pools(12, 10)]
    assert np.mean(rates) > 0.2


CANDIDATES = [KERNEL, RidgeLearner(0.1), KNNLearner(2)]


@pytest.mark.parametrize("q", [0.3, 0.5])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_false_discovery_rate_over_all_splits_is_at_most_q(q):
    methods = {
        "full": lambda *rows: optcs_full(*rows, q, KERNEL, c=0.5),
        "in-sample": lambda *rows: optcs_full(*rows, q, KERNEL, c=0.5, loo=False),
        "neighbours": lambda *rows: optcs_full(*rows, q, KNNLearner(3), c=0.5),
    }
    selected = 0
    for X, y in pools(8, 9):
        for method in methods.values():
            assert mean_fdp(lambda *rows, m=method: m(*rows).selected, X, y, 2) <= q + 1e-12
            selected += method(X[:7], y[:7], X[7:]).selected.sum()
    assert selected > 0


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_false_discovery_rate_of_the_choice_among_learners():
    def chosen(*rows):
        return optcs_full_msel(
            *rows, 0.5, CANDIDATES, c=0.5, pruning="deterministic", rng=rng
        ).selected

    rng = np.random.default_rng(2)
    assert 0.3 < np.mean([mean_fdp(chosen, X, y, 2) for X, y in pools(12, 9)]) <= 0.5


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_selected_is_a_mask_of_false():
    rng = np.random.default_rng(3)
    for learners in (KERNEL, [KERNEL, RidgeLearner()]):
        select = optcs_full_msel if isinstance(learners, list) else optcs_full
        selection = select(X, rng.standard_normal(80), X_TEST, 0.01, learners)
        assert selection.selected.dtype == bool
        assert not selection.selected.any()
        assert selection.fdp(Y_TEST > 0) == selection.power(Y_TEST > 0) == 0


@pytest.mark.parametrize("y", [np.ones(80), -np.ones(80), np.abs(Y), -np.abs(Y)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning:theorytk", "ignore::UserWarning:theorytk")
def test_labels_on_one_side_are_legal(y):
    cal, test = full_scores(X, y, X_TEST, KERNEL)
    assert np.isfinite(test).all()
    assert np.isinf(cal).all() == (y > 0).all()
    # With no null label every p-value is 1 / (n + 1).
    p = optcs_full(X, y, X_TEST, 0.4, KERNEL).p
    assert (p == 1 / 81).all() if (y > 0).all() else (p >= 1 / 81).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": X[:, 0]}, r"X must have shape \(80, any\); got \(80,\)"),
        ({"X": X[1:]}, r"X must have shape \(80, any\)"),
        ({"X": X * np.inf}, r"X must be finite"),
        ({"y": Y[:0]}, r"y must have at least one label; got none"),
        ({"y": np.where(Y > 1, np.nan, Y)}, r"y must be finite; got nan"),
        ({"y": np.where(Y > 0, 1, 0), "c": 1.0}, r"c must separate the labels 0 and 1"),
        ({"c": np.nan}, r"c must be finite; got nan"),
        ({"c": np.zeros(3)}, r"c must be a number or have shape \(80,\); got shape \(3,\)"),
        ({"X_test": X_TEST[:0]}, r"X_test must have at least one row; got none"),
        ({"X_test": X_TEST[:, 1:]}, r"X_test must have shape \(any, 3\); got \(30, 2\)"),
        ({"q": 0.0}, r"q must be .*got 0"),
        ({"q": 1.0}, r"q must be .*got 1"),
        ({"class_weight": "balance"}, r"class_weight must be one of 'balanced'"),
    ],
)
def test_bad_input(changes, message):
    arguments = {"X": X, "y": Y, "X_test": X_TEST, "q": 0.2, **changes}
    with pytest.raises(ValueError, match=message):
        optcs_full(**arguments, learner=KERNEL)
    with pytest.raises(ValueError, match=message):
        optcs_full_msel(**arguments, learners=[KERNEL, RidgeLearner()])


def test_several_models_are_for_the_other_function():
    with pytest.raises(ValueError, match=r"learner must be one model; got 2, among which optcs_fu"):
        optcs_full(X, Y, X_TEST, 0.2, RidgeLearner((1.0, 2.0)))
    with pytest.raises(ValueError, match=r"learners must be one or more; got none"):
        optcs_full_msel(X, Y, X_TEST, 0.2, [])


def test_bad_kinds_and_lengths():
    with pytest.raises(TypeError, match=r"y must be an array of real numbers; got dtype <U3"):
        optcs_full(X, ["yes", "no"] * 40, X_TEST, 0.2, KERNEL)
    with pytest.raises(ValueError, match=r"X_cal must have shape \(80, any\)"):
        held_out_scores(X, Y, X[1:], Y, X_TEST, KERNEL)
