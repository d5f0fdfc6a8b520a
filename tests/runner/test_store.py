"""The store: append-only parts, exact rows back, nothing stale or foreign among them."""

from __future__ import annotations

import math

import pandas as pd
import pyarrow.parquet as pq
import pytest

from theorytk.experiments import Column
from theorytk.runner.run import Wanted, run
from theorytk.runner.store import Store
from theorytk.runner.tasks import plan, run_task


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "unit")


def outcomes(experiment, replicates=3, seed=0, **factors):
    conditions = experiment.conditions("quick", **factors)
    return [run_task(experiment, t) for t in plan(experiment, conditions, replicates, seed, set())]


def rows(store, experiment, replicates=3, seed=0, fingerprint="now", **factors):
    conditions = experiment.conditions("quick", **factors)
    return store.table(experiment, conditions, replicates, seed, fingerprint)


def parts(store):
    return sorted(store.root.rglob("*.parquet"))


def test_every_kind_of_value_comes_back(declare, store):
    values = {
        "f": [0.1, None, math.inf],
        "i": [2**62 + 1, -5, 0],
        "b": [True, False, True],
        "s": ["é\n", "", None],
        "n": [1, None, 3],
    }
    columns = {
        "f": Column("f", infinite=True),
        "i": Column("i", dtype="int"),
        "b": Column("b", dtype="bool"),
        "s": Column("s", dtype="str"),
        "n": Column("n", dtype="int"),
    }
    experiment = declare(lambda *, rng: values, columns=columns)
    store.append(experiment, outcomes(experiment, 1), "now")
    table = rows(store, experiment, 1)
    back = {name: [None if pd.isna(v) else v for v in table[name]] for name in values}
    assert back == values
    assert table["i"].dtype == "int64"
    assert table["b"].dtype == "bool"


def test_factors_come_back_as_they_are(declare, store):
    def function(*, shape, name, size, option, rng):
        return {"x": 1.0}

    factors = {"shape": (3, (4,)), "name": "é", "size": [1, 0.5], "option": True}
    experiment = declare(function, presets={"quick": {"replicates": 1, **factors}})
    store.append(experiment, outcomes(experiment, 1), "now")
    table = rows(store, experiment, 1)
    assert table["shape"].tolist() == [(3, (4,))] * 2
    assert table["size"].tolist() == [1, 0.5]
    assert set(table["name"]) == {"é"}
    assert table["option"].tolist() == [True, True]


def test_parts_are_only_ever_added(declare, store):
    experiment = declare()
    store.append(experiment, outcomes(experiment), "now")
    (first,) = parts(store)
    before = first.read_bytes()
    store.append(experiment, outcomes(experiment, a=2), "now")
    assert parts(store)[0] == first
    assert first.read_bytes() == before
    assert len(parts(store)) == 2
    assert not list(store.root.rglob(".*"))


def test_duplicates_count_once_across_parts_and_within_one(declare, store):
    experiment = declare(block=2)
    once, longer = outcomes(experiment, 3), outcomes(experiment, 4)
    assert [(o.task.start, o.task.stop) for o in (once[-1], longer[-1])] == [(2, 3), (2, 4)]
    store.append(experiment, [*once, longer[-1]], "now")
    store.append(experiment, once, "now")
    table = rows(store, experiment, 4)
    assert table["replicate"].tolist() == [0, 1, 2, 3]
    assert store.state(experiment, 0, "now")["replicates"] == 4


def test_several_rows_of_a_replicate_keep_their_order(declare, store):
    experiment = declare(lambda *, rng: {"x": [3.0, 1.0, 2.0]})
    twice = outcomes(experiment, 2)
    store.append(experiment, twice, "now")
    store.append(experiment, twice, "now")
    assert rows(store, experiment, 2)["x"].tolist() == [3.0, 1.0, 2.0] * 2


def test_more_replicates_reuse_what_is_there(declare, store, measured):
    experiment = declare(block=4)
    conditions = experiment.conditions("quick")
    run([Wanted(experiment, conditions, 6)], store, jobs=1, quiet=True)
    want = Wanted(experiment, conditions, 11)
    assert [(task.start, task.stop) for task in want.tasks(store)] == [(4, 8), (8, 11)]
    run([want], store, jobs=1, quiet=True)
    assert want.tasks(store) == []
    fresh = Store(store.root / "fresh", "unit")
    run([want], fresh, jobs=1, quiet=True)
    pd.testing.assert_frame_equal(measured(want.table(store)), measured(want.table(fresh)))
    assert len(Wanted(experiment, conditions, 6).table(store)) == 6


def test_rows_follow_the_design_whatever_their_history(declare, store, measured):
    experiment = declare()
    done = outcomes(experiment, a=[1, 2, 3])
    for outcome in reversed(done):
        store.append(experiment, [outcome], "now")
    table = rows(store, experiment, a=[3, 1])
    assert table["a"].tolist() == [3, 3, 3, 1, 1, 1]
    assert table["replicate"].tolist() == [0, 1, 2] * 2
    assert list(measured(table).columns) == ["a", "b", "replicate", "x"]


def test_stale_rows_are_kept_but_never_returned(declare, store):
    columns = {"x": Column("x"), "y": Column("y")}
    old = declare(lambda *, rng: {"x": 0.5, "y": 2}, columns=columns)
    store.append(old, outcomes(old), "then")
    changed = declare(lambda *, rng: {"x": 2}, columns={"x": Column("x", dtype="int")})
    assert rows(store, changed, fingerprint="now").empty
    assert store.done(changed, 0, "now") == set()
    store.append(changed, outcomes(changed), "now")
    table = rows(store, changed)
    assert table["x"].tolist() == [2, 2, 2]
    assert table["x"].dtype == "int64"
    assert len(parts(store)) == 2
    assert store.state(changed, 0, "now") | {"seconds_per_task": 0} == {
        "replicates": 3,
        "stale": 3,
        "failures": 0,
        "seconds_per_task": 0,
    }


def test_rows_of_another_seed_are_ignored(declare, store):
    experiment = declare()
    store.append(experiment, outcomes(experiment, seed=1), "now")
    assert rows(store, experiment).empty
    assert store.done(experiment, 0, "now") == set()
    assert len(rows(store, experiment, seed=1)) == 3


def test_a_null_elsewhere_does_not_change_a_table(declare, store):
    def sometimes(*, a=1, rng):
        return {"x": None if a == 2 else 7}

    experiment = declare(sometimes, columns={"x": Column("x", dtype="int")})
    store.append(experiment, outcomes(experiment, a=[1, 2]), "now")
    assert rows(store, experiment, a=1)["x"].dtype == "int64"


def test_a_failure_is_recorded_and_forgotten_once_rows_exist(declare, store):
    def fails(*, rng):
        raise ArithmeticError("edge")

    broken = declare(fails)
    (failed, *_) = outcomes(broken)
    store.append(broken, [failed], "now")
    assert parts(store) == []
    assert store.done(broken, 0, "now") == set()
    assert store.state(broken, 0, "now")["failures"] == 1
    assert store.state(broken, 0, "later")["failures"] == 0
    assert store.find(failed.task.id, broken) == failed.task
    mended = declare(lambda *, rng: {"x": 1.0})
    store.append(mended, outcomes(mended), "now")
    assert store.state(mended, 0, "now")["failures"] == 0


def test_find_returns_the_task_behind_stored_rows(declare, store):
    experiment = declare(block=2)
    done = outcomes(experiment, 5, seed=9, a=[0.5, 2])
    store.append(experiment, done, "then")
    assert [store.find(o.task.id, experiment) for o in done] == [o.task for o in done]
    assert store.find("0" * 12, experiment) is None


def test_an_interrupted_write_leaves_nothing(declare, store, monkeypatch):
    def half(table, path):
        path.write_bytes(b"PAR1")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", half)
    experiment = declare()
    with pytest.raises(OSError, match="disk full"):
        store.append(experiment, outcomes(experiment), "now")
    assert not list((store.root / "unit" / "draw").iterdir())


def test_another_projects_results_are_refused(declare, store, tmp_path):
    experiment = declare()
    store.append(experiment, outcomes(experiment), "now")
    with pytest.raises(ValueError, match="belongs to the project 'unit', not 'coin'"):
        Store(tmp_path, "coin")
    assert len(rows(Store(tmp_path, "unit"), experiment)) == 3


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "letters.txt").write_text("private")
    with pytest.raises(ValueError, match=r"without theorytk\.json"):
        Store(tmp_path, "unit")


def test_reading_creates_nothing(declare, store, tmp_path):
    experiment = declare()
    assert rows(store, experiment).empty
    assert store.state(experiment, 0, "now")["seconds_per_task"] is None
    assert not list(tmp_path.iterdir())
