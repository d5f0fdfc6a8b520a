"""Editing one line of an update rule turns the ledger red."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import theorytk as tk

CHECKOUT = Path(tk.__file__).resolve().parent.parent
CLAIM = "matrix-sensing/symmetric-exact-linear"


def verify(copy, tmp_path):
    """Run the command on a copy of the checkout in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "theorytk.cli", "verify", CLAIM, "--json", "--jobs", "1"]
    done = subprocess.run(
        [*command, "--results", str(tmp_path / "results")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)["claims"][0]["verdict"]


def test_editing_the_update_rule_turns_the_ledger_red(tmp_path):
    copy = tmp_path / "copy"
    for folder in ("theorytk", "simulations", "paper_figures"):
        shutil.copytree(
            CHECKOUT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(CHECKOUT / "pyproject.toml", copy)
    assert verify(copy, tmp_path) == (0, "supported")
    kernels = copy / "theorytk" / "matrix_sensing" / "_kernels.py"
    source = kernels.read_text()
    line = "gradient = -s[i] * G[i, a]"
    assert source.count(line) == 1
    kernels.write_text(source.replace(line, "gradient = -0.5 * s[i] * G[i, a]"))
    assert verify(copy, tmp_path) == (1, "contradicted")


def test_no_descent_at_all_is_no_rate_that_is_free_of_alpha():
    def vanish(F, G, beta):
        return 0 * F, 0 * G

    ledger = tk.check("matrix-sensing/one-step-alpha-free", vanish, project=CHECKOUT)
    assert [entry.verdict for entry in ledger] == ["contradicted"]
