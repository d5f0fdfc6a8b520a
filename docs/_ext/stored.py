"""What the pages are made from: the registry, and what the last reproduction stored."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theorytk import registry
from theorytk.project import load
from theorytk.registry import Paper

ROOT = Path(__file__).resolve().parents[2]
_MATH = re.compile(r"(?<!\\)\$\$?.+?(?<!\\)\$\$?", re.DOTALL)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~^])")


@dataclass(frozen=True)
class Stored:
    """A ledger and figures, with what is declared about them."""

    folder: Path
    ledger: dict[str, Any]

    @property
    def claims(self) -> list[dict[str, Any]]:
        """The claims that were judged, in the order of registration."""
        return list(self.ledger["claims"])

    @functools.cached_property
    def judged(self) -> set[str]:
        """The ids of the claims that were judged."""
        return {claim["id"] for claim in self.claims}

    @property
    def topics(self) -> list[str]:
        """All topics, in the order of registration."""
        return list(dict.fromkeys(paper.topic for paper in registry.papers))

    def papers_of(self, topic: str) -> list[Paper]:
        """Return the papers of a topic."""
        return [paper for paper in registry.papers if paper.topic == topic]

    def claims_of(self, topic: str) -> list[dict[str, Any]]:
        """Return the claims of a topic."""
        return [claim for claim in self.claims if topic_of(claim["id"]) == topic]

    def figures_of(self, topic: str) -> list[Any]:
        """Return the figures of a topic."""
        return [figure for figure in registry.figures if topic_of(figure.id) == topic]

    def file(self, figure: str, kind: str) -> Path:
        """Return the path of a drawn figure: its png, pdf or csv."""
        return self.folder / "figures" / f"{figure}.{kind}"


def stored(folder: Path) -> Stored:
    """Load the project and read `folder`; if it is not complete, end with what to do."""
    load(ROOT)
    ledger = folder / "report" / "ledger.json"
    needed = [ledger, *(folder / "figures" / f"{f.id}.png" for f in registry.figures)]
    missing = [path for path in needed if not path.is_file()]
    if missing:
        raise SystemExit(f"{missing[0]} is not there: run `make reproduce` first")
    return Stored(folder, json.loads(ledger.read_text(encoding="utf-8")))


def topic_of(id: str) -> str:
    """Return the topic of an id."""
    return id.split("/")[0]


def page_of(topic: str) -> str:
    """Return the document that holds the theory of a topic."""
    return topic.replace("-", "_")


def heading(topic: str) -> str:
    """Return the title of a topic's page, without what all such titles end with."""
    first = (ROOT / "docs" / f"{page_of(topic)}.md").read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("# ").partition(": what is known")[0]


def words(text: str) -> str:
    """Return plain words with ``$mathematics$`` as Markdown that means the same, on one line."""
    pieces, end = [], 0
    for found in _MATH.finditer(text):
        pieces += [_SPECIAL.sub(r"\\\1", text[end : found.start()]), _in_cell(found[0])]
        end = found.end()
    return " ".join("".join([*pieces, _SPECIAL.sub(r"\\\1", text[end:])]).split())


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _in_cell(formula: str) -> str:
    """Return a formula without the sign that parts the cells of a table."""
    return formula.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
