"""Theory pages name everything that is ours: laws derived here, and claims proved there."""

import ast
import functools
import re
from pathlib import Path

import pytest

import theorytk
from theorytk import registry
from theorytk.project import load

PACKAGE = Path(theorytk.__file__).resolve().parent
DOCS = PACKAGE.parent / "docs"

# Which pages prove the laws of a package; a page is named like its topic.
PAGES = {
    "matrix_sensing": ("matrix-sensing",),
    "adaptive": ("adaptive-data-analysis",),
    "sensitivity": ("sensitivity-sampling",),
    "conformal": ("conformal-selection",),
    "selfconsuming": ("self-consuming-curation",),
    "diffusion": ("diffusion-samplers", "sampler-stability"),
    "diffusion/samplers": ("diffusion-samplers", "tuned-samplers", "sampler-stability"),
    "diffusion/tuning": ("tuned-samplers",),
    "diffusion/hallucination": ("mode-interpolation",),
    "privacy": ("private-similarities",),
    "paths": ("kinetic-optimal-paths", "stochastic-interpolants"),
}
TOPICS = sorted({topic for topics in PAGES.values() for topic in topics})


@functools.cache
def page(topic):
    return (DOCS / f"{topic.replace('-', '_')}.md").read_text(encoding="utf-8")


def named(topic):
    return set(re.findall(r"`([^`\s]+)`", page(topic)))


def documented(node, prefix=""):
    """Yield the dotted name and docstring of every function and class below `node`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = f"{prefix}{child.name}"
            yield name, ast.get_docstring(child) or ""
            yield from documented(child, f"{name}.")


def claims(topic):
    load(PACKAGE.parent)
    return [claim for claim in registry.claims if claim.id.startswith(f"{topic}/")]


@pytest.mark.parametrize("package", PAGES)
def test_names_every_law_derived_here(package):
    ours = {
        name
        for path in (PACKAGE / package).glob("*.py")
        for name, text in documented(ast.parse(path.read_text(encoding="utf-8")))
        if re.search(r"derived\s+(again\s+)?here", text, re.IGNORECASE)
    }
    assert ours
    assert ours - set().union(*map(named, PAGES[package])) == set()


@pytest.mark.parametrize("topic", TOPICS)
def test_has_a_line_for_every_claim_of_ours(topic):
    ours = {claim.id for claim in claims(topic) if claim.status in ("ours", "erratum")}
    assert ours
    assert ours - named(topic) == set()


@pytest.mark.parametrize("topic", TOPICS)
def test_names_no_claim_that_does_not_exist(topic):
    mentioned = {name for name in named(topic) if name.startswith(f"{topic}/")}
    assert mentioned - {claim.id for claim in claims(topic)} == set()


@pytest.mark.parametrize("topic", TOPICS)
def test_mathematics_is_delimited(topic):
    for paragraph in page(topic).replace("$$", "").split("\n\n"):
        assert paragraph.count("$") % 2 == 0, paragraph
    assert page(topic).count("$$") % 2 == 0
