"""What a student is given: a notebook and a Python file, with the figure to reach."""

from __future__ import annotations

import base64
import io
import json
import re
import zlib
from functools import partial
from pathlib import Path
from typing import Any

from theorytk._files import write_atomically
from theorytk._validation import check_int
from theorytk.classroom.exercises import Exercise, find
from theorytk.classroom.marking import figure
from theorytk.classroom.submissions import read

__all__ = ["seed_of", "start"]


def seed_of(student: str) -> int:
    """Return the seed that belongs to a student's name.

    Parameters
    ----------
    student : str
        Any name.

    Returns
    -------
    int
        The same for the same name, between 0 and 2^32 - 1.
    """
    return zlib.crc32(student.strip().casefold().encode())


def start(
    id: str,
    folder: str | Path = ".",
    *,
    student: str | None = None,
    seed: int | None = None,
    project: str | Path | None = None,
) -> list[Path]:
    """Write the files with which a student begins an exercise.

    Parameters
    ----------
    id : str
        ``topic/name``.
    folder : path
        Where to write; created if it does not exist.
    student : str, optional
        Name from which the seed comes.
    seed : int, optional
        Seed of the random inputs instead; default 0.
    project : path, optional
        A folder with ``exercises``.

    Returns
    -------
    list of Path
        ``NAME.ipynb``, ``NAME.py`` and ``NAME.png``, the figure to reach.

    Raises
    ------
    ValueError
        If there is no such exercise, the seed is negative, or one of the files exists already.
    """
    exercise = find(id, project)
    if seed is None:
        seed = seed_of(student) if student else 0
    seed = check_int("seed", seed, lower=0)
    paths = [Path(folder) / f"{exercise.name}.{suffix}" for suffix in ("ipynb", "py", "png")]
    for path in paths:
        if path.exists():
            raise ValueError(f"{path} exists already; move it away, or choose another folder")
    target = _target(exercise, seed)
    notebook = json.dumps(_notebook(exercise, seed, target), indent=1) + "\n"
    contents = [notebook.encode(), _script(exercise, seed).encode(), target]
    for path, content in zip(paths, contents, strict=True):
        write_atomically(path, partial(_write, content))
    return paths


def _write(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def _target(exercise: Exercise, seed: int) -> bytes:
    """Draw the figure to reach, as PNG."""
    drawn = io.BytesIO()
    figure(exercise, read(exercise.model).names(), seed).savefig(drawn, format="png", dpi=110)
    return drawn.getvalue()


def _script(exercise: Exercise, seed: int) -> str:
    """Return a Python file with the statement as its docstring."""
    statement = exercise.statement.strip()
    if exercise.question:
        statement += f"\n\nIn words (as comments): {exercise.question}"
    quoted = statement.replace("\\", "\\\\").replace('"""', "'''")
    return (
        f"# theorytk exercise: {exercise.id}, seed {seed}\n"
        f'"""{quoted}\n\nThe figure to reach is {exercise.name}.png. To check this file:\n\n'
        f'    theorytk exercise check {exercise.id} {exercise.name}.py\n"""\n\n'
        f"{exercise.scaffold.strip()}\n"
    )


def _notebook(exercise: Exercise, seed: int, target: bytes) -> dict[str, Any]:
    """Return a notebook, format 4.5, whose cells carry nbgrader's marks."""
    id = exercise.id
    picture = f"The figure to reach:\n\n![the figure to reach](attachment:{exercise.name}.png)"
    attachment = {f"{exercise.name}.png": {"image/png": base64.b64encode(target).decode()}}
    calls = f"from theorytk.classroom import draw, examine\n\ndraw({id!r}, globals(), seed={seed})"
    cells = [
        _cell("markdown", "statement", exercise.statement.strip(), locked=True),
        _cell("markdown", "target", picture, locked=True) | {"attachments": attachment},
        _cell("code", "solution", exercise.scaffold.strip(), solution=True),
        _cell("code", "figure", calls, locked=True),
    ]
    for check in exercise.checks:
        source = f"examine({id!r}, {check.name!r}, globals(), seed={seed})  # {check.about}"
        cells.append(_cell("code", check.name, source, points=check.points, locked=True))
    if exercise.question:
        cells.append(_cell("markdown", "asked", f"**In words.** {exercise.question}", locked=True))
        words = "*Your answer.*"
        cells.append(_cell("markdown", "in_words", words, points=1, solution=True))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"exercise": id, "seed": seed}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}, "theorytk": about},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(
    kind: str,
    name: str,
    source: str,
    *,
    points: int | None = None,
    solution: bool = False,
    locked: bool = False,
) -> dict[str, Any]:
    """Return a cell; with `points` nbgrader grades it, by running it or, in words, by a person."""
    mark: dict[str, Any] = {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "solution": solution,
        "locked": locked,
        "task": False,
        "cell_type": kind,
    }
    if points is not None:
        mark["points"] = points
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": re.sub(r"[^\w-]", "-", name)[:64],
        "metadata": {"nbgrader": mark},
        "source": source,
    }
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell
