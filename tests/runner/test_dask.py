"""A Dask cluster: the same tables as in one process, lost workers, workers without the project."""

from __future__ import annotations

import pickle
import shutil

import dask
import distributed
import pandas as pd
import pytest

from theorytk import registry
from theorytk._fingerprint import PROJECT_PREFIX, fingerprint, project_files
from theorytk.project import load
from theorytk.runner import execute
from theorytk.runner.pools import dask_client
from theorytk.runner.remote import _unpickle, payload
from theorytk.runner.run import Wanted, run
from theorytk.runner.store import Store
from theorytk.workspace import Workspace


@pytest.fixture(scope="module")
def client():
    with dask_client(None, 2) as client:
        yield client


@pytest.fixture
def address(client):
    return client.scheduler.address


def test_a_cluster_gives_the_tables_of_one_process(coin, address, tmp_path, measured):
    wanted = [
        Wanted(coin.get(id), coin.get(id).conditions("quick"), 30)
        for id in ("coin/toss", "coin/count", "coin/slow", "coin/pascal")
    ]
    one, many = Store(tmp_path / "one", "coin"), Store(tmp_path / "many", "coin")
    run(wanted, one, jobs=1, quiet=True)
    summary = run(wanted, many, jobs=1, quiet=True, backend="dask", scheduler=address)
    assert summary.failed == []
    for want in wanted:
        pd.testing.assert_frame_equal(measured(want.table(one)), measured(want.table(many)))


def test_the_users_dask_stays_as_it_is(client):
    before = dask.config.get("scheduler", None)
    with dask_client(None, 1):
        assert dask.config.get("scheduler", None) == before
        assert dask.delayed(sum)([1, 2]).compute() == 3
    assert dask.config.get("scheduler", None) == before
    with pytest.raises(ValueError, match="No global client"):
        distributed.get_client()


def test_a_cluster_is_started_where_none_runs(coin_folder, tmp_path):
    workspace = Workspace(project=coin_folder, results=tmp_path, jobs=1, backend="dask")
    summary = workspace.run([workspace.want(registry.experiments.get("coin/slow"))])
    assert (summary.finished, summary.failed) == (12, [])


@pytest.mark.parametrize("mishap", ["exit", "segfault"])
def test_a_task_that_ends_its_workers_is_named(coin, client, mishap):
    fragile = coin.get("coin/fragile")
    want = Wanted(fragile, fragile.conditions("quick", mishap=mishap), 2)
    ended = list(execute(fragile, want.tasks(None), jobs=1, client=client))
    assert len({o.task.id for o in ended}) == len(ended) == 12
    failed = [o for o in ended if o.error]
    assert [o.task.condition["level"] for o in failed] == [2, 2]
    assert all("the worker process died" in o.error for o in failed)


def test_a_task_that_hangs_is_ended_at_its_limit(coin, client):
    fragile = coin.get("coin/fragile")
    want = Wanted(fragile, fragile.conditions("quick", mishap="loop"), 1)
    ended = list(execute(fragile, want.tasks(None), jobs=1, client=client, timeout=1.0))
    (failed,) = [o for o in ended if o.error]
    assert (len(ended), failed.task.condition["level"]) == (6, 2)
    assert "ran longer than the limit of 1 s" in failed.error


def test_workers_need_no_project_folder(coin_folder, address, tmp_path):
    copied = tmp_path / "moved"
    shutil.copytree(coin_folder, copied)
    load(copied)
    pascal = registry.experiments.get("coin/pascal")
    want = Wanted(pascal, pascal.conditions("quick"), 1)
    fingerprint(pascal)  # as every run does before it sends anything
    shutil.rmtree(copied)
    store = Store(tmp_path / "results", "coin")
    summary = run([want], store, jobs=1, quiet=True, backend="dask", scheduler=address)
    assert summary.failed == []
    assert want.table(store)["residual"].max() < 1e-12


def test_the_files_that_come_along_are_those_that_are_imported(coin):
    assert set(project_files(coin.get("coin/pascal"))) == {
        "simulations/coin.py",
        "simulations/laws.py",
    }


def test_other_sources_of_theorytk_are_refused(coin):
    packages, files, code, content = pickle.loads(payload(coin.get("coin/toss"), None))
    assert (files, code) == ({}, "")
    assert any(name.startswith(PROJECT_PREFIX) for name in packages)
    with pytest.raises(RuntimeError, match="other sources of theorytk"):
        _unpickle(pickle.dumps((packages, files, "another state", content)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "slurm"}, "backend must be one of"),
        ({"scheduler": "tcp://host:8786"}, "a scheduler needs backend 'dask'"),
        ({"timeout": 0.0}, "timeout must be"),
        ({"timeout": "soon"}, "timeout must be"),
    ],
)
def test_wrong_use_is_said(coin_folder, tmp_path, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Workspace(project=coin_folder, results=tmp_path, **options)


def test_a_scheduler_that_does_not_answer_is_named():
    with (
        pytest.raises(ValueError, match="scheduler 'nowhere://x' does not answer"),
        dask_client("nowhere://x", 1),
    ):
        pass
