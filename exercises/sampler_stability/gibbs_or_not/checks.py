"""Checks of the posterior against the library's, and of the test with rules that are known."""

import numpy as np

from theorytk.classroom import Wrong, check, close, number, picture, true
from theorytk.diffusion import JointLaw, MixtureTarget

PAPER = "kim2023dmcmc"
QUESTION = (
    "Give a reason for each of the four rules. Why does the law of the level alone not tell that a "
    "fresh draw from the prior is wrong?"
)

LEVELS = np.geomspace(0.05, 10.0, 40)
PRIOR = LEVELS**-0.5 / np.sum(LEVELS**-0.5)
JOINT = JointLaw(
    MixtureTarget([0.6, 0.4], [[-2.0], [3.0]], [[[0.09]], [[0.04]]]), LEVELS, prior=PRIOR
)


def _from(probabilities, rng):
    """Return a draw from each row, by the method of Gumbel."""
    with np.errstate(divide="ignore"):
        return np.argmax(np.log(probabilities) + rng.gumbel(size=probabilities.shape), axis=1)


def _exact(x):
    return JOINT.posterior(np.reshape(x, (-1, 1)))


def draw(x, level, probabilities, rng):
    return _from(_exact(x), rng)


def sometimes(x, level, probabilities, rng):
    """Draw in half of the cases, and stay in the other half."""
    return np.where(rng.random(len(x)) < 0.5, _from(_exact(x), rng), level)


def barker(x, level, probabilities, rng):
    """Propose any level; accept it with Barker's probability."""
    exact, rows = _exact(x), np.arange(len(x))
    proposed = rng.integers(len(LEVELS), size=len(x))
    new, old = exact[rows, proposed], exact[rows, level]
    return np.where(rng.random(len(x)) * (new + old) < new, proposed, level)


def smallest_of_ten(x, level, probabilities, rng):
    exact = _exact(x)
    return np.min([_from(exact, rng) for _ in range(10)], axis=0)


def tempered(x, level, probabilities, rng):
    """Draw from the square of the posterior: too sure of itself."""
    return _from(_exact(x) ** 2, rng)


def without_prior(x, level, probabilities, rng):
    return _from(_exact(x) / PRIOR, rng)


def most_likely(x, level, probabilities, rng):
    return np.argmax(_exact(x), axis=1)


def fresh(x, level, probabilities, rng):
    return rng.choice(len(LEVELS), len(x), p=PRIOR)


def shuffled(x, level, probabilities, rng):
    """Give the levels of the points to each other."""
    return rng.permutation(level)


def _p_value(student, rule, rng):
    found = number(student.p_value(rule, rng), "p_value(rule, rng)")
    true(0 <= found <= 1, f"p_value(rule, rng) must lie in [0, 1]: it is {found:.4g}")
    return found


def _accepts(student, rule, rng, name):
    """Ask for one p-value of four above 0.01: a right test misses this once in 10^8 cases."""
    found = [_p_value(student, rule, rng)]
    while found[-1] <= 0.01 and len(found) < 4:
        found.append(_p_value(student, rule, rng))
    if found[-1] <= 0.01:
        raise Wrong(
            f"{name} leaves the law invariant, and the p-values of four independent runs of "
            f"p_value(rule, rng) are {', '.join(f'{p:.2g}' for p in found)}"
        )


def _rejects(student, rule, rng, name):
    found = _p_value(student, rule, rng)
    if found >= 1e-6:
        raise Wrong(f"{name} does not leave the law invariant; p_value(rule, rng) is {found:.2g}")


@check(points=2)
def levels_given_points(student, rng):
    """The probabilities of the levels given the points.

    Bayes: prior times the density of x at the level, which is that of a mixture with the variances
    enlarged. Subtract the largest logarithm before you take exponentials.
    """
    for scale in (3.0, 30.0):
        x = np.append(rng.normal(0.0, scale, 30), [0.0, 300.0, -300.0])
        close(student.posterior(x.copy()), _exact(x), "posterior(x)", rtol=1e-8, atol=1e-12)


@check(points=3)
def right_rules(student, rng):
    """The p-values of rules that leave the law invariant.

    Do the pairs have the law before the rule is applied? A discrete variable has steps; fill them
    with a uniform random number. The smaller of two p-values is not a p-value.
    """
    for rule, name in (
        (draw, "a draw from the exact posterior"),
        (sometimes, "a draw in half of the cases"),
        (barker, "a proposal that is accepted with Barker's probability"),
    ):
        _accepts(student, rule, rng, name)
    if hasattr(student, "RULES"):
        _accepts(student, student.RULES["draw"], rng, "your `draw` with your posterior")


@check(points=2)
def wrong_levels(student, rng):
    """The p-values of rules that change the law of the level.

    How many pairs does a difference of five per cent in the distribution function need?
    """
    _accepts(student, draw, rng, "a draw from the exact posterior")
    for rule, name in (
        (most_likely, "the most likely level"),
        (smallest_of_ten, "the smallest of ten draws"),
        (tempered, "a draw from the squared posterior"),
        (without_prior, "a draw from the posterior without the prior"),
    ):
        _rejects(student, rule, rng, name)


@check(points=2)
def wrong_pairs(student, rng):
    """The p-values of rules that keep the law of the level, and not that of the pair.

    Given its level, x has a distribution function. What is its value at x?
    """
    _accepts(student, draw, rng, "a draw from the exact posterior")
    _rejects(student, fresh, rng, "a fresh level")
    _rejects(student, shuffled, rng, "an exchange of levels between points")


@check(points=2)
def decided(student, rng):
    """The decisions on the four given rules.

    A rule with detailed balance is invariant. Which of the rules do not even look at x?
    """
    found = student.decisions()
    names = {"draw", "most_likely", "neighbour", "fresh"}
    if not isinstance(found, dict) or set(found) != names:
        raise Wrong("decisions() must return a dict with the four names of RULES as keys")
    if not all(isinstance(value, bool | np.bool_) for value in found.values()):
        raise Wrong("decisions() must have the values True and False")
    right = {"draw": True, "most_likely": False, "neighbour": True, "fresh": False}
    wrong = sum(bool(found[name]) != right[name] for name in names)
    true(wrong == 0, f"{wrong} of the four decisions are wrong")


@picture
def laws_of_levels(student, rng, figure):
    axes, n = figure.add_subplot(), 4000
    level = rng.choice(len(LEVELS), n, p=PRIOR)
    x = JOINT.sample_given(LEVELS[level], rng)[:, 0]
    probabilities = np.asarray(student.posterior(x), dtype=float)
    for name, rule in student.RULES.items():
        counts = np.bincount(rule(x, level, probabilities, rng), minlength=len(LEVELS))
        p = float(student.p_value(rule, rng))
        axes.step(LEVELS, np.cumsum(counts) / n, label=f"{name}, $p$ = {p:.1g}", where="post")
    axes.step(LEVELS, np.cumsum(PRIOR), "k:", label="prior", where="post")
    axes.set(xscale="log", xlabel=r"noise level $\sigma$ (1)", ylabel="share of smaller levels (1)")
    axes.legend()
