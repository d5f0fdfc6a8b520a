"""Packed sums and multiplicative weights against NumPy on unpacked values."""

import numpy as np
import pytest

from theorytk.adaptive import _kernels
from theorytk.adaptive.attacks import PackedQueries


@pytest.mark.parametrize("cells", [1, 8, 63, 64, 65, 1000, 1024])
def test_byte_tables_sum_what_the_bits_choose(cells):
    rng = np.random.default_rng(cells)
    values = rng.standard_normal(cells)
    # More queries than a tile holds, and more words than a tile for the larger domains.
    bits = rng.random((1100, cells)) < 0.5
    tables = _kernels.byte_tables(values)
    assert tables.shape == (-(-cells // 64), 8, 256)
    found = _kernels.table_values(tables, PackedQueries.pack(bits).words)
    np.testing.assert_allclose(found, bits @ values, atol=1e-12 * cells)


def test_votes_are_weighted_by_centred_accuracies():
    classes = 4
    labels = np.random.default_rng(3).integers(classes, size=(30, 17), dtype=np.int32)
    votes = np.ones((17, classes), np.int64)
    _kernels.add_plurality(labels, classes, votes)
    weights = (labels == 0).mean(axis=1) - 1 / classes
    chosen = labels[:, :, None] == np.arange(classes)
    expected = 17 * classes * np.einsum("j,jic->ic", weights, chosen)
    np.testing.assert_allclose(votes - 1, expected, atol=1e-9)


def test_a_multiplicative_step_is_the_exponential_formula():
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(50))
    penalty = rng.random(50)
    expected = weights * np.exp(-0.3 * penalty)
    log_weights, found = np.log(weights), np.empty(50)
    _kernels.multiplicative_step(log_weights, penalty, 0.3, found)
    np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-13)
    np.testing.assert_allclose(np.exp(log_weights), found, rtol=1e-13)


def test_many_multiplicative_steps_do_not_drift_or_overflow():
    log_weights, weights = np.full(64, -np.log(64)), np.empty(64)
    penalties = np.random.default_rng(1).random((20_000, 64))
    for penalty in penalties:
        _kernels.multiplicative_step(log_weights, penalty, 5.0, weights)
    total = -5.0 * penalties.sum(axis=0)
    np.testing.assert_allclose(log_weights - log_weights.max(), total - total.max(), rtol=1e-9)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
