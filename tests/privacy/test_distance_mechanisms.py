"""The one-dimensional mechanisms against brute force: answers, sensitivities, noise, bias."""

import numpy as np
import pytest

from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.exact_tree import exact_tree
from theorytk.privacy.flat_histogram import flat_histogram
from theorytk.privacy.hat import hat_loss_supremum, hierarchical_hat
from theorytk.privacy.noise import PrivacyWarning

MECHANISMS = [hierarchical_hat, exact_tree, flat_histogram, dyadic_tree]
BUDGETS = [{"epsilon": 1.0}, {"rho": 0.5}]
POINTS = np.random.default_rng(0).beta(2, 5, 700)
QUERIES = np.append(np.linspace(-0.5, 1.5, 33), np.random.default_rng(1).random(30))


def brute_force(x, y, power=1.0):
    return (np.abs(x[:, None] - y) ** power).sum(axis=0)


def noiseless(mechanism, x, y):
    """Return the answers of a mechanism whose scales are all zero."""
    silent = mechanism.with_scales(np.zeros(len(mechanism.groups)))
    return silent.answers(silent.synthesise(silent.release(x)), y)


@pytest.mark.parametrize("build", MECHANISMS)
@pytest.mark.parametrize("levels", [1, 5, 9])
def test_noiseless_answers_within_bias(build, levels):
    mechanism = build(levels, epsilon=1.0)
    truth = brute_force(POINTS, QUERIES)
    error = noiseless(mechanism, POINTS, QUERIES) - truth
    below, above = mechanism.bias_per_point(QUERIES)
    low, high = mechanism.relative_bias
    tolerance = 1e-9 * len(POINTS)
    assert (error <= high * truth + len(POINTS) * above + tolerance).all()
    assert (error >= low * truth - len(POINTS) * below - tolerance).all()


@pytest.mark.parametrize("build", [hierarchical_hat, exact_tree])
def test_exact_at_grid_points(build):
    y = np.linspace(0, 1, 2**6 + 1)
    x = np.ldexp(np.rint(np.ldexp(POINTS, 32)), -32)
    answers = noiseless(build(6, epsilon=1.0), x, y)
    np.testing.assert_allclose(answers, brute_force(x, y), rtol=0, atol=1e-9)


@pytest.mark.parametrize("build", [hierarchical_hat, exact_tree])
def test_chord_bias_is_attained(build):
    # All points at the query, in the middle of a cell: the bound is the bias.
    y = np.array([5.5 / 16])
    mechanism = build(4, epsilon=1.0)
    bias = noiseless(mechanism, np.full(100, y[0]), y)
    np.testing.assert_allclose(bias, 100 * mechanism.bias_per_point(y)[1], rtol=1e-7)


@pytest.mark.parametrize("ring_weights", ["outer", "geometric_mean"])
@pytest.mark.parametrize(("power", "alpha"), [(1.0, 0.5), (2.0, 0.1), (1.5, 0.02)])
def test_tree_answers_match_rings_by_hand(ring_weights, power, alpha):
    levels, y = 7, np.linspace(0, 1, 23)
    mechanism = dyadic_tree(
        levels, epsilon=1.0, power=power, alpha=alpha, ring_weights=ring_weights
    )
    m = 2**levels
    ratio = (1 + alpha) ** (1 / power)
    cells = np.minimum(np.floor(POINTS * m), m - 1)
    own = np.minimum(np.floor(y * m), m - 1)
    distance = np.abs(cells[:, None] - own) / m
    with np.errstate(divide="ignore"):
        ring = np.floor(-np.log(distance) / np.log(ratio) + 1e-12)
        weight = np.where(distance > 0, ratio ** (-ring * power), 0.0)
    if ring_weights == "geometric_mean":
        weight /= np.sqrt(1 + alpha)
    np.testing.assert_allclose(noiseless(mechanism, POINTS, y), weight.sum(axis=0))
    low, high = mechanism.relative_bias
    exact = (distance**power).sum(axis=0)
    assert (weight.sum(axis=0) <= (1 + high) * exact * (1 + 1e-12)).all()
    assert (weight.sum(axis=0) >= (1 + low) * exact * (1 - 1e-12)).all()


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("build", MECHANISMS)
def test_privacy_loss_of_adding_by_enumeration(build, budget):
    mechanism = build(6, **budget)
    loss = mechanism.privacy_loss(np.linspace(0, 1, 2**9 + 1))
    assert loss.max() == pytest.approx(next(iter(budget.values())), abs=1e-9)
    assert loss.max() <= next(iter(budget.values()))


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("build", MECHANISMS)
def test_privacy_loss_of_replacing_by_enumeration(build, budget):
    levels = 5
    mechanism = build(levels, neighbours="replace", **budget)
    cells = np.linspace(0, 1, 2**levels + 1)
    x = np.concatenate([cells, cells[1:] - 2.0**-32, np.random.default_rng(0).random(20)])
    first, second = np.meshgrid(np.arange(len(x)), np.arange(len(x)))
    loss = mechanism.privacy_loss(x[first.ravel()], x[second.ravel()])
    assert loss.max() == pytest.approx(next(iter(budget.values())), rel=1e-7)
    assert loss.max() <= next(iter(budget.values()))


@pytest.mark.parametrize("levels", [1, 2, 6, 20])
@pytest.mark.parametrize("ratio", [0.5, 0.63, 0.9])
def test_hat_supremum_by_enumeration(levels, ratio):
    rates = ratio ** np.arange(levels + 1.0)
    x = np.linspace(0, 1, 2**levels + 1)
    loss = np.full_like(x, rates[0])
    for level in range(1, levels + 1):
        phase = x * 2.0 ** (level - 1) % 1
        loss += rates[level] * 2 * np.minimum(phase, 1 - phase)
    assert hat_loss_supremum(rates) == pytest.approx(loss.max(), rel=1e-12)


@pytest.mark.parametrize("levels", [1, 2, 4, 6])
@pytest.mark.parametrize("ratio", [0.4, 0.63, 1.0])
def test_hat_replacement_supremum_by_enumeration(levels, ratio):
    rates = ratio ** np.arange(levels + 1.0)
    x = np.linspace(0, 1, 2**levels + 1)
    columns, weights = [x, 1 - x], [rates[0], rates[0]]
    for level in range(1, levels + 1):
        for centre in np.arange(1, 2**level, 2) / 2**level:
            columns.append(np.maximum(1 - np.abs(x - centre) * 2**level, 0))
            weights.append(rates[level])
    change = np.abs(np.array(columns)[:, :, None] - np.array(columns)[:, None, :])
    loss = np.tensordot(weights, change, axes=1)
    assert hat_loss_supremum(rates, "replace") == pytest.approx(loss.max(), rel=1e-12)


def test_gaussian_hat_loses_rho_and_answers_alike_everywhere():
    # Levy and Ciesielski: the sum of h hat^2 is 2 t (1 - t).
    mechanism = hierarchical_hat(8, rho=0.3)
    y = np.linspace(0, 1, 2**8 + 1)
    np.testing.assert_allclose(mechanism.privacy_loss(y), 0.3, rtol=1e-9)
    np.testing.assert_allclose(mechanism.noise_components(y)[0].sum(axis=1), 1 / 0.6, rtol=1e-9)


def test_gaussian_hat_covariance_is_triangular():
    mechanism = hierarchical_hat(5, rho=0.5)
    y = np.linspace(0, 1, 9)
    names = np.eye(int(mechanism.sizes.sum()))
    weights = np.array([mechanism.answers(mechanism.synthesise(unit), y) for unit in names])
    covariance = weights.T * np.repeat(mechanism.variances, mechanism.sizes) @ weights
    np.testing.assert_allclose(covariance, 1 - np.abs(y[:, None] - y), atol=1e-9)


@pytest.mark.parametrize("neighbours", ["add_remove", "replace"])
@pytest.mark.parametrize("budget", [{"epsilon": 1.0}, {"rho": 0.5}, {"epsilon": 8.0}])
@pytest.mark.parametrize("build", MECHANISMS)
def test_noise_variance_from_answers_to_unit_vectors(build, budget, neighbours):
    mechanism = build(5, neighbours=neighbours, **budget)
    mechanism = mechanism.with_scales(mechanism.scales * np.arange(1, len(mechanism.scales) + 1))
    names = np.eye(int(mechanism.sizes.sum()))
    weights = np.array([mechanism.answers(mechanism.synthesise(unit), QUERIES) for unit in names])
    expected = np.repeat(mechanism.variances, mechanism.sizes) @ weights**2
    variances, counts = mechanism.noise_components(QUERIES)
    np.testing.assert_allclose(variances.sum(axis=1), expected, rtol=1e-9)
    assert (counts[variances > 0] >= 1).all()
    total = np.array([mechanism.count(mechanism.synthesise(unit)) for unit in names])
    expected = np.repeat(mechanism.variances, mechanism.sizes) @ total**2
    assert mechanism.count_components[0].sum() == pytest.approx(expected)


@pytest.mark.parametrize("noise", ["discrete", "float"])
@pytest.mark.parametrize("budget", BUDGETS)
def test_released_noise_has_the_scales(budget, noise):
    mechanism = hierarchical_hat(13, noise=noise, **budget)
    rng = np.random.default_rng(7)
    if noise == "float":
        with pytest.warns(PrivacyWarning):
            draw = mechanism.release(np.zeros(0), rng)
    else:
        draw = mechanism.release(np.zeros(0), rng)
    groups = np.split(draw, np.cumsum(mechanism.sizes)[:-1])
    for group, variance in list(zip(groups, mechanism.variances, strict=True))[9:]:
        # A sample variance of n Laplace numbers has relative variance 5 / n, of normal ones 2 / n.
        assert abs(group.var() / variance - 1) < 6 * np.sqrt(5 / len(group))


def test_ends_have_noise_and_no_noise_is_shared():
    mechanism = hierarchical_hat(1, epsilon=1.0)
    rng = np.random.default_rng(3)
    draws = np.array([mechanism.release(np.zeros(0), rng) for _ in range(400)])
    ratio = draws.var(axis=0) / np.repeat(mechanism.variances, mechanism.sizes)
    np.testing.assert_allclose(ratio, 1, atol=6 * np.sqrt(5 / 400))
    correlation = np.corrcoef(draws.T) - np.eye(3)
    assert np.abs(correlation).max() < 6 / np.sqrt(400)


def test_contributions_are_multiples_of_the_step():
    for build in MECHANISMS:
        mechanism = build(4, epsilon=1.0)
        bits = np.repeat(mechanism.bits, mechanism.sizes)
        steps = np.ldexp(mechanism.contributions(POINTS[:20]), bits)
        np.testing.assert_array_equal(steps, np.rint(steps))


def test_halved_scale_is_seen_by_the_loss():
    mechanism = dyadic_tree(4, epsilon=1.0)
    scales = mechanism.scales.copy()
    scales[2] /= 2
    loss = mechanism.with_scales(scales).privacy_loss([0.3])
    assert loss[0] == pytest.approx(1.2)


@pytest.mark.parametrize("build", MECHANISMS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"levels": 0, "epsilon": 1.0}, "levels"),
        ({"levels": 27, "epsilon": 1.0}, "levels"),
        ({"levels": 3, "epsilon": 0.0}, "epsilon"),
        ({"levels": 3, "rho": -1.0}, "rho"),
        ({"levels": 3}, "one of epsilon and rho"),
        ({"levels": 3, "epsilon": 1.0, "rho": 1.0}, "one of epsilon and rho"),
        ({"levels": 3, "epsilon": 1.0, "neighbours": "swap"}, "neighbours"),
        ({"levels": 3, "epsilon": 1.0, "noise": "laplace"}, "noise"),
    ],
)
def test_bad_mechanisms(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_bad_arguments_of_the_tree_and_of_points():
    with pytest.raises(ValueError, match="alpha"):
        dyadic_tree(3, epsilon=1.0, alpha=1.0)
    with pytest.raises(ValueError, match="power"):
        flat_histogram(3, epsilon=1.0, power=0.5)
    with pytest.raises(ValueError, match="ring_weights"):
        dyadic_tree(3, epsilon=1.0, ring_weights="inner")
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        hierarchical_hat(3, epsilon=1.0).release([1.5])
    with pytest.raises(ValueError, match="scales"):
        hierarchical_hat(3, epsilon=1.0).with_scales([1.0, -1.0, 1.0, 1.0])
