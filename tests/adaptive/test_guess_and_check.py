"""Guess-and-Check: levels add up, tests have their exact level, answers stay within the width."""

import math

import numpy as np
import pytest
from scipy.stats import binom

from theorytk.adaptive.analysts import QuadraticAdaptive, TwoStageAttack
from theorytk.adaptive.bounds import max_queries
from theorytk.adaptive.guess_and_check import GuessAndCheck
from theorytk.adaptive.interaction import interact
from theorytk.adaptive.mechanisms import BudgetExhaustedError, EmpiricalMechanism
from theorytk.adaptive.noise_addition import GaussianMechanism


def in_state(mechanism, answered, failures, log_grids):
    mechanism.n_answered, mechanism.n_failures = answered, failures
    mechanism._log_grids = log_grids
    return mechanism


def test_levels_of_all_histories_add_up_to_beta():
    beta, cells = 0.07, 13
    mechanism = GuessAndCheck(0.1, beta, EmpiricalMechanism()).attach(np.zeros(100))
    total = 0.0
    for j in range(120):
        for f in range(j + 1):
            in_state(mechanism, j, f, f * math.log(cells))
            level = 2 * math.exp(-mechanism._log_two_over_beta())
            total += math.comb(j, f) * cells**f * level
    # Levels for more failures than queries, which do not occur, are the rest of beta.
    assert 0.6 * beta < total < beta


@pytest.mark.parametrize("guess", [0.05, 0.1, 0.3, 0.5, 0.86])
def test_a_wrong_guess_is_accepted_with_its_probability(guess):
    rows, tau = 600, 0.1
    mechanism = GuessAndCheck(tau, 0.05, EmpiricalMechanism()).attach(np.zeros(2 * rows))
    needed = mechanism._log_two_over_beta()
    means = np.arange(rows + 1) / rows
    accepted = np.array([mechanism._is_accepted(guess, mean, needed) for mean in means])
    assert accepted.any()
    for p in (guess - tau - 1e-9, guess + tau + 1e-9):
        if 0 <= p <= 1:
            assert binom.pmf(np.arange(rows + 1), rows, p)[accepted].sum() <= math.exp(-needed)


def test_the_nearer_side_alone_is_not_enough():
    # The published test looks at guess - tau only, if the holdout's mean is below the guess.
    rows, tau, guess, ones = 60, 0.1, 0.101, 6
    mechanism = GuessAndCheck(tau, 0.05, EmpiricalMechanism()).attach(np.zeros(2 * rows))
    needed = mechanism._log_two_over_beta()
    assert ones / rows < guess
    assert mechanism._evidence(ones / rows, guess - tau) >= needed
    assert binom.cdf(ones, rows, guess + tau + 1e-3) > 3 * math.exp(-needed) / 2
    assert not mechanism._is_accepted(guess, ones / rows, needed)


def test_a_failure_is_answered_by_the_holdout_on_a_grid():
    n, tau = 4000, 0.2
    rows = np.arange(n)
    mechanism = GuessAndCheck(tau, 0.05, EmpiricalMechanism()).attach(rows)
    for j, mean in enumerate((0.9, 0.37, 0.0)):
        needed = mechanism._log_two_over_beta()
        cells = math.ceil(1 / (tau - math.sqrt(needed / n)))
        ones = np.where(rows < n / 2, mean < 0.6, rows % 1000 < 1000 * mean)
        answer = mechanism.answer(ones)
        assert (answer * cells) % 1 == pytest.approx(0.5)
        assert abs(answer - mean) <= 0.5 / cells
        assert mechanism.n_failures == j + 1
    right = mechanism.answer(rows % 2)
    assert (right, mechanism.n_failures) == (0.5, 3)


def test_it_stops_when_a_failure_cannot_be_answered():
    mechanism = GuessAndCheck(0.1, 0.05, EmpiricalMechanism()).attach(np.arange(300))
    wrong = np.arange(300) < 150
    assert mechanism.budget_left is None
    with pytest.raises(BudgetExhaustedError, match="cannot answer a failure to within tau"):
        mechanism.answer(wrong)
    assert (mechanism.n_answered, mechanism.budget_left) == (0, 0)
    with pytest.raises(BudgetExhaustedError, match="GuessAndCheck has spent"):
        mechanism.answer(np.zeros(300))


def test_a_growing_width_goes_on_where_the_other_stops():
    n, half = 3000, 1500
    rows = np.arange(n)
    options = (0.1, 0.05, EmpiricalMechanism())
    fixed = GuessAndCheck(*options).attach(rows)
    growing = GuessAndCheck(*options, growth=1.25).attach(rows)
    # Queries that are 1 on the guessing part; on the other part their means rise from 0 to 1/2.
    queries = [np.where(rows < half, 1, rows % 100 < j) for j in range(50)]
    with pytest.raises(BudgetExhaustedError) as stopped:
        fixed.answer_many(queries)
    before = stopped.value.answers
    answers = growing.answer_many(queries)
    assert 0 < len(before) < 50
    np.testing.assert_array_equal(answers[: len(before)], before)
    assert fixed.widths == [0.1] * len(before)
    widths = np.array(growing.widths)
    powers = np.log(widths / 0.1) / math.log(1.25)
    np.testing.assert_allclose(powers, np.round(powers), atol=1e-9)
    assert (np.diff(widths) >= 0).all()
    assert widths[-1] > 0.1
    # An answer differs from the holdout's mean by less than its width leaves.
    means = np.array([query[half:].mean() for query in queries])
    assert (np.abs(answers - means) < widths).all()
    assert growing.n_failures == 50


def test_it_outlasts_splitting_and_stays_valid():
    n, tau, beta = 5000, 0.1, 0.05
    signs = np.random.default_rng(0).choice(np.array([-1, 1], dtype=np.int8), (n, 400))
    mechanism = GuessAndCheck(tau, beta, GaussianMechanism(0.01))
    transcript = interact(QuadraticAdaptive(400), mechanism, signs, lambda query: 0.5, rng=1)
    assert len(transcript.answers) > 3 * max_queries(n, tau, beta, bound="split")
    assert transcript.max_error <= tau


def test_an_overfitted_guess_is_replaced():
    n, k = 6000, 600
    signs = np.random.default_rng(2).choice(np.array([-1, 1], dtype=np.int8), (n, k))
    mechanism = GuessAndCheck(0.15, 0.05, EmpiricalMechanism())
    transcript = interact(TwoStageAttack(k), mechanism, signs, lambda query: 0.5, rng=1)
    assert mechanism.n_failures == 1
    assert mechanism.guess.n_answered == k + 1
    assert abs(transcript.answers[-1] - 0.5) < 0.1
    assert transcript.max_gap > 0.05


def test_bad_input():
    with pytest.raises(TypeError, match="guess must be a Mechanism; got float"):
        GuessAndCheck(0.1, 0.05, 0.5)
    with pytest.raises(ValueError, match="check_fraction must leave points on both sides of n = 1"):
        GuessAndCheck(0.1, 0.05, EmpiricalMechanism()).attach([0.5])
    for growth in (1.0, 0.5, math.inf):
        with pytest.raises(ValueError, match=r"^growth must be"):
            GuessAndCheck(0.1, 0.05, EmpiricalMechanism(), growth=growth)
    for arguments, name in (((0.0, 0.05), "tau"), ((0.1, 1.0), "beta")):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            GuessAndCheck(*arguments, EmpiricalMechanism())
