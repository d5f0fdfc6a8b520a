"""What the experiments on private similarities share: mechanisms, right and wrong, and truths."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption
from theorytk.privacy.distances import PrivateDistanceSum
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.exact_tree import exact_tree
from theorytk.privacy.flat_histogram import flat_histogram
from theorytk.privacy.hat import HierarchicalHat, hat_loss_supremum, hierarchical_hat

PAPER = "backurs2024similarities"
UNIT_BOX = Assumption("points and queries in the unit cube, which is public")
PUBLIC_SIZE = Assumption("the number of points is public where it sets the resolution")

LINES = {
    "hat": hierarchical_hat,
    "tree": dyadic_tree,
    "exact-tree": exact_tree,
    "flat": flat_histogram,
}


def sums(x, y):
    """Return the true sums of l_1 distances, shape (q,), of points (n, d) from queries (q, d)."""
    return np.abs(y[:, None] - x).sum(axis=(1, 2))


def many_answers(mechanism, x, y, times, rng):
    """Return the answers of independent releases of a mechanism, shape (times, q)."""
    released = mechanism.releases(x, times, rng)
    return np.array([mechanism.answers(mechanism.synthesise(each), y) for each in released])


def answers(mechanism, x, y, rng):
    """Return the answers of one release."""
    return many_answers(mechanism, x, y, 1, rng)[0]


def noiseless(mechanism, x, y):
    """Return what a mechanism answers when nothing is noisy."""
    return answers(mechanism.with_scales(0 * mechanism.scales), x, y, None)


def estimator(method, share=lambda d: 1.0):
    """Return ``mechanism(x, y, epsilon, rng) -> answers``, budgets times `share` of d."""

    def mechanism(x, y, epsilon, rng):
        budget = epsilon * share(x.shape[1])
        released = PrivateDistanceSum(method=method, epsilon=budget, size_hint=len(x), rng=rng)
        return released.fit(x, bounds=(0, 1)).query(y)

    return mechanism


def concentrated(share=lambda d: 1.0):
    """Return ``mechanism(x, y, rho, rng) -> answers`` by hats with Gaussian noise."""

    def mechanism(x, y, rho, rng):
        released = PrivateDistanceSum(rho=rho * share(x.shape[1]), size_hint=len(x), rng=rng)
        return released.fit(x, bounds=(0, 1)).query(y)

    return mechanism


def equal_rates(x, y, epsilon, rng):
    """Answer by hats with one and the same budget for every level."""
    levels = int(np.ceil(np.log2(max(2, len(x) * epsilon))))
    largest = hat_loss_supremum(np.ones(levels + 1))
    mechanism = HierarchicalHat(levels, np.full(levels + 1, largest / epsilon))
    return answers(mechanism, x[:, 0], y[:, 0], rng)


def scaled_noise(mechanism, factor):
    """Return a mechanism with the errors of another one times `factor`."""

    def answer(x, y, epsilon, rng):
        truth = sums(x, y)
        return truth + factor * (mechanism(x, y, epsilon, rng) - truth)

    return answer


HAT = estimator("hat")
MECHANISMS = {
    **{method.replace("_", "-"): estimator(method) for method in ("hat", "tree", "flat")},
    "exact-tree": estimator("exact_tree"),
    "equal-rates": equal_rates,
    "budget not split": estimator("hat", lambda d: d),
    "budget split by d^0.7": estimator("hat", lambda d: d**0.3),
    "noise / 25": scaled_noise(HAT, 0.04),
    "noise x 1.2": scaled_noise(HAT, 1.2),
    "noise x 3": scaled_noise(HAT, 3.0),
}
CONCENTRATED = {
    "hat": concentrated(),
    "budget not split": concentrated(lambda d: d),
    "budget split by d^0.6": concentrated(lambda d: d**0.4),
    "noise / 10": scaled_noise(concentrated(), 0.1),
    "noise x 1.15": scaled_noise(concentrated(), 1.15),
    "two queries": concentrated(lambda d: 0.5),
}
