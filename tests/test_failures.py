"""A task that raises: everything else is run, judged and reported, and the exit code says so."""

import json

import pytest

import theorytk as tk
from theorytk.cli import main

PROJECT = """
from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate
from theorytk.registry import Paper, papers

papers.add(Paper("nobody", "unit", "Untitled", ("N. Body",), 2024))


def declare(name, broken):
    @experiment(
        f"unit/{name}",
        paper="nobody",
        design=grid(shift=0),
        paired=("shift",),
        columns={"x": Column("a number")},
        presets={"quick": {"replicates": 30}},
    )
    def draw(*, shift, rng):
        x = rng.random()
        if broken and x < 0.2:
            raise ArithmeticError("broken on purpose")
        return {"x": x + shift}

    @claim(
        f"unit/{name}-mean",
        theorem="Theorem 1",
        statement="$E X = 1/2$",
        experiment=draw,
        region=Between(0, 1),
        assumptions=(Assumption("none"),),
        control=Control("a constant added", shift=9),
    )
    def mean(table):
        return mean_estimate(table["x"])


declare("sound", False)
declare("broken", True)
"""


@pytest.fixture
def options(tmp_path):
    folder = tmp_path / "project"
    (folder / "simulations").mkdir(parents=True)
    (folder / "simulations" / "unit.py").write_text(PROJECT)
    return {"project": folder, "results": tmp_path / "results"}


def test_the_other_claims_are_judged_and_reported(options):
    ledger, page = tk.reproduce(**options, jobs=1)
    assert str(ledger["unit/sound-mean"].verdict) == "supported"
    assert str(ledger["unit/broken-mean"].verdict) == "undecided"
    assert "replicates are missing" in ledger["unit/broken-mean"].reason
    assert page.is_file()
    assert ledger.failed
    assert not ledger.ok
    assert repr(ledger).endswith(f"{len(ledger.failed)} task(s) failed")


def test_the_command_prints_the_ledger_and_exits_with_3(options, capsys):
    arguments = ["verify", "--json", "--quiet", "--jobs", "1"]
    for name, value in options.items():
        arguments += [f"--{name}", str(value)]
    assert main(arguments) == 3
    printed = capsys.readouterr()
    assert len(json.loads(printed.out)["claims"]) == 2
    assert "broken on purpose" in printed.err
    assert "theorytk replay" in printed.err
