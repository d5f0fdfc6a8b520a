"""Audits that know the noise: mechanisms for distances and kernels, and their mutants."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost
from theorytk.privacy.audit_sampling import two_sample_audit
from theorytk.privacy.audit_structural import release_pair, worst_pair
from theorytk.privacy.audits import mutation_audit
from theorytk.privacy.composition import laplace_composed_epsilon
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.exact_tree import exact_tree
from theorytk.privacy.exponential_spline import exponential_spline
from theorytk.privacy.flat_histogram import flat_histogram
from theorytk.privacy.guarantees import PrivacyGuarantee
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.random_features import random_features

from .audits import ALARM, PAPER, SURE
from .estimates import largest, violations

UNIT = Assumption("points of the unit interval, the worst pair among 257 of them")
PLANS = {
    "hat": hierarchical_hat,
    "tree": dyadic_tree,
    "exact tree": exact_tree,
    "flat": flat_histogram,
    "spline": lambda levels, **budget: exponential_spline(levels, 3.0, **budget),
}


@experiment(
    "private-similarities/audited-mechanism",
    paper=PAPER,
    design=grid(mechanism="hat", levels=8, epsilon=1, delta=0, n=20_000),
    paired=("scale",),
    columns={
        "excess": Column("certified epsilon over that claimed, less one"),
        "certified": Column("certified epsilon"),
    },
    presets={"quick": dict(replicates=10), "paper": dict(replicates=80)},
    block=10,
)
def audited_mechanism(*, mechanism, levels, epsilon, delta, n, scale=1, rng):
    """Audit of a mechanism by the likelihood ratios of its worst pair; scales times `scale`.

    With delta > 0 the claim is the exact composition of a tree's levels at this delta.
    """
    planned = PLANS[mechanism](levels, epsilon=epsilon)
    pair = worst_pair(planned, np.linspace(0, 1, 257))
    scores = release_pair(planned.with_scales(scale * planned.scales), pair, n, rng)
    claimed = epsilon
    if delta > 0:
        each = epsilon / (levels + 1)
        claimed = laplace_composed_epsilon(each, levels + 1, delta, steps=1)
    found = two_sample_audit(*scores, claimed=claimed, delta=delta, confidence=SURE)
    return {"excess": found.certified / claimed - 1, "certified": found.certified}


def sampled_claim(name, at, theorem, statement):
    """Declare that sampled audits of a mechanism never refute its guarantee."""

    @claim(
        f"private-similarities/{name}",
        theorem=theorem,
        status="ours",
        statement=statement,
        experiment=audited_mechanism,
        at=at,
        kind="refutable",
        region=AtMost(0),
        reason=ALARM,
        assumptions=(UNIT, Assumption("neighbours by addition and removal")),
        control=Control("half the noise", scale=0.5),
    )
    def estimate(table):
        """Share of audits that refute the guarantee."""
        return violations(table, "excess", 1e-9)

    return estimate


audit_hat = sampled_claim(
    "audit-hat",
    dict(mechanism="hat"),
    "derived here (hierarchical_hat)",
    r"At its worst point, near $\frac13$, the hat mechanism is $\varepsilon$-private to audits, "
    r"though its budgets add up to more than $\varepsilon$.",
)
audit_pure_tree = sampled_claim(
    "audit-pure-tree",
    dict(mechanism="tree", levels=4),
    "Section 4: noise of scale T / eps on each of T levels",
    r"A tree of $T$ noisy levels, scale $T/\varepsilon$ each, is $\varepsilon$-private to audits "
    "of its likelihood ratios.",
)
audit_composed = sampled_claim(
    "audit-composed",
    dict(mechanism="tree", levels=10, epsilon=4, delta=0.01),
    "derived here (laplace_composed_epsilon)",
    r"At $\delta=0.01$ audits of a tree certify no more than the exact composition of its $T$ "
    r"levels, which is less than $\varepsilon$; there halved noise is caught where audits of pure "
    "privacy see nothing.",
)


def opposite_points(planned):
    """Return points at which all waves are 1 and -1, shape (2, d), for d frequencies in d."""
    angles = np.array([[0.0], [math.pi]]) - planned.phases
    return np.linalg.solve(planned.frequencies.T, angles.T).T


@experiment(
    "private-similarities/audited-features",
    paper=PAPER,
    design=grid(d=[1, 5], n=20_000),
    paired=("calibrated", "audited"),
    columns={
        "loss": Column("exact privacy loss of the worst pair, claimed 1"),
        "excess": Column("certified epsilon less 1"),
    },
    presets={"quick": dict(replicates=10), "paper": dict(replicates=80)},
    block=10,
)
def audited_features(*, d, n, calibrated="replace", audited="replace", rng):
    """Audit of Laplace features, as many as dimensions, between points where all waves are +-1."""
    w = rng.normal(size=(d, d))
    planned = random_features(w, epsilon=1.0, neighbours=calibrated, rng=rng)
    pair = worst_pair(planned, opposite_points(planned), audited)
    scores = release_pair(planned, pair, n, rng)
    found = two_sample_audit(*scores, claimed=1, confidence=SURE)
    return {"loss": pair.loss, "excess": found.certified - 1}


FEW = Assumption("no more features than dimensions: waves take all signs at once")


@claim(
    "private-similarities/audit-neighbours",
    theorem="derived here (random_features)",
    status="ours",
    statement=r"Laplace features with noise of scale $2\sqrt2I/\varepsilon$ are "
    r"$\varepsilon$-private to audits where one point is replaced.",
    experiment=audited_features,
    kind="refutable",
    region=AtMost(0),
    reason=ALARM,
    assumptions=(FEW,),
    control=Control("the scale of Wagner et al., for an added point", calibrated="add_remove"),
)
def audit_neighbours(table):
    """Share of audits that refute the guarantee."""
    return violations(table, "excess", 1e-9)


@claim(
    "private-similarities/features-double-loss",
    theorem="derived here (random_features); the scale of Wagner, Naamad, Mishra (2023)",
    status="ours",
    statement=r"With the scale $\sqrt2I/\varepsilon$, for an added point, the replacement of a "
    r"point costs $2\varepsilon$, and no less.",
    experiment=audited_features,
    at=dict(calibrated="add_remove"),
    kind="identity",
    region=AtMost(1e-6),
    reason="waves are truncated to steps of 2^-32",
    assumptions=(FEW,),
    control=(
        Control("an added point audited", audited="add_remove"),
        Control("noise for replaced points", calibrated="replace"),
    ),
)
def replacement_doubles(table):
    """Largest distance of the loss from twice the claimed one."""
    return largest(table.assign(error=np.abs(table["loss"] - 2)), "error")


@experiment(
    "private-similarities/mutants",
    paper=PAPER,
    design=grid(mechanism=list(PLANS), levels=2, points=[1, 33]),
    paired=("n_trials",),
    columns={"failed": Column("1 if a mutant escapes or the original is refuted, else 0")},
    presets={"quick": dict(replicates=2), "paper": dict(replicates=20)},
    block=10,
)
def mutants(*, mechanism, levels, points, n_trials=300, rng):
    """Halve the noise of each group of released numbers in turn and audit.

    A single candidate point, 0, hides most of them from the structural audit.
    """
    planned = PLANS[mechanism](levels, epsilon=1.0)
    guarantee = PrivacyGuarantee(neighbours="add_remove", epsilon=1.0)
    candidates = np.linspace(0, 1, points)
    found = mutation_audit(
        planned, guarantee, points=candidates, n_trials=n_trials, confidence=1 - 1e-5, rng=rng
    )
    return {"failed": float(not found.passed)}


@claim(
    "private-similarities/mutation-audit",
    theorem="derived here (scale_limit, worst_pair)",
    status="ours",
    statement=r"Structural and scale audits pass all mechanisms and catch every mutant with one "
    r"noise scale halved, also where the points looked at do not notice it: "
    r"$300$ releases do.",
    experiment=mutants,
    kind="refutable",
    region=AtMost(0),
    reason="300 noises of half the scale are below the limit by five standard deviations",
    assumptions=(Assumption("small mechanisms of every kind"),),
    control=Control("two releases for the scale audit", n_trials=2),
)
def mutants_are_caught(table):
    """Share of audits in which a mutant escapes or the original is refuted."""
    return violations(table, "failed", 0)
