"""A task: one condition and one block of replicates, run anywhere with the same result."""

from __future__ import annotations

import hashlib
import math
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk.experiments import Column, Design, Experiment
from theorytk.experiments.design import Condition, canonical

__all__ = ["Outcome", "Task", "plan", "run_task"]

Columns = dict[str, list[Any]]
_PYTHON = {"float": float, "int": int, "bool": bool, "str": str}


@dataclass(frozen=True)
class Task:
    """Replicates ``start`` to ``stop - 1`` of one condition under one root seed."""

    experiment: str
    condition: Condition
    start: int
    stop: int
    seed: int

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that name the task."""
        text = (
            f"{self.experiment}\n{canonical(self.condition)}\n{self.start}:{self.stop}\n{self.seed}"
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Outcome:
    """What a task returned: its columns, or the traceback of what it raised."""

    task: Task
    columns: Columns
    seconds: float
    error: str | None = None


def plan(
    experiment: Experiment,
    conditions: Design,
    replicates: int,
    seed: int,
    done: set[tuple[str, int]],
) -> Iterator[Task]:
    """Yield the tasks of which `done` lacks some (condition JSON, replicate)."""
    for key, condition in zip(conditions.keys(), conditions, strict=True):
        for start in range(0, replicates, experiment.block):
            stop = min(start + experiment.block, replicates)
            if any((key, replicate) not in done for replicate in range(start, stop)):
                yield Task(experiment.id, condition, start, stop, seed)


def run_task(
    experiment: Experiment, task: Task, replace: Mapping[str, Any] | None = None
) -> Outcome:
    """Run `task`; `replace` puts objects, such as a user's algorithm, in the place of factors."""
    started = time.perf_counter()
    columns: Columns = {"replicate": [], **{name: [] for name in experiment.columns}}
    words = experiment.seed_words(task.condition)
    arguments = {**task.condition, **(replace or {})}
    try:
        for replicate in range(task.start, task.stop):
            stream = np.random.SeedSequence(task.seed, spawn_key=(*words, replicate))
            result = experiment.function(**arguments, rng=np.random.default_rng(stream))
            rows = _columns(experiment, result)
            columns["replicate"] += [replicate] * len(rows[next(iter(rows))])
            for name, values in rows.items():
                columns[name] += values
    except Exception:
        return Outcome(task, {}, time.perf_counter() - started, traceback.format_exc())
    return Outcome(task, columns, time.perf_counter() - started)


def _columns(experiment: Experiment, result: Any) -> Columns:
    """Return what the function returned as one list of Python scalars per declared column."""
    if hasattr(result, "to_dict") and not isinstance(result, Mapping):
        result = result.to_dict("list")
    if isinstance(result, Sequence):
        result = {name: [row[name] for row in result] for name in (result[0] if result else {})}
    if set(result) != set(experiment.columns):
        raise ValueError(
            f"{experiment.id} declares the columns {sorted(experiment.columns)}; "
            f"it returned {sorted(result)}"
        )
    lengths = {len(v) for v in result.values() if _is_column(v)}
    if len(lengths) > 1 or lengths == {0}:
        raise ValueError(f"{experiment.id} returned columns of lengths {sorted(lengths)}")
    n_rows = lengths.pop() if lengths else 1
    return {
        name: _scalars(name, column, result[name], n_rows)
        for name, column in experiment.columns.items()
    }


def _is_column(value: Any) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim == 1)


def _scalars(name: str, column: Column, value: Any, n_rows: int) -> list[Any]:
    values = list(value) if _is_column(value) else [value] * n_rows
    return [None if v is None else _scalar(name, column, v) for v in values]


def _scalar(name: str, column: Column, value: Any) -> Any:
    """Return `value` as the column's Python type, if it is the same number (NaN never is)."""
    scalar = _PYTHON[column.dtype](value)
    fits = scalar == value
    if column.dtype == "float":
        fits &= column.infinite or math.isfinite(scalar)
    if column.dtype == "int":
        fits &= -(2**63) <= scalar < 2**63
    if not fits:
        raise ValueError(
            f"column {name!r} ({column.dtype}) cannot hold {value!r}; a missing value is None"
        )
    return scalar
