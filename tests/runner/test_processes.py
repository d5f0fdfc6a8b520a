"""Whole processes: killed and resumed, interrupted, and as quick as a bare loop over workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from theorytk.api import table
from theorytk.runner.run import Wanted, run
from theorytk.runner.store import Store

# The command, writing parts every tenth of a second so that there is something to kill between. A
# shell's background job, such as these tests may be, ignores Ctrl-C; the command here must not.
COMMAND = """
import signal
import sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import theorytk.runner.run
from theorytk.cli import main
theorytk.runner.run.FLUSH_SECONDS = 0.1
sys.exit(main())
"""


@pytest.fixture
def command(coin_folder, tmp_path):
    """Return a function that starts the command; tasks note themselves in the file ``calls``."""
    started = []

    def start(*arguments, results="results"):
        options = ["--project", str(coin_folder), "--results", str(tmp_path / results)]
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments, *options],
            env={**os.environ, "COIN_CALLS": str(tmp_path / "calls")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def until(condition, seconds=60.0):
    """Wait for `condition`, which must come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def calls(folder):
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_a_killed_run_resumes_to_the_same_table(command, coin, coin_folder, tmp_path, measured):
    index = list(range(60))
    arguments = ["run", "coin/slow", "--set", f"index={index}", "--set", "pause=0.03", "--quiet"]
    killed = command(*arguments, "--jobs", "2")
    until(lambda: len(list(tmp_path.glob("results/store/coin/slow/*.parquet"))) >= 2)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    killed.communicate(timeout=10)  # its pipes close when the last of its workers has gone

    options = {"project": coin_folder, "index": index, "pause": 0.03}
    saved = len(table("coin/slow", results=tmp_path / "results", **options))
    assert 0 < saved < 120
    resumed = command(*arguments, "--jobs", "1")
    out, _ = resumed.communicate(timeout=60)
    assert out.startswith(f"{120 - saved} task(s) run")

    slow = coin.get("coin/slow")
    want = Wanted(slow, slow.conditions("quick", index=index, pause=0.03), 2)
    whole = Store(tmp_path / "whole", "coin")
    run([want], whole, jobs=2, quiet=True)
    again = table("coin/slow", results=tmp_path / "results", **options)
    assert len(again) == 120
    pd.testing.assert_frame_equal(measured(again), measured(want.table(whole)))


def test_two_commands_into_one_store_at_once(command, coin, tmp_path, measured):
    index = list(range(40))
    arguments = ["run", "coin/slow", "--set", f"index={index}", "--set", "pause=0.02", "--quiet"]
    both = [command(*arguments, "--jobs", "1") for _ in range(2)]
    for process in both:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert len(calls(tmp_path)) > 80  # some tasks were run by both
    slow = coin.get("coin/slow")
    want = Wanted(slow, slow.conditions("quick", index=index, pause=0.02), 2)
    whole = Store(tmp_path / "whole", "coin")
    run([want], whole, jobs=1, quiet=True)
    shared = want.table(Store(tmp_path / "results", "coin"))
    pd.testing.assert_frame_equal(measured(shared), measured(want.table(whole)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupt_stops_at_once_and_keeps_what_is_finished(command, tmp_path, jobs):
    index = ["--set", f"index={list(range(10))}"]
    process = command("run", "coin/slow", "--set", "pause=[0.03, 60]", *index, "--jobs", str(jobs))
    until(lambda: len(calls(tmp_path)) == 20 + jobs)
    time.sleep(1)  # the last finished task may still be on its way to the driver
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert time.monotonic() - sent < 2
    assert process.returncode == 130
    assert "interrupted; finished tasks are stored, the same command resumes" in said
    assert "Traceback" not in said

    again = command("run", "coin/slow", "--set", "pause=0.03", *index, "--jobs", str(jobs))
    out, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    assert out.startswith("0 task(s) run")
    assert len(calls(tmp_path)) == 20 + jobs


BARE = """
from loky import get_reusable_executor
def trivial(index):
    return {"draw": 0.5}
executor = get_reusable_executor(max_workers=2)
for future in [executor.submit(trivial, index) for index in range(2000)]:
    future.result()
"""

TRIVIAL = """
from theorytk.experiments import Column, experiment, grid

@experiment("unit/trivial", paper="nobody", design=grid(), columns={"draw": Column("a number")},
            presets={"quick": {"replicates": 2000}})
def trivial(*, rng):
    return {"draw": 0.5}
"""

OURS = """
import sys
from theorytk.registry import experiments
from theorytk.workspace import Workspace
workspace = Workspace(project=sys.argv[1], results=sys.argv[2], jobs=2)
assert workspace.run([workspace.want(experiments.get("unit/trivial"))]).finished == 2000
"""


def seconds(program, *arguments):
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)
    return time.perf_counter() - started


def test_two_thousand_trivial_tasks_cost_little_more_than_a_bare_loop(tmp_path):
    (tmp_path / "simulations").mkdir()
    (tmp_path / "simulations" / "trivial.py").write_text(TRIVIAL)
    bare, ours = [], []
    for turn in range(6):  # the least of several, taken in turns: other work only adds time
        bare.append(seconds(BARE))
        ours.append(seconds(OURS, str(tmp_path), str(tmp_path / str(turn))))
        if turn >= 2 and min(ours) <= 1.5 * min(bare) + 0.5:
            break
    assert min(ours) <= 1.5 * min(bare) + 0.5
