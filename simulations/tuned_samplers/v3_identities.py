"""What DPM-Solver-v3 is for special statistics: the multistep methods, and exact on Gaussians."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import GaussianTarget, random_mixture
from theorytk.diffusion.samplers import multistep
from theorytk.diffusion.samplers.v3 import dpm_v3
from theorytk.diffusion.tuning.statistics import ModelStatistics, gaussian_statistics
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, Between, exact_estimate, order_estimate

from ..diffusion_samplers.common import SCHEDULE, run
from .common import V3, constant_statistics, named

CONSTANTS = {"data": (1.0, 0.0), "noise": (0.0, -1.0)}
NODES = (31, 61, 121, 241)
ERRORS = [f"error_{n}" for n in NODES]


@experiment(
    "tuned-samplers/v3-constant-statistics",
    paper=V3,
    design=grid(output=["data", "noise"], order=[1, 2, 3]),
    paired=("variant", "off", "device", "algorithm"),
    columns={"difference": Column("largest difference of a coordinate of the two results")},
    presets={"quick": dict(replicates=10), "paper": dict(replicates=200)},
    block=10,
    algorithm="algorithm",
)
def constant_statistics_plans(
    *, output, order, algorithm="v3", variant="consistent", off=0.0, device="cpu", rng
):
    """DPM-Solver-v3 with constant statistics against the multistep method, on random grids.

    The algorithm is ``algorithm(schedule, times, statistics, bootstrap) -> Plan``; "v3" is of
    the condition's order. The coefficient l of data, or s of noise prediction, is `off` by a share.
    """
    times = np.sort(rng.uniform(0.01, 1, 9))[::-1]
    linear, scaling = (c * (1 - off) for c in CONSTANTS[output])
    statistics = constant_statistics(SCHEDULE.lam(times[[0, -1]]), linear, scaling)
    sampler = named(f"v3-{order}" if algorithm == "v3" else algorithm)
    target = random_mixture(2, 3, rng)
    x = rng.standard_normal((1, 8, 2))
    variant = variant if order == 2 else "consistent"
    other = multistep(SCHEDULE, times, order=order, output=output, variant=variant)
    plans = (sampler(SCHEDULE, times, statistics, 0), other)
    found, expected = (run(plan, target.model(SCHEDULE), x, device) for plan in plans)
    return {"difference": np.max(np.abs(found - expected))}


@claim(
    "tuned-samplers/v3-degenerates",
    theorem="section 3, special cases of (l, s, b); derived here for every order",
    statement=r"With $(l,s,b)=(1,0,0)$ DPM-Solver-v3 is the multistep method in data prediction, "
    r"with $(0,-1,0)$ that in noise prediction, of any order: those that integrate the "
    r"interpolating polynomial exactly, $\int e^{\pm\lambda}u^k$, not the released midpoint.",
    experiment=constant_statistics_plans,
    kind="identity",
    region=AtMost(1e-10),
    reason="rounding of eight steps; outputs are over alpha > 0.0066, weights up to some tens",
    assumptions=(Assumption("exact integrals of the tables: cubic splines, constant here"),),
    control=(
        Control("compared with the published midpoint 2M", variant="midpoint"),
        Control("l or s 1e-7 off", off=1e-7),
    ),
)
def v3_degenerates(table):
    """Largest difference."""
    return exact_estimate(table["difference"].max(), len(table))


@experiment(
    "tuned-samplers/v3-gaussian-step",
    paper=V3,
    design=grid(table="cubic", statistics="closed form", b_off=0.0),
    paired=("table", "statistics", "b_off", "device"),
    columns={
        name: Column(f"root mean square error of one step, tables of {n} nodes")
        for n, name in zip(NODES, ERRORS, strict=True)
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=400)},
    block=20,
)
def gaussian_step(*, table, statistics, b_off, device="cpu", rng):
    """One step of DPM-Solver-v3 of first order over the whole range, on random Gaussians.

    The statistics are their "closed form", with b off by a share, or those of "data" prediction.
    """
    target = GaussianTarget(rng.standard_normal(4), rng.uniform(0.05, 0.25, 4))
    x = rng.standard_normal((1, 16, 4))
    exact = target.flow(x[0], SCHEDULE, 1.0, 1e-3)
    errors = {}
    for n, name in zip(NODES, ERRORS, strict=True):
        law = gaussian_statistics(target, SCHEDULE, n_nodes=n)
        tables = ModelStatistics(law.lam, law.linear, law.scaling, (1 - b_off) * law.bias)
        if statistics == "data":
            tables = constant_statistics(law.lam[[0, -1]], *CONSTANTS["data"], n)
        plan = dpm_v3(SCHEDULE, [1.0, 1e-3], statistics=tables, order=1, table=table)
        found = run(plan, target.model(SCHEDULE), x, device)
        errors[name] = np.sqrt(np.mean((found - exact) ** 2))
    return errors


NORMAL = Assumption("data are N(m, diag v), and the prediction is exact")


@claim(
    "tuned-samplers/v3-exact-gaussian",
    theorem="derived here",
    status="ours",
    statement=r"For data $N(m,v)$ and $l=\sigma^2/V$, $s=0$, $b=2l(1-l)m$ one first-order step of "
    "DPM-Solver-v3 from $t=1$ to $10^{-3}$ is exact, up to the spline through 121 nodes.",
    experiment=gaussian_step,
    kind="identity",
    region=AtMost(1e-6),
    reason="a spline errs by 5/384 h^4 |l''''|: with h = 0.08 and |l''''| < 5 that is 3e-6 at "
    "single points, of both signs; integrals of it are smaller",
    assumptions=(NORMAL,),
    control=(
        Control("statistics of data prediction: DDIM", statistics="data"),
        Control("b too small by a thousandth", b_off=1e-3),
    ),
)
def exact_gaussian(table):
    """Largest error of a step."""
    return exact_estimate(table["error_121"].max(), len(table))


@claim(
    "tuned-samplers/v3-trapezoid-floor",
    theorem="the released tables; their error derived here",
    status="ours",
    statement=r"With the released cumulative trapezoids the error of that step falls as "
    r"$\delta^2$ in the distance $\delta$ of the nodes: that is the floor of a sampler.",
    experiment=gaussian_step,
    at=dict(table="trapezoid"),
    region=Between(1.75, 2.25),
    reason="an integer order; extrapolation leaves terms of relative size of the last correction",
    assumptions=(NORMAL,),
    control=(
        Control("splines with exact integrals", table="cubic"),
        Control("b too large by a share of 7e-8", b_off=-7e-8),
    ),
)
def trapezoid_floor(table):
    """Order in the distance of nodes."""
    return order_estimate(table[ERRORS], floor=1e-13)


@claim(
    "tuned-samplers/v3-cubic-floor",
    theorem="derived here",
    status="ours",
    statement=r"With splines through the statistics whose integrals are exact the error of that "
    r"step falls at least as $\delta^4$, and with any smooth statistics a sampler has no floor "
    r"from its tables.",
    experiment=gaussian_step,
    region=AtLeast(4.0),
    reason="a cubic spline errs by O(delta^4), and nothing else depends on the nodes",
    assumptions=(NORMAL,),
    control=(
        Control("cumulative trapezoids", table="trapezoid"),
        Control("b too large by a share of 3e-11", b_off=-3e-11),
    ),
)
def cubic_floor(table):
    """Order in the distance of nodes."""
    return order_estimate(table[ERRORS], floor=1e-14)


@experiment(
    "tuned-samplers/v3-minimal-jacobian",
    paper=V3,
    design=grid(lam=[-2.0, 0.0, 2.0], compared="l"),
    paired=("compared",),
    columns={"residual": Column("largest difference of the excess from (l - l*)^2")},
    presets={"quick": dict(replicates=10), "paper": dict(replicates=200)},
    block=10,
)
def minimal_jacobian(*, lam, compared, n=512, rng):
    """Mean square of the diagonal of sigma eps' - l at other l, over that at the estimate l*.

    The estimate is of the same draws; or its "root mean square".
    """
    target = random_mixture(2, 3, rng)
    t = float(SCHEDULE.t_of_lam(lam))
    alpha, sigma = float(SCHEDULE.alpha(t)), float(SCHEDULE.sigma(t))
    x = target.sample(n, rng, alpha, sigma)
    diagonal = -(sigma**2) * target.score_jacobian_diagonal(x, alpha, sigma)
    best = diagonal.mean(0) if compared == "l" else np.sqrt((diagonal**2).mean(0))
    others = rng.uniform(-1, 2, (5, 2))
    excess = [((diagonal - o) ** 2).mean(0) - ((diagonal - best) ** 2).mean(0) for o in others]
    return {"residual": np.max(np.abs(excess - (others - best) ** 2))}


@claim(
    "tuned-samplers/v3-minimal-jacobian",
    theorem="definition of l; the excess derived here",
    status="ours",
    statement=r"$l^*=E[\mathrm{diag}\,\sigma\nabla\epsilon]$ makes the Jacobian of "
    r"$\sigma\epsilon-lx$ smallest: its mean squared diagonal exceeds the least by exactly "
    r"$(l-l^*)^2$.",
    experiment=minimal_jacobian,
    kind="identity",
    region=AtMost(1e-12),
    reason="rounding of means over 512 draws of numbers below 10",
    assumptions=(Assumption("means over draws in the place of expectations; exact for both"),),
    control=Control("the root mean square of the diagonal as l", compared="root mean square"),
)
def minimal_jacobian_excess(table):
    """Largest difference."""
    return exact_estimate(table["residual"].max(), len(table))
