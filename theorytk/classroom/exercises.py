"""Exercises: folders ``exercises/TOPIC/NAME`` of a project, found by path.

A folder holds ``statement.md`` (its first line is the title), ``scaffold.py`` (what a student
begins with), ``checks.py``, ``teacher.md``, ``model.py`` (a solution that passes) and at least two
files ``wrong_*.py``, whose first line says which mistake they make.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from theorytk._validation import check_int, nearest
from theorytk.project import root_of

__all__ = ["Check", "Exercise", "check", "exercises", "find", "picture"]

FOLDER = "exercises"
_POINTS = "_theorytk_points"
_PICTURE = "_theorytk_picture"


@dataclass(frozen=True)
class Check:
    """One thing that is checked: a function of the student's names and a Generator.

    Its docstring's first line says what is checked, the rest is the hint.
    """

    name: str
    points: int
    function: Callable[[Any, Any], None]

    @property
    def about(self) -> str:
        """What is checked, in a sentence."""
        return self._lines[0]

    @property
    def hint(self) -> str:
        """What a student whose submission is wrong should think about."""
        return " ".join(line.strip() for line in self._lines[1:]).strip()

    @property
    def _lines(self) -> list[str]:
        return (self.function.__doc__ or self.name).strip().splitlines()


def check(*, points: int = 1) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a function of ``checks.py`` as a check.

    Parameters
    ----------
    points : int
        What passing it is worth.

    Returns
    -------
    callable
        A decorator for a function ``(student, rng)``, where `student` has the names that the
        student defined as attributes and `rng` is a Generator. It returns if all is well and raises
        `Wrong` if not. The first line of its docstring says what is checked; the rest is the hint.
    """
    check_int("points", points, lower=1)

    def mark(function: Callable[..., None]) -> Callable[..., None]:
        setattr(function, _POINTS, points)
        return function

    return mark


def picture(function: Callable[..., None]) -> Callable[..., None]:
    """Mark the function of ``checks.py`` that draws the figure to reach.

    Parameters
    ----------
    function : callable
        ``(student, rng, figure)``: draws into a Matplotlib figure with the student's functions.

    Returns
    -------
    callable
        The same function.
    """
    setattr(function, _PICTURE, True)
    return function


@dataclass(frozen=True)
class Exercise:
    """An exercise: its id ``topic/name`` and its folder."""

    id: str
    folder: Path

    @property
    def name(self) -> str:
        """Name of the files that a student gets, without suffix."""
        return self.folder.name

    @property
    def title(self) -> str:
        """Title, the first line of the statement."""
        return self.statement.splitlines()[0].removeprefix("# ").strip()

    @property
    def statement(self) -> str:
        """The statement, Markdown with mathematics."""
        return self._read("statement.md")

    @property
    def scaffold(self) -> str:
        """Source of what a student begins with."""
        return self._read("scaffold.py")

    @property
    def model(self) -> Path:
        """The file of the model solution."""
        return self.folder / "model.py"

    @property
    def wrong(self) -> list[Path]:
        """The files of wrong solutions."""
        return sorted(self.folder.glob("wrong_*.py"))

    @property
    def teacher(self) -> str:
        """The teacher's note, Markdown."""
        return self._read("teacher.md")

    @property
    def paper(self) -> str:
        """Key of the paper that it is about."""
        return str(self._module.PAPER)

    @property
    def question(self) -> str | None:
        """What a student answers in words, for a person to mark, or None."""
        return getattr(self._module, "QUESTION", None)

    @property
    def checks(self) -> list[Check]:
        """The checks, in the order of the file."""
        return [
            Check(name, getattr(function, _POINTS), function)
            for name, function in vars(self._module).items()
            if hasattr(function, _POINTS)
        ]

    @property
    def points(self) -> int:
        """What all checks together are worth."""
        return sum(check.points for check in self.checks)

    @property
    def picture(self) -> Callable[..., None]:
        """The function that draws the figure to reach."""
        [function] = [f for f in vars(self._module).values() if hasattr(f, _PICTURE)]
        return function  # type: ignore[no-any-return]

    @cached_property
    def _module(self) -> ModuleType:
        path = self.folder / "checks.py"
        name = f"_exercise_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def exercises(project: str | Path | None = None) -> list[Exercise]:
    """Return the exercises of a project.

    Parameters
    ----------
    project : path, optional
        A folder with ``exercises``; default as for every verb.

    Returns
    -------
    list of Exercise
        In the order of their ids.
    """
    root = root_of(project) / FOLDER
    folders = sorted(path.parent for path in root.glob("*/*/checks.py"))
    return [Exercise(_id(folder), folder) for folder in folders]


def find(id: str, project: str | Path | None = None) -> Exercise:
    """Return the exercise with an id.

    Parameters
    ----------
    id : str
        ``topic/name``.
    project : path, optional
        A folder with ``exercises``.

    Returns
    -------
    Exercise

    Raises
    ------
    ValueError
        If there is none with this id.
    """
    known = {exercise.id: exercise for exercise in exercises(project)}
    if id not in known:
        raise ValueError(f"no exercise {id!r}; see `theorytk exercise list`{nearest(id, known)}")
    return known[id]


def _id(folder: Path) -> str:
    return f"{folder.parent.name}/{folder.name}".replace("_", "-")
