"""The Python interface on the sample project."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import theorytk as tk
from theorytk import api

COIN = Path(__file__).parent / "projects" / "coin"


@pytest.fixture
def here(tmp_path):
    """Return the options that every call here shares."""
    return {"project": COIN, "results": tmp_path / "results", "jobs": 1}


def test_run_returns_factors_replicates_and_columns(here):
    rows = tk.run("coin/toss", **here)
    assert list(rows)[:5] == ["bias", "scale", "toss", "replicate", "heads"]
    assert all(name.startswith("_") for name in list(rows)[5:])
    assert len(rows) == 800
    assert set(rows["heads"]) == {0.0, 1.0, 2.0}


def test_factors_are_overridden_and_kept_apart(here):
    tk.run("coin/toss", **here)
    assert set(tk.run("coin/toss", scale=[2, 3], **here)["scale"]) == {2, 3}
    assert set(tk.table("coin/toss", **here)["scale"]) == {1, 2}
    assert len(tk.table("coin/toss", scale=3, bias=0.1, **here)) == 0


def test_paired_conditions_share_their_draws(here):
    rows = tk.run("coin/toss", scale=1, bias=[0.0, 0.3], **here)
    straight, bent = (rows[rows["bias"] == b]["heads"].to_numpy() for b in (0.0, 0.3))
    assert (straight <= bent).all()
    assert straight.mean() < bent.mean()


def test_another_preset_or_seed_takes_its_own_replicates(here):
    assert len(tk.run("coin/toss", preset="paper", **here)) == 810
    assert len(tk.table("coin/toss", **here)) == 800
    assert tk.table("coin/toss", seed=1, **here).empty


def test_dry_run_says_tasks_and_time(here):
    workspace = api.Workspace(**here)
    wanted = api.experiments_wanted(workspace, ["coin/count"], {})
    assert api.forecast(workspace, wanted).split(maxsplit=1) == [
        "coin/count",
        "4 task(s), time unknown",
    ]
    tk.run("coin/count", twice=True, **here)
    assert "4 task(s), about 0." in api.forecast(workspace, wanted)
    workspace.run(wanted)
    assert api.forecast(workspace, wanted) == "nothing to run: everything is stored"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_export_writes_the_table(here, tmp_path, suffix):
    rows = tk.run("coin/count", **here)
    path = api.export("coin/count", tmp_path / f"out{suffix}", **here)
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet}[suffix]
    pd.testing.assert_frame_equal(read(path), rows, check_dtype=suffix == ".parquet")


def test_export_to_another_kind_of_file_is_refused(here, tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.csv or \.parquet"):
        api.export("coin/count", tmp_path / "out.xlsx", **here)


def test_replay_gives_the_stored_rows(here):
    rows = tk.run("coin/toss", seed=5, **here)
    name = rows["_task"].iloc[-1]
    stored = rows[rows["_task"] == name].reset_index(drop=True)
    again = api.replay(name, **here)
    measured = ["bias", "scale", "replicate", "heads"]
    assert len(again) == 10
    pd.testing.assert_frame_equal(again[measured], stored[measured])


def test_a_failed_task_is_named_and_can_be_replayed(here):
    with pytest.raises(tk.api.TaskFailedError, match=r"2 task.*coin/fragile.*'level': 2") as caught:
        tk.run("coin/fragile", mishap="raise", **here)
    name = caught.value.failed[0].task.id
    assert f"theorytk replay {name}" in str(caught.value)
    assert "the coin fell on its edge" in str(caught.value)
    assert len(tk.table("coin/fragile", mishap="raise", **here)) == 10
    with pytest.raises(tk.api.TaskFailedError, match="1 task"):
        api.replay(name, **here)


def test_verify_runs_what_claims_and_controls_need(here):
    assert str(tk.verify("coin/total", stored=True, **here)["coin/total"].verdict) == "undecided"
    without = tk.verify("coin/total", **here)
    assert without.ok
    assert without["coin/total"].controls == ()
    with_controls = tk.verify("coin", controls=True, **here)
    assert with_controls.ok
    assert sum(len(result.controls) for result in with_controls) == 4
    assert with_controls.counts() == {
        "supported": 3,
        "not_refuted": 1,
        "deferred": 1,
        "skipped": 1,
    }
    stored = tk.verify("coin", controls=True, stored=True, **here)
    assert [r.judgement for r in stored] == [r.judgement for r in with_controls]


def test_a_device_reaches_the_experiments_that_have_one_and_the_ledger(here):
    ledger = tk.verify("coin/total", "coin/fair", controls=True, device="cuda", **here)
    assert ledger.ok
    assert ledger["coin/total"].provenance["device"] == "cuda"
    assert "device" not in ledger["coin/fair"].provenance
    assert repr(ledger).endswith("; 1 on cuda")
    assert set(tk.table("coin/pascal", device="cuda", **here)["device"]) == {"cuda"}
    assert tk.table("coin/pascal", **here).empty


def test_figures_need_stored_rows(here):
    with pytest.raises(ValueError, match="theorytk reproduce coin/heads --preset quick"):
        tk.figure("coin/heads", **here)
    tk.run("coin/toss", **here)
    files = tk.figure("coin/heads", **here)["coin/heads"]
    assert pd.read_csv(files["csv"])["scale"].tolist() == [1, 2]
    assert files["png"].read_bytes().startswith(b"\x89PNG")
    assert files["pdf"].read_bytes().startswith(b"%PDF")


def test_reproduce_runs_draws_judges_and_reports(here):
    ledger, path = tk.reproduce("coin", **here)
    assert ledger.ok
    assert all(result.claim.id in path.read_text() for result in ledger)
    listed = api.inventory(project=COIN, results=here["results"])
    states = {x["id"]: x["state"] for kind in listed.values() for x in kind}
    assert states["coin/fair"] == "supported"
    assert states["coin/fair-in-the-long-run"] == "deferred"
    assert states["coin/heads"] == "drawn"
    # 400 replicates at two scales, straight and bent
    assert states["coin/toss"] == "1600 replicates stored"


def test_reproducing_a_part_reports_it_and_what_else_has_run(here):
    def reported():
        ledger = json.loads((here["results"] / "report" / "ledger.json").read_text())
        return [claim["id"] for claim in ledger["claims"] if claim["verdict"] != "deferred"]

    tk.reproduce("coin/total", **here)
    assert reported() == ["coin/total"]
    tk.reproduce("coin/fair", **here)
    assert reported() == ["coin/fair", "coin/total"]


def test_ids_show_and_cite():
    assert tk.ids(COIN)["figures"] == ["coin/heads"]
    assert "toss(rng, bias)" in tk.show("coin/fair", project=COIN)
    assert "Ars conjectandi" in tk.show("bernoulli1713", project=COIN)
    for name in ("coin", "coin/total", "coin/heads", "bernoulli1713"):
        assert tk.cite(name, project=COIN).startswith("@inproceedings{bernoulli1713,")
    assert "author = {Jacob Bernoulli}" in tk.cite("coin", project=COIN)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda o: tk.run("coin/tos", **o), "no experiment has .*did you mean 'coin/toss'"),
        (lambda o: tk.table("coin/tos", **o), "no experiment has .*did you mean 'coin/toss'"),
        (lambda o: tk.verify("coin/totl", **o), "nothing is called .*did you mean 'coin/total'"),
        (lambda o: tk.figure("coin/head", **o), "did you mean 'coin/heads'"),
        (lambda o: tk.reproduce("coin/totl", **o), "did you mean 'coin/total'"),
        (lambda o: tk.show("coin/totl", project=COIN), "did you mean 'coin/total'"),
        (lambda o: tk.show("coin", project=COIN), "'coin' is a topic"),
        (lambda o: tk.cite("coin/totl", project=COIN), "did you mean 'coin/total'"),
        (lambda o: api.replay("0" * 12, **o), "no stored task has the id '000000000000'"),
        (lambda o: tk.run("coin/toss", scal=1, **o), "no factor 'scal'.*did you mean 'scale'"),
        (lambda o: tk.run("coin/toss", preset="papr", **o), "did you mean 'paper'"),
        (lambda o: tk.run("coin/total", preset="paper", **o), "no experiment has the id"),
        (lambda o: tk.run("coin/count", preset="paper", **o), "preset must be one of 'quick'"),
        (lambda o: tk.run("coin/toss", seed=-1, **o), "seed must be an integer >= 0"),
        (lambda o: tk.run("coin/toss", **{**o, "jobs": 0}), "jobs must be an integer >= 1"),
    ],
)
def test_wrong_use_says_what_is_accepted(here, call, message):
    with pytest.raises(ValueError, match=message):
        call(here)
