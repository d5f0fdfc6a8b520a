"""Progress: a bar with the remaining time on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rich.progress

__all__ = ["Progress"]

LINE_SECONDS = 5.0


class Progress:
    """Counts finished tasks on standard error while its ``with`` block runs.

    Parameters
    ----------
    total : int
        How many tasks there are.
    quiet : bool
        Whether to say nothing.
    """

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total, self._finished = total, 0
        self._started = self._said = time.monotonic()
        self._silent = quiet or not total
        self._bar = _bar() if sys.stderr.isatty() and not self._silent else None
        self._row = self._bar.add_task("", total=total) if self._bar else None

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, label: str) -> None:
        """Count one finished task of `label`."""
        self._finished += 1
        now = time.monotonic()
        if self._bar and self._row is not None:
            self._bar.update(self._row, advance=1, description=label)
        elif not self._silent and (
            now - self._said >= LINE_SECONDS or self._finished == self._total
        ):
            self._said = now
            done = f"{self._finished}/{self._total} tasks, {now - self._started:.0f} s, {label}"
            print(done, file=sys.stderr, flush=True)


def _bar() -> rich.progress.Progress:
    import rich.progress as rp
    from rich.console import Console

    name, count = rp.TextColumn("{task.description}"), rp.MofNCompleteColumn()
    return rp.Progress(
        name, rp.BarColumn(), count, rp.TimeRemainingColumn(), console=Console(stderr=True)
    )
