"""What the tests of the runner share: the sample project, declarations, comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from theorytk import registry
from theorytk.project import load
from theorytk.runner import Column, Experiment, grid

COIN = Path(__file__).parents[1] / "projects" / "coin"


@pytest.fixture
def coin():
    """Return the experiments of the sample project by id."""
    load(COIN)
    return registry.experiments


@pytest.fixture
def coin_folder():
    return COIN


def draw(*, a=1, b=1, rng):
    """Return one draw, so that rows tell the random streams apart."""
    return {"x": float(rng.random())}


@pytest.fixture
def declare():
    """Return a function that declares an experiment without registering it."""

    def make(function: Any = draw, **changes: Any) -> Experiment:
        settings: dict[str, Any] = {
            "id": "unit/draw",
            "paper": "nobody",
            "design": grid(),
            "columns": {"x": Column("a draw")},
            "presets": {"quick": {"replicates": 3}},
        }
        return Experiment(function=function, **{**settings, **changes})

    return make


@pytest.fixture
def measured():
    """Return a function that drops the bookkeeping columns."""

    def strip(table: pd.DataFrame) -> pd.DataFrame:
        return table[[name for name in table.columns if not name.startswith("_")]]

    return strip
