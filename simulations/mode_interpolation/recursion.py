"""Models trained on what their predecessors returned: interpolation feeds on itself."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion.hallucination import (
    HallucinationRule,
    cap_slope,
    default_grid,
    least_variable,
    sample_chain,
)
from theorytk.diffusion.hallucination.recursion import (
    denoiser_of_masses,
    keep_first,
    population_recursion,
    recursive_training,
)
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, mean_estimate

from .common import PAPER, RULE, START, mixture, schedule_of, violated

MODES = "1,2,3"
POPULATION = Assumption("infinitely many samples; the best denoiser of bounded slope of each law")


@experiment(
    "mode-interpolation/population",
    paper=PAPER,
    design=grid(bound=[2, 3], removal=["none", "hallucinations"], generations=6),
    paired=("removal",),
    columns={
        "generation": Column("models before this one", dtype="int"),
        "rate": Column("mass between the modes"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def population(*, bound, removal, generations, rng):
    """Exact laws of generations, with and without a filter that removes all hallucinations."""
    schedule, start = schedule_of(1000)
    target = mixture(MODES)
    rule = HallucinationRule(target, between=True)
    laws = population_recursion(
        target,
        schedule,
        default_grid(target, 4608),
        bound=bound,
        n_generations=generations,
        remove=rule if removal == "hallucinations" else None,
        t_start=start,
    )
    return [{"generation": i, "rate": law.probability(rule.gaps)} for i, law in enumerate(laws)]


def growth(table):
    """Return the last generation's rate over the first's, by bound."""
    rates = table.sort_values("generation").groupby("bound")["rate"]
    return rates.last() / rates.first()


@claim(
    "mode-interpolation/recursion-multiplies",
    theorem="section 6: hallucinations under recursive training; in the population, ours",
    status="ours",
    statement=r"Without a filter, hallucination feeds on itself even with infinitely many samples: "
    r"six generations of the best denoiser of slope at most $2$ or $3$ make it ten times as "
    r"frequent.",
    experiment=population,
    at=dict(removal="none"),
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a smaller factor; the laws are exact up to the grid",
    assumptions=(RULE, START, POPULATION),
    control=Control("all hallucinations removed in each generation", removal="hallucinations"),
)
def multiplies(table):
    """Share of bounds with less growth."""
    return violated(growth(table) < 10)


@claim(
    "mode-interpolation/perfect-filter-holds",
    theorem="section 6: pre-emptive filtering; in the population, ours",
    status="ours",
    statement=r"With all hallucinations removed before the next model is trained, their rate has "
    r"grown by less than one half after six generations (slopes at most $2$ and $3$).",
    experiment=population,
    at=dict(removal="hallucinations"),
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a larger factor; the laws are exact up to the grid",
    assumptions=(RULE, START, POPULATION),
    control=Control("no filter", removal="none"),
)
def holds(table):
    """Share of bounds with more growth."""
    return violated(growth(table) >= 1.5)


@lru_cache(maxsize=1)
def coarse():
    """Return a schedule of 500 labels, where its chains start, and a grid."""
    schedule, start = schedule_of(500)
    return schedule, start, default_grid(mixture(MODES), 3000)


def fit_capped(x, rng):
    """Return the best denoiser of slope at most 3 of samples."""
    schedule, start, points = coarse()
    masses = np.full(len(x), 1 / len(x))
    table, weights = denoiser_of_masses(x[:, 0], masses, schedule, points, t_start=start)
    return cap_slope(table, schedule, 3.0, weights)


def draw(denoiser, n, rng):
    """Return samples, and the variances of their last five predictions."""
    schedule, start, _ = coarse()
    return sample_chain(denoiser, schedule, n, t_start=start, window=(0, 5), rng=rng)


FILTERS = {"variance": least_variable, "none": keep_first}


@experiment(
    "mode-interpolation/generations",
    paper=PAPER,
    design=grid(samples=5000, generations=3, oversampling=0.025),
    paired=("keep", "oversampling"),
    columns={
        "generation": Column("models before this one", dtype="int"),
        "before": Column("share of hallucinations before the filter"),
        "after": Column("share after the filter"),
        "spread": Column("standard deviation in the middle mode over that of the data"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=4,
    algorithm="keep",
)
def generations(*, samples, generations, oversampling, keep="variance", rng):
    """Recursive training of the best denoisers of slope at most 3 of samples, with a filter.

    The algorithm is ``keep(score, n) -> indices`` of the n samples that the next model sees.
    """
    target = mixture(MODES)
    rule, data = HallucinationRule(target, between=True), target.sample(samples, rng=rng)
    options = dict(n_generations=generations, oversampling=oversampling, rng=rng)
    chosen = FILTERS.get(keep, keep)
    history = recursive_training(data, fit_capped, draw, keep=chosen, **options)
    return [
        {
            "generation": i,
            "before": model.rates(rule)[0],
            "after": model.rates(rule)[1],
            "spread": model.mode_statistics(target)[1][1] / 0.05,
        }
        for i, model in enumerate(history)
    ]


@claim(
    "mode-interpolation/filter-slows-recursion",
    theorem="section 6: pre-emptive filtering by the variance",
    status="empirical",
    statement=r"With the $2.5\%$ of samples that vary most removed in each of three generations, "
    r"less than $0.6\%$ of what the fourth model would see are hallucinations.",
    experiment=generations,
    region=AtMost(0.006),
    reason="a choice: about half of what is there without a filter",
    assumptions=(RULE, Assumption("best denoisers of slope at most 3 of 5000 samples, 500 steps")),
    control=Control("a filter that looks at nothing", keep="none"),
)
def filtered(table):
    """Mean share of hallucinations after the filter of the last generation."""
    return mean_estimate(table[table["generation"] == table["generation"].max()]["after"])


@claim(
    "mode-interpolation/over-filtering-costs-diversity",
    theorem="section 6: filters that remove more; the price is ours",
    status="empirical",
    statement=r"A filter that removes a sixth of the samples that vary most in each of four "
    r"generations removes diversity too: the standard deviation within the middle mode falls "
    r"below $0.75$ of the data's.",
    experiment=generations,
    at=dict(oversampling=0.2, generations=4),
    region=AtMost(0.75),
    reason="a choice: a quarter of the width, which one sees in a histogram",
    assumptions=(RULE, Assumption("best denoisers of slope at most 3 of 5000 samples, 500 steps")),
    control=Control("the paper's filter, which removes 2.4%", oversampling=0.025),
)
def overfiltered(table):
    """Mean spread of the last generation."""
    return mean_estimate(table[table["generation"] == table["generation"].max()]["spread"])
