"""Running tasks in this process or on a pool of workers, a few in flight at a time."""

from __future__ import annotations

import functools
import itertools
import pickle
import signal
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import cloudpickle

from theorytk.runner.experiment import Experiment
from theorytk.runner.tasks import Outcome, Task, run_task

__all__ = ["execute"]

_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
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
        Consumed lazily: at most twice as many tasks are in flight as there are workers.
    jobs : int
        Number of worker processes; 1 runs in this process.
    replace : mapping, optional
        Objects in the place of factors, such as a user's algorithm.
    """
    if jobs == 1:
        yield from _here(experiment, tasks, replace)
    else:
        yield from _pool(experiment, iter(tasks), jobs, replace)


def _here(experiment: Experiment, tasks: Iterable[Task], replace: Replace) -> Iterator[Outcome]:
    import scipy.linalg  # noqa: F401  (loads its BLAS, so that the limit reaches it)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        for task in tasks:
            yield run_task(experiment, task, replace)


def _pool(
    experiment: Experiment, tasks: Iterator[Task], jobs: int, replace: Replace
) -> Iterator[Outcome]:
    payload = cloudpickle.dumps((experiment, replace))
    in_flight: dict[Future[Outcome], Task] = {}
    executor = _executor(jobs)
    try:
        while True:
            for task in itertools.islice(tasks, 2 * jobs - len(in_flight)):
                in_flight[executor.submit(_remote, payload, task)] = task
            if not in_flight:
                return
            finished, _ = wait(in_flight, return_when=FIRST_COMPLETED)
            try:
                for future in finished:
                    outcome = future.result()
                    del in_flight[future]
                    yield outcome
            except BrokenProcessPool:
                suspects, in_flight = in_flight, {}
                yield from _one_by_one(payload, suspects.values())
                executor = _executor(jobs)
    except BaseException:
        executor.shutdown(wait=False, kill_workers=True)
        raise


def _one_by_one(payload: bytes, suspects: Iterable[Task]) -> Iterator[Outcome]:
    """Run tasks that were in flight when a worker died, each alone, to find the guilty one."""
    for task in suspects:
        try:
            yield _executor(1).submit(_remote, payload, task).result()
        except BrokenProcessPool as error:
            yield Outcome(task, {}, 0.0, f"the worker process died: {error}")


def _executor(jobs: int) -> Any:
    from loky import get_reusable_executor

    return get_reusable_executor(
        max_workers=jobs, env=_ONE_THREAD, initializer=_ignore_interrupts, timeout=300
    )


def _ignore_interrupts() -> None:
    """Leave Ctrl-C to the driver, which ends the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _remote(payload: bytes, task: Task) -> Outcome:
    experiment, replace = _unpickle(payload)
    return run_task(experiment, task, replace)


@functools.lru_cache(maxsize=16)
def _unpickle(payload: bytes) -> tuple[Experiment, Replace]:
    return pickle.loads(payload)  # type: ignore[no-any-return]
