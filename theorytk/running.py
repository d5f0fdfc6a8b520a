"""Running experiments and reading their tables: the verbs that judge nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorytk import registry
from theorytk._files import write_atomically
from theorytk._fingerprint import fingerprint
from theorytk._validation import check_real
from theorytk.runner import execute
from theorytk.runner.precision import Precision, check_targets, until_precise
from theorytk.runner.run import Wanted, missing
from theorytk.workspace import TaskFailedError, Workspace

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "experiments_wanted",
    "export",
    "forecast",
    "replay",
    "run",
    "run_until",
    "table",
    "timer",
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
        ``quiet``, ``device``, ``timeout``, ``backend``, ``scheduler``); everything else overrides a
        factor, a list giving several levels.

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
        want, workspace.store, targets, lambda w: workspace.run([w]), timer(budget)
    )


def timer(budget: float | None) -> Callable[[], bool]:
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
