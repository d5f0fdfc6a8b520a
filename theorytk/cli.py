"""The ``theorytk`` command: every verb is one call of `theorytk.api`."""

from __future__ import annotations

import ast
import errno
import json
import sys
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from theorytk import api
from theorytk.claims import Ledger
from theorytk.classroom.cli import app as exercise

__all__ = ["app", "main"]

app = typer.Typer(
    help="Published theorems as things you can run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(exercise, name="exercise")

Ids = Annotated[list[str] | None, typer.Argument(help="Ids, topics or papers; none means all.")]
Id = Annotated[str, typer.Argument(help="An id; see `theorytk list`.")]
Preset = Annotated[str, typer.Option(help="quick or paper")]
Seed = Annotated[int, typer.Option(help="Root seed.")]
Jobs = Annotated[int | None, typer.Option(help="Worker processes; default all cores.")]
Results = Annotated[Path, typer.Option(help="Results folder.")]
ProjectDir = Annotated[
    Path | None, typer.Option(help="Folder with simulations/ and paper_figures/.")
]
Device = Annotated[
    str | None, typer.Option(help="Where samplers compute, such as cuda; default the CPU.")
]
Timeout = Annotated[float | None, typer.Option(help="Seconds that a task may take.")]
Backend = Annotated[str, typer.Option(help="loky (this machine) or dask (a cluster)")]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler; default one started here.")
]
Budget = Annotated[
    float | None, typer.Option(help="Seconds after which replicates are doubled no more.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Json = Annotated[bool, typer.Option("--json", help="JSON alone on standard output.")]
RESULTS = Path("results")
PACKAGE = Path(__file__).parent
DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
INTERRUPTED = 130  # what typer returns for Ctrl-C


@app.command("list")
def list_(as_json: Json = False, results: Results = RESULTS, project: ProjectDir = None) -> None:
    """Show papers, experiments, claims and figures, and their state."""
    content = api.inventory(results=results, project=project)
    if as_json:
        typer.echo(json.dumps(content, indent=1))
        return
    for kind, items in content.items():
        typer.echo(kind)
        for item in items:
            typer.echo(f"  {item['id']:<48} {item['state']}")


@app.command()
def show(id: Id, project: ProjectDir = None) -> None:
    """Show what is declared under an id."""
    typer.echo(api.show(id, project=project))


@app.command()
def cite(id: Id, project: ProjectDir = None) -> None:
    """Print the BibTeX entry of the paper behind an id."""
    typer.echo(api.cite(id, project=project))


@app.command()
def init(folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")]) -> None:
    """Make a project of your own: an experiment, a claim with control, a figure."""
    typer.echo(f"{api.init(folder)}; in it, type: theorytk reproduce")


@app.command()
def run(
    ids: Ids = None,
    preset: Preset = "quick",
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="factor=value; a list gives levels.")
    ] = None,
    jobs: Jobs = None,
    seed: Seed = 0,
    results: Results = RESULTS,
    project: ProjectDir = None,
    quiet: Quiet = False,
    device: Device = None,
    timeout: Timeout = None,
    backend: Backend = "loky",
    scheduler: Scheduler = None,
    mcse: Annotated[
        list[str] | None,
        typer.Option(help="column=target: replicates until its mean is as precise."),
    ] = None,
    budget: Budget = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run.")] = False,
) -> None:
    """Run what is missing of experiments."""
    workspace = api.Workspace(
        preset, seed, jobs, results, project, quiet, device, timeout, backend, scheduler
    )
    wants = api.experiments_wanted(workspace, ids or [], _factors(set_ or []))
    if dry_run:
        typer.echo(api.forecast(workspace, wants))
        return
    if mcse:
        for want in wants:
            reached = api.run_until(workspace, want, _factors(mcse, "--mcse"), budget)
            typer.echo(
                f"{want.experiment.id}: {len(want.conditions) - len(reached.open)} of "
                f"{len(want.conditions)} condition(s) precise, {len(reached.table)} row(s)"
            )
        return
    summary = workspace.run(wants)
    typer.echo(
        f"{summary.finished} task(s) run in {summary.seconds:.1f} s; rows in {results}/store"
    )


@app.command()
def figure(
    ids: Ids = None,
    preset: Preset = "quick",
    seed: Seed = 0,
    results: Results = RESULTS,
    project: ProjectDir = None,
) -> None:
    """Draw figures from stored rows: PDF, PNG and the plotted CSV."""
    options = {"preset": preset, "seed": seed, "results": results, "project": project}
    for files in api.figure(*(ids or []), **options).values():
        typer.echo("  ".join(str(path) for path in files.values()))


@app.command()
def verify(
    ids: Ids = None,
    controls: Annotated[bool, typer.Option("--controls", help="Judge the controls too.")] = False,
    preset: Preset = "quick",
    stored: Annotated[bool, typer.Option("--stored", help="Judge only what is stored.")] = False,
    looks: Annotated[
        int, typer.Option(help="How often to double what leaves a claim undecided, plus one.")
    ] = 1,
    budget: Budget = None,
    as_json: Json = False,
    jobs: Jobs = None,
    seed: Seed = 0,
    results: Results = RESULTS,
    project: ProjectDir = None,
    quiet: Quiet = False,
    device: Device = None,
    timeout: Timeout = None,
    backend: Backend = "loky",
    scheduler: Scheduler = None,
) -> None:
    """Run what is missing or stale, then judge claims."""
    ledger = api.verify(
        *(ids or []),
        controls=controls,
        stored=stored,
        looks=looks,
        budget=budget,
        preset=preset,
        jobs=jobs,
        seed=seed,
        results=results,
        project=project,
        quiet=quiet,
        device=device,
        timeout=timeout,
        backend=backend,
        scheduler=scheduler,
    )
    typer.echo(json.dumps(ledger.to_dict(), indent=1) if as_json else repr(ledger))
    _exit(ledger)


@app.command()
def reproduce(
    ids: Ids = None,
    preset: Preset = "quick",
    jobs: Jobs = None,
    seed: Seed = 0,
    results: Results = RESULTS,
    project: ProjectDir = None,
    quiet: Quiet = False,
    device: Device = None,
    timeout: Timeout = None,
    backend: Backend = "loky",
    scheduler: Scheduler = None,
) -> None:
    """Run, draw, verify with controls and report; the report's path comes last."""
    ledger, path = api.reproduce(
        *(ids or []),
        preset=preset,
        jobs=jobs,
        seed=seed,
        results=results,
        project=project,
        quiet=quiet,
        device=device,
        timeout=timeout,
        backend=backend,
        scheduler=scheduler,
    )
    typer.echo(repr(ledger))
    typer.echo(path)
    _exit(ledger)


@app.command()
def report(
    preset: Preset = "quick",
    seed: Seed = 0,
    results: Results = RESULTS,
    project: ProjectDir = None,
) -> None:
    """Write the HTML report from what is stored."""
    typer.echo(api.report(preset=preset, seed=seed, results=results, project=project))


@app.command()
def export(
    id: Id,
    output: Annotated[Path, typer.Option(help="FILE.csv or FILE.parquet")],
    preset: Preset = "quick",
    seed: Seed = 0,
    results: Results = RESULTS,
    project: ProjectDir = None,
) -> None:
    """Write the stored table of an experiment to a file."""
    typer.echo(api.export(id, output, preset=preset, seed=seed, results=results, project=project))


@app.command()
def status(results: Results = RESULTS, project: ProjectDir = None, seed: Seed = 0) -> None:
    """Show what is stored, stale and failed, by experiment."""
    for line in api.status(results=results, project=project, seed=seed):
        typer.echo(line)


@app.command()
def replay(task_id: str, results: Results = RESULTS, project: ProjectDir = None) -> None:
    """Run one task alone and print its rows."""
    typer.echo(api.replay(task_id, results=results, project=project).to_string())


def _factors(settings: list[str], option: str = "--set") -> dict[str, Any]:
    """Parse ``name=value``, a Python literal or else a string."""
    factors = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"{option} must be name=value; got {setting!r}")
        try:
            factors[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            factors[name] = text
    return factors


def _exit(ledger: Ledger) -> None:
    if ledger.failed:
        raise api.TaskFailedError(ledger.failed)
    if not ledger.ok:
        raise typer.Exit(1)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code (documented in docs/command.md)."""
    try:
        code = app(arguments, standalone_mode=False)
        if code == INTERRUPTED:
            _say("interrupted; finished tasks are stored, the same command resumes")
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        _say(f"theorytk: {error.format_message() if hasattr(error, 'format_message') else error}")
        return 2
    except api.TaskFailedError as error:
        _say(str(error))
        return 3
    except Exception as error:
        if _is_ours(error):
            _say(f"theorytk: {error}")
            return 2
        if isinstance(error, OSError) and error.errno in DISK_TROUBLE:
            _say(f"theorytk: {error}; what was stored before is kept, the same command resumes")
        else:
            traceback.print_exc()
        return 4


def _is_ours(error: Exception) -> bool:
    """Tell whether theorytk raised `error` on purpose: bad input, or an extra that is missing."""
    if isinstance(error, ImportError) and "pip install 'theorytk[" in str(error):
        return True
    raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
    return isinstance(error, ValueError | TypeError) and Path(raised_in).is_relative_to(PACKAGE)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
