"""Workers: the same rows with one and two, tasks that raise, workers that die."""

from __future__ import annotations

import threading

import pandas as pd
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from theorytk.runner import execute
from theorytk.runner.run import Wanted, run, run_in_memory
from theorytk.runner.store import Store


def test_one_and_two_workers_give_identical_tables(coin, tmp_path, measured):
    wanted = [
        Wanted(coin.get(id), coin.get(id).conditions("quick"), 30)
        for id in ("coin/toss", "coin/count", "coin/slow", "coin/pascal")
    ]
    one, two = Store(tmp_path / "one", "coin"), Store(tmp_path / "two", "coin")
    run(wanted, one, jobs=1, quiet=True)
    run(reversed(wanted), two, jobs=2, quiet=True)
    for want in wanted:
        table = measured(want.table(one))
        assert len(table) == 30 * len(want.conditions)
        pd.testing.assert_frame_equal(table, measured(want.table(two)))


def test_a_table_in_memory_is_the_stored_one(coin, tmp_path, measured):
    experiment = coin.get("coin/toss")
    want = Wanted(experiment, experiment.conditions("quick"), 25)
    store = Store(tmp_path, "coin")
    run([want], store, jobs=1, quiet=True)
    in_memory = run_in_memory(want, jobs=2)
    pd.testing.assert_frame_equal(measured(in_memory), measured(want.table(store)))


@pytest.mark.parametrize("jobs", [1, 2])
def test_tasks_that_raise_do_not_stop_the_others(coin, tmp_path, jobs):
    fragile = coin.get("coin/fragile")
    want = Wanted(fragile, fragile.conditions("quick", mishap="raise"), 2)
    store = Store(tmp_path, "coin")
    summary = run([want], store, jobs=jobs, quiet=True)
    assert summary.finished == 10
    assert {outcome.task.condition["level"] for outcome in summary.failed} == {2}
    assert all("ArithmeticError: the coin fell" in o.error for o in summary.failed)
    assert set(want.table(store)["level"]) == {0, 1, 3, 4, 5}
    assert [task.condition["level"] for task in want.tasks(store)] == [2, 2]


def test_a_worker_that_dies_takes_no_other_result_with_it(coin):
    fragile = coin.get("coin/fragile")
    deadly = Wanted(fragile, fragile.conditions("quick", mishap="exit"), 6)
    outcomes = list(execute(fragile, deadly.tasks(None), jobs=2))
    assert len({o.task.id for o in outcomes}) == len(outcomes) == 36
    dead = [o for o in outcomes if o.error]
    assert {o.task.condition["level"] for o in dead} == {2}
    assert len(dead) == 6
    assert all("the worker process died" in o.error for o in dead)


def test_slow_tasks_of_one_batch_are_dealt_out_again(coin):
    slow = coin.get("coin/slow")
    quick_then_slow = slow.conditions("quick", index=list(range(40)))
    tasks = Wanted(slow, quick_then_slow, 1).tasks(None)
    tasks += Wanted(slow, slow.conditions("quick", index=list(range(12)), pause=0.05), 1).tasks(
        None
    )
    outcomes = list(execute(slow, tasks, jobs=2))
    assert sorted(o.task.id for o in outcomes) == sorted(t.id for t in tasks)


def test_tasks_are_taken_as_they_are_needed(coin):
    slow = coin.get("coin/slow")
    taken = []

    def tasks():
        for task in Wanted(
            slow, slow.conditions("quick", index=list(range(30)), pause=0.1), 1
        ).tasks(None):
            taken.append(task)
            yield task

    running = execute(slow, tasks(), jobs=2)
    next(running)
    assert len(taken) <= 4
    running.close()


def test_blas_has_one_thread(declare):
    def threads(*, a=1, b=1, rng):
        return {"x": max(info["num_threads"] for info in threadpool_info())}

    experiment = declare(threads)
    tasks = Wanted(experiment, experiment.conditions("quick"), 1).tasks(None)
    with threadpool_limits(2):
        (outcome,) = execute(experiment, tasks, jobs=1)
    assert outcome.columns["x"] == [1.0]


def test_what_cannot_be_sent_to_workers_is_named(declare):
    lock = threading.Lock()

    def locked(*, a=1, b=1, rng):
        with lock:
            return {"x": 1.0}

    experiment = declare(locked)
    tasks = Wanted(experiment, experiment.conditions("quick"), 1).tasks(None)
    with pytest.raises(TypeError, match=rf"{experiment.id}.*cannot be sent to workers.*lock"):
        list(execute(experiment, tasks, jobs=2))
    (outcome,) = execute(experiment, tasks, jobs=1)
    assert outcome.columns["x"] == [1.0]
