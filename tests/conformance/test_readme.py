"""What the README shows of the ledger is what the last reproduction found."""

import re
from pathlib import Path

import theorytk as tk

README = Path(__file__).parents[2] / "README.md"


def test_excerpt_of_the_ledger_is_measured(results):
    [block] = re.findall(r"```text\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    shown = [" ".join(line.split()) for line in block.splitlines()]
    ids = [line.split()[0] for line in shown]
    found = str(tk.verify(*ids, controls=True, stored=True, results=results)).splitlines()
    assert len(shown) >= 5
    assert set(shown) <= {" ".join(line.split()) for line in found}
