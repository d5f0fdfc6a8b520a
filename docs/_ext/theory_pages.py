"""What is added to the theory pages: the papers' coverage, claims with verdicts, figures."""

from __future__ import annotations

from collections import Counter

from gallery_pages import cards
from ledger_pages import claim_table, link
from stored import Stored, heading, page_of, table, words

from theorytk import registry
from theorytk.registry import Paper


def index(data: Stored) -> str:
    """Return the page with a card for each topic."""
    lines = ["# Theory\n", "::::{grid} 1 1 2 2", ":gutter: 3", ""]
    for topic in data.topics:
        verdicts = Counter(claim["verdict"] for claim in data.claims_of(topic))
        good = verdicts["supported"] + verdicts["not_refuted"]
        lines += [
            f":::{{grid-item-card}} {heading(topic)}",
            f":link: /{page_of(topic)}",
            ":link-type: doc",
            ", ".join(dict.fromkeys(_names(paper) for paper in data.papers_of(topic))),
            "",
            f"{good} of {sum(verdicts.values())} claims hold, "
            f"{len(data.figures_of(topic))} figures",
            ":::",
            "",
        ]
    entries = "\n".join(f"{heading(topic)} </{page_of(topic)}>" for topic in data.topics)
    return "\n".join(
        [*lines, "::::", "", f"```{{toctree}}\n:hidden:\n\n{entries}\n/inference\n```\n"]
    )


def tail(data: Stored, topic: str) -> str:
    """Return what ends the theory page of a topic."""
    name = heading(topic)
    papers = "\n\n".join(_paper(data, paper) for paper in data.papers_of(topic))
    return (
        f"\n\n## The papers, item by item\n\n{papers}\n\n## The claims, as last judged\n\n"
        f"Details: [the ledger of {name}](/generated/ledger/{topic}.md).\n\n"
        f"{claim_table(data, topic)}\n\n## Figures\n\n{cards(data, topic)}\n"
    )


def _paper(data: Stored, paper: Paper) -> str:
    """Return a paper's citation, summary and coverage."""
    rows = [
        [words(c.item), c.status, words(c.note), ", ".join(_linked(data, id) for id in c.by)]
        for c in paper.coverage
    ]
    parts = [f"**{words(paper.title)}** {{cite:p}}`{paper.id}`. {words(paper.summary)}"]
    if rows:
        parts.append(table(["in the paper", "here", "note", "by"], rows))
    return "\n\n".join(parts)


def _linked(data: Stored, id: str) -> str:
    """Return a link to a claim or a figure, named without its topic."""
    if id in registry.figures:
        return f"[`{id.split('/')[-1]}`](/generated/gallery/{id}.md)"
    return link(data, id)


def _names(paper: Paper) -> str:
    """Return the family names of a paper's authors and its year."""
    family = [author.split()[-1] for author in paper.authors]
    shown = family if len(family) <= 2 else [family[0], "others"]
    return f"{' and '.join(shown)} ({paper.year})"
