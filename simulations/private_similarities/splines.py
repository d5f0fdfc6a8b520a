"""Exponential splines: sums of exp(-kappa |x - y|) on a line whose error does not grow."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, slope_estimate
from theorytk.privacy.exponential_spline import exponential_spline

from .common import many_answers, noiseless
from .estimates import largest, means

PAPER = "backurs2024similarities"
UNIT = Assumption("points and queries in the unit interval, which is public")


@experiment(
    "private-similarities/spline-synthesis",
    paper=PAPER,
    design=grid(kappa=[0.1, 3, 50], n=300, levels=8),
    paired=("shift", "decay"),
    columns={"error": Column("largest error of a noiseless answer, over the number of points")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    block=20,
)
def spline_synthesis(*, kappa, n, levels, shift=0, decay=1, rng):
    """Error without noise at grid points moved by `shift` cells, for another `decay` times kappa.

    Beyond the ends of the unit interval there are as many queries as inside.
    """
    x = rng.beta(*np.exp(rng.uniform(-1, 4, size=2)), size=n)
    y = np.arange(-(2**levels), 2 ** (levels + 1)) / 2**levels + shift / 2**levels
    planned = exponential_spline(levels, kappa, epsilon=1.0)
    truth = np.exp(-decay * kappa * np.abs(y[:, None] - x)).sum(axis=1)
    return {"error": np.abs(noiseless(planned, x, y) - truth).max() / n}


@claim(
    "private-similarities/spline-exact",
    theorem="derived here (exponential_spline)",
    status="ours",
    statement=r"From the sum and difference of the end sums and from the surpluses the sums of "
    r"$e^{-\kappa|x-y|}$ follow exactly at all grid points, and beyond both ends.",
    experiment=spline_synthesis,
    kind="identity",
    region=AtMost(2e-8),
    reason="10 numbers are below their values by a step of 2^-32 each; points by kappa/2 steps",
    assumptions=(UNIT,),
    control=(
        Control("queries in the middle of cells", shift=0.5),
        Control("a bandwidth 1% too large", decay=0.99),
    ),
)
def spline_exact(table):
    """Largest error per point."""
    return largest(table, "error")


@experiment(
    "private-similarities/spline-error",
    paper=PAPER,
    design=grid(kappa=1, n=[64, 1024], batch=40),
    paired=("scale", "levels"),
    columns={
        "ratio": Column("mean square of the noise over its law"),
        "error": Column("root mean square error over releases and queries"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=10,
)
def spline_error(*, kappa, n, batch, scale=1, levels="planned", rng):
    """Noise of exponential splines, epsilon = 1, at 16 grid points, over its law at the same.

    Levels are log2(n); `levels` "equal" gives the same rate to all of them. Scales are multiplied
    by `scale` after the law was taken.
    """
    depth = math.ceil(math.log2(n))
    planned = exponential_spline(depth, kappa, epsilon=1.0)
    if levels == "equal":
        planned = equal_rates(planned)
    y, mechanism = np.arange(1, 32, 2) / 32, planned.with_scales(scale * planned.scales)
    noise = many_answers(mechanism, np.empty(0), y, batch, rng)
    law = planned.noise_components(y)[0].sum(axis=1)
    return {"ratio": (noise**2 / law).mean(), "error": math.sqrt((noise**2).mean())}


def equal_rates(planned):
    """Return the same mechanism with one and the same loss at most for all groups, 1 in all."""
    peaks = np.array([1 + math.exp(-planned.kappa), -math.expm1(-planned.kappa)])
    hats = np.tanh(planned.kappa * np.ldexp(1.0, -np.arange(1, planned.levels + 1)))
    return planned.with_scales(np.append(peaks, hats) * (planned.levels + 2))


@claim(
    "private-similarities/spline-noise",
    theorem="derived here (exponential_spline)",
    status="ours",
    statement=r"The variance of an answer of the exponential spline is $\sum_j w_j(y)^2v_j$, with "
    r"weights $w_j$ that are hats $\sinh\kappa(h-|y-c|)/\sinh\kappa h$: one on each level.",
    experiment=spline_error,
    region=Between(1, 1, margin=0.3),
    reason="the law is exact; the margin is what 1600 releases resolve, of few large noises each",
    assumptions=(UNIT,),
    control=(
        Control("half the noise", scale=0.5),
        Control("scales 15% too small", scale=0.85),
    ),
)
def spline_noise(table):
    """Mean square over the law, per number of points."""
    return means(table, "ratio", "n")


@claim(
    "private-similarities/spline-no-growth",
    theorem="derived here (exponential_spline_noise_rms)",
    status="ours",
    statement=r"With $\log_2n$ levels the error of the exponential spline does not grow with $n$: "
    r"level $\ell$ adds a variance of order $2^{-2\ell/3}$.",
    experiment=spline_error,
    region=AtMost(0.015, margin=0.075),
    reason="the law grows by less than 4% over 4 doublings: log(1.04) / log(16) is below 0.015",
    assumptions=(UNIT,),
    control=Control("the same rate for every level", levels="equal"),
)
def spline_no_growth(table):
    """Slope of the log error on the log of the number of points."""
    errors = table.pivot(index="replicate", columns="n", values="error")
    return slope_estimate(np.log(errors.columns.to_numpy(float)), np.log(errors.to_numpy()))


@experiment(
    "private-similarities/spline-budget",
    paper=PAPER,
    design=grid(kind=["laplace", "gaussian"], kappa=[0.1, 1, 30], levels=6),
    paired=("scale", "rho_of"),
    columns={"error": Column("largest distance of a loss, or a variance in its unit, from 1")},
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def spline_budget(*, kind, kappa, levels, scale=1, rho_of="every point", rng):
    """Privacy loss at all grid points of exponential splines, epsilon = 1 or rho = 1/2.

    The largest loss counts for Laplace noise; for Gaussian noise each does, as does the variance
    of each answer. With `rho_of` "levels" all groups have noise sqrt(levels + 2).
    """
    budget = dict(epsilon=1.0) if kind == "laplace" else dict(rho=0.5)
    planned = exponential_spline(levels, kappa, **budget)
    scales = np.full(levels + 2, (levels + 2) ** 0.5) if rho_of == "levels" else planned.scales
    mechanism = planned.with_scales(scale * scales)
    x = np.arange(2**levels + 1) / 2**levels
    loss = mechanism.privacy_loss(x)
    if kind == "laplace":
        return {"error": abs(loss.max() - 1)}
    variance = mechanism.noise_components(x)[0].sum(axis=1)
    return {"error": max(np.abs(2 * loss - 1).max(), np.abs(variance - 1).max())}


@claim(
    "private-similarities/spline-budget",
    theorem="derived here (exponential_spline, spline_loss_supremum)",
    status="ours",
    statement=r"The largest loss of the Laplace spline is $\varepsilon$, at a dyadic point; the "
    r"Gaussian spline loses $\rho$ at every grid point and answers every query with variance "
    r"$1/(2\rho)$.",
    experiment=spline_budget,
    kind="identity",
    region=AtMost(1e-6),
    reason="contributions are truncated to steps of 2^-32",
    assumptions=(UNIT,),
    control=(
        Control("scales 1% too small", scale=0.99),
        Control("the budget split evenly over all groups", rho_of="levels"),
    ),
)
def spline_spends_its_budget(table):
    """Largest distance of a loss or variance from the budget."""
    return largest(table, "error")
