def violates(mechanism, data, neighbour, epsilon, rng):
    """Return whether `mechanism(data, size, rng)` is shown not to be epsilon-private.

    `data` and `neighbour` are arrays that differ in one point; `rng` is a NumPy generator. The
    mechanism returns an array of shape (size,), independent releases.
    """
    return None
