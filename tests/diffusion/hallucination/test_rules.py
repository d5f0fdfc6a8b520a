"""The rule by brute force, its bound on the density, and gaps that are empty."""

from __future__ import annotations

import math

import numpy as np
import pytest

from theorytk.diffusion import MixtureTarget
from theorytk.diffusion.hallucination import (
    HallucinationRule,
    grid_mixture,
    line_mixture,
    three_in_a_row,
)


@pytest.mark.parametrize(("norm", "order"), [("euclidean", 2), ("max", np.inf)])
def test_points_far_from_every_mode(norm, order):
    target = grid_mixture()
    rule = HallucinationRule(target, k=5.0, norm=norm)
    x = np.random.default_rng(0).uniform(-2, 2, (3000, 2))
    x[:500] = target.sample(500, 1) + 0.08 * x[:500]
    distances = np.linalg.norm(x[:, None] - target.law.means, ord=order, axis=-1)
    expected = distances.min(axis=1) > 5 * 0.05 / math.sqrt(8.0025)
    np.testing.assert_array_equal(rule(x), expected)
    assert 100 < expected.sum() < 2900
    assert not rule.empty_gap


def test_the_density_at_hallucinations_is_at_most_epsilon():
    target = three_in_a_row()
    rule = HallucinationRule(target)
    x = np.linspace(0, 4, 40_001)[:, None]
    density = np.exp(target.logpdf(x))
    assert density[rule(x)].max() <= rule.epsilon
    # One of three equal modes is near: the bound is not attained, but lost by no more than 3.
    assert density[rule(x)].max() > 0.99 * rule.epsilon / 3
    assert rule.epsilon == pytest.approx(1.2152e-7, rel=1e-4)


def test_between_leaves_the_gaps():
    target = line_mixture([4.0, 1.0, 2.0, 5.0], 0.05)
    rule = HallucinationRule(target, between=True)
    np.testing.assert_allclose(rule.gaps, [[1.3, 1.7], [2.3, 3.7], [4.3, 4.7]])
    x = np.random.default_rng(0).uniform(0, 6, 2000)
    inside = ((x[:, None] > rule.gaps[:, 0]) & (x[:, None] < rule.gaps[:, 1])).any(axis=1)
    np.testing.assert_array_equal(rule(x[:, None]), inside)
    assert (HallucinationRule(target)(x[:, None]) > inside).any()


def test_overlapping_modes_are_flagged():
    with pytest.warns(UserWarning, match=r"modes at distance 0\.5 <= 0\.6 = 2 k sigma overlap"):
        rule = HallucinationRule(line_mixture([1.0, 1.5, 3.0], 0.05), between=True)
    assert rule.empty_gap
    np.testing.assert_allclose(rule.gaps, [[1.8, 2.7]])
    np.testing.assert_array_equal(rule([[1.25], [2.0]]), [False, True])
    single = HallucinationRule(line_mixture([1.0], 0.05))
    assert not single.empty_gap
    np.testing.assert_array_equal(single([[1.25], [2.0]]), [False, True])


def test_bad_input():
    with pytest.raises(ValueError, match="target's modes must be distinct"):
        HallucinationRule(MixtureTarget([0.5, 0.5], [1.0, 1.0], [0.1, 0.1]))
    with pytest.raises(ValueError, match="target must have one covariance"):
        HallucinationRule(MixtureTarget([0.5, 0.5], [1.0, 2.0], [0.1, 0.2]))
    with pytest.raises(ValueError, match="k must be a number > 0"):
        HallucinationRule(three_in_a_row(), k=0.0)
    with pytest.raises(ValueError, match="did you mean 'max'"):
        HallucinationRule(three_in_a_row(), norm="maxi")
    with pytest.raises(ValueError, match="between needs dimension 1; got 2"):
        HallucinationRule(grid_mixture(), between=True)
    with pytest.raises(ValueError, match="gaps need dimension 1; got 2"):
        HallucinationRule(grid_mixture()).gaps  # noqa: B018
    with pytest.raises(ValueError, match=r"x must have shape \(any, 1\)"):
        HallucinationRule(three_in_a_row())([1.0, 2.0])


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_segments_of_neighbours_and_diagonals_by_brute_force(angle):
    target = grid_mixture(n_side=3, angle=angle)
    rule = HallucinationRule(target)
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (400, 2))
    means, spacing = target.law.means, rule.spacing
    for stretch, pairs in ((1.0, 12), (math.sqrt(2), 8)):
        places, found = np.linspace(0, 1, 501)[:, None], np.full(len(x), np.inf)
        seen = 0
        for i in range(9):
            for j in range(i):
                if abs(np.linalg.norm(means[i] - means[j]) - stretch * spacing) < 1e-6:
                    seen += 1
                    points = means[i] + places * (means[j] - means[i])
                    gaps = np.linalg.norm(x[:, None] - points, axis=-1).min(axis=1)
                    found = np.minimum(found, gaps)
        assert seen == pairs
        sure = np.abs(found - rule.radius) > 1e-5
        np.testing.assert_array_equal(
            rule.near_segment(x, stretch)[sure], found[sure] < rule.radius
        )
    assert not HallucinationRule(line_mixture([0.0], 1.0)).near_segment([[0.0]]).any()
    with pytest.raises(ValueError, match=r"stretch must be .*>= 1; got 0.5"):
        rule.near_segment(x, 0.5)
