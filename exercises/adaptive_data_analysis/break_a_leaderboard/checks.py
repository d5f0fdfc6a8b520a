"""The attack against hidden labels, fresh labels and the student's Ladder; the Ladder against ours.

Losses are averaged over leaderboards: a criterion on one of them would fail by chance.
"""

import math

import numpy as np

from theorytk.adaptive import ParameterFreeLadder
from theorytk.adaptive.attack_laws import attack_accuracy
from theorytk.classroom import Wrong, array, between, check, close, number, picture, same, true

PAPER = "blum2015"
QUESTION = "What does one score tell about one label, and why do 400 of them tell so much?"
N, CALLS, BOARDS = 4000, 400, 5


def _bits(value, name, n):
    found = array(value, name, shape=(n,))
    true(np.isin(found, (0, 1)).all(), f"{name} must have no values but 0 and 1")
    return found.astype(int)


class _Leaderboard:
    """Scores that come from hidden labels, so many and no more."""

    def __init__(self, n, calls, rng):
        self.labels, self.left, self.scores = rng.integers(2, size=n), calls, []

    def __call__(self, u):
        if self.left == 0:
            raise Wrong("the attack calls score more often than it may")
        self.left -= 1
        self.scores.append(
            self.report(_bits(u, "what the attack gives to score", len(self.labels)))
        )
        return self.scores[-1]

    def report(self, u):
        return round(float(np.mean(u != self.labels)), 5)


class _Ladder(_Leaderboard):
    """Scores of a Ladder that is given as a function."""

    def __init__(self, ladder, n, calls, rng):
        super().__init__(n, calls, rng)
        self.ladder, self.state = ladder, (math.inf, np.zeros(n))

    def report(self, u):
        self.state = _after(self.ladder, (u != self.labels).astype(float), *self.state)
        return self.state[0]


def _after(ladder, losses, best, leader):
    """Return what a student's Ladder returns."""
    found = ladder(losses.copy(), best, leader.copy())
    true(
        isinstance(found, (tuple, list)) and len(found) == 2,
        "ladder must return a pair (best, leader)",
    )
    return number(found[0], "the score of ladder"), array(
        found[1], "the leader of ladder", shape=losses.shape
    )


def _attacked(student, leaderboards, rng):
    """Return what the attack submits to each leaderboard."""
    found = [student.attack(board, len(board.labels), board.left, rng) for board in leaderboards]
    pairs = zip(found, leaderboards, strict=True)
    return [_bits(u, "attack(score, n, calls, rng)", len(board.labels)) for u, board in pairs]


@check(points=3)
def hidden(student, rng):
    """The loss on the hidden labels: below 0.45 with 400 calls.

    A vector with a loss above 1/2 is worth as much as one below, and the best vector alone is
    worth next to nothing. How should the score of a vector enter its vote?
    """
    boards = [_Leaderboard(N, CALLS, rng) for _ in range(BOARDS)]
    submitted = _attacked(student, boards, rng)
    losses = [board.report(u) for board, u in zip(boards, submitted, strict=True)]
    between(np.mean(losses), 0, 0.45, "the mean loss of your vectors on the hidden labels")


@check(points=1)
def fresh(student, rng):
    """The loss on fresh labels: within 0.02 of 1/2.

    Nobody can predict fair coins. Does the attack return a vector of 0 and 1?
    """
    boards = [_Leaderboard(N, CALLS, rng) for _ in range(2)]
    submitted = _attacked(student, boards, rng)
    losses = [np.mean(rng.integers(2, size=(50, N)) != u) for u in submitted]
    between(np.mean(losses), 0.48, 0.52, "the mean loss of your vectors on fresh labels")


@check(points=2)
def steps(student, rng):
    """The Ladder, submission after submission.

    Which difference has to be large, how is its standard error estimated, and what is kept if the
    submission does not improve?
    """
    for n in (20, 101):
        labels = rng.integers(2, size=n)
        ours = ParameterFreeLadder().attach(labels)
        leader, score = np.zeros(n), math.inf
        state = (score, leader)
        for j, losses in enumerate(_submissions(n, rng), start=1):
            change, points = np.sum(losses - leader), np.sum(losses != leader)
            if j > 1 and change**2 == points:
                continue  # an improvement of exactly the margin, which rounding would decide
            expected = ours.answer(lambda y, losses=losses: losses)
            if expected < score:
                leader, score = losses, expected
            state = _after(student.ladder, losses, *state)
            given = f"submission {j} with n = {n}"
            close(state[0], score, "the score of ladder", atol=1e-9, given=given)
            same(state[1], leader, "the leader of ladder", given=given)


def _submissions(n, rng):
    """Yield losses near those before, so that small improvements decide."""
    losses = rng.random(n) < 0.5
    for _ in range(40):
        losses = np.where(rng.random(n) < 0.15, rng.random(n) < 0.45, losses)
        yield losses.astype(float)


@check(points=1)
def resists(student, rng):
    """The attack against the Ladder: the best score stays above 0.46.

    If the attack gets through, the Ladder reports too much: a score that improves by chance. If
    your attack adapts while it asks, this Ladder may be too weak for it; let it choose all
    random vectors beforehand.
    """
    boards = [_Ladder(student.ladder, N, CALLS, rng) for _ in range(BOARDS)]
    submitted = _attacked(student, boards, rng)
    best = [board.report(u) for board, u in zip(boards, submitted, strict=True)]
    between(np.mean(best), 0.46, 0.51, "the mean of the best scores on the Ladder")


@picture
def losses(student, rng, figure):
    axes = figure.add_subplot()
    calls = np.array([10, 50, 100, 200, 300, 400])
    reported, on_ladder = [], []
    for count in calls:
        boards = [_Leaderboard(N, count, rng), _Ladder(student.ladder, N, count, rng)]
        submitted = _attacked(student, boards, rng)
        for found, board, u in zip((reported, on_ladder), boards, submitted, strict=True):
            found.append(board.report(u))
    axes.plot(calls, reported, "o-", label="leaderboard of losses")
    axes.plot(calls, on_ladder, "s-", label="the Ladder")
    axes.axhline(0.5, color="grey", lw=1, label="what the vectors deserve")
    for weights, style in (("select", ":"), ("linear", "--")):
        law = 1 - attack_accuracy(N, np.arange(1, CALLS + 1), weights=weights)
        label = {"select": "law, vote of those below 1/2", "linear": "law, all weighted"}[weights]
        axes.plot(np.arange(1, CALLS + 1), law, style, color="black", lw=1, label=label)
    axes.set(xlabel="calls (1)", ylabel="reported loss (1)")
    axes.legend(fontsize="small")
