"""Velocity and score of a mixture's flow against NumPy, and the diffusion that they drive.

The baseline is the usual NumPy code for one time, vectorised over points and pairs; both take
turns in one thread, and CPU times are printed. Run with
``pytest benchmarks/test_mixture_fields_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.special import softmax
from threadpoolctl import threadpool_limits

from theorytk.paths.generate import integrate_ode, integrate_sde
from theorytk.paths.interpolants import interpolant
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

POINTS = 20_000


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def seconds(function):
    """Return (the CPU seconds of a call, its result)."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def flow_in(d):
    """Return a flow between mixtures of two and of three components: six pairs."""
    rng = np.random.default_rng(0)
    ends = []
    for K in (2, 3):
        A = rng.standard_normal((K, d, d))
        covs = A @ A.swapaxes(1, 2) / d + 0.3 * np.eye(d)
        ends.append(GaussianMixture(np.full(K, 1 / K), 4 * rng.standard_normal((K, d)), covs))
    return MixtureInterpolant(*ends, interpolant("trigonometric"))


def by_numpy(flow, t, x):
    """Return velocity and score as one writes them in NumPy, all pairs at once."""
    c = flow.interpolant.coefficients(t)
    d = flow.dimension
    weights = np.multiply.outer(flow.rho0.weights, flow.rho1.weights).ravel()

    def combined(a, b, ends):
        zero, one = ends
        pairs = np.add(a * zero[:, None], b * one[None])
        return pairs.reshape(len(weights), *zero.shape[1:])

    means = flow.rho0.means, flow.rho1.means
    covs = flow.rho0.covariances, flow.rho1.covariances
    m, d_m = combined(c.alpha, c.beta, means), combined(c.d_alpha, c.d_beta, means)
    C = combined(c.alpha**2, c.beta**2, covs) + c.gamma2 * np.eye(d)
    half_d_C = combined(c.alpha * c.d_alpha, c.beta * c.d_beta, covs) + c.gamma_d_gamma * np.eye(d)
    centred = x[:, None] - m
    if d == 1:
        y = centred / C[:, 0]
    else:
        y = np.einsum("kab,nkb->nka", np.linalg.inv(C), centred, optimize=True)
    logits = np.log(weights) - np.linalg.slogdet(C)[1] / 2 - (centred * y).sum(axis=-1) / 2
    w = softmax(logits, axis=1)[..., None]
    moved = half_d_C[:, 0] * y if d == 1 else np.einsum("kab,nkb->nka", half_d_C, y, optimize=True)
    return (w * (d_m + moved)).sum(axis=1), -(w * y).sum(axis=1)


@pytest.mark.parametrize(("d", "target"), [(1, 4), (2, 4), (8, 2), (32, 1)])
def test_fields_against_numpy(benchmark, d, target):
    flow, t = flow_in(d), 0.4
    x = flow.sample(t, POINTS if d <= 8 else POINTS // 4, rng=0)
    flow.velocity_and_score(t, x)
    slow, fast = [], []
    for _ in range(9):
        time_slow, theirs = seconds(lambda: by_numpy(flow, t, x))
        time_fast, ours = seconds(lambda: flow.velocity_and_score(t, x))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        slow.append(time_slow)
        fast.append(time_fast)
    benchmark.pedantic(lambda: flow.velocity_and_score(t, x), rounds=3)
    speedup = float(np.median(np.divide(slow, fast)))
    benchmark.extra_info["speedup"] = speedup
    print(
        f"\n  d = {d}, six pairs: NumPy {1e9 * np.median(slow) / len(x):.0f} ns, ours "
        f"{1e9 * np.median(fast) / len(x):.1f} ns per point; faster by {speedup:.1f}"
    )
    assert speedup >= target


# 20,000 points on the line: Euler-Maruyama 1000 steps, and 200 steps of RK4.
@pytest.mark.parametrize("name", ["sde", "ode"])
def test_generation_against_numpy(benchmark, name):
    flow = flow_in(1)
    x = flow.rho0.sample(POINTS, rng=0)

    def generate(fields, share=1.0):
        if name == "sde":
            return integrate_sde(
                fields, x, epsilon=1.0, n_steps=round(1000 * share), t_span=(0, share), rng=1
            )
        return integrate_ode(
            lambda t, x: fields(t, x)[0], x, n_steps=round(200 * share), t_span=(0, share)
        )

    generate(flow.velocity_and_score, 0.05)
    # The baseline runs a twentieth of the way.
    slow, fast = [], []
    for _ in range(3):
        time_slow, theirs = seconds(lambda: generate(lambda t, x: by_numpy(flow, t, x), 0.05))
        np.testing.assert_allclose(
            generate(flow.velocity_and_score, 0.05), theirs, rtol=1e-8, atol=1e-8
        )
        slow.append(20 * time_slow)
        fast.append(seconds(lambda: generate(flow.velocity_and_score))[0])
    benchmark.pedantic(lambda: generate(flow.velocity_and_score), rounds=1)
    speedup = float(np.median(np.divide(slow, fast)))
    benchmark.extra_info["speedup"] = speedup
    print(
        f"\n  {name}, {POINTS} points: NumPy {np.median(slow):.2f} s, ours "
        f"{np.median(fast):.2f} s; faster by {speedup:.1f}"
    )
    assert speedup >= 2.5
