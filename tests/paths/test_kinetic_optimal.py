"""The closed form against a boundary value problem, L-BFGS and straight-line transport."""

import math

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from theorytk.paths.energy import kinetic_energy, minimise_discrete_energy
from theorytk.paths.kinetic_optimal import best_vp_path, kinetic_optimal_path, solve_kinetic_bvp
from theorytk.paths.named_paths import cond_ot_path, perturbed_path, trigonometric_path
from theorytk.paths.oracles import (
    atoms_separation,
    gaussian_posterior_mean,
    gaussian_separation,
    single_point_separation,
    subspace_separation,
    two_point_separation,
)
from theorytk.paths.theory import optimal_energy, start_exponent, two_eigenvalue_path

LAWS = {
    "subspace": subspace_separation(1, 4),
    "two eigenvalues": gaussian_separation([0.25, 1.75]),
    "power law": gaussian_separation(np.arange(1.0, 65.0) ** -1.5),
    "two points": two_point_separation(1),
    "skew": atoms_separation([-0.5, 2.0], [0.8, 0.2]),
    "one point": single_point_separation(2),
}


@pytest.fixture(params=LAWS)
def law(request):
    return LAWS[request.param]


def test_energy_of_the_path_is_the_closed_form(law):
    best = optimal_energy(law.angle())
    assert kinetic_energy(kinetic_optimal_path(law), law) == pytest.approx(best, abs=5e-7)
    assert kinetic_energy(best_vp_path(law), law) == pytest.approx(law.angle() ** 2, abs=5e-7)


def test_euler_lagrange_equations(law):
    end = 1.4
    theta, _, phi = law.table
    angle = PchipInterpolator(theta, phi)
    found = solve_kinetic_bvp(law, 0.4, end)
    expected = optimal_energy(float(angle(end) - angle(0.4)))
    assert found.energy == pytest.approx(expected, abs=1e-8)
    np.testing.assert_allclose(found.theta[[0, -1]], [0.4, end], atol=1e-8)
    # Its path is the chord between the two angles.
    turned = angle(found.theta) - angle(0.4)
    total = turned[-1]
    r = np.cos(total / 2) / np.cos(turned - total / 2)
    np.testing.assert_allclose(found.r, r, atol=1e-6)


def test_theorem_3_1_along_the_path(law):
    path, b = kinetic_optimal_path(law), optimal_energy(law.angle())
    t = np.linspace(0.05, 0.95, 19)
    state = path.polar(t)
    np.testing.assert_allclose(state.r**2, 1 - b * t + b * t**2, rtol=1e-10)
    rate = np.sqrt((b - b * b / 4) / law.gamma(state.theta)) / state.r**2
    np.testing.assert_allclose(state.dtheta, rate, rtol=1e-8)
    h = 1e-4
    slope = (path.polar(t + h).theta - path.polar(t - h).theta) / (2 * h)
    np.testing.assert_allclose(slope, rate, rtol=2e-4)


def test_discrete_energies_tend_to_the_closed_form():
    law = LAWS["subspace"]
    errors = [minimise_discrete_energy(law, n).energy - 1 for n in (8, 16, 32, 64)]
    np.testing.assert_allclose(errors, [1.28e-2, 3.67e-3, 1.03e-3, 2.86e-4], rtol=0.01)
    found = minimise_discrete_energy(law, 64)
    path = kinetic_optimal_path(law)
    np.testing.assert_allclose(found.r, path.polar(found.t).r, atol=5e-4)
    inner = found.t > 0.1
    np.testing.assert_allclose(found.theta[inner], path.polar(found.t[inner]).theta, atol=2e-3)


def test_excess_of_perturbations_is_quadratic(law):
    path, best = kinetic_optimal_path(law), optimal_energy(law.angle())
    excess = [kinetic_energy(perturbed_path(path, e), law) - best for e in (0.05, 0.1, -0.1)]
    assert min(excess) > 0
    assert math.log2(excess[1] / excess[0]) == pytest.approx(2, abs=0.15)


def test_a_path_that_is_not_optimal_has_a_descent():
    law, path = LAWS["subspace"], trigonometric_path()
    assert kinetic_energy(perturbed_path(path, -0.02), law) < kinetic_energy(path, law) - 0.005


@pytest.mark.parametrize("sd", [(0.5, math.sqrt(1.75)), (0.0, 2.0)])
def test_two_eigenvalues_move_on_straight_lines(sd):
    weight = (1 - sd[0] ** 2) / (sd[1] ** 2 - sd[0] ** 2)
    n = 8
    spectrum = np.repeat(np.square(sd), [n - round(n * weight), round(n * weight)])
    assert spectrum.mean() == pytest.approx(1)
    path = kinetic_optimal_path(gaussian_separation(spectrum))
    t = np.linspace(0, 1, 21)
    a, m = two_eigenvalue_path(*sd, t)
    np.testing.assert_allclose(path.a(t), a, atol=1e-9)
    np.testing.assert_allclose(path.m(t), m, atol=1e-9)
    x0 = np.random.default_rng(0).standard_normal((100, n))
    posterior = gaussian_posterior_mean(spectrum)
    one_step = path.sample(x0, posterior, 1)
    np.testing.assert_allclose(one_step, x0 * np.sqrt(spectrum), atol=1e-7)
    rough = trigonometric_path().sample(x0, posterior, 1)
    assert np.abs(rough - x0 * np.sqrt(spectrum)).max() > 0.1


@pytest.mark.parametrize(
    ("law", "order"),
    [
        (single_point_separation(1), 1),
        (subspace_separation(1, 4), 2),
        (atoms_separation([-0.5, 2.0], [0.8, 0.2]), 3),
        (two_point_separation(1), 4),
    ],
)
def test_start_exponents(law, order):
    t = np.geomspace(1e-5, 1e-4, 10)
    slope = np.polyfit(np.log(t), np.log(kinetic_optimal_path(law).a(t)), 1)[0]
    assert slope == pytest.approx(start_exponent(order), abs=2e-3)


def test_one_point_is_cond_ot():
    path = kinetic_optimal_path(single_point_separation(1))
    t = np.linspace(0, 1, 11)
    np.testing.assert_allclose(path.a(t), t, atol=1e-9)
    np.testing.assert_allclose(path.m(t), cond_ot_path().m(t), atol=1e-9)


def test_isotropic_law_warns():
    for function in (kinetic_optimal_path, best_vp_path):
        with pytest.warns(UserWarning, match="isotropic Gaussian data"):
            path = function(gaussian_separation([1.0, 1.0]))
        assert path.name == "trigonometric"


def test_bad_arguments():
    law = LAWS["subspace"]
    with pytest.raises(ValueError, match="theta_start must be a number >= 0"):
        solve_kinetic_bvp(law, -0.1)
    with pytest.raises(ValueError, match=r"theta_end must be a number > 0\.5"):
        solve_kinetic_bvp(law, 0.5, 0.5)
    with pytest.raises(ValueError, match=r"must have gamma > 0\.0001 between them"):
        solve_kinetic_bvp(law, 0.0)
    with pytest.raises(ValueError, match="n_intervals must be an integer >= 2"):
        minimise_discrete_energy(law, 1)
