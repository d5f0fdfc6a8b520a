def flat_noise(levels, epsilon):
    """Return the root mean square over 201 queries of the flat histogram's noise, a number."""
    return 0.0


def nodes(first, last, levels):
    """Return the least number of dyadic nodes that make up the cells first, ..., last."""
    return 0


def tree_noise(levels, epsilon, alpha):
    """Return the root mean square over 201 queries of the tree's noise, a number."""
    return 0.0


def crossover(alpha):
    """Return the number of cells from which on the tree has less noise than the histogram."""
    return 0
