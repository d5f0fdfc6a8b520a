import itertools
import math

import numpy as np
import pytest

from theorytk.privacy.exponential_spline import (
    exponential_spline,
    mean_square_weights,
    spline_loss_supremum,
)
from theorytk.privacy.kernel_theory import exponential_spline_noise_rms
from theorytk.privacy.linear_mechanism import GRID_BITS

POINTS = np.random.default_rng(0).beta(2, 3, 500)
KAPPAS = [0.01, 1.0, 8.0, 300.0]


def noiseless(mechanism, x, y):
    sums = np.repeat(2.0**-mechanism.bits, mechanism.sizes)
    table = mechanism.synthesise(sums * mechanism.totals(mechanism.grid_points(x)))
    return mechanism.answers(table, np.asarray(y))


@pytest.mark.parametrize("kappa", KAPPAS)
def test_synthesis_is_exact_at_grid_points_and_outside(kappa):
    mechanism = exponential_spline(7, kappa, epsilon=1.0)
    y = np.concatenate([np.arange(129) / 128, [-0.5, 1.0 + 1e-9, 1.7]])
    truth = np.exp(-kappa * np.abs(POINTS - y[:, None])).sum(axis=1)
    np.testing.assert_allclose(noiseless(mechanism, POINTS, y), truth, atol=500 * 1e-6)


@pytest.mark.parametrize("kappa", KAPPAS)
def test_bias_is_within_its_bounds_and_reaches_them(kappa):
    mechanism = exponential_spline(4, kappa, epsilon=1.0)
    y = np.random.default_rng(1).uniform(-0.2, 1.2, 300)
    below, above = mechanism.bias_per_point(y)
    error = noiseless(mechanism, POINTS, y)
    error -= np.exp(-kappa * np.abs(POINTS - y[:, None])).sum(axis=1)
    assert (error <= 500 * above).all()
    assert (error >= -500 * below).all()
    inner = 0.3
    reached = 1 - noiseless(mechanism, [inner], [inner])[0]
    assert reached == pytest.approx(mechanism.bias_per_point(np.array([inner]))[0][0], rel=1e-3)


@pytest.mark.parametrize("kappa", KAPPAS)
def test_contributions_are_the_surpluses(kappa):
    mechanism = exponential_spline(3, kappa, rho=1.0)
    x, h = 0.3, 0.25
    wanted = [
        math.exp(-kappa * x) + math.exp(-kappa * (1 - x)),
        math.exp(-kappa * x) - math.exp(-kappa * (1 - x)),
        math.sinh(kappa * (0.5 - abs(x - 0.5))) / math.cosh(kappa / 2),
        math.sinh(kappa * (h - abs(x - 0.25))) / math.cosh(kappa * h),
        0.0,
        0.0,
        math.sinh(kappa * (0.125 - abs(x - 0.375))) / math.cosh(kappa / 8),
        0.0,
        0.0,
    ]
    error = np.array(wanted) - mechanism.contributions([x])[0]
    assert np.abs(error).max() < (2 + kappa) * 2.0**-GRID_BITS


@pytest.mark.parametrize("kappa", KAPPAS)
@pytest.mark.parametrize("levels", [1, 2, 6])
def test_pure_loss_is_epsilon_by_enumeration(kappa, levels):
    x = np.arange(257) / 256
    single = exponential_spline(levels, kappa, epsilon=0.7)
    assert single.privacy_loss(x).max() == pytest.approx(0.7, rel=1e-6)
    assert single.privacy_loss(x).max() <= 0.7
    pair = exponential_spline(levels, kappa, epsilon=0.7, neighbours="replace")
    scaled = pair.contributions(x) / np.repeat(pair.scales, pair.sizes)
    largest = max(np.abs(scaled - row).sum(axis=1).max() for row in scaled)
    assert 0.7 * (1 - 2e-4) - 1e-6 <= largest <= 0.7


def test_replacements_can_be_cheaper_than_two_changes():
    rates = 1 / exponential_spline(8, 1.0, epsilon=1.0).scales
    assert 0.5 < spline_loss_supremum(rates, 1.0, "replace") < 1.2


@pytest.mark.parametrize("kappa", KAPPAS)
def test_gaussian_form_costs_every_point_and_query_the_same(kappa):
    mechanism = exponential_spline(8, kappa, rho=0.5)
    grid = np.arange(257) / 256
    np.testing.assert_allclose(mechanism.privacy_loss(grid), 0.5, rtol=1e-6)
    assert mechanism.privacy_loss(POINTS).max() <= 0.5
    variances = mechanism.noise_components(grid)[0].sum(axis=1)
    np.testing.assert_allclose(variances, 1.0, rtol=1e-9)


@pytest.mark.parametrize("kappa", [1.0, 8.0])
def test_gaussian_replacement_loses_the_kernel_distance(kappa):
    mechanism = exponential_spline(8, kappa, rho=0.5)
    x, other = np.array(list(itertools.combinations(np.arange(9) / 8, 2))).T
    truth = -np.expm1(-kappa * np.abs(x - other))
    np.testing.assert_allclose(mechanism.privacy_loss(x, other), truth, rtol=1e-6)
    replace = exponential_spline(8, kappa, rho=0.5, neighbours="replace")
    assert replace.privacy_loss([0.0], [1.0])[0] == pytest.approx(0.5, rel=1e-6)
    assert replace.privacy_loss([0.0], [1.0])[0] <= 0.5


@pytest.mark.parametrize("kappa", KAPPAS)
def test_mean_square_weights_are_the_integrals(kappa):
    y = (np.arange(200_000) + 0.5) / 200_000
    components = exponential_spline(6, kappa, epsilon=1.0, noise="float").noise_components(y)[0]
    variances = 2 * exponential_spline(6, kappa, epsilon=1.0).scales ** 2
    means = components.mean(axis=0) / variances
    np.testing.assert_allclose(mean_square_weights(6, kappa), means, rtol=1e-5)


def test_noise_of_answers_has_the_stated_variance():
    """150 releases at 5 queries: chi-square would leave this band with probability below 1e-6."""
    mechanism = exponential_spline(5, 4.0, rho=0.5)
    rng, y = np.random.default_rng(5), np.array([0.0, 0.25, 0.4, 0.77, 1.3])
    noise = [mechanism.answers(mechanism.synthesise(mechanism.release([], rng)), y)]
    noise += [
        mechanism.answers(mechanism.synthesise(mechanism.release([], rng)), y) for _ in range(149)
    ]
    ratio = np.mean(np.square(noise), axis=0) / mechanism.noise_components(y)[0].sum(axis=1)
    assert (np.abs(ratio - 1) < 0.65).all()


def test_noise_does_not_grow_with_the_levels():
    rms = [exponential_spline_noise_rms(levels, 5.0, 1.0) for levels in (10, 14, 18)]
    assert rms[2] < 1.03 * rms[0]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="kappa"):
        exponential_spline(4, 0.0, epsilon=1.0)
    with pytest.raises(ValueError, match="levels"):
        exponential_spline(27, 1.0, epsilon=1.0)
    with pytest.raises(ValueError, match="one of epsilon and rho"):
        exponential_spline(4, 1.0)
    with pytest.raises(ValueError, match="neighbours"):
        exponential_spline(4, 1.0, epsilon=1.0, neighbours="swap")
    with pytest.raises(ValueError, match="x must lie in"):
        exponential_spline(4, 1.0, epsilon=1.0).release([1.5])
