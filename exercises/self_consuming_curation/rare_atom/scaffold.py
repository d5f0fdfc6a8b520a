def step(q, gap, K, lam, eps):
    """Return the rare kind's mass after one retraining, from its mass `q` before.

    `gap` is the difference of rewards, `K` >= 2 an integer or np.inf, `lam` the weight of curated
    samples, `eps` the mass in the real data.
    """
    return 0.0


def limit_mass(gap, K, lam, eps):
    """Return the mass at which retraining ends that starts at `eps`."""
    return 0.0


def takeover(gap, K, eps):
    """Return the `lam` at which `limit_mass` is the square root of `eps`."""
    return 0.0


def threshold(gap, K):
    """Return the `lam` of the change for eps -> 0, in closed form."""
    return 0.0
