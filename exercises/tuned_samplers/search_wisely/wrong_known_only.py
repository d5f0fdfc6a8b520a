"""Takes the best of known samplers on known grids, and searches no further."""

import numpy as np

GRIDS = {
    "equal in lambda": np.array([0.25, 0.5, 0.75]),
    "quadratic in t": np.array([0.3520, 0.5205, 0.6667]),
    "of EDM": np.array([0.1507, 0.3408, 0.5984]),
    "equal in t": np.array([0.2284, 0.3960, 0.5289]),
}


def same_order(prediction, order, corrector):
    return [(prediction, min(order, i + 1), corrector and i < 3) for i in range(4)]


def search(error, budget, rng):
    known = [("data", 2, False), ("data", 3, False), ("data", 3, True), ("noise", 3, False)]
    usual = [(nodes, same_order(*k)) for nodes in GRIDS.values() for k in known][:budget]
    return usual[int(np.argmin([error(*one) for one in usual]))]
