"""Exact discrete Laplace noise against OpenDP's exact sampler, side by side in one run.

Both sides take turns in one thread; CPU times are printed, and the target is asserted on the median
over the rounds of their ratio. Run with ``pytest benchmarks/test_privacy_noise.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest

from theorytk.privacy.noise import discrete_gaussian, discrete_laplace

ROUNDS = 9


def opendp_sampler(scale, size):
    """Return OpenDP's discrete Laplace noise on a vector of zeros."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    noisy = dp.m.make_laplace(*space, scale=float(scale))
    zeros = [0] * size
    return lambda: np.array(noisy(zeros))


def microseconds(function, samples):
    """Return the CPU microseconds of a sample."""
    started = time.process_time()
    function()
    return (time.process_time() - started) / samples * 1e6


@pytest.mark.parametrize("scale", [1, 50.5, 2**40])
def test_discrete_laplace_against_opendp(scale):
    many, few = 500_000, 5_000
    theirs = opendp_sampler(scale, few)
    ratio = {}
    for name, rng in (("seeded", 0), ("operating system", None)):
        times = np.array(
            [
                (
                    microseconds(lambda rng=rng: discrete_laplace(scale, many, rng), many),
                    microseconds(theirs, few),
                )
                for _ in range(ROUNDS + 1)
            ][1:]
        )
        ours, slow = np.median(times, axis=0)
        ratio[name] = float(np.median(times[:, 1] / times[:, 0]))
        print(f"\n  scale {scale}, words {name}: {1 / ours:.2f} M/s", end="")
        print(f"; OpenDP {1 / slow:.3f} M/s; ratio {ratio[name]:.0f}", end="")
    # How fast the operating system gives words is its own matter: that rate is only printed.
    assert ratio["seeded"] >= 40


def test_discrete_gaussian_rate():
    many = 200_000
    times = [microseconds(lambda: discrete_gaussian(2**40, many, 0), many) for _ in range(ROUNDS)]
    print(f"\n  discrete Gaussian: {1 / np.median(times):.2f} M/s", end="")
    assert np.median(times) < 2
