"""Exact privacy losses of the kernel mechanisms, and of short moves."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost
from theorytk.privacy.audit_sampling import two_sample_audit
from theorytk.privacy.audit_structural import WorstPair, release_pair, worst_pair
from theorytk.privacy.conversions import gaussian_epsilon
from theorytk.privacy.gauss_transform import gauss_transform
from theorytk.privacy.gaussian_process import gaussian_process
from theorytk.privacy.hashing import l2_hashes
from theorytk.privacy.hat import HierarchicalHat, hierarchical_hat
from theorytk.privacy.metric_privacy import hat_metric_loss
from theorytk.privacy.race import race

from .audits import ALARM, SURE
from .estimates import largest, violations

PAPER = "backurs2024similarities"


def counters(rng, **budget):
    """Return hashed counters and points far apart, of which some share no bucket."""
    return race(l2_hashes(2, 5, rng=rng), **budget), 1e3 * rng.normal(size=(6, 2))


def moments(rng, **budget):
    """Return the fast Gauss transform and points that include corners of its cells."""
    degree = int(rng.integers(1, 6))
    corners = np.array([(a, b) for a in (0, 0.5, 1) for b in (0, 1)], dtype=float)
    return gauss_transform([2.0, 1.0], degree, **budget), np.vstack([corners, rng.random((4, 2))])


def process(rng, **budget):
    """Return what a Gaussian process has released at far candidates and at other queries."""
    far = 1e3 * rng.normal(size=(6, 2))
    private = gaussian_process(far, **budget, rng=rng)
    private.answers(np.vstack([rng.normal(size=(3, 2)), far, far + 0.3]))
    return private.mechanism, far


CASES = {
    "race, epsilon": (counters, "epsilon"),
    "race, rho": (counters, "rho"),
    "fgt, epsilon": (moments, "epsilon"),
    "fgt, rho": (moments, "rho"),
    "gp, rho": (process, "rho"),
}


@experiment(
    "private-similarities/kernel-losses",
    paper=PAPER,
    design=grid(case=list(CASES), neighbours=["add_remove", "replace"]),
    paired=("noise",),
    columns={"error": Column("largest loss over that of the budget, less one, in absolute value")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def kernel_losses(*, case, neighbours, noise="calibrated", rng):
    """Largest exact loss over pairs of candidates, of which some attain the sensitivity.

    With `noise` "per 1000 points" scales are divided by 1000, as if counts were means; with "the
    other relation" it is that of added points where points are replaced, and vice versa.
    """
    make, kind = CASES[case]
    other = {"add_remove": "replace", "replace": "add_remove"}[neighbours]
    relation = other if noise == "the other relation" else neighbours
    amount = rng.uniform(0.1, 2)
    mechanism, candidates = make(rng, **{kind: amount, "neighbours": relation})
    factor = {"per 1000 points": 1e-3, "0.1% too small": 0.999}.get(noise, 1.0)
    found = worst_pair(mechanism.with_scales(factor * mechanism.scales), candidates, neighbours)
    return {"error": abs(found.loss / amount - 1)}


@claim(
    "private-similarities/kernel-losses",
    theorem="derived here (race, gauss_transform, gaussian_process); the Laplace scales for an "
    "added point are Coleman, Shrivastava's and Wagner, Naamad, Mishra's",
    status="ours",
    statement=r"Hashed counters, moments and Gaussian processes lose exactly their budget, "
    r"$\varepsilon$ or $\rho$, for an added and for a replaced point: no noise is wasted and none "
    "is missing.",
    experiment=kernel_losses,
    kind="identity",
    region=AtMost(2e-6),
    reason="a share of 1e-6 covers the rounding of the process; contributions have steps of 2^-32",
    assumptions=(Assumption("candidates that attain the bounds: far apart, at corners of cells"),),
    control=(
        Control("counts taken for means of 1000", noise="per 1000 points"),
        Control("noise for the other relation", noise="the other relation"),
        Control("scales 0.1% too small", noise="0.1% too small"),
    ),
)
def budgets_are_attained(table):
    """Largest relative distance of the loss from the budget."""
    return largest(table, "error")


def equal_levels(levels, rho):
    """Return Gaussian hats with the same noise on every level, calibrated for an added point."""
    planned = HierarchicalHat(levels, np.ones(levels + 1), "gaussian")
    largest_loss = planned.privacy_loss(np.linspace(0, 1, 2**levels + 1)).max()
    return planned.with_scales(planned.scales * math.sqrt(largest_loss / rho))


HATS = {
    "hats": lambda levels, rho: hierarchical_hat(levels, rho=rho),
    "equal levels": equal_levels,
    "0.1% less noise": lambda levels, rho: hierarchical_hat(levels, rho=rho * 1.002),
    "half the noise": lambda levels, rho: hierarchical_hat(levels, rho=4 * rho),
}


@experiment(
    "private-similarities/segment-losses",
    paper=PAPER,
    design=grid(levels=[3, 6], rho=[0.1, 2]),
    paired=("mechanism",),
    columns={"error": Column("largest difference of the loss from 2 rho |x - x'|, over rho")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def segment_losses(*, levels, rho, mechanism="hats", rng):
    """Exact losses of 50 replacements between points of the grid."""
    x, other = rng.integers(0, 2**levels + 1, (2, 50)) / 2**levels
    loss = HATS[mechanism](levels, rho).privacy_loss(x, other)
    return {"error": np.abs(loss - hat_metric_loss(x, other, rho)).max() / rho}


@claim(
    "private-similarities/metric-loss",
    theorem="derived here (hat_metric_loss)",
    status="ours",
    statement=r"In the Gaussian hat mechanism the replacement of $x$ by $x'$ costs exactly "
    r"$2\rho|x-x'|$ of zCDP at grid points: privacy in the metric of the data.",
    experiment=segment_losses,
    kind="identity",
    region=AtMost(1e-8),
    reason="points of the grid are exact in steps of 2^-32; scales are larger by 1e-12",
    assumptions=(Assumption("points of the grid of the mechanism; elsewhere it costs less"),),
    control=(
        Control("the same noise on every level", mechanism="equal levels"),
        Control("0.1% less noise", mechanism="0.1% less noise"),
    ),
)
def loss_is_distance(table):
    """Largest deviation from the law."""
    return largest(table, "error")


@experiment(
    "private-similarities/segment-audits",
    paper=PAPER,
    design=grid(distance=[0.1, 1], rho=0.5, delta=0.01, n=10_000, confidence=SURE),
    paired=("mechanism",),
    columns={
        "excess": Column("certified epsilon over that of the law, less one"),
        "certified": Column("epsilon certified at delta"),
        "law": Column("exact epsilon at delta of Gaussian noise with loss 2 rho distance"),
    },
    presets={
        "quick": dict(replicates=6),
        "paper": dict(replicates=50, distance=[0.05, 0.2, 0.5, 1], n=20_000),
    },
    block=10,
)
def segment_audits(*, distance, rho, delta, n, confidence, mechanism="hats", rng):
    """Audit of Gaussian hats where one point moves by `distance` of the range."""
    start = rng.uniform(0, 1 - distance)
    pair = WorstPair(0.0, np.array([start]), np.array([start + distance]))
    scores = release_pair(HATS[mechanism](6, rho), pair, n, rng)
    law = gaussian_epsilon(math.sqrt(2 * hat_metric_loss(0, distance, rho)), delta)
    found = two_sample_audit(*scores, claimed=law, delta=delta, confidence=confidence)
    excess = found.certified / law - 1
    return {"excess": excess, "certified": found.certified, "law": law}


@claim(
    "private-similarities/metric-audit",
    theorem="derived here (hat_metric_loss)",
    status="ours",
    statement=r"To audits at $\delta=0.01$ a point that moves by $t$ of the range is hidden by the "
    r"Gaussian hat mechanism as by Gaussian noise of zCDP $2\rho t$.",
    experiment=segment_audits,
    kind="refutable",
    region=AtMost(0),
    reason=ALARM,
    assumptions=(Assumption("noise fine enough to have the curve of continuous Gaussian noise"),),
    control=(
        Control("half the noise", mechanism="half the noise"),
        Control("the same noise on every level", mechanism="equal levels"),
    ),
)
def moves_are_hidden(table):
    """Share of audits that certify more."""
    return violations(table, "excess", 1e-9)
