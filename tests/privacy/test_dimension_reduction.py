import numpy as np
import pytest
from scipy.stats import chi2, norm

from theorytk.privacy.dimension_reduction import (
    RADIAL_KERNELS,
    distortion_constant,
    distortion_deviation,
    gaussian_kernel_moments,
    gaussian_map,
    johnson_lindenstrauss_dimension,
    largest_distortion,
    mapped_kernel_error,
)
from theorytk.privacy.kernels import kernel_profile


@pytest.mark.parametrize("k", [1, 2, 7, 300])
def test_quadrature_has_the_moments_of_chi_square(k):
    z = np.array([0.3, 1.0, 2.5])
    mean, square = gaussian_kernel_moments(z, k)
    truth = np.sqrt(square - 2 * mean * np.exp(-(z**2)) + np.exp(-2 * z**2))
    np.testing.assert_allclose(mapped_kernel_error("gaussian", k, z), truth, rtol=1e-9)
    direct = [chi2(k).expect(lambda s, a=a: np.exp(-(a**2) * s / k)) for a in z]
    np.testing.assert_allclose(mean, direct, rtol=1e-6)


@pytest.mark.parametrize("kernel", RADIAL_KERNELS)
def test_constants_are_the_steepest_slopes(kernel):
    z = np.geomspace(0.05, 20, 4001)
    steepest = np.abs(np.gradient(kernel_profile(kernel, z), np.log(z))).max()
    assert distortion_constant(kernel) == pytest.approx(steepest / np.sqrt(2), rel=1e-4)
    assert largest_distortion(kernel, 10**5) * np.sqrt(10**5) == pytest.approx(
        distortion_constant(kernel), rel=1e-3
    )


def test_distortion_does_not_know_the_dimension():
    reps, k = 4000, 20
    for d in (5, 200):
        u = np.random.default_rng(d).normal(size=d)
        u /= np.linalg.norm(u)
        maps = gaussian_map(d, k * reps, rng=d) * np.sqrt(reps)
        lengths = np.linalg.norm((u @ maps).reshape(reps, k), axis=1)
        squares = (np.exp(-lengths) - np.exp(-1.0)) ** 2
        truth = mapped_kernel_error("exponential", k, 1.0) ** 2
        slack = norm.isf(1e-7) * squares.std() / np.sqrt(reps)
        assert abs(squares.mean() - truth) < slack < 0.2 * truth


@pytest.mark.parametrize("kernel", RADIAL_KERNELS)
def test_dimension_is_the_least_that_suffices(kernel):
    k = johnson_lindenstrauss_dimension(kernel, 0.05)
    z = np.geomspace(0.05, 20, 500)
    assert mapped_kernel_error(kernel, k, z).max() <= 0.05
    assert mapped_kernel_error(kernel, k - 1, z).max() > 0.0499999


def test_deviation_is_rarely_exceeded():
    failure, k, reps = 0.05, 30, 20_000
    bound = distortion_deviation("gaussian", k, failure)
    ratio = np.sqrt(np.random.default_rng(1).chisquare(k, reps) / k)
    exceeded = np.mean(np.abs(np.exp(-(ratio**2)) - np.exp(-1)) > bound)
    assert exceeded < failure
    assert bound < 0.5
    assert distortion_deviation("gaussian", 1, 1e-9) <= 1.0


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="kernel"):
        distortion_constant("laplacian")
    with pytest.raises(ValueError, match="alpha"):
        johnson_lindenstrauss_dimension("gaussian", 0.0)
    with pytest.raises(ValueError, match="order"):
        mapped_kernel_error("gaussian", 3, 1.0, order=0.5)
    with pytest.raises(ValueError, match="k must be"):
        gaussian_map(3, 0)
