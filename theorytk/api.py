"""The Python interface; the command line only calls what is here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorytk import claims as claims_room
from theorytk import registry
from theorytk._validation import check_int
from theorytk.catalogue import cite, ids, inventory, show, status
from theorytk.claims import Claim, Ledger, evaluate
from theorytk.claims.evaluate import not_decided, wanted
from theorytk.outputs import draw, rows_shown, write
from theorytk.project import load
from theorytk.runner import Outcome
from theorytk.runner.run import Wanted
from theorytk.running import (
    experiments_wanted,
    export,
    forecast,
    replay,
    run,
    run_until,
    table,
    timer,
)
from theorytk.scaffold import init
from theorytk.workspace import TaskFailedError, Workspace

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "TaskFailedError",
    "Workspace",
    "check",
    "cite",
    "experiments_wanted",
    "export",
    "figure",
    "forecast",
    "ids",
    "init",
    "inventory",
    "replay",
    "report",
    "reproduce",
    "run",
    "run_until",
    "show",
    "status",
    "table",
    "verify",
]


def verify(
    *ids: str,
    controls: bool = False,
    stored: bool = False,
    looks: int = 1,
    budget: float | None = None,
    **options: Any,
) -> Ledger:
    """Judge claims, after running what is missing or stale.

    Parameters
    ----------
    *ids : str
        Claims, topics or papers; none means all.
    controls : bool
        Whether to judge the negative controls too.
    stored : bool
        Whether to judge only what is stored and run nothing.
    looks : int
        How often to look, >= 1. While a claim is undecided its replicates are doubled, `looks` - 1
        times at most; the first of several looks spends half of the level, the next a quarter,
        and so on, so that the verdict is as safe as that of one look.
    budget : float, optional
        Seconds after which nothing is looked at again, whatever `looks` allows.
    **options
        Those of `Workspace`.

    Returns
    -------
    Ledger
        The verdicts, in the order of registration.
    """
    started = time.perf_counter()
    check_int("looks", looks, lower=1)
    go_on = timer(budget)
    workspace = Workspace(**options)
    registry.check_known([registry.claims, registry.papers], ids)
    selected = registry.claims.select(ids)
    wants = [] if stored else _wants(workspace, selected, controls)
    failed = workspace.run(wants, strict=False).failed
    return _judge(
        workspace, selected, controls, started, failed, looks=looks, run=not stored, go_on=go_on
    )


def figure(*ids: str, **options: Any) -> dict[str, dict[str, Path]]:
    """Draw figures from the stored rows.

    Parameters
    ----------
    *ids : str
        Figures, topics or papers; none means all.
    **options
        Those of `Workspace`.

    Returns
    -------
    dict
        By id, the paths of the files under ``pdf``, ``png`` and ``csv``.

    Raises
    ------
    ValueError
        If an id is unknown or rows that a figure needs are not stored.
    """
    workspace = Workspace(**options)
    registry.check_known([registry.figures, registry.papers], ids)
    return {f.id: draw(workspace, f) for f in registry.figures.select(ids)}


def report(**options: Any) -> Path:
    """Write the HTML report from what is stored.

    Parameters
    ----------
    **options
        Those of `Workspace`.

    Returns
    -------
    Path
        ``<results>/report/index.html``.
    """
    started = time.perf_counter()
    workspace = Workspace(**options)
    return write(workspace, _judge(workspace, list(registry.claims), True, started), started)


def reproduce(*ids: str, **options: Any) -> tuple[Ledger, Path]:
    """Run, draw, verify with controls and report.

    Parameters
    ----------
    *ids : str
        Experiments, claims, figures, topics or papers; none means all.
    **options
        Those of `Workspace`.

    Returns
    -------
    ledger : Ledger
        The verdicts on the claims that `ids` name.
    path : Path
        The report, on these and on all other claims whose rows are stored.
    """
    started = time.perf_counter()
    workspace = Workspace(**options)
    registry.check_known(registry.everything().values(), ids)
    experiments = registry.experiments.select(ids)
    figures = registry.figures.select(ids)
    selected = registry.claims.select(ids)
    wants = [workspace.want(e) for e in experiments if workspace.preset in e.presets]
    wants += [want for f in figures for want in rows_shown(workspace, f).values()]
    wants += _wants(workspace, selected, True)
    failed = workspace.run(wants, strict=False).failed
    for f in figures:
        if not any(want.tasks(workspace.store) for want in rows_shown(workspace, f).values()):
            draw(workspace, f)
    ledger = _judge(workspace, selected, True, started, failed)
    return ledger, write(workspace, _with_the_others(workspace, ledger, started), started)


def check(id: str, /, algorithm: Callable[..., Any], **options: Any) -> Ledger:
    """Judge a claim with your own algorithm in the place of the one it exercises.

    Parameters
    ----------
    id : str
        Id of the claim.
    algorithm : callable
        Its signature is documented by the claim's experiment: ``print(tk.show(id))``.
    **options
        ``preset``, ``seed``, ``jobs``, ``project``, and ``looks`` as for `verify`; everything
        else overrides a factor of the claim's conditions. Nothing is stored.

    Returns
    -------
    Ledger
        With one claim.

    Raises
    ------
    ValueError
        If the id is unknown or its experiment has no replaceable algorithm.
    TypeError
        If `algorithm` is not callable.
    """
    preset, seed = options.pop("preset", "quick"), options.pop("seed", 0)
    jobs, looks = options.pop("jobs", 1), options.pop("looks", 1)
    load(options.pop("project", None))
    return claims_room.check(
        registry.claims.get(id),
        algorithm,
        preset=preset,
        seed=seed,
        jobs=jobs,
        looks=looks,
        **options,
    )


def _wants(workspace: Workspace, selected: Iterable[Claim], controls: bool) -> list[Wanted]:
    decided = [c for c in selected if not_decided(c, workspace.preset) is None]
    pairs = [(c, control) for c in decided for control in (None, *(c.controls if controls else ()))]
    return [
        wanted(c, workspace.preset, workspace.seed, control, workspace.device)
        for c, control in pairs
    ]


def _with_the_others(workspace: Workspace, ledger: Ledger, started: float) -> Ledger:
    """Return `ledger` with the verdicts on other claims that have run, in registration order."""
    judged = {result.claim.id: result for result in ledger.results}
    others = [claim for claim in registry.claims if claim.id not in judged]
    ran = [r for r in _judge(workspace, others, True, started) if r.judgement]
    judged |= {result.claim.id: result for result in ran}
    results = [judged[claim.id] for claim in registry.claims if claim.id in judged]
    return Ledger(results, ledger.preset, time.perf_counter() - started, ledger.failed)


def _judge(
    workspace: Workspace,
    selected: Iterable[Claim],
    controls: bool,
    started: float,
    failed: Sequence[Outcome] = (),
    *,
    looks: int = 1,
    run: bool = False,
    go_on: Callable[[], bool] | None = None,
) -> Ledger:
    failed = list(failed)

    def tables(want: Wanted) -> pd.DataFrame:
        if run and looks > 1:  # a first look has run already, together with all others
            failed.extend(workspace.run([want], strict=False).failed)
        return want.table(workspace.store)

    results = [
        evaluate(
            c,
            workspace.preset,
            workspace.seed,
            tables,
            controls=controls,
            looks=looks,
            go_on=go_on or timer(None),
            device=workspace.device,
        )
        for c in selected
    ]
    return Ledger(results, workspace.preset, time.perf_counter() - started, failed)
