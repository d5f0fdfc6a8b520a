"""The theory page names everything that is ours: laws derived here, and claims proved there."""

import ast
import re
from pathlib import Path

import theorytk
from theorytk import registry
from theorytk.project import load

PACKAGE = Path(theorytk.__file__).resolve().parent
PAGE = (PACKAGE.parent / "docs" / "matrix_sensing.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([^`\s]+)`", PAGE))


def documented(node, prefix=""):
    """Yield the dotted name and docstring of every function and class below `node`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            yield name, ast.get_docstring(child) or ""
            yield from documented(child, f"{name}.")


def claims():
    load(PACKAGE.parent)
    return [claim for claim in registry.claims if claim.id.startswith("matrix-sensing/")]


def test_names_every_law_derived_here():
    ours = {
        name
        for path in (PACKAGE / "matrix_sensing").glob("*.py")
        for name, text in documented(ast.parse(path.read_text(encoding="utf-8")))
        if re.search(r"derived\s+(again\s+)?here", text, re.IGNORECASE)
    }
    assert "symmetric_lower_bound" in ours
    assert ours - NAMED == set()


def test_has_a_line_for_every_claim_of_ours():
    ours = {claim.id for claim in claims() if claim.status in ("ours", "erratum")}
    assert "matrix-sensing/symmetric-flow-lower-bound" in ours
    assert ours - NAMED == set()


def test_names_no_claim_that_does_not_exist():
    mentioned = {name for name in NAMED if name.startswith("matrix-sensing/")}
    assert mentioned - {claim.id for claim in claims()} == set()


def test_mathematics_is_delimited():
    for paragraph in PAGE.replace("$$", "").split("\n\n"):
        assert paragraph.count("$") % 2 == 0, paragraph
    assert PAGE.count("$$") % 2 == 0
