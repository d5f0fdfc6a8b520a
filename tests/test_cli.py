"""The command: what it prints, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from theorytk import registry
from theorytk.claims import Claim, Control
from theorytk.cli import main
from theorytk.inference import AtMost, Between, mean_estimate
from theorytk.project import load

COIN = Path(__file__).parent / "projects" / "coin"


@pytest.fixture
def command(tmp_path, capsys):
    """Return a function that runs the command and returns exit code, output and messages."""

    def run(verb, *arguments, jobs=False, results=True):
        options = ["--project", str(COIN)]
        options += ["--results", str(tmp_path / "results")] if results else []
        options += ["--jobs", "1", "--quiet"] if jobs else []
        code = main([verb, *arguments, *options])
        return (code, *capsys.readouterr())

    return run


def test_a_missing_extra_is_named(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, said = command("run", "coin", "--backend", "dask", jobs=True)
    assert code == 2
    assert "needs: pip install 'theorytk[dask]'" in said
    assert "Traceback" not in said


@pytest.fixture
def extra_claim():
    """Return a function that registers a claim for the length of a test."""
    load(COIN)
    added = []

    def add(**changes):
        settings = {
            "id": "coin/extra",
            "paper": "bernoulli1713",
            "theorem": "none",
            "statement": "$p$",
            "status": "empirical",
            "assumptions": (),
            "experiment": registry.experiments.get("coin/toss"),
            "at": {"scale": 1},
            "estimate": lambda table: mean_estimate(table["heads"]),
            "region": AtMost(0.7),
            "kind": "statistical",
            "decides": "quick",
            "controls": (Control("a bent coin", bias=0.5),),
        }
        registry.claims.add(Claim(**{**settings, **changes}))
        added.append(changes.get("id", "coin/extra"))

    yield add
    for id in added:
        del registry.claims._items[id]


def test_run_prints_what_it_did_and_stores_it(command, tmp_path):
    code, out, said = command("run", "coin/count", jobs=True)
    assert (code, said) == (0, "")
    assert out.startswith("4 task(s) run in ")
    assert list(tmp_path.glob("results/store/coin/count/*.parquet"))
    assert command("run", "coin/count", jobs=True)[1].startswith("0 task(s) run")


def test_progress_goes_to_standard_error(command):
    _, out, said = command("run", "coin/count", "--jobs", "1")
    assert said == "4/4 tasks, 0 s, coin/count\n"
    assert "tasks," not in out


def test_set_gives_values_levels_and_strings(command, tmp_path):
    settings = ["--set", "scale=[3, 4]", "--set", "bias=.25"]
    assert command("run", "coin/toss", *settings, jobs=True)[0] == 0
    assert command("run", "coin/fragile", "--set", "mishap=anything", jobs=True)[0] == 0
    parts = [*tmp_path.glob("results/store/coin/*/*.parquet")]
    conditions = {c for part in parts for c in pd.read_parquet(part)["condition"]}
    assert '{"bias":0.25,"scale":4,"toss":null}' in conditions
    assert '{"level":5,"mishap":"anything"}' in conditions


def test_dry_run_runs_nothing(command, tmp_path):
    code, out, _ = command("run", "coin/count", "--dry-run", jobs=True)
    assert code == 0
    assert out.split() == ["coin/count", "4", "task(s),", "time", "unknown"]
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "coin/tos"], "theorytk: nothing is called 'coin/tos'; did you mean 'coin/toss'?"),
        (["run", "coin/toss", "--set", "scale"], "--set must be name=value; got 'scale'"),
        (["run", "coin/toss", "--set", "scal=1"], "did you mean 'scale'?"),
        (["run", "coin/toss", "--set", "scale=[]"], "factor 'scale' has no levels"),
        (["run", "coin/toss", "--preset", "papr"], "did you mean 'paper'?"),
        (["run", "coin/count", "--preset", "paper"], "preset must be one of 'quick'"),
        (["run", "coin/toss", "--jobs", "0"], "jobs must be an integer >= 1; got 0"),
        (["run", "coin/toss", "--jobs", "many"], "Invalid value for '--jobs'"),
        (["run", "coin/toss", "--seed", "-1"], "seed must be an integer >= 0; got -1"),
        (["verify", "coin/totl"], "did you mean 'coin/total'?"),
        (["figure", "coin/heads"], "rows of coin/toss that are not stored"),
        (["replay", "000000000000"], "no stored task has the id '000000000000'"),
        (["export", "coin/toss", "--output", "rows.xlsx"], "must end in .csv or .parquet"),
        (["lits"], "lits"),
    ],
)
def test_wrong_use_is_exit_code_2_and_one_message(command, arguments, message):
    code, out, said = command(*arguments)
    assert code == 2
    assert message in said
    assert out == ""
    assert "Traceback" not in said


def test_a_project_that_does_not_exist_is_wrong_use(capsys, tmp_path):
    assert main(["list", "--project", str(tmp_path)]) == 2
    assert "has no folder 'simulations'" in capsys.readouterr().err


def test_a_failed_task_is_exit_code_3_with_a_way_to_replay_it(command, tmp_path):
    code, _, said = command("run", "coin/fragile", "--set", "mishap=raise", jobs=True)
    assert code == 3
    assert "2 task(s) failed" in said
    failures = tmp_path / "results" / "store" / "coin" / "fragile" / "failures.jsonl"
    first = json.loads(failures.read_text().splitlines()[0])
    assert first["condition"] == {"level": 2, "mishap": "raise"}
    assert first["seed"] == 0
    assert "ArithmeticError: the coin fell on its edge" in first["traceback"]
    code, _, said = command("replay", first["task"])
    assert code == 3
    assert "the coin fell on its edge" in said
    assert "10 replicates stored, 2 failures" in command("status")[1]


def test_replay_prints_the_rows_of_a_task(command, tmp_path):
    command("run", "coin/count", jobs=True)
    (part,) = tmp_path.glob("results/store/coin/count/*.parquet")
    rows = pd.read_parquet(part)
    name = rows["_task"].iloc[0]
    code, out, _ = command("replay", name)
    printed = [line.split() for line in out.splitlines()]
    assert code == 0
    column = printed[0].index("heads") + 1
    stored = rows[rows["_task"] == name]["heads"]
    assert [int(line[column]) for line in printed[1:]] == stored.tolist()


def test_verify_prints_a_ledger_and_is_exit_code_0(command):
    code, out, _ = command("verify", "--controls", jobs=True)
    assert code == 0
    assert "coin/total" in out
    assert out.splitlines()[-1].startswith("6 claims at the quick preset:")


def test_verify_json_is_alone_on_standard_output(command):
    code, out, _ = command("verify", "coin/total", "--json", "--controls", "--jobs", "1")
    content = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert [claim["id"] for claim in content["claims"]] == ["coin/total"]


@pytest.mark.parametrize(
    ("changes", "arguments", "code"),
    [
        ({"region": AtMost(0.1)}, [], 1),
        ({"region": AtMost(0.5)}, [], 1),
        ({"controls": (Control("hardly bent", bias=0.01),)}, [], 0),
        ({"controls": (Control("hardly bent", bias=0.01),)}, ["--controls"], 1),
        ({"decides": "paper"}, ["--controls"], 0),
        ({"estimate": lambda table: 1 / 0}, [], 1),
    ],
)
def test_verify_fails_unless_supported_and_caught(command, extra_claim, changes, arguments, code):
    extra_claim(**changes)
    assert command("verify", "coin/extra", *arguments, jobs=True)[0] == code


def test_verify_looks_again_at_twice_the_replicates(command, extra_claim):
    extra_claim(region=Between(0.42, 0.58))
    again = ["verify", "coin/extra", "--controls", "--json", "--looks", "4"]
    assert command("verify", "coin/extra", jobs=True)[0] == 1
    assert command(*again, "--stored", jobs=True)[0] == 1
    code, out, _ = command(*again, jobs=True)
    (claim,) = json.loads(out)["claims"]
    assert (code, claim["verdict"], claim["n"]) == (0, "supported", 1600)
    assert command(*again, "--stored", jobs=True)[0] == 0
    assert command("verify", "coin/extra", "--looks", "0", jobs=True)[0] == 2


def test_stored_judges_and_runs_nothing(command, tmp_path):
    code, out, _ = command("verify", "coin/total", "--stored", jobs=True)
    assert code == 1
    assert "2 of 2 replicates are missing" in out
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_bug_is_exit_code_4_with_a_traceback(command, monkeypatch):
    def bug(**options):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("theorytk.api.inventory", bug)
    code, _, said = command("list")
    assert code == 4
    assert "Traceback" in said
    assert "ZeroDivisionError: ours" in said


def test_list_json_has_the_documented_form(command):
    code, out, _ = command("list", "--json")
    content = json.loads(out)
    assert code == 0
    assert list(content) == ["papers", "experiments", "claims", "figures"]
    keys = {kind: [set(item) for item in items] for kind, items in content.items()}
    assert keys == {
        "papers": [{"id", "title", "topic", "state"}],
        "experiments": [{"id", "paper", "state"}] * 5,
        "claims": [{"id", "paper", "theorem", "state"}] * 6,
        "figures": [{"id", "paper", "title", "state"}],
    }
    states = {item["id"]: item["state"] for items in content.values() for item in items}
    assert states["coin/toss"] == "0 replicates stored"
    assert states["coin/fair"] == "not judged"
    assert states["coin/heads"] == "not drawn"


def test_list_show_and_cite_are_text(command):
    assert "  coin/toss" in command("list")[1]
    assert "Toss once" in command("show", "coin/toss", results=False)[1]
    assert command("cite", "coin", results=False)[1].startswith("@inproceedings{bernoulli1713,")


def test_figure_and_export_print_their_files(command, tmp_path):
    command("run", "coin/toss", jobs=True)
    paths = command("figure", "coin/heads")[1].split()
    assert [Path(path).suffix for path in paths] == [".pdf", ".png", ".csv"]
    output = tmp_path / "rows.csv"
    assert command("export", "coin/toss", "--output", str(output))[1].strip() == str(output)
    assert len(pd.read_csv(output)) == 800


def test_reproduce_ends_with_the_path_of_the_report(command):
    code, out, _ = command("reproduce", jobs=True)
    report = Path(out.splitlines()[-1])
    assert code == 0
    assert report.name == "index.html"
    assert "coin/fair" in report.read_text()
    assert command("report")[1].strip() == str(report)


def test_another_projects_results_are_refused(command, tmp_path):
    store = tmp_path / "results" / "store"
    store.mkdir(parents=True)
    (store / "theorytk.json").write_text('{"format": 1, "project": "dice"}')
    code, _, said = command("run", "coin/count", jobs=True)
    assert code == 2
    assert "belongs to the project 'dice', not 'coin'" in said


def test_without_arguments_the_command_shows_its_help():
    shown = subprocess.run(
        [sys.executable, "-m", "theorytk.cli"], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 2
    assert "Usage" in shown.stdout + shown.stderr
    assert "reproduce" in shown.stdout + shown.stderr
