"""Leave-one-out sizes against the O(m^2 n) definition in exact arithmetic, ties included."""

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from theorytk.conformal.sizes import leave_one_out_sizes

LEVELS = [Fraction(k, 20) for k in (1, 2, 4, 7, 10, 15, 19)]


def bh_size(p, q):
    m, p = len(p), sorted(p)
    return max((r for r in range(1, m + 1) if p[r - 1] <= q * r / m), default=0)


def definition(cal, test, q, before):
    """The sizes; `before` is what counts as a rank before another, `<=` or `<`."""

    def p(other, j):
        return Fraction(sum(before(v, other) for v in cal) + before(test[j], other), len(cal) + 1)

    m = len(test)
    return [
        bh_size([Fraction(0) if i == j else p(test[i], j) for i in range(m)], q) for j in range(m)
    ]


def weighted_definition(cal, test, q, w, v):
    def p(other, j):
        below = sum(x for score, x in zip(cal, w, strict=True) if score < other)
        return Fraction(below + v[j] * (test[j] < other)) / (sum(w) + v[j])

    m = len(test)
    return [
        bh_size([Fraction(0) if i == j else p(test[i], j) for i in range(m)], q) for j in range(m)
    ]


def instances(count, seed):
    """Small instances on a lattice of few or many values, some calibration scores infinite."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n, m = rng.integers(1, 12, 2)
        values = int(rng.choice([1, 2, 4, 8, 1000]))
        cal, test = (rng.integers(0, values, k).astype(float) for k in (n, m))
        cal[rng.random(n) < rng.choice([0, 0.5])] = np.inf
        yield rng, cal, test


def test_definition_at_all_levels_at_once():
    for _, cal, test in instances(100, 0):
        sizes = leave_one_out_sizes(cal, test, [float(q) for q in LEVELS])
        expected = [definition(cal, test, q, np.less_equal) for q in LEVELS]
        assert sizes.tolist() == expected


def test_strict_counts_would_be_caught():
    different = 0
    for _, cal, test in instances(50, 1):
        strict = definition(cal, test, Fraction(1, 2), np.less)
        different += leave_one_out_sizes(cal, test, 0.5).tolist() != strict
    assert different > 10


@pytest.mark.parametrize("unit", [1, 0.25, 1024])
def test_weighted_definition_at_all_levels_at_once(unit):
    for rng, cal, test in instances(40, 2):
        w, v = ([int(x) for x in rng.integers(0, 5, len(scores))] for scores in (cal, test))
        w[0], v[0] = 3, 2
        sizes = leave_one_out_sizes(
            cal, test, [float(q) for q in LEVELS], np.multiply(w, unit), np.multiply(v, unit)
        )
        assert sizes.tolist() == [weighted_definition(cal, test, q, w, v) for q in LEVELS]


def test_equal_weights_give_the_same_on_distinct_scores():
    rng = np.random.default_rng(3)
    for _ in range(20):
        scores = rng.standard_normal((3, 250))
        cal, test = scores[:, :150], scores[:, 150:] - 0.5
        plain = leave_one_out_sizes(cal, test, [0.1, 0.3])
        weighted = leave_one_out_sizes(cal, test, [0.1, 0.3], np.full(150, 2.0), np.full(100, 2.0))
        np.testing.assert_array_equal(weighted, plain)


def test_levels_in_any_order_and_models_one_by_one():
    rng = np.random.default_rng(4)
    cal, test = rng.standard_normal((4, 60)), rng.standard_normal((4, 40)) - 0.7
    w, v = rng.random(60), rng.random(40)
    levels = [0.5, 0.1, 0.3, 0.3, 0.9, 0.2]
    for weights in ((), (w, v)):
        together = leave_one_out_sizes(cal, test, levels, *weights)
        assert together.shape == (6, 4, 40)
        single = [
            [leave_one_out_sizes(c, t, q, *weights) for c, t in zip(cal, test, strict=True)]
            for q in levels
        ]
        np.testing.assert_array_equal(together, single)


def test_sizes_follow_the_points_and_leave_the_input_alone():
    rng = np.random.default_rng(5)
    cal, test = rng.standard_normal(50), rng.standard_normal(30) - 1
    before = cal.copy(), test.copy()
    sizes = leave_one_out_sizes(cal, test, 0.3)
    order = rng.permutation(30)
    np.testing.assert_array_equal(leave_one_out_sizes(cal[::-1], test[order], 0.3), sizes[order])
    np.testing.assert_array_equal((*cal, *test), (*before[0], *before[1]))


def test_levels_next_to_one_keep_the_division_away_from_zero():
    q, cal, test, ones = np.nextafter(1.0, 0.0), [1.0, 2.0], [0.0, 3.0], [1.0, 1.0]
    expected = weighted_definition(cal, test, Fraction(q), [1, 1], [1, 1])
    assert leave_one_out_sizes(cal, test, q, ones, ones).tolist() == expected


@pytest.mark.parametrize("weighted", [False, True])
def test_memory_is_linear(weighted):
    rng = np.random.default_rng(6)
    cal, test = rng.standard_normal((2, 100_000))
    weights = tuple(rng.random((2, 100_000))) if weighted else ()
    leave_one_out_sizes(cal[:10], test[:10], 0.1, *(w[:10] for w in weights))
    tracemalloc.start()
    sizes = leave_one_out_sizes(cal, test - 1, 0.1, *weights)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 100_000
    assert sizes.shape == (100_000,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [1.0], 0.1), "cal must have shape"),
        (([1.0], [np.nan], 0.1), "test must be finite; got nan at point 0"),
        (([1.0], [1.0], 1.0), "q must be > 0 and < 1; got 1"),
        (([1.0], [1.0], 0.1, [-1.0], [1.0]), "cal_weight must be >= 0 and not all zero; got -1"),
        (([1.0], [1.0], 0.1, [1.0]), "test_weight must be given with the other weights"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        leave_one_out_sizes(*arguments)
