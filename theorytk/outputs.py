"""What a results folder shows: figures, and the report with the ledger beside it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from theorytk import registry
from theorytk._files import write_atomically
from theorytk._fingerprint import fingerprint
from theorytk._provenance import environment
from theorytk.catalogue import LEDGER
from theorytk.claims import STATUSES, Ledger
from theorytk.runner.run import Wanted
from theorytk.workspace import Workspace

__all__ = ["draw", "rows_shown", "write"]


def rows_shown(workspace: Workspace, figure: Any) -> dict[str, Wanted]:
    """Return, by experiment, the rows that a figure shows."""
    return {
        id: workspace.want(registry.experiments.get(id), **figure.at.get(id, {}))
        for id in figure.experiments
    }


def draw(workspace: Workspace, figure: Any) -> dict[str, Path]:
    """Draw a figure from stored rows; return its files, or raise if a row is missing."""
    shown = rows_shown(workspace, figure)
    for id, want in shown.items():
        if want.tasks(workspace.store):
            raise ValueError(
                f"figure {figure.id} needs rows of {id} that are not stored; "
                f"run: theorytk reproduce {figure.id} --preset {workspace.preset}"
            )
    tables = {id: want.table(workspace.store) for id, want in shown.items()}
    prints = [fingerprint(registry.experiments.get(id)) for id in figure.experiments]
    note = f"theorytk, preset {workspace.preset}, seed {workspace.seed}, {' '.join(prints)}"
    saved: dict[str, Path] = figure.save(tables, Path(workspace.results) / "figures", note)
    return saved


def write(workspace: Workspace, ledger: Ledger, started: float) -> Path:
    """Write the report on a ledger and the figures that are drawn; return its path."""
    from theorytk.reporting.page import write_report

    folder = Path(workspace.results)
    shown = {}
    for f in registry.figures:
        files = {ext: folder / "figures" / f"{f.id}.{ext}" for ext in ("png", "pdf", "csv")}
        if all(path.exists() for path in files.values()):
            fields = {
                name: getattr(f, name) for name in ("title", "caption", "reproduces", "paper")
            }
            shown[f.id] = {**fields, **files}
    content = ledger.to_dict()
    for claim in content["claims"]:
        drawn = [f for f in registry.figures if claim["experiment"] in f.experiments]
        claim["figures"] = [f.id for f in drawn if f.id in shown]
    write_atomically(folder / LEDGER, lambda path: path.write_text(json.dumps(content, indent=1)))
    theorems_first = sorted(content["claims"], key=lambda claim: STATUSES.index(claim["status"]))
    prints = {fingerprint(experiment) for experiment in registry.experiments}
    return write_report(
        papers=list(registry.papers),
        ledger={**content, "claims": theorems_first},
        figures=shown,
        provenance={
            "preset": workspace.preset,
            "seed": str(workspace.seed),
            "fingerprints": ", ".join(sorted(prints)),
            "time": f"{time.perf_counter() - started:.1f} s",
            **environment(),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        },
        output=folder / "report" / "index.html",
    )
