"""The fingerprint: what changes it and what must not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import theorytk

PACKAGE = Path(theorytk.__file__).parent

SIMULATION = """
from theorytk.experiments import Column, experiment, grid
from .helper import one
import theorytk.matrix_sensing.probe

@experiment("unit/one", paper="p", design=grid(), columns={"x": Column("x")},
            presets={"quick": {"replicates": 1}})
def unit(*, rng):
    return {"x": one()}
"""

PRINT = """
import sys
from theorytk._fingerprint import fingerprint
from theorytk.project import load
from theorytk.registry import experiments
load(sys.argv[1])
print(fingerprint(experiments.get("unit/one")))
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Return a folder with a copy of theorytk, two modules more, and a project."""
    folder = tmp_path_factory.mktemp("original")
    shutil.copytree(PACKAGE, folder / "theorytk", ignore=shutil.ignore_patterns("__pycache__"))
    topic = folder / "theorytk" / "matrix_sensing"
    shutil.rmtree(topic)
    topic.mkdir()
    (topic / "__init__.py").write_text("")
    (topic / "probe.py").write_text("from theorytk.matrix_sensing import deep\n")
    (topic / "deep.py").write_text("ONE = 1.0\n")
    (topic / "other.py").write_text("TWO = 2.0\n")
    simulations = folder / "project" / "simulations"
    simulations.mkdir(parents=True)
    (simulations / "unit.py").write_text(SIMULATION)
    (simulations / "helper.py").write_text("def one():\n    return 1.0\n")
    (simulations / "unrelated.py").write_text("")
    return folder


def printed(folder):
    command = [sys.executable, "-c", PRINT, str(folder / "project")]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def reference(original):
    return printed(original)


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ("project/simulations/unit.py", True),
        ("project/simulations/helper.py", True),
        ("theorytk/matrix_sensing/deep.py", True),
        ("theorytk/matrix_sensing/other.py", False),
        ("project/simulations/unrelated.py", False),
        ("theorytk/claims/evaluate.py", False),
        ("theorytk/runner/store.py", False),
        ("theorytk/api.py", False),
        (None, False),
    ],
)
def test_it_follows_what_the_experiment_imports(original, reference, tmp_path, changed, differs):
    folder = tmp_path / "elsewhere"  # where the project lies does not matter either
    shutil.copytree(original, folder, ignore=shutil.ignore_patterns("__pycache__"))
    if changed:
        with (folder / changed).open("a") as file:
            file.write("\n# changed\n")
    assert (printed(folder) != reference) is differs


def test_a_function_without_a_file_is_hashed_itself(declare):
    from theorytk._fingerprint import fingerprint

    def one(*, rng):
        return {"x": 1.0}

    def two(*, rng):
        return {"x": 2.0}

    assert fingerprint(declare(one)) == fingerprint(declare(one))
    assert fingerprint(declare(one)) != fingerprint(declare(two))
