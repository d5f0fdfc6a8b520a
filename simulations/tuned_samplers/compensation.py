"""Dynamic compensation: what ratios learned on ten trajectories do to the others."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, AtMost, mean_estimate

from .compensation_common import DC, LEARNING, problem, ratios_of

TENTH = np.log(0.9)
LEAST = "a tenth: the least effect of an ordering that is worth the name"
ASSUMPTIONS = (
    Assumption("a population of random mixtures in 4 dimensions, guided to half of each"),
    Assumption("exact predictions; grid uniform in t on VP linear; UniPC-2, orders falling"),
    Assumption("states by UniPC-3 on 20 substeps of each step stand for the exact ones"),
)


@experiment(
    "tuned-samplers/compensation",
    paper=DC,
    design=grid(scale=3, n_steps=8, n_points=10, algorithm="searched", baseline="none"),
    paired=(
        "scale",
        "n_steps",
        "n_points",
        "algorithm",
        "baseline",
        "baseline_points",
        "device",
    ),
    columns={
        "log_ratio": Column("log of the error over the baseline's, on held-out trajectories"),
    },
    presets={"quick": dict(replicates=120), "paper": dict(replicates=500)},
    block=60,
    algorithm="algorithm",
)
def compensation(
    *,
    scale,
    n_steps,
    n_points,
    algorithm,
    baseline,
    baseline_points=10,
    device="cpu",
    rng,
):
    """Error of UniPC-2 with compensation ratios of a guided mixture, relative to a baseline.

    The rule ``algorithm(model, schedule, times, starts, references) -> ratios`` sees n_points
    trajectories; "searched 0.5" goes half of the way from 1 to what the search finds.
    """
    seed, cell = int(rng.integers(2**32)), (float(scale), int(n_steps))
    given = problem(seed, *cell)
    own, other = (
        given.log_error(ratios_of(rule, seed, *cell, points), str(device))
        for rule, points in ((algorithm, n_points), (baseline, baseline_points))
    )
    return {"log_ratio": own - other}


def log_ratios(table, *by):
    """Return the mean log ratio for each value of the factors `by`."""
    return {
        ", ".join(f"{name}={value:g}" for name, value in zip(by, values, strict=True)): (
            mean_estimate(rows["log_ratio"])
        )
        for values, rows in table.groupby(list(by), sort=False)
    }


@claim(
    "tuned-samplers/ten-points-suffice",
    theorem="abstract (ten data points suffice); measured here",
    status="empirical",
    statement="At 8 evaluations and guidance $w=1$ and $w=3$ the ratios found on ten trajectories "
    "lower the error of UniPC-2 on others by at least a tenth, in the geometric mean.",
    experiment=compensation,
    at=dict(scale=[1, 3]),
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=ASSUMPTIONS,
    control=(
        Control("random ratios between 0.5 and 1.5", algorithm="random"),
        Control("a search that stops after 15% of the way", algorithm="searched 0.15"),
    ),
)
def ten_points_suffice(table):
    """Mean log ratio, per guidance scale."""
    return log_ratios(table, "scale")


@claim(
    "tuned-samplers/strong-guidance",
    theorem="abstract (few steps, strong guidance); measured here",
    status="empirical",
    statement="At guidance $w=7.5$ and only 5 evaluations too, ten trajectories lower the error on "
    "others by at least a tenth, in the geometric mean over targets.",
    experiment=compensation,
    at=dict(scale=7.5, n_steps=5),
    region=AtMost(TENTH),
    reason=LEAST,
    assumptions=ASSUMPTIONS,
    control=(
        Control("random ratios between 0.5 and 1.5", algorithm="random"),
        Control("a search that stops after 5% of the way", algorithm="searched 0.05"),
    ),
)
def strong_guidance(table):
    """Mean log ratio."""
    return log_ratios(table, "scale")


@claim(
    "tuned-samplers/one-point-overfits",
    theorem="measured here",
    status="empirical",
    statement="At 8 evaluations and $w=3$ ratios found on one trajectory have an error on others "
    "that is at least a tenth above that of ratios found on ten.",
    experiment=compensation,
    at=dict(n_points=1, baseline="searched"),
    region=AtLeast(-TENTH),
    reason=LEAST,
    assumptions=ASSUMPTIONS,
    control=(
        Control("twenty trajectories", n_points=20),
        Control("all forty trajectories", n_points=LEARNING),
    ),
)
def one_point_overfits(table):
    """Mean log ratio of the errors with one and with ten trajectories."""
    return log_ratios(table, "n_points")


@experiment(
    "tuned-samplers/compensation-profiles",
    paper=DC,
    design=grid(scale=[1, 3, 7.5], n_steps=8, n_points=10),
    paired=("scale", "n_points"),
    columns={
        "step": Column("step, from 1", dtype="int"),
        "ratio": Column("compensation ratio that the search finds"),
        "learned": Column("error of the result over UniPC's, on the trajectories learned from"),
        "held_out": Column("error of the result over UniPC's, on held-out trajectories"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    block=20,
)
def compensation_profiles(*, scale, n_steps, n_points, rng):
    """Ratios of each step, and what they do to the trajectories learned from and to others."""
    seed, cell = int(rng.integers(2**32)), (float(scale), int(n_steps))
    given, ratios = problem(seed, *cell), ratios_of("searched", seed, *cell, n_points)
    learned, held_out = (
        np.exp(given.log_error(ratios, part=part) - given.log_error(None, part=part))
        for part in (slice(n_points), slice(LEARNING, None))
    )
    return [
        {"step": i + 1, "ratio": ratio, "learned": learned, "held_out": held_out}
        for i, ratio in enumerate(ratios)
    ]
