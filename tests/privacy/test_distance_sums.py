"""The front door: metrics, intervals, guarantees, bad input."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from theorytk.privacy._estimator import NotFittedError
from theorytk.privacy.distances import METHODS, PrivateDistanceSum

BOUNDS = np.array([[-1.0, 0.0, 2.0], [1.0, 5.0, 2.5]])
RNG = np.random.default_rng(0)
POINTS = BOUNDS[0] + (BOUNDS[1] - BOUNDS[0]) * RNG.beta(2, 4, (400, 3))
QUERIES = BOUNDS[0] + (BOUNDS[1] - BOUNDS[0]) * RNG.random((25, 3))
# With next to no noise: what remains is the bias of the method.
SURE = 1e5


def fitted(points=POINTS, bounds=BOUNDS, **options):
    return PrivateDistanceSum(rng=0, **options).fit(points, bounds=bounds)


def truth(metric, y=QUERIES, p=2.0):
    if metric == "lp_power":
        return (np.abs(POINTS[:, None] - y) ** p).sum(axis=(0, 2))
    return cdist(
        POINTS, y, {"l1": "cityblock", "l2": "euclidean", "l2_squared": "sqeuclidean"}[metric]
    ).sum(axis=0)


@pytest.mark.parametrize("method", METHODS)
def test_l1_without_noise(method):
    sums = fitted(method=method, epsilon=SURE, levels=12, alpha=0.01)
    np.testing.assert_allclose(sums.query(QUERIES), truth("l1"), rtol=0.012)
    np.testing.assert_allclose(sums.query_mean(QUERIES), truth("l1") / 400, rtol=0.012)
    assert sums.count() == pytest.approx(400, abs=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_l1_beyond_the_bounds(method):
    sums = fitted(method=method, epsilon=SURE, levels=12, alpha=0.01)
    far = QUERIES + np.array([10.0, -10.0, 10.0])
    np.testing.assert_allclose(sums.query(far), truth("l1", far), rtol=0.012)


@pytest.mark.parametrize("neighbours", ["add_remove", "replace"])
def test_squared_distances_without_noise(neighbours):
    sums = fitted(metric="l2_squared", epsilon=SURE, neighbours=neighbours)
    far = np.concatenate([QUERIES, QUERIES + 10])
    np.testing.assert_allclose(sums.query(far), truth("l2_squared", far), rtol=1e-5)


@pytest.mark.parametrize("method", ["tree", "flat"])
@pytest.mark.parametrize("p", [1.5, 3.0])
def test_powers_without_noise(method, p):
    sums = fitted(metric="lp_power", method=method, p=p, epsilon=SURE, levels=14, alpha=0.02)
    np.testing.assert_allclose(sums.query(QUERIES), truth("lp_power", p=p), rtol=0.022)


def test_euclidean_distances_without_noise():
    sums = fitted(metric="l2", projections=1000, epsilon=SURE, levels=9, size_hint=400)
    # 0.7555 / sqrt(1000) is the relative standard deviation at most: six of them.
    relative = sums.query(QUERIES) / truth("l2") - 1
    assert np.abs(relative).max() < 6 * 0.7555 / math.sqrt(1000)


@pytest.mark.parametrize(
    "options",
    [
        {"method": method, "neighbours": neighbours} | budget
        for method in METHODS
        for neighbours in ("add_remove", "replace")
        for budget in ({"epsilon": 2.0}, {"rho": 0.5})
    ]
    + [{"metric": "l2_squared"}, {"metric": "l2_squared", "rho": 1.0, "neighbours": "replace"}],
)
def test_noise_std_and_coverage(options):
    # The noise has the stated law: errors of fresh fits over it, against chi-square limits of a
    # heavy-tailed sum, and intervals that miss at most as often as they may.
    rng = np.random.default_rng(3)
    y, reps = QUERIES[:1], 120
    sums = PrivateDistanceSum(rng=rng, levels=6, **options)
    sure = PrivateDistanceSum(**options | {"rng": 0, "levels": 6, "rho": None, "epsilon": SURE})
    centre = sure.fit(POINTS, bounds=BOUNDS).query(y)[0]
    expected = truth(options.get("metric", "l1"), y)[0]
    errors, missed = [], 0
    for _ in range(reps):
        sums.fit(POINTS, bounds=BOUNDS)
        errors.append(sums.query(y)[0] - centre)
        interval = sums.interval(y, level=0.9)
        missed += not interval.lower[0] <= expected <= interval.upper[0]
    ratio = np.mean(np.square(errors)) / sums.noise_std(y)[0] ** 2
    assert abs(ratio - 1) < 6 * math.sqrt(5 / reps)
    assert missed <= stats.binom.isf(1e-6, reps, 0.1)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.999])
def test_interval_width_is_the_quantile_of_the_noise(level):
    # One query at an end of the grid: the answer's noise is that of one released number.
    x = np.full((5000, 1), 0.25)
    sums = PrivateDistanceSum(rng=0, levels=8, neighbours="replace").fit(x, bounds=(0, 1))
    interval = sums.interval([[0.0]], level=level)
    half = (interval.upper - interval.lower) / 2
    scale = sums.mechanisms_[0].scales[0]
    np.testing.assert_allclose(half, -scale * math.log(1 - level), rtol=1e-3)


def test_interval_of_many_noises_against_simulation():
    sums = PrivateDistanceSum(rng=0, levels=5, method="tree", size_hint=10).fit(
        np.zeros((0, 1)), bounds=(0, 1)
    )
    variances, counts = sums.mechanisms_[0].noise_components(np.array([0.37]))
    rng = np.random.default_rng(1)
    noise = np.zeros(200_000)
    for variance, count in zip(variances[0], counts[0], strict=True):
        for _ in range(int(count)):
            noise += rng.laplace(scale=math.sqrt(variance / count / 2), size=noise.size)
    quantile = sums._released.noise_quantile(np.array([[0.37]]), 0.95)[0]
    inside = int((np.abs(noise) <= quantile).sum())
    assert stats.binomtest(inside, noise.size, 0.95).pvalue > 1e-6


def test_euclidean_intervals_hold_the_truth():
    sums = fitted(metric="l2", projections=300, size_hint=400, epsilon=50.0, levels=10)
    interval = sums.interval(QUERIES, level=0.99)
    assert (interval.lower <= truth("l2")).all()
    assert (interval.upper >= truth("l2")).all()


def test_guarantees_and_spending():
    sums = PrivateDistanceSum(epsilon=0.5, rng=0)
    sums.fit(POINTS, bounds=BOUNDS)
    assert (sums.guarantee_.epsilon, sums.guarantee_.neighbours) == (0.5, "add_remove")
    assert sums.spent_ == sums.guarantee_
    assert "0.5-DP" in repr(sums)
    sums.fit(POINTS, bounds=BOUNDS)
    assert sums.guarantee_.epsilon == 0.5
    assert sums.spent_.epsilon == 1.0
    assert "spent in 2 fits" in repr(sums)


def test_gaussian_guarantees():
    assert fitted(rho=0.25).guarantee_.rho == 0.25
    guarantee = fitted(epsilon=1.0, delta=1e-6).guarantee_
    assert (guarantee.epsilon, guarantee.delta) == (1.0, 1e-6)
    assert guarantee.epsilon_at(1e-6) == pytest.approx(1.0, rel=1e-6)


def test_refit_under_another_relation_is_refused_before_noise():
    sums = fitted()
    before = sums.query(QUERIES)
    with pytest.raises(ValueError, match="neighbouring relation"):
        sums.set_params(neighbours="replace").fit(POINTS, bounds=BOUNDS)
    np.testing.assert_array_equal(sums.query(QUERIES), before)


def test_failed_fit_spends_nothing():
    sums = fitted()
    spent = sums.spent_
    with pytest.raises(ValueError, match="X must be finite"):
        sums.fit(np.full((2, 3), np.nan), bounds=BOUNDS)
    assert sums.spent_ == spent


def test_clipping_moves_points_to_the_box():
    outside = PrivateDistanceSum(rng=0).fit([[-3.0], [9.0]], bounds=(0, 1), clip=True)
    inside = PrivateDistanceSum(rng=0).fit([[0.0], [1.0]], bounds=(0, 1))
    np.testing.assert_array_equal(outside.query([[0.3]]), inside.query([[0.3]]))


def test_levels_do_not_follow_a_private_size():
    few = fitted(POINTS[:5])
    assert few.mechanisms_[0].levels == fitted().mechanisms_[0].levels == 16
    assert fitted(size_hint=1000, epsilon=0.5).mechanisms_[0].levels == 9
    assert fitted(neighbours="replace").mechanisms_[0].levels == 9


def test_no_points_are_pure_noise():
    sums = fitted(np.zeros((0, 3)))
    assert np.isfinite(sums.query(QUERIES)).all()
    assert sums.interval(QUERIES).lower.min() >= 0
    assert sums.query(np.zeros((0, 3))).shape == sums.noise_std(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "l3"}, "metric"),
        ({"method": "hats"}, "did you mean 'hat'"),
        ({"metric": "lp_power"}, "'tree' or 'flat'"),
        ({"metric": "lp_power", "method": "tree", "p": 0.5}, "power"),
        ({"metric": "l2"}, "size_hint"),
        ({"metric": "l2", "size_hint": 9, "projections": 0}, "projections"),
        ({"epsilon": 0.0}, "epsilon"),
        ({"epsilon": math.nan}, "epsilon"),
        ({"rho": 0.0}, "rho"),
        ({"delta": 1.0}, "delta"),
        ({"rho": 1.0, "delta": 0.1}, "either rho or delta"),
        ({"alpha": 0.0, "method": "tree"}, "alpha"),
        ({"levels": 40}, "levels"),
        ({"size_hint": -1}, "size_hint"),
        ({"neighbours": "swap"}, "neighbours"),
        ({"noise": "exact"}, "noise"),
    ],
)
def test_bad_parameters(options, message):
    sums = PrivateDistanceSum(**options)
    with pytest.raises(ValueError, match=message):
        sums.fit(POINTS, bounds=BOUNDS)
    assert not hasattr(sums, "spent_")


@pytest.mark.parametrize(
    ("X", "bounds", "message"),
    [
        ([[0.5]], None, "bounds must be public"),
        ([[0.5]], (1, 0), "lower < upper"),
        ([[0.5]], (0, 1, 2), "shape"),
        ([[0.5, 2.0]], (0, 1), "1 of 1 points do not"),
        ([0.5], (0, 1), "X must have shape"),
        ([[math.inf]], (0, 1), "finite"),
    ],
)
def test_bad_data(X, bounds, message):
    with pytest.raises(ValueError, match=message):
        PrivateDistanceSum().fit(X, bounds=bounds)


def test_bad_queries():
    with pytest.raises(NotFittedError, match=r"PrivateDistanceSum\.fit before query"):
        PrivateDistanceSum().query(QUERIES)
    sums = fitted()
    with pytest.raises(ValueError, match="Y must have shape"):
        sums.query([[0.0]])
    with pytest.raises(ValueError, match="level"):
        sums.interval(QUERIES, level=1.0)
    powers = fitted(metric="lp_power", method="flat", levels=4)
    with pytest.raises(ValueError, match="within bounds"):
        powers.query(QUERIES + 100)


def test_parameters_follow_scikit_learn():
    sums = PrivateDistanceSum(epsilon=2.0)
    assert PrivateDistanceSum(**sums.get_params()).get_params() == sums.get_params()
    with pytest.raises(ValueError, match="eps"):
        sums.set_params(eps=1.0)
