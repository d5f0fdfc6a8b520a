"""Rows for the figures on searched schedules."""

from __future__ import annotations

import numpy as np

from theorytk.diffusion.tuning.predictor import SchedulePredictor
from theorytk.diffusion.tuning.search import BASELINES
from theorytk.diffusion.tuning.unrolled import schedule_errors
from theorytk.experiments import Column, experiment, grid

from .usf_common import SEARCHES, USF, baseline_plans, part, plans, problem, space


@experiment(
    "tuned-samplers/usf-landscape",
    paper=USF,
    design=grid(n_labels=150),
    columns={
        "kind": Column("schedule, one that the predictor was told, or baseline", dtype="str"),
        "error": Column("root mean square error on trajectories held out"),
        "train_error": Column("root mean square error on 64 trajectories"),
        "predicted": Column("error that the predictor expects; none for baselines"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def usf_landscape(*, n_labels, rng):
    """Errors of all schedules and baselines for a random mixture; `n_labels` are told."""
    target = problem(int(rng.integers(2**32)))
    both = (target.held_out, target.train)
    errors, known = ([batch.errors(t) for t in both] for batch in (plans(), baseline_plans()))
    labelled = rng.choice(len(space()), n_labels, replace=False)
    predictor = SchedulePredictor(space()).fit(labelled, errors[1][labelled])
    told = np.isin(np.arange(len(space())), labelled)
    kinds = np.where(told, "labelled", "schedule").tolist()
    rows = [
        *zip(kinds, *errors, np.exp(predictor.predict()), strict=True),
        *zip(BASELINES, *known, [None] * len(BASELINES), strict=True),
    ]
    columns = ("kind", "error", "train_error", "predicted")
    return [dict(zip(columns, row, strict=True)) for row in rows]


@experiment(
    "tuned-samplers/usf-methods",
    paper=USF,
    design=grid(n_train=[4, 64]),
    paired=("n_train",),
    columns={
        "method": Column("search, or the best of the baselines", dtype="str"),
        "train_error": Column("root mean square error on the trajectories searched on"),
        "error": Column("root mean square error on trajectories held out"),
    },
    presets={"quick": dict(replicates=4), "paper": dict(replicates=40)},
    block=4,
)
def usf_methods(*, n_train, rng):
    """Errors of what four searches find, and of the baseline that is best where it is searched."""
    target = problem(int(rng.integers(2**32)))
    train, rows = part(target.train, slice(n_train)), []
    known = np.array([baseline_plans().errors(t) for t in (train, target.held_out)])
    best = known[:, np.argmin(known[0])]
    rows.append(dict(method="best baseline", train_error=best[0], error=best[1]))
    for method in ("exhaustive", "predictor", "evolution", "refined"):
        found = SEARCHES[method](target.target, train, rng)
        errors = [schedule_errors([found], t)[0] for t in (train, target.held_out)]
        rows.append(dict(method=method, train_error=errors[0], error=errors[1]))
    return rows
