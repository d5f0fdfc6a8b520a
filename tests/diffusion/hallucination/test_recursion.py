"""Recursive training: the loop, its population version, and that the two agree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from theorytk.diffusion.hallucination.chain import levels, steep_schedule
from theorytk.diffusion.hallucination.detector import least_variable
from theorytk.diffusion.hallucination.lipschitz import cap_slope, level_weights
from theorytk.diffusion.hallucination.mixtures import (
    exact_denoiser,
    grid_mixture,
    line_mixture,
    three_in_a_row,
)
from theorytk.diffusion.hallucination.propagation import propagate_law
from theorytk.diffusion.hallucination.recursion import (
    Generation,
    denoiser_of_masses,
    keep_first,
    population_recursion,
    recursive_training,
)
from theorytk.diffusion.hallucination.rules import HallucinationRule
from theorytk.diffusion.hallucination.sampling import ChainSamples, sample_chain
from theorytk.diffusion.hallucination.tables import tabulate

SCHEDULE, TARGET = steep_schedule(), three_in_a_row()
RULE = HallucinationRule(TARGET)
GRID = np.linspace(-6.5, 7.5, 4096)


def normal_fit(x, rng):
    return lambda y, t: x.mean() + x.std() * y


def normal_sample(denoiser, m, rng):
    x = denoiser(rng.standard_normal((m, 1)), 0)
    return ChainSamples(x, np.abs(x[:, 0]), x[:0])


def test_each_model_is_trained_on_what_was_kept():
    seen = []

    def fit(x, rng):
        seen.append(x)
        return normal_fit(x, rng)

    data = np.random.default_rng(0).standard_normal((40, 1))
    history = recursive_training(
        data, fit, normal_sample, n_generations=3, keep=least_variable, oversampling=0.25, rng=1
    )
    np.testing.assert_array_equal(seen[0], data)
    for generation, x in zip(history, seen[1:], strict=False):
        assert generation.x.shape == (50, 1)
        largest = np.sort(np.abs(generation.x[:, 0]))[39]
        np.testing.assert_array_equal(x, generation.x[np.abs(generation.x[:, 0]) <= largest])


def test_a_seed_gives_one_history_and_filters_share_their_first_model():
    data = np.random.default_rng(0).standard_normal((30, 1))
    runs = [
        recursive_training(
            data, normal_fit, normal_sample, n_generations=2, keep=keep, oversampling=0.2, rng=4
        )
        for keep in (keep_first, keep_first, least_variable)
    ]
    np.testing.assert_array_equal(runs[0][1].x, runs[1][1].x)
    np.testing.assert_array_equal(runs[0][0].x, runs[2][0].x)
    assert np.all(runs[0][1].x != runs[2][1].x)


def test_statistics_of_a_generation():
    target = grid_mixture(2)
    rng = np.random.default_rng(0)
    x, kept = rng.standard_normal((60, 2)), rng.permutation(60)[:50]
    generation = Generation(x, np.zeros(60), kept)
    weights, sds = generation.mode_statistics(target)
    owner = [np.linalg.norm(target.law.means - p, axis=1).argmin() for p in x[kept]]
    for k in range(4):
        members = x[kept][np.array(owner) == k]
        assert weights[k] == pytest.approx(len(members) / 50)
        assert sds[k] == pytest.approx(np.sqrt(members.var(axis=0).mean()))
    before, after = generation.rates(lambda p: p[:, 0] > 0)
    assert before == np.mean(x[:, 0] > 0)
    assert after == np.mean(x[kept, 0] > 0)


@pytest.mark.parametrize("uniform", [True, False])
def test_denoiser_of_a_discrete_law_is_bayes_rule(uniform):
    rng = np.random.default_rng(0)
    points = np.linspace(-1.0, 1.0, 9) if uniform else np.sort(rng.uniform(-1.5, 1.5, 9))
    masses = rng.uniform(0.0, 1.0, 9)
    grid = np.linspace(-7.0, 7.0, 8001)
    table, weights = denoiser_of_masses(points, masses, SCHEDULE, grid, t_start=300)
    alpha, sigma = levels(SCHEDULE)
    for t in (5, 50, 150, 300):
        logits = np.log(masses) - 0.5 * ((grid[:, None] - alpha[t] * points) / sigma[t]) ** 2
        clear = weights[t] > 1e-8 * weights[t].max()
        expected = softmax(logits, axis=1) @ points
        np.testing.assert_allclose(table.values[t][clear], expected[clear], atol=5e-4)
        density = np.exp(logits).sum(axis=1)
        shape = density / density.max() - weights[t] / weights[t].max()
        assert np.abs(shape).max() < 1e-3


def test_the_first_generation_is_the_capped_exact_denoiser():
    law = population_recursion(TARGET, SCHEDULE, GRID, bound=2.0, n_generations=1, t_start=400)[0]
    table = tabulate(exact_denoiser(TARGET, SCHEDULE), SCHEDULE, GRID, t_start=400)
    capped = cap_slope(table, SCHEDULE, 2.0, level_weights(TARGET, SCHEDULE, table))
    expected = propagate_law(capped, SCHEDULE, t_start=400).probability(RULE.gaps)
    assert law.probability(RULE.gaps) == pytest.approx(expected, rel=0.02)


def test_samples_follow_the_population_and_a_perfect_filter_stops_the_growth():
    options = {"bound": 2.0, "n_generations": 3, "t_start": 400}
    laws = {
        remove: population_recursion(TARGET, SCHEDULE, GRID, remove=remove, **options)
        for remove in (None, RULE)
    }
    rates = {k: [law.probability(RULE.gaps) for law in v] for k, v in laws.items()}
    assert rates[None][2] > 5 * rates[None][0]
    assert rates[RULE][2] < 1.5 * rates[RULE][0]

    def fit(x, rng):
        table, weights = denoiser_of_masses(x[:, 0], np.ones(len(x)), SCHEDULE, GRID, t_start=400)
        return cap_slope(table, SCHEDULE, 2.0, weights)

    def sample(denoiser, m, rng):
        return sample_chain(denoiser, SCHEDULE, m, t_start=400, rng=rng)

    data = TARGET.sample(20_000, 0)
    history = recursive_training(data, fit, sample, n_generations=3, oversampling=0.0, rng=1)
    # About 90 hallucinations in the first generation decide about the later ones: 11 per cent.
    for generation, rate in zip(history, rates[None], strict=True):
        assert generation.rates(RULE)[0] == pytest.approx(rate, rel=0.5)


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        (lambda score, n: np.arange(n - 1), "keep must return 5 different indices"),
        (lambda score, n: np.zeros(n, int), "generation=0"),
        (lambda score, n: np.arange(2, n + 2), "different indices"),
    ],
)
def test_filters_that_do_not_keep_n(keep, message):
    with pytest.raises(ValueError, match=message):
        recursive_training(np.ones((5, 1)), normal_fit, normal_sample, n_generations=1, keep=keep)


def test_samples_of_another_shape_are_refused():
    def short(denoiser, m, rng):
        return normal_sample(denoiser, m - 1, rng)

    with pytest.raises(ValueError, match=r"sample \(generation 0\) must have shape \(6, 1\)"):
        recursive_training(np.ones((5, 1)), normal_fit, short, n_generations=1)


def test_bad_arguments():
    with pytest.raises(ValueError, match="oversampling must be"):
        recursive_training(
            np.ones((5, 1)), normal_fit, normal_sample, n_generations=1, oversampling=-0.1
        )
    with pytest.raises(ValueError, match="target must have dimension 1"):
        population_recursion(grid_mixture(2), SCHEDULE, GRID, bound=2.0, n_generations=1)
    with pytest.raises(ValueError, match="masses must be >= 0"):
        denoiser_of_masses([0.0, 1.0], [1.0, -1.0], SCHEDULE, GRID)
    with pytest.raises(ValueError, match="grid must hold the points"):
        denoiser_of_masses([0.0, 9.0], [1.0, 1.0], SCHEDULE, GRID)
    narrow = line_mixture([1.0, 2.0], 0.05)
    with pytest.raises(ValueError, match=r"remove must leave something.*generation=1"):
        population_recursion(
            narrow,
            SCHEDULE,
            GRID,
            bound=2.0,
            n_generations=2,
            remove=lambda x: np.ones(len(x), bool),
            t_start=300,
        )
