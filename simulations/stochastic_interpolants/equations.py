"""What the fields of an interpolant solve: transport, Fokker-Planck, relations, end points."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate
from theorytk.paths.fokker_planck import fokker_planck_residual
from theorytk.paths.interpolant_theory import endpoint_velocity

from .common import INDEPENDENT, PAPER, PATHS, random_flow
from .mistakes import FIELDS, MEANS

RANDOM = Assumption("random Gaussian mixtures of 2 and 3 components")
GRID = np.linspace(-14, 14, 1601)
TWO_SIDED = [
    "linear",
    "linear, a=2",
    "trigonometric, gamma=0",
    "trigonometric",
    "encoder-decoder",
]
FLIPPED = Control("+E[z | x] / gamma taken for the score", fields="flipped")
MEAN_VELOCITY = Control(
    "v taken for b: the noise's part of the velocity left out", fields="mean-velocity"
)


def largest(table, column, by="path"):
    """Return the largest value of a column for each level of a factor."""
    return {
        str(level): exact_estimate(rows[column].max(), len(rows))
        for level, rows in table.groupby(by)
    }


@experiment(
    "stochastic-interpolants/equations",
    paper=PAPER,
    design=grid(path=TWO_SIDED, epsilon=[0, 0.7, -0.7]),
    paired=("fields", "diffusion_sign"),
    columns={"residual": Column("L1 norm of the residual over that of the terms")},
    presets={"quick": dict(replicates=6), "paper": dict(replicates=60)},
    block=6,
    algorithm="fields",
)
def equations(*, path, epsilon, diffusion_sign=1, fields="exact", rng):
    """Residual of d rho/dt + d((b + epsilon s) rho)/dx = epsilon d^2 rho/dx^2 at a random time.

    Times are in (0.1, 0.9) and not within 0.05 of 1/2, where the encoder-decoder has a kink. The
    algorithm is ``fields(flow, t, x) -> (b, s)``, velocity and score of a `MixtureInterpolant` at
    points (n, 1).
    """
    flow = random_flow(path, 1, rng)
    t = rng.choice([0.1, 0.55]) + 0.35 * rng.uniform()
    pair = FIELDS[fields] if isinstance(fields, str) else fields

    def drift(t, x):
        b, s = pair(flow, t, x)
        return b + epsilon * s

    diffusion = diffusion_sign * epsilon
    return {"residual": fokker_planck_residual(flow.logpdf, drift, t, GRID, diffusion=diffusion)}


DIFFERENCES = (
    "differences of order 8 at widths of 15 cells or more and times of 500 steps: (1/15)^8 = 4e-10"
)


@claim(
    "stochastic-interpolants/transport",
    theorem="transport equation",
    statement=r"The velocity $b=\mathbb E[\dot x_t\,|\,x_t]$ transports the law $\rho(t)$ of the "
    r"interpolant: $\partial_t\rho+\nabla\cdot(b\rho)=0$.",
    experiment=equations,
    at=dict(epsilon=0),
    kind="identity",
    region=AtMost(1e-7),
    reason=DIFFERENCES,
    assumptions=(INDEPENDENT, RANDOM),
    control=MEAN_VELOCITY,
)
def transport(table):
    """Largest residual, per path."""
    return largest(table, "residual")


@claim(
    "stochastic-interpolants/fokker-planck",
    theorem="(2.20), (2.22)",
    statement=r"For any $\epsilon\ge0$ the law of the interpolant solves "
    r"$\partial_t\rho+\nabla\cdot((b\pm\epsilon s)\rho)=\pm\epsilon\Delta\rho$, forward and "
    r"backward, $s=\nabla\log\rho$.",
    experiment=equations,
    at=dict(epsilon=[0.7, -0.7]),
    kind="identity",
    region=AtMost(1e-7),
    reason=DIFFERENCES,
    assumptions=(INDEPENDENT, RANDOM),
    control=(Control("the wrong sign of the diffusion", diffusion_sign=-1), FLIPPED),
)
def fokker_planck(table):
    """Largest residual, per path and over both signs of epsilon."""
    return largest(table, "residual")


@experiment(
    "stochastic-interpolants/conditional-means",
    paper=PAPER,
    design=grid(path=list(PATHS), d=[1, 3], points=20),
    paired=("means", "swapped"),
    columns={
        "position_error": Column("largest error of the sum of means for x"),
        "velocity_error": Column("largest error of the sum of means for b"),
    },
    presets={"quick": dict(replicates=10), "paper": dict(replicates=500)},
    block=10,
    algorithm="means",
)
def conditional_means(*, path, d, points, swapped=False, means="exact", rng):
    """Sums of E[x0 | x], E[x1 | x], E[z | x] with the coefficients, at points of the interpolant.

    The algorithm is ``means(flow, t, x) -> (eta_0, eta_1, eta_z)``, arrays (n, d).
    """
    flow, t = random_flow(path, d, rng), rng.uniform(0.01, 0.99)
    x = flow.sample(t, points, rng)
    c = flow.interpolant.coefficients(t)
    if swapped:
        c = c._replace(alpha=c.beta, beta=c.alpha, d_alpha=c.d_beta, d_beta=c.d_alpha)
    eta_0, eta_1, eta_z = (MEANS[means] if isinstance(means, str) else means)(flow, t, x)
    gamma = np.sqrt(c.gamma2)
    d_gamma = c.gamma_d_gamma / gamma if gamma > 0 else 0.0
    position = c.alpha * eta_0 + c.beta * eta_1 + gamma * eta_z
    velocity = c.d_alpha * eta_0 + c.d_beta * eta_1 + d_gamma * eta_z
    return {
        "position_error": np.abs(position - x).max(),
        "velocity_error": np.abs(velocity - flow.velocity(t, x)).max(),
    }


@claim(
    "stochastic-interpolants/conditional-means",
    theorem="(4.4), (4.5)",
    statement=r"For $x_t=\alpha x_0+\beta x_1+\gamma z$ the conditional means satisfy "
    r"$\alpha\eta_0+\beta\eta_1+\gamma\eta_z=x$ and "
    r"$\dot\alpha\eta_0+\dot\beta\eta_1+\dot\gamma\eta_z=b$.",
    experiment=conditional_means,
    kind="identity",
    region=AtMost(1e-9),
    reason="rounding times condition: covariances down to gamma^2 = 1e-4, values and slopes of 100",
    assumptions=(INDEPENDENT, RANDOM),
    control=(
        Control("alpha and beta swapped, as (4.9) prints them", swapped=True),
        Control("a denoiser of the wrong sign", means="flipped"),
    ),
)
def sums_of_means(table):
    """Largest error of both sums, per path."""
    worst = table[["position_error", "velocity_error"]].max(axis=1)
    return largest(table.assign(worst=worst), "worst")


@experiment(
    "stochastic-interpolants/end-points",
    paper=PAPER,
    design=grid(
        path=["linear", "linear, a=2", "trigonometric, quadratic", "one-sided-trigonometric"],
        end=[0, 1],
        d=2,
        points=20,
    ),
    paired=("fields",),
    columns={"error": Column("largest error of the velocity, over its size")},
    presets={"quick": dict(replicates=10), "paper": dict(replicates=500)},
    block=10,
    algorithm="fields",
)
def end_points(*, path, end, d, points, fields="exact", rng):
    """Velocity at an end of the flow against its limit by the laws of the end points.

    The algorithm is ``fields(flow, t, x) -> (b, s)``, velocity and score of a `MixtureInterpolant`
    at points (n, d).
    """
    flow = random_flow(path, d, rng)
    x = 3 * rng.standard_normal((points, d))
    expected = endpoint_velocity(flow, end, x)
    found = (FIELDS[fields] if isinstance(fields, str) else fields)(flow, float(end), x)[0]
    return {"error": np.abs(found - expected).max() / np.abs(expected).max()}


@claim(
    "stochastic-interpolants/end-points",
    theorem="(4.12)-(4.14)",
    statement=r"At the ends the velocity is known from the end points: "
    r"$b(0,x)=\dot\alpha x+\dot\beta\,\mathbb Ex_1-\lim\gamma\dot\gamma\,s_0(x)$, and likewise at "
    r"$1$. The limit is $\pm a/2$ for $\gamma^2=at(1-t)$ and $0$ for smooth $\gamma$.",
    experiment=end_points,
    kind="identity",
    region=AtMost(1e-9),
    reason="rounding times the condition of the covariances",
    assumptions=(INDEPENDENT, RANDOM),
    control=MEAN_VELOCITY,
)
def velocity_at_the_ends(table):
    """Largest relative error, per path."""
    return largest(table, "error")
