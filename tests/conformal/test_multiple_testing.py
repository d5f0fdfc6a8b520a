"""BH, Storey and e-BH against their definitions in exact arithmetic, statsmodels and scipy."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from statsmodels.stats.multitest import multipletests

from theorytk.conformal.multiple_testing import bh, ebh, q_values, storey_bh

LEVELS = [0.05, 0.1, 0.2, 0.5]


def exact_bh(p, q):
    """The definition on fractions."""
    m = len(p)
    found = [r for r in range(1, m + 1) if sum(x <= q * r / m for x in p) >= r]
    return [x <= q * max(found, default=0) / m and bool(found) for x in p]


@pytest.fixture
def p():
    rng = np.random.default_rng(0)
    return np.where(rng.random((30, 40)) < 0.4, rng.beta(0.2, 5, (30, 40)), rng.random((30, 40)))


@pytest.mark.parametrize("n", [9, 19, 99])
@pytest.mark.parametrize("m", [1, 2, 5, 10, 30])
def test_bh_is_exact_where_p_values_meet_thresholds(n, m):
    rng = np.random.default_rng(n * m)
    for _ in range(15):
        ranks = rng.integers(1, rng.integers(2, n + 2), m)
        for tenths in (1, 2, 3, 7, 9):
            expected = exact_bh([Fraction(int(k), n + 1) for k in ranks], Fraction(tenths, 10))
            assert bh(ranks / (n + 1), tenths / 10).tolist() == expected


def test_bh_against_statsmodels_at_all_levels_at_once(p):
    selected = bh(p, LEVELS)
    assert selected.shape == (4, 30, 40)
    for row, q in enumerate(LEVELS):
        peer = [multipletests(line, q, method="fdr_bh")[0] for line in p]
        np.testing.assert_array_equal(selected[row], peer)
        np.testing.assert_array_equal(bh(p, q), peer)


def test_q_values_against_statsmodels_and_scipy(p):
    peer = [multipletests(line, method="fdr_bh")[1] for line in p]
    np.testing.assert_allclose(q_values(p), peer, rtol=1e-14)
    np.testing.assert_allclose(
        q_values(p), scipy.stats.false_discovery_control(p, axis=-1), rtol=1e-14
    )


def test_level_divided_by_the_harmonic_number_is_benjamini_yekutieli(p):
    harmonic = (1 / np.arange(1, 41)).sum()
    peer = scipy.stats.false_discovery_control(p, axis=-1, method="by")
    np.testing.assert_array_equal(bh(p, 0.4 / harmonic), peer <= 0.4)


def test_q_value_is_the_smallest_level_that_selects(p):
    line = p[0]
    for j, level in enumerate(q_values(line)):
        if level < 1:
            assert bh(line, level)[j]
        assert not bh(line, level * (1 - 1e-9))[j]


def test_storey_is_bh_at_the_estimated_share_of_nulls(p):
    for line in p:
        for lam in (0.3, 0.5):
            nulls = (1 + sum(line > lam)) / (40 * (1 - lam))
            expected = exact_bh([Fraction(x) for x in line], Fraction(0.1 / nulls))
            assert storey_bh(line, 0.1, lam).tolist() == expected
    np.testing.assert_array_equal(storey_bh(p, [0.1, 0.3])[1], [storey_bh(x, 0.3) for x in p])


def test_ebh_by_definition():
    rng = np.random.default_rng(1)
    for _ in range(200):
        m = int(rng.integers(1, 15))
        e = np.where(rng.random(m) < 0.5, 0.0, rng.integers(1, 60, m))
        e[rng.random(m) < 0.1] = np.inf
        sizes = [r for r in range(1, m + 1) if sum(x * r >= m * 10 for x in e) >= r]
        expected = [x * max(sizes, default=0) >= m * 10 if sizes else False for x in e]
        assert ebh(e, 0.1).tolist() == expected


def test_empty_selection_is_a_mask_of_false():
    assert bh([0.9, 0.8], 0.1).tolist() == [False, False]
    assert storey_bh([0.9, 0.8], 0.1).tolist() == [False, False]
    assert ebh([0.0, 0.0], 0.1).tolist() == [False, False]


@pytest.mark.parametrize("q", [0, 1, -0.1, 1.5, np.nan, [0.1, 1.0]])
def test_level_outside_its_range(q):
    for function in (bh, storey_bh, ebh):
        with pytest.raises(ValueError, match="q must be > 0 and < 1; got"):
            function([0.5, 0.2], q)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bh([0.5, 1.2], 0.1), r"p must be >= 0 and <= 1; got 1\.2"),
        (lambda: bh([0.5, np.nan], 0.1), "p must be >= 0 and <= 1; got nan"),
        (lambda: q_values([-0.1]), r"p must be >= 0 and <= 1; got -0\.1"),
        (lambda: bh([], 0.1), r"p must have shape \(\.\.\., m\), m >= 1; got \(0,\)"),
        (lambda: bh(0.3, 0.1), r"p must have shape \(\.\.\., m\), m >= 1; got \(\)"),
        (lambda: bh([0.3], []), r"q must be a number or have shape \(Q,\), Q >= 1; got \(0,\)"),
        (
            lambda: bh([0.3], [[0.1]]),
            r"q must be a number or have shape \(Q,\), Q >= 1; got \(1, 1",
        ),
        (lambda: storey_bh([0.3], 0.1, 1.0), "lam must be a number > 0 and < 1; got 1.0"),
        (lambda: ebh([-1.0], 0.1), r"e must be >= 0 \(infinity allowed\); got -1"),
        (lambda: ebh([np.nan], 0.1), r"e must be >= 0 \(infinity allowed\); got nan"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
