"""A claim on made-up rows: the tests choose the estimate, the region and the control's rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from theorytk.claims import Claim, Control, evaluate
from theorytk.experiments import Column, Experiment, grid
from theorytk.inference import AtMost
from theorytk.project import load

COIN = Path(__file__).parents[1] / "projects" / "coin"


def unit(*, shift=0.0, rng):
    """Never run: the tests write its rows."""
    raise AssertionError


EXPERIMENT = Experiment(
    id="unit/rows",
    paper="nobody",
    function=unit,
    design=grid(shift=0),
    paired=("shift",),
    columns={"x": Column("a number")},
    presets={"quick": {"replicates": 30}, "paper": {"replicates": 60}},
)


@pytest.fixture
def declare():
    """Return a function that declares a claim without registering it."""

    def make(estimate: Any = None, **changes: Any) -> Claim:
        settings: dict[str, Any] = {
            "id": "unit/claim",
            "paper": "nobody",
            "theorem": "Theorem 1",
            "statement": "$x = 0$",
            "status": "theorem",
            "assumptions": (),
            "experiment": EXPERIMENT,
            "at": {},
            "region": AtMost(1.0),
            "kind": "statistical",
            "decides": "quick",
            "controls": (Control("a shift", shift=100),),
        }
        return Claim(estimate=estimate, **{**settings, **changes})

    return make


@pytest.fixture
def judged(declare):
    """Return a function that evaluates a claim: x is -0.1 or 0.1, plus the condition's shift."""

    def judge(
        estimate: Any, *, keep: int = 1000, preset: str = "quick", looks: int = 1, **changes: Any
    ) -> Any:
        def tables(want: Any) -> pd.DataFrame:
            rows = [
                {"shift": c["shift"], "replicate": r, "x": c["shift"] + 0.1 * (-1) ** r}
                for c in want.conditions
                for r in range(want.replicates)
            ]
            return pd.DataFrame(rows[:keep]).assign(_task="t", _seconds=2.0, _fingerprint="f")

        return evaluate(declare(estimate, **changes), preset, 0, tables, looks=looks)

    return judge


@pytest.fixture
def coin():
    """Load the sample project."""
    return load(COIN)
