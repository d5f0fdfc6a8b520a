"""The imbalance F'F - G'G: nearly conserved, and the reason for every linear rate."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtMost,
    Between,
    exact_estimate,
    slope_estimate,
    violations_estimate,
)
from theorytk.matrix_sensing import (
    GaussianSensing,
    imbalance,
    imbalance_step,
    init_factors,
    init_symmetric_factor,
    iterates,
    low_rank_matrix,
)
from theorytk.matrix_sensing.theory import worst_case_lower_bound

from .common import PAPER, population, population_problem, trace
from .mistakes import RULES

SEQUENTIAL = Control("the factors updated in turns, G with the new F", rule="sequential")
ANY_OPERATOR = Assumption("any operator; here a Gaussian one with fewer measurements than entries")


@experiment(
    "matrix-sensing/imbalance-step",
    paper=PAPER,
    design=grid(n=10, r=2, k=4, m=60, alpha=0.5, step_size=0.1, steps=30),
    paired=("rule", "step_scale"),
    columns={"residual": Column("largest entry of the identity's residual, over all steps")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    algorithm="rule",
)
def imbalance_change(*, n, r, k, m, alpha, step_size, steps, rule="gradient", step_scale=1, rng):
    """Check the exact change of the imbalance at each step of a descent with a random operator.

    The algorithm is an update rule ``rule(F, G, residual, step_size) -> (F_next, G_next)``.
    """
    operator = GaussianSensing(m, n, n, rng=rng)
    truth = low_rank_matrix(n, singular_values=np.linspace(1, 0.5, r), rng=rng)
    F0, G0 = init_factors(n, n, k, scale=alpha, rng=rng)
    path = iterates(
        operator,
        truth=truth,
        F0=F0,
        G0=G0,
        step_size=step_size * step_scale,
        max_iter=steps,
        rule=RULES.get(rule, rule) if isinstance(rule, str) else rule,
        record="all",
    )
    states = [(F, G) for _, F, G in path]
    return {"residual": _largest_residual(operator, truth, states, step_size)}


def _largest_residual(operator, truth, states, step_size):
    changes = np.diff([imbalance(F, G) for F, G in states], axis=0)
    predicted = [
        imbalance_step(F, G, operator.normal(F @ G.T - truth), step_size) for F, G in states[:-1]
    ]
    return capped(np.abs(changes - predicted).max())


def capped(value):
    """Return a float, 1e300 for what is not finite after divergence."""
    return float(np.nan_to_num(value, nan=1e300, posinf=1e300))


@claim(
    "matrix-sensing/imbalance-identity",
    theorem="derived here (imbalance_step)",
    status="ours",
    statement=r"One step of gradient descent changes the imbalance $\Delta=F^\top F-G^\top G$ by "
    r"exactly $\eta^2(G^\top R^\top RG-F^\top RR^\top F)$, for any measurements.",
    experiment=imbalance_change,
    region=AtMost(1e-13),
    reason="rounding: entries below 2, sums of 10 to 60 products, 2.2e-16 each",
    kind="identity",
    assumptions=(ANY_OPERATOR,),
    control=(SEQUENTIAL, Control("steps 0.1% longer than reported", step_scale=1.001)),
)
def imbalance_identity(table):
    """Largest residual over all steps and replicates."""
    return exact_estimate(float(table["residual"].max()), n=len(table))


@experiment(
    "matrix-sensing/imbalance-drift",
    paper=PAPER,
    design=grid(
        n=20,
        singular_values=(1, 0.5),
        k=4,
        alpha=0.5,
        duration=20,
        step_size=[0.05, 0.025, 0.0125],
    ),
    paired=("step_size", "rule"),
    columns={"drift": Column("||Delta_T - Delta_0||_F at eta T = duration")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    algorithm="rule",
)
def imbalance_drift(*, n, singular_values, k, alpha, duration, step_size, rule="gradient", rng):
    """Drift of the imbalance over a fixed time of the flow, which conserves it.

    The algorithm is an update rule ``rule(F, G, residual, step_size) -> (F_next, G_next)``.
    """
    problem = population_problem(
        singular_values, *init_factors(n, n, k, scale=alpha, rng=rng), rule=rule
    )
    record = [0, round(duration / step_size)]
    *_, F, G = trace(*problem, rule=rule, step_size=step_size, record=record)
    return {"drift": capped(np.linalg.norm(imbalance(F, G) - imbalance(*problem[2:])))}


@claim(
    "matrix-sensing/imbalance-drift-order",
    theorem="derived here (imbalance_step)",
    status="ours",
    statement=r"The flow conserves the imbalance; gradient descent lets it drift by $O(\eta)$ over "
    r"a fixed time $\eta T$.",
    experiment=imbalance_drift,
    region=Between(0.95, 1.05),
    reason="order 1; the next term is eta sigma_1 of it: 0.05 at most, over log 4",
    assumptions=(Assumption("infinitely many measurements: the operator is the identity"),),
    control=(
        Control("a weight decay of 1e-3 left on", rule="weight-decay"),
        Control("the learning rate of G 0.2% smaller", rule="unequal"),
    ),
)
def imbalance_drift_order(table):
    """Slope of log drift on log eta."""
    drift = np.hstack(list(by_replicate(table, "drift", by=("step_size",)).values()))
    return slope_estimate(
        np.log(np.sort(table["step_size"].unique())), np.log(np.maximum(drift, 1e-300))
    )


@experiment(
    "matrix-sensing/symmetric-start",
    paper=PAPER,
    design=grid(n=10, r=2, k=4, m=80, alpha=0.3, step_size=0.1, steps=1000),
    paired=("rule", "noise"),
    columns={"distance": Column("largest distance of F G' from X X', Frobenius norm")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    algorithm="rule",
)
def symmetric_start(*, n, r, k, m, alpha, step_size, steps, rule="gradient", noise=0, rng):
    """Distance of asymmetric descent from G_0 = F_0 (1 + noise z) to symmetric gradient descent.

    The sensing matrices and the truth are symmetric. The algorithm is an update rule
    ``rule(F, G, residual, step_size) -> (F_next, G_next)``, the symmetric path's stays.
    """
    operator = GaussianSensing(m, n, n, symmetric=True, rng=rng)
    truth = low_rank_matrix(n, singular_values=np.linspace(1, 0.5, r), psd=True, rng=rng)
    X0 = init_symmetric_factor(n, k, scale=alpha, rng=rng)
    G0 = X0 * (1 + noise * rng.standard_normal((n, k)))
    run = dict(truth=truth, F0=X0, step_size=step_size, max_iter=steps)
    paths = iterates(operator, G0=G0, rule=rule, **run), iterates(operator, **run)
    products = ((F @ G.T, X @ X.T) for (_, F, G), (_, X, _) in zip(*paths, strict=False))
    return {"distance": capped(max(np.linalg.norm(a - b) for a, b in products))}


@claim(
    "matrix-sensing/symmetric-equivalence",
    theorem="derived here; the curse of symmetry of the title",
    status="ours",
    statement=r"From $F_0=G_0$, with symmetric truth and measurements, asymmetric gradient descent "
    r"is symmetric gradient descent: it inherits the sublinear rate.",
    experiment=symmetric_start,
    region=AtMost(1e-12),
    reason="rounding: 1000 steps of a few units of 2.2e-16 each, all of size one or less",
    kind="identity",
    assumptions=(Assumption("symmetric sensing matrices and a positive semidefinite truth"),),
    control=(SEQUENTIAL, Control("a relative noise of 1e-9 in G_0", noise=1e-9)),
)
def symmetric_equivalence(table):
    """Largest distance over all recorded iterations and replicates."""
    return exact_estimate(float(table["distance"].max()), n=len(table))


@experiment(
    "matrix-sensing/worst-case-start",
    paper=PAPER,
    design=grid(largest_rank=3),
    paired=("rule", "step_scale", "scale_power"),
    columns={"least_ratio": Column("smallest error / lower bound along the descent")},
    presets={"quick": dict(replicates=100), "paper": dict(replicates=2000)},
    block=50,
    algorithm="rule",
)
def worst_case_start(*, largest_rank, rule="gradient", step_scale=1, scale_power=1, rng):
    """Descent from F_0 = alpha I, G_0 = c alpha I with k = r + 1, until the bound fell by exp(-8).

    The rank r, singular values, alpha, c and the step are random. The algorithm is an update rule
    ``rule(F, G, residual, step_size) -> (F_next, G_next)``.
    """
    alpha, step_size = np.exp(rng.uniform(np.log([0.1, 0.05]), np.log([0.5, 0.3])))
    singular_values = rng.uniform(0.3, 1, rng.integers(1, largest_rank, endpoint=True))
    ratio, F0 = rng.uniform(0.1, 0.9), alpha**scale_power * np.eye(len(singular_values) + 1)
    record = np.linspace(0, 8 / (step_size * alpha**2), 50).astype(int)
    t, error = population(
        singular_values,
        F0,
        ratio * F0,
        rule=rule,
        step_size=step_size * step_scale,
        record=np.unique(record),
    )
    bound = worst_case_lower_bound(alpha, t, step_size=step_size, ratio=ratio)
    return {"least_ratio": float(np.min(np.minimum(error, 1e300) / bound))}


@claim(
    "matrix-sensing/worst-case-alpha",
    theorem="abstract: the dependence on alpha cannot be avoided; constants derived here (D5)",
    status="ours",
    statement=r"From $F_0=\alpha I$, $G_0=c\alpha I$ with $k=r+1$ and a diagonal truth, at every "
    r"$t$: $\Vert E_t\Vert_F\ge c\alpha^2\sqrt{(1-c^2)(1-\eta c^2\alpha^2)}\,(1-\eta\alpha^2)^t$.",
    experiment=worst_case_start,
    region=AtMost(0),
    reason="a for-all statement: no instance may violate it (by more than rounding, 1e-9)",
    kind="refutable",
    assumptions=(
        Assumption("infinitely many measurements: the operator is the identity"),
        Assumption("eta alpha^2 < 1 and 0 < c < 1"),
    ),
    control=(
        Control("the factor 1/2 of the loss read as 1: every step is doubled", step_scale=2),
        Control("standard deviation and variance confused in alpha", scale_power=0.5),
    ),
)
def worst_case_alpha(table):
    """Share of instances below the bound at some iteration."""
    return violations_estimate((table["least_ratio"] < 1 - 1e-9).sum(), len(table))
