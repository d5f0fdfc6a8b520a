"""Sensitivities from few of them: the total, the largest, and scores of blocks of rows."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, mean_estimate, violations_estimate
from theorytk.sensitivity.lewis import lewis_weights_onesided
from theorytk.sensitivity.matrices import heavy_tailed
from theorytk.sensitivity.sensitivities import sensitivities
from theorytk.sensitivity.totals import block_sensitivities, max_sensitivity, total_sensitivity

from .common import FULL_RANK, random_matrix
from .mistakes import BLOCKS, TOTALS

PAPER = "padmanabhan2023"
REASON = "a violation is a ratio above 1 + 1e-8: the width of the certified intervals, 1e-9"
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
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
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


BOUNDS = {
    "sum": lambda sigma, p: sigma.shape[1] ** (p - 1) * sigma.sum(axis=1),
    "sum alone": lambda sigma, p: sigma.sum(axis=1),
    "mean": lambda sigma, p: sigma.shape[1] ** (p - 1) * sigma.mean(axis=1),
}


@experiment(
    "sensitivity-sampling/block-scores",
    paper=PAPER,
    design=grid(p=1, repeats=[1, 2, 3], n=100, d=4, block_size=10),
    paired=("estimate", "bound"),
    columns={
        "missed": Column("share of blocks scored below their largest sensitivity, times 2^t"),
        "excess": Column("largest score of a block over its bound"),
    },
    presets={"quick": dict(replicates=80), "paper": dict(replicates=800)},
    block=40,
    algorithm="estimate",
)
def block_scores(*, p, repeats, n, d, block_size, estimate="signs", bound="sum", rng):
    """Scores of blocks of rows from t = `repeats` random signed sums, against exact ones.

    They are bounded by |J|^(p-1) times the "sum" of the sensitivities of the block J, or in
    another way of BOUNDS. The algorithm is ``estimate(A, p, block_size, n_repeats, rng) ->
    scores``, one per block.
    """
    A = heavy_tailed(n, d, df=2, rng=rng)
    exact = sensitivities(A, p).values.reshape(-1, block_size)
    estimate = {"signs": sign_blocks, **BLOCKS}.get(estimate, estimate)
    found = estimate(A, p, block_size, repeats, rng)
    return {
        "missed": 2**repeats * np.mean(found < exact.max(axis=1) * (1 - 1e-8)),
        "excess": np.max(found / BOUNDS[bound](exact, p)),
    }


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


@claim(
    "sensitivity-sampling/block-scores-bounded",
    theorem="abstract (sensitivities of blocks of rows); derived here",
    status="ours",
    statement=r"A signed sum of the rows of a block $J$ has at most the sensitivity "
    r"$|J|^{p-1}\sum_{j\in J}\sigma_j$, whatever the signs.",
    experiment=block_scores,
    at=dict(p=3, repeats=3),
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=ASSUMPTIONS,
    control=(
        Control("the factor |J|^(p-1) forgotten, as if p were 1", bound="sum alone"),
        Control("the mean over the block in the place of the sum", bound="mean"),
    ),
)
def block_scores_bounded(table):
    """Share of matrices with a block scored above its bound."""
    return violations_estimate(int((table["excess"] > 1 + 1e-8).sum()), len(table))


def by_volume(A, p):
    """Bound the largest sensitivity by d rows of locally maximal volume."""
    return A.shape[1] ** p * max_sensitivity(A, p, size=1).lower


def by_design(A, p):
    """Bound it by the rows of a design, of weights above a tenth of the mean."""
    w = lewis_weights_onesided(A, np.inf, 60).weights
    rows = np.flatnonzero(w > 0.1 * A.shape[1] / len(A))
    return design_factor(A, rows, w[rows]) ** (p / 2) * sensitivities(A, p, rows=rows).values.max()


def design_factor(A, rows, w):
    """Return the largest a' M^-1 a of a row of A, M the mean of `rows` with weights w."""
    M = (A[rows].T * (w / w.sum())) @ A[rows]
    return np.max(np.sum(A * np.linalg.solve(M, A.T).T, axis=1))


def by_first_rows(A, p):
    """Bound it by the first d rows: an arbitrary basis."""
    d = A.shape[1]
    return d**p * sensitivities(A, p, rows=range(d)).values.max()


def by_long_rows(A, p):
    """Bound it by the d rows of the largest norms, which may be nearly dependent."""
    rows = np.argsort(np.linalg.norm(A, axis=1))[-A.shape[1] :]
    return A.shape[1] ** p * sensitivities(A, p, rows=rows).values.max()


LARGEST = {
    "volume": by_volume,
    "design": by_design,
    "first rows": by_first_rows,
    "long rows": by_long_rows,
}


@experiment(
    "sensitivity-sampling/largest",
    paper=PAPER,
    design=grid(p=[1, 3], bound="volume"),
    paired=("bound",),
    columns={
        "family": Column("family of the random matrix", dtype="str"),
        "excess": Column("largest sensitivity over its bound"),
    },
    presets={"quick": dict(replicates=100), "paper": dict(replicates=1000)},
    block=50,
    algorithm="bound",
)
def largest(*, p, bound, rng):
    """Largest sensitivity of a random matrix over a bound from few of them.

    The algorithm is ``bound(A, p) -> float``.
    """
    family, A = random_matrix(rng)
    claimed = LARGEST.get(bound, bound)(A, p)
    return {"family": family, "excess": sensitivities(A, p).lower.max() / claimed}


ANY_MATRIX = (Assumption(FULL_RANK), Assumption("sensitivities by their certified intervals"))
BASES = (
    Control("the first d rows, an arbitrary basis", bound="first rows"),
    Control("the d longest rows, which need not be independent", bound="long rows"),
)


@claim(
    "sensitivity-sampling/largest-by-volume",
    theorem="derived here, by Cramer's rule",
    status="ours",
    statement=r"The $d$ sensitivities of rows of locally maximal volume bound all others: "
    r"$\max_i\sigma_i\le d^p\max_{j\in K}\sigma_j$.",
    experiment=largest,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=ANY_MATRIX,
    control=BASES,
)
def largest_by_volume(table):
    """Share of matrices with a sensitivity above the bound."""
    return violations_estimate(int((table["excess"] > 1 + 1e-8).sum()), len(table))


@claim(
    "sensitivity-sampling/largest-by-design",
    theorem="abstract: the largest within sqrt(d) at p = 1 from order d sensitivities",
    statement=r"The rows $K$ of a design $M=\sum_Kv_ja_ja_j^\top$, $\sum v_j=1$, bound all "
    r"sensitivities: $\max_i\sigma_i\le D^{p/2}\max_{j\in K}\sigma_j$ with "
    r"$D=\max_ia_i^\top M^{-1}a_i$, which is $d$ for a D-optimal one; here $D\approx d$.",
    experiment=largest,
    at=dict(bound="design"),
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(*ANY_MATRIX, Assumption("one-sided Lewis weights of p = infinity as the design")),
    control=BASES,
)
def largest_by_design(table):
    """Share of matrices with a sensitivity above the bound."""
    return violations_estimate(int((table["excess"] > 1 + 1e-8).sum()), len(table))
