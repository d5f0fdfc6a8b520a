"""Running tasks in this process or on a pool of workers, a few in flight at a time."""

from __future__ import annotations

import functools
import itertools
import os
import pickle
import signal
import sys
import threading
import time
import types
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import cloudpickle

from theorytk._fingerprint import PROJECT_PREFIX
from theorytk.experiments import Experiment
from theorytk.runner.tasks import Outcome, Task, run_task

__all__ = ["execute"]

_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
BATCH_SECONDS, MAX_BATCH = 0.02, 32
Replace = Mapping[str, Any] | None


def execute(
    experiment: Experiment, tasks: Iterable[Task], *, jobs: int, replace: Replace = None
) -> Iterator[Outcome]:
    """Yield the outcome of every task as it finishes, with BLAS limited to one thread.

    Parameters
    ----------
    experiment : Experiment
        What the tasks belong to.
    tasks : iterable of Task
        Consumed lazily: at most two per worker are in flight, or two batches of quick ones.
    jobs : int
        Number of worker processes; 1 runs in this process.
    replace : mapping, optional
        Objects in the place of factors, such as a user's algorithm.

    Yields
    ------
    Outcome
        In the order in which they finish.
    """
    if jobs == 1:
        yield from _here(experiment, tasks, replace)
    else:
        yield from _pool(_payload(experiment, replace), iter(tasks), jobs)


def _here(experiment: Experiment, tasks: Iterable[Task], replace: Replace) -> Iterator[Outcome]:
    import scipy.linalg  # noqa: F401  (loads its BLAS, so that the limit reaches it)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        for task in tasks:
            yield run_task(experiment, task, replace)


def _payload(experiment: Experiment, replace: Replace) -> bytes:
    """Pickle by value, with where project packages are for what goes by name: caches, imports."""
    packages = {
        name: list(module.__path__)
        for name, module in sys.modules.items()
        if name.startswith(PROJECT_PREFIX) and "." not in name
    }
    try:
        return pickle.dumps((packages, cloudpickle.dumps((experiment, replace))))
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
        raise TypeError(
            f"experiment {experiment.id!r} cannot be sent to workers: {error}; "
            "what it refers to must be picklable, or run it with jobs=1"
        ) from error


def _pool(payload: bytes, tasks: Iterator[Task], jobs: int) -> Iterator[Outcome]:
    in_flight: dict[Future[list[Outcome]], list[Task]] = {}
    executor, size = _executor(jobs), 1
    try:
        while True:
            while len(in_flight) < 2 * jobs and (batch := list(itertools.islice(tasks, size))):
                in_flight[_submit(executor, payload, batch)] = batch
            if not in_flight:
                return
            finished, _ = wait(in_flight, return_when=FIRST_COMPLETED)
            try:
                for future in finished:
                    outcomes = future.result()
                    tasks = itertools.chain(in_flight.pop(future)[len(outcomes) :], tasks)
                    quick = sum(outcome.seconds for outcome in outcomes) < BATCH_SECONDS
                    size = min(2 * size, MAX_BATCH) if quick else 1
                    yield from outcomes
            except BrokenProcessPool as error:
                suspects, in_flight = list(itertools.chain(*in_flight.values())), {}
                if len(suspects) == 1:
                    yield Outcome(suspects[0], {}, 0.0, f"the worker process died: {error}")
                else:  # each alone, to find the guilty one
                    for suspect in suspects:
                        yield from _pool(payload, iter([suspect]), 1)
                executor = _executor(jobs)
    except BaseException:
        executor.shutdown(wait=False, kill_workers=True)
        raise


def _submit(executor: Any, payload: bytes, batch: list[Task]) -> Future[list[Outcome]]:
    """Submit `batch`; where a worker has just died, return a future that says so."""
    future: Future[list[Outcome]]
    try:
        future = executor.submit(_remote, payload, batch)
    except BrokenProcessPool as error:
        future = Future()
        future.set_exception(error)
    return future


def _executor(jobs: int) -> Any:
    from loky import get_reusable_executor

    return get_reusable_executor(
        max_workers=jobs, env=_ONE_THREAD, initializer=_serve, initargs=(os.getpid(),), timeout=300
    )


def _serve(driver: int) -> None:
    """Leave Ctrl-C to the driver, which ends the workers, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(driver,), daemon=True).start()


def _end_with(driver: int) -> None:
    while os.getppid() == driver:
        time.sleep(0.5)
    os._exit(1)


def _remote(payload: bytes, batch: list[Task]) -> list[Outcome]:
    """Run tasks of `batch` until BATCH_SECONDS are over; the driver deals out the others again."""
    experiment, replace = _unpickle(payload)
    started = time.perf_counter()
    outcomes = []
    for task in batch:
        outcomes.append(run_task(experiment, task, replace))
        if time.perf_counter() - started > BATCH_SECONDS:
            break
    return outcomes


@functools.lru_cache(maxsize=16)
def _unpickle(payload: bytes) -> tuple[Experiment, Replace]:
    packages, content = pickle.loads(payload)
    for name, path in packages.items():
        package = sys.modules.setdefault(name, types.ModuleType(name))
        package.__path__ = path
    return pickle.loads(content)  # type: ignore[no-any-return]
