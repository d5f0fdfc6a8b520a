"""The Ladders against their definitions, their bound and the law of the boosting attack."""

import math
import statistics

import numpy as np
import pytest
from scipy.special import ndtr

from theorytk.adaptive.analysts import BoostingAttack
from theorytk.adaptive.interaction import interact
from theorytk.adaptive.ladder import Ladder, ParameterFreeLadder
from theorytk.adaptive.mechanisms import RoundingMechanism
from theorytk.adaptive.update_laws import ladder_bound


@pytest.mark.parametrize("step", [0.01, 0.07, 0.25])
def test_the_ladder_reports_what_improves(step):
    rng = np.random.default_rng(0)
    losses = rng.uniform(size=(200, 3)) * np.linspace(1, 0.2, 200)[:, None]
    reported = Ladder(step).attach(np.zeros(3)).answer_many(losses)
    best = math.inf
    for loss, score in zip(losses.mean(axis=1), reported, strict=True):
        if loss < best - step:
            best = step * math.floor(loss / step + 0.5)
        assert score == pytest.approx(best)


def test_the_parameter_free_ladder_reports_what_improves():
    rng = np.random.default_rng(1)
    n = 60
    losses = (rng.uniform(size=(300, n)) < np.linspace(0.9, 0.1, 300)[:, None]).astype(float)
    reported = ParameterFreeLadder().attach(np.zeros(n)).answer_many(losses)
    best, leader = math.inf, [0.0] * n
    updates = 0
    for loss, score in zip(losses.tolist(), reported, strict=True):
        difference = [a - b for a, b in zip(loss, leader, strict=True)]
        if sum(loss) / n < best - statistics.stdev(difference) / math.sqrt(n):
            best, leader = round(sum(loss)) / n, loss
            updates += 1
        assert score == pytest.approx(best)
    assert updates > 3


def leaderboard_error(mechanism, keep, rng):
    labels = np.random.default_rng(rng).choice([-1, 1], 1000)
    transcript = interact(
        BoostingAttack(1000, 150, keep), mechanism, labels, lambda q: 0.5, rng=rng
    )
    return transcript.max_error


def test_ladders_are_within_the_bound_and_rounding_is_not_safe():
    bound = ladder_bound(1000, 151, 1e-6)
    fixed = leaderboard_error(Ladder(bound.parameters["step"]), "improved", 2)
    free = leaderboard_error(ParameterFreeLadder(), "improved", 2)
    kaggle = leaderboard_error(RoundingMechanism(1e-5), "half", 2)
    assert fixed <= bound.value
    assert free < kaggle / 2


def test_boosting_follows_its_law():
    # In expectation; the law is a normal limit, and its error is far less than the tolerance.
    rng = np.random.default_rng(3)
    n, k = 1000, 300
    losses = []
    for _ in range(60):
        labels = rng.choice([-1, 1], n)
        transcript = interact(BoostingAttack(n, k), RoundingMechanism(1e-5), labels, rng=rng)
        losses.append(transcript.answers[-1])
    expected = ndtr(-math.sqrt(k / (math.pi * n)))
    error = np.std(losses, ddof=1) / math.sqrt(60)
    assert abs(np.mean(losses) - expected) < 6 * error + 2e-3
    assert error < 4e-3


def test_bad_input():
    with pytest.raises(ValueError, match="step must be a number > 0 and <= 1; got 0"):
        Ladder(0.0)
    with pytest.raises(ValueError, match="sample must have at least 2 points"):
        ParameterFreeLadder().attach([1])
    with pytest.raises(ValueError, match=r"query must have values in \[0, 1\]; got min 0, max 4"):
        Ladder(0.1).attach([1, -1]).answer(lambda labels: (labels - 1) ** 2)
