"""What holds for the scores of every matrix: comparisons, ranges and invariances."""

from __future__ import annotations

from math import ceil

import numpy as np
import scipy.linalg

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate
from theorytk.sensitivity.leverage import leverage_scores
from theorytk.sensitivity.lewis import lewis_weights
from theorytk.sensitivity.sampling_laws import ROW_LAWS, cd21_over_v1
from theorytk.sensitivity.sensitivities import sensitivities
from theorytk.sensitivity.theory import (
    sensitivity_bounds_from_leverage,
    sensitivity_bounds_from_lewis,
    total_estimator_relative_sd,
    total_sensitivity_range,
)

from .common import FULL_RANK, PAPER, random_matrix
from .mistakes import WEIGHTS

RANK = Assumption(FULL_RANK)
CERTIFIED = Assumption("sensitivities by their certified intervals, in favour of the statement")
ROUNDING = 1e-8
REASON = "a violation is a ratio above 1 + 1e-8: the width of the certified intervals, 1e-9"
FOUR_P = [1, 1.5, 3, 6]
INSTANCES = {"quick": dict(replicates=60), "paper": dict(replicates=1000)}
FAMILY = Column("family of the random matrix", dtype="str")
DOUBLED = Control("the exponent p/2 of the comparison read as p", exponent_scale=2)


def violations(table, column):
    """Return the share of instances whose ratio exceeds 1 by more than rounding."""
    return violations_estimate(int((table[column] > 1 + ROUNDING).sum()), len(table))


def outside(found, bounds):
    """Return the largest factor by which a certified interval leaves its bounds; at most 1."""
    return max(np.max(bounds[0] / found.upper), np.max(found.lower / bounds[1]))


def exact_weights(A, p):
    """Return the Lewis weights, shape (n,)."""
    return lewis_weights(A, p).weights


def estimator_variance(sigma, w):
    """Return the variance of sigma_i / pi_i over S^2, rows drawn from pi = w / sum(w)."""
    return np.sum(sigma**2 / w) * w.sum() / sigma.sum() ** 2 - 1


def order_ratio(total, rank, p):
    """Return the order of rows by sensitivities over the one it improves."""
    if p <= 2:
        return cd21_over_v1(total, rank, p)
    return ROW_LAWS["sensitivity"].rows(total, rank, p) / (rank ** (p / 2 - 1) * total)


@experiment(
    "sensitivity-sampling/scores",
    paper=PAPER,
    design=grid(p=FOUR_P, exponent_scale=1, rank_scale=1),
    paired=("exponent_scale", "rank_scale", "weights"),
    columns={
        "family": FAMILY,
        "lewis": Column("largest factor by which a sensitivity leaves its bounds by Lewis weights"),
        "leverage": Column("largest factor by which it leaves its bounds by leverage scores"),
        "total": Column("factor by which the total leaves its range"),
        "variance": Column("relative variance of the Lewis estimate of the total, over its bound"),
        "orders": Column("p <= 2: rows d^(1-p/2) S over S^(2/p); else S^(2-2/p) over d^(p/2-1) S"),
    },
    presets=INSTANCES,
    block=50,
    algorithm="weights",
)
def scores(*, p, exponent_scale, rank_scale, weights="lewis", rng):
    """Sensitivities of a random matrix against all their bounds, as factors of at most 1.

    The bounds are read at the exponent p times `exponent_scale`, with a rank too large by
    `rank_scale`. The algorithm is ``weights(A, p) -> w``, shape (n,): the Lewis weights.
    """
    family, A = random_matrix(rng)
    found, read, rank = sensitivities(A, p), p * exponent_scale, ceil(A.shape[1] * rank_scale)
    w = {"lewis": exact_weights, **WEIGHTS}.get(weights, weights)(A, p)
    low, high = total_sensitivity_range(rank, read)
    return {
        "family": family,
        "lewis": outside(found, sensitivity_bounds_from_lewis(w, read, rank)),
        "leverage": outside(found, sensitivity_bounds_from_leverage(leverage_scores(A), read)),
        "total": max(low / found.upper.sum(), found.lower.sum() / high),
        "variance": estimator_variance(found.values, w)
        / total_estimator_relative_sd(rank, p, 1) ** 2,
        "orders": order_ratio(found.total, rank, p),
    }


@claim(
    "sensitivity-sampling/lewis-sandwich",
    theorem="footnote of version 2 (Chen, Derezinski 2021) for p < 2; the rest derived here",
    statement=r"Sensitivities $\sigma_i$ and Lewis weights $w_i$ differ by at most a power of the "
    r"rank: $d^{p/2-1}w_i\le\sigma_i\le w_i$ for $p\le2$ and "
    r"$w_i\le\sigma_i\le d^{p/2-1}w_i$ for $p\ge2$.",
    experiment=scores,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK, CERTIFIED),
    control=(
        Control("weights by tau^(p/2), the two equations of Lewis mixed", weights="mixed"),
        DOUBLED,
    ),
)
def lewis_sandwich(table):
    """Share of instances with a sensitivity outside its bounds by Lewis weights."""
    return violations(table, "lewis")


@claim(
    "sensitivity-sampling/leverage-comparison",
    theorem="properties of sensitivities (appendix); derived again here",
    statement=r"Sensitivities and leverage scores $\tau_i$ of $n$ rows: "
    r"$n^{p/2-1}\tau_i^{p/2}\le\sigma_i\le\tau_i^{p/2}$ for $p\le2$ and "
    r"$\tau_i^{p/2}\le\sigma_i\le n^{p/2-1}\tau_i^{p/2}$ for $p\ge2$.",
    experiment=scores,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK, CERTIFIED),
    control=DOUBLED,
)
def leverage_comparison(table):
    """Share of instances with a sensitivity outside its bounds by leverage scores."""
    return violations(table, "leverage")


@claim(
    "sensitivity-sampling/total-range",
    theorem="Section 1; the sum of the comparison with Lewis weights",
    statement=r"The total sensitivity $\mathfrak S$ lies between $d$ and $d^{p/2}$, both ends "
    r"included, for every $p\ge1$.",
    experiment=scores,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK, CERTIFIED),
    control=(
        Control("columns counted of which half are copies of others", rank_scale=2),
        DOUBLED,
    ),
)
def total_range(table):
    """Share of instances with a total outside its range."""
    return violations(table, "total")


@claim(
    "sensitivity-sampling/total-estimate-variance",
    theorem="derived here, for the estimator of Padmanabhan, Woodruff, Zhang (2023)",
    status="ours",
    statement=r"The mean of $d\sigma_i/w_i$ over $m$ rows drawn with probabilities $w_i/d$ has "
    r"the relative variance $(d^{|1-p/2|}-1)/m$ at most.",
    experiment=scores,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK,),
    control=(
        Control("rows drawn uniformly", weights="uniform"),
        Control("weights by tau^(p/2), the two equations of Lewis mixed", weights="mixed"),
    ),
)
def total_estimate_variance(table):
    """Share of instances with a larger variance."""
    return violations(table, "variance")


@claim(
    "sensitivity-sampling/superseded-order",
    theorem="footnote of version 2",
    statement=r"For $p\le2$ the order $d^{1-p/2}\mathfrak S$ of sufficient rows (Chen, Derezinski "
    r"2021) is never above the order $\mathfrak S^{2/p}$ of version 1.",
    experiment=scores,
    at=dict(p=[1, 1.5]),
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK, Assumption("orders only: constants and logarithms are not compared")),
    control=Control("columns counted of which half are copies of others", rank_scale=2),
)
def superseded_order(table):
    """Share of instances for which the order of version 1 is the smaller one."""
    return violations(table, "orders")


@claim(
    "sensitivity-sampling/order-above-two",
    theorem="abstract; the comparison derived here, from the range of the total",
    status="ours",
    statement=r"For $p\ge2$ the order $\mathfrak S^{2-2/p}$ of rows is never above "
    r"$d^{p/2-1}\mathfrak S$, the order that follows from $\sigma_i\ge w_i$.",
    experiment=scores,
    at=dict(p=[3, 6]),
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK, Assumption("orders only: constants and logarithms are not compared")),
    control=Control("one column in four taken for a copy of another", rank_scale=0.75),
)
def order_above_two(table):
    """Share of instances for which the order of the paper is the larger one."""
    return violations(table, "orders")


@experiment(
    "sensitivity-sampling/exponents",
    paper=PAPER,
    design=grid(row="largest"),
    paired=("row",),
    columns={"family": FAMILY, "ratio": Column("largest factor lost from one p to the next")},
    presets=INSTANCES,
    block=50,
)
def exponents(*, row, rng):
    """Sensitivities of a random matrix for p = 1, 1.25, 1.5, 2, 3, 4, 6: do they grow with p?

    With `row` "largest" that of the largest sensitivity is followed, with "each" every row.
    """
    family, A = random_matrix(rng)
    found = [sensitivities(A, p) for p in (1, 1.25, 1.5, 2, 3, 4, 6)]
    lower, upper = np.array([s.lower for s in found]), np.array([s.upper for s in found])
    if row == "largest":
        lower, upper = lower.max(axis=1), upper.max(axis=1)
    return {"family": family, "ratio": np.max(lower[:-1] / upper[1:])}


@claim(
    "sensitivity-sampling/monotone-maximum",
    theorem="derived here, from the largest entry of Ax",
    status="ours",
    statement=r"The largest sensitivity $\max_i\sigma_i^p$ of a matrix does not decrease in $p$; "
    r"a single one may.",
    experiment=exponents,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(RANK, CERTIFIED),
    control=Control("said of each row in the place of the largest", row="each"),
)
def monotone_maximum(table):
    """Share of instances in which the maximum falls from one p to the next."""
    return violations(table, "ratio")


def other_basis(A, sigma, p, rng):
    """Return A T and its scores: those of A."""
    return A @ rng.standard_normal((A.shape[1],) * 2), sigma


def split_rows(A, sigma, p, rng):
    """Return A with its first row in three copies of 3^(-1/p) of it, and a third of its score."""
    copies = np.tile(A[0] * 3 ** (-1 / p), (3, 1))
    return np.vstack([copies, A[1:]]), np.append(np.full(3, sigma[0] / 3), sigma[1:])


def two_blocks(A, sigma, p, rng):
    """Return blockdiag(A, 2 A), and the scores of A twice."""
    return scipy.linalg.block_diag(A, 2 * A), np.tile(sigma, 2)


CHANGES = {"basis": other_basis, "split": split_rows, "blocks": two_blocks}


@experiment(
    "sensitivity-sampling/invariances",
    paper=PAPER,
    design=grid(change=list(CHANGES), p=[1, 1.5, 4], scaled_for=0),
    paired=("scaled_for",),
    columns={"family": FAMILY, "error": Column("largest relative error of a predicted score")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def invariances(*, change, p, scaled_for, rng):
    """Scores of a changed matrix against what they should be from those of the matrix itself.

    Copies of rows are scaled for the exponent `scaled_for`, by default p.
    """
    family, A = random_matrix(rng)
    sigma = sensitivities(A, p).values
    B, expected = CHANGES[change](A, sigma, scaled_for or p, rng)
    found = sensitivities(B, p).values
    kept = expected > 0
    return {"family": family, "error": np.max(np.abs(found[kept] / expected[kept] - 1))}


@claim(
    "sensitivity-sampling/invariances",
    theorem="Section 1, from the definition",
    statement=r"Sensitivities do not depend on the basis of the columns; a row split into $k$ "
    r"copies scaled by $k^{-1/p}$ passes $1/k$ of its score to each; blocks keep their scores.",
    experiment=invariances,
    kind="identity",
    region=AtMost(1e-8),
    reason="two certified intervals of relative width 1e-9 each, and rounding",
    assumptions=(RANK,),
    control=Control("copies scaled by k^(-1/2), as for p = 2", scaled_for=2),
)
def invariant(table):
    """Largest relative error, per change."""
    return {k: exact_estimate(g["error"].max(), len(g)) for k, g in table.groupby("change")}
