"""Sampling plans on torch against the floor of their bytes over the measured bandwidth.

A model that costs nothing leaves the linear combinations: an update of order 3 reads four arrays
and writes one. The compiled plan must be within 1.5 times of the floor on a GPU, where there is
one; on the CPU, in one thread, the figures are printed only, because there every new array costs
page faults. Needs a C++ compiler. Run with ``pytest benchmarks/test_diffusion_torch.py -s``.
"""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.models import Model
from theorytk.diffusion.samplers import compile_plan
from theorytk.diffusion.schedules import VPLinear
from theorytk.diffusion.torch import sample

# torch's compiler uses what torch deprecates.
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
STEPS, ORDER, ROUNDS = 12, 3, 9
ARRAYS = ORDER + 2
PLAN = compile_plan(VPLinear(), time_grid(VPLinear(), "logsnr", STEPS), "dpmpp_3m")


def devices():
    """Return the devices with the number of elements that is well beyond their caches."""
    import torch

    return {"cpu": 1 << 24} | ({"cuda": 10**8} if torch.cuda.is_available() else {})


def seconds(function, device):
    """Return the median seconds of a call, on the CPU those of the CPU's time."""
    import torch

    clock = time.perf_counter if device == "cuda" else time.process_time

    def finish():
        if device == "cuda":
            torch.cuda.synchronize()

    times = []
    for _ in range(ROUNDS + 2):
        finish()
        started = clock()
        function()
        finish()
        times.append(clock() - started)
    return float(np.median(times[2:]))


def test_an_order_3_plan_against_the_floor_of_its_bytes(benchmark):
    import torch

    torch.set_num_threads(1)
    for device, n in devices().items():
        x, *outputs = torch.randn((ORDER + 2, n // 2, 2), device=device)
        stream = itertools.cycle(outputs)
        model = Model(lambda x, t, stream=stream: next(stream), "data")

        def run(compile, x=x, model=model, device=device):
            return sample(PLAN, model, x, device=device, compile=compile)

        torch.testing.assert_close(run(True).x, run(False).x)
        scratch = torch.empty_like(x)
        triad = seconds(
            lambda a=x, b=outputs[0], s=scratch: torch.add(a, b, alpha=3, out=s), device
        )
        bandwidth = 3 * 4 * n / triad
        # The first two updates have fewer terms.
        floor = (STEPS * ARRAYS - 3) * 4 * n / bandwidth
        eager, compiled = (seconds(lambda c=c: run(c), device) for c in (False, True))
        benchmark.extra_info[device] = compiled / floor
        print(
            f"\n  {device}, {n} elements: triad {bandwidth / 1e9:.0f} GB/s; a plan of {STEPS} "
            f"updates: floor {floor * 1e3:.1f} ms, compiled {compiled / floor:.2f} times, "
            f"not compiled {eager / floor:.2f} times the floor"
        )
        if device == "cuda":
            assert compiled <= 1.5 * floor
    benchmark.pedantic(lambda: run(True), rounds=1)
