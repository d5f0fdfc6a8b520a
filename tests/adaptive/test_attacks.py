"""Packed and regenerated signs against plain arrays, and attacks against matrix products."""

import tracemalloc

import numpy as np
import pytest

from theorytk.adaptive import attacks
from theorytk.adaptive.attack_laws import exact_attack_accuracy, plurality_accuracy
from theorytk.adaptive.attacks import (
    WEIGHTS,
    PackedQueries,
    SignStream,
    plurality_attack,
    random_signs,
    two_stage_attack,
)

SHAPES = [(1, 1), (2, 9), (63, 5), (64, 100), (65, 7), (200, 1000)]


@pytest.mark.parametrize("n", [1, 7, 63, 64, 65, 200])
def test_packing_keeps_values_counts_and_means(n):
    values = np.random.default_rng(n).random((30, n)) < 0.3
    packed = PackedQueries.pack(values)
    assert packed.words.shape == (30, -(-n // 64))
    assert packed.k == 30
    np.testing.assert_array_equal(packed.unpack(), values)
    np.testing.assert_array_equal(packed.counts(), values.sum(axis=1))
    np.testing.assert_array_equal(packed.means(), values.sum(axis=1) / n)


def splitmix64(state, count):
    """Return the first outputs, from the definition in Python's integers."""
    out = []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        out.append(z ^ z >> 31)
    return out


def test_the_stream_is_splitmix64():
    # The first outputs for this seed in the generator's published test.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert SignStream(64, 3, 1234567).block(0, 3).ravel().tolist() == published
    key = 2**64 - 5
    words = SignStream(150, 40, key).block(10, 20)
    expected = np.array(splitmix64(key, 120), np.uint64).reshape(40, 3)[10:30]
    expected[:, 2] &= np.uint64(2**22 - 1)
    np.testing.assert_array_equal(words, expected)


def test_the_last_block_of_a_stream_is_short():
    stream = SignStream(64, 10, 0)
    assert stream.block(8, 5).tolist() == stream.stored().block(8, 5).tolist()
    assert len(stream.block(8, 5)) == 2


@pytest.mark.parametrize(("n", "k"), SHAPES)
@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize(("sigma", "noise"), [(0.0, "gaussian"), (0.2, "gaussian"), (3, "laplace")])
def test_margins_are_the_weighted_votes(n, k, weights, sigma, noise, monkeypatch):
    # Small blocks, so that there are many.
    monkeypatch.setattr(attacks, "BLOCK_WORDS", 32)
    stream = random_signs(n, k, rng=n)
    stored = stream.stored()
    result = two_stage_attack(stored, weights=weights, sigma=sigma, noise=noise, rng=1)
    signs = 2.0 * stored.unpack() - 1
    answers = signs.sum(axis=1) / n
    if sigma:
        rng = np.random.default_rng(1)
        answers += (
            sigma * rng.standard_normal(k)
            if noise == "gaussian"
            else rng.laplace(0, sigma / np.sqrt(2), k)
        )
    w = {"linear": answers, "sign": np.sign(answers), "select": answers >= 0}[weights]
    margins = w @ signs
    np.testing.assert_allclose(result.margins, margins, atol=1e-10 * (1 + np.abs(w).sum()))
    assert result.accuracy == np.mean(result.margins > 0) + np.mean(result.margins == 0) / 2

    regenerated = two_stage_attack(stream, weights=weights, sigma=sigma, noise=noise, rng=1)
    np.testing.assert_array_equal(regenerated.margins, result.margins)


def test_the_block_size_changes_nothing_but_rounding(monkeypatch):
    stream = random_signs(100, 5000, rng=0)
    large = two_stage_attack(stream, sigma=0.5, rng=2)
    monkeypatch.setattr(attacks, "BLOCK_WORDS", 64)
    small = two_stage_attack(stream, sigma=0.5, rng=2)
    np.testing.assert_allclose(small.margins, large.margins, atol=1e-9)


def test_counters_hold_many_rows():
    # The count of each bit passes 2^16, from words that the stream regenerates.
    stream = SignStream(64, 200_000, 3)
    result = two_stage_attack(stream, weights="select")
    bits = stream.stored()
    kept = 2 * bits.counts() >= 64
    ones = bits.unpack()[kept].sum(axis=0)
    np.testing.assert_array_equal(result.margins, 2 * ones - kept.sum())


def test_regenerated_signs_take_no_memory():
    two_stage_attack(random_signs(64, 10, rng=0), weights="sign")
    tracemalloc.start()
    two_stage_attack(random_signs(64, 1_000_000, rng=0), weights="sign")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The signs would take 8 MB.
    assert peak < 2e6


def far_from(values, mean):
    """Return by how many standard errors the mean of values misses."""
    return abs(np.mean(values) - mean) / (np.std(values, ddof=1) / np.sqrt(len(values)))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_accuracies_have_the_exact_mean(weights, sigma):
    rng = np.random.default_rng(7)
    found = [
        two_stage_attack(
            random_signs(401, 101, rng), weights=weights, sigma=sigma, rng=rng
        ).accuracy
        for _ in range(1000)
    ]
    assert far_from(found, exact_attack_accuracy(401, 101, weights=weights, sigma=sigma)) < 5
    # The law without the noise must not fit, nor one with another noise.
    assert far_from(found, exact_attack_accuracy(401, 101, weights=weights, sigma=0.1)) > 5


def test_two_classes_are_the_attack_with_linear_weights():
    rng = np.random.default_rng(3)
    found = [plurality_attack(101, 31, 2, rng).accuracy for _ in range(1000)]
    assert far_from(found, exact_attack_accuracy(101, 31)) < 5


def test_many_classes_have_the_limiting_accuracy():
    rng = np.random.default_rng(4)
    found = [plurality_attack(2000, 1000, 5, rng).accuracy for _ in range(10)]
    law = plurality_accuracy(2000, 1000, 5)
    assert np.mean(found) == pytest.approx(law, abs=0.01)
    assert law > 0.35


def test_plurality_ties_are_shared():
    # One labelling with weight > 0: who has its own label there wins outright, and with a weight
    # of 0 all classes tie.
    result = plurality_attack(1, 1, 4, rng=0)
    assert result.accuracy in (1.0, 1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PackedQueries.pack([0, 1]), "values must have 2 dimension"),
        (lambda: PackedQueries.pack([[0, 0.5]]), "values must be 0 or 1; got 0.5"),
        (lambda: PackedQueries.pack([[0, np.nan]]), "values must be finite"),
        (lambda: SignStream(0, 1, 0), "n must be an integer >= 1; got 0"),
        (lambda: SignStream(1, 0, 0), "k must be an integer >= 1; got 0"),
        (lambda: SignStream(1, 1, 2**64), "key must be"),
        (lambda: two_stage_attack(SignStream(9, 9, 0), weights="line"), "weights must be one of"),
        (lambda: two_stage_attack(SignStream(9, 9, 0), noise="normal"), "noise must be one of"),
        (lambda: two_stage_attack(SignStream(9, 9, 0), sigma=-1), "sigma must be a number >= 0"),
        (lambda: plurality_attack(10, 10, 1), "n_classes must be an integer >= 2; got 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_signs_must_be_packed():
    with pytest.raises(TypeError, match="signs must be PackedQueries or a SignStream; got ndarray"):
        two_stage_attack(np.ones((3, 3)))


def test_vote_margins_are_a_matrix_product():
    rng = np.random.default_rng(0)
    values, weights = rng.integers(0, 2, (300, 130)), rng.standard_normal(300)
    margins = attacks.vote_margins(PackedQueries.pack(values), weights)
    np.testing.assert_allclose(margins, (2 * values - 1).T @ weights, atol=1e-10)
    with pytest.raises(ValueError, match="weights"):
        attacks.vote_margins(PackedQueries.pack(values), weights[1:])
