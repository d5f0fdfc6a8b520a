"""The executor of sampling plans against diffusers, and its combinations against NumPy and a triad.

Both sides take turns in one thread; CPU times are printed, and the targets are asserted on the
median over the rounds of their ratio. Run with ``pytest benchmarks/test_diffusion_executor.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from numba import njit
from threadpoolctl import threadpool_limits

from theorytk.diffusion.execution import _arithmetic, sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.plans import Eval, Lin, Plan
from theorytk.diffusion.samplers.compile import compile_plan
from theorytk.diffusion.schedules import EDM, VPDiscrete

STEPS = 50
METHODS = {
    "dpmpp_2m": ("DPMSolverMultistepScheduler", dict(solver_order=2), {}),
    "dpmpp_3m": ("DPMSolverMultistepScheduler", dict(solver_order=3), dict(variant="published")),
    "unipc": ("UniPCMultistepScheduler", dict(solver_order=3), dict(order=3)),
    "deis_logrho2": ("DEISMultistepScheduler", dict(solver_order=3), {}),
}


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


def compare(ours, theirs, calls, rounds=15):
    """Return the median CPU seconds of a call of each and the median of theirs / ours."""
    ours(), theirs()
    times = [(seconds(ours, calls), seconds(theirs)) for _ in range(rounds)]
    fast, slow = np.array(times).T
    return np.median(fast), np.median(slow), float(np.median(slow / fast))


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("method", METHODS)
def test_overhead_per_step_against_diffusers(benchmark, method):
    """A batch of 16 points in the plane, and a model that returns its argument."""
    import diffusers
    import torch

    torch.set_num_threads(1)
    name, settings, options = METHODS[method]
    scheduler = getattr(diffusers, name)(beta_schedule="linear", **settings)
    x = np.random.default_rng(0).standard_normal((16, 2)).astype(np.float32)
    tensor = torch.from_numpy(x)[..., None, None]

    def theirs():
        scheduler.set_timesteps(STEPS)
        state = tensor
        for t in scheduler.timesteps:
            state = scheduler.step(state, t, state).prev_sample

    schedule = VPDiscrete(betas=np.linspace(1e-4, 0.02, 1000))
    plan = compile_plan(schedule, time_grid(schedule, "uniform", STEPS), method, **options)

    def ours():
        sample(plan, lambda x, t: x, x)

    fast, slow, ratio = compare(ours, theirs, 20)
    on_torch = seconds(lambda: sample(plan, lambda x, t: x, tensor), 20)
    benchmark.pedantic(ours, rounds=3)
    benchmark.extra_info["ratio"] = ratio
    print(
        f"\n  {method}: ours {fast / STEPS * 1e6:.1f} us per step (on a torch tensor "
        f"{on_torch / STEPS * 1e6:.1f}), diffusers {slow / STEPS * 1e6:.0f} us; ratio {ratio:.0f}"
    )
    assert ratio >= 20


def combination(shape, dtype, terms):
    """Return the arithmetic of such arrays, coefficients and arrays."""
    step = Lin("x1", ((1.0, "x0"), (1.0, "m0")))
    plan = Plan("", EDM(), np.array([2.0, 1.0]), (Eval("m0", "x0", 2.0), step), ("x0",), "x1")
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape, dtype=dtype) for _ in range(terms)]
    return _arithmetic(arrays[0], plan), tuple(rng.uniform(-1, 1, terms).tolist()), arrays


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("elements", [1024, 16384])
def test_combination_in_cache_against_numpy(benchmark, elements, dtype):
    arithmetic, c, arrays = combination((elements // 2, 2), dtype, 4)

    def ours():
        return arithmetic.combine(c, arrays)

    def naive():
        for _ in range(200):
            sum(a * array for a, array in zip(c, arrays, strict=True))

    expected = sum(a * array for a, array in zip(c, arrays, strict=True))
    np.testing.assert_allclose(ours(), expected, rtol=1e-3, atol=1e-6)
    fast, slow, ratio = compare(ours, naive, 200)
    benchmark.pedantic(ours, rounds=3)
    slow, ratio = slow / 200, ratio / 200
    benchmark.extra_info["ratio"] = ratio
    print(
        f"\n  4 terms, {elements} elements of {np.dtype(dtype).name}: ours {fast * 1e6:.2f} us, "
        f"NumPy {slow * 1e6:.2f} us; ratio {ratio:.1f}"
    )
    assert ratio >= 3


@njit(cache=True, nogil=True)
def triad(a, b, c, s):
    """The STREAM triad: two arrays read, one written."""
    for i in range(a.size):
        a[i] = b[i] + s * c[i]


@pytest.mark.parametrize("terms", [2, 4])
def test_combination_beyond_cache_against_the_triad(benchmark, terms):
    """Bandwidths count each array that is read or written once."""
    n = 1 << 24
    arithmetic, c, arrays = combination((n,), np.float64, terms)
    out = np.empty(n)

    def ours():
        arithmetic.combine(c, arrays)

    fast, stream, ratio = compare(ours, lambda: triad(out, arrays[0], arrays[1], 3.0), 1, rounds=9)
    benchmark.pedantic(ours, rounds=3)
    share = ratio * (terms + 1) / 3
    benchmark.extra_info["share"] = share
    print(
        f"\n  {terms} terms, {n} elements: {(terms + 1) * out.nbytes / fast / 1e9:.1f} GB/s, "
        f"the triad {3 * out.nbytes / stream / 1e9:.1f} GB/s; share {share:.2f}"
    )
    assert share >= 0.8
