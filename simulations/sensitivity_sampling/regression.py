"""Iteratively reweighted least squares: the rate of its plain and of its damped form."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate
from theorytk.sensitivity.regression import irls
from theorytk.sensitivity.theory import irls_local_rate

from .common import FULL_RANK, PAPER

NEWTON = 60


@experiment(
    "sensitivity-sampling/irls",
    paper=PAPER,
    design=grid(n=60, d=3, p=[1.5, 2.5, 2.8, 3.2], step_scale=1, perturbation=1e-4, iterations=12),
    paired=("step_scale", "method"),
    columns={
        "iteration": Column("iteration", dtype="int"),
        "error": Column("norm of the error over that of the minimiser"),
    },
    presets={"quick": dict(replicates=30), "paper": dict(replicates=300)},
    block=30,
    algorithm="method",
)
def irls_errors(*, n, d, p, perturbation, iterations, step_scale=1, method="irls", rng):
    """Errors of the iteration from a start near the minimiser of ||A x - b||_p, Gaussian data.

    Steps are `step_scale` times those of plain IRLS; the minimiser is where Newton's steps, 1 / (p
    - 1) times those, lead. The algorithm is ``method(A, b, p, step_size=..., x0=..., n_iter=...)
    -> iterates``, shape (n_iter + 1, d).
    """
    A, b = rng.standard_normal((n, d)), rng.standard_normal(n)
    x = irls(A, b, p, step_size=1 / (p - 1), n_iter=NEWTON)[-1]
    start = x + perturbation * np.linalg.norm(x) * rng.standard_normal(d)
    method = METHODS[method] if isinstance(method, str) else method
    walk = method(A, b, p, step_size=step_scale, x0=start, n_iter=iterations)
    error = np.linalg.norm(walk - x, axis=1) / np.linalg.norm(x)
    return {"iteration": np.arange(iterations + 1), "error": error}


def weights_of_p(A, b, p, *, step_size, x0, n_iter):
    """Weights |r|^(p - 1) in the place of |r|^(p - 2): another exponent, the same minimiser."""
    return irls(A, b, p + 1, step_size=step_size, x0=x0, n_iter=n_iter)


METHODS = {"irls": irls}


@claim(
    "sensitivity-sampling/irls-local-rate",
    theorem="derived here (irls_local_rate)",
    status="ours",
    statement=r"Near the minimiser of $\Vert Ax-b\Vert_p$ an iteration of reweighted least squares "
    r"multiplies the error by $|p-2|$, in every direction alike: it converges for $1<p<3$ and "
    r"diverges at $p=3.2$.",
    experiment=irls_errors,
    region=Between(0.99, 1.01),
    reason="terms of second order, the error over the least residual: below 1e-3 as a rule",
    assumptions=(Assumption(FULL_RANK), Assumption("Gaussian data: no residual is zero")),
    control=(
        Control("steps 1.06% longer than reported", step_scale=1.0106),
        Control("the step of line search by halving, 1/2", step_scale=0.5),
    ),
)
def irls_rate(table):
    """Factor of the error per iteration over its law, per p."""
    found = {}
    for p, rows in table.groupby("p"):
        wide = rows.pivot_table(index="replicate", columns="iteration", values="error").to_numpy()
        factor = (wide[:, -1] / wide[:, 1]) ** (1 / (wide.shape[1] - 2))
        found[f"p={p:g}"] = mean_estimate(factor / irls_local_rate(p, 1))
    return found
