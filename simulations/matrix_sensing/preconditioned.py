"""Preconditioned and alternating methods: linear at a rate without the condition number."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, mean_estimate
from theorytk.matrix_sensing import init_factors, init_symmetric_factor
from theorytk.matrix_sensing.theory import agn_contraction, precgd_contraction

from .common import PAPER, bounded, population, rates, schedule

ASSUMPTIONS = (
    Assumption("infinitely many measurements: the operator is the identity"),
    Assumption("Gaussian initial factors"),
    Assumption("singular values 1, kappa^(-1/2), 1/kappa"),
)
RANK = 3
COLUMNS = {
    "iteration": Column("iteration", dtype="int"),
    "error": Column("Frobenius norm of the error; infinite after divergence", infinite=True),
}
PRESETS = {
    "quick": dict(replicates=20, kappa=[1, 100]),
    "paper": dict(replicates=100),
}


@experiment(
    "matrix-sensing/preconditioned-symmetric",
    paper=PAPER,
    design=grid(n=50, kappa=[1, 10, 100], k=5, alpha=0.1, step_size=0.3, steps=130),
    paired=("kappa", "rule", "step_scale"),
    columns=COLUMNS,
    presets=PRESETS,
    algorithm="rule",
)
def preconditioned(*, n, kappa, k, alpha, step_size, steps, rule="precgd", step_scale=1, rng):
    """PrecGD on ||X X' - M||_F^2 / 4 with the damping ||X X' - M||_F.

    The algorithm is an update rule ``rule(X, X, residual, step_size) -> (X_next, anything)``, where
    ``residual(X, X)`` returns X X' - M; a class is instantiated once per replicate.
    """
    X0 = init_symmetric_factor(n, k, scale=alpha, rng=rng)
    iteration, error = population(
        spectrum(kappa), X0, rule=rule, step_size=step_size * step_scale, record=schedule(steps)
    )
    return {"iteration": iteration, "error": error}


def spectrum(kappa):
    """Return the singular values, from 1 to 1 / kappa and evenly spaced in the logarithm."""
    return np.geomspace(1, 1 / kappa, RANK)


@claim(
    "matrix-sensing/precgd-factor",
    theorem="derived here (PrecGD, population)",
    status="ours",
    statement=r"PrecGD with the damping $\Vert E_t\Vert_F$ restores a linear rate for $k>r$: the "
    r"error shrinks by $(1-\eta/(1+\sqrt{k-r}))^2$ an iteration, whatever $\kappa$.",
    experiment=preconditioned,
    region=Between(0.999, 1.001),
    reason="the noise singular values become equal at a linear rate of their own, so that what "
    "their difference adds to the slope over 11 decades is of second order",
    assumptions=ASSUMPTIONS,
    control=(
        Control("a damping that does not follow the error", rule="damped"),
        Control("steps 0.095% longer than reported", step_scale=1.00095),
    ),
)
def precgd_factor(table):
    """Tail rate over its law, per kappa."""
    row = table.iloc[0]
    law = -np.log(precgd_contraction(row["n"], RANK, row["k"], row["step_size"]))
    return {label: mean_estimate(v / law) for label, v in rates(table, by=("kappa",)).items()}


@experiment(
    "matrix-sensing/alternating",
    paper=PAPER,
    design=grid(n=50, kappa=[1, 10, 100], k=5, alpha=0.1, step_size=0.5, steps=60),
    paired=("kappa", "rule", "step_scale"),
    columns=COLUMNS,
    presets=PRESETS,
    algorithm="rule",
)
def alternating(*, n, kappa, k, alpha, step_size, steps, rule="agn", step_scale=1, rng):
    """Alternating Gauss-Newton on ||F G' - M||_F^2 / 2; a whole step is alternating least squares.

    The algorithm is an update rule ``rule(F, G, residual, step_size) -> (F_next, G_next)``, where
    ``residual(F, G)`` returns F G' - M; a class is instantiated once per replicate.
    """
    F0, G0 = init_factors(n, n, k, scale=alpha, rng=rng)
    step_size *= step_scale
    iteration, error = population(
        spectrum(kappa), F0, G0, rule=rule, step_size=step_size, record=schedule(steps)
    )
    return {"iteration": iteration, "error": error}


@claim(
    "matrix-sensing/agn-factor",
    theorem="Jia et al. (2024); here from E' = (I - eta P_F) E (I - eta P_G), population",
    status="empirical",
    statement=r"Alternating Gauss-Newton restores a linear rate for $k>r$ from a random start: "
    r"asymptotically the error shrinks by $1-\eta$ an iteration, whatever $\kappa$.",
    experiment=alternating,
    region=Between(0.99, 1.01),
    reason="asymptotic law: the noise columns shrink as fast as the error and still turn in the "
    "window, which moves the slope by a fraction of a percent",
    assumptions=ASSUMPTIONS,
    control=(
        Control("the pseudo-inverse forgotten: plain gradient descent", rule="gradient"),
        Control("steps 0.88% longer than reported", step_scale=1.0088),
    ),
)
def agn_factor(table):
    """Tail rate over its law, per kappa."""
    law = -np.log(agn_contraction(table["step_size"].iloc[0]))
    return {label: mean_estimate(v / law) for label, v in rates(table, by=("kappa",)).items()}


@claim(
    "matrix-sensing/alternating-least-squares",
    theorem="derived here (population)",
    status="ours",
    kind="identity",
    statement=r"Alternating least squares ($\eta=1$) recovers $M^\star$ exactly in one iteration "
    r"from a generic start, for every $k\ge r$ and $\kappa$: the first half finds its column "
    r"space, the second its row space.",
    experiment=alternating,
    at=dict(k=[3, 5], step_size=1, steps=1),
    region=AtMost(1e-10),
    reason="rounding, times the condition number of the factors",
    assumptions=ASSUMPTIONS,
    control=(
        Control("both factors updated from the old values", rule="simultaneous-agn"),
        Control("steps 0.1% longer than reported", step_scale=1.001),
    ),
)
def alternating_least_squares(table):
    """Largest error after one iteration."""
    last = table[table["iteration"] == 1]
    return exact_estimate(bounded(last["error"].max()), n=len(last))
