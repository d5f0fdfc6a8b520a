"""What every registered figure must be."""

from pathlib import Path

import pandas as pd
import pytest

import theorytk as tk
from theorytk import registry
from theorytk.project import load
from theorytk.reporting import check_labels, use_style

load()
pytestmark = pytest.mark.parametrize("figure", list(registry.figures), ids=lambda f: f.id)


def test_declared_in_full(figure):
    assert figure.paper in registry.papers
    assert all(id in registry.experiments for id in figure.experiments)
    assert figure.caption
    assert figure.reproduces


def test_axes_are_labelled_with_units(figure, results):
    tables = {
        id: tk.table(id, results=results, **figure.at.get(id, {})) for id in figure.experiments
    }
    with use_style():
        drawn, plotted = figure.draw(tables)
    assert check_labels(drawn) == []
    assert len(plotted)
    assert not any(name.startswith("_") for name in plotted.columns)


def test_files_are_written(figure, results):
    stem = Path(results) / "figures" / figure.id
    assert stem.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_csv(stem.with_suffix(".csv")))
