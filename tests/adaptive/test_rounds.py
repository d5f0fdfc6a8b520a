"""EffectiveRounds and SparseValidate against their proofs, by enumeration and by attacks."""

import math

import numpy as np
import pytest

from theorytk.adaptive.analysts import TwoStageAttack
from theorytk.adaptive.interaction import interact
from theorytk.adaptive.mechanisms import BudgetExhaustedError
from theorytk.adaptive.privacy import PrivacyLedger
from theorytk.adaptive.rounds import EffectiveRounds, SparseValidate


def histories(k, rounds):
    """Count pairs of a query and the failures before it, by walking through all of them."""
    count, level = 0, {0: 1}  # failures before the query: in how many ways
    for _ in range(k):
        count += sum(level.values())
        after = {}
        for used, ways in level.items():
            for fails in range(rounds - used + 1):
                after[used + fails] = after.get(used + fails, 0) + ways
        level = after
    return count


@pytest.mark.parametrize(("k", "rounds"), [(1, 0), (5, 0), (6, 1), (9, 4), (4, 9), (50, 3)])
def test_sizes_follow_from_the_histories(k, rounds):
    tau, beta = 0.1, 0.05
    mechanism = EffectiveRounds(k, rounds, tau, beta)
    assert histories(k, rounds) == math.comb(k + rounds, rounds + 1)

    def failure(rows):
        return 2 * histories(k, rounds) * math.exp(-2 * rows * (tau / 4) ** 2)

    assert failure(mechanism.validation_rows) <= beta < failure(mechanism.validation_rows - 1)
    chunk = 2 * k * (rounds + 1) * math.exp(-2 * mechanism.chunk_rows * (tau / 4) ** 2)
    assert chunk <= beta


def test_an_attack_costs_one_round():
    k, tau = 60, 0.4
    mechanism = EffectiveRounds(k + 1, 1, tau, 0.01)
    n = mechanism.rows_needed
    signs = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), (n, k))
    transcript = interact(TwoStageAttack(k), mechanism, signs, lambda query: 0.5, rng=0)
    assert transcript.max_error < 3 * tau / 4
    assert mechanism.rounds_used <= 1
    assert (mechanism.budget_left, transcript.privacy.epsilon) == (0, math.inf)
    with pytest.raises(BudgetExhaustedError):
        mechanism.answer(lambda points: points[:, 0] > 0)


def test_rounds_are_used_by_wrong_chunks_only():
    mechanism = EffectiveRounds(10, 2, 0.4, 0.1)
    v, e = mechanism.validation_rows, mechanism.chunk_rows
    rows = np.arange(mechanism.rows_needed)
    mechanism.attach(rows)
    half = rows % 2 == 0
    assert mechanism.answer(half) == pytest.approx(0.5, abs=0.01)
    assert mechanism.rounds_used == 0
    first_wrong = np.where((rows >= v) & (rows < v + e), 1.0, half)
    assert mechanism.answer(first_wrong) == pytest.approx(0.5, abs=0.01)
    assert mechanism.rounds_used == 1
    with pytest.raises(BudgetExhaustedError, match="EffectiveRounds has used all its rounds"):
        mechanism.answer(np.where(rows >= v, 1.0, half))
    assert (mechanism.n_answered, mechanism.budget_left) == (2, 0)
    with pytest.raises(BudgetExhaustedError):
        mechanism.answer(half)


def test_sparse_validate_stops_after_ones_or_queries():
    mechanism = SparseValidate(6, 2).attach([0.2, 0.4, 0.9])
    low, high = (lambda points: points.mean() > 0.6), (lambda points: int(points.max() > 0.6))
    assert mechanism.privacy == PrivacyLedger()
    assert mechanism.answer_many([low, high, low]).tolist() == [0.0, 1.0, 0.0]
    assert (mechanism.n_ones, mechanism.budget_left) == (1, 1)
    with pytest.raises(BudgetExhaustedError) as caught:
        mechanism.answer_many([high, low])
    assert caught.value.answers.tolist() == [1.0]
    mechanism = SparseValidate(3, 2).attach([0.2])
    mechanism.answer_many([low] * 3)
    with pytest.raises(BudgetExhaustedError):
        mechanism.answer(low)


def test_bad_input():
    with pytest.raises(ValueError, match="sample must have >= 65298 points; got 4"):
        EffectiveRounds(2000, 3, 0.1, 0.05).attach(np.zeros(4))
    validate = SparseValidate(3, 2).attach([0.2])
    with pytest.raises(TypeError, match="query must be a function from points to 0 or 1; got list"):
        validate.answer([1.0])
    for value in (0.5, np.ones(1), math.nan):
        with pytest.raises(ValueError, match="query must return 0 or 1"):
            validate.answer(lambda points, value=value: value)
    assert validate.n_answered == 0
    for make, name in (
        (lambda: EffectiveRounds(0, 3, 0.1, 0.05), "k"),
        (lambda: EffectiveRounds(5, -1, 0.1, 0.05), "rounds"),
        (lambda: EffectiveRounds(5, 1, 0.0, 0.05), "tau"),
        (lambda: EffectiveRounds(5, 1, 0.1, 1.0), "beta"),
        (lambda: SparseValidate(0, 1), "m"),
        (lambda: SparseValidate(1, 0), "budget"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            make()
