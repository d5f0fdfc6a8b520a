"""Regressions against statsmodels, screening against exact laws."""

import numpy as np
import pytest
import statsmodels.api as sm

from theorytk.adaptive.freedman import freedman_screening, regression


def test_regression_is_that_of_statsmodels():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 7)) + 3
    y = X @ rng.standard_normal(7) * 0.2 + rng.standard_normal(40) + 5
    found, peer = regression(X, y), sm.OLS(y, sm.add_constant(X)).fit()
    assert found.r_squared == pytest.approx(peer.rsquared, rel=1e-10)
    assert found.f_p_value == pytest.approx(peer.f_pvalue, rel=1e-8)
    np.testing.assert_allclose(found.p_values, peer.pvalues[1:], rtol=1e-8)


def test_a_regression_on_nothing_explains_nothing():
    found = regression(np.empty((5, 0)), np.arange(5.0))
    assert (found.r_squared, found.f_p_value, len(found.p_values)) == (0.0, 1.0, 0)


def screened(**options):
    rng = np.random.default_rng(11)
    return [freedman_screening(rng=rng, **options) for _ in range(500)]


def test_screening_looks_significant_on_noise():
    found = screened()
    r_squared = [f.first.r_squared for f in found]
    # The Beta law (25, 24.5): mean 50 / 99, variance a b / ((a + b)^2 (a + b + 1)).
    error = np.sqrt(25 * 24.5 / (49.5**2 * 50.5) / 500)
    assert abs(np.mean(r_squared) - 50 / 99) < 5 * error
    kept = [f.n_kept for f in found]
    assert abs(np.mean(kept) - 12.5) < 5 * np.std(kept) / np.sqrt(500)
    first = np.mean([f.first.f_p_value < 0.05 for f in found])
    assert abs(first - 0.05) < 5 * np.sqrt(0.05 * 0.95 / 500)
    assert np.mean([f.second.f_p_value < 0.05 for f in found]) > 0.9
    assert np.mean([f.n_significant for f in found]) > 4.5


def test_fresh_points_keep_the_size():
    found = screened(split=True)
    share = np.mean([f.second.f_p_value < 0.05 for f in found])
    assert abs(share - 0.05) < 5 * np.sqrt(0.05 * 0.95 / 500)
    # Of the variables that are kept, a share of 0.05 is significant.
    excess = [f.n_significant - 0.05 * f.n_kept for f in found]
    assert abs(np.mean(excess)) < 5 * np.std(excess) / np.sqrt(500)


def test_counts_are_those_of_the_regressions():
    found = freedman_screening(60, 20, keep_level=0.5, level=0.2, rng=3)
    assert found.n_kept == (found.first.p_values < 0.5).sum() == len(found.second.p_values)
    assert found.n_significant == (found.second.p_values < 0.2).sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 52}, "n must be an integer >= 53; got 52"),
        ({"d": 0}, "d must be an integer >= 1; got 0"),
        ({"keep_level": 0.0}, "keep_level must be a number > 0 and < 1"),
        ({"level": 1.0}, "level must be a number > 0 and < 1"),
    ],
)
def test_bad_input_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        freedman_screening(**options)
