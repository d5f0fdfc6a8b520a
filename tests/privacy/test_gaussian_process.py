"""The Gaussian process: joint laws of adaptive answers, projections, guarantees."""

import importlib
import math

import numpy as np
import pytest
from scipy.stats import chi2

from theorytk.privacy.audit_structural import structural_audit
from theorytk.privacy.gaussian_process import gaussian_process
from theorytk.privacy.kernel_sums import PrivateKernelSum
from theorytk.privacy.kernels import KERNELS, kernel_values

RNG = np.random.default_rng(0)
POINTS, QUERIES = RNG.normal(size=(50, 2)), RNG.normal(size=(12, 2))


@pytest.mark.parametrize("kernel", KERNELS)
def test_answers_are_kernel_sums_plus_tiny_noise(kernel):
    private = gaussian_process(POINTS, kernel=kernel, bandwidth=1.3, rho=1e14, rng=0)
    truth = kernel_values(kernel, POINTS, QUERIES, bandwidth=1.3).sum(axis=1)
    np.testing.assert_allclose(private.answers(QUERIES), truth, atol=1e-5)


@pytest.mark.parametrize("kernel", KERNELS)
def test_covariance_is_the_kernel_in_any_order(kernel):
    """The factor in the order of the questions, whatever their batches, squares to the kernel."""
    private = gaussian_process(np.empty((0, 2)), kernel=kernel, rho=0.5, rng=0)
    for batch in ([5, 2], [7], [2, 0, 1], [11, 10, 9, 8, 5]):
        private.answers(QUERIES[batch])
    mechanism = private.mechanism
    np.testing.assert_array_equal(mechanism.queries, QUERIES[[5, 2, 7, 0, 1, 11, 10, 9, 8]])
    covariance = mechanism.factor @ mechanism.factor.T
    exact = kernel_values(kernel, mechanism.queries, mechanism.queries)
    np.testing.assert_allclose(covariance, exact, atol=2e-8)


def test_sampled_covariance_of_adaptive_answers():
    """The third query depends on the first answer; with the law known its square is chi squared."""
    total = 0.0
    for seed in range(300):
        private = gaussian_process(POINTS, rho=0.5, rng=seed)
        first = private.answers(QUERIES[:1])
        y = np.vstack([QUERIES[:2], [[0.1, 0.2] if first[0] > 20 else [0.3, -0.5]]])
        error = private.answers(y) - kernel_values("gaussian", POINTS, y).sum(axis=1)
        total += error @ np.linalg.solve(kernel_values("gaussian", y, y), error)
    assert chi2.ppf(5e-7, 900) < total < chi2.isf(5e-7, 900)


def test_repeated_queries_get_the_same_answer():
    private = gaussian_process(POINTS, rho=0.5, rng=0)
    first = private.answers([[0.0, 1.0], [0.5, 0.5]])
    again = private.answers([[0.5, 0.5], [2.0, 2.0], [-0.0, 1.0], [2.0, 2.0]])
    assert again[0] == first[1]
    assert again[2] == first[0]
    assert again[1] == again[3]
    assert len(private.mechanism.queries) == 3


def test_near_queries_get_near_answers():
    private = gaussian_process(POINTS, rho=0.5, rng=0)
    y = np.linspace(0, 1e-4, 40)[:, None] * [1.0, 1.0]
    assert np.ptp(private.answers(y)) < 0.1


@pytest.mark.parametrize("neighbours", ["add_remove", "replace"])
@pytest.mark.parametrize("kernel", ["gaussian", "inverse"])
def test_structural_audit_by_enumeration(neighbours, kernel):
    """Queries at two candidates: their kernels are what is projected, and the bound is attained."""
    private = gaussian_process(POINTS, kernel=kernel, rho=0.5, neighbours=neighbours, rng=0)
    far = np.array([[0.0, 0.0], [1e6, 1e6]])
    private.answers(np.vstack([QUERIES, far, QUERIES + 1e-7]))
    candidates = np.vstack([POINTS, far])
    found = structural_audit(private.mechanism, candidates, claimed=0.5, neighbours=neighbours)
    assert not found.violated
    assert found.certified == pytest.approx(0.5, rel=1e-5)


def test_releases_in_parts_are_those_of_the_mechanism():
    private = gaussian_process(POINTS, kernel="cauchy", rho=1e14, rng=0)
    for batch in (QUERIES[:3], QUERIES[3:4], QUERIES[4:]):
        private.answers(batch)
    mechanism = private.mechanism
    exact = mechanism.contributions(POINTS).sum(axis=0)
    np.testing.assert_allclose(mechanism.factor @ exact, private.answers(QUERIES), atol=1e-5)
    shifted = mechanism.synthesise(mechanism.release(POINTS, RNG))
    np.testing.assert_allclose(shifted, private.answers(QUERIES), atol=1e-5)


def test_too_many_queries(monkeypatch):
    module = importlib.import_module("theorytk.privacy.gaussian_process")  # not the function
    monkeypatch.setattr(module, "MAX_QUERIES", 5)
    private = gaussian_process(POINTS, rho=0.5, rng=0)
    private.answers(QUERIES[:4])
    with pytest.raises(ValueError, match="above 5; got 6"):
        private.answers(QUERIES[3:6])
    private.answers(QUERIES[3:5])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": "cosine"}, "kernel must be one of"),
        ({"bandwidth": 0.0}, "bandwidth"),
        ({"rho": 0.0}, "rho"),
        ({"neighbours": "swap"}, "neighbours"),
        ({"noise": "none"}, "noise"),
        ({"rng": -1}, "rng"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        gaussian_process(POINTS, **{"rho": 0.5, **options})


def test_bad_points_and_queries():
    with pytest.raises(ValueError, match="points must be finite"):
        gaussian_process([[math.inf]], rho=0.5)
    with pytest.raises(ValueError, match="points must have shape"):
        gaussian_process([1.0], rho=0.5)
    with pytest.raises(ValueError, match="y must have shape"):
        gaussian_process(POINTS, rho=0.5).answers([[1.0]])


def test_front_door_releases_as_it_is_asked():
    sums = PrivateKernelSum(mechanism="gp", kernel="exponential", rho=0.5, rng=0).fit(POINTS)
    assert sums.mechanisms_[0].sizes[0] == 0
    sums.query(QUERIES)
    np.testing.assert_allclose(sums.noise_std(QUERIES), 0.9**-0.5, rtol=1e-5)
    projections, count = sums.mechanisms_
    losses = projections.privacy_loss(POINTS) + count.privacy_loss(POINTS)
    assert losses.max() <= 0.5
    interval = sums.interval(QUERIES, level=1 - 1e-7)
    truth = kernel_values("exponential", POINTS, QUERIES).sum(axis=1)
    assert ((interval.lower < truth) & (truth < interval.upper)).all()
