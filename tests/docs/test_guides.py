"""What the guides show is true: every example runs, and what is not run is a shell line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import theorytk

DOCS = Path(theorytk.__file__).resolve().parents[1] / "docs"
GUIDES = sorted((DOCS / "how_to").glob("*.md"))
NEEDS_TORCH = {"use_a_gpu.md"}


def marked(path):
    return pytest.param(path, marks=[pytest.mark.torch] if path.name in NEEDS_TORCH else [])


@pytest.mark.parametrize(
    "path", [marked(path) for path in GUIDES if ">>>" in path.read_text(encoding="utf-8")]
)
def test_examples_are_true(path):
    command = [sys.executable, "-m", "doctest", "-o", "ELLIPSIS", str(path)]
    done = subprocess.run(command, cwd=DOCS.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_shows_only_what_is_run_or_typed_into_a_shell(path):
    languages = re.findall(r"^```(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for name in languages if not name.startswith("{")} <= {"pycon", "shell"}
