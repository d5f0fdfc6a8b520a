"""Symmetric gradient descent in the population: 1/T when over-parameterised, linear when exact."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate, slope_estimate
from theorytk.matrix_sensing import init_symmetric_factor
from theorytk.matrix_sensing.theory import symmetric_asymptote, symmetric_exact_contraction

from .common import PAPER, bounded, population, rates, schedule

ASSUMPTIONS = (
    Assumption("infinitely many measurements: the operator is the identity"),
    Assumption("Gaussian initial factor, entries of variance alpha^2 / n"),
)
DOUBLED = Control("the factor 1/4 of the loss read as 1/2: every step is doubled", step_scale=2)


@experiment(
    "matrix-sensing/symmetric-gd",
    paper=PAPER,
    design=grid(
        n=50,
        singular_values=(1, 0.75, 0.5),
        k=[3, 4, 5, 8],
        alpha=[0.1, 0.3],
        step_size=0.1,
        steps=20_000,
    ),
    paired=("k", "alpha", "rule", "step_scale", "scale_power"),
    columns={
        "iteration": Column("iteration", dtype="int"),
        "error": Column("||X X' - M||_F; infinite after divergence", infinite=True),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    algorithm="rule",
)
def symmetric_gd(
    *,
    n,
    singular_values,
    k,
    alpha,
    step_size,
    steps,
    rule="gradient",
    step_scale=1,
    scale_power=1,
    rng,
):
    """Descent on ||X X' - M||_F^2 / 4 from X_0 with entries N(0, alpha^2 / n).

    The algorithm is an update rule ``rule(X, X, residual, step_size) -> (X_next, anything)``, where
    ``residual(X, X)`` returns X X' - M; a class is instantiated once per replicate.
    """
    X0 = init_symmetric_factor(n, k, scale=alpha**scale_power, rng=rng)
    iteration, error = population(
        singular_values, X0, rule=rule, step_size=step_size * step_scale, record=schedule(steps)
    )
    return {"iteration": iteration, "error": error}


@claim(
    "matrix-sensing/symmetric-overparam-slope",
    theorem="Theorem 3.1",
    statement=r"With $k>r$ columns symmetric gradient descent from a random start is no faster "
    r"than $\Vert X_TX_T^\top-M^\star\Vert_F^2=\Omega(T^{-2})$, and that is its rate.",
    experiment=symmetric_gd,
    at=dict(k=5, alpha=[0.3, 0.5], step_size=0.4, steps=5000),
    region=Between(-2.05, -1.93),
    reason="1/E = 1/b^2 + 2 eta T: at eta T = 200 the first term is 6% of the second",
    assumptions=ASSUMPTIONS,
    control=(
        Control("as many columns as the rank: nothing is over-parameterised", k=3),
        Control("a learning-rate decay (1 + t)^-0.03 left on", rule="decaying"),
    ),
)
def symmetric_overparam_slope(table):
    """Slope of log error^2 on log T over the last decade of T, per alpha."""
    late = table[table["iteration"] >= table["iteration"].max() / 10]
    errors = by_replicate(late, "error", by=("alpha",))
    log_t = np.log(late["iteration"].unique())
    return {label: slope_estimate(log_t, 2 * np.log(bounded(e))) for label, e in errors.items()}


@claim(
    "matrix-sensing/symmetric-overparam-constant",
    theorem="Theorem 3.1; the constant derived here (D2)",
    status="ours",
    statement=r"With $k>r$ columns $1/\Vert E_T\Vert_F$ grows linearly in $T$ with the slope "
    r"$2\eta/\sqrt{k-r}$, whatever $\alpha$, the singular values and $n$.",
    experiment=symmetric_gd,
    at=dict(k=[4, 5, 8]),
    region=Between(0.995, 1.005),
    reason="the next term of the expansion is logarithmic in T: below 0.5% for T > 2000",
    assumptions=ASSUMPTIONS,
    control=(DOUBLED, Control("steps 0.57% longer than reported", step_scale=1.0057)),
)
def symmetric_overparam_constant(table):
    """Slope of 1/error on T, T > 2000, over its law; per k and alpha."""
    late = table[table["iteration"] >= 2000]
    t = late["iteration"].unique()
    n, r, step_size = late["n"].iloc[0], len(late["singular_values"].iloc[0]), late["step_size"]
    unit = {k: symmetric_asymptote(n, r, k, 1, step_size=step_size.iloc[0]) for k in set(late["k"])}
    late = late.assign(inverse=late["k"].map(unit).astype(float) / bounded(late["error"]))
    inverses = by_replicate(late, "inverse", by=("k", "alpha"))
    return {label: slope_estimate(t, values) for label, values in inverses.items()}


@claim(
    "matrix-sensing/symmetric-exact-linear",
    theorem="abstract (k = r); the constant derived here (D3)",
    statement=r"With $k=r$ columns the error tends to $0$ linearly; asymptotically "
    r"$\Vert E_t\Vert_F\propto(1-\eta\sigma_r)^t$.",
    experiment=symmetric_gd,
    at=dict(k=3, steps=800),
    region=Between(0.99, 1.01),
    reason="asymptotic law; the window 1e-11 < error < 1e-4 leaves a transient well below 1%",
    assumptions=ASSUMPTIONS,
    control=(DOUBLED, Control("steps 0.975% longer than reported", step_scale=1.009747)),
)
def symmetric_exact_linear(table):
    """Tail rate over -log(1 - eta sigma_r), per alpha."""
    step_size, sigma_r = table["step_size"].iloc[0], min(table["singular_values"].iloc[0])
    predicted = -np.log(symmetric_exact_contraction(sigma_r, step_size))
    return {k: mean_estimate(v / predicted) for k, v in rates(table, by=("alpha",)).items()}


@claim(
    "matrix-sensing/symmetric-plateau",
    theorem="derived here (D2)",
    status="ours",
    statement=r"For $1/\eta\sigma_r\ll T\ll1/(\eta\alpha^2)$ over-parameterised symmetric descent "
    r"rests on a plateau $\Vert E_T\Vert_F\propto\alpha^2$: a smaller start only postpones the "
    r"$1/T$ law.",
    experiment=symmetric_gd,
    at=dict(k=5, alpha=[0.005, 0.01], steps=500),
    region=Between(1.95, 2),
    reason="the slope is a mean of 2 / (1 + 2 eta T b^2), with b^2 < 2 alpha^2 at these sizes",
    assumptions=ASSUMPTIONS,
    control=(
        Control("alpha^2 / n read as alpha / n: the variance taken for its root", scale_power=0.5),
        Control("a scale of alpha^1.009", scale_power=1.009),
    ),
)
def symmetric_plateau(table):
    """Slope of log error at the last iteration on log alpha."""
    last = table[table["iteration"] == table["iteration"].max()].sort_values("alpha")
    error = np.stack([g["error"] for _, g in last.groupby("replicate")])
    return slope_estimate(np.log(last["alpha"].unique()), np.log(bounded(error)))
