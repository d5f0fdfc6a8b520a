"""Pools of workers: processes of this machine (loky), or a Dask cluster."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from theorytk.runner.remote import run_batch
from theorytk.runner.tasks import Outcome, Task

__all__ = ["DaskPool", "LokyPool", "Pool", "dask_client"]

Batch = Future[list[Outcome]]
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


class Pool(ABC):
    """What runs batches of tasks of one experiment.

    Attributes
    ----------
    died : exception type
        What a future raises whose worker died.
    shared_fate : bool
        Whether one worker's death takes all that is in flight with it.
    timeout : float or None
        Seconds that a task may take.
    """

    died: type[BaseException]
    shared_fate: bool
    timeout: float | None

    @abstractmethod
    def width(self) -> int:
        """Return the number of workers."""

    @abstractmethod
    def submit(self, batch: list[Task]) -> Batch:
        """Start a batch of tasks."""

    @abstractmethod
    def alone(self) -> Pool:
        """Return a pool in which a suspect task can take nothing with it."""

    @abstractmethod
    def restart(self) -> None:
        """Go on after a worker has died."""

    @abstractmethod
    def stop(self) -> None:
        """Leave what is in flight."""


class LokyPool(Pool):
    """Processes of this machine, which loky keeps from one experiment to the next."""

    died = BrokenProcessPool
    shared_fate = True

    def __init__(self, payload: bytes, jobs: int, timeout: float | None = None) -> None:
        self._payload, self._jobs, self.timeout = payload, jobs, timeout
        self._executor = _executor(jobs)

    def width(self) -> int:
        """Return the number of processes."""
        return self._jobs

    def submit(self, batch: list[Task]) -> Batch:
        """Start a batch; where a worker has just died, return a future that says so."""
        future: Batch
        try:
            future = self._executor.submit(run_batch, self._payload, batch, self.timeout)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        return future

    def alone(self) -> LokyPool:
        """Return a pool of one."""
        return LokyPool(self._payload, 1, self.timeout)

    def restart(self) -> None:
        """Take new processes in the place of the broken pool's."""
        self._executor = _executor(self._jobs)

    def stop(self) -> None:
        """End the workers."""
        self._executor.shutdown(wait=False, kill_workers=True)


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


class DaskPool(Pool):
    """A Dask cluster: it runs what a lost worker had on another one, and gives up on killers."""

    shared_fate = False

    def __init__(self, payload: bytes, client: Any, timeout: float | None = None) -> None:
        from distributed import KilledWorker

        self.died = KilledWorker
        self.timeout = timeout
        self._client, self._payload = client, payload
        self._executor = client.get_executor(pure=False, retries=0)
        self._in_flight: set[Batch] = set()
        self._width, self._counted = 1, -math.inf

    def width(self) -> int:
        """Return how many threads the cluster had at the last count, at most a second ago."""
        if time.monotonic() - self._counted > 1.0:
            self._width = max(int(sum(self._client.nthreads().values())), 1)
            self._counted = time.monotonic()
        return self._width

    def submit(self, batch: list[Task]) -> Batch:
        """Start a batch."""
        future: Batch = self._executor.submit(_run_on_dask, self._payload, batch, self.timeout)
        self._in_flight.add(future)
        future.add_done_callback(self._in_flight.discard)
        return future

    def alone(self) -> DaskPool:
        """Return this pool: a worker's death costs only the batches that it ran."""
        return self

    def restart(self) -> None:
        """Do nothing: the cluster takes new workers by itself."""

    def stop(self) -> None:
        """Cancel what has not started."""
        for future in tuple(self._in_flight):
            future.cancel()


def _run_on_dask(payload: bytes, batch: list[Task], timeout: float | None) -> list[Outcome]:
    import scipy.linalg  # noqa: F401  (loads its BLAS, so that the limit reaches it)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return run_batch(payload, batch, timeout)


@contextmanager
def dask_client(scheduler: str | None, jobs: int) -> Iterator[Any]:
    """Connect to a running scheduler, or start a cluster of `jobs` processes on this machine."""
    try:
        import dask
        import distributed
    except ImportError as error:
        raise ImportError("backend 'dask' needs: pip install 'theorytk[dask]'") from error
    connected: Any = distributed.Client
    if scheduler is not None:
        try:
            client = connected(scheduler, timeout=30)
        except (OSError, ValueError) as error:
            raise ValueError(f"scheduler {scheduler!r} does not answer: {error}") from error
        with client:
            yield client
        return
    local: Any = distributed.LocalCluster
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        local(n_workers=jobs, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as own,
        connected(own) as client,
    ):
        yield client
