"""Pages of the gallery: a card and a page for every figure."""

from __future__ import annotations

import inspect
from typing import Any

from ledger_pages import link, verdict
from PIL import Image
from stored import Stored, heading, page_of, words

from theorytk import registry
from theorytk.reporting.formatting import plain

_DENSITY = 1.6


def index(data: Stored) -> str:
    """Return the page with the cards of all figures, by topic."""
    parts = [
        f"# Gallery\n\nAll {len(registry.figures)} figures, drawn from stored rows and the proven "
        "laws. Each has a page with its source and the line that draws it."
    ]
    for topic in data.topics:
        title = f"## [{heading(topic)}]({topic}/index.md)"
        parts.append(f"{title}\n\n{cards(data, topic)}")
    entries = "\n".join(f"{heading(topic)} <{topic}/index>" for topic in data.topics)
    return "\n\n".join([*parts, f"```{{toctree}}\n:hidden:\n\n{entries}\n```\n"])


def topic_index(data: Stored, topic: str) -> str:
    """Return the page with the cards of a topic's figures."""
    entries = "\n".join(f.id.split("/")[1] for f in data.figures_of(topic))
    return (
        f"# {heading(topic)}\n\nWhat the figures are about: [the theory](/{page_of(topic)}.md).\n\n"
        f"{cards(data, topic)}\n\n```{{toctree}}\n:hidden:\n\n{entries}\n```\n"
    )


def cards(data: Stored, topic: str) -> str:
    """Return the figures of a topic as a grid of cards."""
    lines = ["::::{grid} 1 2 2 2", ":gutter: 3", ""]
    for figure in data.figures_of(topic):
        lines += [
            f":::{{grid-item-card}} {words(figure.title)}",
            f":img-top: /generated/gallery/{figure.id}.png",
            f":img-alt: {plain(figure.title)}",
            f":link: /generated/gallery/{figure.id}",
            ":link-type: doc",
            ":class-card: figure-card",
            ":::",
            "",
        ]
    return "\n".join([*lines, "::::"])


def page(data: Stored, figure: Any) -> str:
    """Return the page of a figure."""
    name = figure.id.split("/")[1]
    with Image.open(data.file(figure.id, "png")) as image:
        width = image.width
    files = ", ".join(
        f"{{download}}`{kind.upper()} <{name}.{kind}>`"
        for kind in ("pdf", "csv")
        if data.file(figure.id, kind).is_file()
    )
    return f"""# {words(figure.title)}

:::{{figure}} {name}.png
:alt: {plain(figure.title)}
:width: {round(width / _DENSITY)}px
:class: drawn

{words(figure.caption)}
:::

Reproduces: {words(figure.reproduces)} ({{cite:t}}`{figure.paper}`). Files: {files}.

## Draw it

```shell
# run what is missing, then draw
theorytk reproduce {figure.id}
```

```python
import theorytk as tk

tk.figure("{figure.id}")  # from stored rows
```

## What is behind it

{_behind(data, figure)}

## Source

```python
{inspect.getsource(figure.draw).rstrip()}
```
"""


def files(data: Stored, figure: Any) -> dict[str, Any]:
    """Return what a page needs beside it: by name, the path of a file."""
    paths = [data.file(figure.id, kind) for kind in ("png", "pdf", "csv")]
    return {f"{figure.id}{path.suffix}": path for path in paths if path.is_file()}


def _behind(data: Stored, figure: Any) -> str:
    """Return the experiments of a figure with their claims."""
    lines = []
    for id in figure.experiments:
        about = (inspect.getdoc(registry.experiments.get(id).function) or "").splitlines()[:1]
        lines.append(f"- Experiment `{id}`: {words(' '.join(about))}")
        claims = [claim for claim in data.claims if claim["experiment"] == id]
        lines += [f"  - {verdict(c)} {link(data, c['id'])}: {words(c['theorem'])}" for c in claims]
    return "\n".join(lines)
