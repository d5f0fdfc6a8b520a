import math

import mpmath
import numpy as np
import pytest
from scipy.special import roots_laguerre

from theorytk.privacy.exponential_sums import (
    certified_error,
    exponential_sum,
    exponential_sum_rate,
)


def errors_at(found, points):
    """Errors at these points, in 40 digits."""
    with mpmath.workdps(40):
        t, w, z = ([mpmath.mpf(float(v)) for v in values] for values in (found.t, found.w, points))
        pairs = list(zip(t, w, strict=True))
        return [
            1 / (1 + each) - mpmath.fsum(b * mpmath.exp(-a * each) for a, b in pairs) for each in z
        ]


@pytest.mark.parametrize("n_terms", [1, 2, 3, 5, 8])
def test_best_sums_alternate_often_enough(n_terms):
    """2 n + 1 alternating errors of one size leave no better sum (Braess); none is larger."""
    found = exponential_sum(n_terms)
    z = np.expm1(np.linspace(0, math.log1p(60 / found.t[0]), 3000))
    errors = np.array([float(e) for e in errors_at(found, z)])
    runs = np.split(errors, np.flatnonzero(np.diff(errors > 0)) + 1)
    heights = np.array([np.abs(run).max() for run in runs])
    assert len(heights) == 2 * n_terms + 1
    assert heights.min() > 0.9985 * found.error
    assert heights.max() <= found.error * (1 + 1e-12)


@pytest.mark.parametrize("n_terms", range(4, 13))
def test_best_errors_follow_the_reference_rate(n_terms):
    assert 0.75 < exponential_sum(n_terms).error / exponential_sum_rate(n_terms) < 1.25


def test_trapezoid_decreases_like_the_square_root():
    terms = np.array([4, 8, 16, 32, 64])
    errors = [exponential_sum(m, method="trapezoid").error for m in terms]
    slope = np.polyfit(np.sqrt(terms), np.log(errors), 1)[0]
    assert -3.5 < slope < -2.3


def test_gauss_laguerre_has_its_nodes_and_is_slow():
    found = exponential_sum(8, method="gauss_laguerre")
    np.testing.assert_allclose(found.t, roots_laguerre(8)[0], rtol=1e-12)
    errors = [exponential_sum(m, method="gauss_laguerre").error * m for m in (8, 16, 32)]
    assert min(errors) > 0.25


def test_certificate_bounds_errors_between_grid_points():
    t, w = [0.3, 2.0], [0.4, 0.5]
    z = np.linspace(0, 200, 400_001)
    largest = np.abs(1 / (1 + z) - np.exp(-np.outer(z, t)) @ w).max()
    for cells in (20, 200, 20_000):
        assert certified_error(t, w, cells=cells) >= largest
    assert certified_error(t, w) < largest * (1 + 1e-5)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="n_terms"):
        exponential_sum(13)
    with pytest.raises(ValueError, match="n_terms"):
        exponential_sum(0, method="trapezoid")
    with pytest.raises(ValueError, match="method"):
        exponential_sum(3, method="best")
    with pytest.raises(ValueError, match="z must be >= 0"):
        exponential_sum(1)(-1.0)
