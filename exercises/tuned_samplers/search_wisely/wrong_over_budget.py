"""Does not count the known samplers that it begins with."""

import numpy as np

GRIDS = {
    "equal in lambda": np.array([0.25, 0.5, 0.75]),
    "quadratic in t": np.array([0.3520, 0.5205, 0.6667]),
    "of EDM": np.array([0.1507, 0.3408, 0.5984]),
    "equal in t": np.array([0.2284, 0.3960, 0.5289]),
}


def same_order(prediction, order, corrector):
    return [(prediction, min(order, i + 1), corrector and i < 3) for i in range(4)]


def any_step(i, rng):
    prediction = ("data", "noise")[rng.integers(2)]
    return prediction, int(rng.integers(1, min(3, i + 1) + 1)), bool(i < 3 and rng.integers(2))


def moved(nodes, size, rng):
    gaps = np.diff(np.concatenate([[0], nodes, [1]]))
    room = np.minimum(gaps[:-1], gaps[1:])
    found = np.sort(nodes + size * room * rng.normal(size=3))
    return found if np.diff(np.concatenate([[0], found, [1]])).min() > 0.01 else nodes


def search(error, budget, rng):
    known = [("data", 2, False), ("data", 3, False), ("data", 3, True), ("noise", 3, False)]
    best, least, size = None, np.inf, 0.2
    usual = [(nodes, same_order(*k)) for nodes in GRIDS.values() for k in known]
    for count in range(budget + len(usual)):
        if count < len(usual):
            nodes, steps = usual[count]
        elif count % 2:
            nodes, steps = moved(best[0], size, rng), best[1]
        else:
            i = int(rng.integers(4))
            nodes, steps = best[0], [*best[1][:i], any_step(i, rng), *best[1][i + 1 :]]
        found = error(nodes, steps)
        if count >= len(usual) and count % 2:
            size *= 1.5 if found < least else 0.87
        if best is None or found < least:
            best, least = (nodes, steps), found
    return best
