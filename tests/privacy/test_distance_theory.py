"""Laws, lower bounds, projections and squared distances against other routes."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from theorytk.privacy.distance_theory import (
    flat_noise_rms,
    gaussian_distance_noise,
    hat_noise_rms,
    huang_roth_order,
    noise_rms,
    split_noise,
    squared_distance_noise,
    tree_flat_crossover,
    tree_noise_bound,
)
from theorytk.privacy.distances import PrivateDistanceSum
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.flat_histogram import flat_histogram
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.lower_bounds import distance_sum_lower_bound, distance_sum_zcdp_lower_bound
from theorytk.privacy.projections import (
    CLIP_FAILURE,
    projection_box,
    projection_deviation,
    projection_relative_sd,
    random_directions,
)
from theorytk.privacy.squared_distance import squared_distance


@pytest.mark.parametrize("levels", [1, 4, 10])
def test_closed_noise_against_quadrature(levels):
    def mean_square(mechanism):
        knots = np.linspace(0, 1, 2 ** (levels + 1) + 1)
        nodes, weights = np.polynomial.legendre.leggauss(3)
        half = np.diff(knots)[:, None] / 2
        y = knots[:-1, None] + half * (1 + nodes)
        variance = mechanism.noise_components(y.ravel())[0].sum(axis=1).reshape(y.shape)
        return float((half * weights * variance).sum())

    hat = math.sqrt(mean_square(hierarchical_hat(levels, epsilon=0.01)))
    flat = math.sqrt(mean_square(flat_histogram(levels, epsilon=0.01)))
    assert hat_noise_rms(0.01, levels) == pytest.approx(hat, rel=1e-6)
    # Integer noise of scale 100 has a variance smaller by a share near 1 / (12 100^2).
    assert flat_noise_rms(0.01, levels) == pytest.approx(flat, rel=1e-5)


def test_hat_noise_does_not_grow_but_tree_and_flat_do():
    assert hat_noise_rms(1.0, 26) < 1.02 * hat_noise_rms(1.0, 8)
    assert flat_noise_rms(1.0, 20) > 60 * flat_noise_rms(1.0, 8)
    for levels in (8, 10, 14):
        ratio = noise_rms(dyadic_tree(levels, epsilon=0.01), 101) * 0.01 * math.sqrt(0.1)
        assert 0.5 < ratio / levels**1.5 < 1.2


@pytest.mark.parametrize(("levels", "alpha"), [(1, 0.9), (3, 0.5), (6, 0.1), (9, 0.02)])
def test_tree_noise_bound_is_above_every_answer(levels, alpha):
    variances = dyadic_tree(levels, epsilon=0.1, alpha=alpha).noise_components(
        np.linspace(0, 1, 301)
    )[0]
    bound = tree_noise_bound(0.1, levels, alpha)
    assert 0.05 * bound < math.sqrt(variances.sum(axis=1).max()) < bound


@pytest.mark.parametrize("d", [1, 2, 5])
@pytest.mark.parametrize("budget", [dict(epsilon=0.01), dict(rho=0.5)])
def test_squared_distance_noise_against_the_released_sums(d, budget):
    for offset in (0.0, 0.3, 1.0):
        y = np.full((1, d), 0.5 + offset / 2)
        exact = squared_distance([0.5] * d, **budget).noise_components(y)[0].sum()
        law = squared_distance_noise(d, offset=offset, **budget)
        assert law == pytest.approx(math.sqrt(exact), rel=1e-6)


def test_huang_roth_order_has_the_stated_exponents():
    base = huang_roth_order(100, 2, 0.5)
    assert huang_roth_order(200, 2, 0.5) == pytest.approx(base * 2 ** (15 / 17))
    assert huang_roth_order(100, 4, 0.5) == pytest.approx(base * 2 ** (7 / 17))
    assert huang_roth_order(100, 2, 1.0) == pytest.approx(base * 2 ** (-2 / 17))


def test_crossover_separates_the_two():
    crossover = tree_flat_crossover(0.3)
    below, above = math.floor(math.log2(crossover)), math.ceil(math.log2(crossover))
    options = dict(epsilon=0.01, alpha=0.3)
    assert noise_rms(dyadic_tree(below, **options), 201) > flat_noise_rms(0.01, below)
    assert noise_rms(dyadic_tree(above, **options), 201) <= flat_noise_rms(0.01, above)


@pytest.mark.parametrize("d", [1, 3, 8])
def test_noise_over_dimensions(d):
    points, y = np.zeros((0, d)), np.full((1, d), 0.25)
    pure = PrivateDistanceSum(rng=0, levels=6, epsilon=0.7).fit(points, bounds=(0, 2))
    one = PrivateDistanceSum(rng=0, levels=6, epsilon=0.7).fit(points[:, :1], bounds=(0, 2))
    expected = split_noise(one.noise_std(y[:, :1])[0], d)
    np.testing.assert_allclose(pure.noise_std(y), expected, rtol=1e-6)
    zcdp = PrivateDistanceSum(rng=0, levels=6, rho=0.3).fit(points, bounds=(0, 2))
    expected = gaussian_distance_noise(0.3, d=d, width=2.0)
    np.testing.assert_allclose(zcdp.noise_std(y), expected, rtol=1e-6)


@pytest.mark.parametrize("epsilon", [0.03, 0.3, 1.0, 5.0, 40.0])
def test_lower_bound_is_the_best_over_all_shifts(epsilon):
    k = np.arange(1.0, 200.0)
    best = (k * 6.0 / (2 * (1 + np.exp(np.minimum(k * epsilon, 600))))).max()
    assert distance_sum_lower_bound(epsilon, d=3, width=2.0) == pytest.approx(best)


@pytest.mark.parametrize("rho", [0.0003, 0.02, 0.5, 3.0])
def test_zcdp_lower_bound_is_the_best_over_all_shifts(rho):
    k = np.arange(1.0, 200.0)
    best = max((k * 6.0 * (1 - k * math.sqrt(rho / 2)) / 4).max(), 0.0)
    assert distance_sum_zcdp_lower_bound(rho, d=3, width=2.0) == pytest.approx(best)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 2.0])
def test_one_laplace_answer_obeys_the_lower_bound(epsilon):
    # The mean absolute error of the Laplace mechanism for one query is its scale.
    assert distance_sum_lower_bound(epsilon) < 1 / epsilon < 20 * distance_sum_lower_bound(epsilon)


def test_one_gaussian_answer_obeys_the_zcdp_lower_bound():
    error = math.sqrt(2 / math.pi) / math.sqrt(2 * 0.01)
    assert distance_sum_zcdp_lower_bound(0.01) < error < 7 * distance_sum_zcdp_lower_bound(0.01)


def test_projections_have_the_stated_moments():
    k, u = 40, np.array([1.0, -2.0, 2.0])
    rng = np.random.default_rng(0)
    norms = [np.abs(u @ random_directions(3, k, rng)).sum() / 3 for _ in range(4000)]
    assert abs(np.mean(norms) - 1) < 6 * projection_relative_sd(k) / math.sqrt(4000)
    assert np.std(norms) == pytest.approx(projection_relative_sd(k), rel=6 / math.sqrt(2 * 4000))
    beyond = int((np.abs(np.array(norms) - 1) > projection_deviation(k, 0.1)).sum())
    assert beyond <= stats.binom.isf(1e-6, 4000, 0.1)


def test_projection_moments_by_quadrature():
    mean = integrate.quad(lambda g: abs(g) * stats.norm.pdf(g), -np.inf, np.inf)[0]
    assert projection_relative_sd(1) == pytest.approx(math.sqrt(1 / mean**2 - 1))


def test_box_holds_projections_but_for_its_failure():
    n, k = 500, 30
    t = projection_box(2.0, n, k) / (2.0 * math.sqrt(math.pi / 2) / k)
    assert n * k * 2 * stats.norm.sf(t) <= CLIP_FAILURE


def corners_and_more(d):
    rng = np.random.default_rng(0)
    return np.concatenate([list(itertools.product([0.0, 1.0], repeat=d)), rng.random((40, d))])


@pytest.mark.parametrize("budget", [{"epsilon": 1.0}, {"rho": 0.5}])
@pytest.mark.parametrize("radii", [[1.0], [0.5, 0.5], [3.0, 1.0, 0.1]])
def test_squared_distance_loss_of_adding(radii, budget):
    mechanism = squared_distance(radii, **budget)
    loss = mechanism.privacy_loss(corners_and_more(len(radii)))
    assert loss.max() == pytest.approx(next(iter(budget.values())), rel=1e-6)
    assert loss.max() <= next(iter(budget.values()))


@pytest.mark.parametrize("budget", [{"epsilon": 1.0}, {"rho": 0.5}])
@pytest.mark.parametrize("radii", [[1.0], [0.5, 0.5], [3.0, 1.0, 0.1]])
def test_squared_distance_loss_of_replacing(radii, budget):
    mechanism = squared_distance(radii, neighbours="replace", **budget)
    d = len(radii)

    def loss(other):
        corner = np.ones((1, d))
        return -mechanism.privacy_loss(corner, np.clip(other, 0, 1).reshape(1, d))[0]

    starts = corners_and_more(d)
    best = max(
        -optimize.minimize(loss, start, method="Nelder-Mead", options={"maxiter": 200}).fun
        for start in starts[: 2**d + 4]
    )
    first, second = np.meshgrid(np.arange(len(starts)), np.arange(len(starts)))
    pairs = mechanism.privacy_loss(starts[first.ravel()], starts[second.ravel()])
    best = max(best, pairs.max())
    assert best == pytest.approx(next(iter(budget.values())), rel=1e-5)
    assert best <= next(iter(budget.values()))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distance_sum_lower_bound(0.0), "epsilon"),
        (lambda: distance_sum_lower_bound(1.0, d=0), "d must"),
        (lambda: distance_sum_zcdp_lower_bound(-1.0), "rho"),
        (lambda: flat_noise_rms(1.0, 99), "levels"),
        (lambda: gaussian_distance_noise(0.0), "rho"),
        (lambda: tree_flat_crossover(2.0), "alpha"),
        (lambda: projection_deviation(5, 1.0), "failure"),
        (lambda: projection_box(0.0, 5, 5), "radius"),
        (lambda: squared_distance([1.0, 0.0], epsilon=1.0), "radii"),
        (lambda: squared_distance([[1.0]], epsilon=1.0), "radii"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
