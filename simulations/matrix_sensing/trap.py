"""A trap: measured by symmetric matrices, asymmetric factors do not escape the slow rate."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, Between, slope_estimate
from theorytk.matrix_sensing import GaussianSensing, init_factors, log_schedule, low_rank_matrix

from .common import PAPER, walk

ASSUMPTIONS = (
    Assumption("symmetric Gaussian measurements of a positive semidefinite matrix"),
    Assumption("independent Gaussian factors, entries of variance alpha^2 / n and (c alpha)^2 / n"),
)
PLAIN = Control("measurement matrices that are not symmetric", ensemble="plain")


@experiment(
    "matrix-sensing/symmetric-measurements",
    paper=PAPER,
    design=grid(
        n=12,
        singular_values=(1, 0.75),
        extra_columns=2,
        m=3000,
        alpha=1,
        step_size=0.4,
        duration=1600,
    ),
    paired=("extra_columns", "alpha", "duration", "ensemble", "rule", "scale_power"),
    columns={
        "iteration": Column("iteration", dtype="int"),
        "symmetric_error": Column("||sym(F G' - M)||_F; 1e150 after divergence"),
        "skew_error": Column("||skew(F G' - M)||_F; 1e150 after divergence"),
    },
    presets={
        "quick": dict(replicates=20),
        "paper": dict(replicates=50, n=30, singular_values=(1, 0.75, 0.5), m=12_000),
    },
    algorithm="rule",
)
def symmetric_measurements(
    *,
    n,
    singular_values,
    extra_columns,
    m,
    alpha,
    step_size,
    duration,
    ensemble="symmetric",
    rule="gradient",
    scale_power=1,
    rng,
):
    """Descent with k = r + extra_columns columns for duration / (eta alpha^2) iterations.

    The algorithm is an update rule ``rule(F, G, residual, step_size) -> (F_next, G_next)``, where
    ``residual(F, G)`` returns A*A(F G' - M); a class is instantiated once per replicate.
    """
    truth = low_rank_matrix(n, singular_values=singular_values, psd=True, rng=rng)
    k = len(singular_values) + extra_columns
    F0, G0 = init_factors(n, n, k, scale=alpha**scale_power, rng=rng)
    operator = GaussianSensing(m, n, symmetric=ensemble == "symmetric", storage="gram", rng=rng)
    record = log_schedule(round(duration / (step_size * alpha**2)))
    path = walk(operator, truth, F0, G0, rule=rule, step_size=step_size, record=record)
    symmetric, skew = parts_of_error(path, truth, len(record))
    return {"iteration": record, "symmetric_error": symmetric, "skew_error": skew}


def parts_of_error(path, truth, length):
    """Return the norms of both parts of the error along a path; 1e150 after divergence."""
    parts = np.full((2, length), 1e150)
    for i, (_, F, G) in enumerate(path):
        with np.errstate(over="ignore", invalid="ignore"):
            E = F @ G.T - truth
            now = np.linalg.norm(E + E.T) / 2, np.linalg.norm(E - E.T) / 2
        if np.isfinite(now).all():
            parts[:, i] = now
    return parts


@claim(
    "matrix-sensing/symmetric-measurements-slope",
    theorem="derived here: P' = -RP, N' = RN for F = P + N, G = P - N",
    status="ours",
    statement=r"If every $A_i$ is symmetric, asymmetric factors converge no faster than "
    r"over-parameterised symmetric ones, $\Vert\operatorname{sym}E_T\Vert_F^2\propto T^{-2}$, even "
    r"with $k=r$ columns.",
    experiment=symmetric_measurements,
    at=dict(extra_columns=[0, 2]),
    region=Between(-2.05, -1.95),
    reason="1/E grows like T up to a relative log(x) / x, x = eta alpha^2 T: 1.5% at x = 400; "
    "finitely many measurements cost about as much",
    assumptions=ASSUMPTIONS,
    control=(PLAIN, Control("a learning-rate decay (1 + t)^-0.03 left on", rule="decaying")),
)
def symmetric_measurements_slope(table):
    """Slope of log ||sym E||^2 on log T over the last factor 4 of T, per k - r."""
    return _slopes(table, "symmetric_error", within=4, power=2)


@claim(
    "matrix-sensing/symmetric-measurements-skew-stays",
    theorem="derived here: P' = -RP, N' = RN for F = P + N, G = P - N",
    status="ours",
    statement=r"If every $A_i$ is symmetric, over-parameterised descent learns nothing of the "
    r"skew part of $FG^\top$: its error does not tend to $0$.",
    experiment=symmetric_measurements,
    region=AtLeast(-0.25),
    reason="the flow conserves P'N, which for k > r leaves a floor (slope 0); without one the skew "
    "error follows x' = -x^3 (slope -1/2)",
    assumptions=ASSUMPTIONS,
    control=(
        PLAIN,
        Control("a weight decay of 1e-3 left on", rule="weight-decay"),
    ),
)
def symmetric_measurements_skew_stays(table):
    """Slope of log ||skew E|| on log T over the last factor 40 of T."""
    return _slopes(table, "skew_error", within=40)


@claim(
    "matrix-sensing/symmetric-measurements-skew-scale",
    theorem="derived here: P' = -RP, N' = RN for F = P + N, G = P - N",
    status="ours",
    statement=r"If every $A_i$ is symmetric, the skew error that remains is proportional to "
    r"$\alpha$.",
    experiment=symmetric_measurements,
    at=dict(alpha=[0.1, 0.5], duration=10),
    region=Between(0.85, 1.15),
    reason="at equal eta alpha^2 T; the relative correction is of order alpha^2 = 0.25, and "
    "log(1.25) / log(5) = 0.14",
    assumptions=ASSUMPTIONS,
    control=(
        Control("standard deviation and variance confused", scale_power=0.5),
        Control("the scale entered as alpha^1.55", scale_power=1.55),
    ),
)
def symmetric_measurements_skew_scale(table):
    """Slope of the log of the final skew error on log alpha."""
    levels = by_replicate(table, "skew_error", by=("alpha",))
    alphas = np.sort(table["alpha"].unique())
    final = np.column_stack([levels[f"alpha={a:g}"][:, -1] for a in alphas])
    return slope_estimate(np.log(alphas), np.log(final))


def _slopes(table, column, within, power=1):
    """Return slopes of power * log error on log T; below 1e-300 an error counts as that."""
    late = table[table["iteration"] >= table["iteration"].max() / within]
    log_t = np.log(late["iteration"].unique())
    levels = by_replicate(late, column, by=("extra_columns",))
    return {
        k: slope_estimate(log_t, power * np.log(np.maximum(e, 1e-300))) for k, e in levels.items()
    }
