"""What the README shows of a figure and of the ledger is what the last reproduction found."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

import theorytk as tk

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_excerpt_of_the_ledger_is_measured(results):
    [block] = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    shown = [" ".join(line.split()) for line in block.splitlines()]
    ids = [line.split()[0] for line in shown]
    found = str(tk.verify(*ids, controls=True, stored=True, results=results)).splitlines()
    assert len(shown) >= 5
    assert set(shown) <= {" ".join(line.split()) for line in found}


def test_figure_is_the_one_that_was_drawn(results):
    [shown] = re.findall(r"\]\((docs/images/[\w-]+\.png)\)", README)
    [drawn] = Path(results, "figures").rglob(Path(shown).name)
    pictures = [np.asarray(Image.open(path).convert("L"), float) for path in (ROOT / shown, drawn)]
    assert pictures[0].shape == pictures[1].shape
    assert np.abs(pictures[0] - pictures[1]).mean() < 0.5  # of 255
