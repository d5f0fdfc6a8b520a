"""The normals of the compiled sampler: law, tail, independence; and the layers of the ziggurat."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from theorytk.diffusion.hallucination._kernels import (
    AREA,
    EDGES,
    HEIGHTS,
    LAYERS,
    TAIL,
    fill_normal,
)

N = 1_000_000


@pytest.fixture(scope="module")
def normals():
    z = np.empty(N)
    fill_normal(z, np.random.default_rng(8).integers(0, 2**64, 4, dtype=np.uint64))
    return z


def test_layers_have_equal_areas_and_end_at_zero():
    np.testing.assert_allclose(EDGES[1:-1] * np.diff(HEIGHTS)[1:], AREA, rtol=1e-9)
    tail = np.sqrt(2 * np.pi) * norm.sf(TAIL)
    assert TAIL * np.exp(-0.5 * TAIL**2) + tail == pytest.approx(AREA, rel=1e-9)
    assert HEIGHTS[LAYERS] == 1.0


def test_law_is_within_a_dkw_band(normals):
    band = np.sqrt(np.log(2e6) / (2 * N))
    ranks = np.arange(1, N + 1) / N
    assert np.abs(norm.cdf(np.sort(normals)) - ranks).max() < band + 1 / N


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("beyond", [2.0, 3.2, TAIL, 4.2])
def test_tails(normals, sign, beyond):
    count = int(np.sum(sign * normals > beyond))
    assert binomtest(count, N, norm.sf(beyond)).pvalue > 1e-6


@pytest.mark.parametrize("lag", [1, 2, 4096])
def test_draws_are_uncorrelated(normals, lag):
    for z in (normals, normals**2 - 1, np.sign(normals)):
        products = z[lag:] * z[:-lag]
        assert abs(products.mean()) < 5 * products.std() / np.sqrt(products.size)


def test_streams_continue():
    state = np.arange(4, dtype=np.uint64)
    whole, parts = np.empty(1000), np.empty(1000)
    fill_normal(whole, state.copy())
    fill_normal(parts[:1], state)
    fill_normal(parts[1:], state)
    np.testing.assert_array_equal(parts, whole)
