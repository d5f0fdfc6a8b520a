"""The options that every verb shares: what to run, where, and with how many workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import loky

from theorytk._validation import check_choice, check_int, check_real
from theorytk.experiments import PRESETS, Experiment
from theorytk.project import Project, load
from theorytk.runner import Outcome
from theorytk.runner.run import RunSummary, Wanted
from theorytk.runner.run import run as run_wanted
from theorytk.runner.store import Store

__all__ = ["BACKENDS", "TaskFailedError", "Workspace"]

BACKENDS = ("loky", "dask")


class TaskFailedError(RuntimeError):
    """Tasks raised; the rest was run and stored."""

    def __init__(self, failed: Sequence[Outcome]) -> None:
        self.failed = failed
        first = failed[0]
        last_line = (first.error or "").strip().splitlines()[-1]
        super().__init__(
            f"{len(failed)} task(s) failed; the first is {first.task.experiment} "
            f"{first.task.condition}: {last_line}\n"
            f"run it alone with: theorytk replay {first.task.id}"
        )


@dataclass(frozen=True)
class Workspace:
    """Where and how things run: the options that every function here shares.

    Parameters
    ----------
    preset : {"quick", "paper"}
        Which conditions and how many replicates.
    seed : int
        Root seed, >= 0.
    jobs : int, optional
        Worker processes; default all cores. Results do not depend on it.
    results : path
        Results folder.
    project : path, optional
        Folder with ``simulations/`` and ``paper_figures/``; default theorytk's own.
    quiet : bool
        Whether to show no progress.
    device : str, optional
        Where experiments that have a factor ``device`` compute, such as ``"cuda"``; default as
        they are declared. All others compute with NumPy.
    """

    preset: str = "quick"
    seed: int = 0
    jobs: int | None = None
    results: str | Path = "results"
    project: str | Path | None = None
    quiet: bool = True
    device: str | None = None
    timeout: float | None = None
    backend: str = "loky"
    scheduler: str | None = None
    loaded: Project = field(init=False, repr=False)
    store: Store = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_choice("preset", self.preset, PRESETS)
        check_int("seed", self.seed, lower=0)
        check_int("jobs", self.workers, lower=1)
        check_choice("backend", self.backend, BACKENDS)
        if self.timeout is not None:
            check_real("timeout", self.timeout, lower=0.0, lower_open=True)
        if self.scheduler is not None and self.backend != "dask":
            raise ValueError(f"a scheduler needs backend 'dask'; got {self.backend!r}")
        object.__setattr__(self, "loaded", load(self.project))
        object.__setattr__(self, "store", Store(self.results, self.loaded.name))

    @property
    def workers(self) -> int:
        """The number of worker processes."""
        return int(loky.cpu_count()) if self.jobs is None else self.jobs

    def want(self, experiment: Experiment, **factors: Any) -> Wanted:
        """Return the preset's conditions of `experiment`, with factors overridden."""
        factors = {**experiment.on(self.device), **factors}
        conditions = experiment.conditions(self.preset, **factors)
        return Wanted(experiment, conditions, experiment.replicates(self.preset), self.seed)

    def run(self, wanted: Iterable[Wanted], *, strict: bool = True) -> RunSummary:
        """Run what the store lacks; if a task raised, raise `TaskFailedError` where `strict`."""
        summary = run_wanted(
            wanted,
            self.store,
            jobs=self.workers,
            quiet=self.quiet,
            timeout=self.timeout,
            backend=self.backend,
            scheduler=self.scheduler,
        )
        if summary.failed and strict:
            raise TaskFailedError(summary.failed)
        return summary
