"""Class sums: sensitivities by enumeration of neighbours, noise laws by sampling, exact limits."""

import numpy as np
import pytest

from theorytk.privacy.audit_structural import structural_audit, worst_pair
from theorytk.privacy.classification import average_noise, best_count_share, class_features
from theorytk.privacy.kernels import kernel_values, random_frequencies

RNG = np.random.default_rng(0)
W = random_frequencies("gaussian", 3, 3, rng=1)


def extremes(mechanism, classes):
    """Return labelled points at which the waves of three frequencies have extreme angles."""
    corners = np.array(np.meshgrid(*[[0.0, np.pi]] * 3)).reshape(3, -1)
    angles = corners - mechanism.features.phases[:, None]
    points = np.linalg.solve(W.T, angles).T
    return np.vstack([np.column_stack([points, np.full(8, c)]) for c in range(classes)])


@pytest.mark.parametrize("budget", [{"epsilon": 0.7}, {"rho": 0.3}])
@pytest.mark.parametrize("neighbours", ["add_remove", "replace"])
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_the_worst_neighbours_spend_the_budget_and_no_more(budget, neighbours, share):
    options = dict(neighbours=neighbours, count_share=share, rng=2, **budget)
    mechanism = class_features(W, 3, **options)
    pair = worst_pair(mechanism, extremes(mechanism, 3), neighbours)
    (claimed,) = budget.values()
    assert pair.loss == pytest.approx(claimed, rel=1e-8)
    anywhere = np.column_stack([10 * RNG.normal(size=(60, 3)), np.arange(60) % 3])
    assert not structural_audit(
        mechanism, anywhere, claimed=claimed * (1 + 1e-9), neighbours=neighbours
    ).violated


def test_noise_for_additions_is_not_enough_for_replacements():
    mechanism = class_features(W, 2, epsilon=1.0, count_share=0.2, rng=2)
    pair = worst_pair(mechanism, extremes(mechanism, 2), "replace")
    assert pair.loss == pytest.approx(2.0, rel=1e-8)
    # A point that moves between classes changes two counts as well.
    assert pair.point[0, -1] != pair.other[0, -1]


@pytest.mark.parametrize("budget", [{"epsilon": 1e7}, {"rho": 1e12}])
def test_without_noise_similarities_are_means_of_kernels(budget):
    w = random_frequencies("gaussian", 2, 5000, rng=0)
    x, label = RNG.normal(size=(60, 2)), np.arange(60) % 2
    mechanism = class_features(w, 3, rng=1, **budget)
    table = mechanism.release(np.column_stack([x, label]), RNG)
    found = mechanism.similarities(mechanism.synthesise(table), x[:5])
    truth = kernel_values("gaussian", x, x[:5])
    means = [truth[:, label == 0].mean(axis=1), truth[:, label == 1].mean(axis=1), np.zeros(5)]
    np.testing.assert_allclose(found, np.transpose(means), atol=0.1)
    sums = class_features(w, 3, count_share=0.0, rng=1, **budget)
    table = sums.release(np.column_stack([x, label]), RNG)
    np.testing.assert_allclose(
        sums.similarities(table, x[:5]), 30 * np.transpose(means), atol=0.1 * 30
    )


def test_average_noise_is_that_of_a_ratio_of_normal_variables():
    n, mean, share, rho = 5000, 0.6, 0.3, 0.5
    sums = n * mean + RNG.normal(size=10**5) / np.sqrt(2 * rho * (1 - share))
    counts = n + RNG.normal(size=10**5) / np.sqrt(2 * rho * share)
    sd = float(average_noise(mean, n, rho=rho, count_share=share))
    # The relative deviation of a standard deviation of 1e5 draws is 0.0022.
    assert np.std(sums / counts) == pytest.approx(sd, rel=0.012)


def test_best_count_share_makes_the_noise_least():
    for mean in (0.05, 0.5, 1.0):
        best = best_count_share(mean)
        least = average_noise(mean, 100, rho=0.5, count_share=best)
        assert least == pytest.approx((1 + mean) / 100)
        for share in (0.9 * best, 1.1 * best):
            assert average_noise(mean, 100, rho=0.5, count_share=share) > least


def test_bad_input():
    with pytest.raises(ValueError, match=r"count_share must be a number >= 0 and < 1; got 1"):
        class_features(W, 2, epsilon=1.0, count_share=1)
    with pytest.raises(ValueError, match="n_classes must be an integer >= 1"):
        class_features(W, 0, epsilon=1.0)
    with pytest.raises(ValueError, match="give one of epsilon and rho"):
        class_features(W, 2)
    with pytest.raises(ValueError, match="neighbours must be one of"):
        class_features(W, 2, epsilon=1.0, neighbours="swap")
    mechanism = class_features(W, 2, epsilon=1.0)
    with pytest.raises(ValueError, match="the last column of x must hold classes 0 to 1"):
        mechanism.release([[0.0, 0.0, 0.0, 2.0]])
    with pytest.raises(ValueError, match=r"x must have shape \(any, 4\)"):
        mechanism.release([[0.0, 0.0, 0.0]])
    with pytest.raises(ValueError, match=r"size must be > 0"):
        average_noise(0.5, 0, rho=0.5)
    with pytest.raises(ValueError, match=r"mean must be a number > 0"):
        best_count_share(0)
