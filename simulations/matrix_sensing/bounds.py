"""Lower bounds on the error of symmetric descent, for the flow and for finite steps."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, order_estimate, violations_estimate
from theorytk.matrix_sensing import init_symmetric_factor
from theorytk.matrix_sensing.flows import flow_symmetric
from theorytk.matrix_sensing.theory import symmetric_lower_bound

from .common import PAPER, bounded, population, population_problem, schedule, trace

POPULATION = Assumption("infinitely many measurements: the operator is the identity")
RATIO = {"ratio": Column("least ratio of the error to its bound, over time")}
ROUNDING = 1e-9


def random_instance(n, rng):
    """Return singular values (0.3 to 1, rank 1 to 3) and X0 with k > r and alpha in (0.03, 1)."""
    r = int(rng.integers(1, 4))
    k = r + int(rng.integers(1, 3))
    singular_values = np.sort(rng.uniform(0.3, 1, r))[::-1]
    scale = float(np.exp(rng.uniform(np.log(0.03), 0)))
    return singular_values, init_symmetric_factor(n, k, scale=scale, rng=rng)


def diagonal(singular_values, n):
    """Return diag(singular_values, 0, ...), shape (n, n)."""
    return np.diag(np.pad(singular_values, (0, n - len(singular_values))))


@experiment(
    "matrix-sensing/symmetric-flow",
    paper=PAPER,
    design=grid(n=12, clock=1, projected=True),
    paired=("clock", "projected"),
    columns=RATIO,
    presets={"quick": dict(replicates=200), "paper": dict(replicates=2000)},
    block=50,
)
def symmetric_flow(*, n, clock, projected, rng):
    """Flow of ||X X' - M||_F^2 / 4 from random instances, at times from 0.1 to 50.

    The flow's time runs faster than the bound's by `clock`; without `projected` the bound takes
    all noise directions, also those that the signal rows bind.
    """
    singular_values, X0 = random_instance(n, rng)
    M, times = diagonal(singular_values, n), np.geomspace(0.1, 50, 15)
    error = np.linalg.norm(flow_symmetric(M, X0, clock * times) - M, axis=(1, 2))
    if not projected:
        X0[: len(singular_values)] = 0
    return {"ratio": np.min(error / symmetric_lower_bound(M, X0, times))}


@claim(
    "matrix-sensing/symmetric-flow-lower-bound",
    theorem="derived here (D1); sharpens Theorem 3.1 in the population",
    status="ours",
    kind="refutable",
    statement=r"With $k>r$ columns the gradient flow obeys, from every start and for every "
    r"$t\ge0$, $\Vert X_tX_t^\top-M^\star\Vert_F^2\ge\sum_j(b_j^2/(1+2tb_j^2))^2$, where $b_j$ "
    r"are the singular values of the noise rows on the kernel of the signal rows of $X_0$.",
    experiment=symmetric_flow,
    region=AtMost(0),
    reason="a violation is a ratio below 1 - 1e-9: rounding only",
    assumptions=(POPULATION,),
    control=(
        Control("the projection on the kernel of the signal rows forgotten", projected=False),
        Control("a clock 1% fast", clock=1.01),
    ),
)
def flow_lower_bound(table):
    """Share of instances below the bound at some time."""
    return violations_estimate(int((table["ratio"] < 1 - ROUNDING).sum()), len(table))


@experiment(
    "matrix-sensing/symmetric-gd-bound",
    paper=PAPER,
    design=grid(n=12, start="orthogonal", discrete=True, step_size=0.1, steps=2000),
    paired=("discrete", "rule", "step_scale"),
    columns=RATIO,
    presets={"quick": dict(replicates=200), "paper": dict(replicates=2000)},
    block=50,
    algorithm="rule",
)
def symmetric_gd_bound(*, n, start, discrete, step_size, steps, rule="gradient", step_scale=1, rng):
    """Descent on ||X X' - M||_F^2 / 4 from random instances, over its lower bound.

    An orthogonal start has noise rows J0 with J0 U0' = 0; without `discrete` the bound is that of
    the flow at time eta T. The algorithm is an update rule ``rule(X, X, residual, step_size) ->
    (X_next, anything)``, where ``residual(X, X)`` returns X X' - M.
    """
    singular_values, X0 = random_instance(n, rng)
    if start == "orthogonal":
        signal, noise = np.split(X0, [len(singular_values)])
        noise -= noise @ np.linalg.pinv(signal) @ signal
    record = schedule(steps, per_decade=10, evenly=10)
    _, error = population(
        singular_values, X0, rule=rule, step_size=step_size * step_scale, record=record
    )
    M = diagonal(singular_values, n)
    time = dict(t=record, step_size=step_size) if discrete else dict(t=step_size * record)
    return {"ratio": np.min(bounded(error) / symmetric_lower_bound(M, X0, **time))}


FLOW_BOUND = Control("the bound of the flow, read at t = eta T", discrete=False)
DOUBLED = Control("the factor 1/4 of the loss read as 1/2: every step is doubled", step_scale=2)


@claim(
    "matrix-sensing/symmetric-gd-lower-bound",
    theorem="derived here (D1, discrete); sharpens Theorem 3.1 in the population",
    status="ours",
    kind="refutable",
    statement=r"If $J_0U_0^\top=0$ (noise and signal rows of $X_0$ orthogonal), gradient descent "
    r"obeys $\Vert X_TX_T^\top-M^\star\Vert_F^2\ge\sum_j(b_j^2/(1+2c_j\eta Tb_j^2))^2$ with "
    r"$c_j=(1-\eta b_j^2)^{-2}$, for every $T$.",
    experiment=symmetric_gd_bound,
    region=AtMost(0),
    reason="a violation is a ratio below 1 - 1e-9: rounding only",
    assumptions=(POPULATION, Assumption("eta ||X_0||^2 < 1"), Assumption("J_0 U_0' = 0")),
    control=(FLOW_BOUND, Control("steps 0.6% longer than reported", step_scale=1.006)),
)
def gd_lower_bound(table):
    """Share of instances below the bound at some iteration."""
    return violations_estimate(int((table["ratio"] < 1 - ROUNDING).sum()), len(table))


@claim(
    "matrix-sensing/symmetric-gd-lower-bound-generic",
    theorem="observed here; proved for orthogonal starts only",
    status="empirical",
    kind="refutable",
    statement=r"From a generic start gradient descent stays above $0.95$ times the bound that "
    r"holds for $J_0U_0^\top=0$.",
    experiment=symmetric_gd_bound,
    at=dict(start="gaussian"),
    region=AtMost(0),
    reason="the factor 0.95 is a safety: no proof says how far the coupling can push",
    assumptions=(POPULATION, Assumption("eta ||X_0||^2 < 1")),
    control=(DOUBLED, Control("steps 10% longer than reported", step_scale=1.1)),
)
def gd_lower_bound_generic(table):
    """Share of instances below 0.95 times the bound at some iteration."""
    return violations_estimate(int((table["ratio"] < 0.95).sum()), len(table))


@experiment(
    "matrix-sensing/flow-limit",
    paper=PAPER,
    design=grid(
        n=50, singular_values=(1, 0.75, 0.5), k=5, alpha=0.5, time=4, step_size=0.1, halvings=5
    ),
    paired=("rule", "step_scale"),
    columns={
        "halving": Column("how often the step was halved", dtype="int"),
        "error": Column("||X_N X_N' - flow at time N eta||_F"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    algorithm="rule",
)
def flow_limit(
    *, n, singular_values, k, alpha, time, step_size, halvings, rule="gradient", step_scale=1, rng
):
    """Descent on ||X X' - M||_F^2 / 4 up to a fixed eta N, against the flow in closed form.

    The algorithm is an update rule ``rule(X, X, residual, step_size) -> (X_next, anything)``, where
    ``residual(X, X)`` returns X X' - M; a class is instantiated once per replicate.
    """
    X0 = init_symmetric_factor(n, k, scale=alpha, rng=rng)
    operator, truth, start, _ = population_problem(singular_values, X0, rule=rule)
    limit = flow_symmetric(truth, start, time)
    rows = []
    for halving in range(halvings):
        eta = step_size / 2**halving
        record = [0, round(time / eta)]
        *_, X, _ = trace(
            operator, truth, start, rule=rule, step_size=eta * step_scale, record=record
        )
        rows.append({"halving": halving, "error": float(np.linalg.norm(X @ X.T - limit))})
    return rows


@claim(
    "matrix-sensing/flow-limit-order",
    theorem="derived here (D0), with the order of Euler's method",
    status="ours",
    statement=r"Gradient descent tends to the gradient flow, in its closed form, with an error of "
    r"first order in $\eta$ at fixed $\eta T$.",
    experiment=flow_limit,
    region=Between(0.98, 1.02),
    reason="the next order in eta, which the extrapolation leaves, is 2^-8 of the first",
    assumptions=(POPULATION,),
    control=(
        Control("Heun's step, which is of second order", rule="heun"),
        Control("steps 0.2% shorter than reported", step_scale=0.998),
    ),
)
def flow_limit_order(table):
    """Order of the error in the step, extrapolated."""
    errors = [g["error"] for _, g in table.sort_values("halving").groupby("replicate")]
    return order_estimate(np.stack(errors))
