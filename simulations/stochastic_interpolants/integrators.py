"""The integrators' errors: Euler-Maruyama is of weak order 1, and so is denoising."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, slope_estimate
from theorytk.paths.generate import integrate_ode
from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

from .common import MIXTURES, NORMAL, PAPER, PATHS, flow_between
from .mistakes import ITERATIONS, MOMENTS, euler


def orders(table, unit):
    """Return the slopes of log error on log step, one for each unit, per path."""
    found = {}
    for path, rows in table.groupby("path"):
        errors = rows.pivot(index=unit, columns="n_steps", values="error")
        log_step = -np.log(errors.columns.to_numpy(dtype=float))
        found[path] = slope_estimate(log_step, np.log(errors.to_numpy()))
    return found


@experiment(
    "stochastic-interpolants/weak-error",
    paper=PAPER,
    design=grid(path=["linear", "trigonometric"], n_steps=[25, 50, 100]),
    paired=("n_steps", "moments", "score_scale"),
    columns={"error": Column("error of the variance at t = 1, over the variance")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
    algorithm="moments",
)
def weak_error(*, path, n_steps, score_scale=1, moments="library", rng):
    """Exact variance of Euler-Maruyama between N(0, s0^2) and N(0, 4 s0^2), epsilon random.

    The algorithm is ``moments(fields, mean, variance, epsilon=..., n_steps=...) -> (mean,
    variance)``: those of a method after all steps, for fields affine in x.
    """
    variance, epsilon = rng.uniform(0.8, 1.2), rng.uniform(0.8, 1.2)
    ends = (GaussianMixture([1.0], [0.0], [v]) for v in (variance, 4 * variance))
    flow = MixtureInterpolant(*ends, PATHS[path])

    def fields(t, x):
        b, s = flow.velocity_and_score(t, x)
        return b, score_scale * s

    moments = MOMENTS[moments] if isinstance(moments, str) else moments
    found = moments(fields, 0.0, variance, epsilon=epsilon, n_steps=n_steps)[1]
    return {"error": abs(found / (4 * variance) - 1)}


@claim(
    "stochastic-interpolants/weak-order",
    theorem="the Euler-Maruyama method for the generative SDE",
    statement=r"Euler-Maruyama for $dX=(b+\epsilon s)\,dt+\sqrt{2\epsilon}\,dW$ is of weak order "
    r"$1$: the error of the variance at $t=1$ is proportional to the step $h$.",
    experiment=weak_error,
    region=Between(0.95, 1.05),
    reason="the next term is of order h: at 25 steps a few per cent of the first",
    assumptions=(Assumption("Gaussian ends, where the moments of each step are exact"),),
    control=(
        Control("noise of variance epsilon h for 2 epsilon h", moments="root-noise"),
        Control("a score 0.25% too large", score_scale=1.0025),
    ),
)
def weak_order(table):
    """Slope of log error on log step, per path."""
    return orders(table, ["replicate"])


@experiment(
    "stochastic-interpolants/denoising",
    paper=PAPER,
    design=grid(
        path=["one-sided-linear", "one-sided-trigonometric"],
        n_steps=[50, 100, 200],
        end="near",
        points=50,
    ),
    paired=("n_steps", "iteration", "shrinkage", "path"),
    columns={
        "batch": Column("number of a batch of points", dtype="int"),
        "error": Column("mean distance from the end of the flow, over a batch"),
        "from_euler": Column("largest distance from Euler's method with as many steps"),
    },
    presets={"quick": dict(replicates=1, batches=40), "paper": dict(replicates=10, batches=40)},
    algorithm="iteration",
)
def denoising(*, path, n_steps, end, points, batches, shrinkage=0, iteration="denoise", rng):
    """Iterate from normal points with exact means, or with E[x1 | x] shrunk by a fraction.

    The algorithm is ``iteration(interpolant, conditional_means, x, n_steps=...) -> x``, where
    ``conditional_means(t, x)`` are those of x0, x1 and z.
    """
    flow, x = flow_between("normal", end, path), NORMAL.sample(points * batches, rng)

    def means(t, x):
        eta_0, eta_1, eta_z = flow.conditional_means(t, x)
        return eta_0, (1 - shrinkage) * eta_1, eta_z

    iteration = ITERATIONS[iteration] if isinstance(iteration, str) else iteration
    found = iteration(flow.interpolant, means, x, n_steps=n_steps)
    exact = integrate_ode(flow.velocity, x, n_steps=200)
    apart = np.abs(found - euler(flow.interpolant, means, x, n_steps=n_steps))
    return {
        "batch": np.arange(batches),
        "error": np.abs(found - exact).reshape(batches, -1).mean(axis=1),
        "from_euler": apart.reshape(batches, -1).max(axis=1),
    }


@claim(
    "stochastic-interpolants/denoising-order",
    theorem="(5.14); its order derived here (denoise)",
    statement=r"The denoising iteration $x\leftarrow\gamma(t')\,\mathbb E[z|x]+"
    r"\beta(t')\,\mathbb E[x_1|x]$ of a one-sided interpolant converges to the flow with order "
    r"$1$.",
    status="ours",
    experiment=denoising,
    region=Between(0.9, 1.1),
    reason="the next term is of order h times the slope of the velocity, below 10% at 100 steps",
    assumptions=(MIXTURES,),
    control=(
        Control("Heun's method, of order 2", iteration="heun"),
        Control("E[x1 | x] shrunk by 8 in a million", shrinkage=8e-6),
    ),
)
def denoising_order(table):
    """Slope of log error on log step, per path."""
    return orders(table, ["replicate", "batch"])


@claim(
    "stochastic-interpolants/denoising-is-euler",
    theorem="(5.14); derived here (denoise)",
    statement=r"For linear $\alpha,\beta$ the denoising iteration is Euler's method for "
    r"$\dot X=b$; for trigonometric ones it is not.",
    status="ours",
    experiment=denoising,
    at=dict(path="one-sided-linear", n_steps=[4, 100]),
    kind="identity",
    region=AtMost(1e-9),
    reason="rounding, which a Lipschitz constant near 10 carries through 100 steps",
    assumptions=(MIXTURES,),
    control=Control("the trigonometric interpolant", path="one-sided-trigonometric"),
)
def denoising_is_euler(table):
    """Largest distance between the two."""
    return exact_estimate(table["from_euler"].max(), len(table))


@experiment(
    "stochastic-interpolants/denoising-a-point",
    paper=PAPER,
    design=grid(
        path=["one-sided-linear", "one-sided-trigonometric", "one-sided-vp"], n_steps=4, d=3
    ),
    paired=("iteration",),
    columns={"error": Column("largest distance from the point")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
    algorithm="iteration",
)
def denoising_a_point(*, path, n_steps, d, iteration="denoise", rng):
    """Iterate from normal points if x1 is one point, random.

    The algorithm is ``iteration(interpolant, conditional_means, x, n_steps=...) -> x``.
    """
    interpolant, x1 = PATHS[path], rng.uniform(-3, 3, d)

    def means(t, x):
        c = interpolant.coefficients(t)
        eta_z = (x - c.beta * x1) / np.sqrt(c.gamma2)
        return eta_z, x1 + 0 * x, eta_z

    iteration = ITERATIONS[iteration] if isinstance(iteration, str) else iteration
    found = iteration(interpolant, means, rng.standard_normal((10, d)), n_steps=n_steps)
    return {"error": np.abs(found - x1).max()}


@claim(
    "stochastic-interpolants/denoising-a-point",
    theorem="(5.14); derived here (denoise)",
    statement=r"If $x_1$ is one point, the denoising iteration ends there after any number of "
    r"steps, for any $\alpha$ and $\beta$; Euler's method does so for linear ones only.",
    status="ours",
    experiment=denoising_a_point,
    kind="identity",
    region=AtMost(1e-9),
    reason="rounding of a few steps",
    assumptions=(Assumption("x1 is one point"),),
    control=Control("Euler's method", iteration="euler"),
)
def denoising_ends_in_the_point(table):
    """Largest distance from the point, per path."""
    return {
        path: exact_estimate(rows["error"].max(), len(rows)) for path, rows in table.groupby("path")
    }
