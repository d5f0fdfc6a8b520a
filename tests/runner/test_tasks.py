"""One task: what a function may return, and what counts as an error."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from theorytk.experiments import Column
from theorytk.runner import Task
from theorytk.runner.tasks import plan, run_task

TASK = Task("unit/draw", {"a": 1, "b": 1}, 0, 2, 0)


def returns(declare, result, **columns):
    def function(*, a=1, b=1, rng):
        return result

    return run_task(declare(function, columns=columns or {"x": Column("x")}), TASK)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"x": 1.5}, [1.5, 1.5]),
        ({"x": np.float32(0.5)}, [0.5, 0.5]),
        ({"x": None}, [None, None]),
        ({"x": [1.0, None]}, [1.0, None, 1.0, None]),
        ({"x": np.arange(2)}, [0.0, 1.0, 0.0, 1.0]),
        ([{"x": 1}, {"x": 2}], [1.0, 2.0, 1.0, 2.0]),
        (pd.DataFrame({"x": [3.0]}), [3.0, 3.0]),
    ],
)
def test_scalars_arrays_records_and_frames_become_columns(declare, result, expected):
    outcome = returns(declare, result)
    assert outcome.error is None
    assert outcome.columns["x"] == expected
    assert outcome.columns["replicate"] == sorted([0, 1] * (len(expected) // 2))


def test_a_scalar_beside_an_array_is_repeated(declare):
    columns = {"x": Column("x"), "n": Column("n", dtype="int")}
    outcome = returns(declare, {"x": [0.5, 1.5], "n": 7}, **columns)
    assert outcome.columns["n"] == [7] * 4


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (Column("x"), math.nan, "'x' (float) cannot hold nan; a missing value is None"),
        (Column("x", infinite=True), math.nan, "cannot hold nan"),
        (Column("x"), -math.inf, "cannot hold -inf"),
        (Column("x"), "1.5", "cannot hold '1.5'"),
        (Column("x", dtype="int"), 2.5, "'x' (int) cannot hold 2.5"),
        (Column("x", dtype="int"), 2**63, "cannot hold 9223372036854775808"),
        (Column("x", dtype="bool"), 2, "'x' (bool) cannot hold 2"),
        (Column("x", dtype="str"), 2, "'x' (str) cannot hold 2"),
    ],
)
def test_a_value_that_a_column_cannot_hold_is_an_error_that_names_it(declare, column, value, said):
    assert said in returns(declare, {"x": value}, x=column).error


def test_infinity_is_data_where_it_is_allowed(declare):
    outcome = returns(declare, {"x": math.inf}, x=Column("x", infinite=True))
    assert outcome.columns["x"] == [math.inf] * 2


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"y": 1.0}, "unit/draw declares the columns ['x']; it returned ['y']"),
        ({"x": 1.0, "y": 1.0}, "it returned ['x', 'y']"),
        ([], "it returned []"),
        ({"x": []}, "returned columns of lengths [0]"),
        (1.0, "TypeError"),
    ],
)
def test_another_set_of_columns_is_an_error_that_names_it(declare, result, said):
    assert said in returns(declare, result).error


def test_columns_of_different_lengths_are_an_error(declare):
    columns = {"x": Column("x"), "y": Column("y")}
    assert "lengths [1, 2]" in returns(declare, {"x": [1.0], "y": [1.0, 2.0]}, **columns).error


def test_blocks_cover_every_replicate_once_and_only_what_is_missing(declare):
    experiment = declare(block=4)
    conditions = experiment.conditions("quick", a=[1, 2])
    tasks = list(plan(experiment, conditions, 10, 0, set()))
    assert [(t.condition["a"], t.start, t.stop) for t in tasks] == [
        (a, start, stop) for a in (1, 2) for start, stop in ((0, 4), (4, 8), (8, 10))
    ]
    key = conditions.keys()[1]
    done = {(key, replicate) for replicate in range(8)}
    assert list(plan(experiment, conditions, 10, 0, done)) == [*tasks[:3], tasks[5]]


def test_task_ids_tell_tasks_apart():
    tasks = [
        TASK,
        Task("unit/other", {"a": 1, "b": 1}, 0, 2, 0),
        Task("unit/draw", {"a": 2, "b": 1}, 0, 2, 0),
        Task("unit/draw", {"a": 1, "b": 1}, 0, 3, 0),
        Task("unit/draw", {"a": 1, "b": 1}, 0, 2, 1),
    ]
    assert len({task.id for task in tasks}) == 5
    assert Task("unit/draw", {"b": 1, "a": 1}, 0, 2, 0).id == TASK.id
