"""The best scale of the initial factors: larger ones balance slowly, smaller ones barely differ."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate, tail_rate
from theorytk.matrix_sensing import init_factors
from theorytk.matrix_sensing.predictions import optimal_scale

from .common import PAPER, population, schedule


@experiment(
    "matrix-sensing/initial-scale",
    paper=PAPER,
    design=grid(n=50, singular_values=(1, 0.75, 0.5), k=5, step_size=0.2, steps=1500),
    paired=("rule", "scale_power"),
    columns={
        "scale": Column("predicted scale of the fastest rate"),
        "relative": Column("scale of the descent in units of the predicted one"),
        "rate": Column("tail rate of the error", unit="1/iteration"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    algorithm="rule",
)
def initial_scale(*, n, singular_values, k, step_size, steps, rule="gradient", scale_power=1, rng):
    """Rates of descent from one draw at scales around the one predicted to be the best.

    The algorithm is an update rule ``rule(F, G, residual, step_size) -> (F_next, G_next)``.
    """
    F0, G0 = init_factors(n, n, k, scale=1, rng=rng)
    truth = np.diag(np.pad(singular_values, (0, n - len(singular_values))))
    best = optimal_scale(truth, F0, G0)
    relative = np.geomspace(0.6, 1 / 0.6, 17)
    rates = []
    for scale in (best * relative) ** scale_power:
        run = dict(rule=rule, step_size=step_size, record=schedule(steps, per_decade=5))
        rates.append(tail_rate(*population(singular_values, scale * F0, scale * G0, **run)))
    return {"scale": best, "relative": relative, "rate": rates}


@claim(
    "matrix-sensing/optimal-initial-scale",
    theorem="derived here (optimal_scale)",
    status="empirical",
    statement=r"The rate does not grow with $\alpha$ for ever: it peaks where "
    r"$\lambda_{\min}(F_\infty^\top F_\infty)=\lambda_r(G_\infty^\top G_\infty)$, within $15\%$ of "
    r"the scale that the first factors predict.",
    experiment=initial_scale,
    region=Between(-0.14, 0.14),
    reason="15%: the imbalance of the signal enters by its mean, and its spread of "
    "2 sqrt(k / n) = 0.6 by a fourth root",
    assumptions=(
        Assumption("infinitely many measurements: the operator is the identity"),
        Assumption("independent Gaussian factors, at scales a and a / 3"),
    ),
    control=Control("the scale taken for a variance", scale_power=0.5),
)
def optimal_initial_scale(table):
    """Mean log of the scale of the fastest rate over the predicted one."""
    fastest = table.loc[table.groupby("replicate")["rate"].idxmax()]
    return mean_estimate(np.log(fastest["relative"].to_numpy()))
