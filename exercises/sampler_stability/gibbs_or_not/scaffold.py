import numpy as np

# The law of the data: two Gaussians on the line.
WEIGHTS = np.array([0.6, 0.4])
MEANS = np.array([-2.0, 3.0])
DEVIATIONS = np.array([0.3, 0.2])
# The noise levels sigma_0 < ... < sigma_39 and their prior probabilities.
LEVELS = np.geomspace(0.05, 10.0, 40)
PRIOR = LEVELS**-0.5 / np.sum(LEVELS**-0.5)


def draw(x, level, probabilities, rng):
    """Draw the level from its probabilities given x."""
    below = np.cumsum(probabilities, axis=1) < rng.random((len(x), 1))
    return np.minimum(below.sum(axis=1), len(LEVELS) - 1)


def most_likely(x, level, probabilities, rng):
    """Take the level that is most probable given x."""
    return probabilities.argmax(axis=1)


def neighbour(x, level, probabilities, rng):
    """Propose the next or the last level; accept with the probability min(1, ratio)."""
    proposed = np.clip(level + rng.choice([-1, 1], len(x)), 0, len(LEVELS) - 1)
    rows = np.arange(len(x))
    ratio = probabilities[rows, proposed] / np.maximum(probabilities[rows, level], 1e-300)
    return np.where(rng.random(len(x)) < ratio, proposed, level)


def fresh(x, level, probabilities, rng):
    """Draw the level from the prior."""
    return rng.choice(len(LEVELS), len(x), p=PRIOR)


RULES = {"draw": draw, "most_likely": most_likely, "neighbour": neighbour, "fresh": fresh}


def posterior(x):
    """Return the probabilities of the levels given x, shape (n, 40), for points `x`, shape (n,)."""
    return np.zeros((len(x), len(LEVELS)))


def p_value(rule, rng):
    """Return the p-value of a test that `rule` leaves the joint law invariant, a number.

    `rule(x, level, probabilities, rng)` takes n points, their levels (indices into LEVELS, shape
    (n,)) and the probabilities of the levels given the points, shape (n, 40), and returns the new
    levels. `rng` is a NumPy generator.
    """
    return 0.0


def decisions():
    """Return a dict: for each name in RULES True if the rule leaves the joint law invariant."""
    return {}
