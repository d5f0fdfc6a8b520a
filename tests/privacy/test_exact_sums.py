"""Exact sums against sums over all pairs, in higher precision where rounding matters."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from theorytk.privacy.exact_sums import POINTS, QUERIES, distance_sum, kernel_sum
from theorytk.privacy.kernels import KERNELS, kernel_values

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("d", [1, 2, 7])
def test_kernel_sums_are_sums_over_pairs(kernel, d):
    """More points and queries than a block of each."""
    x, y = RNG.normal(size=(POINTS + 5, d)), RNG.normal(size=(QUERIES + 3, d))
    truth = kernel_values(kernel, x, y, bandwidth=0.7).sum(axis=1)
    np.testing.assert_allclose(kernel_sum(kernel, x, y, bandwidth=0.7), truth, rtol=1e-12)


@pytest.mark.parametrize("kernel", ["gaussian", "cauchy"])
@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_the_error_of_the_matrix_product_is_bounded(kernel, shift):
    d, h = 3, 0.01
    x, y = shift + RNG.random((40, d)), shift + RNG.random((8, d))
    y[:4] = x[:4]
    centre = x.mean(axis=0)
    r = max(np.linalg.norm(v - centre, axis=1).max() for v in (x, y)) * 2 / h
    # Centring rounds coordinates to units in the last place of the shift.
    bound = 40 * ((d + 8) * 2**-53 * r**2 + 4 * 2**-53 * shift / h * r)
    with mpmath.workdps(40):
        for query, found in zip(y, kernel_sum(kernel, x, y, bandwidth=h), strict=True):
            squares = [
                sum(((mpmath.mpf(float(a)) - mpmath.mpf(float(b))) / h) ** 2 for a, b in pair)
                for pair in (zip(row, query, strict=True) for row in x)
            ]
            values = [mpmath.exp(-z) if kernel == "gaussian" else 1 / (1 + z) for z in squares]
            assert abs(found - mpmath.fsum(values)) <= bound


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-50, 50), max_size=12),
    st.lists(st.floats(-60, 60), min_size=1, max_size=5),
)
def test_sums_on_a_line_with_ties_and_none(points, queries):
    x, y = np.array(points).reshape(-1, 1), np.array(queries)[:, None]
    truth = np.exp(-cdist(y, x)).sum(axis=1)
    np.testing.assert_allclose(kernel_sum("exponential", x, y), truth, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(distance_sum(x, y), cdist(y, x).sum(axis=1), atol=1e-11)
    # A query at a point, on either side of its ties.
    if len(x):
        np.testing.assert_allclose(
            kernel_sum("laplacian", x, x), np.exp(-cdist(x, x)).sum(axis=1), rtol=1e-12
        )


@pytest.mark.parametrize(
    ("metric", "name"), [("l1", "cityblock"), ("l2", "euclidean"), ("l2_squared", "sqeuclidean")]
)
def test_distance_sums_are_sums_over_pairs(metric, name):
    x, y = 5 + RNG.normal(size=(POINTS + 5, 3)), RNG.normal(size=(QUERIES + 3, 3))
    truth = cdist(y, x, name).sum(axis=1)
    np.testing.assert_allclose(distance_sum(x, y, metric=metric), truth, rtol=1e-12)


def test_no_points():
    y = np.zeros((2, 3))
    assert kernel_sum("gaussian", np.empty((0, 3)), y).tolist() == [0, 0]
    for metric in ("l1", "l2", "l2_squared"):
        assert distance_sum(np.empty((0, 3)), y, metric=metric).tolist() == [0, 0]
    assert kernel_sum("exponential", np.empty((0, 1)), [[1.0]]).tolist() == [0]


def test_bad_input():
    x = np.zeros((2, 1))
    with pytest.raises(ValueError, match="did you mean 'gaussian'"):
        kernel_sum("gausian", x, x)
    with pytest.raises(ValueError, match=r"bandwidth must be a number > 0; got 0"):
        kernel_sum("gaussian", x, x, bandwidth=0)
    with pytest.raises(ValueError, match=r"Y must have shape \(any, 1\)"):
        kernel_sum("gaussian", x, np.zeros((2, 3)))
    with pytest.raises(ValueError, match="X must be finite"):
        distance_sum([[np.nan]], x)
    with pytest.raises(ValueError, match="metric must be one of"):
        distance_sum(x, x, metric="l3")
