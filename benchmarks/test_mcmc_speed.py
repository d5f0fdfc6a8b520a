"""A sweep of denoising Langevin Gibbs against plain NumPy broadcasting.

The baseline takes logits (n, M, K) of all levels at once, and scores by a softmax over K, as one
writes them in NumPy; both take turns in one thread, and CPU times are printed. Run with
``pytest benchmarks/test_mcmc_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from threadpoolctl import threadpool_limits

from theorytk.diffusion.denoising_mcmc import langevin_gibbs
from theorytk.diffusion.joint_law import JointLaw
from theorytk.diffusion.targets import MixtureTarget

SWEEPS = 10


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def seconds(function):
    """Return (the CPU seconds of a call, its result)."""
    started = time.process_time()
    result = function()
    return time.process_time() - started, result


def joint_in(d, K, M):
    """Return a joint law of K isotropic modes in d dimensions and M levels."""
    rng = np.random.default_rng(0)
    target = MixtureTarget(
        np.full(K, 1 / K), 4 * rng.standard_normal((K, d)), rng.uniform(0.05, 0.2, K)
    )
    return JointLaw(target, np.geomspace(0.01, 20.0, M))


def by_numpy(joint, x, sigma, rng):
    """Return the states after the sweeps of adjusted Langevin and drawn levels, by broadcasting."""
    law, (n, d) = joint.target.law, x.shape
    variances = law.covariances[:, 0, 0]

    def logits(x, V):
        squares = ((x[:, None] - law.means) ** 2).sum(axis=2)
        return np.log(law.weights) - d / 2 * np.log(2 * np.pi * V) - squares / (2 * V)

    def score_and_logpdf(x, sigma):
        V = variances + sigma[:, None] ** 2
        values = logits(x, V)
        pulls = (softmax(values, axis=1) / V)[:, :, None] * (law.means - x[:, None])
        return pulls.sum(axis=1), logsumexp(values, axis=1)

    for _ in range(SWEEPS):
        eta = 0.5 * sigma[:, None] ** 2
        score, logpdf = score_and_logpdf(x, sigma)
        moved = x + eta / 2 * score + np.sqrt(eta) * rng.standard_normal(x.shape)
        new_score, new_logpdf = score_and_logpdf(moved, sigma)
        there = ((moved - x - eta / 2 * score) ** 2).sum(axis=1)
        back = ((x - moved - eta / 2 * new_score) ** 2).sum(axis=1)
        ratio = new_logpdf - logpdf + (there - back) / (2 * eta[:, 0])
        accepted = np.log1p(-rng.random(n)) < ratio
        x = np.where(accepted[:, None], moved, x)
        V = variances + joint.levels[:, None] ** 2
        squares = ((x[:, None] - law.means) ** 2).sum(axis=2)[:, None]
        values = np.log(law.weights) - d / 2 * np.log(V) - squares / (2 * V)
        posterior = softmax(logsumexp(values, axis=2) + np.log(joint.prior), axis=1)
        u = rng.random(n)
        drawn = (np.cumsum(posterior, axis=1) < u[:, None]).sum(axis=1)
        sigma = joint.levels[np.minimum(drawn, len(joint.levels) - 1)]
    return x, sigma


@pytest.mark.parametrize(("d", "K", "M"), [(2, 3, 60), (2, 3, 1000), (16, 20, 200)])
def test_sweep_against_numpy(d, K, M):
    joint = joint_in(d, K, M)
    n = 800 if M < 1000 else 200
    start = joint.sample(n, 1)
    langevin_gibbs(joint, *start, n_sweeps=1, rng=0)
    ours, theirs = [], []
    for _ in range(3):
        t, result = seconds(lambda: langevin_gibbs(joint, *start, n_sweeps=SWEEPS, rng=2))
        ours.append(t)
        t, (x, sigma) = seconds(lambda: by_numpy(joint, *start, np.random.default_rng(2)))
        theirs.append(t)
    np.testing.assert_allclose(result.x, x, rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(result.sigma, sigma)
    ours, theirs = min(ours) / SWEEPS, min(theirs) / SWEEPS
    print(
        f"\n{n} chains, d = {d}, K = {K}, M = {M}: {1e3 * ours:.2f} ms a sweep, NumPy "
        f"{1e3 * theirs:.2f} ms ({theirs / ours:.1f} times)"
    )
    assert ours < theirs
