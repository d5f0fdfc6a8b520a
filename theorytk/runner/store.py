"""The store: one folder of append-only Parquet parts per experiment."""

from __future__ import annotations

import json
import os
import platform
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from theorytk._files import write_atomically
from theorytk.runner.design import Design, canonical, parse
from theorytk.runner.experiment import Experiment
from theorytk.runner.tasks import Outcome, Task

__all__ = ["Store"]

_ARROW = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "str": pa.string()}
_KEYS = ("condition", "replicate")


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
        marker = self.root / "theorytk.json"
        if not marker.exists():
            if self.root.is_dir() and any(self.root.iterdir()):
                raise ValueError(f"results folder {results} holds a store without theorytk.json")
            self.root.mkdir(parents=True, exist_ok=True)
            content = json.dumps({"format": 1, "project": project})
            write_atomically(marker, lambda path: path.write_text(content))
        owner = json.loads(marker.read_text()).get("project")
        if owner != project:
            raise ValueError(
                f"results folder {results} belongs to the project {owner!r}, not {project!r}; "
                "choose another with --results"
            )

    def append(self, experiment: Experiment, outcomes: Sequence[Outcome], fingerprint: str) -> None:
        """Write the rows of `outcomes` as one part, and what failed to ``failures.jsonl``."""
        good = [o for o in outcomes if o.error is None]
        if good:
            table = pa.concat_tables(_table(experiment, o, fingerprint) for o in good)
            name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet"
            part = self._folder(experiment.id) / name
            write_atomically(part, lambda path: pq.write_table(table, path))
        failed = [_failure(o) for o in outcomes if o.error is not None]
        if failed:
            with (self._folder(experiment.id) / "failures.jsonl").open("a") as file:
                file.writelines(line + "\n" for line in failed)

    def done(self, experiment: Experiment, seed: int, fingerprint: str) -> set[tuple[str, int]]:
        """Return the (condition JSON, replicate) pairs that need no run."""
        rows = self._read(experiment, seed, fingerprint, list(_KEYS))
        return set(zip(rows["condition"], rows["replicate"], strict=True))

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
        rows = self._read(experiment, seed, fingerprint)
        order = {key: i for i, key in enumerate(conditions.keys())}
        rows = rows[rows["condition"].isin(order) & (rows["replicate"] < replicates)]
        first = rows.groupby(list(_KEYS))["_part"].transform("min")
        rows = rows[rows["_part"] == first].assign(_order=rows["condition"].map(order))
        rows = rows.sort_values(["_order", "replicate"], kind="stable").reset_index(drop=True)
        return expand(rows.drop(columns=["_order", "_part"]), experiment)

    def find(self, task_id: str, experiment: Experiment) -> Task | None:
        """Return the stored or failed task called `task_id`, or None."""
        rows = self._read(experiment, None, None, [*_KEYS, "_task"])
        rows = rows[rows["_task"] == task_id]
        if len(rows):
            condition, seed = parse(rows["condition"].iloc[0]), int(rows["_seed"].iloc[0])
            start, last = int(rows["replicate"].min()), int(rows["replicate"].max())
            return Task(experiment.id, condition, start, last + 1, seed)
        for line in self._failures(experiment):
            if line["task"] == task_id:
                condition = parse(canonical(line["condition"]))
                start, stop = line["replicates"]
                return Task(experiment.id, condition, start, stop, line["seed"])
        return None

    def state(self, experiment: Experiment, seed: int, fingerprint: str) -> dict[str, Any]:
        """Return how many replicates are stored, stale and failed, and the seconds they took."""
        rows = self._read(experiment, None, None, [*_KEYS, "_task", "_seconds", *_IDENTITY])
        current = (rows["_fingerprint"] == fingerprint) & (rows["_seed"] == seed)
        tasks = rows[["_task", "_seconds"]].drop_duplicates("_task")
        return {
            "replicates": len(rows[current][list(_KEYS)].drop_duplicates()),
            "stale": len(rows[~current][list(_KEYS)].drop_duplicates()),
            "failures": len(self._failures(experiment)),
            "seconds_per_task": float(tasks["_seconds"].mean()) if len(tasks) else None,
        }

    def _folder(self, id: str) -> Path:
        folder = self.root.joinpath(*id.split("/"))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _failures(self, experiment: Experiment) -> list[dict[str, Any]]:
        path = self._folder(experiment.id) / "failures.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _read(
        self,
        experiment: Experiment,
        seed: int | None,
        fingerprint: str | None,
        columns: list[str] | None = None,
    ) -> pd.DataFrame:
        """Read the parts in the order of their names; only rows of `seed` and `fingerprint`."""
        schema = _schema(experiment)
        names = columns or schema.names
        wanted = [*names, *(c for c in _IDENTITY if c not in names)]
        frames = []
        for i, path in enumerate(sorted(self._folder(experiment.id).glob("*.parquet"))):
            if not set(wanted) <= set(pq.read_schema(path).names):
                continue
            frame = pq.read_table(path, columns=wanted).to_pandas()
            if fingerprint is not None:
                keep = (frame["_fingerprint"] == fingerprint) & (frame["_seed"] == seed)
                frame = frame[keep]
            frames.append(frame.assign(_part=i))
        empty = schema.empty_table().select(wanted).to_pandas().assign(_part=0)
        return pd.concat(frames, ignore_index=True) if frames else empty


_BOOKKEEPING = pa.schema(
    [
        ("_task", pa.string()),
        ("_seed", pa.int64()),
        ("_seconds", pa.float64()),
        ("_fingerprint", pa.string()),
        ("_host", pa.string()),
    ]
)
_IDENTITY = ("_fingerprint", "_seed")


def _schema(experiment: Experiment) -> pa.Schema:
    measured = [(name, _ARROW[column.dtype]) for name, column in experiment.columns.items()]
    return pa.schema(
        [("condition", pa.string()), ("replicate", pa.int64()), *measured, *_BOOKKEEPING]
    )


def _table(experiment: Experiment, outcome: Outcome, fingerprint: str) -> pa.Table:
    task, n = outcome.task, len(outcome.columns["replicate"])
    constant: dict[str, Any] = {
        "condition": canonical(task.condition),
        "_task": task.id,
        "_seed": task.seed,
        "_seconds": outcome.seconds,
        "_fingerprint": fingerprint,
        "_host": platform.node(),
    }
    columns = {**outcome.columns, **{name: [value] * n for name, value in constant.items()}}
    return pa.table(columns, schema=_schema(experiment))


def expand(rows: pd.DataFrame, experiment: Experiment) -> pd.DataFrame:
    """Replace the column ``condition`` by one column per factor."""
    conditions = [parse(text) for text in rows["condition"]]
    factors = {name: [c[name] for c in conditions] for name in experiment.factors()}
    return pd.concat(
        [pd.DataFrame(factors, index=rows.index), rows.drop(columns="condition")], axis=1
    )


def frame(experiment: Experiment, outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return outcomes that are not stored as `Store.table` would return them."""
    tables = [_table(experiment, outcome, "") for outcome in outcomes]
    rows = pa.concat_tables([_schema(experiment).empty_table(), *tables]).to_pandas()
    return expand(rows, experiment)


def _failure(outcome: Outcome) -> str:
    task = outcome.task
    record: Mapping[str, Any] = {
        "task": task.id,
        "condition": task.condition,
        "replicates": [task.start, task.stop],
        "seed": task.seed,
        "traceback": outcome.error,
    }
    return json.dumps(record)
