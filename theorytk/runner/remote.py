"""What workers do: rebuild an experiment, run a batch of its tasks, keep to the time limit."""

from __future__ import annotations

import faulthandler
import functools
import hashlib
import pickle
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle

from theorytk._cache import source_hash
from theorytk._fingerprint import PROJECT_PREFIX, project_files
from theorytk.experiments import Experiment
from theorytk.runner.tasks import Outcome, Task, run_task

__all__ = ["BATCH_SECONDS", "Replace", "payload", "run_batch"]

BATCH_SECONDS = 0.02
GRACE_SECONDS = 1.0
Replace = Mapping[str, Any] | None


def payload(experiment: Experiment, replace: Replace, *, elsewhere: bool = False) -> bytes:
    """Pickle by value, with where project packages are for what goes by name: caches, imports.

    For workers `elsewhere`, which may lack the project's folder, the files that the experiment
    imports from it come along, and a hash of theorytk's sources, which must be the same there.
    """
    packages = {
        name: list(module.__path__)
        for name, module in sys.modules.items()
        if name.startswith(PROJECT_PREFIX) and "." not in name
    }
    files = project_files(experiment) if elsewhere else {}
    code = source_hash() if elsewhere else ""
    try:
        content = cloudpickle.dumps((experiment, replace))
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise TypeError(
            f"experiment {experiment.id!r} cannot be sent to workers: {error}; "
            "what it refers to must be picklable, or run it with jobs=1"
        ) from error
    return pickle.dumps((packages, files, code, content))


def run_batch(payload: bytes, batch: list[Task], timeout: float | None) -> list[Outcome]:
    """Run tasks of `batch` until BATCH_SECONDS are over; the driver deals out the others again."""
    experiment, replace = _unpickle(payload)
    started = time.perf_counter()
    outcomes = []
    for task in batch:
        outcomes.append(_run_limited(experiment, task, replace, timeout))
        if time.perf_counter() - started > BATCH_SECONDS:
            break
    return outcomes


def _run_limited(
    experiment: Experiment, task: Task, replace: Replace, timeout: float | None
) -> Outcome:
    outcome = None
    try:
        with _limited(timeout):
            outcome = run_task(experiment, task, replace)
    except TimeoutError as error:  # it rang while the task was just starting or ending
        return outcome or Outcome(task, {}, timeout or 0.0, f"TimeoutError: {error}")
    return outcome


@contextmanager
def _limited(seconds: float | None) -> Iterator[None]:
    """Raise TimeoutError in what runs too long; end the process if that does not stop it.

    An alarm reaches Python code in a main thread. Compiled code does not listen: a thread of the
    interpreter's own, which needs no lock, then writes where it hangs and ends the process.
    """
    if seconds is None:
        yield
        return

    def ring(*_: object) -> None:
        raise TimeoutError(f"ran longer than the limit of {seconds:g} s")

    listens = threading.current_thread() is threading.main_thread()
    faulthandler.dump_traceback_later(seconds + GRACE_SECONDS * listens, exit=True)
    if listens:
        before = signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        if listens:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        faulthandler.cancel_dump_traceback_later()


@functools.lru_cache(maxsize=16)
def _unpickle(payload: bytes) -> tuple[Experiment, Replace]:
    packages, files, code, content = pickle.loads(payload)
    if code and code != source_hash():
        raise RuntimeError("the workers have other sources of theorytk than the driver")
    for name, path in packages.items():
        package = sys.modules.setdefault(name, types.ModuleType(name))
        where = [_unpacked(files)] if files else path
        if list(getattr(package, "__path__", where)) != where:  # an earlier state of the project
            for module in [m for m in sys.modules if m.startswith(f"{name}.")]:
                del sys.modules[module]
        package.__path__ = where
    return pickle.loads(content)  # type: ignore[no-any-return]


def _unpacked(files: Mapping[str, bytes]) -> str:
    """Write files into a folder of this process that is named by their content."""
    digest = hashlib.sha256(pickle.dumps(sorted(files.items()))).hexdigest()[:16]
    folder = Path(_scratch().name) / digest
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="theorytk-")
