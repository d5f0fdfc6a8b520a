"""What there is, and the state it is in: list, show, cite, status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from theorytk import registry
from theorytk._fingerprint import fingerprint
from theorytk.project import load
from theorytk.workspace import Workspace

__all__ = ["LEDGER", "cite", "ids", "inventory", "show", "status"]

LEDGER = Path("report", "ledger.json")


def ids(project: str | Path | None = None) -> dict[str, list[str]]:
    """Return the ids of all papers, experiments, claims and figures.

    Parameters
    ----------
    project : path, optional
        Folder with ``simulations/`` and ``paper_figures/``; default theorytk's own.

    Returns
    -------
    dict
        Lists of ids under ``papers``, ``experiments``, ``claims`` and ``figures``.
    """
    load(project)
    return {kind: [item.id for item in items] for kind, items in registry.everything().items()}


def show(id: str, /, project: str | Path | None = None) -> str:
    """Return what is declared under an id, as text.

    Parameters
    ----------
    id : str
        Id of a paper, an experiment, a claim or a figure.
    project : path, optional
        As for `ids`.

    Returns
    -------
    str
        Fields and docstrings; for a claim also its experiment's, which document the signature of
        the algorithm that `check` takes.
    """
    load(project)
    kinds = registry.everything()
    found = [item for items in kinds.values() for item in items if item.id == id]
    if not found:
        registry.check_known(kinds.values(), [id])
        raise registry.UnknownIdError(f"{id!r} is a topic; `theorytk list` shows its ids")
    return "\n\n".join(_describe(item) for item in found)


def cite(id: str, /, project: str | Path | None = None) -> str:
    """Return the BibTeX entries of the papers behind an id or a topic.

    Parameters
    ----------
    id : str
        Any id, a topic or the key of a paper.
    project : path, optional
        As for `ids`.

    Returns
    -------
    str
        One entry per paper.
    """
    load(project)
    kinds = registry.everything()
    registry.check_known(kinds.values(), [id])
    named = [x for items in kinds.values() for x in items if registry.matches(x, id)]
    keys = dict.fromkeys(getattr(item, "paper", item.id) for item in named)
    return "\n\n".join(registry.papers.get(key).bibtex() for key in keys)


def inventory(**options: Any) -> dict[str, list[dict[str, Any]]]:
    """Return papers, experiments, claims and figures with their state in the results folder.

    Parameters
    ----------
    **options
        Those of `Workspace`.

    Returns
    -------
    dict
        ``papers``, ``experiments``, ``claims`` and ``figures``: lists of objects with ``id``,
        ``title`` (or ``theorem``), ``paper`` and ``state``.
    """
    workspace = Workspace(**options)
    verdicts = _last_verdicts(workspace)
    return {
        "papers": [
            {"id": p.id, "title": p.title, "topic": p.topic, "state": f"{p.venue} {p.year}".strip()}
            for p in registry.papers
        ],
        "experiments": [
            {"id": e.id, "paper": e.paper, "state": _stored(workspace, e)}
            for e in registry.experiments
        ],
        "claims": [
            {
                "id": c.id,
                "paper": c.paper,
                "theorem": c.theorem,
                "state": _verdict(verdicts.get(c.id), fingerprint(c.experiment)),
            }
            for c in registry.claims
        ],
        "figures": [
            {
                "id": f.id,
                "paper": f.paper,
                "title": f.title,
                "state": "drawn" if _drawn(workspace, f.id) else "not drawn",
            }
            for f in registry.figures
        ],
    }


def status(**options: Any) -> list[str]:
    """Return one line per experiment: replicates stored, stale (and by what), and failed."""
    workspace = Workspace(**options)
    lines = []
    for e in registry.experiments:
        changed = workspace.store.changed(e)
        why = f"; changed: {', '.join(changed)}" if changed else ""
        lines.append(f"{e.id:<48} {_stored(workspace, e)}{why}")
    return lines


def _stored(workspace: Workspace, experiment: Any) -> str:
    state = workspace.store.state(experiment, workspace.seed, fingerprint(experiment))
    parts = [f"{state['replicates']} replicates stored"]
    parts += [f"{state[kind]} {kind}" for kind in ("stale", "failures") if state[kind]]
    return ", ".join(parts)


def _last_verdicts(workspace: Workspace) -> dict[str, dict[str, Any]]:
    path = Path(workspace.results) / LEDGER
    claims = json.loads(path.read_text())["claims"] if path.exists() else []
    return {claim["id"]: claim for claim in claims}


def _verdict(last: dict[str, Any] | None, current: str) -> str:
    if last is None:
        return "not judged"
    stale = last["provenance"].get("fingerprint", current) != current
    return f"{last['verdict']}{' (stale)' if stale else ''}"


def _drawn(workspace: Workspace, id: str) -> bool:
    return (Path(workspace.results) / "figures" / f"{id}.png").exists()


def _describe(item: Any) -> str:
    """Return the id, the fields and the docstring of anything registered."""
    lines = [f"{type(item).__name__.lower()} {item.id}"]
    for name in item.__dataclass_fields__:
        value = getattr(item, name)
        if name == "design":
            value = f"{len(value)} condition(s)"
        if name == "experiment":
            value = value.id
        if name not in ("id", "function", "estimate", "draw") and value not in ("", (), None):
            lines.append(f"  {name}: {value}")
    for name in ("function", "estimate", "draw"):
        lines += _documentation(getattr(item, name, None))
    if hasattr(item, "experiment"):
        lines += ["", f"experiment {item.experiment.id}"]
        lines += _documentation(item.experiment.function)
    return "\n".join(lines)


def _documentation(function: Any) -> list[str]:
    text = (getattr(function, "__doc__", None) or "").strip()
    return ["", text] if text else []
