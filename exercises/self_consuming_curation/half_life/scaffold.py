def next_mass(q, gap, K):
    """Return the losers' mass after one generation; `K` >= 2 is an integer or np.inf."""
    return 0.0


def losing_ratio(gap, K):
    """Return the limit of q_{t+1} / q_t, the losers' mass, for rewards `gap` apart."""
    return 0.0


def half_life(gap, K):
    """Return in how many generations rare losers lose half of their mass."""
    return 0.0


def worst_half_life(gap):
    """Return the longest half-life over all K >= 2, np.inf included."""
    return 0.0
