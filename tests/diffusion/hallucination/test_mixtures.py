"""The mixtures of the experiments: their moments, and denoisers by quadrature."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.spatial.distance import pdist
from scipy.stats import norm

from theorytk.diffusion import MixtureTarget
from theorytk.diffusion.hallucination import (
    common_sigma,
    diamond_mixture,
    exact_denoiser,
    grid_mixture,
    levels,
    line_mixture,
    steep_schedule,
    three_in_a_row,
)


@pytest.mark.parametrize(("t", "x"), [(0, 1.02), (3, 1.5), (20, 1.3), (100, -0.4)])
def test_exact_denoiser_is_the_posterior_mean(t, x):
    alpha, sigma = (level[t] for level in levels(steep_schedule()))

    def moment(power):
        def integrand(y):
            prior = norm.pdf(y, [1.0, 2.0, 3.0], 0.05).mean()
            return y**power * prior * norm.pdf(x, alpha * y, sigma)

        ends = np.linspace(0.4, 3.6, 65)
        return sum(quad(integrand, a, b, epsabs=0, epsrel=1e-12)[0] for a, b in pairwise(ends))

    found = exact_denoiser(three_in_a_row(), steep_schedule())(np.array([[x]]), t)
    assert found[0, 0] == pytest.approx(moment(1) / moment(0), rel=1e-9)


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_coordinates_of_the_grid_have_variance_one(angle):
    grid = grid_mixture(angle=angle)
    second = (grid.law.means**2).mean(axis=0) + common_sigma(grid) ** 2
    np.testing.assert_allclose(second, 1.0, rtol=1e-12)
    assert pdist(grid.law.means).min() == pytest.approx(40 * common_sigma(grid))


def test_diamonds_differ_in_the_distance_of_neighbours():
    closer, same = diamond_mixture(), diamond_mixture(same_spacing=True)
    assert pdist(closer.law.means).min() / common_sigma(closer) == pytest.approx(np.sqrt(2) * 20)
    assert pdist(same.law.means).min() / common_sigma(same) == pytest.approx(40)
    np.testing.assert_allclose(closer.law.means.std(axis=0), np.sqrt(0.5), rtol=1e-3)
    for target in (closer, same):  # at 45 degrees no nearest neighbours share a coordinate
        offsets = target.law.means[:, None] - target.law.means
        distances = np.linalg.norm(offsets, axis=-1)
        nearest = offsets[np.isclose(distances, distances[distances > 0].min())]
        np.testing.assert_allclose(np.abs(nearest[:, 0]), np.abs(nearest[:, 1]), atol=1e-12)


def test_weights_are_kept():
    target = line_mixture([0.0, 1.0], 0.1, [0.25, 0.75])
    np.testing.assert_array_equal(target.law.weights, [0.25, 0.75])


def test_bad_input():
    with pytest.raises(ValueError, match="means must be distinct"):
        line_mixture([1.0, 2.0, 1.0], 0.05)
    for sigma in (0.0, -1.0):
        with pytest.raises(ValueError, match="sigma must be a number > 0"):
            line_mixture([1.0, 2.0], sigma)
    with pytest.raises(ValueError, match="weights"):
        line_mixture([1.0, 2.0], 0.1, [0.5, 0.6])
    with pytest.raises(ValueError, match="n_side must be an integer >= 2"):
        grid_mixture(1)
    with pytest.raises(ValueError, match="scale must be a number > 0"):
        grid_mixture(scale=0.0)
    with pytest.raises(ValueError, match="target must have one covariance"):
        common_sigma(MixtureTarget([0.5, 0.5], [0.0, 1.0], [0.1, 0.2]))
    with pytest.raises(TypeError, match="target must be a MixtureTarget"):
        common_sigma(3.0)
