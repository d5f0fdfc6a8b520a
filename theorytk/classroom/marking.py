"""Marking a submission: check after check, what came out, and the figure."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from theorytk.classroom.comparing import Wrong
from theorytk.classroom.exercises import Check, Exercise, find
from theorytk.classroom.submissions import Names, Submission, explain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Mark", "draw", "examine", "generator", "mark"]


@dataclass(frozen=True)
class Mark:
    """What came out of one check: points earned, what was wrong, a hint, seconds."""

    check: str
    earned: int
    points: int
    message: str = ""
    hint: str = ""
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the check was passed."""
        return self.earned == self.points

    def __str__(self) -> str:
        """Return a line, and below it what was wrong and the hint."""
        line = f"{'ok   ' if self.passed else 'wrong'} {self.check}  {self.earned}/{self.points}"
        return "\n".join([line, *(f"      {t}" for t in (self.message, self.hint) if t)])


def generator(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of a check, the same on every call.

    Parameters
    ----------
    seed : int
        The student's seed.
    name : str
        The check's name.

    Returns
    -------
    numpy.random.Generator
    """
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def mark(
    exercise: Exercise, submission: Submission, seed: int, names: list[str]
) -> Iterator[Mark | str]:
    """Run a student's code and checks in this process.

    Parameters
    ----------
    exercise : Exercise
        What is checked.
    submission : Submission
        What was handed in.
    seed : int
        Seed of the random inputs.
    names : list of str
        The checks to run.

    Yields
    ------
    str or Mark
        The name of a check before it runs, its mark afterwards; "" before the student's code runs.
    """
    yield ""
    try:
        student: Names | str = submission.names()
    except Wrong as wrong:
        student = str(wrong)
    for check in exercise.checks:
        if check.name in names:
            yield check.name
            yield _mark(check, student, submission, seed)


def _mark(check: Check, student: Names | str, submission: Submission, seed: int) -> Mark:
    if isinstance(student, str):
        return Mark(check.name, 0, check.points, f"the code does not run: {student}")
    started = time.perf_counter()
    message = _outcome(check, student, submission, seed)
    seconds = time.perf_counter() - started
    if message is None:
        return Mark(check.name, check.points, check.points, seconds=seconds)
    return Mark(check.name, 0, check.points, message, check.hint, seconds)


def _outcome(check: Check, student: Any, submission: Submission, seed: int) -> str | None:
    """Run a check; return what was wrong, or None."""
    try:
        check.function(student, generator(seed, check.name))
    except Wrong as wrong:
        return str(wrong)
    except MemoryError:
        return "needs more memory than is allowed"
    except Exception as error:
        place = explain(error, submission)
        if not place:
            said = f"{type(error).__name__}: {error}".strip().splitlines()[-1]
            place = f"what your code returned could not be used ({said})"
        return place[:1000]
    return None


def examine(id: str, name: str, names: dict[str, Any], *, seed: int = 0) -> None:
    """Run one check of an exercise on what a notebook has defined.

    Parameters
    ----------
    id : str
        The exercise.
    name : str
        The check.
    names : dict
        The notebook's ``globals()``.
    seed : int
        Seed of the random inputs.

    Raises
    ------
    AssertionError
        With what was wrong and the hint.
    ValueError
        If there is no such exercise or check.
    """
    exercise = find(id)
    checks = {check.name: check for check in exercise.checks}
    if name not in checks:
        raise ValueError(f"{id} has no check {name!r}; it has {', '.join(checks)}")
    check = checks[name]
    try:
        check.function(Names(names), generator(seed, name))
    except Wrong as wrong:
        raise AssertionError(f"{check.about} {wrong} {check.hint}") from None
    print(f"ok: {check.about}")


def draw(id: str, names: dict[str, Any], *, seed: int = 0) -> Figure:
    """Return the figure of an exercise, drawn with what a notebook has defined.

    Parameters
    ----------
    id : str
        The exercise.
    names : dict
        The notebook's ``globals()``.
    seed : int
        Seed of what is drawn.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return figure(find(id), Names(names), seed)


def figure(exercise: Exercise, student: Names, seed: int) -> Figure:
    """Return the figure of an exercise."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(6.4, 4.0), layout="constrained")
    exercise.picture(student, generator(seed, "picture"), drawn)
    return drawn
