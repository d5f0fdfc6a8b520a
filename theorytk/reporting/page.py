"""The report: one static HTML page that opens from disk and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import math
import os
import re
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from theorytk._files import write_atomically
from theorytk.inference import LEVEL
from theorytk.registry import Paper
from theorytk.reporting import formatting
from theorytk.reporting.forest import forest

__all__ = ["ledger_html", "write_report"]

VERDICTS = {
    "supported": ("✓", "supported"),
    "not_refuted": ("○", "not refuted"),
    "contradicted": ("✗", "contradicted"),
    "undecided": ("?", "undecided"),
    "deferred": ("…", "deferred"),
    "skipped": ("–", "skipped"),
}
STATUSES = {
    "theorem": "as the paper states it",
    "ours": "derived here, not in the paper",
    "erratum": "corrects the paper; the printed statement is the control",
    "empirical": "observed, not proved",
}
_FAILURES = ("contradicted", "undecided")
_FOLD_ABOVE = 40
_IMAGE_DENSITY = 1.6


def write_report(
    *,
    papers: Sequence[Paper],
    ledger: Mapping[str, Any],
    figures: Mapping[str, Mapping[str, Any]],
    provenance: Mapping[str, str],
    output: Path,
) -> Path:
    """Write the report of a verification.

    Parameters
    ----------
    papers : sequence of Paper
        In the order of the page. Claims and figures of other papers are shown by their key.
    ledger : mapping
        The JSON object of ``theorytk verify --json --controls``; fields may be None.
    figures : mapping of str to mapping
        By figure id: ``title``, ``caption``, ``reproduces``, ``paper`` and the paths ``png``,
        ``pdf`` and ``csv``. PNGs are embedded, the others linked relative to `output`.
    provenance : mapping of str to str
        What made the numbers, such as versions, seed, processor and time, in this order.
    output : Path
        The file to write, such as ``results/report/index.html``; complete or untouched.

    Returns
    -------
    Path
        `output`. The same arguments give the same bytes.

    Raises
    ------
    FileNotFoundError
        If the PNG of a figure is absent.
    """
    output = Path(output)
    claims = list(ledger.get("claims", []))
    titles = {paper.id: paper for paper in papers}
    shown = [*titles, *(c["paper"] for c in claims), *(f["paper"] for f in figures.values())]
    page = (
        _environment()
        .get_template("report.html")
        .render(
            keys=list(dict.fromkeys(shown)),
            papers=titles,
            claims=claims,
            ledger=ledger,
            counts=Counter(claim["verdict"] for claim in claims),
            controls=[control for claim in claims for control in claim.get("controls") or []],
            failing=[claim for claim in claims if _fails(claim)],
            folded=len(claims) > _FOLD_ABOVE,
            figures=_numbered(figures, output.parent),
            provenance=provenance,
            script=_script(),
        )
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    return write_atomically(output, lambda path: path.write_text(page, encoding="utf-8"))


def ledger_html(ledger: Mapping[str, Any]) -> str:
    """Return a ledger as a compact HTML table that stands alone, for notebooks.

    Parameters
    ----------
    ledger : mapping
        The JSON object of ``theorytk verify --json``; fields may be None.

    Returns
    -------
    str
        A ``<div>`` with its own scoped style; light and dark pages both suit it.

    Examples
    --------
    >>> ledger_html({"claims": [], "preset": "quick", "seconds": 0.0}).startswith("<div")
    True
    """
    return _environment().get_template("ledger.html").render(ledger=ledger)


@cache
def _environment() -> Environment:
    """Return the templates with the filters that they use; everything is escaped."""
    templates = Path(__file__).with_name("templates")
    made = Environment(
        loader=FileSystemLoader(templates), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(
        anchor=_anchor,
        bound=_bound,
        caught=lambda controls: sum(bool(control["caught"]) for control in controls),
        count=formatting.count,
        estimate=formatting.estimate,
        fails=_fails,
        forest=forest,
        number=formatting.number,
        plain=formatting.plain,
        region=formatting.region,
        rich=formatting.rich,
        sortable=_sortable,
        topic=_topic,
        verdict=_verdict,
        web=_web,
    )
    made.globals.update(VERDICTS=VERDICTS, STATUSES=STATUSES, LEVEL=LEVEL)
    return made


@cache
def _script() -> dict[str, str]:
    """Return the page's script, and the hash by which its policy lets this one run and no other."""
    text = Path(__file__).with_name("templates").joinpath("report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return {"text": Markup(text), "hash": f"sha256-{digest}"}


def _numbered(figures: Mapping[str, Mapping[str, Any]], folder: Path) -> dict[str, dict[str, Any]]:
    """Return what the page says of each figure, numbered from 1 in their order."""
    numbered = {}
    for number, (id, figure) in enumerate(figures.items(), start=1):
        png = Path(figure["png"]).read_bytes()
        numbered[id] = {
            **figure,
            "number": number,
            "image": base64.b64encode(png).decode("ascii"),
            "size": [round(pixels / _IMAGE_DENSITY) for pixels in _png_size(png)],
            "links": {kind: _relative(figure[kind], folder) for kind in ("pdf", "csv")},
        }
    return numbered


def _png_size(png: bytes) -> tuple[int, int]:
    """Return width and height in pixels, from the header chunk that every PNG begins with."""
    width, height = struct.unpack(">II", png[16:24])
    return int(width), int(height)


def _relative(path: str | Path, folder: Path) -> str:
    return quote(Path(os.path.relpath(path, folder)).as_posix())


def _anchor(id: str) -> str:
    return re.sub(r"[^\w-]", ".", id)


def _topic(id: str) -> str:
    return id.partition("/")[0]


def _sortable(value: float | None) -> str:
    """Return a number as the script reads it, and nothing where there is none."""
    if value is None or math.isnan(value):
        return ""
    return str(value).replace("inf", "Infinity")


def _bound(where: Mapping[str, Any] | None) -> float | None:
    """Return what regions are sorted by: the upper end, or the lower one if there is no other."""
    low, high = formatting.ends(((where or {}).get("lo"), (where or {}).get("hi")))
    return next((end for end in (high, low) if math.isfinite(end)), None)


def _verdict(verdict: str | None) -> tuple[str, str]:
    """Return the sign and the words of a verdict, so that colour is never alone."""
    return VERDICTS.get(verdict or "", ("–", verdict or "not tested"))


def _fails(claim: Mapping[str, Any]) -> bool:
    """Tell whether a claim needs a look: decided against, undecided, or a control not caught."""
    controls = claim.get("controls") or []
    return claim["verdict"] in _FAILURES or not all(control["caught"] for control in controls)


def _web(url: str) -> str | None:
    """Return `url` if it is a link to the web, so that no other scheme gets into the page."""
    return url if re.match(r"https?://", url) else None
