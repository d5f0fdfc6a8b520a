"""A hundred thousand tasks of twenty rows: flat memory, little overhead, quick to read again."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

BIG = """
from theorytk.experiments import Column, experiment, grid

@experiment("unit/big", paper="nobody", design=grid(index=list(range(1000))),
            columns={"draw": Column("a number"), "place": Column("its place", dtype="int")},
            presets={"quick": {"replicates": 100}})
def big(*, index, rng):
    return {"draw": rng.random(20), "place": list(range(20))}
"""

# Peak memory of the driver before it reads the table, and the least of three times for the rest.
DRIVER = """
import json, resource, sys, time
from pathlib import Path
from theorytk import api
from theorytk.registry import experiments
from theorytk.workspace import Workspace

project, results = sys.argv[1:]
workspace = Workspace(project=project, results=results, jobs=2)
want = workspace.want(experiments.get("unit/big"))

def peak():  # Linux counts in ru_maxrss what the parent held when it started this process
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS

def least(action):
    times = []
    for _ in range(3):
        started = time.perf_counter()
        found = action()
        times.append(time.perf_counter() - started)
    return min(times), found

summary = workspace.run([want])
megabytes = peak()
again, nothing = least(lambda: workspace.run([want]))
status, lines = least(lambda: api.status(results=results, project=project))
reading, table = least(lambda: want.table(workspace.store))
print(json.dumps({
    "finished": summary.finished, "seconds": summary.seconds, "megabytes": megabytes,
    "again": again, "run again": nothing.finished, "status": status, "line": lines[0],
    "reading": reading, "rows": len(table),
    "parts": len(list(workspace.store.root.rglob("*.parquet"))),
}))
"""


@pytest.mark.slow
def test_a_hundred_thousand_tasks(tmp_path):
    (tmp_path / "simulations").mkdir()
    (tmp_path / "simulations" / "big.py").write_text(BIG)
    command = [sys.executable, "-c", DRIVER, str(tmp_path), str(tmp_path / "results")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["finished"], found["run again"], found["rows"]) == (100_000, 0, 2_000_000)
    assert "100000 replicates stored" in found["line"]
    assert found["parts"] <= 70
    assert found["megabytes"] < 500
    assert found["seconds"] < 100  # a millisecond of overhead for each task
    assert max(found["again"], found["status"]) < 3
    assert found["reading"] < 2
