"""Writes the pages that are made from the registry and the results, before Sphinx reads any."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import Any

import api_pages
import exercise_pages
import gallery_pages
import ledger_pages
import theory_pages
from sphinx.application import Sphinx
from sphinx.config import Config
from stored import Stored, page_of, stored

from theorytk import registry

# Files outside of docs/, to which pages link for those who read them in the repository.
_SHOWN_BY = {"../CONTRIBUTING.md": "/how_to/add_a_paper.md", "../README.md": "/index.md"}


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the steps; pages are written as soon as the folder of results is known."""
    app.add_config_value("theorytk_results", "results", "env", str)
    app.connect("config-inited", write, priority=0)
    app.connect("source-read", complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write(app: Sphinx, config: Config) -> None:
    """Write all generated pages."""
    data = _data(config.theorytk_results)
    folder = Path(app.srcdir, "generated")
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in pages(data).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for figure in registry.figures:
        for name, source in gallery_pages.files(data, figure).items():
            shutil.copyfile(source, folder / "gallery" / name)


def pages(data: Stored) -> dict[str, str]:
    """Return the generated files by their names."""
    made = {
        "papers.bib": "\n\n".join(paper.bibtex() for paper in registry.papers),
        "totals.txt": ledger_pages.totals(data),
        "theory.md": theory_pages.index(data),
        "gallery/index.md": gallery_pages.index(data),
        "ledger/index.md": ledger_pages.index(data),
    }
    for topic in data.topics:
        made[f"gallery/{topic}/index.md"] = gallery_pages.topic_index(data, topic)
        made[f"ledger/{topic}.md"] = ledger_pages.topic_page(data, topic)
    for figure in registry.figures:
        made[f"gallery/{figure.id}.md"] = gallery_pages.page(data, figure)
    made |= exercise_pages.pages(data)
    return made | {f"api/{name}.rst": text for name, text in api_pages.pages().items()}


def complete(app: Sphinx, docname: str, source: list[str]) -> None:
    """Add coverage, claims and figures to a theory page; link to pages for files that they show."""
    for file, page in _SHOWN_BY.items():
        source[0] = source[0].replace(f"]({file}", f"]({page}")
    data = _data(app.config.theorytk_results)
    for topic in data.topics:
        if docname == page_of(topic):
            source[0] += theory_pages.tail(data, topic)


@functools.cache
def _data(folder: str) -> Stored:
    return stored(Path(folder))
