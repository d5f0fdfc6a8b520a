import numpy as np
import pytest

from theorytk.paths.interpolants import gamma_schedule, interpolant
from theorytk.paths.mixtures import BLOCK_ENTRIES, GaussianMixture, MixtureInterpolant


def flow_of(d, path):
    """Return a flow between mixtures of two and three components."""
    rng = np.random.default_rng(d)
    ends = []
    for K in (2, 3):
        A = rng.standard_normal((K, d, d))
        covs = A @ A.swapaxes(1, 2) / d + 0.3 * np.eye(d)
        ends.append(GaussianMixture(np.full(K, 1 / K), 3 * rng.standard_normal((K, d)), covs))
    return MixtureInterpolant(*ends, path)


@pytest.mark.parametrize("t", [0.0, 1e-6, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("d", [1, 2, 5, 16])
def test_kernels_equal_the_array_code(d, t):
    # A time for each point is left to the array code.
    for path in (
        interpolant("trigonometric", gamma_schedule("brownian", a=2.0)),
        interpolant("encoder-decoder"),
    ):
        flow = flow_of(d, path)
        x = np.vstack([flow.sample(t, 200, rng=0), np.full((1, d), 200.0)])
        fused = flow.velocity_and_score(t, x)
        plain = flow.velocity_and_score(np.full(len(x), t), x)
        for ours, theirs in zip(fused, plain, strict=True):
            scale = np.maximum(np.abs(theirs).max(axis=1, keepdims=True), 1)
            assert np.abs((ours - theirs) / scale).max() < 1e-12


@pytest.mark.parametrize("d", [1, 3])
def test_blocks_do_not_show(d):
    flow = flow_of(d, interpolant("linear"))
    x = flow.sample(0.5, 2 * BLOCK_ENTRIES // (6 * (d + 1)) + 7, rng=0)
    order = np.random.default_rng(1).permutation(len(x))
    b, s = flow.velocity_and_score(0.5, x)
    b_shuffled, s_shuffled = flow.velocity_and_score(0.5, x[order])
    np.testing.assert_allclose(b_shuffled, b[order], rtol=1e-14)
    np.testing.assert_allclose(s_shuffled, s[order], rtol=1e-14)
    np.testing.assert_array_equal(flow.velocity(0.5, np.asfortranarray(x)), b)
