"""Parts: rows of one experiment in one Parquet file, how they are written, read and merged."""

from __future__ import annotations

import json
import platform
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from theorytk._files import write_atomically
from theorytk.experiments import Experiment
from theorytk.experiments.design import canonical
from theorytk.runner.tasks import Outcome

__all__ = ["codes", "facts", "merge", "places", "read", "rows_of", "schema_of", "write"]

_ARROW = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "str": pa.string()}
_LABEL = pa.dictionary(pa.int32(), pa.string())  # texts of which a part has few, each many times
LABELS = ("condition", "_task", "_fingerprint", "_host")
FACTS = b"theorytk"  # the key under which a part's metadata hold what is known of its making
LARGE = 2**18  # rows from which a part is not merged again; what a merge holds in memory
Filters = list[tuple[str, str, Any]]
Array = np.ndarray


def schema_of(experiment: Experiment) -> pa.Schema:
    """Return the schema of an experiment's parts."""
    measured = [(name, _ARROW[column.dtype]) for name, column in experiment.columns.items()]
    return pa.schema(
        [
            ("condition", _LABEL),
            ("replicate", pa.int64()),
            *measured,
            ("_task", _LABEL),
            ("_seed", pa.int64()),
            ("_seconds", pa.float64()),
            ("_fingerprint", _LABEL),
            ("_host", _LABEL),
        ]
    )


def rows_of(experiment: Experiment, outcomes: Sequence[Outcome], fingerprint: str) -> pa.Table:
    """Return the rows of finished tasks."""
    schema = schema_of(experiment)
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


def write(path: Path, rows: pa.Table, made_by: Mapping[str, Any]) -> None:
    """Write a part with what is known of its making."""
    rows = rows.replace_schema_metadata({FACTS: json.dumps(made_by, sort_keys=True)})
    write_atomically(path, lambda file: pq.write_table(rows, file))


def facts(path: Path) -> dict[str, Any]:
    """Return what is known of the making of a part; nothing if it cannot be read."""
    try:
        found = (pq.read_schema(path).metadata or {}).get(FACTS, b"{}")
    except (pa.ArrowException, OSError):
        return {}
    return dict(json.loads(found))


def read(
    folder: Path, schema: pa.Schema, columns: Sequence[str], where: Filters | None
) -> pa.Table:
    """Read rows in the order of the parts' names, the column ``_part`` counting the parts.

    A part that cannot be read is left alone with a warning: its tasks are as good as not run.
    """
    while True:
        try:
            return _read(sorted(folder.glob("*.parquet")), schema, columns, where)
        except FileNotFoundError:  # another run has just merged it into a larger one
            continue


def _read(
    paths: Iterable[Path], schema: pa.Schema, columns: Sequence[str], where: Filters | None
) -> pa.Table:
    schema = pa.schema([schema.field(name) for name in columns])
    found = [schema.append(pa.field("_part", pa.int64())).empty_table()]
    labels = [name for name in LABELS if name in columns]
    for i, path in enumerate(paths):
        try:
            if not set(columns) <= set(pq.read_schema(path).names):
                continue
            rows = pq.read_table(path, columns=list(columns), filters=where, read_dictionary=labels)
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError) as error:
            warnings.warn(f"cannot read the part {path}: {error}", RuntimeWarning, stacklevel=4)
            continue
        if len(rows):  # a stale part may hold other types
            part = pa.array(np.full(len(rows), i))
            found.append(rows.cast(schema).append_column("_part", part))
    return pa.concat_tables(found).unify_dictionaries().combine_chunks()


def codes(rows: pa.Table, name: str) -> tuple[Array, list[str]]:
    """Return a column of labels as positions in the list of its distinct texts, and that list."""
    column = rows[name].combine_chunks()
    if not len(column):
        return np.zeros(0, np.int64), []
    return column.indices.to_numpy().astype(np.int64), column.dictionary.to_pylist()


def places(condition: Array, rows: pa.Table) -> tuple[Array, int]:
    """Return a number for each (condition, replicate), condition * n + replicate, and n."""
    replicate = rows["replicate"].to_numpy()
    n = int(replicate.max(initial=0)) + 1
    return condition * n + replicate, n


def merge(folder: Path, most: int) -> None:
    """Merge parts that are alike into larger ones as soon as there are more than `most`.

    The larger ones are complete before the others are deleted: whatever happens in between leaves
    rows twice, never none, and what is there twice counts once.
    """
    small = [path for path in sorted(folder.glob("*.parquet")) if _mergeable(path)]
    if len(small) <= most:
        return
    alike: dict[bytes, list[Path]] = {}
    try:
        for path in small:
            schema = pq.read_schema(path).serialize(memory_pool=None).to_pybytes()
            alike.setdefault(schema, []).append(path)
        for paths in alike.values():
            for group in _groups(paths):
                _merge(group)
    except FileNotFoundError:  # another run merges them
        return
    pa.default_memory_pool().release_unused()


def _mergeable(path: Path) -> bool:
    try:
        return bool(pq.read_metadata(path).num_rows < LARGE)
    except (pa.ArrowException, OSError):
        return False


def _groups(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield runs of parts of together about LARGE rows, leaving out runs of one."""
    ends = np.cumsum([pq.read_metadata(path).num_rows for path in paths]) // LARGE
    cuts = [0, *(np.flatnonzero(np.diff(ends)) + 1), len(paths)]
    yield from (list(paths[a:b]) for a, b in pairwise(cuts) if b - a > 1)


def _merge(paths: Sequence[Path]) -> None:
    """Put the rows of parts into one that has the place of the first; a task's rows only once."""
    seen: set[str] = set()
    tables = []
    for path in paths:
        rows = pq.read_table(path)
        task = rows["_task"].cast(pa.string())
        tables.append(rows.filter(pc.invert(pc.is_in(task, pa.array(sorted(seen), pa.string())))))
        seen.update(task.unique().to_pylist())
    merged = pa.concat_tables(tables).unify_dictionaries()
    name = f"{paths[0].stem}+{len(paths)}.parquet"
    write_atomically(paths[0].with_name(name), lambda file: pq.write_table(merged, file))
    for path in paths:
        path.unlink(missing_ok=True)
