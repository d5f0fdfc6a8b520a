"""Step grids: equal angles for Gaussians, and grids of least cost for mixtures."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import GaussianTarget, compile_plan, time_grid
from theorytk.diffusion.tuning.step_grid_theory import angle_grid, ddim_contraction
from theorytk.diffusion.tuning.step_grids import step_costs
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, exact_estimate, mean_estimate, violations_estimate

from ..diffusion_samplers.common import SCHEDULE, run
from .compensation_common import DC
from .step_grid_common import STANDARD, log_error_on

TENTH = np.log(0.9)
LEAST = "a tenth: the least effect of an ordering that is worth the name"
GAUSSIAN = Assumption("Gaussian data with exact predictions; VP linear from t = 1 to 0.001")
SUITE = (
    Assumption("a population of random mixtures in 2, 8 and 16 dimensions, exact predictions"),
    Assumption("VP linear from t = 1 to 0.001, starts from N(0, I); training mixtures are others"),
    Assumption("ends by UniPC-3 on 160 steps stand for the exact ones"),
)


def random_times(rng, n_steps):
    """Return a random grid: steps in lambda whose shares are uniform on the simplex."""
    lam = SCHEDULE.lam(np.array([SCHEDULE.t_max, SCHEDULE.t_min]))
    shares = np.cumsum(rng.dirichlet(np.ones(n_steps)))[:-1]
    inner = SCHEDULE.t_of_lam(lam[0] + shares * (lam[1] - lam[0]))
    return np.concatenate([[SCHEDULE.t_max], inner, [SCHEDULE.t_min]])


@experiment(
    "tuned-samplers/gaussian-angles",
    paper=DC,
    design=grid(law="variance", best="angles"),
    paired=("law", "best", "device"),
    columns={
        "residual": Column("relative difference of DDIM's contraction from the law"),
        "excess": Column("contraction on a random grid less that on the best grid"),
    },
    presets={"quick": dict(replicates=200), "paper": dict(replicates=5000)},
    block=100,
)
def gaussian_angles(*, law, best, device="cpu", rng):
    """DDIM on a random Gaussian and a random grid, against the product of cosines.

    The law takes angles by the data's "variance" or, wrongly, by its "standard deviation". The
    best grid has equal "angles"; wrongly, equal steps in "logsnr" or in another of the kinds.
    """
    variance, n_steps = np.exp(rng.uniform(np.log(0.01), np.log(10))), int(rng.integers(2, 13))
    times = random_times(rng, n_steps)
    measured = contraction(GaussianTarget(rng.standard_normal(1), variance), times, rng, device)
    value = variance if law == "variance" else np.sqrt(variance)
    if best == "angles":
        best_times = angle_grid(SCHEDULE, n_steps, variance)
    else:
        best_times = time_grid(SCHEDULE, best, n_steps)
    return {
        "residual": abs(measured / ddim_contraction(SCHEDULE, times, value) - 1),
        "excess": measured - ddim_contraction(SCHEDULE, best_times, variance),
    }


def contraction(target, times, rng, device):
    """Return the factor of DDIM on x - alpha m over that of the exact flow, by a plan."""
    x, mean = rng.standard_normal((1, 4, 1)), SCHEDULE.alpha(times[-1]) * target.law.means[0]
    end = run(compile_plan(SCHEDULE, times, "ddim"), target.model(SCHEDULE), x, str(device))
    exact = target.flow(x[0], SCHEDULE, times[0], times[-1]) - mean
    return np.sum((end - mean) * exact) / np.sum(exact**2)


@claim(
    "tuned-samplers/ddim-turns-by-angles",
    theorem="derived here",
    status="ours",
    statement=r"On data $N(m,v)$ DDIM contracts $x-\alpha m$, relative to the exact flow, by "
    r"$\prod_i\cos(\theta_i-\theta_{i+1})$ with $\theta_t=\arctan(\sigma_t/(\alpha_t\sqrt v))$.",
    experiment=gaussian_angles,
    kind="identity",
    region=AtMost(1e-9),
    reason="up to 12 steps, each of coefficients to 1e-15 that cancel by up to 1 / sigma = 100",
    assumptions=(GAUSSIAN,),
    control=Control("angles by the standard deviation in place of the variance", law="deviation"),
)
def ddim_turns_by_angles(table):
    """Largest relative difference."""
    return exact_estimate(table["residual"].max(), len(table))


@claim(
    "tuned-samplers/equal-angles-are-best",
    theorem="derived here",
    status="ours",
    statement=r"Of all grids of $N$ steps with given ends, the one of equal steps in $\theta$ has "
    r"DDIM's least error on Gaussian data: its contraction $\cos(\Theta/N)^N$ is the largest.",
    experiment=gaussian_angles,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a random grid that contracts less, beyond rounding at 1e-12",
    assumptions=(GAUSSIAN,),
    control=(
        Control("the grid of equal steps in lambda in its place", best="logsnr"),
        Control("the quadratic grid in its place", best="quadratic"),
    ),
)
def equal_angles_are_best(table):
    """Share of random grids that are better."""
    return violations_estimate(int((table["excess"] > 1e-12).sum()), len(table))


@cache
def gaussian_costs(seed):
    """Return a random Gaussian in 3 dimensions, starts, and the costs of steps of DDIM."""
    rng = np.random.default_rng(seed)
    target = GaussianTarget(rng.standard_normal(3), rng.uniform(0.02, 1.5, 3))
    x = rng.standard_normal((4, 3))
    return target, x, step_costs(target, SCHEDULE, x, time_grid(SCHEDULE, "logsnr", 16))


def cost_of(costs, nodes, combine):
    """Return the costs of a grid's steps combined: their sum, or the root of their squares."""
    steps = np.array([costs.first[a, b] for a, b in pairwise(nodes)])
    return costs.cost(nodes) if combine == "sum" else np.sqrt(np.sum(steps**2))


@experiment(
    "tuned-samplers/cost-bounds",
    paper=DC,
    design=grid(combine="sum"),
    paired=("combine", "device"),
    columns={
        "n_steps": Column("number of steps", dtype="int"),
        "share": Column("error of DDIM over the cost of its grid"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def cost_bounds(*, combine, device="cpu", rng):
    """DDIM on a random Gaussian: its error over the cost of ten random grids.

    The costs of the steps are combined by their "sum" or, as if errors were independent, by the
    "root of squares".
    """
    target, x, costs = gaussian_costs(int(rng.integers(2**32)))
    end, rows = target.flow(x, SCHEDULE, SCHEDULE.t_max, SCHEDULE.t_min), []
    for _ in range(10):
        n_steps = int(rng.integers(2, 13))
        inner = np.sort(rng.choice(np.arange(1, 16), n_steps - 1, replace=False))
        nodes = [0, *inner.tolist(), 16]
        plan = compile_plan(SCHEDULE, costs.times[nodes], "ddim")
        error = run(plan, target.model(SCHEDULE), x[None], str(device)) - end
        share = np.sqrt(np.mean(error**2)) / cost_of(costs, nodes, combine)
        rows.append({"n_steps": n_steps, "share": share})
    return rows


@claim(
    "tuned-samplers/cost-bounds-error",
    theorem="derived here",
    status="ours",
    statement=r"On Gaussian data, of any variances, the root mean square error of DDIM is at most "
    r"the cost of its grid, $\sum_i\|D\Phi\,\delta_i\|$, the sum of its carried local errors.",
    experiment=cost_bounds,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is an error above the cost by more than 1e-4, the error of the derivative",
    assumptions=(GAUSSIAN,),
    control=Control(
        "the root of the sum of squares, as if errors were independent", combine="squares"
    ),
)
def cost_bounds_error(table):
    """Share of grids whose error is above the cost."""
    return violations_estimate(int((table["share"] > 1 + 1e-4).sum()), len(table))


@experiment(
    "tuned-samplers/optimal-grid",
    paper=DC,
    design=grid(method="ddim", n_evaluations=8, algorithm="optimal", baseline=list(STANDARD)),
    paired=("method", "n_evaluations", "algorithm", "baseline", "device"),
    columns={"log_ratio": Column("log of the error on the grid over that on the baseline's")},
    presets={"quick": dict(replicates=80), "paper": dict(replicates=400)},
    block=80,
    algorithm="algorithm",
)
def optimal_grids(*, method, n_evaluations, algorithm, baseline, device="cpu", rng):
    """Error of a method on a grid relative to a baseline's, over four held-out mixtures.

    The grid is ``algorithm(schedule, n_steps) -> times``; "optimal" is that of least cost for the
    method on eight training mixtures, "angles V" that of equal angles for the variance V.
    """
    seed, rest = int(rng.integers(2**32)), (str(method), int(n_evaluations), str(device))
    own, other = (log_error_on(seed, name, *rest) for name in (algorithm, baseline))
    return {"log_ratio": own - other}


def log_ratios(table):
    """Return the mean log ratio, per baseline."""
    return {
        str(name): mean_estimate(rows["log_ratio"])
        for name, rows in table.groupby("baseline", sort=False)
    }


@claim(
    "tuned-samplers/optimal-grid-ddim",
    theorem="derived here; measured here",
    status="empirical",
    statement="At 8 evaluations the grid of least cost on eight training mixtures gives DDIM an "
    r"error on other mixtures at least a tenth below that on each of four standard grids: equal "
    r"steps in $\lambda$, in $t$ and in $\sqrt t$, and that of Karras et al.",
    experiment=optimal_grids,
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=SUITE,
    control=(
        Control("the grid of least cost for 2M", algorithm="optimal for 2m"),
        Control("equal angles for the variance within a mode", algorithm="angles 0.3"),
    ),
)
def optimal_grid_ddim(table):
    """Mean log ratio, per standard grid."""
    return log_ratios(table)


@claim(
    "tuned-samplers/unit-angles-are-near",
    theorem="derived here for Gaussians; measured here",
    status="empirical",
    statement=r"For mixtures of total variance about 1 no training is needed: DDIM's error at 8 "
    r"evaluations on equal steps in $\arctan(\sigma/\alpha)$ is at least a tenth below that on "
    "each of the four standard grids.",
    experiment=optimal_grids,
    at=dict(algorithm="angles 1"),
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=SUITE,
    control=(
        Control("angles for the variance 0.3", algorithm="angles 0.3"),
        Control("2M, of second order, in place of DDIM", method="2m"),
    ),
)
def unit_angles_are_near(table):
    """Mean log ratio, per standard grid."""
    return log_ratios(table)


@claim(
    "tuned-samplers/optimal-grid-2m",
    theorem="derived here; measured here",
    status="empirical",
    statement="At 8 evaluations, all of order $2$ but the first, the grid of least cost gives "
    r"DPM-Solver++(2M) an error at least a tenth below that on the grids uniform in $\lambda$ and "
    "in $t$ and that of Karras et al.",
    experiment=optimal_grids,
    at=dict(method="2m", baseline=["logsnr", "uniform", "edm"]),
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=SUITE,
    control=(
        Control("the grid of least cost for DDIM", algorithm="optimal for ddim"),
        Control("equal angles for unit variance", algorithm="angles 1"),
    ),
)
def optimal_grid_2m(table):
    """Mean log ratio, per standard grid."""
    return log_ratios(table)


@claim(
    "tuned-samplers/lower-orders-close-the-gap",
    theorem="measured here",
    status="empirical",
    statement="With a last step of order $1$ the grid of least cost for DPM-Solver++(2M) gains "
    "less than a tenth on the quadratic grid at 8 evaluations: least cost is not least error.",
    experiment=optimal_grids,
    at=dict(method="2m final", baseline="quadratic"),
    region=AtLeast(TENTH),
    reason=LEAST,
    assumptions=SUITE,
    control=(
        Control("against the grid uniform in lambda", baseline="logsnr"),
        Control("DDIM", method="ddim"),
    ),
)
def lower_orders_close_the_gap(table):
    """Mean log ratio."""
    return log_ratios(table)
