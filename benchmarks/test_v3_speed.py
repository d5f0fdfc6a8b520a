"""Empirical model statistics against plain broadcasting NumPy, and what v3's plans cost.

Both sides take turns in one thread; CPU times are printed, and the target is asserted on the
median over the rounds of their ratio. Run with ``pytest benchmarks/test_v3_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.samplers import multistep
from theorytk.diffusion.samplers.v3 import dpm_v3
from theorytk.diffusion.schedules import VPLinear
from theorytk.diffusion.targets import random_mixture
from theorytk.diffusion.tuning.estimation import estimate_statistics
from theorytk.diffusion.tuning.statistics import ModelStatistics

SCHEDULE = VPLinear()
NODES, DRAWS = 241, 256


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def seconds(function, calls=1):
    """Return the CPU seconds of a call."""
    started = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - started) / calls


def compare(ours, theirs, rounds=5):
    """Return the median CPU seconds of a call of each and the median of theirs / ours."""
    ours(), theirs()
    fast, slow = np.array([(seconds(ours), seconds(theirs)) for _ in range(rounds)]).T
    return np.median(fast), np.median(slow), float(np.median(slow / fast))


def plain_statistics(target, rng):
    """Return l, s and b by broadcasting: arrays (n, K, d), and the flow by a Runge-Kutta step."""
    weights, means = target.law.weights, target.law.means
    variances = np.diagonal(target.law.covariances, axis1=1, axis2=2)
    clean = target.sample(DRAWS, rng)
    normal = rng.standard_normal(clean.shape)
    lam = np.linspace(*SCHEDULE.lam(np.array([SCHEDULE.t_max, SCHEDULE.t_min])), NODES)

    def level(at):
        t = SCHEDULE.t_of_lam(min(max(at, lam[0]), lam[-1]))
        return float(SCHEDULE.alpha(t)), float(SCHEDULE.sigma(t))

    def parts(x, alpha, sigma):
        V = alpha**2 * variances + sigma**2
        centred = x[:, None, :] - alpha * means
        logits = np.log(weights) - (centred**2 / V + np.log(V)).sum(-1) / 2
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return (shares / shares.sum(1, keepdims=True))[..., None], -centred / V, 1 / V

    def noise(y, at):
        alpha, sigma = level(at)
        shares, slopes, _ = parts(alpha * y, alpha, sigma)
        return -sigma * (shares * slopes).sum(1)

    def flowed(y, at, h):
        def rate(y, at):
            return -np.exp(-at) * noise(y, at)

        a = rate(y, at)
        b = rate(y + h / 2 * a, at + h / 2)
        c = rate(y + h / 2 * b, at + h / 2)
        return y + h / 6 * (a + 2 * b + 2 * c + rate(y + h * c, at + h))

    rows = []
    for at in lam:
        alpha, sigma = level(at)
        x = alpha * clean + sigma * normal
        shares, slopes, curvatures = parts(x, alpha, sigma)
        mean = (shares * slopes).sum(1)
        diagonal = (shares * (slopes**2 - curvatures)).sum(1) - mean**2
        h = 1e-3 if at + 1e-3 < lam[-1] and at - 1e-3 > lam[0] else 1e-6
        y = x / alpha
        change = (noise(flowed(y, at, h), at + h) - noise(flowed(y, at, -h), at - h)) / (2 * h)
        rows.append((-(sigma**2) * diagonal, -sigma * mean, change, y))
    linear = np.array([row[0].mean(0) for row in rows])
    drift = np.gradient(linear, lam, axis=0)
    tables = []
    for at, l, dl, (_, eps, change, y) in zip(lam, linear, drift, rows, strict=True):  # noqa: E741
        f = np.exp(-at) * eps - l * y
        rate = np.exp(-at) * ((l - 1) * eps + change) - dl * y
        s = ((f - f.mean(0)) * (rate - rate.mean(0))).mean(0) / f.var(0)
        tables.append((s, rate.mean(0) - s * f.mean(0)))
    return lam, linear, *np.moveaxis(np.array(tables), 1, 0)


@pytest.mark.parametrize(("d", "K", "target_ratio"), [(2, 8, 1.5), (16, 20, 4.0)])
def test_statistics_against_broadcasting(benchmark, d, K, target_ratio):
    """241 nodes, 256 draws: the setting of the released tables, with fewer draws."""
    target = random_mixture(d, K, rng=0)

    def ours():
        return estimate_statistics(
            target,
            target.sample,
            SCHEDULE,
            n_nodes=NODES,
            n_samples=DRAWS,
            rng=np.random.default_rng(1),
            jacobian="exact",
        )

    def theirs():
        return plain_statistics(target, np.random.default_rng(1))

    found, (_, linear, scaling, _) = ours(), theirs()
    np.testing.assert_allclose(found.linear, linear, rtol=1e-9, atol=1e-12)
    middle = slice(30, -30)
    np.testing.assert_allclose(found.scaling[middle], scaling[middle], rtol=0.05, atol=0.05)
    fast, slow, ratio = compare(ours, theirs)
    benchmark.pedantic(ours, rounds=2)
    benchmark.extra_info["ratio"] = ratio
    print(f"\n  d={d}, K={K}: ours {fast:.3f} s, broadcasting {slow:.3f} s; ratio {ratio:.1f}")
    assert ratio >= target_ratio


def test_compilation_and_steps(benchmark):
    """A plan with coefficients per coordinate beside one with numbers, 16 points in the plane."""
    target = random_mixture(2, 3, rng=0)
    statistics = estimate_statistics(
        target, target.sample, SCHEDULE, n_nodes=121, n_samples=64, rng=0, jacobian="exact"
    )
    lam = statistics.lam
    numbers = ModelStatistics(lam, np.ones(121), np.zeros(121), np.zeros(121))
    times = time_grid(SCHEDULE, "logsnr", 10)
    x = np.random.default_rng(0).standard_normal((16, 2))
    plans = {
        "v3, per coordinate": dpm_v3(SCHEDULE, times, statistics=statistics),
        "v3, numbers": dpm_v3(SCHEDULE, times, statistics=numbers),
        "++3M": multistep(SCHEDULE, times, order=3),
    }

    def compiled():
        return dpm_v3(SCHEDULE, times, statistics=statistics)

    step = {}
    for name, plan in plans.items():
        sample(plan, lambda x, t: x, x)
        step[name] = min(seconds(lambda p=plan: sample(p, lambda x, t: x, x), 50) for _ in range(5))
        print(f"\n  {name}: {step[name] / 10 * 1e6:.1f} us per step", end="")
    print(f"\n  compilation of 10 steps: {min(seconds(compiled) for _ in range(5)) * 1e3:.2f} ms")
    benchmark.pedantic(compiled, rounds=3)
    assert step["v3, numbers"] < 5 * step["++3M"]
    assert step["v3, per coordinate"] < 10 * step["++3M"]
