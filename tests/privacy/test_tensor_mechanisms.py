"""Fast Gauss transform and Bernstein mechanism: errors, sensitivities and noise."""

import itertools
import math

import numpy as np
import pytest
from scipy.interpolate import BPoly
from scipy.special import comb

from theorytk.privacy.audit_structural import structural_audit
from theorytk.privacy.bernstein import bernstein, bernstein_error, bernstein_noise
from theorytk.privacy.gauss_transform import (
    gauss_transform,
    gauss_transform_error,
    gauss_transform_noise,
    gauss_transform_sensitivity,
)
from theorytk.privacy.kernels import KERNELS, kernel_values

RNG = np.random.default_rng(0)


def noiseless(mechanism, x, y):
    """Return what a mechanism answers without noise."""
    exact = mechanism.with_scales([0.0])
    return exact.answers(exact.synthesise(exact.release(x)), np.asarray(y))


def weights_of(mechanism, y):
    """Return the weights of the released numbers, from the answers of unit tables."""
    units = np.eye(int(mechanism.sizes[0]))
    return np.array([mechanism.answers(mechanism.synthesise(unit), y) for unit in units])


@pytest.mark.parametrize("widths", [[3.7], [2.2, 1.0], [1.5, 0.4, 2.0]])
@pytest.mark.parametrize("degree", [1, 2, 4, 7])
def test_moments_without_noise_are_within_their_bound(widths, degree):
    d = len(widths)
    mechanism = gauss_transform(widths, degree, epsilon=1.0)
    x, y = RNG.random((30, d)), RNG.uniform(-0.3, 1.3, (40, d))
    truth = kernel_values("gaussian", x * widths, y * widths).sum(axis=1)
    error = np.abs(noiseless(mechanism, x, y) - truth).max()
    assert error < 30 * gauss_transform_error(degree, d)
    if degree == 7:
        assert error < 1e-2


def test_bound_of_moments_is_of_the_right_size():
    """Half a cell away, some query misses by a tenth of the bound at least."""
    for degree in (1, 2, 3, 5, 8):
        y = np.linspace(-3, 3, 400)[:, None]
        mechanism = gauss_transform([1.0], degree, epsilon=1.0)
        error = noiseless(mechanism, [[0.0]], y) - np.exp(-(y[:, 0] ** 2))
        assert 0.1 < np.abs(error).max() / gauss_transform_error(degree) < 1


def test_moments_by_hand():
    mechanism = gauss_transform([1.6, 0.9], 3, epsilon=1.0)
    assert mechanism.shape == (6, 3)
    found = mechanism.contributions([[0.75, 0.25]])[0].reshape(2, 3, 3)
    # The cell [0.8, 1.6] has its centre at 1.2, the only cell [0, 0.9] at 0.45.
    u, v = 0.75 * 1.6 - 1.2, 0.25 * 0.9 - 0.45
    expected = [[u**a * v**b for b in range(3)] for a in range(3)]
    np.testing.assert_allclose(found[1], expected, atol=2e-9)
    np.testing.assert_array_equal(found[0], 0)


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("budget", [{"epsilon": 0.4}, {"rho": 0.4}])
@pytest.mark.parametrize("degree", [1, 3])
def test_moments_audited_by_enumeration(d, budget, degree):
    corners = np.array(list(itertools.product(np.linspace(0, 1, 9), repeat=d)))
    for neighbours in ("add_remove", "replace"):
        mechanism = gauss_transform([2.0] * d, degree, **budget, neighbours=neighbours)
        found = structural_audit(mechanism, corners, claimed=0.4, neighbours=neighbours)
        assert not found.violated
        assert found.certified == pytest.approx(0.4, rel=1e-7)


def test_sensitivity_is_that_of_powers_of_a_half():
    powers = 0.5 ** np.arange(5)
    cube = np.einsum("i,j,k->ijk", powers, powers, powers).ravel()
    assert gauss_transform_sensitivity(5, 3) == pytest.approx(cube.sum())
    assert gauss_transform_sensitivity(5, 3, "l2") == pytest.approx(np.linalg.norm(cube))


@pytest.mark.parametrize("degree", [1, 5, 20])
def test_polynomial_is_scipys(degree):
    mechanism = bernstein("cauchy", [1.7], degree, epsilon=1.0)
    x, y = RNG.random((8, 1)), np.linspace(0, 1, 31)
    lattice = 1.7 * np.linspace(0, 1, degree + 1)[:, None]
    values = kernel_values("cauchy", 1.7 * x, lattice).sum(axis=1)
    expected = BPoly(values[:, None], [0, 1])(y)
    np.testing.assert_allclose(noiseless(mechanism, x, y[:, None]), expected, atol=1e-7)


@pytest.mark.parametrize("kernel", KERNELS)
def test_polynomial_in_the_plane_by_binomial_sums(kernel):
    mechanism, widths = bernstein(kernel, [0.6, 2.0], 4, rho=1.0), np.array([0.6, 2.0])
    x, y = RNG.random((5, 2)), RNG.random((3, 2))
    for (a, b), found in zip(y.tolist(), noiseless(mechanism, x, y), strict=True):
        expected = sum(
            comb(4, i)
            * a**i
            * (1 - a) ** (4 - i)
            * comb(4, j)
            * b**j
            * (1 - b) ** (4 - j)
            * kernel_values(kernel, x * widths, [np.array([i, j]) / 4 * widths]).sum()
            for i in range(5)
            for j in range(5)
        )
        assert found == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("widths", [[2.0], [0.7, 1.5]])
@pytest.mark.parametrize("degree", [4, 16])
def test_polynomials_are_within_their_bound(kernel, widths, degree):
    d = len(widths)
    mechanism = bernstein(kernel, widths, degree, epsilon=1.0)
    x, y = np.vstack([np.full(d, 0.5), RNG.random((4, d))]), RNG.random((60, d))
    y[0] = 0.5
    for point in x:
        truth = kernel_values(kernel, [point * widths], y * widths)[:, 0]
        error = np.abs(noiseless(mechanism, point[None], y) - truth).max()
        assert error < bernstein_error(kernel, widths, degree) + 1e-8
    truth = kernel_values(kernel, x[:1] * widths, y[:1] * widths)[0, 0]
    centre = abs(noiseless(mechanism, x[:1], y[:1])[0] - truth)
    assert centre > 0.3 * bernstein_error(kernel, widths, degree)


@pytest.mark.parametrize("neighbours", ["add_remove", "replace"])
@pytest.mark.parametrize("budget", [{"epsilon": 0.8}, {"rho": 0.8}])
def test_lattice_audited_by_enumeration(neighbours, budget):
    """A wide kernel moves all lattice values by nearly 1; a replacement never moves more."""
    points = RNG.random((60, 1))
    wide = bernstein("exponential", [1e-3], 5, **budget, neighbours=neighbours)
    found = structural_audit(wide, points, claimed=0.8)
    assert 0.79 < found.certified <= 0.8
    for width in (0.01, 1.0, 100.0):
        mechanism = bernstein("laplacian", [width], 5, **budget, neighbours=neighbours)
        assert not structural_audit(mechanism, points, claimed=0.8, neighbours="replace").violated


@pytest.mark.parametrize("budget", [{"epsilon": 0.5}, {"rho": 0.01}])
@pytest.mark.parametrize(
    "make",
    [
        lambda **budget: gauss_transform([1.5, 1.2], 3, **budget, noise="float"),
        lambda **budget: bernstein("gaussian", [2.0, 1.0], 7, **budget, noise="float"),
        lambda **budget: bernstein("gaussian", [2.0], 9, **budget, noise="float"),
    ],
)
def test_noise_is_the_variance_of_the_weights(make, budget):
    mechanism = make(**budget)
    y = RNG.random((6, len(mechanism.widths)))
    shares = weights_of(mechanism, y) ** 2 * mechanism.variances[0]
    variances, counts = mechanism.noise_components(y)
    np.testing.assert_allclose(variances.sum(axis=1), shares.sum(axis=0))
    if "epsilon" in budget:
        np.testing.assert_allclose((variances**2 / counts).sum(axis=1), (shares**2).sum(axis=0))


@pytest.mark.parametrize("budget", [{"epsilon": 0.5}, {"rho": 0.01}])
@pytest.mark.parametrize("neighbours", ["add_remove", "replace"])
def test_transform_noise_by_recurrence_and_by_numpy(budget, neighbours):
    options = {**budget, "neighbours": neighbours}
    y = RNG.uniform(-0.2, 1.2, (6, 2))
    mechanism = gauss_transform([2.4, 1.0], 5, **options, noise="float")
    variances, _ = mechanism.noise_components(y)
    law = gauss_transform_noise(y, [2.4, 1.0], 5, **options)
    np.testing.assert_allclose(law**2, variances.sum(axis=1))


@pytest.mark.parametrize("degree", [1, 2, 9, 200])
def test_bernstein_noise_is_the_sum_of_squared_binomials(degree):
    y = np.append(RNG.random((5, 2)), [[0.5, 0.0]], axis=0)
    mechanism = bernstein("gaussian", [1.0, 1.0], degree, epsilon=0.5, noise="float")
    variances, _ = mechanism.noise_components(y)
    np.testing.assert_allclose(bernstein_noise(y, degree, 0.5), np.sqrt(variances.sum(axis=1)))
    middle = bernstein_noise([[0.5]], degree, 1.0)[0]
    exact = math.comb(2 * degree, degree) / 4**degree
    assert middle == pytest.approx(math.sqrt(2 * exact) * (degree + 1))


def test_many_queries_in_parts_and_none():
    mechanism = bernstein("gaussian", [1.0, 1.0, 1.0], 99, rho=1.0)
    y = RNG.random((600, 3))
    table = RNG.random((100, 100, 100))
    np.testing.assert_allclose(
        mechanism.answers(table, y)[[0, 599]], mechanism.answers(table, y[[0, 599]])
    )
    assert mechanism.answers(table, y[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gauss_transform([1.0], 0, epsilon=1.0), "degree"),
        (lambda: gauss_transform([1.0, -1.0], 2, epsilon=1.0), "widths must be > 0"),
        (lambda: gauss_transform([], 2, epsilon=1.0), "widths must have 1 dimension"),
        (lambda: gauss_transform([100.0] * 4, 2, epsilon=1.0), "at most 10"),
        (lambda: gauss_transform([1.0], 2), "one of epsilon and rho"),
        (lambda: gauss_transform([1.0], 2, rho=-1.0), "rho"),
        (lambda: gauss_transform([1.0], 2, rho=1.0, neighbours="swap"), "neighbours"),
        (lambda: gauss_transform([1.0], 2, rho=1.0).contributions([[1.5]]), r"in \[0, 1\]"),
        (lambda: gauss_transform([1.0], 2, rho=1.0).contributions([0.5]), "shape"),
        (lambda: gauss_transform_sensitivity(2, norm="l3"), "norm must be one of"),
        (lambda: gauss_transform_error(0), "degree"),
        (lambda: gauss_transform_noise([[0.1]], [1.0, 1.0], 2, rho=1.0), "y must have shape"),
        (lambda: bernstein("gausian", [1.0], epsilon=1.0), "did you mean 'gaussian'"),
        (lambda: bernstein("gaussian", [1.0], 0, epsilon=1.0), "degree"),
        (lambda: bernstein("gaussian", [1.0] * 9, 9, epsilon=1.0), "at most 10"),
        (lambda: bernstein("gaussian", [0.0], epsilon=1.0), "widths must be > 0"),
        (lambda: bernstein("gaussian", [1.0], epsilon=1.0, neighbours="x"), "neighbours"),
        (lambda: bernstein_error("gaussian", [1.0], 0), "degree"),
        (lambda: bernstein_noise([[1.1]], 3, 1.0), r"in \[0, 1\]"),
        (lambda: bernstein_noise([[0.1]], 3, 0.0), "epsilon"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
