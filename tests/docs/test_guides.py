"""What the guides show is true: every example runs, and what is not run is a shell line."""

import doctest
import re
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
def test_examples_are_true(path, monkeypatch):
    monkeypatch.chdir(DOCS.parent)
    results = doctest.testfile(str(path), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_shows_only_what_is_run_or_typed_into_a_shell(path):
    languages = re.findall(r"^```(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for name in languages if not name.startswith("{")} <= {"pycon", "shell"}
