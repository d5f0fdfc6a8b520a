"""Laws of energies against exact separations and transport by other routes."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from theorytk.paths.energy import conditional_energy, kinetic_energy
from theorytk.paths.named_paths import cond_ot_path, polynomial_path, trigonometric_path
from theorytk.paths.oracles import (
    atoms_separation,
    gaussian_separation,
    single_point_separation,
    sphere_separation,
    subspace_separation,
    two_point_separation,
)
from theorytk.paths.theory import (
    cond_ot_energy,
    cond_ot_gap_bound,
    conditional_energy_range,
    gaussian_wasserstein,
    optimal_energy,
    sphere_wasserstein,
    start_exponent,
    two_eigenvalue_path,
    two_point_wasserstein,
)

SPHERE = sphere_separation(10)

LAWS = [
    subspace_separation(1, 4),
    gaussian_separation([0.1, 0.5, 2.4]),
    two_point_separation(1),
    two_point_separation(100),
    atoms_separation([-0.5, 2.0], [0.8, 0.2]),
    SPHERE,
    single_point_separation(2),
]


@pytest.mark.parametrize("law", LAWS)
def test_order_of_energies_and_certificate(law):
    delta, angle = law.delta(), law.angle()
    best, cond_ot = optimal_energy(angle), cond_ot_energy(delta)
    mean = math.pi / 2 - delta
    assert best <= angle**2 + 1e-9
    assert angle**2 <= math.pi / 2 * mean + 1e-9
    assert -1e-9 <= cond_ot - best <= cond_ot_gap_bound(delta) + 1e-9
    assert cond_ot_gap_bound(delta) <= delta


def test_certificate_is_tight_for_the_isotropic_gaussian():
    law = gaussian_separation([1.0, 1.0])
    gap = cond_ot_energy(law.delta()) - optimal_energy(law.angle())
    assert gap == pytest.approx(cond_ot_gap_bound(law.delta()), abs=1e-9)


@pytest.mark.parametrize("path", [cond_ot_path(), trigonometric_path(), polynomial_path(2.0)])
@pytest.mark.parametrize("law", LAWS)
def test_conditional_energy_bounds(path, law):
    t = np.linspace(0, 1, 500)
    size = max(np.abs(f(t)).max() for f in (path.a, path.m, path.da, path.dm))
    low, high = conditional_energy_range(conditional_energy(path), size, law.delta())
    assert low - 1e-6 <= kinetic_energy(path, law) <= high + 1e-6


def test_unnormalised_laws_by_rescaling():
    # N(0, v): the optimum is the transport cost (sqrt(v) - 1)^2 of a Gaussian of one variance.
    for v in (0.3, 1.0, 5.0):
        assert optimal_energy(0.0, v) == pytest.approx((math.sqrt(v) - 1) ** 2)
    # A point at distance sqrt(d v): all noise moves there.
    assert optimal_energy(math.pi / 2, 4.0) == pytest.approx(5)


def test_gaussian_wasserstein_by_matrices():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((5, 5))
    covariance = A @ A.T
    root = scipy.linalg.sqrtm(covariance)
    expected = np.trace(np.eye(5) + covariance - 2 * root) / 5
    assert gaussian_wasserstein(np.linalg.eigvalsh(covariance)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("spectrum", "equal"),
    [
        ([0.25, 1.75], True),
        ([0.0, 0.0, 3.0], True),
        ([0.3, 0.3, 2.4], True),
        ([0.1, 0.5, 2.4], False),
    ],
)
def test_optimum_is_transport_for_two_eigenvalues_only(spectrum, equal):
    gap = optimal_energy(gaussian_separation(spectrum).angle()) - gaussian_wasserstein(spectrum)
    if equal:
        assert abs(gap) < 1e-9
    else:
        assert gap == pytest.approx(0.288461 - 0.284981, abs=1e-6)


def test_two_eigenvalue_path_keeps_straight_lines():
    t = np.linspace(0, 1, 7)
    a, m = two_eigenvalue_path(0.3, 1.4, t)
    for sd in (0.3, 1.4):
        np.testing.assert_allclose(np.sqrt(a**2 * sd**2 + m**2), 1 - t + t * sd)


def test_wasserstein_of_points_and_spheres_is_below_the_energy():
    for d in (1, 4, 100):
        assert two_point_wasserstein(d) < optimal_energy(two_point_separation(d).angle())
        rng = np.random.default_rng(d)
        z = rng.standard_normal((200_000, 1))[:, 0]
        cost = ((np.abs(z) - math.sqrt(d)) ** 2 + d - 1) / d
        error = cost.std() / math.sqrt(len(z))
        assert abs(cost.mean() - two_point_wasserstein(d)) < scipy.stats.norm.isf(1e-7) * error
    for d in (2, 50):
        mean = scipy.stats.chi(d).mean()
        assert sphere_wasserstein(d) == pytest.approx(2 - 2 * mean / math.sqrt(d))
    best = optimal_energy(SPHERE.angle())
    assert sphere_wasserstein(10) < best < sphere_wasserstein(10) + 1e-3


def test_bad_arguments():
    for call in (cond_ot_energy, cond_ot_gap_bound):
        with pytest.raises(ValueError, match="delta must be a number >= 0"):
            call(2.0)
    with pytest.raises(ValueError, match="angle must be a number >= 0"):
        optimal_energy(2.0)
    with pytest.raises(ValueError, match="second_moment must be a number > 0"):
        optimal_energy(1.0, 0.0)
    with pytest.raises(ValueError, match=r"t must be in \[0, 1\]"):
        two_eigenvalue_path(0.5, 1.0, [2.0])
    with pytest.raises(ValueError, match="sd_high must be positive"):
        two_eigenvalue_path(0.0, 0.0, [0.5])
    with pytest.raises(ValueError, match="order must be an integer >= 1"):
        start_exponent(0)
    with pytest.raises(ValueError, match="eigenvalues must be >= 0"):
        gaussian_wasserstein([-1.0])
