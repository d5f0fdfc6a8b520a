"""Analysts ask what they say they ask; attacks overfit as exact binomial laws say."""

import math

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom

from theorytk.adaptive.analysts import (
    BoostingAttack,
    FeatureSelection,
    ProgressiveAnalyst,
    QuadraticAdaptive,
    TwoStageAttack,
    accuracy_query,
    agreement_query,
)
from theorytk.adaptive.bounds import confidence_width
from theorytk.adaptive.interaction import interact
from theorytk.adaptive.mechanisms import EmpiricalMechanism, RoundingMechanism
from theorytk.adaptive.noise_addition import GaussianMechanism
from theorytk.adaptive.sparse_vector import SparseVector


def fair_signs(n, k, rng):
    return rng.integers(0, 2, (n, k), dtype=np.int8) * 2 - 1


def half(query):
    return 0.5


def in_sample(analyst, mechanism, n, k, seed, repetitions):
    rng = np.random.default_rng(seed)
    gaps = [
        interact(analyst, mechanism, fair_signs(n, k, rng), half, rng=rng).sample_means[-1]
        for _ in range(repetitions)
    ]
    return np.mean(gaps), np.std(gaps, ddof=1) / math.sqrt(repetitions)


def test_linear_weights_have_the_exact_accuracy():
    n, k = 25, 9
    mean, error = in_sample(TwoStageAttack(k), EmpiricalMechanism(), n, k, 0, 1500)
    flips = k * (n - 1)
    walk = 2 * np.arange(flips + 1) - flips
    weight = binom.pmf(np.arange(flips + 1), flips, 0.5)
    exact = weight[walk > -k].sum() + weight[walk == -k].sum() / 2
    assert abs(mean - exact) < 5.5 * error < 0.02


def test_sign_weights_have_the_exact_accuracy():
    n, k = 25, 8
    mean, error = in_sample(TwoStageAttack(k, "sign"), EmpiricalMechanism(), n, k, 1, 1500)
    p = 0.5 + math.comb(n - 1, (n - 1) // 2) / 2**n
    votes = binom.pmf(np.arange(k + 1), k, p)
    exact = votes[k // 2 + 1 :].sum() + votes[k // 2] / 2
    assert abs(mean - exact) < 5.5 * error < 0.02


def test_noise_damps_the_attack():
    # Gaussian noise sigma on [0, 1] answers is 2 sigma on correlations.
    n, k, sigma = 400, 200, 0.05
    mean, error = in_sample(TwoStageAttack(k), GaussianMechanism(sigma), n, k, 2, 60)
    law = ndtr(math.sqrt(k / n) / math.sqrt(1 + n * (2 * sigma) ** 2))
    assert abs(mean - law) < 6 * error + 3e-3
    assert abs(mean - ndtr(math.sqrt(k / n))) > 6 * error + 3e-3


def test_selection_is_weaker_than_signs():
    n, k = 400, 200
    mean, error = in_sample(TwoStageAttack(k, "select"), EmpiricalMechanism(), n, k, 3, 60)
    assert abs(mean - ndtr(math.sqrt(k / (math.pi * n)))) < 6 * error + 8e-3


def test_the_progressive_analyst_forgets():
    n, k, decay = 500, 100, 0.9
    mean, error = in_sample(ProgressiveAnalyst(k, decay), EmpiricalMechanism(), n, k, 4, 60)
    first, second = ((decay**p) ** np.arange(k) for p in (1, 2))
    law = ndtr(first.sum() / math.sqrt(n * second.sum()))
    assert abs(mean - law) < 6 * error + 3e-3
    everything = interact(ProgressiveAnalyst(k, 1.0), EmpiricalMechanism(), np.ones((4, k)))
    assert len(everything.answers) == k + 1


def test_progressive_weights_are_those_of_the_recursion():
    rng = np.random.default_rng(5)
    k = 12
    decay, step = rng.uniform(size=k), rng.uniform(size=k)
    answers = rng.uniform(size=k)
    asking = ProgressiveAnalyst(k, decay, step).queries(rng)
    next(asking)
    last = [asking.send(answer) for answer in answers][-1]
    state = np.zeros(k)
    for t in range(k):
        state = decay[t] * state + step[t] * (2 * answers[t] - 1) * np.eye(k)[t]
    signs = fair_signs(300, k, rng)
    assert last(signs) == pytest.approx((signs @ state > 0).astype(float))


def test_quadratic_queries_are_at_the_squares():
    n, k = 60, 40
    signs = fair_signs(n, k, np.random.default_rng(6))
    transcript = interact(QuadraticAdaptive(k), EmpiricalMechanism(), signs, half)
    correlations = signs.mean(axis=0)
    feature = 0
    for number, answer in enumerate(transcript.answers, start=1):
        if number in (4, 9, 16, 25, 36):
            c = correlations[:feature]
            votes = signs[:, :feature] @ np.log((1 + c) / (1 - c))
            expected = np.mean(votes > 0) + np.mean(votes == 0) / 2
        else:
            expected = (1 + correlations[feature]) / 2
            feature += 1
        assert answer == pytest.approx(expected)
    assert feature == k - 5
    assert transcript.max_gap == transcript.max_error > 0.1


def test_feature_selection_selects():
    rng = np.random.default_rng(7)
    n, d = 200, 300
    signs = fair_signs(2 * n, d, rng)
    training, holdout = signs[:n], signs[n:]
    transcript = interact(FeatureSelection(training, [3, d]), EmpiricalMechanism(), holdout, half)
    t, h = training.mean(axis=0), holdout.mean(axis=0)
    kept = [j for j in range(d) if t[j] * h[j] > 0 and min(abs(t[j]), abs(h[j])) > n**-0.5]
    kept.sort(key=lambda j: -abs(t[j]))
    assert len(kept) > 3
    for answer, chosen in zip(transcript.answers[d:], (kept[:3], kept), strict=True):
        votes = holdout[:, chosen] @ np.sign(t[chosen])
        assert answer == pytest.approx(np.mean((1 + np.sign(votes)) / 2))
    assert transcript.answers[-1] > 0.6


def test_the_boosting_attack_votes():
    labels = fair_signs(31, 1, np.random.default_rng(8))[:, 0]
    for keep, mechanism in (("half", RoundingMechanism(1e-5)), ("improved", EmpiricalMechanism())):
        transcript = interact(BoostingAttack(31, 25, keep), mechanism, labels, half, rng=3)
        submissions = [np.where(query(labels), -labels, labels) for query in transcript.queries]
        votes, best = np.zeros(31), math.inf
        for submitted, score in zip(submissions[:-1], transcript.answers, strict=False):
            if score <= 0.5 if keep == "half" else score < best:
                votes += submitted
                best = score
        assert submissions[-1].tolist() == [1 if vote >= 0 else -1 for vote in votes]
        assert transcript.answers[-1] < 0.4


def test_a_transcript_tells_the_truth():
    rng = np.random.default_rng(9)
    sample, population = fair_signs(200, 50, rng), fair_signs(900, 50, rng)
    mechanism = GaussianMechanism(0.05, budget=30)
    transcript = interact(TwoStageAttack(50), mechanism, sample, population, rng=4)
    assert transcript.exhausted
    assert len(transcript.queries) == len(transcript.answers) == mechanism.n_answered == 30
    assert transcript.sample_means == pytest.approx((1 + sample.mean(axis=0)[:30]) / 2)
    assert transcript.truth == pytest.approx((1 + population.mean(axis=0)[:30]) / 2)
    errors = [abs(a - t) for a, t in zip(transcript.answers, transcript.truth, strict=True)]
    assert transcript.max_error == max(errors)
    assert 0.05 < transcript.max_sample_error < 0.3
    assert transcript.privacy.rho == pytest.approx(30 / (2 * (200 * 0.05) ** 2))
    again = interact(TwoStageAttack(50), mechanism, sample, population, rng=4)
    assert (again.answers == transcript.answers).all()
    other = interact(TwoStageAttack(50), mechanism, sample, population, rng=5)
    assert (other.answers != transcript.answers).any()


def test_answers_of_below_are_no_errors():
    class Fixed:
        def queries(self, rng):
            for j in range(3):
                yield agreement_query(j)

    signs = np.ones((50, 3))
    transcript = interact(Fixed(), SparseVector(2.0, 1, 50.0), signs, half, rng=0)
    assert np.isnan(transcript.answers).all()
    assert (transcript.max_error, transcript.max_sample_error) == (0.0, 0.0)
    assert transcript.max_gap == 0.5


def test_answers_with_the_best_noise_are_within_their_width():
    n, k = 4000, 200
    width = confidence_width(n, k + 1, 1e-6, bound="tanh-gdp")
    signs = fair_signs(n, k, np.random.default_rng(10))
    mechanism = GaussianMechanism(float(width.parameters["sigma"]))
    transcript = interact(TwoStageAttack(k), mechanism, signs, half, rng=0)
    assert transcript.max_error < width.value


def test_bad_input():
    signs = np.ones((5, 2))
    transcript = interact(TwoStageAttack(2), EmpiricalMechanism(), signs)
    for name in ("max_error", "max_gap"):
        with pytest.raises(ValueError, match="population must be given"):
            getattr(transcript, name)
    with pytest.raises(ValueError, match=r"query must have values in \[0, 1\]"):
        interact(TwoStageAttack(1), EmpiricalMechanism(), 4 * signs)
    for make, name in (
        (lambda: TwoStageAttack(0), "k"),
        (lambda: TwoStageAttack(3, "cubic"), "weights"),
        (lambda: QuadraticAdaptive(0), "k"),
        (lambda: ProgressiveAnalyst(3, 1.1), "decay"),
        (lambda: ProgressiveAnalyst(3, [0.5, 0.5]), "decay"),
        (lambda: ProgressiveAnalyst(3, 0.5, [1.0, -1.0, 1.0]), "step"),
        (lambda: BoostingAttack(3, 0), "k"),
        (lambda: BoostingAttack(3, 1, "all"), "keep"),
        (lambda: FeatureSelection([0.5], [1]), "training"),
        (lambda: FeatureSelection(signs, [0]), "sizes"),
        (lambda: agreement_query(-1), "j"),
        (lambda: accuracy_query([[1.0]]), "weights"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must"):
            make()
