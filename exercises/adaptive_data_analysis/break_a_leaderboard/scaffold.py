def attack(score, n, calls, rng):
    """Return a vector of 0 and 1, shape (n,), with a low loss on the hidden labels.

    `score(u)` is the reported loss of `u`, an array of 0 and 1 of shape (n,); it may be called
    `calls` times. `rng` is a numpy.random.Generator.
    """
    return None


def ladder(losses, best, leader):
    """Return the Ladder's best score (float) and its losses (n,) after a submission.

    `losses` (n,) are the losses 0 or 1 of the submission, `best` is the best score so far
    (infinite at the beginning), `leader` (n,) are the losses that belong to it (0 at first).
    """
    return best, leader
