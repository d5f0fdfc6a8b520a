"""The process in which a student's code runs: limits first, marks through a pipe of its own."""

from __future__ import annotations

import json
import os
import resource
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from theorytk.classroom.exercises import find
from theorytk.classroom.marking import mark
from theorytk.classroom.submissions import read


def main() -> None:
    """Mark as the argument, in JSON, asks, and write a line for every event."""
    asked: dict[str, Any] = json.loads(sys.argv[1])
    exercise = find(asked["exercise"], asked["project"])
    checks = exercise.checks  # what the checks import is not the student's memory
    submission = read(Path(asked["path"]))
    assert checks
    _limit(int(asked["memory"]))
    with os.fdopen(asked["pipe"], "w") as pipe:
        for event in mark(exercise, submission, asked["seed"], asked["checks"]):
            line = {"begins": event} if isinstance(event, str) else asdict(event)
            print(json.dumps(line), file=pipe, flush=True)


def _limit(memory: int) -> None:
    """Allow `memory` bytes beyond what is mapped now, and no files worth the name."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**24, 2**24))
    pages = Path("/proc/self/statm")
    if pages.exists():  # elsewhere the address space is not limited
        mapped = int(pages.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))


if __name__ == "__main__":
    main()
