"""A user's own algorithm against a claim."""

from __future__ import annotations

import pytest

import theorytk as tk


def honest(rng, bias):
    return float(rng.random() > 0.5 - bias)


def bent(rng, bias):
    return float(rng.random() < 0.9)


class Coin:
    """A coin that one makes first and then tosses by calling it."""

    def __init__(self, probability):
        self.probability = probability

    def __call__(self, rng, bias):
        return rng.random() < self.probability + bias


class Toss(float):
    """A toss made by calling the class itself."""

    def __new__(cls, rng, bias):
        return super().__new__(cls, rng.integers(0, 2))


@pytest.mark.parametrize(
    ("algorithm", "verdict"),
    [
        (honest, "supported"),
        (Coin(0.5), "supported"),
        (Toss, "supported"),
        (bent, "contradicted"),
        (Coin(0.1), "contradicted"),
    ],
)
def test_good_algorithms_pass_and_broken_ones_do_not(coin, algorithm, verdict):
    ledger = tk.check("coin/fair", algorithm)
    assert [str(result.verdict) for result in ledger] == [verdict]
    assert ledger.ok is (verdict == "supported")
    assert ledger["coin/fair"].controls == ()


def test_the_draws_are_those_of_the_claim(coin, tmp_path):
    def same(rng, bias):
        return float(rng.random() < 0.5)

    checked = tk.check("coin/fair", same)["coin/fair"].judgement.estimate
    stored = tk.verify("coin/fair", results=tmp_path)["coin/fair"].judgement.estimate
    assert checked == stored


def test_workers_seed_preset_and_factors(coin):
    one = tk.check("coin/fair", honest, seed=3)
    two = tk.check("coin/fair", honest, seed=3, jobs=2)
    assert one["coin/fair"].judgement.estimate == two["coin/fair"].judgement.estimate
    other = tk.check("coin/fair", honest, seed=4)
    assert other["coin/fair"].judgement.estimate != one["coin/fair"].judgement.estimate
    assert tk.check("coin/fair", honest, preset="paper")["coin/fair"].judgement.estimate.n == 405
    assert str(tk.check("coin/fair", honest, scale=2)["coin/fair"].verdict) == "contradicted"


def test_an_algorithm_that_raises_is_shown_with_its_condition(coin):
    def broken(rng, bias):
        raise ArithmeticError("the coin fell on its edge")

    with pytest.raises(RuntimeError, match=r"(?s)coin/toss.*'scale': 1.*fell on its edge"):
        tk.check("coin/fair", broken)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("coin/fare", honest), {}, "no claim has the id 'coin/fare'; did you mean 'coin/fair'"),
        (("coin/total", honest), {}, "coin/pascal of coin/total has no algorithm to replace"),
        (("coin/fair", honest), {"toss": honest}, "'toss' is the algorithm's place"),
        (("coin/fair", honest), {"scal": 1}, "no factor 'scal'.*did you mean 'scale'"),
        (("coin/fair", honest), {"preset": "quik"}, "preset must be one of.*'quick'"),
        (("coin/fair", honest), {"seed": -1}, "seed must be an integer >= 0"),
        (("coin/fair", honest), {"jobs": 0}, "jobs must be an integer >= 1"),
    ],
)
def test_wrong_use_is_a_clear_error(coin, arguments, options, message):
    with pytest.raises(ValueError, match=message):
        tk.check(*arguments, **options)


def test_what_cannot_be_called_is_refused(coin):
    with pytest.raises(TypeError, match="algorithm must be callable; got 'honest'"):
        tk.check("coin/fair", "honest")


def test_looks_again_at_twice_the_replicates(coin):
    """400 tosses of this coin leave the claim undecided, at any level."""
    nearly = Coin(0.36)
    assert str(tk.check("coin/fair", nearly)["coin/fair"].verdict) == "undecided"
    (result,) = tk.check("coin/fair", nearly, looks=3)
    assert result.judgement.estimate.n == 1600
    with pytest.raises(ValueError, match="looks must be an integer >= 1; got 0"):
        tk.check("coin/fair", nearly, looks=0)
