"""The verbs of ``theorytk exercise``: thin, each one call of `theorytk.classroom`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from theorytk import classroom

__all__ = ["app"]

app = typer.Typer(help="Exercises: list, start, check, grade.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="topic/name; see `theorytk exercise list`.")]
ProjectDir = Annotated[Path | None, typer.Option(help="Folder with exercises/.")]
Seconds = Annotated[float, typer.Option(help="Seconds that a check may take.")]
Memory = Annotated[int, typer.Option(help="MiB that the code may need.")]
Json = Annotated[bool, typer.Option("--json", help="JSON alone on standard output.")]


@app.command("list")
def list_(as_json: Json = False, project: ProjectDir = None) -> None:
    """Show the exercises."""
    found = classroom.exercises(project)
    if as_json:
        rows = [{"id": e.id, "title": e.title, "paper": e.paper, "points": e.points} for e in found]
        typer.echo(json.dumps({"exercises": rows}, indent=1))
        return
    for exercise in found:
        typer.echo(f"{exercise.id:<52} {exercise.points:>3} points  {exercise.title}")


@app.command()
def start(
    id: Id,
    output: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("."),
    student: Annotated[str | None, typer.Option(help="Name from which the seed comes.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the random inputs instead.")] = None,
    project: ProjectDir = None,
) -> None:
    """Write a notebook, a Python file and the figure to reach."""
    for path in classroom.start(id, output, student=student, seed=seed, project=project):
        typer.echo(path)


@app.command()
def check(
    id: Id,
    file: Annotated[Path, typer.Argument(help="A .py or .ipynb file.")],
    seed: Annotated[int | None, typer.Option(help="Default: the one that the file names.")] = None,
    seconds: Seconds = 120.0,
    memory: Memory = 2048,
    project: ProjectDir = None,
) -> None:
    """Check a submission; the exit code is 1 if a check is not passed."""
    limits = classroom.Limits(seconds, memory)
    grade = classroom.assess(id, file, seed=seed, limits=limits, project=project)
    typer.echo(grade)
    if not grade.passed:
        raise typer.Exit(1)


@app.command()
def grade(
    folder: Annotated[Path, typer.Argument(help="STUDENT/NAME.py, or as nbgrader collects.")],
    output: Annotated[Path | None, typer.Option(help="Default: FOLDER/grades.csv")] = None,
    seed: Annotated[int | None, typer.Option(help="One seed for all.")] = None,
    seconds: Seconds = 120.0,
    memory: Memory = 2048,
    jobs: Annotated[int | None, typer.Option(help="Submissions at a time.")] = None,
    project: ProjectDir = None,
) -> None:
    """Grade a folder of submissions into a CSV file."""
    limits = classroom.Limits(seconds, memory)
    typer.echo(
        classroom.grade(folder, output, seed=seed, limits=limits, jobs=jobs, project=project)
    )
