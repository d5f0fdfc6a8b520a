"""Running tasks in this process or on a pool of workers, a few in flight at a time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from typing import Any

from theorytk.experiments import Experiment
from theorytk.runner.pools import DaskPool, LokyPool, Pool
from theorytk.runner.remote import BATCH_SECONDS, Replace, payload
from theorytk.runner.tasks import Outcome, Task, run_task

__all__ = ["execute"]

MAX_BATCH = 32


def execute(
    experiment: Experiment,
    tasks: Iterable[Task],
    *,
    jobs: int,
    replace: Replace = None,
    timeout: float | None = None,
    client: Any = None,
) -> Iterator[Outcome]:
    """Yield the outcome of every task as it finishes, with BLAS limited to one thread.

    Parameters
    ----------
    experiment : Experiment
        What the tasks belong to.
    tasks : iterable of Task
        Consumed lazily: at most two per worker are in flight, or two batches of quick ones.
    jobs : int
        Number of worker processes; 1 without a `timeout` runs in this process.
    replace : mapping, optional
        Objects in the place of factors, such as a user's algorithm.
    timeout : float, optional
        Seconds that a task may take; one that takes longer fails.
    client : distributed.Client, optional
        A Dask cluster to run on, in the place of processes of this machine.

    Yields
    ------
    Outcome
        In the order in which they finish.
    """
    if client is not None:
        content = payload(experiment, replace, elsewhere=True)
        yield from _pooled(DaskPool(content, client, timeout), iter(tasks))
    elif jobs > 1 or timeout is not None:
        yield from _pooled(LokyPool(payload(experiment, replace), jobs, timeout), iter(tasks))
    else:
        yield from _here(experiment, tasks, replace)


def _here(experiment: Experiment, tasks: Iterable[Task], replace: Replace) -> Iterator[Outcome]:
    import scipy.linalg  # noqa: F401  (loads its BLAS, so that the limit reaches it)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        for task in tasks:
            yield run_task(experiment, task, replace)


def _pooled(pool: Pool, tasks: Iterator[Task]) -> Iterator[Outcome]:
    """Deal out batches; what a worker's death took with it runs again, one task at a time."""
    in_flight: dict[Any, tuple[list[Task], float]] = {}
    suspects: list[Task] = []
    size = 1
    try:
        while True:
            while not suspects and len(in_flight) < 2 * pool.width():
                batch = list(itertools.islice(tasks, size))
                if not batch:
                    break
                in_flight[pool.submit(batch)] = batch, time.perf_counter()
            if not in_flight:
                if not suspects:
                    return
                yield from _alone(pool, suspects)
                suspects = []
                continue
            for future in pool.finished(in_flight):
                batch, started = in_flight.pop(future)
                try:
                    outcomes = future.result()
                except pool.died as error:
                    if in_flight or suspects or len(batch) > 1:
                        suspects += batch
                    else:
                        yield _dead(pool, batch[0], time.perf_counter() - started, error)
                        pool.restart()
                    continue
                tasks = itertools.chain(batch[len(outcomes) :], tasks)
                quick = sum(outcome.seconds for outcome in outcomes) < BATCH_SECONDS
                size = min(2 * size, MAX_BATCH) if quick else 1
                yield from outcomes
    except BaseException:
        pool.stop()
        raise


def _alone(pool: Pool, suspects: list[Task]) -> Iterator[Outcome]:
    """Run tasks one at a time with nothing else in flight: who dies now is guilty."""
    pool.restart()
    for suspect in suspects:
        started = time.perf_counter()
        try:
            yield from pool.submit([suspect]).result()
        except pool.died as error:
            yield _dead(pool, suspect, time.perf_counter() - started, error)
            pool.restart()


def _dead(pool: Pool, task: Task, seconds: float, error: BaseException) -> Outcome:
    """Return the outcome of a task that ended its worker."""
    why = f"the worker process died: {error}"
    if pool.timeout is not None and seconds >= pool.timeout:
        why = f"TimeoutError: ran longer than the limit of {pool.timeout:g} s; its worker was ended"
    return Outcome(task, {}, seconds, why)
