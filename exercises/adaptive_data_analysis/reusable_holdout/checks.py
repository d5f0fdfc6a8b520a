"""Thresholdout on scripted noise: scales, decisions, answers and budget, one thing at a time."""

import numpy as np
from scipy.special import ndtr

from theorytk.classroom import Wrong, check, close, number, picture, same, true

PAPER = "dwork2015holdout"
QUESTION = (
    "A query that the training set answers also uses the holdout, in the comparison. Why is it "
    "free, and why must the threshold be drawn again after an answer from the holdout?"
)


class _Noise:
    """Laplace noise that is written down, and scripted by its scale, in units of sigma.

    Of the scale 2 are `gamma`, of 4 `eta` and of 1 `xi`; what is not scripted is 0.
    """

    def __init__(self, sigma, gamma=(), eta=(), xi=()):
        self.sigma, self.scales = sigma, []
        self.script = {2: list(gamma), 4: list(eta), 1: list(xi)}

    def __call__(self, scale):
        self.scales.append(number(scale, "the scale given to laplace") / self.sigma)
        if len(self.scales) > 1000:
            raise Wrong("noise is drawn without end")
        values = self.script.get(round(self.scales[-1]))
        return self.sigma * values.pop(0) if values else 0.0


def _started(student, rng, budget=3, **script):
    """Return a mechanism with random threshold and sigma, its noise, and both numbers."""
    threshold, sigma = rng.uniform(0.03, 0.06), rng.uniform(0.002, 0.005)
    noise = _Noise(sigma, **script)
    return student.Thresholdout(threshold, sigma, budget, noise), noise, threshold, sigma


def _answer(mechanism, train, holdout):
    return number(mechanism.answer(train, holdout), "answer(train, holdout)")


def _costs(mechanism, budget, when):
    left = number(getattr(mechanism, "budget", None), "the attribute budget")
    same(left, budget, "the attribute budget", given=when)


def _ordered(found, expected):
    """Return whether `found` is `expected` in its order, of which some may be missing."""
    rest = iter(expected)
    return all(any(abs(each - scale) < 1e-9 for scale in rest) for each in found)


@check(points=2)
def draws(student, rng):
    """The scales of the noise and the order in which it is drawn.

    One draw at the beginning, one for each comparison, and two more with an answer from the
    holdout: which comes first?
    """
    mechanism, noise, threshold, _ = _started(student, rng)
    close(noise.scales, [2], "what is drawn at the beginning, in units of sigma", rtol=1e-9)
    noise.scales.clear()
    _answer(mechanism, 0.5, 0.5)
    close(noise.scales, [4], "what is drawn if both sets agree, in units of sigma", rtol=1e-9)
    noise.scales.clear()
    _answer(mechanism, 0.5, 0.5 + 3 * threshold)
    message = (
        f"the scales drawn if the sets differ, {noise.scales} sigma, are wrong or out of order"
    )
    true(noise.scales and _ordered(noise.scales, [4, 1, 2]), message)
    close(noise.scales[0], 4, "the first scale if the sets differ, in units of sigma", rtol=1e-9)


@check(points=2)
def decisions(student, rng):
    """Which of the two answers, by noise on the threshold and on the comparison.

    Compare the absolute difference to the threshold with both noises added to it.
    """
    for gamma, eta, margin in rng.uniform(-2, 2, (40, 3)):
        margin = np.copysign(0.1 + abs(margin), margin)
        mechanism, _, threshold, sigma = _started(student, rng, gamma=[gamma], eta=[eta])
        train = rng.uniform(0.3, 0.7)
        holdout = train + rng.choice([-1, 1]) * (threshold + sigma * (gamma + eta + margin))
        side = "above" if margin > 0 else "below"
        given = f"sets that differ by a little more or less than the noisy threshold: {side}"
        found = _answer(mechanism, train, holdout)
        nearer = abs(found - holdout) < abs(found - train)
        true(nearer == (margin > 0), f"the wrong set answers for {given}")


@check(points=1)
def answers(student, rng):
    """The answer: the mean over the holdout with noise of its own, or that over the training set.

    What has been compared is known to be large; noise that helped is not fresh. And where both sets
    agree no noise is needed.
    """
    gamma, eta, xi = rng.uniform(-1, 1, 3)
    mechanism, _, threshold, sigma = _started(student, rng, gamma=[gamma], eta=[eta, eta], xi=[xi])
    found = _answer(mechanism, 0.5, 0.5 + 3 * threshold)
    given = "sets that differ"
    close(found, 0.5 + 3 * threshold + sigma * xi, "the answer", atol=1e-9, given=given)
    close(_answer(mechanism, 0.4, 0.41), 0.4, "the answer", atol=1e-9, given="sets that agree")


@check(points=1)
def redrawn(student, rng):
    """The threshold after an answer from the holdout: its noise is new.

    The old noise has been used in a comparison whose outcome is known now.
    """
    for again in (-3, 3):
        mechanism, _, threshold, sigma = _started(student, rng, gamma=[0, again])
        _answer(mechanism, 0.5, 0.5 + 3 * threshold)
        holdout = 0.5 + threshold + sigma * again / 2
        found = _answer(mechanism, 0.5, holdout)
        given = "a query after an answer from the holdout"
        nearer = abs(found - holdout) < abs(found - 0.5)
        true(nearer == (again < 0), f"the wrong set answers for {given}: is the threshold new?")


@check(points=2)
def paid(student, rng):
    """The budget: what costs and what does not.

    The comparison is free where the sets agree.
    """
    mechanism, _, threshold, _ = _started(student, rng, budget=7)
    _costs(mechanism, 7, "a mechanism that has just begun")
    for _ in range(3):
        _answer(mechanism, 0.4, 0.4)
    _costs(mechanism, 7, "three queries on which both sets agree")
    _answer(mechanism, 0.4, 0.4 - 3 * threshold)
    _costs(mechanism, 6, "one query more, on which they differ")


@check(points=1)
def silent(student, rng):
    """Silence once the budget is used up: no answer, no noise.

    Not even the mean over the training set: whether it is right is what the holdout may not tell.
    """
    budget = int(rng.integers(1, 4))
    mechanism, noise, threshold, _ = _started(student, rng, budget=budget)
    for _ in range(budget):
        _answer(mechanism, 0.4, 0.4 + 3 * threshold)
    drawn = len(noise.scales)
    for holdout in (0.4, 0.4 + 3 * threshold):
        found = mechanism.answer(0.4, holdout)
        true(found is None, "answer must return None once the budget is used up")
    same(len(noise.scales), drawn, "the number of draws once the budget is used up")


def _report(mechanism, train, holdout):
    """Return what the analyst is told of means in [-1, 1]."""
    return 2 * _answer(mechanism, (1 + train) / 2, (1 + holdout) / 2) - 1


@picture
def selection(student, rng, figure):
    n, d, sizes = 1000, 4000, np.arange(5, 151, 5)
    # Correlations of d useless variables with the labels, on both sets.
    train, holdout = rng.standard_normal((2, d)) / np.sqrt(n)
    mechanism = student.Thresholdout(
        1.5 / np.sqrt(n), 0.1 / np.sqrt(n), 2 * d, lambda scale: rng.laplace(scale=scale)
    )
    answered = np.array([_report(mechanism, t, h) for t, h in zip(train, holdout, strict=True)])
    axes = figure.add_subplot()
    for name, told in (("the holdout", holdout), ("Thresholdout", answered)):
        kept = (train * told > 0) & (np.minimum(abs(train), abs(told)) > 1 / np.sqrt(n))
        order = np.flatnonzero(kept)[np.argsort(-abs(train[kept]))]
        # Accuracies of the sum of k variables, signed as on the training set.
        accuracies = [
            ndtr(np.cumsum(np.sign(train[order]) * side[order])[sizes - 1] / np.sqrt(sizes))
            for side in (train, holdout)
        ]
        reported = accuracies[1]
        if name == "Thresholdout":
            reported = [_answer(mechanism, *pair) for pair in zip(*accuracies, strict=True)]
        [line] = axes.plot(sizes, reported, "o-", ms=3, label=f"reported by {name}")
        label = f"on the training set, with {name}"
        axes.plot(sizes, accuracies[0], ":", color=line.get_color(), label=label)
    axes.axhline(0.5, color="grey", lw=1, label="on new points")
    axes.set(xlabel="variables of the classifier (1)", ylabel="accuracy (1)", ylim=(0.47, 0.95))
    axes.legend(fontsize="small")
