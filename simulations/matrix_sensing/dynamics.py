"""How a small start learns the truth: when it escapes, in which order, and what it cannot learn."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, mean_estimate, slope_estimate
from theorytk.matrix_sensing import init_symmetric_factor
from theorytk.matrix_sensing.predictions import learning_times
from theorytk.matrix_sensing.theory import eckart_young_error

from .common import PAPER, bounded, descend, population_problem, walk

ASSUMPTIONS = (
    Assumption("infinitely many measurements: the operator is the identity"),
    Assumption("Gaussian initial factor, entries of variance alpha^2 / n, alpha far below sigma_r"),
)
VARIANCE = Control(
    "alpha^2 / n read as alpha / n: the variance taken for its root", scale_power=0.5
)


@experiment(
    "matrix-sensing/learning-times",
    paper=PAPER,
    design=grid(n=50, singular_values=(1, 0.5, 0.25), k=5, alpha=1e-6, step_size=0.1, steps=800),
    paired=("alpha", "rule", "step_scale", "scale_power"),
    columns={
        "index": Column("which eigenvalue, from the largest", dtype="int"),
        "time": Column("iteration at which it is half learned, interpolated; `steps` if never"),
        "predicted": Column("what theory says from the initial factor at the nominal scale"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    algorithm="rule",
)
def learning(
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
    """Descent on ||X X' - M||_F^2 / 4; eigenvalue i is half learned at (X X')_ii = sigma_i / 2.

    The algorithm is an update rule ``rule(X, X, residual, step_size) -> (X_next, anything)``, where
    ``residual(X, X)`` returns X X' - M; a class is instantiated once per replicate.
    """
    unit = init_symmetric_factor(n, k, scale=1, rng=rng)
    signal = slice(len(singular_values))
    path = walk(
        *population_problem(singular_values, alpha**scale_power * unit, rule=rule),
        rule=rule,
        step_size=step_size * step_scale,
        record=range(steps + 1),
    )
    learned = np.array([np.sum(np.clip(X[signal], -1e99, 1e99) ** 2, axis=1) for _, X, _ in path])
    return {
        "index": np.arange(1, len(singular_values) + 1),
        "time": [
            half_time(c, s / 2, steps) for c, s in zip(learned.T, singular_values, strict=True)
        ],
        "predicted": learning_times(singular_values, alpha * unit[signal], step_size),
    }


def half_time(curve, level, steps):
    """Return when the positive `curve` first reaches `level`, interpolated in its logarithm."""
    t = int(np.argmax(curve >= level))
    if curve[t] < level:
        return float(steps)
    if t == 0:
        return 0.0
    return t - float(np.log(curve[t] / level) / np.log(curve[t] / curve[t - 1]))


@claim(
    "matrix-sensing/escape-log-alpha",
    theorem="derived here (escape from a small start)",
    status="ours",
    statement=r"For rank one the truth is half learned after $\log(1/\alpha)/\log(1+\eta\sigma_1)$ "
    r"iterations, up to a constant: a small start costs only a logarithm.",
    experiment=learning,
    at=dict(singular_values=(1,), alpha=[1e-2, 1e-3, 1e-4, 1e-5, 1e-6], steps=400),
    region=Between(0.995, 1.005),
    reason="the constant depends on alpha by O(alpha^2 / sigma_1) and on the phase of the "
    "iterations by under half of one, out of 97",
    assumptions=ASSUMPTIONS,
    control=(VARIANCE, Control("a scale of alpha^1.00512", scale_power=1.00512)),
)
def escape_log_alpha(table):
    """Slope of the time on the predicted time, over alpha."""
    rows = table.sort_values("alpha")
    by = {c: np.stack([g[c] for _, g in rows.groupby("replicate")]) for c in ("time", "predicted")}
    return slope_estimate(by["predicted"], by["time"])


@claim(
    "matrix-sensing/incremental-learning",
    theorem="derived here (escape from a small start, with deflation)",
    status="ours",
    statement=r"From a small start the eigenvalues are learned one after another; $\sigma_i$ is "
    r"half learned after $\log(\sqrt{\sigma_i}/a_i)/\log(1+\eta\sigma_i)$ iterations, $a_i$ being "
    r"the norm of the $i$-th signal row of $X_0$ orthogonal to the rows before it.",
    experiment=learning,
    region=Between(0.995, 1.005),
    reason="the law takes the saturation from the flow, which to leading order in eta is late by "
    "3 log(2) / 4 = 0.52 of an iteration, of 140 or more",
    assumptions=ASSUMPTIONS,
    control=(
        Control("damped ScaledGD, which learns all eigenvalues at one speed", rule="damped"),
        Control("a scale of alpha^1.0094", scale_power=1.0094),
    ),
)
def incremental_learning(table):
    """Mean ratio of the time to its prediction, per eigenvalue."""
    ratio = table["time"] / table["predicted"]
    return {f"index={i}": mean_estimate(v) for i, v in ratio.groupby(table["index"])}


@experiment(
    "matrix-sensing/symmetric-underparam",
    paper=PAPER,
    design=grid(
        n=20, singular_values=(1, 0.8, 0.5, 0.2), k=[1, 2, 3], alpha=0.1, step_size=0.2, steps=2000
    ),
    paired=("k", "rule"),
    columns={"excess": Column("|error / law - 1| at the end")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    algorithm="rule",
)
def underparam(*, n, singular_values, k, alpha, step_size, steps, rule="gradient", rng):
    """Descent on ||X X' - M||_F^2 / 4 with fewer columns than the rank.

    The algorithm is an update rule ``rule(X, X, residual, step_size) -> (X_next, anything)``, where
    ``residual(X, X)`` returns X X' - M; a class is instantiated once per replicate.
    """
    X0 = init_symmetric_factor(n, k, scale=alpha, rng=rng)
    problem = population_problem(singular_values, X0, rule=rule)
    _, error = descend(*problem, rule=rule, step_size=step_size, record=[0, steps])
    return {"excess": abs(bounded(error[-1]) / eckart_young_error(singular_values, k) - 1)}


@claim(
    "matrix-sensing/eckart-young",
    theorem="derived here (D3'), with Eckart and Young (1936)",
    status="ours",
    statement=r"With $k<r$ columns symmetric gradient descent ends at the best approximation of "
    r"rank $k$: $\Vert E_t\Vert_F\to(\sum_{i>k}\sigma_i^2)^{1/2}$.",
    kind="identity",
    experiment=underparam,
    region=AtMost(1e-12),
    reason="rounding of a norm; the transient has shrunk below 1e-16 after 2000 steps",
    assumptions=(
        ASSUMPTIONS[0],
        Assumption("the start is none of the null set that ends at a saddle", checked=False),
    ),
    control=Control("a weight decay of 1e-3 left on", rule="weight-decay"),
)
def eckart_young(table):
    """Largest relative departure from the law, over k and replicates."""
    return exact_estimate(table["excess"].max(), n=len(table))
