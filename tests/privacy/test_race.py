"""Hashed counters: collision kernels, corrections for shared buckets, sensitivities, noise."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from theorytk.privacy.audit_structural import structural_audit
from theorytk.privacy.hashing import (
    angular_collision,
    angular_hashes,
    binning_hashes,
    l2_collision,
    l2_hashes,
)
from theorytk.privacy.kernels import kernel_values
from theorytk.privacy.race import race, race_deviation, race_noise

RNG = np.random.default_rng(0)
POINTS, QUERIES = RNG.normal(size=(40, 2)), RNG.normal(size=(5, 2))


def close_to(frequency, probability, n):
    """Whether a frequency lies within five standard deviations (false alarm below 1e-6)."""
    return abs(frequency - probability) < 5 * math.sqrt(probability * (1 - probability) / n) + 1e-12


@pytest.mark.parametrize("distance", [0.1, 1.0, 7.0])
@pytest.mark.parametrize("width", [0.5, 3.0])
def test_l2_collision_is_the_integral_over_projections(distance, width):
    integral, _ = quad(
        lambda t: 2 * norm.pdf(t, scale=distance) * (1 - t / width), 0, width, epsabs=1e-12
    )
    assert l2_collision(distance, width=width, power=2) == pytest.approx(integral**2, abs=1e-9)


def test_angular_collision_is_the_angle():
    x, y = RNG.normal(size=(2, 50, 3))
    angle = [math.acos(a @ b / math.sqrt(a @ a * (b @ b))) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(angular_collision(x, y, power=3), (1 - np.array(angle) / np.pi) ** 3)
    assert angular_collision([1e-9, 1.0], [0.0, 1.0]) == pytest.approx(1 - 1e-9 / np.pi, abs=1e-15)


@pytest.mark.parametrize("bits", [1, 3, 12])
def test_buckets_are_shared_by_cell_or_by_chance(bits):
    rows, x = 40_000, np.array([[0.3, -2.0], [0.9, -1.7]])
    hashes = l2_hashes(2, rows, width=2.0, power=2, bits=bits, rng=1)
    shared = np.mean(np.equal(*hashes.buckets(x)))
    k = float(l2_collision(np.linalg.norm(x[0] - x[1]), width=2.0, power=2))
    assert close_to(shared, k + (1 - k) / 2**bits, rows)


def test_buckets_follow_from_codes_in_python_integers():
    """Multiply-shift in arbitrary precision gives the same buckets."""
    hashes = l2_hashes(3, 20, width=0.01, power=2, bits=9, rng=2)
    for x in RNG.normal(size=(5, 3)):
        codes = np.floor(hashes.linear @ x + hashes.offsets).astype(int).tolist()
        keys = hashes.keys.tolist()
        words = [
            (sum(k * (c % 2**32) for k, c in zip(key, code, strict=False)) + key[-1]) % 2**64
            for key, code in zip(keys, codes, strict=True)
        ]
        assert [word >> 55 for word in words] == hashes.buckets(x[None])[0].tolist()


def test_far_points_end_in_the_last_cells():
    hashes = l2_hashes(1, 50, rng=3)
    one, other = hashes.buckets([[1e300], [1e200]])
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("kernel", "d"), [("laplacian", 1), ("laplacian", 3), ("exponential", 1), ("inverse", 1)]
)
def test_random_grids_have_their_kernel(kernel, d):
    rows = 40_000
    hashes = binning_hashes(kernel, d, rows, bandwidth=0.7, bits=20, rng=4)
    x = np.array([[0.0] * d, [0.5] * d])
    k = float(kernel_values(kernel, x[:1], x[1:], bandwidth=0.7)[0, 0])
    assert close_to(np.mean(np.equal(*hashes.buckets(x))), k, rows)


@pytest.mark.parametrize("bits", [1, 8])
def test_counters_without_noise_are_kernel_sums(bits):
    """Hoeffding's bound at 1e-8 for each of five queries."""
    rows = 20_000
    mechanism = race(angular_hashes(2, rows, power=2, bits=bits, rng=5), rho=1.0)
    table = mechanism.synthesise(mechanism.with_scales([0.0]).release(POINTS))
    answers = mechanism.answers(table, QUERIES)
    truth = angular_collision(POINTS, QUERIES[:, None], power=2).sum(axis=1)
    limit = len(POINTS) * race_deviation(rows, 1e-8, bits=bits)
    np.testing.assert_array_less(np.abs(answers - truth), limit)
    assert np.abs(answers - truth).max() > 0


def test_every_point_is_in_one_counter_of_every_row():
    mechanism = race(l2_hashes(2, 7, bits=3, rng=6), epsilon=1.0)
    rows = mechanism.contributions(POINTS).reshape(-1, 7, 8)
    assert (rows.sum(axis=2) == 1).all()
    assert set(np.unique(rows)) == {0.0, 1.0}


@pytest.mark.parametrize("budget", [{"epsilon": 0.7}, {"rho": 0.3}])
def test_structural_audit_by_enumeration(budget):
    hashes = l2_hashes(2, 6, width=0.1, bits=10, rng=7)
    claimed = next(iter(budget.values()))
    points = 50 * RNG.normal(size=(30, 2))
    for neighbours in ("add_remove", "replace"):
        mechanism = race(hashes, **budget, neighbours=neighbours)
        found = structural_audit(mechanism, points, claimed=claimed, neighbours=neighbours)
        assert found.certified == pytest.approx(claimed, rel=1e-9)
        assert not found.violated
    weak = race(hashes, **budget)
    doubled = structural_audit(weak, points, claimed=claimed, neighbours="replace")
    assert doubled.certified == pytest.approx(2 * claimed, rel=1e-9)
    published = weak.with_scales(weak.scales / 1000)
    factor = 1000 if "epsilon" in budget else 10**6
    found = structural_audit(published, points, claimed=claimed)
    assert found.certified == pytest.approx(factor * claimed, rel=1e-9)


@pytest.mark.parametrize("budget", [{"epsilon": 0.5}, {"rho": 0.01}])
def test_noise_is_the_variance_of_the_weights(budget):
    """Answers of unit tables are the weights of the released numbers."""
    mechanism = race(l2_hashes(2, 5, bits=2, rng=8), **budget, noise="float")
    weights = np.array(
        [mechanism.answers(mechanism.synthesise(unit), QUERIES) for unit in np.eye(20)]
    )
    variances, counts = mechanism.noise_components(QUERIES)
    exact = (weights**2).sum(axis=0) * mechanism.variances[0]
    np.testing.assert_allclose(variances.sum(axis=1), exact)
    law = race_noise(5, **budget, bits=2)
    np.testing.assert_allclose(exact, law**2)
    fourth = (weights**4).sum(axis=0) * mechanism.variances[0] ** 2
    np.testing.assert_allclose((variances**2 / counts).sum(axis=1), fourth)


def test_laws_scale_with_the_relation():
    assert race_noise(9, epsilon=1.0, neighbours="replace") == 2 * race_noise(9, epsilon=1.0)
    assert race_noise(9, rho=0.5, neighbours="replace") == pytest.approx(
        math.sqrt(2 * 256 / 255), rel=1e-9
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: l2_hashes(2, 0), "rows must be an integer >= 1"),
        (lambda: l2_hashes(2, 3, bits=25), "bits"),
        (lambda: l2_hashes(2, 3, width=0.0), "width"),
        (lambda: l2_hashes(2, 3, power=0), "power"),
        (lambda: angular_hashes(0, 3), "d must be an integer >= 1"),
        (lambda: binning_hashes("gaussian", 1, 3), "kernel must be one of"),
        (lambda: binning_hashes("inverse", 2, 3), "for d = 1"),
        (lambda: binning_hashes("inverse", 1, 3, bandwidth=-1.0), "bandwidth"),
        (lambda: l2_collision(-1.0), "distance must be >= 0"),
        (lambda: angular_collision([0.0, 0.0], [1.0, 0.0]), "not zero"),
        (lambda: race(l2_hashes(1, 2, rng=0)), "one of epsilon and rho"),
        (lambda: race(l2_hashes(1, 2, rng=0), epsilon=0.0), "epsilon"),
        (lambda: race(l2_hashes(1, 2, rng=0), epsilon=1.0, neighbours="swap"), "neighbours"),
        (lambda: race(l2_hashes(1, 2, rng=0), epsilon=1.0, noise="none"), "noise"),
        (lambda: race(l2_hashes(1, 2, rng=0), epsilon=1.0).contributions([[0.0, 1.0]]), "shape"),
        (lambda: race_noise(0, epsilon=1.0), "rows"),
        (lambda: race_deviation(5, 1.0), "failure"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bad_hashes():
    with pytest.raises(TypeError, match="hashes must be Hashes; got int"):
        race(5, epsilon=1.0)
