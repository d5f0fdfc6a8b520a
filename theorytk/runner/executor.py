"""Running tasks in this process or on a pool of workers, a few in flight at a time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any

from theorytk.experiments import Experiment
from theorytk.runner.pools import Batch, DaskPool, LokyPool, Pool
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
    """Deal out batches; who dies with a worker runs again alone, to find the guilty one."""
    in_flight: dict[Batch, tuple[list[Task], float]] = {}
    size = 1
    try:
        while True:
            while len(in_flight) < 2 * pool.width():
                batch = list(itertools.islice(tasks, size))
                if not batch:
                    break
                in_flight[pool.submit(batch)] = batch, time.perf_counter()
            if not in_flight:
                return
            finished, _ = wait(in_flight, return_when=FIRST_COMPLETED)
            for future in finished & in_flight.keys():
                batch, started = in_flight.pop(future)
                try:
                    outcomes = future.result()
                except pool.died as error:
                    if pool.shared_fate:
                        batch = [*batch, *itertools.chain(*(b for b, _ in in_flight.values()))]
                        in_flight = {}
                    yield from _after_death(pool, batch, time.perf_counter() - started, error)
                    pool.restart()
                    break
                tasks = itertools.chain(batch[len(outcomes) :], tasks)
                quick = sum(outcome.seconds for outcome in outcomes) < BATCH_SECONDS
                size = min(2 * size, MAX_BATCH) if quick else 1
                yield from outcomes
    except BaseException:
        pool.stop()
        raise


def _after_death(
    pool: Pool, suspects: list[Task], seconds: float, error: BaseException
) -> Iterator[Outcome]:
    """Yield the outcomes of tasks one of which ended its worker."""
    if len(suspects) > 1:
        for suspect in suspects:
            yield from _pooled(pool.alone(), iter([suspect]))
        return
    why = f"the worker process died: {error}"
    if pool.timeout is not None and seconds >= pool.timeout:
        why = f"TimeoutError: ran longer than the limit of {pool.timeout:g} s; its worker was ended"
    yield Outcome(suspects[0], {}, seconds, why)
