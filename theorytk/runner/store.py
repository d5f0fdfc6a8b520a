"""The store: one folder of append-only Parquet parts per experiment."""

from __future__ import annotations

import json
import os
import platform
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from theorytk._files import write_atomically
from theorytk.experiments import Design, Experiment
from theorytk.experiments.design import canonical, parse
from theorytk.runner.tasks import Outcome, Task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Store"]

_ARROW = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "str": pa.string()}
_KEYS = ("condition", "replicate")
Filters = list[tuple[str, str, Any]]


class Store:
    """Rows of finished tasks under ``<results>/store``.

    Parameters
    ----------
    results : path
        The results folder; created if it does not exist.
    project : str
        Name of the project that it belongs to.

    Raises
    ------
    ValueError
        If the folder holds another project's results, or something else altogether.
    """

    def __init__(self, results: str | os.PathLike[str], project: str) -> None:
        self.root = Path(results) / "store"
        self._project = project
        self._marker = self.root / "theorytk.json"
        if self._marker.exists():
            owner = json.loads(self._marker.read_text()).get("project")
            if owner != project:
                raise ValueError(
                    f"results folder {results} belongs to the project {owner!r}, not {project!r}; "
                    "choose another with --results"
                )
        elif any(self.root.glob("[!.]*")):
            raise ValueError(f"results folder {results} holds a store without theorytk.json")

    def append(self, experiment: Experiment, outcomes: Sequence[Outcome], fingerprint: str) -> None:
        """Write the rows of `outcomes` as one part, and what failed to ``failures.jsonl``."""
        if outcomes and not self._marker.exists():
            content = json.dumps({"format": 1, "project": self._project})
            write_atomically(self._marker, lambda path: path.write_text(content))
        good = [o for o in outcomes if o.error is None]
        if good:
            table = _table(experiment, good, fingerprint)
            name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet"
            part = self._folder(experiment) / name
            write_atomically(part, lambda path: pq.write_table(table, path))
        failed = [_failure(o, fingerprint) for o in outcomes if o.error is not None]
        if failed:
            self._folder(experiment).mkdir(parents=True, exist_ok=True)
            with (self._folder(experiment) / "failures.jsonl").open("a") as file:
                file.write("".join(failed))

    def done(self, experiment: Experiment, seed: int, fingerprint: str) -> set[tuple[str, int]]:
        """Return the (condition JSON, replicate) pairs that need no run."""
        rows = self._read(experiment, _KEYS, _current(seed, fingerprint))
        return set(zip(*(rows[key].to_pylist() for key in _KEYS), strict=True))

    def table(
        self,
        experiment: Experiment,
        conditions: Design,
        replicates: int,
        seed: int,
        fingerprint: str,
    ) -> pd.DataFrame:
        """Return replicates ``0..replicates-1`` of `conditions`: factors, replicate, columns.

        Rows stand in the order of the design, whatever the order in which they were computed;
        bookkeeping columns begin with ``_``.
        """
        order = {key: i for i, key in enumerate(conditions.keys())}
        asked = [("condition", "in", list(order)), ("replicate", "<", replicates)]
        where = [*_current(seed, fingerprint), *asked]
        rows = self._read(experiment, _schema(experiment).names, where).to_pandas()
        for source in ("_part", "_task"):  # what was computed twice counts once
            rows = rows[rows[source] == rows.groupby(list(_KEYS))[source].transform("first")]
        rows = rows.assign(_order=rows["condition"].map(order))
        rows = rows.sort_values(["_order", "replicate"], kind="stable").reset_index(drop=True)
        return expand(rows.drop(columns=["_order", "_part"]), experiment)

    def find(self, task_id: str, experiment: Experiment) -> Task | None:
        """Return the stored or failed task called `task_id`, or None."""
        rows = self._read(experiment, [*_KEYS, "_seed"], [("_task", "==", task_id)]).to_pylist()
        if rows:
            condition, seed = parse(rows[0]["condition"]), rows[0]["_seed"]
            replicates = {row["replicate"] for row in rows}
            return Task(experiment.id, condition, min(replicates), max(replicates) + 1, seed)
        for line in self._failures(experiment):
            if line["task"] == task_id:
                condition = parse(canonical(line["condition"]))
                start, stop = line["replicates"]
                return Task(experiment.id, condition, start, stop, line["seed"])
        return None

    def state(self, experiment: Experiment, seed: int, fingerprint: str) -> dict[str, Any]:
        """Return how many replicates are stored, stale and failed, and the seconds they took.

        Failures are the tasks that failed with the present sources and have no rows since.
        """
        names = [*_KEYS, "_task", "_seconds", "_fingerprint", "_seed"]
        rows = self._read(experiment, names).to_pandas()
        current = (rows["_fingerprint"] == fingerprint) & (rows["_seed"] == seed)
        failed = {
            line["task"]
            for line in self._failures(experiment)
            if line["fingerprint"] == fingerprint and line["seed"] == seed
        }
        tasks = rows.drop_duplicates("_task")
        return {
            "replicates": len(rows[current].drop_duplicates(list(_KEYS))),
            "stale": len(rows[~current].drop_duplicates(list(_KEYS))),
            "failures": len(failed - set(rows[current]["_task"])),
            "seconds_per_task": float(tasks["_seconds"].mean()) if len(tasks) else None,
        }

    def _folder(self, experiment: Experiment) -> Path:
        return self.root.joinpath(*experiment.id.split("/"))

    def _failures(self, experiment: Experiment) -> list[dict[str, Any]]:
        path = self._folder(experiment) / "failures.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _read(
        self, experiment: Experiment, columns: Sequence[str], where: Filters | None = None
    ) -> pa.Table:
        """Read rows in the order of the parts' names, the column ``_part`` counting the parts."""
        schema = pa.schema([_schema(experiment).field(name) for name in columns])
        found = [schema.append(pa.field("_part", pa.int64())).empty_table()]
        for i, path in enumerate(sorted(self._folder(experiment).glob("*.parquet"))):
            if set(columns) <= set(pq.read_schema(path).names):
                rows = pq.read_table(path, columns=list(columns), filters=where)
                if len(rows):  # a stale part may hold other types
                    part = pa.array([i] * len(rows), pa.int64())
                    found.append(rows.cast(schema).append_column("_part", part))
        return pa.concat_tables(found)


_BOOKKEEPING = pa.schema(
    [
        ("_task", pa.string()),
        ("_seed", pa.int64()),
        ("_seconds", pa.float64()),
        ("_fingerprint", pa.string()),
        ("_host", pa.string()),
    ]
)


def _current(seed: int, fingerprint: str) -> Filters:
    return [("_fingerprint", "==", fingerprint), ("_seed", "==", seed)]


def _schema(experiment: Experiment) -> pa.Schema:
    measured = [(name, _ARROW[column.dtype]) for name, column in experiment.columns.items()]
    return pa.schema(
        [("condition", pa.string()), ("replicate", pa.int64()), *measured, *_BOOKKEEPING]
    )


def _table(experiment: Experiment, outcomes: Sequence[Outcome], fingerprint: str) -> pa.Table:
    schema = _schema(experiment)
    columns: dict[str, list[Any]] = {name: [] for name in schema.names}
    for outcome in outcomes:
        task, n = outcome.task, len(outcome.columns["replicate"])
        constant = {
            "condition": canonical(task.condition),
            "_task": task.id,
            "_seed": task.seed,
            "_seconds": outcome.seconds,
            "_fingerprint": fingerprint,
            "_host": platform.node(),
        }
        for name, values in outcome.columns.items():
            columns[name] += values
        for name, value in constant.items():
            columns[name] += [value] * n
    return pa.table(columns, schema=schema)


def expand(rows: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Replace the column ``condition`` by one column per factor."""
    import pandas as pd

    parsed = {text: parse(text) for text in rows["condition"].unique()}
    factors = {
        name: [parsed[text][name] for text in rows["condition"]] for name in experiment.factors()
    }
    return pd.concat(
        [pd.DataFrame(factors, index=rows.index), rows.drop(columns="condition")], axis=1
    )


def frame(experiment: Experiment, outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return outcomes that are not stored as `Store.table` would return them."""
    return expand(_table(experiment, outcomes, "").to_pandas(), experiment)


def _failure(outcome: Outcome, fingerprint: str) -> str:
    task = outcome.task
    record = {
        "task": task.id,
        "condition": task.condition,
        "replicates": [task.start, task.stop],
        "seed": task.seed,
        "fingerprint": fingerprint,
        "traceback": outcome.error,
    }
    return json.dumps(record) + "\n"
