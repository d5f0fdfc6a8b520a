"""Replicates until means are precise: only where they are needed, and no longer than allowed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import theorytk as tk
from theorytk.api import run_until
from theorytk.cli import main
from theorytk.registry import experiments
from theorytk.runner.run import run_in_memory
from theorytk.workspace import Workspace


@pytest.fixture
def here(coin_folder, tmp_path):
    return {"project": coin_folder, "results": tmp_path / "results", "jobs": 1}


def test_only_the_conditions_that_need_it_get_more_replicates(here):
    table = tk.run("coin/toss", mcse={"heads": 0.03}, **here)
    for scale, rows in table.groupby("scale"):
        n = len(rows)
        assert rows["replicate"].tolist() == list(range(n))
        assert rows["heads"].std(ddof=1) <= 0.03 * np.sqrt(n)
        # A fair coin: (s / 2) / sqrt(n) <= 0.03 needs 278 and 1,112 replicates of the preset's 400.
        assert n == {1: 400, 2: 1600}[scale]
    assert np.isnan(table["heads"]).sum() == 0


def test_the_rows_are_those_of_a_run_with_as_many_replicates(here, measured):
    precise = tk.run("coin/toss", mcse={"heads": 0.03}, scale=2, **here)
    want = Workspace(**here).want(experiments.get("coin/toss"), scale=2)
    direct = run_in_memory(replace(want, replicates=1600))
    pd.testing.assert_frame_equal(measured(precise), measured(direct))


def test_no_time_means_one_look(here):
    workspace = Workspace(**here)
    want = workspace.want(experiments.get("coin/toss"))
    reached = run_until(workspace, want, {"heads": 1e-6}, budget=0.0)
    assert len(reached.table) == 800
    assert len(reached.open) == 2


def test_the_command_says_how_far_it_came(here, capsys):
    options = ["--project", str(here["project"]), "--results", str(here["results"]), "--quiet"]
    arguments = ["run", "coin/toss", "--mcse", "heads=0.03", "--jobs", "1"]
    assert main([*arguments, *options]) == 0
    assert "coin/toss: 2 of 2 condition(s) precise, 2000 row(s)" in capsys.readouterr().out
    assert main([*arguments[:-4], "--mcse", "heads", *options]) == 2
    assert "--mcse must be name=value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mcse", "message"),
    [({"tails": 0.1}, "mcse column of coin/toss"), ({"heads": 0.0}, "mcse of heads must be")],
)
def test_wrong_targets_are_said(here, mcse, message):
    with pytest.raises(ValueError, match=message):
        tk.run("coin/toss", mcse=mcse, **here)


def test_verify_stops_to_look_when_its_time_is_over(here, capsys):
    options = ["--project", str(here["project"]), "--results", str(here["results"]), "--quiet"]
    verify = ["verify", "coin/fair", "--looks", "6", "--budget", "0", "--json", "--jobs", "1"]
    main([*verify, *options])
    (claim,) = json.loads(capsys.readouterr().out)["claims"]
    assert claim["n"] == 400
    with pytest.raises(ValueError, match="budget must be"):
        tk.verify("coin/fair", budget=-1.0, **here)
