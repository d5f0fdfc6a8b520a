"""The Python interface; the command line only calls what is here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorytk import claims as claims_room
from theorytk import registry
from theorytk._files import write_atomically
from theorytk._fingerprint import fingerprint
from theorytk._validation import check_int, check_real
from theorytk.catalogue import cite, ids, inventory, show, status
from theorytk.claims import Claim, Ledger, evaluate
from theorytk.claims.evaluate import not_decided, wanted
from theorytk.outputs import draw, rows_shown, write
from theorytk.project import load
from theorytk.runner import Outcome, execute
from theorytk.runner.precision import Precision, check_targets, until_precise
from theorytk.runner.run import Wanted, missing
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


def run(
    id: str,
    /,
    *,
    mcse: Mapping[str, float] | None = None,
    budget: float | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Run what is missing of an experiment and return its table.

    Parameters
    ----------
    id : str
        Id of the experiment.
    mcse : mapping of str to float, optional
        Targets for the Monte Carlo standard errors of columns: the replicates of a condition are
        doubled until the means of these columns are as precise.
    budget : float, optional
        Seconds after which replicates are doubled no more.
    **options
        Those of `Workspace` (``preset``, ``seed``, ``jobs``, ``results``, ``project``,
        ``quiet``); everything else overrides a factor, a list giving several levels.

    Returns
    -------
    DataFrame
        One row per measurement: the factors, ``replicate``, the measured columns, and
        bookkeeping columns that begin with ``_``.

    Raises
    ------
    ValueError
        If the id, the preset, a factor or a column is unknown, or a target is not positive.
    TaskFailedError
        If a task raised.
    """
    workspace, factors = _split(options)
    want = workspace.want(registry.experiments.get(id), **factors)
    if mcse:
        return run_until(workspace, want, mcse, budget).table
    workspace.run([want])
    return want.table(workspace.store)


def run_until(
    workspace: Workspace, want: Wanted, mcse: Mapping[str, float], budget: float | None = None
) -> Precision:
    """Run an experiment until means are precise, as for `run`, and say what did not get there."""
    targets = check_targets(want.experiment, mcse)
    return until_precise(
        want, workspace.store, targets, lambda w: workspace.run([w]), _timer(budget)
    )


def _timer(budget: float | None) -> Callable[[], bool]:
    """Return a function that tells whether there is time left."""
    if budget is None:
        return lambda: True
    end = time.monotonic() + check_real("budget", budget, lower=0.0)
    return lambda: time.monotonic() < end


def table(id: str, /, **options: Any) -> pd.DataFrame:
    """Return the stored rows of an experiment and run nothing.

    Parameters
    ----------
    id : str
        Id of the experiment.
    **options
        As for `run`.

    Returns
    -------
    DataFrame
        As for `run`; fewer rows where something has not run.
    """
    workspace, factors = _split(options)
    return workspace.want(registry.experiments.get(id), **factors).table(workspace.store)


def experiments_wanted(
    workspace: Workspace, ids: Iterable[str], factors: dict[str, Any]
) -> list[Wanted]:
    """Return what `ids` (experiments, topics, papers; none means all) ask to run."""
    ids = list(ids)
    registry.check_known([registry.experiments, registry.papers], ids)
    selected = registry.experiments.select(ids)
    wanted = [e for e in selected if e.id in ids or workspace.preset in e.presets]
    return [workspace.want(e, **factors) for e in wanted]


def forecast(workspace: Workspace, wants: Iterable[Wanted]) -> str:
    """Return, by experiment, how many tasks would run and how long they would take."""
    lines = []
    for id, (experiment, tasks) in missing(wants, workspace.store).items():
        state = workspace.store.state(experiment, workspace.seed, fingerprint(experiment))
        seconds = state["seconds_per_task"]
        known = seconds is not None
        took = (
            f"about {len(tasks) * seconds / workspace.workers:.1f} s" if known else "time unknown"
        )
        lines.append(f"{id:<48} {len(tasks)} task(s), {took}")
    return "\n".join(lines) or "nothing to run: everything is stored"


def export(id: str, output: str | Path, **options: Any) -> Path:
    """Write the stored table of an experiment to a file.

    Parameters
    ----------
    id : str
        Id of the experiment.
    output : path
        Ends in ``.csv`` or ``.parquet``.
    **options
        As for `run`.

    Returns
    -------
    Path
        The file.
    """
    writers = {".csv": "to_csv", ".parquet": "to_parquet"}
    output = Path(output)
    if output.suffix not in writers:
        raise ValueError(f"output must end in .csv or .parquet; got {str(output)!r}")
    rows = table(id, **options)
    return write_atomically(
        output, lambda path: getattr(rows, writers[output.suffix])(path, index=False)
    )


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
    go_on = _timer(budget)
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


def replay(task_id: str, /, **options: Any) -> pd.DataFrame:
    """Run one stored or failed task alone; nothing is stored.

    Parameters
    ----------
    task_id : str
        As the store, a failure or `status` names it.
    **options
        Those of `Workspace`.

    Returns
    -------
    DataFrame
        Its rows, as for `run`.

    Raises
    ------
    TaskFailedError
        If it raised.
    """
    from theorytk.runner.store import frame

    workspace = Workspace(**options)
    for experiment in registry.experiments:
        task = workspace.store.find(task_id, experiment)
        if task:
            outcome = next(execute(experiment, [task], jobs=1))
            if outcome.error:
                raise TaskFailedError([outcome])
            return frame(experiment, [outcome])
    raise registry.UnknownIdError(f"no stored task has the id {task_id!r}")


def _split(options: dict[str, Any]) -> tuple[Workspace, dict[str, Any]]:
    names = [n for n, f in Workspace.__dataclass_fields__.items() if f.init]
    chosen = {name: value for name, value in options.items() if name in names}
    return Workspace(**chosen), {k: v for k, v in options.items() if k not in names}


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
            go_on=go_on or _timer(None),
            device=workspace.device,
        )
        for c in selected
    ]
    return Ledger(results, workspace.preset, time.perf_counter() - started, failed)
