"""The estimate of the separation against exact laws and brute force; blocks, errors, bad input."""

import math
import tracemalloc

import numpy as np
import pytest
import scipy.stats

from theorytk.paths.datasets import normalise
from theorytk.paths.oracles import (
    atoms_separation,
    gaussian_separation,
    subspace_separation,
    two_point_separation,
)
from theorytk.paths.separation import Separation, default_angles, separation_function
from theorytk.paths.separation_laws import entropy_bound, spectral_bound

# Two-sided normal deviation of a false alarm of 1e-6 among 100 comparisons.
DEVIATIONS = scipy.stats.norm.isf(0.5e-8)


def brute_force(data, s, n_draws, rng):
    """Draws of gamma by the error of posterior means, these in plain Bayes."""
    source = rng.choice(data.n, size=n_draws, p=data.weights)
    y = s * data.points[source] + rng.standard_normal((n_draws, data.d))
    logits = -0.5 * ((y[:, None] - s * data.points) ** 2).sum(axis=-1) + np.log(data.weights)
    w = np.exp(logits - logits.max(axis=1, keepdims=True))
    mean = w @ data.points / w.sum(axis=1, keepdims=True)
    return 1 - (1 + s * s) * ((data.points[source] - mean) ** 2).sum(axis=1) / data.d


@pytest.mark.parametrize("weights", [None, [4.0, 1.0, 2.0]])
def test_estimate_is_unbiased_for_atoms_on_the_line(weights):
    points = [-1.0, 0.5, 2.0]
    exact = atoms_separation(points, weights)
    theta = np.arctan([0.3, 0.9, 1.1, 2.0, 4.0])
    X = np.array(points)[:, None]
    found = separation_function(X, weights, theta=theta, n_sweeps=1000, rng=0)
    assert found.entropy == pytest.approx(exact.entropy)
    error = np.abs(found.samples.mean(axis=0)[1:-1] - exact.gamma(theta))
    assert (error < DEVIATIONS * found.standard_error(theta)).all()
    assert (found.standard_error(theta) < 0.02).all()


@pytest.mark.parametrize("weights", [None, "random"])
@pytest.mark.parametrize("n_sources", [None, 7])
def test_estimate_agrees_with_brute_force(weights, n_sources):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((20, 5))
    data = normalise(X, rng.random(20) if weights else None)
    s = np.array([0.2, 0.4, 0.5, 1.0, 2.0])
    found = separation_function(data, theta=np.arctan(s), n_sweeps=600, n_sources=n_sources, rng=2)
    for k, value in enumerate(s):
        draws = brute_force(data, value, 40_000, rng)
        difference = found.samples[:, k + 1].mean() - draws.mean()
        error = math.hypot(
            found.samples[:, k + 1].std() / math.sqrt(600), draws.std() / math.sqrt(40_000)
        )
        assert abs(difference) < DEVIATIONS * error
        assert error < 0.02


def test_data_that_are_not_centred():
    data = normalise([[1.0, 0.0], [2.0, 1.0], [1.5, -1.0]], centre=False)
    found = separation_function(data, theta=np.arctan([0.5, 1.5]), n_sweeps=800, rng=0)
    mean = data.points.mean(axis=0)
    assert found.gamma(0.0) == pytest.approx(mean @ mean / 2)
    for k, s in ((1, 0.5), (2, 1.5)):
        draws = brute_force(data, s, 40_000, np.random.default_rng(3))
        error = math.hypot(
            found.samples[:, k].std() / math.sqrt(800), draws.std() / math.sqrt(40_000)
        )
        assert abs(found.samples[:, k].mean() - draws.mean()) < DEVIATIONS * error


def test_one_point_is_separated():
    data = normalise([[3.0, 4.0]], centre=False)
    found = separation_function(data, n_sweeps=400, rng=0)
    small = np.tan(found.theta) * math.sqrt(2) < 1
    np.testing.assert_allclose(found.samples[:, ~small], 1.0, rtol=1e-12)
    error = np.abs(found.samples.mean(axis=0) - 1)
    assert (error <= DEVIATIONS * found.standard_error(found.theta) + 1e-12).all()


def test_blocks_and_sources_do_not_change_the_estimate():
    X = np.random.default_rng(4).standard_normal((600, 3))
    options = dict(theta=np.arctan([0.1, 0.5, 1.0, 3.0]), n_sweeps=2, rng=5)
    whole = separation_function(X, **options)
    for rows in (1, 100, 599):
        parts = separation_function(X, block_rows=rows, **options)
        np.testing.assert_allclose(parts.samples, whole.samples, rtol=1e-11)
    all_sources = separation_function(X, n_sources=600, **options)
    np.testing.assert_array_equal(all_sources.samples, whole.samples)
    np.testing.assert_array_equal(separation_function(X, **options).samples, whole.samples)


def test_duplicates_count_by_their_weight():
    X = np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0], [5.0, 1.0]])
    theta = np.arctan([0.3, 1.0, 2.0])
    listed = separation_function(X, theta=theta, rng=0)
    weighted = separation_function(X[[0, 1, 3]], [2, 1, 1], theta=theta, rng=0)
    np.testing.assert_allclose(listed.samples, weighted.samples, rtol=1e-12)
    assert listed.entropy == pytest.approx(1.5 * math.log(2))


def test_sum_rule_and_bounds_of_random_codes():
    rng = np.random.default_rng(6)
    for n, d in ((64, 16), (128, 32)):
        data = normalise(rng.standard_normal((n, d)))
        found = separation_function(data, n_sweeps=30, rng=7)
        each = found.replicates()
        rules = np.array([sweep.sum_rule() for sweep in each])
        error = rules.std(ddof=1) / math.sqrt(30)
        # The second term is the interpolation between the default angles.
        assert abs(rules.mean() - math.log(n) / d) < 6 * error + 1e-4
        assert error < 0.01
        deltas = np.array([sweep.delta() for sweep in each])
        upper = deltas.mean() + 6 * deltas.std(ddof=1) / math.sqrt(30)
        assert upper < entropy_bound(math.log(n), d)
        assert upper < spectral_bound(data.covariance_eigenvalues())


@pytest.mark.parametrize("d", [1, 30, 3072])
def test_default_angles_resolve_two_points(d):
    exact = two_point_separation(d)
    theta = np.concatenate([[0.0], default_angles(d), [math.pi / 2]])
    samples = exact.gamma(theta)[None]
    coarse = Separation(exact.gamma_function, d, exact.entropy, theta, samples).replicates()[0]
    assert coarse.delta() == pytest.approx(exact.delta(), abs=5e-5)
    assert coarse.angle() == pytest.approx(exact.angle(), abs=5e-5)
    assert coarse.sum_rule() == pytest.approx(math.log(2) / d, abs=1e-5)


def test_standard_error_tells_the_spread():
    X = np.random.default_rng(8).standard_normal((40, 6))
    theta = np.arctan([0.7, 1.3])
    errors, means = [], []
    for seed in range(60):
        found = separation_function(X, theta=theta, n_sweeps=8, rng=seed)
        errors.append(found.standard_error(theta))
        means.append(found.samples.mean(axis=0)[1:-1])
    ratio = np.mean(np.square(errors), axis=0) / np.var(means, axis=0, ddof=1)
    # A ratio of chi-squares with 420 and 59 degrees of freedom.
    low, high = scipy.stats.f(420, 59).ppf([0.25e-6, 1 - 0.25e-6])
    assert ((low < ratio) & (ratio < high)).all()


def test_memory_is_bounded_by_blocks():
    X = np.random.default_rng(9).standard_normal((4000, 8))
    data = normalise(X)
    options = dict(theta=np.arctan([0.2, 1.0]), n_sweeps=1, n_sources=200, rng=0)
    separation_function(data, **options)
    tracemalloc.start()
    separation_function(data, block_rows=20, **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Six arrays of a block and four of the size of the points; all pairs would be 6.4 MB.
    assert peak < 6 * 20 * 4000 * 8 + 4 * X.nbytes < 200 * 4000 * 8


def test_exact_separation():
    law = gaussian_separation([0.5, 1.5])
    s = np.array([0.0, 0.5, 3.0])
    expected = np.mean([e / (1 + s**2 * e) for e in (0.5, 1.5)], axis=0)
    np.testing.assert_allclose(law.one_minus_lambda(s), expected, rtol=1e-12)
    again = Separation.from_one_minus_lambda(
        lambda s: np.mean([e / (1 + s**2 * e) for e in (0.5, 1.5)], axis=0), 2
    )
    assert again.delta() == pytest.approx(law.delta(), abs=1e-9)
    assert again.angle() == pytest.approx(law.angle(), abs=1e-7)
    np.testing.assert_array_equal(law.standard_error([0.1, 0.2]), [0.0, 0.0])
    assert law.replicates() == []


def test_bad_arguments():
    X = np.eye(3)
    for theta in ([0.0, 1.0], [1.0, 0.5], [1.0, math.pi / 2], []):
        with pytest.raises(ValueError, match=r"theta must increase strictly within \(0, pi/2\)"):
            separation_function(X, theta=theta)
    with pytest.raises(ValueError, match="n_sources must be an integer >= 1 and <= 3"):
        separation_function(X, n_sources=4)
    with pytest.raises(ValueError, match="n_sweeps must be an integer >= 1"):
        separation_function(X, n_sweeps=0)
    with pytest.raises(ValueError, match="block_rows must be an integer >= 1"):
        separation_function(X, block_rows=0)
    with pytest.raises(ValueError, match="weights must be None where X is a DataSet"):
        separation_function(normalise(X), [1, 1, 1])
    with pytest.raises(ValueError, match="X must not be constant"):
        separation_function([[1.0, 2.0]])
    single = separation_function(X, n_sweeps=1, rng=0)
    with pytest.raises(ValueError, match="standard_error needs n_sweeps >= 2"):
        single.standard_error(0.3)
    law = subspace_separation(1, 2)
    for theta in (-0.1, 1.6):
        with pytest.raises(ValueError, match=r"theta must be in \[0, pi/2\]"):
            law.gamma(theta)
    with pytest.raises(ValueError, match="s must be >= 0"):
        law.one_minus_lambda(-1.0)
