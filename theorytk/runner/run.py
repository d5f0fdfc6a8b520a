"""Running what is missing of some conditions, and reading what is there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from theorytk._fingerprint import fingerprint
from theorytk.experiments import Design, Experiment
from theorytk.experiments.design import canonical
from theorytk.runner.executor import execute
from theorytk.runner.pools import dask_client
from theorytk.runner.progress import Progress
from theorytk.runner.store import Store, frame
from theorytk.runner.tasks import Outcome, Task, plan

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RunSummary", "Wanted", "missing", "run", "run_in_memory"]

FLUSH_SECONDS = 2.0


@dataclass(frozen=True)
class Wanted:
    """Conditions of an experiment, with how many replicates and under which root seed."""

    experiment: Experiment
    conditions: Design
    replicates: int
    seed: int = 0

    def table(self, store: Store) -> pd.DataFrame:
        """Return the stored rows of exactly this."""
        current = fingerprint(self.experiment)
        return store.table(self.experiment, self.conditions, self.replicates, self.seed, current)

    def tasks(self, store: Store | None) -> list[Task]:
        """Return the tasks that `store` lacks (all of them without a store)."""
        current = fingerprint(self.experiment) if store else ""
        done = store.done(self.experiment, self.seed, current) if store else set()
        return list(plan(self.experiment, self.conditions, self.replicates, self.seed, done))


@dataclass
class RunSummary:
    """What a run did: tasks finished and failed, and the time it took."""

    finished: int = 0
    failed: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0


def missing(
    wanted: Iterable[Wanted], store: Store
) -> dict[str, tuple[Experiment, dict[str, Task]]]:
    """Return, by experiment id, the tasks to run, each once."""
    tasks: dict[str, tuple[Experiment, dict[str, Task]]] = {}
    for want in wanted:
        by_id = tasks.setdefault(want.experiment.id, (want.experiment, {}))[1]
        by_id.update((task.id, task) for task in want.tasks(store))
    return {id: (experiment, by_id) for id, (experiment, by_id) in tasks.items() if by_id}


def run(
    wanted: Iterable[Wanted],
    store: Store,
    *,
    jobs: int,
    quiet: bool = False,
    timeout: float | None = None,
    backend: str = "loky",
    scheduler: str | None = None,
) -> RunSummary:
    """Run what `store` lacks of `wanted` and append it, every two seconds and at the end."""
    started = time.perf_counter()
    summary = RunSummary()
    todo = missing(wanted, store)
    if todo:
        store.prepare()
    on_dask = backend == "dask" and todo
    with (
        dask_client(scheduler, jobs) if on_dask else nullcontext() as client,
        Progress(sum(len(tasks) for _, tasks in todo.values()), quiet=quiet) as shown,
    ):
        for experiment, tasks in todo.values():
            outcomes = execute(
                experiment, tasks.values(), jobs=jobs, timeout=timeout, client=client
            )
            _keep(experiment, outcomes, store, shown, summary)
    summary.seconds = time.perf_counter() - started
    return summary


def _keep(
    experiment: Experiment,
    outcomes: Iterable[Outcome],
    store: Store,
    shown: Progress,
    summary: RunSummary,
) -> None:
    """Store outcomes as they come."""
    current = fingerprint(experiment)
    waiting: list[Outcome] = []
    flushed = time.monotonic()
    try:
        for outcome in outcomes:
            waiting.append(outcome)
            shown.advance(experiment.id)
            if outcome.error is None:
                summary.finished += 1
            else:
                summary.failed.append(outcome)
            if time.monotonic() - flushed > FLUSH_SECONDS:
                store.append(experiment, waiting, current)
                waiting, flushed = [], time.monotonic()
    finally:
        store.append(experiment, waiting, current)


def run_in_memory(
    wanted: Wanted, *, jobs: int = 1, replace: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Run `wanted` without a store, with objects in the place of factors; raise if a task does."""
    outcomes = list(execute(wanted.experiment, wanted.tasks(None), jobs=jobs, replace=replace))
    for outcome in outcomes:
        if outcome.error is not None:
            raise RuntimeError(
                f"{wanted.experiment.id}, {outcome.task.condition}:\n{outcome.error}"
            )
    order = {key: i for i, key in enumerate(wanted.conditions.keys())}
    outcomes.sort(key=lambda o: (order[canonical(o.task.condition)], o.task.start))
    return frame(wanted.experiment, outcomes)
