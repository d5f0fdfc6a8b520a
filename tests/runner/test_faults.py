"""Faults that really happen: workers that die, hang or run out of memory; disks that are full."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest

from theorytk.runner import execute
from theorytk.runner.run import Wanted, run
from theorytk.runner.store import Store

GOOD_LEVELS = {0, 1, 3, 4, 5}


def outcomes(coin, mishap, replicates=3, **options):
    fragile = coin.get("coin/fragile")
    want = Wanted(fragile, fragile.conditions("quick", mishap=mishap), replicates)
    return list(execute(fragile, want.tasks(None), **options))


@pytest.mark.parametrize(
    ("mishap", "message"),
    [
        ("exit", "the worker process died"),
        ("segfault", "the worker process died"),
        ("kill", "the worker process died"),
        ("memory", "MemoryError"),
    ],
)
def test_a_task_that_dies_is_named_and_costs_no_other(coin, mishap, message):
    ended = outcomes(coin, mishap, jobs=2)
    assert len({o.task.id for o in ended}) == len(ended) == 18
    failed = [o for o in ended if o.error]
    assert [o.task.condition["level"] for o in failed] == [2, 2, 2]
    assert all(message in o.error for o in failed)


@pytest.mark.parametrize("mishap", ["loop", "stuck"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_task_that_hangs_is_ended_at_its_limit(coin, mishap, jobs):
    started = time.monotonic()
    ended = outcomes(coin, mishap, 1, jobs=jobs, timeout=0.5)
    assert len({o.task.id for o in ended}) == len(ended) == 6
    (failed,) = [o for o in ended if o.error]
    assert failed.task.condition["level"] == 2
    assert "TimeoutError: ran longer than the limit of 0.5 s" in failed.error
    assert time.monotonic() - started < 60


def test_a_limit_that_no_task_reaches_changes_nothing(coin):
    free, limited = outcomes(coin, "none", jobs=1), outcomes(coin, "none", jobs=2, timeout=60.0)
    rows = {o.task.id: o.columns for o in free}
    assert rows == {o.task.id: o.columns for o in limited}


def test_the_rest_is_stored_and_the_failures_are_recorded(coin, tmp_path):
    fragile = coin.get("coin/fragile")
    store = Store(tmp_path, "coin")
    want = Wanted(fragile, fragile.conditions("quick", mishap="loop"), 2)
    summary = run([want], store, jobs=2, quiet=True, timeout=0.5)
    assert (summary.finished, len(summary.failed)) == (10, 2)
    assert set(want.table(store)["level"]) == GOOD_LEVELS
    recorded = store._failures(fragile)
    assert {line["condition"]["level"] for line in recorded} == {2}
    assert all("TimeoutError" in line["traceback"] for line in recorded)


def test_a_full_disk_loses_nothing_that_was_written(coin, tmp_path, measured):
    slow = coin.get("coin/slow")
    store = Store(tmp_path, "coin")
    few = Wanted(slow, slow.conditions("quick", index=[0, 1]), 2)
    run([few], store, jobs=1, quiet=True)
    before = measured(few.table(store))
    many = Wanted(slow, slow.conditions("quick", index=list(range(400))), 2)
    at_first = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, at_first[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            run([many], store, jobs=1, quiet=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, at_first)
        signal.signal(signal.SIGXFSZ, ignored)
    pd.testing.assert_frame_equal(measured(few.table(store)), before)
    assert not [p for p in store.root.rglob("*") if p.name.startswith(".")]
    run([many], store, jobs=1, quiet=True)
    assert len(many.table(store)) == 800


LIMITED = """
import resource, signal, sys
from theorytk.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2048, resource.RLIM_INFINITY))
sys.exit(main())
"""


def test_a_full_disk_is_said_in_one_line(coin_folder, tmp_path):
    index = f"index={list(range(400))}"
    arguments = ["run", "coin/slow", "--set", index, "--jobs", "1", "--quiet"]
    folders = ["--project", str(coin_folder), "--results", str(tmp_path / "results")]
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments, *folders], capture_output=True, text=True
    )
    assert ended.returncode == 4
    assert "File too large" in ended.stderr
    assert "what was stored before is kept" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("verb", [("run", "coin/slow"), ("verify", "coin/total")])
def test_a_results_folder_that_cannot_be_written_is_said(coin_folder, tmp_path, verb):
    place = tmp_path / "results"
    place.write_text("a file where the folder should be")
    command = [sys.executable, "-m", "theorytk.cli", *verb, "--results", str(place)]
    ended = subprocess.run(
        [*command, "--project", str(coin_folder), "--quiet"], capture_output=True, text=True
    )
    assert ended.returncode == 2
    assert f"cannot write to the results folder {place}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert place.read_text() == "a file where the folder should be"


def test_two_runs_into_one_store_at_once(coin, tmp_path, measured):
    slow = coin.get("coin/slow")
    want = Wanted(slow, slow.conditions("quick", index=list(range(30)), pause=0.005), 2)
    stores = [Store(tmp_path / "shared", "coin") for _ in range(2)]
    threads = [
        threading.Thread(target=run, args=([want], store), kwargs={"jobs": 1, "quiet": True})
        for store in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = Store(tmp_path / "alone", "coin")
    run([want], alone, jobs=1, quiet=True)
    pd.testing.assert_frame_equal(measured(want.table(stores[0])), measured(want.table(alone)))


KILLED = """
import sys
import theorytk.runner.run, theorytk.runner.store
from theorytk.cli import main
theorytk.runner.run.FLUSH_SECONDS = 0.02
theorytk.runner.store.MOST_PARTS = 4
sys.exit(main())
"""


@pytest.mark.slow
def test_twenty_kills_at_random_moments_lose_nothing(coin, coin_folder, tmp_path, measured):
    import numpy as np

    rng = np.random.default_rng(20)
    index = list(range(150))
    results = tmp_path / "results"
    arguments = ["run", "coin/slow", "--set", f"index={index}", "--set", "pause=0.01", "--quiet"]
    options = ["--jobs", "2", "--project", str(coin_folder), "--results", str(results)]
    command = [sys.executable, "-c", KILLED, *arguments, *options]
    slow = coin.get("coin/slow")
    want = Wanted(slow, slow.conditions("quick", index=index, pause=0.01), 2)
    saved = []
    for _ in range(20):
        process = subprocess.Popen(command, start_new_session=True)
        time.sleep(float(rng.uniform(0.5, 3.0)))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        saved.append(len(want.table(Store(results, "coin"))))
    assert saved == sorted(saved)
    assert subprocess.run(command).returncode == 0
    whole = Store(tmp_path / "whole", "coin")
    run([want], whole, jobs=1, quiet=True)
    resumed = want.table(Store(results, "coin"))
    pd.testing.assert_frame_equal(measured(resumed), measured(want.table(whole)))
