"""Five black boxes, of which three are wrong; which one is which changes from call to call."""

import numpy as np

from theorytk.classroom import check, picture, true
from theorytk.privacy import discrete_laplace

PAPER = "coleman2020race"
QUESTION = "What has an audit shown that does not flag a mechanism?"


def _discrete(factor):
    """Return a mechanism with exact integer noise of `factor` times the scale for epsilon."""

    def make(epsilon):
        def mechanism(data, size, rng):
            return data.sum() + discrete_laplace(factor / epsilon, size, rng).astype(float)

        return mechanism

    return make


def _divided(epsilon):
    """Return a mechanism whose noise was made for the mean, on a count."""

    def mechanism(data, size, rng):
        return data.sum() + discrete_laplace(1 / (epsilon * 20), size, rng).astype(float)

    return mechanism


def _floating(epsilon):
    """Return a mechanism with floating-point noise of the right scale."""

    def mechanism(data, size, rng):
        return data.sum() + rng.laplace(0.0, 1 / epsilon, size)

    return mechanism


BOXES = {
    "correct": (_discrete(1.0), False),
    "half scale": (_discrete(0.5), True),
    "divided": (_divided, True),
    "floating point": (_floating, True),
    "for replacement": (_discrete(2.0), False),
}


def _data():
    """Return data sets with counts 0 and 1: one point more."""
    return np.zeros(20), np.append(np.zeros(20), 1.0)


def _flagged(student, name, rng, epsilon):
    first, second = _data() if rng.random() < 0.5 else _data()[::-1]
    found = student.violates(BOXES[name][0](epsilon), first, second, epsilon, rng)
    true(isinstance(found, bool | np.bool_), f"violates(...) must return True or False: {found!r}")
    return bool(found)


@check(points=2)
def honest(student, rng):
    """Boxes that keep their promise are not flagged.

    Is the event chosen after looking? How sure are you of a ratio of frequencies? More noise than
    is needed is no violation.
    """
    for name in ("correct", "for replacement", "correct"):
        epsilon = rng.uniform(0.5, 1.2)
        found = _flagged(student, name, rng, epsilon)
        true(not found, f"a mechanism that is private is flagged (epsilon = {epsilon:.3g})")


@check(points=2)
def loud(student, rng):
    """Boxes with too little noise are flagged.

    The worst events of Laplace noise are half-lines.
    """
    for name in ("half scale", "divided", "half scale"):
        epsilon = rng.uniform(0.5, 1.2)
        found = _flagged(student, name, rng, epsilon)
        true(found, f"noise of too small a scale is not flagged (epsilon = {epsilon:.3g})")


@check(points=2)
def silent(student, rng):
    """The box with the right noise from the wrong numbers is flagged.

    Look at x * 2.0**53 for releases near zero, with either data set. Is it a whole number?
    """
    epsilon = rng.uniform(0.5, 1.2)
    found = _flagged(student, "floating point", rng, epsilon)
    true(found, f"floating-point noise is not flagged (epsilon = {epsilon:.3g})")


@picture
def verdicts(student, rng, figure):
    axes = figure.add_subplot()
    for i, name in enumerate(BOXES):
        flagged = _flagged(student, name, rng, 1.0)
        axes.barh(i, 1, color="tab:red" if flagged else "tab:green")
        axes.text(0.5, i, "flagged" if flagged else "passes", ha="center", va="center")
    axes.set_yticks(range(len(BOXES)), list(BOXES))
    axes.set(xlim=(0, 1), xticks=[], xlabel=r"verdict at $\varepsilon = 1$, confidence 0.999")
