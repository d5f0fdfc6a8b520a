"""What every mechanism can do, and what it says of the rest; many releases at once."""

import numpy as np
import pytest
from scipy.stats import chi2, norm

from theorytk.privacy import bernstein, class_features, gauss_transform, gaussian_process, race
from theorytk.privacy._released_sum import Part, ReleasedSum
from theorytk.privacy.answering import AnsweringMechanism, CountingMechanism
from theorytk.privacy.distance_theory import noise_rms
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.exact_tree import exact_tree
from theorytk.privacy.exponential_spline import exponential_spline
from theorytk.privacy.flat_histogram import flat_histogram
from theorytk.privacy.hashing import l2_hashes
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.linear_mechanism import LinearMechanism
from theorytk.privacy.random_features import random_features, released_count
from theorytk.privacy.squared_distance import squared_distance

FALSE_ALARM = 1e-6
BOTH, ANSWERS, COUNTS = {"answers", "counts"}, {"answers"}, {"counts"}
RNG = np.random.default_rng(0)


def mechanisms(**budget):
    """Return each mechanism, a data set for it and what it can do."""
    line, plane = RNG.random(5), RNG.random((5, 2))
    w = RNG.normal(size=(2, 3))
    return {
        "hat": (hierarchical_hat(2, **budget), line, BOTH),
        "tree": (dyadic_tree(2, **budget), line, BOTH),
        "exact tree": (exact_tree(2, **budget), line, BOTH),
        "flat": (flat_histogram(2, **budget), line, BOTH),
        "squares": (squared_distance([0.5, 0.5], **budget), plane, BOTH),
        "spline": (exponential_spline(2, 3.0, **budget), line, ANSWERS),
        "features": (random_features(w, **budget, rng=0), plane, ANSWERS),
        "race": (race(l2_hashes(2, 2, bits=2, rng=0), **budget), plane, ANSWERS),
        "fgt": (gauss_transform([1.0, 1.0], 2, **budget), plane, ANSWERS),
        "bernstein": (bernstein("gaussian", [1.0, 1.0], 1, **budget), plane, ANSWERS),
        "count": (released_count(**budget), plane, COUNTS),
        "classes": (
            class_features(w, 2, **budget, rng=0),
            np.column_stack([plane, [0, 1, 1, 0, 1]]),
            set(),
        ),
    }


PURE, CONCENTRATED = mechanisms(epsilon=1.0), mechanisms(rho=0.5)


def projections():
    """Return what a Gaussian process has released at three queries."""
    private = gaussian_process(np.zeros((4, 2)), rho=0.5, rng=0)
    private.answers(RNG.normal(size=(3, 2)))
    return private.mechanism


@pytest.mark.parametrize("name", PURE)
def test_a_mechanism_has_the_methods_for_what_it_can_do_and_no_others(name):
    mechanism, _, can = PURE[name]
    assert isinstance(mechanism, LinearMechanism)
    assert isinstance(mechanism, AnsweringMechanism) == ("answers" in can)
    assert isinstance(mechanism, CountingMechanism) == ("counts" in can)
    assert hasattr(mechanism, "answers") == ("answers" in can)
    assert hasattr(mechanism, "count") == ("counts" in can)


@pytest.mark.parametrize("base", [LinearMechanism, AnsweringMechanism, CountingMechanism])
def test_bases_are_abstract(base):
    with pytest.raises(TypeError, match="abstract"):
        base(1, np.ones(1))


def test_what_a_mechanism_cannot_do_is_said_with_its_name():
    y = np.full((1, 2), 0.5)
    counted = ReleasedSum([Part(slice(None), PURE["count"][0], 1.0, np.ones(1))])
    for ask in (counted.answers, counted.noise_std, counted.bias_per_point):
        with pytest.raises(TypeError, match=r"answer queries, .*; got ReleasedCount"):
            ask(y)
    features = ReleasedSum([Part(slice(None), PURE["features"][0], 1.0, np.ones(3))])
    assert features.answers(y).shape == (1,)
    for ask in (features.count, lambda: features.count_quantile(0.9)):
        with pytest.raises(
            TypeError, match=r"release the number of points, .*; got RandomFeatures"
        ):
            ask()
    for mechanism in (PURE["count"][0], PURE["classes"][0], projections(), "hat"):
        with pytest.raises(TypeError, match=f"AnsweringMechanism.*{type(mechanism).__name__}"):
            noise_rms(mechanism)


@pytest.mark.parametrize("cases", [PURE, CONCENTRATED], ids=["laplace", "gaussian"])
@pytest.mark.parametrize("name", PURE)
def test_many_releases_have_the_moments_of_single_ones(cases, name):
    mechanism, x, _ = cases[name]
    times = 4000
    true = mechanism.contributions(x).sum(axis=0)
    many = mechanism.releases(x, times, np.random.default_rng(1)) - true
    assert many.shape == (times, mechanism.sizes.sum())
    z = many / np.sqrt(np.repeat(mechanism.variances, mechanism.sizes))
    # Each is asymptotically normal; fourth moments are at most 6.
    numbers = z.shape[1]
    limit = norm.isf(FALSE_ALARM / (2 * numbers**2 + 4 * numbers))
    assert np.abs(z.mean(axis=0)).max() < limit / times**0.5
    assert np.abs((z**2).mean(axis=0) - 1).max() < limit * (6 / times) ** 0.5
    covariance = z.T @ z / times
    np.fill_diagonal(covariance, 0)
    assert np.abs(covariance).max() < limit / times**0.5
    # Releases are independent of the next ones.
    assert np.abs((z[1:] * z[:-1]).mean(axis=0)).max() < limit / (times - 1) ** 0.5


@pytest.mark.parametrize("method", [hierarchical_hat, dyadic_tree])
def test_many_releases_have_the_law_of_single_ones(method):
    mechanism, x, times = method(3, epsilon=4.0), np.array([0.3, 0.8]), 2000
    rng = np.random.default_rng(2)
    single = np.array([mechanism.release(x, rng) for _ in range(times)])
    many = mechanism.releases(x, times, rng)
    # Homogeneity of the counts of the four quarters of each number, by the pooled sample.
    statistic, freedom = 0.0, 0
    for one, other in zip(single.T, many.T, strict=True):
        cuts = np.unique(np.quantile(np.append(one, other), [0.25, 0.5, 0.75]))
        counts = np.array(
            [np.bincount(np.searchsorted(cuts, v), minlength=len(cuts) + 1) for v in (one, other)]
        )
        expected = counts.mean(axis=0)
        filled = expected > 0
        statistic += ((counts - expected) ** 2)[:, filled].sum(axis=0) @ (1 / expected[filled])
        freedom += filled.sum() - 1
    assert chi2.sf(statistic, freedom) > FALSE_ALARM


def test_one_of_many_is_a_single_release():
    mechanism, x, _ = PURE["hat"]
    first = mechanism.release(x, np.random.default_rng(3))
    assert mechanism.releases(x, 5, np.random.default_rng(3))[0].tolist() == first.tolist()
    assert mechanism.releases(x, 0, np.random.default_rng(3)).shape == (0, len(first))


def test_numbers_without_noise_are_the_same_in_all():
    tree, x = dyadic_tree(3, epsilon=1.0, neighbours="replace"), RNG.random(7)
    released = tree.releases(x, 50, np.random.default_rng(4))
    assert (released[:, 0] == 7).all()
    assert (np.ptp(released[:, 1:], axis=0) > 0).all()
    bare = tree.with_scales(0 * tree.scales).releases(x, 2)
    assert bare.tolist() == [tree.contributions(x).sum(axis=0).tolist()] * 2


def test_bad_numbers_of_releases():
    with pytest.raises(ValueError, match="times must be an integer >= 0"):
        PURE["hat"][0].releases([0.5], -1)
    with pytest.raises(TypeError, match="times must be an integer"):
        PURE["hat"][0].releases([0.5], 2.0)
