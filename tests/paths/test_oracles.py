"""Exact separations against other integrals, Monte Carlo of the definition, and known constants."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from theorytk.paths.oracles import (
    atoms_separation,
    gaussian_posterior_mean,
    gaussian_separation,
    single_point_separation,
    sphere_separation,
    subspace_separation,
    two_point_separation,
)
from theorytk.paths.theory import optimal_energy


def test_gaussian_by_its_definition():
    e = np.array([0.1, 0.4, 2.5])
    law = gaussian_separation(5 * e)
    for s in (0.0, 1e-3, 0.7, 5.0, 1e3):
        assert law.one_minus_lambda(s) == pytest.approx(np.mean(e / (1 + s * s * e)), rel=1e-12)
    assert law.delta() == pytest.approx(math.pi / 2 * np.sqrt(e).mean(), rel=1e-10)
    # The expansion at small angles, where 1 - (1 - lambda) / cos^2 has no digits left.
    assert law.gamma(1e-7) == pytest.approx(1e-14 * (np.mean(e**2) - 1), rel=1e-6)


def test_gaussian_posterior_mean_by_regression():
    e, s = np.array([0.5, 1.5]), 0.8
    rng = np.random.default_rng(0)
    x = rng.standard_normal((400_000, 2)) * np.sqrt(e)
    y = s * x + rng.standard_normal(x.shape)
    residual = x - gaussian_posterior_mean(e)(y, s)
    products = residual * y
    deviation = products.mean(axis=0) / (products.std(axis=0) / math.sqrt(len(x)))
    assert (np.abs(deviation) < scipy.stats.norm.isf(0.25e-6)).all()


@pytest.mark.parametrize(("k", "d"), [(1, 4), (3, 4), (2, 2)])
def test_subspace(k, d):
    law = subspace_separation(k, d)
    same = gaussian_separation([1.0] * k + [0.0] * (d - k))
    theta = np.linspace(0, math.pi / 2, 50)
    np.testing.assert_allclose(law.gamma(theta)[:-1], same.gamma(theta)[:-1], atol=1e-12)
    assert law.angle() == pytest.approx(math.acos(math.sqrt(k / d)), abs=1e-10)
    assert law.delta() == pytest.approx(math.pi / 2 * math.sqrt(k / d), abs=1e-10)


def two_point_variance(q):
    """1 - E tanh(q + sqrt(q) g), by adaptive quadrature."""
    integrand = lambda g: np.tanh(q + math.sqrt(q) * g) * math.exp(-g * g / 2)  # noqa: E731
    value = scipy.integrate.quad(integrand, -12, 12, epsabs=1e-13, limit=200)[0]
    return 1 - value / math.sqrt(2 * math.pi)


@pytest.mark.parametrize("d", [1, 7, 1000])
def test_two_points_by_tanh(d):
    law = two_point_separation(d)
    for s in np.array([0.1, 0.8, 2.0]) / math.sqrt(d):
        assert law.one_minus_lambda(s) == pytest.approx(two_point_variance(s * s * d), abs=1e-11)
    assert law.delta() == pytest.approx(1.0176016569 / math.sqrt(d), rel=1e-8)
    assert law.sum_rule() == pytest.approx(math.log(2) / d, abs=1e-9)


@pytest.mark.parametrize(
    ("d", "energy"), [(1, 0.4591188695), (2, 0.977569), (10, 1.550982), (1000, 1.955251)]
)
def test_optimal_energies_of_two_points(d, energy):
    assert optimal_energy(two_point_separation(d).angle()) == pytest.approx(energy, abs=6e-7)


def test_atoms_with_unequal_weights():
    law = atoms_separation([-0.5, 2.0], [0.8, 0.2])
    assert law.sum_rule() == pytest.approx(law.entropy, abs=1e-9)
    assert law.entropy == pytest.approx(0.5004024235, abs=1e-9)
    # In one dimension gamma starts with half the squared skewness, here 1.5, at the fourth power.
    assert law.gamma(1e-3) == pytest.approx(0.5 * 1.5**2 * 1e-12, rel=0.01)
    three = atoms_separation([-1.0, 0.2, 3.0], [1, 2, 3], embed=5)
    assert three.sum_rule() == pytest.approx(three.entropy / 5, abs=1e-9)
    assert three.gamma(math.pi / 2) == pytest.approx(1, abs=1e-9)


def test_symmetric_atoms_start_with_the_kurtosis():
    law = atoms_separation([-1.0, 1.0])
    assert law.gamma(1e-2) == pytest.approx(2 / 3 * 1e-12, rel=0.01)


@pytest.mark.parametrize(
    ("d", "expected"),
    [
        (2, [0.202964, 0.532896, 0.863916]),
        (3, [0.202331, 0.524078, 0.841227]),
        (10, [0.200927, 0.508080, 0.811671]),
    ],
)
def test_sphere(d, expected):
    law = sphere_separation(d)
    s = np.array([0.5, 1.0, 2.0])
    np.testing.assert_allclose(1 - law.one_minus_lambda(s), expected, atol=1e-5)
    # Langevin's function in three dimensions, with the chi-square law of |y|^2 by quadrature.
    if d == 3:
        radius = np.linspace(1e-6, 20, 200_001)
        for value, found in zip(s, law.one_minus_lambda(s), strict=True):
            density = 2 * radius * scipy.stats.ncx2.pdf(radius**2, 3, 3 * value**2)
            x = value * math.sqrt(3) * radius
            ratio = 1 / np.tanh(x) - 1 / x
            exact = 1 - scipy.integrate.simpson(density * ratio**2, radius)
            assert found == pytest.approx(exact, abs=1e-6)
    assert law.gamma(math.pi / 2) == pytest.approx(1 / d, abs=1e-4)


def test_sphere_in_high_dimension_has_no_underflow():
    law = sphere_separation(500)
    theta = np.linspace(0, math.pi / 2, 60)
    gamma = law.gamma(theta)
    assert np.isfinite(gamma).all()
    # Expansion at s = 0: the covariance is I, and the fourth cumulant is -2 / (d + 2).
    assert gamma[1:].min() > 0
    assert gamma.max() < 1 / 500 + 1e-6


def test_single_point():
    law = single_point_separation(3)
    assert (law.delta(), law.entropy) == (0.0, 0.0)
    assert law.angle() == pytest.approx(math.pi / 2)


def test_bad_arguments():
    for values in ([], [-1.0, 2.0], [0.0]):
        with pytest.raises(ValueError, match="eigenvalues must be >= 0"):
            gaussian_separation(values)
    with pytest.raises(ValueError, match="k must be an integer >= 1 and <= 3"):
        subspace_separation(4, 3)
    with pytest.raises(ValueError, match="d must be an integer >= 2"):
        sphere_separation(1)
    with pytest.raises(ValueError, match="embed must be an integer >= 1"):
        atoms_separation([1.0, 2.0], embed=0)
    with pytest.raises(ValueError, match="X must not be constant"):
        atoms_separation([1.0, 1.0])
