"""Total sensitivities of explicit and of structured matrices."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate
from theorytk.sensitivity.matrices import (
    flat_block,
    polynomial_features,
    sparse_plus_low_rank,
    stacked_identity,
    vandermonde,
)
from theorytk.sensitivity.matrix_laws import (
    flat_block_total,
    flat_block_total_limit,
    polynomial_features_total_bound,
    sparse_low_rank_total_bound,
    vandermonde_total_bound,
)
from theorytk.sensitivity.sampling_laws import ROW_LAWS
from theorytk.sensitivity.sensitivities import sensitivities

from .common import PAPER

ROUNDING = 1e-8
REASON = "a violation is a ratio above 1 + 1e-8: the width of the certified intervals, 1e-9"


def weighted_polynomials(n, d, rng):
    """Return polynomials of degree below d at uniform nodes of log-normal weights."""
    weights = np.exp(rng.standard_normal((n, 1)))
    return weights * vandermonde(rng.uniform(-1, 1, n), d)


EXPLICIT = {
    "flat": (lambda n, d, rng: flat_block(d), flat_block_total),
    "stacked": (lambda n, d, rng: stacked_identity(d, n // d, 1), lambda d, p: d),
    "gaussian": (lambda n, d, rng: rng.standard_normal((n, d)), flat_block_total_limit),
    "polynomial": (weighted_polynomials, vandermonde_total_bound),
}


@experiment(
    "sensitivity-sampling/totals",
    paper=PAPER,
    design=grid(family=list(EXPLICIT), d=[3, 5, 8], p=[1, 4], n=240, law="exact"),
    paired=("law",),
    columns={
        "total": Column("total sensitivity"),
        "known": Column("its law: exact, a limit for Gaussian rows, a bound for polynomials"),
    },
    presets={"quick": dict(replicates=2), "paper": dict(replicates=20, d=[3, 5, 8, 12])},
)
def totals(*, family, d, p, n, law, rng):
    """Total sensitivities; those of flat and stacked rows, all alike, from three random rows."""
    build, known = EXPLICIT[family]
    A = build(n, d, rng)
    alike = family in ("flat", "stacked")
    rows = rng.choice(len(A), min(3, len(A)), replace=False) if alike else np.arange(len(A))
    total = sensitivities(A, p, rows=rows).total * len(A) / len(rows)
    return {"total": total, "known": (flat_block_total_limit if law == "limit" else known)(d, p)}


@claim(
    "sensitivity-sampling/flat-block-total",
    theorem="derived here, by the symmetry of the rows",
    status="ours",
    statement=r"The flat block of all sign rows has the total sensitivity "
    r"$d^p/\mathbb E|\epsilon_1+\dots+\epsilon_d|^p$, of order $d^{p/2}$ for every $p\ge1$.",
    experiment=totals,
    at=dict(family="flat", p=[1, 1.5, 3, 4]),
    kind="identity",
    region=AtMost(1e-8),
    reason="certified intervals of relative width 1e-9, and rounding",
    assumptions=(Assumption("all rows alike, so that three stand for all"),),
    control=Control("the limit of large d in the place of the finite sum", law="limit"),
)
def flat_total(table):
    """Largest relative error of the closed form, per p."""
    error = np.abs(table["total"] / table["known"] - 1)
    return {f"p={p:g}": exact_estimate(e.max(), len(e)) for p, e in error.groupby(table["p"])}


STRUCTURES = {
    "polynomial": (weighted_polynomials, vandermonde_total_bound),
    "features": (
        lambda n, g, rng: polynomial_features(rng.standard_t(3, (n, 2)), g),
        lambda g, p: polynomial_features_total_bound(2, g, p),
    ),
    "sparse-low-rank": (
        lambda n, d, rng: sparse_plus_low_rank(n, d, rank=1, sparsity=1, rng=rng),
        lambda d, p: sparse_low_rank_total_bound(d, 1, 1, p),
    ),
}
SIZES = {"polynomial": (4, 7, 10), "features": (1, 2, 3), "sparse-low-rank": (6, 10, 14)}


@experiment(
    "sensitivity-sampling/structured",
    paper=PAPER,
    design=grid(family=list(STRUCTURES), p=[4, 6], n=100, level=2, entries="structured", read_p=0),
    paired=("entries", "read_p"),
    columns={
        "columns": Column("columns d", dtype="int"),
        "total": Column("total sensitivity"),
        "bound": Column("total sensitivity over its bound"),
        "orders": Column("order of rows by sensitivities, S^(2-2/p), over that by Lewis weights"),
    },
    presets={"quick": dict(replicates=12), "paper": dict(replicates=48, n=160)},
    block=6,
)
def structured(*, family, p, n, level, entries, read_p, rng):
    """Totals of structured matrices over their bounds, read at the exponent `read_p` or p.

    `level` counts the three sizes of a family from 0: columns, or the degree of features. With
    `entries` "gaussian" the matrix is Gaussian of the same shape.
    """
    (build, bound), size = STRUCTURES[family], SIZES[family][level]
    A = build(n, size, rng)
    if entries == "gaussian":
        A = rng.standard_normal(A.shape)
    total, d = sensitivities(A, p).lower.sum(), A.shape[1]
    rows = {name: ROW_LAWS[name].rows(total, d, p) for name in ("sensitivity", "lewis")}
    return {
        "columns": d,
        "total": total,
        "bound": total / bound(size, read_p or p),
        "orders": rows["sensitivity"] / rows["lewis"],
    }


GAUSSIAN = Control("Gaussian columns in the place of the structured ones", entries="gaussian")


@claim(
    "sensitivity-sampling/structured-totals",
    theorem="structured matrices (Section 1); the bounds derived here",
    statement=r"With $k=\lceil p/2\rceil$, polynomials of degree below $d$ at any nodes have "
    r"$\mathfrak S\le k(d-1)+1$, those of degree $g$ in $v$ variables "
    r"$\mathfrak S\le\binom{v+gk}{gk}$, and sparse plus low-rank matrices "
    r"of rank $r$ with $s$ non-zeros a row $\mathfrak S\le\binom ds(r+s)^{p/2}$; in general "
    r"$d^{p/2}$ is possible.",
    experiment=structured,
    kind="refutable",
    region=AtMost(0),
    reason=REASON,
    assumptions=(Assumption("random nodes and weights, t variables, rank 1 and one non-zero"),),
    control=(GAUSSIAN, Control("the bound of p = 2, the rank, taken for all p", read_p=2)),
)
def structured_totals(table):
    """Share of matrices above their bound, per structure."""
    return {
        family: violations_estimate(int((g["bound"] > 1 + ROUNDING).sum()), len(g))
        for family, g in table.groupby("family")
    }


@claim(
    "sensitivity-sampling/polynomials-beat-lewis",
    theorem="abstract (structured matrices); the inequality derived here",
    statement=r"For polynomials of degree below $d=10$ and $p=4,6$ the order "
    r"$\mathfrak S^{2-2/p}$ of rows sampled by sensitivities is below the order $d^{p/2}$ of rows "
    r"sampled by Lewis weights.",
    experiment=structured,
    at=dict(family="polynomial"),
    kind="refutable",
    region=AtMost(0),
    reason="it follows from the bound on the total: (2d-1)^(3/2) < d^2, (3d-2)^(5/3) < d^3",
    assumptions=(Assumption("orders only: constants and logarithms are not compared"),),
    control=GAUSSIAN,
)
def polynomials_beat_lewis(table):
    """Share of matrices for which Lewis weights have the smaller order."""
    return violations_estimate(int((table["orders"] > 1).sum()), len(table))
