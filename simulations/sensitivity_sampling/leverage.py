"""Leverage scores in floating-point arithmetic, and their estimates by random projection."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, mean_estimate
from theorytk.sensitivity.leverage import leverage_scores, sketched_leverage_scores
from theorytk.sensitivity.matrices import hadamard_block

from .common import FULL_RANK, PAPER
from .mistakes import SKETCHES


@experiment(
    "sensitivity-sampling/leverage-accuracy",
    paper=PAPER,
    design=grid(n=256, d=6, kappa=[1e5, 1e6, 1e7], method="auto"),
    paired=("method",),
    columns={"error": Column("largest relative error of a score over condition times epsilon")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
    algorithm="method",
)
def leverage_accuracy(*, n, d, kappa, method, rng):
    """Scores of a matrix of condition number `kappa`, all of which are d/n.

    The matrix is orthogonal columns times a random matrix of geometric singular values. The
    algorithm is ``method(A) -> tau``, shape (n,), or the name of one of the library's.
    """
    U, V = (np.linalg.qr(rng.standard_normal((d, d)))[0] for _ in range(2))
    A = hadamard_block(d, n, rng=rng) @ U * np.geomspace(1, 1 / kappa, d) @ V
    tau = leverage_scores(A, method=method) if isinstance(method, str) else method(A)
    error = np.max(np.abs(tau * n / d - 1))
    return {"error": error / (kappa * np.finfo(float).eps)}


@claim(
    "sensitivity-sampling/leverage-accuracy",
    theorem="error analysis of least squares by orthogonal factors",
    status="empirical",
    statement=r"Leverage scores are computed with a relative error of order $\kappa u$, $\kappa$ "
    r"the condition number and $u$ the unit roundoff, for each row, and not $\kappa^2u$ as from "
    r"the Gram matrix.",
    experiment=leverage_accuracy,
    kind="identity",
    region=AtMost(100),
    reason="room for a constant of order d n^(1/2) = 96; the Gram matrix has a factor kappa more",
    assumptions=(
        Assumption(FULL_RANK),
        Assumption("condition numbers 1e5 to 1e7; errors of 1e-10 are let pass below"),
    ),
    control=Control("the Gram matrix without escalation", method="gram"),
)
def accurate_leverage(table):
    """Largest error over condition times epsilon, per condition number."""
    return {
        f"kappa={k:g}": exact_estimate(g["error"].max(), len(g)) for k, g in table.groupby("kappa")
    }


@experiment(
    "sensitivity-sampling/sketched-leverage",
    paper=PAPER,
    design=grid(n=20, d=6, k=8),
    paired=("sketch",),
    columns={"variance": Column("mean squared relative error of a score, times k / 2")},
    presets={"quick": dict(replicates=3000), "paper": dict(replicates=20_000)},
    block=500,
    algorithm="sketch",
)
def sketched_leverage(*, n, d, k, sketch="gaussian", rng):
    """Leverage scores of a Gaussian matrix from k random directions, against exact ones.

    The algorithm is ``sketch(A, k, rng) -> tau``, shape (n,).
    """
    A = rng.standard_normal((n, d))
    found = {"gaussian": gaussian_sketch, **SKETCHES}.get(sketch, sketch)(A, k, rng)
    return {"variance": k / 2 * np.mean((found / leverage_scores(A) - 1) ** 2)}


def gaussian_sketch(A, k, rng):
    """Estimate the scores as the library does."""
    return sketched_leverage_scores(A, k, rng=rng).scores


@claim(
    "sensitivity-sampling/sketched-leverage-variance",
    theorem="the law of a Gaussian projection",
    statement=r"A leverage score estimated from $k$ Gaussian directions is the score times "
    r"$\chi^2_k/k$: its relative variance is $2/k$.",
    experiment=sketched_leverage,
    region=Between(0.9, 1.1),
    reason="exactly 1; 10% of a variance is 5% of the error that one plans with",
    assumptions=(Assumption(FULL_RANK),),
    control=(
        Control("random signs for Gaussian directions", sketch="signs"),
        Control("the variance of directions taken as 1 / (k - 1)", sketch="one-less"),
    ),
)
def sketched_leverage_variance(table):
    """Relative variance over its law."""
    return mean_estimate(table["variance"])
