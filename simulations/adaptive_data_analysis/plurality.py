"""The attack with more than two classes: a weighted plurality of random labellings."""

from __future__ import annotations

import numpy as np

from theorytk.adaptive.attack_laws import plurality_accuracy
from theorytk.adaptive.attacks import plurality_attack
from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate

from .common import INDEPENDENT
from .mistakes import NEW_POINTS


def plurality(n, k, m, rng):
    """Return the accuracy of the attack within the sample."""
    return plurality_attack(n, k, m, rng).accuracy


def some_new_points(n, k, m, rng):
    """The classifier judged on a sample of which a few points are new."""
    return (1 - NEW_POINTS) * plurality(n, k, m, rng) + NEW_POINTS / m


def accuracies_as_weights(n, k, m, rng):
    """The accuracies as weights, and not what they are above 1 / m."""
    labels = rng.integers(m, size=(k, n))
    accuracies = (labels == 0).mean(axis=1)
    cells = np.arange(n) * m + labels
    votes = np.bincount(cells.ravel(), np.repeat(accuracies, n), minlength=n * m)
    return (votes.reshape(n, m).argmax(axis=1) == 0).mean()


ATTACKS = {
    "plurality": plurality,
    "some-new": some_new_points,
    "uncentred": accuracies_as_weights,
}


@experiment(
    "adaptive-data-analysis/plurality",
    paper="feldman2019",
    design=grid(n=500, k=250, m=[2, 3, 10], attack="plurality", draws=20),
    paired=("attack",),
    columns={"error": Column("mean accuracy within the sample, less the law")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=10,
    algorithm="attack",
)
def classes(*, n, k, m, attack, draws, rng):
    """Mean accuracy of the attack with m classes, beside its limit law.

    The algorithm is ``attack(n, k, m, rng) -> accuracy`` within a sample of n points.
    """
    attack = ATTACKS[attack] if isinstance(attack, str) else attack
    accuracy = np.mean([attack(n, k, m, rng) for _ in range(draws)])
    return {"error": accuracy - plurality_accuracy(n, k, m)}


@claim(
    "adaptive-data-analysis/plurality-law",
    theorem="the order is the paper's; the law is derived here",
    status="ours",
    statement=r"After the accuracies of $k$ random labellings with $m$ classes, their weighted "
    r"plurality is right within the sample with probability "
    r"$\mathbb P(Z_0+z>\max(Z_1,\dots,Z_{m-1}))$, $z=\sqrt{km/(n(m-1))}$, and $1/m$ on the "
    r"population.",
    experiment=classes,
    region=Between(-0.006, 0.006),
    reason="votes are sums of k / m terms and more, 25 at least, with normal limits; the rest is "
    "resolution",
    assumptions=(Assumption(INDEPENDENT), Assumption("uniform labels and labellings")),
    control=(
        Control("weights that are not centred", attack="uncentred"),
        Control("of the points it is judged on, 6% are new", attack="some-new"),
    ),
)
def plurality_law(table):
    """Mean accuracy less the law, for each number of classes."""
    return {f"m={m}": mean_estimate(g["error"]) for m, g in table.groupby("m")}
