"""A new project runs at once, judges its claim, and takes a user's own algorithm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import theorytk as tk
from theorytk.api import init
from theorytk.cli import main


def test_it_reproduces_with_one_command_in_its_folder(tmp_path):
    folder = tmp_path / "my-paper"
    assert main(["init", str(folder)]) == 0
    command = [sys.executable, "-m", "theorytk.cli", "reproduce", "--jobs", "1"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, "MPLBACKEND": "Agg"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 claims at the quick preset: 1 supported" in done.stdout
    assert "controls caught 1/1" in done.stdout
    assert (folder / done.stdout.splitlines()[-1]).is_file()
    assert (folder / "results" / "figures" / "first-steps" / "error.png").is_file()
    assert 'name = "my-paper"' in (folder / "pyproject.toml").read_text()


def test_an_algorithm_of_ones_own_is_judged(tmp_path):
    folder = init(tmp_path / "mine")
    claim = "first-steps/variance-of-a-mean"
    own = {"project": folder}
    assert tk.check(claim, lambda draws: np.mean(draws, axis=-1), **own).ok
    assert not tk.check(claim, lambda draws: np.median(draws, axis=-1), **own).ok


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_verdict_does_not_hang_on_the_seed(tmp_path, seed):
    folder = init(tmp_path / "mine")
    ledger = tk.verify(
        project=folder, results=tmp_path / "results", seed=seed, jobs=1, controls=True
    )
    assert ledger.ok


def test_folders_that_hold_something_are_left_alone(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "letters.txt").write_text("private")
    with pytest.raises(ValueError, match="must not exist yet, or be empty"):
        init(kept)
    with pytest.raises(ValueError, match="must not exist yet, or be empty"):
        init(kept / "letters.txt")
    assert [path.name for path in kept.iterdir()] == ["letters.txt"]


@pytest.mark.parametrize("name", ["two words", "-", "name!", "ends-"])
def test_names_that_no_project_can_have_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="must end in a project's name"):
        init(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_it_conforms(tmp_path):
    """The checks that this project's own papers must pass hold for what a newcomer begins with."""
    folder = init(tmp_path / "mine")
    chosen = {"THEORYTK_PROJECT": str(folder), "THEORYTK_RESULTS": str(tmp_path / "results")}
    conformance = Path(__file__).parent / "conformance"
    ours = f"--ignore={conformance / 'test_readme.py'}"  # about this repository's page
    options = ["-q", "-p", "no:cacheprovider", ours]
    command = [sys.executable, "-m", "pytest", *options, str(conformance)]
    environment = os.environ | chosen | {"MPLBACKEND": "Agg"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
