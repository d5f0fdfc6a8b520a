"""Marking in a process of its own, with limits of time, memory and output.

This protects a course from mistakes: endless loops, crashes, floods of output. It is no prison:
mark code that you do not trust in a container.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from theorytk.classroom.exercises import Exercise
from theorytk.classroom.marking import Mark
from theorytk.project import root_of

__all__ = ["Limits", "run"]

SHOWN = 20_000  # characters of a student's output that are kept
STARTING = 120.0  # seconds for the imports of a fresh process, numba's compilation included
CHILD = "theorytk.classroom._child"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Limits:
    """Seconds that a check may take, and MiB that a student's code may need."""

    seconds: float = 120.0
    memory: int = 2048


def run(
    exercise: Exercise, path: Path, seed: int, limits: Limits, project: str | Path | None = None
) -> tuple[list[Mark], str]:
    """Mark a file in processes of their own.

    Parameters
    ----------
    exercise : Exercise
        What is checked.
    path : Path
        What was handed in.
    seed : int
        Seed of the random inputs.
    limits : Limits
        Of time and memory.
    project : path, optional
        The folder that has the exercise.

    Returns
    -------
    marks : list of Mark
        One for every check; a check at which the process died or took too long earns nothing, and
        the others run in a new process.
    output : str
        What the code printed, the first 20,000 characters.
    """
    waiting = {check.name: check for check in exercise.checks}
    marks: dict[str, Mark] = {}
    printed = ""
    while waiting:
        asked = {
            "exercise": exercise.id,
            "project": str(root_of(project)),
            "path": str(path.resolve()),
            "seed": seed,
            "checks": list(waiting),
            "memory": limits.memory * 2**20,
        }
        began, ended, output = _attempt(asked, limits.seconds, marks)
        printed = (printed + output)[:SHOWN]
        for name in marks.keys() & waiting.keys():
            del waiting[name]
        failed = [began] if began in waiting else list(waiting)
        for name in failed:  # of what kept the process from finishing
            check = waiting.pop(name)
            marks[name] = Mark(name, 0, check.points, ended, check.hint if began else "")
    return [marks[check.name] for check in exercise.checks], printed


def _attempt(asked: dict[str, Any], seconds: float, marks: dict[str, Mark]) -> tuple[str, str, str]:
    """Add to `marks`; return the check that was running last, how it ended, and the output."""
    began: str | None = None
    ended = ""
    with _process(asked) as (process, pipe, output):
        for line in _lines(pipe, seconds):
            if line is None:
                ended = f"took longer than the {seconds:g} s that are allowed"
                break
            event = json.loads(line)
            if "begins" in event:
                began = event["begins"]
            else:
                marks[event["check"]] = Mark(**event)
        else:
            ended = _how(process.wait(), output)
    return began or "", ended, "".join(output)


@contextmanager
def _process(
    asked: dict[str, Any],
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes], list[str]]]:
    """Run a child in an empty folder, whose output is read and mostly forgotten."""
    reading, writing = os.pipe()
    output: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", CHILD, json.dumps(asked | {"pipe": writing})],
            cwd=folder,
            env=os.environ | ONE_THREAD | {"MPLBACKEND": "agg", "PYTHONPATH": _path()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            start_new_session=True,
        )
        os.close(writing)
        reader = threading.Thread(target=_drain, args=(process.stdout, output), daemon=True)
        reader.start()
        try:
            with os.fdopen(reading, "rb", buffering=0) as pipe:
                yield process, pipe, output
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its children too
            process.wait()
            reader.join(5)


def _lines(pipe: IO[bytes], seconds: float) -> Iterator[bytes | None]:
    """Yield lines as they come; None, the last, if after the first none comes within `seconds`."""
    rest = b""
    deadline = time.monotonic() + STARTING
    while True:
        ready, _, _ = select.select([pipe], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            yield None
            return
        chunk = pipe.read(65536)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        deadline = time.monotonic() + seconds


def _drain(stream: IO[bytes], output: list[str]) -> None:
    kept = 0
    while chunk := stream.read1(65536):  # type: ignore[attr-defined]
        if kept < SHOWN:
            text = chunk.decode(errors="replace")[: SHOWN - kept]
            output.append(text)
            kept += len(text)


def _how(code: int, output: list[str]) -> str:
    """Return how a process ended that should have gone on."""
    if code < 0:
        with suppress(ValueError):
            return f"the code crashed Python ({signal.Signals(-code).name})"
    last = "".join(output).strip().splitlines()[-1:]
    return f"the code ended Python (exit code {code}){': ' + last[0][:200] if last else ''}"


def _path() -> str:
    """Return the import path with which the child finds this very theorytk."""
    here = str(Path(__file__).parents[2])
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
