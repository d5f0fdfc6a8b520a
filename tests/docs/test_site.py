"""The site that `make docs` built: complete, its links alive, and nothing fetched."""

import importlib
import json
import os
import pkgutil
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import theorytk
from theorytk import registry
from theorytk.project import load

pytestmark = pytest.mark.slow

ROOT = Path(theorytk.__file__).resolve().parents[1]
ATTRIBUTE = re.compile(r"""<(\w+)\b[^>]*?\s(href|src)=["']([^"']*)["']""")
NAMED = re.compile(r"""\s(?:id|name)=["']([^"']*)["']""")


@pytest.fixture(scope="module")
def site():
    folder = Path(os.environ.get("THEORYTK_DOCS", ROOT / "build" / "docs")).resolve()
    assert (folder / "index.html").is_file(), f"{folder} holds no site: run `make docs` first"
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {
        path: path.read_text(encoding="utf-8")
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    }


def public_names():
    found = pkgutil.walk_packages(theorytk.__path__, "theorytk.")
    modules = ["theorytk", *(module.name for module in found)]
    return {
        f"{module}.{name}"
        for module in modules
        if not any(part.startswith("_") for part in module.split("."))
        for name in vars(importlib.import_module(module)).get("__all__", ())
    }


def test_every_public_name_has_an_entry(site):
    from sphinx.util.inventory import InventoryFile

    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    entries = {name for kind, names in inventory.data.items() if "py:" in kind for name in names}
    assert public_names() - entries == set()


def test_no_link_is_dead(pages):
    anchors = {
        path: {unescape(name) for name in NAMED.findall(text)} for path, text in pages.items()
    }
    dead = []
    for path, text in pages.items():
        for _, _, link in ATTRIBUTE.findall(text):
            url = urlsplit(unescape(link))
            if url.scheme or not (url.path or url.fragment):
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            fragment = unquote(url.fragment)
            if not target.is_file() or (fragment and fragment not in anchors.get(target, ())):
                dead.append((path.name, link))
    assert dead == []


def test_nothing_is_fetched(pages):
    fetched = {
        link
        for text in pages.values()
        for tag, _, link in ATTRIBUTE.findall(text)
        if tag != "a" and urlsplit(link).scheme not in ("", "data")
    }
    assert fetched == set()


def test_shows_every_figure_and_claim(site, pages):
    load(ROOT)
    gallery = site / "generated" / "gallery"
    missing = [f.id for f in registry.figures if gallery / f"{f.id}.html" not in pages]
    assert missing == []
    results = Path(os.environ.get("THEORYTK_RESULTS", ROOT / "results"))
    ledger = json.loads((results / "report" / "ledger.json").read_text(encoding="utf-8"))
    shown = "".join(pages[path] for path in pages if path.parent.name == "ledger")
    anchors = {f'id="claim-{claim["id"].replace("/", "-")}"' for claim in ledger["claims"]}
    assert {anchor for anchor in anchors if anchor not in shown} == set()
