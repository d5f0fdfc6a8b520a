"""Classes of unequal reward: curation makes shares unequal, real data keep every class alive."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, mean_estimate, violations_estimate
from theorytk.selfconsuming import CurationMap, uncurated_factor

from .common import FINITE, PAPER, POPULATION, REASON, ROUNDING, number
from .weights import LUCE

ORDERED = Assumption("classes ordered by likelihood ratio of their rewards at first")
CONFIDENCE = (np.arange(60) + 0.5) / 60
BASELINE = dict(K=4, generations=10)


def classes(best, ordered):
    """Return law, confidences and labels of ten equally large classes, the last the best.

    Confidences have Beta(a, 1.5) laws, a from 2 to `best`: ordered by likelihood ratio. If not
    `ordered`, every other ten bins have the laws of worst and best class exchanged, and so on.
    """
    laws = np.array([beta.pdf(CONFIDENCE, a, 1.5) for a in np.linspace(2, best, 10)])
    if not ordered:
        laws = np.where(np.arange(60) % 20 < 10, laws, laws[::-1])
    laws /= 10 * laws.sum(axis=1, keepdims=True)
    return laws.ravel(), np.tile(CONFIDENCE, 10), np.repeat(np.arange(10), 60)


def log_spread(shares):
    """Return the logarithm of the largest over the smallest share, per generation."""
    return np.log(shares.max(axis=1) / shares.min(axis=1))


@experiment(
    "self-consuming-curation/class-shares",
    paper=PAPER,
    design=grid(lam=["infinity", 1], sign=1, ordered=1, **BASELINE),
    paired=("lam", "sign", "ordered"),
    columns={
        "generation": Column("generation", dtype="int"),
        "reverse": Column("largest fall of log(share of a better / of a worse class) in it"),
        "floor": Column("1 / 2 over the smallest ratio of a share to its first one, less 1"),
        "spread": Column("logarithm of the largest over the smallest share"),
        "reward": Column("mean confidence"),
        "least": Column("smallest share of a class"),
        "largest": Column("largest share of a class"),
    },
    presets={"quick": dict(replicates=80), "paper": dict(replicates=200)},
    block=20,
)
def class_shares(*, K, lam, sign, ordered, generations, rng):
    """Shares of ten classes over generations, the reward 5 to 20 times the confidence.

    The sign of the reward is `sign`.
    """
    p0, confidence, labels = classes(rng.uniform(4, 10), ordered)
    curation = CurationMap(sign * rng.uniform(5, 20) * confidence, K, lam=number(lam), p_ref=p0)
    history = curation.iterate(generations)
    shares = history.class_shares(labels)
    steps = np.diff(np.diff(np.log(shares), axis=1), axis=0).min(axis=1)
    return {
        "generation": np.arange(1, generations + 1),
        "reverse": np.maximum(0, -steps),
        "floor": 1 - uncurated_factor(1) - np.min(shares[1:] / shares[0], axis=1),
        "spread": log_spread(shares)[1:],
        "reward": history.probabilities[1:] @ confidence,
        "least": shares[1:].min(axis=1),
        "largest": shares[1:].max(axis=1),
    }


@claim(
    "self-consuming-curation/bias-grows",
    theorem="derived here, for the paper's section on bias",
    status="ours",
    statement=r"If classes are ordered by likelihood ratio of their rewards, then on curated "
    r"samples alone the ratio $P_t(c)/P_t(c')$ of the shares of a better and a worse class never "
    r"falls.",
    experiment=class_shares,
    at=dict(lam="infinity"),
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(LUCE, FINITE, POPULATION, ORDERED),
    control=(
        Control("what is disliked is kept", sign=-1),
        Control("classes without that order", ordered=0),
    ),
)
def bias_grows(table):
    """Share of generations in which a ratio falls."""
    return violations_estimate(int((table["reverse"] > ROUNDING).sum()), len(table))


@claim(
    "self-consuming-curation/share-floor",
    theorem="derived here",
    status="ours",
    statement=r"With real data no class falls below $P_{\rm ref}(c)/(1+\lambda)$; "
    r"here $\lambda=1$.",
    experiment=class_shares,
    at=dict(lam=1),
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(LUCE, FINITE, POPULATION),
    control=Control("real data left out", lam="infinity"),
)
def share_floor(table):
    """Share of generations in which a class is below."""
    return violations_estimate(int((table["floor"] > ROUNDING).sum()), len(table))


@claim(
    "self-consuming-curation/real-data-limit-bias",
    theorem="section on bias; the measure and the bound are ours",
    status="empirical",
    statement=r"Of ten classes with rewards 5 to 20 times a Beta distributed confidence the "
    r"largest has, after 10 generations with as many real as curated samples, on average at most "
    r"$e^{1.2}$ times the share of the smallest.",
    experiment=class_shares,
    at=dict(lam=1),
    region=AtMost(1.2),
    reason="chosen before measuring: 3.3 times the smallest",
    assumptions=(LUCE, FINITE, POPULATION),
    control=Control("real data left out", lam="infinity"),
)
def real_data_limit_bias(table):
    """Mean log-spread of the shares at the last generation."""
    last = table[table["generation"] == table["generation"].max()]
    return mean_estimate(last["spread"])
