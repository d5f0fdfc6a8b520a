"""Parts: merged without loss, damaged ones left alone, what is known of their making."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from theorytk import __version__
from theorytk._fingerprint import sources
from theorytk.runner import parts
from theorytk.runner import store as store_module
from theorytk.runner.run import Wanted, run
from theorytk.runner.store import Store
from theorytk.runner.tasks import plan, run_task


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "unit")


def outcomes(experiment, replicates=3, **factors):
    conditions = experiment.conditions("quick", **factors)
    return [run_task(experiment, t) for t in plan(experiment, conditions, replicates, 0, set())]


def rows(store, experiment, replicates=3, **factors):
    conditions = experiment.conditions("quick", **factors)
    return store.table(experiment, conditions, replicates, 0, "now")


def files(store):
    return sorted(store.root.rglob("*.parquet"))


def test_many_parts_become_few_with_the_same_rows(declare, store, tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_PARTS", 5)
    experiment = declare()
    done = outcomes(experiment, 4, a=list(range(6)))
    for outcome in done:
        store.append(experiment, [outcome], "now")
        assert len(files(store)) <= 6
    whole = Store(tmp_path / "whole", "unit")
    whole.append(experiment, done, "now")
    levels = {"a": list(range(6))}
    merged, direct = rows(store, experiment, 4, **levels), rows(whole, experiment, 4, **levels)
    pd.testing.assert_frame_equal(merged, direct)
    assert store.done(experiment, 0, "now") == whole.done(experiment, 0, "now")


def test_merging_keeps_a_task_that_ran_twice_once(declare, store):
    experiment = declare(lambda *, rng: {"x": [2.0, 1.0]})
    twice = outcomes(experiment, 2)
    for _ in range(3):
        store.append(experiment, twice, "now")
    parts.merge(files(store)[0].parent, 1)
    (merged,) = files(store)
    assert pq.read_metadata(merged).num_rows == 4
    assert rows(store, experiment, 2)["x"].tolist() == [2.0, 1.0] * 2


def test_large_parts_and_parts_of_another_making_are_not_merged(declare, store, monkeypatch):
    experiment = declare()
    for fingerprint in ("now", "now"):
        store.append(experiment, outcomes(experiment), fingerprint)
    other = declare(lambda *, rng: {"y": True}, columns={"y": parts_column("bool")})
    store.append(other, outcomes(other), "now")
    folder = files(store)[0].parent
    monkeypatch.setattr(parts, "LARGE", 3)
    parts.merge(folder, 0)
    assert len(files(store)) == 3
    monkeypatch.setattr(parts, "LARGE", 100)
    parts.merge(folder, 0)
    assert len(files(store)) == 2


def parts_column(dtype):
    from theorytk.experiments import Column

    return Column("another measurement", dtype=dtype)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"letters", None])
def test_a_damaged_part_costs_its_own_tasks_only(declare, store, content):
    experiment = declare()
    done = outcomes(experiment, a=[1, 2])
    for outcome in done:
        store.append(experiment, [outcome], "now")
    first = files(store)[0]
    first.write_bytes(first.read_bytes()[:-20] if content is None else content)
    with pytest.warns(RuntimeWarning, match=f"cannot read the part .*{first.name}"):
        assert len(rows(store, experiment, a=[1, 2])) == 5
    want = Wanted(experiment, experiment.conditions("quick", a=[1, 2]), 3)
    with pytest.warns(RuntimeWarning, match="cannot read the part"):
        assert len(store.done(experiment, 0, "now")) == 5
    assert first.exists()
    assert store.changed(experiment) == []
    assert len(want.conditions) == 2


def test_foreign_parquet_files_are_ignored(declare, store):
    experiment = declare()
    store.append(experiment, outcomes(experiment), "now")
    foreign = files(store)[0].with_name("weather.parquet")
    pq.write_table(pa.table({"rain": [1.0, 2.0]}), foreign)
    assert len(rows(store, experiment)) == 3
    parts.merge(foreign.parent, 0)
    assert pq.read_table(foreign)["rain"].to_pylist() == [1.0, 2.0]


def test_a_part_that_another_run_merges_meanwhile_is_found_again(declare, store, monkeypatch):
    experiment = declare()
    for outcome in outcomes(experiment, 6):
        store.append(experiment, [outcome], "now")
    folder, genuine, calls = files(store)[0].parent, pq.read_table, []

    def read_table(path, **options):
        if not calls:
            calls.append(path)
            monkeypatch.setattr(pq, "read_table", genuine)
            parts.merge(folder, 0)
        return genuine(path, **options)

    monkeypatch.setattr(pq, "read_table", read_table)
    assert len(rows(store, experiment, 6)) == 6
    assert calls


def test_a_clock_that_goes_backwards_changes_nothing(declare, store, monkeypatch):
    experiment = declare()
    ticks = iter(range(10**18, 0, -1))
    monkeypatch.setattr(store_module.time, "time_ns", lambda: next(ticks))
    for outcome in outcomes(experiment, 5):
        store.append(experiment, [outcome], "now")
    table = rows(store, experiment, 5)
    assert table["replicate"].tolist() == [0, 1, 2, 3, 4]
    assert len(store.done(experiment, 0, "now")) == 5


def test_a_table_knows_how_it_was_made(coin, tmp_path):
    toss = coin.get("coin/toss")
    want = Wanted(toss, toss.conditions("quick"), 20, seed=3)
    store = Store(tmp_path, "coin")
    run([want], store, jobs=1, quiet=True)
    known = want.table(store).attrs
    assert known["experiment"] == "coin/toss"
    assert known["seed"] == 3
    (made_by,) = known["environments"]
    assert f"theorytk {__version__}" in made_by["versions"]
    assert f"numpy {np.__version__}" in made_by["versions"]
    assert made_by["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"cpu", "cores", "platform", "command"} <= set(made_by)


def test_what_changed_since_the_rows_were_computed_is_named(coin, tmp_path, monkeypatch):
    toss = coin.get("coin/toss")
    store = Store(tmp_path, "coin")
    assert store.changed(toss) == []
    run([Wanted(toss, toss.conditions("quick"), 10)], store, jobs=1, quiet=True)
    assert store.changed(toss) == []
    now = {**sources(toss), "simulations.coin": "edited", "theorytk.new": "added"}
    monkeypatch.setattr(store_module, "sources", lambda experiment: now)
    assert store.changed(toss) == ["simulations.coin", "theorytk.new"]
