"""What the tests of the runner share: the sample project, declarations, comparisons."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from theorytk import registry
from theorytk.project import load

COIN = Path(__file__).parents[1] / "projects" / "coin"


@pytest.fixture
def coin():
    """Return the experiments of the sample project by id."""
    load(COIN)
    return registry.experiments


@pytest.fixture
def coin_folder():
    return COIN


@pytest.fixture
def measured():
    """Return a function that drops the bookkeeping columns."""

    def strip(table: pd.DataFrame) -> pd.DataFrame:
        return table[[name for name in table.columns if not name.startswith("_")]]

    return strip
