"""Progress: a bar with the remaining time on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Progress", "progress"]


class Progress(Protocol):
    """Something that is told of each finished task."""

    def advance(self, label: str) -> None:
        """Count one finished task of `label`."""


@contextmanager
def progress(total: int, *, quiet: bool = False) -> Iterator[Progress]:
    """Show progress on standard error while the block runs."""
    if quiet or not total:
        yield _Silent()
    elif sys.stderr.isatty():
        with _bar(total) as bar:
            yield bar
    else:
        yield _Lines(total)


class _Silent:
    def advance(self, label: str) -> None:
        """Say nothing."""


class _Lines:
    """A line when an experiment changes, at most one every five seconds, and one at the end."""

    def __init__(self, total: int) -> None:
        self.total, self.finished = total, 0
        self.started = self.last = time.monotonic()

    def advance(self, label: str) -> None:
        self.finished += 1
        now = time.monotonic()
        if now - self.last >= 5 or self.finished == self.total:
            self.last = now
            spent = f"{now - self.started:.0f} s"
            print(
                f"{self.finished}/{self.total} tasks, {spent}, {label}", file=sys.stderr, flush=True
            )


@contextmanager
def _bar(total: int) -> Iterator[Progress]:
    import rich.progress as rp
    from rich.console import Console

    columns = (
        rp.TextColumn("{task.description}"),
        rp.BarColumn(),
        rp.MofNCompleteColumn(),
        rp.TimeRemainingColumn(),
    )
    with rp.Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=total)

        class Bar:
            def advance(self, label: str) -> None:
                bars.update(task, advance=1, description=label)

        yield Bar()
