"""Assessing one submission, and grading a folder of them into a CSV file."""

from __future__ import annotations

import csv
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from theorytk._files import write_atomically
from theorytk._validation import check_int, check_real
from theorytk.classroom import sandbox
from theorytk.classroom.exercises import exercises, find
from theorytk.classroom.marking import Mark
from theorytk.classroom.sandbox import Limits
from theorytk.classroom.submissions import read

__all__ = ["COLUMNS", "Grade", "assess", "grade"]

COLUMNS = ("student", "exercise", "file", "points", "out_of", "passed", "remarks", "seconds")


@dataclass(frozen=True)
class Grade:
    """What a submission is worth: the marks of its checks, or why there are none."""

    exercise: str
    path: Path
    marks: tuple[Mark, ...] = ()
    output: str = ""
    trouble: str = ""

    @property
    def earned(self) -> int:
        """Points earned."""
        return sum(mark.earned for mark in self.marks)

    @property
    def points(self) -> int:
        """Points that could be earned."""
        return sum(mark.points for mark in self.marks)

    @property
    def passed(self) -> bool:
        """Whether every check was passed."""
        return bool(self.marks) and all(mark.passed for mark in self.marks)

    def __str__(self) -> str:
        """Return a line for each check, what was wrong, and the sum."""
        lines = [str(mark) for mark in self.marks] or [self.trouble]
        printed = [f"your code printed:\n{self.output}"] if self.output.strip() else []
        total = f"{self.exercise}: {self.earned} of {self.points} points"
        return "\n".join([*printed, *lines, total])


def assess(
    id: str,
    path: str | Path,
    *,
    seed: int | None = None,
    limits: Limits | None = None,
    project: str | Path | None = None,
) -> Grade:
    """Check a submission in a process of its own.

    Parameters
    ----------
    id : str
        The exercise, ``topic/name``.
    path : path
        A Python file or a notebook.
    seed : int, optional
        Seed of the random inputs; default the one that the file names.
    limits : Limits, optional
        Seconds for each check and memory; default 120 s, which is enough for the first
        compilation of kernels, and 2 GiB.
    project : path, optional
        A folder with ``exercises``.

    Returns
    -------
    Grade

    Raises
    ------
    ValueError
        If there is no such exercise, or the file cannot be read or names another exercise.
    """
    exercise = find(id, project)
    submission = read(path)
    if submission.exercise not in (None, id):
        raise ValueError(f"{path} is for the exercise {submission.exercise!r}, not {id!r}")
    seed = submission.seed if seed is None else check_int("seed", seed, lower=0)
    limits = limits or Limits()
    check_real("limits.seconds", limits.seconds, lower=0, lower_open=True)
    check_int("limits.memory", limits.memory, lower=1)
    marks, output = sandbox.run(exercise, submission.path, seed, limits, project)
    return Grade(id, submission.path, tuple(marks), output)


def grade(
    folder: str | Path,
    output: str | Path | None = None,
    *,
    seed: int | None = None,
    limits: Limits | None = None,
    jobs: int | None = None,
    project: str | Path | None = None,
) -> Path:
    """Grade every submission below a folder and write a CSV file.

    A submission is a ``.py`` or ``.ipynb`` file that names its exercise, or is called like one. The
    student is the first folder on the way to it, or the file's name if there is none: both
    ``STUDENT/NAME.py`` and nbgrader's ``STUDENT/ASSIGNMENT/NAME.ipynb`` are understood.

    Parameters
    ----------
    folder : path
        Folder of submissions.
    output : path, optional
        The CSV file; default ``grades.csv`` in `folder`.
    seed : int, optional
        Seed of the random inputs of all; default the one that each file names.
    limits : Limits, optional
        Seconds for each check and memory.
    jobs : int, optional
        Submissions at a time; default the number of cores.
    project : path, optional
        A folder with ``exercises``.

    Returns
    -------
    Path
        The CSV file, with the columns `COLUMNS`, a row for each submission in the order of paths.

    Raises
    ------
    ValueError
        If `folder` is no folder or has no submissions.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"folder must be a folder of submissions; got {folder}")
    found = [path for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".ipynb")]
    found = [path for path in found if not any(p.startswith(".") for p in path.parts)]
    if not found:
        raise ValueError(f"no .py or .ipynb file below {folder}")
    jobs = check_int("jobs", jobs, lower=1) if jobs is not None else os.cpu_count()
    assess_one = partial(_assess, seed=seed, limits=limits, project=project)
    with ThreadPoolExecutor(jobs) as pool:
        grades = list(pool.map(assess_one, found))
    rows = [_row(folder, one) for one in grades]
    return write_atomically(Path(output or folder / "grades.csv"), partial(_write, rows))


def _assess(
    path: Path, seed: int | None, limits: Limits | None, project: str | Path | None
) -> Grade:
    """Assess a file, whatever is in it."""
    id = ""
    try:
        id = _exercise_of(path, project)
        return assess(id, path, seed=seed, limits=limits, project=project)
    except (ValueError, OSError) as error:
        return Grade(id, path, trouble=str(error))


def _exercise_of(path: Path, project: str | Path | None) -> str:
    named = read(path).exercise
    if named:
        return named
    ids = [exercise.id for exercise in exercises(project) if exercise.name == path.stem]
    if len(ids) != 1:
        raise ValueError("names no exercise, and is not called like one")
    return ids[0]


def _row(folder: Path, one: Grade) -> dict[str, object]:
    relative = one.path.relative_to(folder)
    remarks = [f"{m.check}: {m.message}" for m in one.marks if not m.passed] or [one.trouble]
    return {
        "student": relative.parts[0] if len(relative.parts) > 1 else relative.stem,
        "exercise": one.exercise,
        "file": str(relative),
        "points": one.earned,
        "out_of": one.points,
        "passed": sum(mark.passed for mark in one.marks),
        "remarks": " | ".join(remarks)[:2000],
        "seconds": f"{sum(mark.seconds for mark in one.marks):.2f}",
    }


def _write(rows: list[dict[str, object]], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
