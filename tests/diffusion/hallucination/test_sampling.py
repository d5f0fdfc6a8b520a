"""Samples: the compiled and the general route agree, moments in closed form, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from theorytk.diffusion import VPDiscrete
from theorytk.diffusion.hallucination import (
    DenoiserTable,
    HallucinationRule,
    exact_denoiser,
    grid_mixture,
    line_mixture,
    reverse_steps,
    sample_chain,
    separable_rate,
    tabulate,
    trajectory_variance,
)

SCHEDULE = VPDiscrete(betas=np.linspace(0.02, 0.6, 30), clip=None)
GRID = np.linspace(-9.0, 9.0, 1801)
TABLE = DenoiserTable(GRID, np.tanh(GRID / (0.2 + 0.1 * np.arange(30)[:, None])))


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("eta", [0.0, 0.7, 1.0])
def test_tables_and_callables_give_the_same_samples(dimension, eta):
    options = dict(dimension=dimension, eta=eta, window=(2, 9), n_paths=5000, rng=3)
    fast = sample_chain(TABLE, SCHEDULE, 6000, **options)
    general = sample_chain(lambda x, t: TABLE(x, t), SCHEDULE, 6000, **options)
    for name in ("x", "hal", "paths"):
        np.testing.assert_allclose(getattr(fast, name), getattr(general, name), atol=1e-9)
    assert fast.x.shape == (6000, dimension)
    assert fast.paths.shape == (30, 5000, dimension)


def test_hal_is_the_variance_of_the_paths():
    result = sample_chain(TABLE, SCHEDULE, 500, dimension=2, window=(3, 13), n_paths=500, rng=0)
    np.testing.assert_allclose(result.hal, trajectory_variance(result.paths, (3, 13)), rtol=1e-9)
    np.testing.assert_array_equal(result.x, result.paths[0])


def test_variance_of_settled_paths_does_not_cancel():
    def settled(x, t):
        return 1e6 + 1e-3 * np.full_like(x, t)

    result = sample_chain(settled, SCHEDULE, 4, window=(0, 10), rng=0)
    np.testing.assert_allclose(result.hal, 1e-6 * np.var(np.arange(10)), rtol=1e-3)


@pytest.mark.parametrize("options", [{}, {"variance": "small"}, {"eta": 0.5}, {"t_start": 9}])
def test_linear_denoisers_give_gaussian_moments(options):
    steps = reverse_steps(SCHEDULE, **{k: v for k, v in options.items() if k != "t_start"})
    mean, variance = 0.0, 1.0
    for t in range(options.get("t_start", 29), -1, -1):
        slope = 0.6 * steps.signal[t] + steps.keep[t]
        mean = slope * mean + 0.5 * steps.signal[t]
        variance = slope**2 * variance + steps.noise[t] ** 2
    n = 100_000
    table = DenoiserTable(GRID, np.tile(0.6 * GRID + 0.5, (30, 1)))
    x = sample_chain(table, SCHEDULE, n, rng=5, **options).x[:, 0]
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / n)
    assert abs(x.var() / variance - 1) < 5 * np.sqrt(2 / n)


def test_product_grids_have_independent_coordinates():
    target = grid_mixture(3, 2.0, 0.1)
    side = line_mixture(np.unique(target.law.means[:, 0].round(12)), 0.05)
    table = tabulate(exact_denoiser(side, SCHEDULE), SCHEDULE, GRID)
    x = sample_chain(table, SCHEDULE, 20_000, dimension=2, rng=6).x
    far = HallucinationRule(target, k=4.0, norm="max")(x)
    separate = HallucinationRule(side, k=4.0 * 0.1 / np.sqrt(0.01 + 8 / 3) / 0.05)
    each = np.stack([separate(x[:, [a]]) for a in range(2)])
    np.testing.assert_array_equal(far, each.any(axis=0))
    rate = float(separable_rate(each.mean(), 2))
    assert 0.01 < rate < 0.9
    assert binomtest(int(far.sum()), far.size, rate).pvalue > 1e-6


def test_seeds_repeat_and_differ():
    runs = [sample_chain(TABLE, SCHEDULE, 50, rng=seed).x for seed in (1, 1, 2)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.isin(runs[2], runs[0]).any()


def test_bad_input():
    for window in ((0, 1), (-1, 5), (25, 31), (5, 2)):
        with pytest.raises(ValueError, match=r"window\[[01]\] must be an integer"):
            sample_chain(TABLE, SCHEDULE, 3, window=window)
    with pytest.raises(ValueError, match=r"window\[1\] must be .* <= 8"):
        sample_chain(TABLE, SCHEDULE, 3, t_start=7)
    with pytest.raises(ValueError, match="window must be a pair"):
        sample_chain(TABLE, SCHEDULE, 3, window=10)
    with pytest.raises(ValueError, match=r"finite values; .* step 12"):
        sample_chain(lambda x, t: x * (np.nan if t == 12 else 1), SCHEDULE, 3, rng=0)
    with pytest.raises(ValueError, match=r"shape \(3, 2\); got \(3,\) at step 29"):
        sample_chain(lambda x, t: x[:, 0], SCHEDULE, 3, dimension=2)
    narrow = DenoiserTable(np.linspace(-9, 9, 5), np.full((30, 5), 30.0))
    with pytest.raises(ValueError, match=r"table's grid, \[-9, 9\]; it left it at step \d+"):
        sample_chain(narrow, SCHEDULE, 3, rng=0)
    with pytest.raises(ValueError, match="n_paths must be an integer >= 0 and <= 3"):
        sample_chain(TABLE, SCHEDULE, 3, n_paths=4)
    with pytest.raises(ValueError, match="n must be an integer >= 1"):
        sample_chain(TABLE, SCHEDULE, 0)
