"""Constant noise is traced after a number of queries that is quadratic in the sample's size."""

from __future__ import annotations

from theorytk.adaptive.attack_laws import attack_accuracy, tracing_queries
from theorytk.claims import Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate

from .attacks import FAIR, mean_accuracy

STEINKE_ULLMAN = "steinke2015"


def quadratic(n, accuracy, sigma):
    """The law."""
    return float(tracing_queries(n, accuracy, sigma))


def linear(n, accuracy, sigma):
    """The law for answers without noise."""
    return float(tracing_queries(n, accuracy))


def leading_term(n, accuracy, sigma):
    """Only the term that is quadratic in n."""
    return quadratic(n, accuracy, sigma) - linear(n, accuracy, sigma)


QUERIES = {"quadratic": quadratic, "linear": linear, "leading": leading_term}


@experiment(
    "adaptive-data-analysis/tracing",
    paper=STEINKE_ULLMAN,
    design=grid(
        n=[64, 128, 256], accuracy=0.9, sigma=0.3, queries="quadratic", attack="two-stage", draws=20
    ),
    paired=("queries", "attack"),
    columns={"traced": Column("mean accuracy within the sample after so many queries")},
    presets={
        "quick": dict(replicates=60),
        "paper": dict(replicates=60, n=[64, 128, 256, 512]),
    },
    block=20,
    algorithm="attack",
)
def tracing(*, n, accuracy, sigma, queries, attack, draws, rng):
    """Accuracy within the sample after as many queries as the law says that it takes.

    The algorithm is ``attack(n, k, weights, sigma, rng) -> accuracy``.
    """
    k = round(QUERIES[queries](n, accuracy, sigma))
    return {"traced": mean_accuracy(attack, draws, n, k, "linear", sigma, rng)}


@claim(
    "adaptive-data-analysis/n-squared-tracing",
    theorem="derived here; the order is that of the lower bound",
    status="ours",
    statement=r"Answers with noise of constant size $\sigma$ are traced: the attack reaches the "
    r"accuracy $a$ within the sample after $\Phi^{-1}(a)^2n(1+n\sigma^2)$ queries.",
    experiment=tracing,
    region=Between(0.892, 0.908),
    reason="rounding the number of queries and the law's O(1/k): 4e-4 at n = 64 by the exact law; "
    "the rest is resolution",
    assumptions=FAIR,
    control=(
        Control("as many queries as answers without noise would take", queries="linear"),
        Control("the quadratic term alone", queries="leading"),
        Control("the noise of answers in [0, 1]", attack="half-noise"),
    ),
)
def n_squared_tracing(table):
    """Mean accuracy within the sample, for each size."""
    return {f"n={n}": mean_estimate(g["traced"]) for n, g in table.groupby("n")}


@experiment(
    "adaptive-data-analysis/tracing-curve",
    paper=STEINKE_ULLMAN,
    design=grid(n=[64, 128, 256], share=[0.1, 0.2, 0.5, 1, 2], sigma=[0, 0.3]),
    columns={
        "k": Column("queries", dtype="int"),
        "in_sample": Column("mean accuracy within the sample"),
        "law": Column("the limit law"),
    },
    presets={"quick": dict(replicates=20, draws=5), "paper": dict(replicates=50, draws=20)},
    block=10,
)
def tracing_curve(*, n, share, sigma, draws, rng):
    """Accuracy within the sample against queries, as shares of what 90% take with noise 0.3."""
    k = round(share * float(tracing_queries(n, 0.9, 0.3)))
    mean = mean_accuracy("two-stage", draws, n, k, "linear", sigma, rng)
    return {"k": k, "in_sample": mean, "law": float(attack_accuracy(n, k, sigma=sigma))}
