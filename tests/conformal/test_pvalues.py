"""Conformal p-values against the definition in exact arithmetic and crepes."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from crepes import ConformalClassifier

from theorytk.conformal.pvalues import conformal_pvalues


def draw(rng, shape, values):
    """Scores that tie often if there are few values."""
    return rng.integers(0, values, shape).astype(float)


def definition(cal, test, cal_weight, test_weight):
    """(numerator without a tie-break, tied mass, denominator) of each test point, exactly."""
    rows = []
    for score, own in zip(test, test_weight, strict=True):
        below = sum(w for v, w in zip(cal, cal_weight, strict=True) if v < score)
        tied = sum(w for v, w in zip(cal, cal_weight, strict=True) if v == score)
        rows.append((below, tied + own, sum(cal_weight) + own))
    return rows


@pytest.mark.parametrize("values", [1, 3, 10, 1000])
@pytest.mark.parametrize("weighted", [False, True])
def test_definition_with_ties_and_infinite_scores(values, weighted):
    rng = np.random.default_rng(values)
    for _ in range(30):
        n, m = rng.integers(1, 15, 2)
        cal, test = draw(rng, n, values), draw(rng, m, values)
        cal[rng.random(n) < 0.2] = np.inf
        weights = [Fraction(1)] * n, [Fraction(1)] * m
        given = {}
        if weighted:
            weights = tuple([Fraction(int(w), 4) for w in rng.integers(1, 9, k)] for k in (n, m))
            given = {"cal_weight": weights[0], "test_weight": weights[1]}
            given = {key: np.array(value, dtype=float) for key, value in given.items()}
        rows = definition(cal.tolist(), test.tolist(), *weights)
        expected = [float((below + tied) / total) for below, tied, total in rows]
        np.testing.assert_allclose(conformal_pvalues(cal, test, **given), expected, rtol=1e-14)
        randomised = conformal_pvalues(cal, test, tie="randomised", rng=0, **given)
        u = 1 - np.random.default_rng(0).random(m)
        expected = [
            (float(below) + x * float(tied)) / float(total)
            for (below, tied, total), x in zip(rows, u, strict=True)
        ]
        np.testing.assert_allclose(randomised, expected, rtol=1e-14)


def test_against_crepes():
    rng = np.random.default_rng(0)
    for values in (5, 1000):
        cal, test = draw(rng, 200, values), draw(rng, 150, values)
        peer = ConformalClassifier().fit(-cal).predict_p(-test[:, None], smoothing=False)
        np.testing.assert_allclose(conformal_pvalues(cal, test), np.ravel(peer), rtol=1e-14)


def test_models_are_treated_one_by_one():
    rng = np.random.default_rng(1)
    cal, test = draw(rng, (5, 30), 12), draw(rng, (5, 20), 12)
    w, v = rng.random(30), rng.random(20)
    for weights in ({}, {"cal_weight": w, "test_weight": v}):
        rows = [conformal_pvalues(c, t, **weights) for c, t in zip(cal, test, strict=True)]
        np.testing.assert_allclose(conformal_pvalues(cal, test, **weights), rows, rtol=1e-14)


def test_equal_weights_are_no_weights():
    rng = np.random.default_rng(2)
    cal, test = draw(rng, 30, 9), draw(rng, 20, 9)
    weighted = conformal_pvalues(cal, test, cal_weight=np.full(30, 3.0), test_weight=[3.0] * 20)
    np.testing.assert_allclose(weighted, conformal_pvalues(cal, test), rtol=1e-14)


def test_randomised_p_value_is_uniform_under_ties_and_conservative_one_is_not():
    rng = np.random.default_rng(3)
    scores = draw(rng, (20_000, 8), 3)
    p = conformal_pvalues(scores[:, :7], scores[:, 7:], tie="randomised", rng=rng)[:, 0]
    assert scipy.stats.kstest(p, "uniform").pvalue > 1e-6
    p = conformal_pvalues(scores[:, :7], scores[:, 7:])[:, 0]
    assert scipy.stats.kstest(p, "uniform", alternative="greater").pvalue > 1e-6
    assert scipy.stats.kstest(p, "uniform", alternative="less").pvalue < 1e-6


def test_tie_breaks_are_independent_between_points():
    p = conformal_pvalues(np.zeros(99), np.zeros(5000), tie="randomised", rng=0)
    assert scipy.stats.kstest(p, "uniform").pvalue > 1e-6
    assert len(np.unique(p)) == 5000


def test_input_is_left_alone_and_read_only_arrays_are_taken():
    cal, test = np.array([3.0, 1.0, 2.0]), np.array([2.0, 0.0])
    cal.flags.writeable = test.flags.writeable = False
    assert conformal_pvalues(cal, test).tolist() == [0.75, 0.25]
    assert conformal_pvalues(cal[::2], np.array([[2.0, 0.0]]).T[:, 0]).tolist() == [2 / 3, 1 / 3]


@pytest.mark.parametrize(
    ("cal", "test", "message"),
    [
        ([], [1.0], r"cal must have shape \(n,\) or \(K, n\) and at least one score; got .*\(0,\)"),
        ([1.0], [], r"test must have shape \(n,\) or \(K, n\) and at least one score"),
        (1.0, [1.0], r"cal must have shape .* got shape \(\)"),
        ([1.0, np.nan], [1.0], r"cal must be finite or \+inf; got nan at point 1$"),
        ([1.0, -np.inf], [1.0], r"cal must be finite or \+inf; got -inf at point 1$"),
        ([1.0], [1.0, np.inf], "test must be finite; got inf at point 1$"),
        ([[1.0], [np.nan]], [[1.0], [2.0]], "got nan at point 0 of model 1$"),
        ([[1.0], [2.0]], [[1.0, 1.0], [2.0, np.nan]], "test .* got nan at point 1 of model 1$"),
        ([[1.0], [2.0]], [1.0], r"scores of the same models.*got \(2, 1\) and \(1,\)"),
        ([[1.0], [2.0]], [[1.0]], r"scores of the same models.*got \(2, 1\) and \(1, 1\)"),
    ],
)
def test_bad_scores(cal, test, message):
    with pytest.raises(ValueError, match=message):
        conformal_pvalues(cal, test)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (([1.0, -1.0], [1.0]), "cal_weight must be >= 0 and not all zero; got -1"),
        (([0.0, 0.0], [1.0]), "cal_weight must be >= 0 and not all zero; got only zeros"),
        (([1.0, 1.0], [0.0]), "test_weight must be >= 0 and not all zero; got only zeros"),
        (([1.0], [1.0]), r"cal_weight must have shape \(2\); got \(1,\)"),
        (([1.0, np.inf], [1.0]), "cal_weight must be finite"),
        (([1.0, 1.0], None), "test_weight must be given with the other weights; got None"),
        ((None, [1.0]), "cal_weight must be given with the other weights; got None"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(ValueError, match=message):
        conformal_pvalues([1.0, 2.0], [1.0], cal_weight=weights[0], test_weight=weights[1])


def test_unknown_tie_and_text():
    with pytest.raises(ValueError, match="tie must be one of 'conservative', 'randomised'"):
        conformal_pvalues([1.0], [1.0], tie="random")
    with pytest.raises(TypeError, match="cal must be an array of real numbers"):
        conformal_pvalues(["a"], [1.0])
