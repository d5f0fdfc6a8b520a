"""The store: one folder of Parquet parts per experiment, to which parts are only added."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from theorytk._files import write_atomically
from theorytk._fingerprint import sources
from theorytk._provenance import environment
from theorytk.experiments import Design, Experiment
from theorytk.experiments.design import canonical, parse
from theorytk.runner import parts
from theorytk.runner.tasks import Outcome, Task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Store"]

_KEYS = ("condition", "replicate")
MOST_PARTS = 64  # small parts in a folder, above which they are merged


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

    def prepare(self) -> None:
        """Make sure, before anything runs, that rows can be kept.

        Raises
        ------
        ValueError
            If the folder cannot be written to.
        """
        content = json.dumps({"format": 1, "project": self._project})
        try:
            write_atomically(self._marker, lambda path: path.write_text(content))
        except OSError as error:
            raise ValueError(
                f"cannot write to the results folder {self.root.parent}: {error}"
            ) from error

    def append(self, experiment: Experiment, outcomes: Sequence[Outcome], fingerprint: str) -> None:
        """Write the rows of `outcomes` as one part, and what failed to ``failures.jsonl``."""
        if outcomes and not self._marker.exists():
            self.prepare()
        good = [o for o in outcomes if o.error is None]
        folder = self._folder(experiment)
        if good:
            rows = parts.rows_of(experiment, good, fingerprint)
            name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet"
            made_by = {**environment(), "sources": sources(experiment)}
            parts.write(folder / name, rows, made_by)
            parts.merge(folder, MOST_PARTS)
        failed = [_failure(o, fingerprint) for o in outcomes if o.error is not None]
        if failed:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "failures.jsonl").open("a") as file:
                file.write("".join(failed))

    def done(self, experiment: Experiment, seed: int, fingerprint: str) -> set[tuple[str, int]]:
        """Return the (condition JSON, replicate) pairs that need no run."""
        rows = self._read(experiment, _KEYS, _current(seed, fingerprint))
        condition, texts = parts.codes(rows, "condition")
        place, n = parts.places(condition, rows)
        return {(texts[i // n], i % n) for i in np.unique(place).tolist()}

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
        bookkeeping columns begin with ``_``. How the rows were made is in ``attrs``.
        """
        order = {key: i for i, key in enumerate(conditions.keys())}
        asked = [("condition", "in", list(order)), ("replicate", "<", replicates)]
        where = [*_current(seed, fingerprint), *asked]
        rows = self._read(experiment, parts.schema_of(experiment).names, where)
        condition, texts = parts.codes(rows, "condition")
        rank = np.array([order.get(text, -1) for text in texts], dtype=np.int64)
        slot, _ = parts.places(rank[condition], rows)
        task, tasks = parts.codes(rows, "_task")
        source = rows["_part"].to_numpy() * max(len(tasks), 1) + task
        _, first, inverse = np.unique(slot, return_index=True, return_inverse=True)
        kept = np.flatnonzero(source == source[first][inverse])  # computed twice, counted once
        kept = kept[np.argsort(slot[kept], kind="stable")]
        table = expand(rows.drop_columns("_part").take(kept), experiment)
        table.attrs.update(self._provenance(experiment, seed, fingerprint))
        return table

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
        rows = self._read(experiment, names)
        made, fingerprints = parts.codes(rows, "_fingerprint")
        fresh = np.array([text == fingerprint for text in fingerprints], dtype=bool)[made]
        current = fresh & (rows["_seed"].to_numpy() == seed)
        place, _ = parts.places(parts.codes(rows, "condition")[0], rows)
        task, tasks = parts.codes(rows, "_task")
        _, first = np.unique(task, return_index=True)
        finished = {tasks[i] for i in np.unique(task[current])}
        failed = {
            line["task"]
            for line in self._failures(experiment)
            if line["fingerprint"] == fingerprint and line["seed"] == seed
        }
        seconds = rows["_seconds"].to_numpy()[first]
        return {
            "replicates": len(np.unique(place[current])),
            "stale": len(np.unique(place[~current])),
            "failures": len(failed - finished),
            "seconds_per_task": float(seconds.mean()) if len(seconds) else None,
        }

    def changed(self, experiment: Experiment) -> list[str]:
        """Return the sources that are no longer what the newest stored rows were computed with."""
        paths = sorted(self._folder(experiment).glob("*.parquet"))
        then = parts.facts(paths[-1]).get("sources", {}) if paths else {}
        now = sources(experiment)
        names = sorted(then.keys() | now.keys()) if then else []
        return [name for name in names if then.get(name) != now.get(name)]

    def _provenance(self, experiment: Experiment, seed: int, fingerprint: str) -> dict[str, Any]:
        """Return the seed, the fingerprint and the distinct environments of the stored parts."""
        found = [parts.facts(path) for path in self._folder(experiment).glob("*.parquet")]
        now = sources(experiment)
        texts = {
            json.dumps({k: v for k, v in facts.items() if k != "sources"}, sort_keys=True)
            for facts in found
            if facts.get("sources") == now
        }
        made_by = [json.loads(text) for text in sorted(texts)]
        about = {"experiment": experiment.id, "seed": seed, "fingerprint": fingerprint}
        return {**about, "environments": made_by}

    def _folder(self, experiment: Experiment) -> Path:
        return self.root.joinpath(*experiment.id.split("/"))

    def _failures(self, experiment: Experiment) -> list[dict[str, Any]]:
        path = self._folder(experiment) / "failures.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _read(
        self, experiment: Experiment, columns: Sequence[str], where: parts.Filters | None = None
    ) -> pa.Table:
        return parts.read(self._folder(experiment), parts.schema_of(experiment), columns, where)


def _current(seed: int, fingerprint: str) -> parts.Filters:
    return [("_fingerprint", "==", fingerprint), ("_seed", "==", seed)]


def expand(rows: pa.Table, experiment: Experiment) -> pd.DataFrame:
    """Return rows with one column per factor in the place of the column ``condition``."""
    import pandas as pd

    condition, texts = parts.codes(rows, "condition")
    present, position = np.unique(condition, return_inverse=True)
    parsed = [parse(texts[i]) for i in present]
    values = {name: [c[name] for c in parsed] for name in experiment.factors()}
    factors = pd.DataFrame(values, index=range(len(parsed))).take(position)
    factors.index = pd.RangeIndex(len(rows))
    rows = rows.drop_columns("condition")
    texts_again = [f.with_type(pa.string()) if f.name in parts.LABELS else f for f in rows.schema]
    table: pd.DataFrame = rows.cast(pa.schema(texts_again)).to_pandas()
    return pd.concat([factors, table], axis=1)


def frame(experiment: Experiment, outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """Return outcomes that are not stored as `Store.table` would return them."""
    return expand(parts.rows_of(experiment, outcomes, ""), experiment)


def _failure(outcome: Outcome, fingerprint: str) -> str:
    task = outcome.task
    record: Mapping[str, Any] = {
        "task": task.id,
        "condition": task.condition,
        "replicates": [task.start, task.stop],
        "seed": task.seed,
        "fingerprint": fingerprint,
        "traceback": outcome.error,
    }
    return json.dumps(record) + "\n"
