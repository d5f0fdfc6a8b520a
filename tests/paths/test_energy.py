"""Energies against closed forms, Monte Carlo of the definition, and poles."""

import math

import numpy as np
import pytest
import scipy.stats
from scipy.integrate import quad

from theorytk.paths.datasets import normalise
from theorytk.paths.energy import conditional_energy, kinetic_energy
from theorytk.paths.kinetic_optimal import kinetic_optimal_path
from theorytk.paths.named_paths import (
    cond_ot_path,
    ddpm_path,
    polynomial_path,
    trigonometric_path,
    vp_linear_path,
)
from theorytk.paths.oracles import (
    gaussian_separation,
    subspace_separation,
    two_point_separation,
)
from theorytk.paths.separation import separation_function
from theorytk.paths.theory import cond_ot_energy

LAWS = [subspace_separation(1, 4), gaussian_separation([0.1, 0.5, 2.4]), two_point_separation(3)]


@pytest.mark.parametrize("law", LAWS)
def test_named_paths(law):
    assert kinetic_energy(cond_ot_path(), law) == pytest.approx(
        cond_ot_energy(law.delta()), abs=5e-7
    )
    expected = math.pi / 2 * (math.pi / 2 - law.delta())
    assert kinetic_energy(trigonometric_path(), law) == pytest.approx(expected, abs=5e-7)


@pytest.mark.parametrize("path", [polynomial_path(2.0), polynomial_path(0.8), trigonometric_path()])
def test_decomposition_by_quadrature(path):
    law = gaussian_separation([0.1, 0.5, 2.4])

    def saved(t):
        a, m, da, dm = (float(f(t)) for f in (path.a, path.m, path.da, path.dm))
        return (da - a * dm / m) ** 2 * law.one_minus_lambda(a / m)

    correction = quad(saved, 1e-9, 1 - 1e-9, limit=200)[0]
    found = conditional_energy(path) - kinetic_energy(path, law)
    assert found == pytest.approx(correction, abs=2e-4)


@pytest.mark.parametrize("name", ["cond-ot", "trigonometric", "kinetic-optimal"])
def test_energy_of_data_by_monte_carlo(name):
    rng = np.random.default_rng(0)
    data = normalise(rng.standard_normal((24, 6)))
    law = separation_function(data, n_sweeps=200, rng=1)
    path = {
        "cond-ot": cond_ot_path(),
        "trigonometric": trigonometric_path(),
        "kinetic-optimal": kinetic_optimal_path(law),
    }[name]
    # The midpoint rule in u, with t = u^2 so that the root at the start is smooth.
    u = (np.arange(200) + 0.5) / 200
    times, draws = u**2, 480
    means, variances = [], []
    for t in times:
        x1 = data.points[np.arange(draws) % data.n]
        x = path.a(t) * x1 + path.m(t) * rng.standard_normal(x1.shape)
        speed = (path.velocity(t, x, data.posterior_mean) ** 2).mean(axis=1)
        means.append(speed.mean())
        variances.append(speed.var() / draws)
    energy = np.mean(2 * u * means)
    error = math.sqrt(np.mean((2 * u) ** 2 * np.array(variances)) / len(u))
    assert abs(energy - kinetic_energy(path, law)) < scipy.stats.norm.isf(0.5e-6) * error + 2e-3
    assert error < 0.01


@pytest.mark.parametrize(
    ("cutoff", "energy"), [(1e-2, 3.5186), (1e-3, 3.6508), (1e-4, 3.7152), (1e-6, 3.8311)]
)
def test_conditional_energy_of_ddpm_grows_with_the_cutoff(cutoff, energy):
    path = ddpm_path(cutoff=cutoff)
    exact = quad(lambda t: path.polar(t).dtheta ** 2, 0, path.t_max, limit=500)[0]
    assert conditional_energy(path) == pytest.approx(exact, rel=1e-4)
    assert conditional_energy(path) == pytest.approx(energy, abs=5e-4 if cutoff < 1e-5 else 5e-5)


def test_poles_are_infinite():
    assert conditional_energy(vp_linear_path()) == math.inf
    assert conditional_energy(polynomial_path(0.5)) == math.inf
    assert kinetic_energy(vp_linear_path(), two_point_separation(1)) == math.inf
    assert conditional_energy(kinetic_optimal_path(subspace_separation(1, 4))) == math.inf
    assert conditional_energy(polynomial_path(0.6)) == pytest.approx(2 * 0.36 / 0.2, rel=0.05)
    # Where gamma vanishes at the end the pole is cancelled: int gamma / sqrt(1 + s^2) ds.
    e = np.array([0.25, 1.75])
    law = gaussian_separation(e)
    exact = quad(lambda s: law.gamma(math.atan(s)) / math.sqrt(1 + s * s), 0, np.inf)[0]
    assert kinetic_energy(vp_linear_path(), law) == pytest.approx(exact, abs=1e-5)


def test_grid():
    law = gaussian_separation([0.25, 1.75])
    exact = cond_ot_energy(law.delta())
    coarse, fine = (kinetic_energy(cond_ot_path(), law, n_grid=n) - exact for n in (100, 200))
    assert coarse / fine == pytest.approx(4, abs=0.1)
    with pytest.raises(ValueError, match="n_grid must be an integer >= 2"):
        kinetic_energy(cond_ot_path(), law, n_grid=1)
