"""Sums of sensitivities from few of them: the total, and scores of blocks of rows."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, mean_estimate
from theorytk.sensitivity.matrices import heavy_tailed
from theorytk.sensitivity.sensitivities import sensitivities
from theorytk.sensitivity.totals import block_sensitivities, total_sensitivity

from .common import FULL_RANK
from .mistakes import BLOCKS, TOTALS

PAPER = "padmanabhan2023"
ASSUMPTIONS = (Assumption(FULL_RANK), Assumption("rows with independent Student t entries"))


def lewis_total(A, p, size, rng):
    """Estimate the total sensitivity as the library does."""
    return total_sensitivity(A, p, size=size, rng=rng).value


def sign_blocks(A, p, block_size, n_repeats, rng):
    """Score the blocks as the library does."""
    return block_sensitivities(A, p, block_size, n_repeats=n_repeats, rng=rng)


@experiment(
    "sensitivity-sampling/total-estimate",
    paper=PAPER,
    design=grid(p=[1, 3], n=40, d=4, size=10, repeats=20),
    paired=("estimate",),
    columns={"ratio": Column("mean estimate over the total sensitivity")},
    presets={"quick": dict(replicates=50), "paper": dict(replicates=500)},
    block=10,
    algorithm="estimate",
)
def total_estimate(*, p, n, d, size, repeats, estimate="lewis", rng):
    """Totals from `size` sensitivities of rows drawn by Lewis weights, over the exact total.

    The algorithm is ``estimate(A, p, size, rng) -> float``.
    """
    A = heavy_tailed(n, d, df=2, rng=rng)
    estimate = {"lewis": lewis_total, **TOTALS}.get(estimate, estimate)
    found = [estimate(A, p, size, rng) for _ in range(repeats)]
    return {"ratio": np.mean(found) / sensitivities(A, p).total}


@claim(
    "sensitivity-sampling/total-estimate-unbiased",
    theorem="abstract (total sensitivity from few sensitivities); the estimator derived here",
    statement=r"With rows drawn with probabilities $w_i/d$ the mean of $d\sigma_i/w_i$ is an "
    r"unbiased estimate of the total sensitivity $\mathfrak S=\sum_i\sigma_i$.",
    experiment=total_estimate,
    region=Between(0.99, 1.01),
    reason="exactly 1; a bias below 1% is none of the estimator's concern at ten rows",
    assumptions=ASSUMPTIONS,
    control=(
        Control("the mean over distinct rows, repetitions dropped", estimate="distinct"),
        Control("Lewis weights stopped early, taken to sum to d", estimate="unfinished"),
    ),
)
def total_estimate_unbiased(table):
    """Mean estimate over the exact total, per p."""
    return {f"p={p:g}": mean_estimate(g["ratio"]) for p, g in table.groupby("p")}


@experiment(
    "sensitivity-sampling/block-scores",
    paper=PAPER,
    design=grid(p=1, repeats=[1, 2, 3], n=100, d=4, block_size=10),
    paired=("estimate",),
    columns={"missed": Column("share of blocks scored below their largest sensitivity, times 2^t")},
    presets={"quick": dict(replicates=150), "paper": dict(replicates=2000)},
    block=50,
    algorithm="estimate",
)
def block_scores(*, p, repeats, n, d, block_size, estimate="signs", rng):
    """Scores of blocks of rows from t = `repeats` random signed sums, against exact ones.

    The algorithm is ``estimate(A, p, block_size, n_repeats, rng) -> scores``, one per block.
    """
    A = heavy_tailed(n, d, df=2, rng=rng)
    largest = sensitivities(A, p).values.reshape(-1, block_size).max(axis=1)
    estimate = {"signs": sign_blocks, **BLOCKS}.get(estimate, estimate)
    found = estimate(A, p, block_size, repeats, rng)
    return {"missed": 2**repeats * np.mean(found < largest * (1 - 1e-8))}


@claim(
    "sensitivity-sampling/block-scores-miss-rarely",
    theorem="abstract (sensitivities of blocks of rows); the probability derived here",
    statement=r"The largest sensitivity of $t$ randomly signed sums of the rows of a block is "
    r"below the largest sensitivity of its rows with probability at most $2^{-t}$.",
    experiment=block_scores,
    region=AtMost(1),
    assumptions=ASSUMPTIONS,
    control=(
        Control("one draw of signs used t times", estimate="same-signs"),
        Control("no signs: plain sums of the rows", estimate="plain-sums"),
    ),
)
def block_scores_miss_rarely(table):
    """Share of blocks scored too low, times 2^t, per number t of sums."""
    return {f"t={t}": mean_estimate(g["missed"]) for t, g in table.groupby("repeats")}
