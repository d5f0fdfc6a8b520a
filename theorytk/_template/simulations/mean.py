"""A first paper: how far is a mean of n draws from the truth?"""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate
from theorytk.registry import Covered, Paper, papers

PAPER = "bienayme1853"
MEANS = 200  # how many means a replicate takes

papers.add(
    Paper(
        id=PAPER,
        topic="first-steps",
        title="Considerations a l'appui de la decouverte de Laplace",
        authors=("Irenee-Jules Bienayme",),
        year=1853,
        summary="The variance of a mean of $n$ independent draws is $1/n$ of that of one.",
        coverage=(
            Covered(
                "Variance of a mean",
                "verified",
                by=("first-steps/variance-of-a-mean", "first-steps/error"),
            ),
        ),
    )
)


@experiment(
    "first-steps/mean-error",
    paper=PAPER,
    design=grid(size=[16, 64, 256], shared=0.0),
    paired=("shared",),
    block=20,
    columns={"error": Column("mean squared error of the estimate from uniform draws")},
    presets={"quick": dict(replicates=120), "paper": dict(replicates=400)},
    algorithm="estimator",
)
def mean_error(*, size, shared, estimator=None, rng):
    """Estimate 1/2 from draws on [0, 1], of which a share is the same in all.

    The estimator is ``estimator(draws) -> estimates``, from an array of shape (means, size) to one
    of shape (means,); None is the mean.
    """
    own, common = rng.random((MEANS, size)), rng.random((MEANS, 1))
    draws = (1 - shared) * own + shared * common
    estimates = draws.mean(axis=1) if estimator is None else estimator(draws)
    return {"error": float(np.mean((estimates - 0.5) ** 2))}


@claim(
    "first-steps/variance-of-a-mean",
    theorem="Variance of a mean",
    statement=r"The mean of $n$ draws on $[0, 1]$ has the squared error $\frac{1}{12 n}$.",
    experiment=mean_error,
    region=Between(0.9, 1.1),
    reason="one tenth: what the replicates of the quick preset can tell",
    assumptions=(Assumption("independent uniform draws"),),
    control=Control("draws that share one part in 25, as from a seed used twice", shared=0.04),
)
def variance_of_a_mean(table):
    """Squared error over its law, for each number of draws."""
    ratios = table.assign(ratio=12 * table["size"] * table["error"])
    return {f"n = {n}": mean_estimate(rows["ratio"]) for n, rows in ratios.groupby("size")}
