"""The front door of kernel sums: mechanisms, intervals, guarantees, bad input."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from theorytk.privacy._estimator import NotFittedError
from theorytk.privacy.kernel_sums import PrivateKernelSum
from theorytk.privacy.kernels import kernel_values
from theorytk.privacy.noise import PrivacyWarning

RNG = np.random.default_rng(0)
LINE, PLANE = RNG.uniform(-1, 3, (300, 1)), RNG.normal(size=(300, 2))
SPLINES = ["exponential", "laplacian", "inverse"]


def fitted(points=LINE, bounds=(-1, 3), seed=0, **options):
    return PrivateKernelSum(rng=seed, **options).fit(points, bounds=bounds)


@pytest.mark.parametrize("kernel", SPLINES)
@pytest.mark.parametrize("budget", [{"epsilon": 1e5}, {"rho": 1e9}])
def test_splines_without_noise_are_kernel_sums(kernel, budget):
    sums = fitted(kernel=kernel, mechanism="expspline1d", bandwidth=0.6, levels=14, **budget)
    y = np.linspace(-3, 5, 30)[:, None]
    truth = kernel_values(kernel, LINE, y, bandwidth=0.6).sum(axis=1)
    slack = 300 * 5.4e-5 if kernel == "inverse" else 0.05
    np.testing.assert_allclose(sums.query(y), truth, atol=slack + 0.02)
    np.testing.assert_allclose(sums.query_mean(y), truth / 300, atol=(slack + 0.05) / 300)


def test_map_then_features_estimate_the_kernel():
    points = RNG.normal(size=(100, 60)) / 8
    sums = fitted(
        points, None, mechanism="rff_gaussian", rho=1e9, n_features=4000, target_dimension=300
    )
    truth = kernel_values("gaussian", points, points[:5]).sum(axis=1)
    assert np.abs(sums.query(points[:5]) - truth).max() < 100 * 0.15
    assert sums.mechanisms_[0].frequencies.shape == (300, 4000)


@pytest.mark.parametrize(
    "options",
    [
        {"mechanism": "expspline1d", "kernel": "exponential"},
        {"mechanism": "expspline1d", "kernel": "exponential", "neighbours": "replace"},
        {"mechanism": "expspline1d", "kernel": "inverse", "rho": 0.5},
        {"mechanism": "rff_laplace", "kernel": "cauchy", "n_features": 50},
        {"mechanism": "rff_gaussian", "kernel": "gaussian", "delta": 1e-5, "n_features": 50},
        {"mechanism": "rff_gaussian", "rho": 0.5, "n_features": 50, "target_dimension": 3},
        {"mechanism": "race", "kernel": "inverse", "n_features": 50},
        {"mechanism": "fgt", "degree": 6},
        {"mechanism": "bernstein", "kernel": "cauchy", "degree": 12, "rho": 0.5},
        {"mechanism": "gp", "kernel": "inverse", "rho": 0.5, "neighbours": "replace"},
    ],
)
def test_intervals_hold_the_truth(options):
    """60 fits at level 0.8: fewer than k hits have probability below 1e-6 at that coverage."""
    y = [[0.7]]
    kernel = options.get("kernel", "gaussian")
    truth = kernel_values(kernel, LINE, y).sum()
    hits = 0
    for seed in range(60):
        interval = fitted(seed=seed, levels=6, **options).interval(y, level=0.8)
        hits += interval.lower[0] <= truth <= interval.upper[0]
    assert hits >= binom.ppf(1e-6, 60, 0.8)


def test_spline_intervals_are_no_wider_than_noise_and_bias():
    sums = fitted(mechanism="expspline1d", kernel="exponential", rho=0.5, levels=14)
    interval = sums.interval([[0.3]], level=0.9)
    width = (interval.upper - interval.lower)[0] / 2
    # A tenth of the failures is for the count.
    assert 1.6 * sums.noise_std([[0.3]])[0] < width < 2.1 * sums.noise_std([[0.3]])[0]


def test_noise_std_is_the_law():
    y = RNG.normal(size=(4, 2))
    features = fitted(PLANE, None, mechanism="rff_gaussian", rho=0.5, count_share=0.0)
    np.testing.assert_allclose(features.noise_std(y), 1.0, rtol=1e-9)
    spline = fitted(mechanism="expspline1d", kernel="exponential", rho=0.5, levels=8)
    np.testing.assert_allclose(spline.noise_std([[-1.0], [1.0]]), 0.9**-0.5, rtol=1e-9)
    mixture = fitted(mechanism="expspline1d", kernel="inverse", rho=0.5, count_share=0.0, levels=8)
    # Shares of rho like the weights make the sum of all terms as noisy as one query of height 1.
    np.testing.assert_allclose(mixture.noise_std([[-1.0], [1.0]]), 1.0, rtol=1e-3)


@pytest.mark.parametrize("neighbours", ["add_remove", "replace"])
@pytest.mark.parametrize("kernel", SPLINES)
def test_losses_of_all_parts_add_up_to_the_budget(neighbours, kernel):
    sums = fitted(mechanism="expspline1d", kernel=kernel, levels=5, neighbours=neighbours)
    x = np.arange(33) / 32
    pairs = np.array([(a, b) for a in x for b in x]).T
    other = None if neighbours == "add_remove" else pairs[1]
    losses = sum(m.privacy_loss(pairs[0], other) for m in sums.mechanisms_)
    assert 0.5 < losses.max() <= 1.0
    if kernel != "inverse":
        assert losses.max() > 0.999


def test_count_is_public_with_replace_and_noisy_otherwise():
    public = fitted(mechanism="expspline1d", kernel="exponential", neighbours="replace")
    assert public.count() == 300
    np.testing.assert_allclose(public.query_mean([[0.0]]), public.query([[0.0]]) / 300)
    noisy = fitted(mechanism="expspline1d", kernel="exponential", epsilon=1.0)
    assert noisy.count() != 300
    assert abs(noisy.count() - 300) < 200
    with pytest.raises(ValueError, match="count_share must be > 0"):
        fitted(count_share=0.0).query_mean([[0.0]])


def test_guarantee_and_account():
    sums = fitted(mechanism="rff_gaussian", epsilon=1.0, delta=1e-6, n_features=10)
    assert (sums.guarantee_.epsilon, sums.guarantee_.delta) == (1.0, 1e-6)
    assert sums.guarantee_.norm == "l2"
    sums.fit(LINE)
    assert sums.spent_.rho == pytest.approx(2 * sums.guarantee_.rho)
    assert "spent in 2 fits" in repr(sums)
    assert "discrete Gaussian" in repr(sums)
    pure = fitted(n_features=10, epsilon=0.3, neighbours="replace")
    assert pure.guarantee_.epsilon == pure.guarantee_.sensitivity == 0.3
    assert pure.guarantee_.neighbours == "replace"


def test_same_seed_same_answers_and_no_points():
    one, other = (fitted(n_features=20, seed=5).query([[0.1]]) for _ in range(2))
    assert one == other
    empty = fitted(np.empty((0, 1)), mechanism="expspline1d", kernel="exponential", levels=5)
    assert math.isfinite(empty.query([[0.0]])[0])
    secure = PrivateKernelSum(n_features=3).fit(LINE)
    assert secure.query([[0.0]]) != PrivateKernelSum(n_features=3).fit(LINE).query([[0.0]])


def test_where_mechanisms_have_no_answers():
    lattice = fitted(mechanism="bernstein", degree=3)
    with pytest.raises(ValueError, match="Y must lie within bounds"):
        lattice.query([[3.1]])
    with pytest.raises(ValueError, match="for d = 1"):
        fitted(PLANE, None, mechanism="race", kernel="inverse")
    for mechanism in ("fgt", "bernstein"):
        with pytest.raises(ValueError, match=f"mechanism '{mechanism}' needs them"):
            fitted(LINE, None, mechanism=mechanism)


def test_float_noise_warns():
    with pytest.warns(PrivacyWarning):
        fitted(n_features=3, noise="float")


def test_bad_input_spends_nothing():
    bad = [
        ({"kernel": "gausian"}, "did you mean 'gaussian'"),
        ({"mechanism": "rase"}, "did you mean 'race'"),
        ({"mechanism": "race", "kernel": "gaussian"}, "kernel of 'race'"),
        ({"mechanism": "fgt", "kernel": "cauchy"}, "kernel of 'fgt'"),
        ({"mechanism": "fgt", "degree": 0}, "degree"),
        ({"mechanism": "bernstein", "degree": 10**8}, "at most 10"),
        ({"mechanism": "gp"}, "give rho, or delta > 0"),
        ({"bandwidth": 0.0}, "bandwidth"),
        ({"epsilon": -1.0}, "epsilon"),
        ({"delta": 1.0}, "delta"),
        ({"rho": 0.5, "delta": 0.1}, "either rho or delta"),
        ({"count_share": 1.0}, "count_share"),
        ({"n_features": 0}, "n_features"),
        ({"target_dimension": 0}, "target_dimension"),
        ({"target_dimension": 2, "kernel": "laplacian"}, "kernel with a target_dimension"),
        ({"mechanism": "rff_gaussian"}, "give rho, or delta > 0"),
        ({"rho": 1.0}, "is pure"),
        ({"neighbours": "swap"}, "neighbours"),
        ({"noise": "exact"}, "noise"),
        ({"mechanism": "expspline1d"}, "kernel of 'expspline1d'"),
        ({"mechanism": "expspline1d", "kernel": "inverse", "n_terms": 20}, "n_terms"),
        ({"size_hint": 0}, "size_hint"),
    ]
    for options, message in bad:
        sums = PrivateKernelSum(rng=0, **options)
        with pytest.raises(ValueError, match=message):
            sums.fit(LINE, bounds=(-1, 3))
        assert not hasattr(sums, "spent_")


def test_bad_points_and_queries():
    spline = PrivateKernelSum(mechanism="expspline1d", kernel="exponential", rng=0)
    with pytest.raises(ValueError, match="bounds must be public"):
        spline.fit(LINE)
    with pytest.raises(ValueError, match="X must lie within bounds"):
        spline.fit(LINE, bounds=(0, 1))
    with pytest.raises(ValueError, match="d = 1"):
        spline.fit(PLANE, bounds=(-9, 9))
    with pytest.raises(ValueError, match="X must be finite"):
        spline.fit([[np.nan]], bounds=(0, 1))
    for ask in (spline.query, spline.query_mean, spline.noise_std, spline.interval):
        with pytest.raises(NotFittedError, match=r"call PrivateKernelSum\.fit"):
            ask([[0.0]])
    spline.fit(LINE, bounds=(0, 1), clip=True)
    with pytest.raises(ValueError, match="Y must have shape"):
        spline.query(PLANE)
    with pytest.raises(ValueError, match="level"):
        spline.interval([[0.0]], level=1.0)
