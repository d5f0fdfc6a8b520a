import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.signal import find_peaks

from theorytk.paths.interpolants import gamma_schedule, interpolant
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant
from theorytk.paths.smoothness import (
    count_modes,
    fisher_information,
    interpolant_energy,
    mean_square,
    velocity_lipschitz,
)

TWO = GaussianMixture([0.5, 0.5], [-3.0, 3.0], [0.25, 0.25])
THREE = GaussianMixture([1 / 3] * 3, [-6.0, 0.0, 6.0], [0.5, 0.33, 0.5])
GRID = np.linspace(-12, 12, 2401)
PATHS = [
    interpolant("trigonometric", "none"),
    interpolant("trigonometric"),
    interpolant("trigonometric", gamma_schedule("brownian", a=2.0)),
    interpolant("encoder-decoder"),
]


def gaussian_flow(v0, v1, path):
    rho0, rho1 = (GaussianMixture([1.0], [m], [v]) for m, v in ((1.0, v0), (-1.0, v1)))
    return MixtureInterpolant(rho0, rho1, path)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.name}, {path.gamma.name}")
def test_gaussians_in_closed_form(path):
    flow, t = gaussian_flow(0.5, 2.0, path), 0.3
    c = path.coefficients(t)
    C = c.alpha**2 * 0.5 + c.beta**2 * 2 + c.gamma2
    half_d_C = c.alpha * c.d_alpha * 0.5 + c.beta * c.d_beta * 2 + c.gamma_d_gamma
    assert fisher_information(flow, t, GRID) == pytest.approx(1 / C, rel=1e-10)
    assert velocity_lipschitz(flow, t, GRID) == pytest.approx(abs(half_d_C / C), rel=1e-8)
    assert count_modes(flow, t, GRID) == 1


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.name}, {path.gamma.name}")
def test_energies_by_draws(path):
    flow, n = MixtureInterpolant(TWO, THREE, path), 20_000
    rng = np.random.default_rng(0)
    t = rng.uniform(0, 1, n)
    squares = flow.velocity(t, flow.sample(t, n, rng)) ** 2
    assert abs(squares.mean() - interpolant_energy(flow, GRID)) < 5.1 * squares.std() / math.sqrt(n)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.name}, {path.gamma.name}")
def test_mean_squares_of_waves_in_closed_form(path):
    # E sin^2(k x) = (1 - E cos(2 k x)) / 2, where E cos(u x) = e^(-C u^2 / 2) cos(u m) of N(m, C).
    flow, k = MixtureInterpolant(TWO, THREE, path), 3.0

    def at(t):
        law = flow.marginal(t)
        C, m = law.covariances[:, 0, 0], law.means[:, 0]
        return t**2 * (1 - law.weights @ (np.exp(-2 * C * k**2) * np.cos(2 * k * m))) / 2

    expected = sum(quad(at, *half, epsabs=1e-12)[0] for half in ((0, 0.5), (0.5, 1)))
    found = mean_square(flow, lambda t, x: t * np.sin(k * x), GRID)
    assert found == pytest.approx(expected, rel=1e-7)


def test_a_noisier_path_is_smoother():
    flows = [MixtureInterpolant(TWO, THREE, path) for path in PATHS]
    information = [fisher_information(flow, 0.5, GRID) for flow in flows[:3]]
    lipschitz = [velocity_lipschitz(flow, 0.5, GRID) for flow in flows]
    assert information == sorted(information, reverse=True)
    assert lipschitz == sorted(lipschitz, reverse=True)
    # Halfway the encoder-decoder is standard normal and at rest.
    assert fisher_information(flows[3], 0.5, GRID) == pytest.approx(1)
    assert lipschitz[3] == pytest.approx(0, abs=1e-12)
    # What it saves in smoothness it pays in energy.
    assert interpolant_energy(flows[3], GRID) > 2 * interpolant_energy(flows[0], GRID)


@pytest.mark.parametrize("t", [0.1, 0.25, 0.4, 0.5, 0.75, 0.9])
def test_modes_against_scipy(t):
    for path in PATHS:
        flow = MixtureInterpolant(TWO, THREE, path)
        density = np.exp(flow.logpdf(t, GRID[:, None]))
        assert count_modes(flow, t, GRID) == len(find_peaks(density)[0])


def test_bad_arguments():
    flow = gaussian_flow(1.0, 1.0, PATHS[0])
    with pytest.raises(ValueError, match="n_nodes must be an integer >= 1"):
        interpolant_energy(flow, GRID, n_nodes=0)
    with pytest.raises(ValueError, match="grid must be increasing and uniform"):
        fisher_information(flow, 0.5, GRID**3)
    rho = GaussianMixture([1.0], [[0.0, 0.0]], [1.0])
    flow = MixtureInterpolant(rho, rho, PATHS[0])
    with pytest.raises(ValueError, match=r"x must have shape \(any, 2\)"):
        fisher_information(flow, 0.5, GRID)
