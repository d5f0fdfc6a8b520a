"""Errors at 5 to 20 evaluations, on random mixtures: what orders, grids and options buy."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, mean_estimate

from .common import DPMPP
from .suite import log_errors

SUITE = Assumption("a population of random mixtures in 2, 8 and 16 dimensions, exact predictions")
RANGE = Assumption("VP linear from t = 1 to 0.001, starts from N(0, I)")
ASSUMPTIONS = (SUITE, RANGE)
TENTH = np.log(0.9)
SHOWN = (
    "ddim",
    "heun",
    "dpm_2m",
    "dpmpp_2m",
    "dpmpp_3m published",
    "deis_tab3",
    "ipndm",
    "unipc-3 final",
)
LEAST = "a tenth: the least effect of an ordering that is worth the name"


@experiment(
    "diffusion-samplers/error-ratio",
    paper=DPMPP,
    design=grid(algorithm="dpmpp_2m", kind="logsnr", n_evaluations=10),
    paired=("algorithm", "baseline", "kind", "baseline_kind", "n_evaluations", "device"),
    columns={"log_ratio": Column("log of the algorithm's error over that of the baseline")},
    presets={"quick": dict(replicates=25), "paper": dict(replicates=200)},
    block=25,
    algorithm="algorithm",
)
def error_ratio(
    *,
    algorithm,
    kind,
    n_evaluations,
    baseline="ddim",
    baseline_kind="same",
    device="cpu",
    rng,
):
    """Error of a sampler relative to a baseline of as many evaluations, over four mixtures.

    The errors are root mean squares over starting points and coordinates, of which a replicate
    takes the geometric mean. The algorithm is ``algorithm(schedule, times, bootstrap) -> Plan``
    with an evaluation per step; the baseline "itself" is the algorithm, on its own grid.
    """
    seed, device = int(rng.integers(2**32)), str(device)
    other = algorithm if baseline == "itself" else baseline
    other_kind = kind if baseline_kind == "same" else baseline_kind
    own = log_errors(seed, algorithm, kind, n_evaluations, device)
    return {"log_ratio": own - log_errors(seed, other, other_kind, n_evaluations, device)}


def log_ratios(table, *by):
    """Return the mean logarithm of the ratio, for each value of the factors `by`."""
    return {
        ", ".join(str(v) for v in values): mean_estimate(rows["log_ratio"])
        for values, rows in table.groupby(list(by), sort=False)
    }


@experiment(
    "diffusion-samplers/error-against-evaluations",
    paper=DPMPP,
    design=grid(kind=["logsnr", "quadratic", "edm", "uniform"]),
    paired=("kind", "device"),
    columns={
        "algorithm": Column("sampler", dtype="str"),
        "n_evaluations": Column("evaluations", dtype="int"),
        "error": Column("root mean square error, geometric mean over four mixtures"),
    },
    presets={"quick": dict(replicates=6), "paper": dict(replicates=100)},
    block=6,
)
def error_against_evaluations(*, kind, device="cpu", rng):
    """Errors of samplers on four random mixtures, at 5 to 20 evaluations on one kind of grid."""
    seed, rows = int(rng.integers(2**32)), []
    for algorithm in SHOWN:
        for n in (5, 6, 8, 10, 14, 20):
            if algorithm != "heun" or n % 2 == 0:
                error = np.exp(log_errors(seed, algorithm, kind, n, device))
                rows.append({"algorithm": algorithm, "n_evaluations": n, "error": error})
    return rows


@claim(
    "diffusion-samplers/second-order-halves",
    theorem="abstract of DPM-Solver++ (few steps suffice); measured here",
    status="empirical",
    statement=r"At 10 and at 20 evaluations, uniform in $\lambda$, DPM-Solver++(2M) has at most "
    "half the error of DDIM, in the geometric mean.",
    experiment=error_ratio,
    at=dict(n_evaluations=[10, 20]),
    region=AtMost(np.log(0.5)),
    reason="the least effect that is claimed, a half",
    assumptions=ASSUMPTIONS,
    control=(
        Control("differences of outputs with 0.4 of their weight", algorithm="dpmpp_2m damped 0.6"),
        Control("Heun, of second order too but with two evaluations a step", algorithm="heun"),
    ),
)
def second_order_halves(table):
    """Mean log ratio, per number of evaluations."""
    return log_ratios(table, "n_evaluations")


@claim(
    "diffusion-samplers/heun-needs-more",
    theorem="measured here",
    status="empirical",
    statement=r"At 10 evaluations, uniform in $\lambda$, Heun's five steps in $\rho$ have at least "
    "twice the error of DDIM's ten: order is not all.",
    experiment=error_ratio,
    at=dict(algorithm="heun"),
    region=AtLeast(np.log(2)),
    reason="the least effect that is claimed, a factor of 2",
    assumptions=ASSUMPTIONS,
    control=(
        Control("steps of equal length in t", kind="uniform"),
        Control("40 evaluations", n_evaluations=40),
    ),
)
def heun_needs_more(table):
    """Mean log ratio."""
    return log_ratios(table, "kind")


@claim(
    "diffusion-samplers/deis-beats-2m",
    theorem="abstract of DEIS (high accuracy at 10 to 20 evaluations); measured here",
    status="empirical",
    statement=r"At 10 and at 20 evaluations, on grids uniform in $\lambda$ and quadratic in $t$, "
    "tAB3 of DEIS has an error at least a tenth below that of DPM-Solver++(2M).",
    experiment=error_ratio,
    at=dict(
        algorithm="deis_tab3",
        baseline="dpmpp_2m",
        kind=["logsnr", "quadratic"],
        n_evaluations=[10, 20],
    ),
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=ASSUMPTIONS,
    control=(
        Control("differences of outputs with half their weight", algorithm="deis_tab3 damped 0.5"),
        Control("degree 1", algorithm="deis_tab1"),
    ),
)
def deis_beats_2m(table):
    """Mean log ratio, per grid and number of evaluations."""
    return log_ratios(table, "kind", "n_evaluations")


@claim(
    "diffusion-samplers/corrector-pays",
    theorem="abstract of UniPC (a corrector without extra evaluations); measured here",
    status="empirical",
    statement=r"At 20 evaluations, on grids uniform in $\lambda$ and quadratic in $t$, UniPC-2 has "
    "an error at least a tenth below that of its predictor, which is DPM-Solver++(2M).",
    experiment=error_ratio,
    at=dict(
        algorithm="unipc-2",
        baseline="dpmpp_2m",
        kind=["logsnr", "quadratic"],
        n_evaluations=20,
    ),
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=ASSUMPTIONS,
    control=(
        Control("the new output with 0.7 of its weight", algorithm="unipc-2 undercorrected 0.3"),
        Control("no corrector", algorithm="unip-2"),
    ),
)
def corrector_pays(table):
    """Mean log ratio, per grid."""
    return log_ratios(table, "kind")


@claim(
    "diffusion-samplers/quadratic-grid",
    theorem="measured here; the grid is that of DDIM and of DEIS",
    status="empirical",
    statement=r"At 10 evaluations the grid quadratic in $t$ has an error at least a tenth below "
    r"that of the grid uniform in $\lambda$, for DDIM, 2M in noise prediction, tAB3 of DEIS and "
    "iPNDM.",
    experiment=error_ratio,
    at=dict(
        algorithm=["ddim", "dpm_2m", "deis_tab3", "ipndm"],
        baseline="itself",
        kind="quadratic",
        baseline_kind="logsnr",
    ),
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=ASSUMPTIONS,
    control=(
        Control("equal steps in t", kind="uniform"),
        Control("the grid of Karras et al.", kind="edm"),
    ),
)
def quadratic_grid(table):
    """Mean log ratio, per sampler."""
    return log_ratios(table, "algorithm")


@claim(
    "diffusion-samplers/third-order-prefers-logsnr",
    theorem="measured here",
    status="empirical",
    statement=r"No grid is best for all: at 10 evaluations DPM-Solver++(3M) without lower orders "
    r"at the end has at least twice the error on the quadratic grid that it has on the one uniform "
    r"in $\lambda$.",
    experiment=error_ratio,
    at=dict(algorithm="dpmpp_3m", baseline="itself", kind="quadratic", baseline_kind="logsnr"),
    region=AtLeast(np.log(2)),
    reason="the least effect that is claimed, a factor of 2",
    assumptions=ASSUMPTIONS,
    control=(
        Control("with lower orders at the end", algorithm="dpmpp_3m final"),
        Control("32 evaluations", n_evaluations=32),
    ),
)
def third_order_prefers_logsnr(table):
    """Mean log ratio."""
    return log_ratios(table, "algorithm")


RELEASED = dict(algorithm="dpmpp_3m published final", baseline="dpmpp_3m published")


@claim(
    "diffusion-samplers/lower-orders-help-at-5",
    theorem="the option lower_order_final of the released code; measured here",
    status="empirical",
    statement="At 5 steps, on each of four grids, orders that fall to $1$ at the end lower the "
    "error of the released DPM-Solver++(3M) by at least a tenth.",
    experiment=error_ratio,
    at=dict(**RELEASED, kind=["logsnr", "uniform", "quadratic", "edm"], n_evaluations=5),
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=ASSUMPTIONS,
    control=(
        Control("10 steps", n_evaluations=10),
        Control("20 steps", n_evaluations=20),
    ),
)
def lower_orders_help(table):
    """Mean log ratio, per grid."""
    return log_ratios(table, "kind")


@claim(
    "diffusion-samplers/lower-orders-harm-from-8",
    theorem="the option lower_order_final of the released code, active below 10 steps; "
    "measured here",
    status="empirical",
    statement=r"At 8 and at 10 steps, uniform in $\lambda$, orders that fall to 1 at the end raise "
    "the error of the released DPM-Solver++(3M) by at least a tenth.",
    experiment=error_ratio,
    at=dict(**RELEASED, n_evaluations=[8, 10]),
    region=AtLeast(-TENTH),
    reason=LEAST,
    assumptions=ASSUMPTIONS,
    control=(
        Control("equal steps in t", kind="uniform"),
        Control("18 steps", n_evaluations=18),
    ),
)
def lower_orders_harm(table):
    """Mean log ratio, per number of steps."""
    return log_ratios(table, "n_evaluations")
