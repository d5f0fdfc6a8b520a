"""Pools of workers: processes of this machine (loky), or a Dask cluster."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from theorytk.runner.remote import run_batch
from theorytk.runner.tasks import Outcome, Task

__all__ = ["DaskPool", "LokyPool", "Pool", "dask_client"]

_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


class Pool(ABC):
    """What runs batches of tasks of one experiment.

    Attributes
    ----------
    died : exception type
        What the result of a future raises whose worker died.
    timeout : float or None
        Seconds that a task may take.
    """

    died: type[BaseException]
    timeout: float | None

    @abstractmethod
    def width(self) -> int:
        """Return the number of workers."""

    @abstractmethod
    def submit(self, batch: list[Task]) -> Any:
        """Start a batch of tasks and return its future, whose result are outcomes."""

    @abstractmethod
    def finished(self, futures: Iterable[Any]) -> Iterable[Any]:
        """Wait for the first of some futures and return those that have finished."""

    @abstractmethod
    def restart(self) -> None:
        """Go on after a worker has died."""

    @abstractmethod
    def stop(self) -> None:
        """Leave what is in flight."""


class LokyPool(Pool):
    """Processes of this machine, which loky keeps from one experiment to the next."""

    died = BrokenProcessPool

    def __init__(self, payload: bytes, jobs: int, timeout: float | None = None) -> None:
        self._payload, self._jobs, self.timeout = payload, jobs, timeout
        self._executor = _executor(jobs)

    def width(self) -> int:
        """Return the number of processes."""
        return self._jobs

    def submit(self, batch: list[Task]) -> Future[list[Outcome]]:
        """Start a batch; where a worker has just died, return a future that says so."""
        future: Future[list[Outcome]]
        try:
            future = self._executor.submit(run_batch, self._payload, batch, self.timeout)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
        return future

    def finished(self, futures: Iterable[Any]) -> Iterable[Any]:
        """Wait for the first of some futures and return those that have finished."""
        return wait(futures, return_when=FIRST_COMPLETED).done

    def restart(self) -> None:
        """Take new processes in the place of a broken pool's."""
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

    def __init__(self, payload: bytes, client: Any, timeout: float | None = None) -> None:
        from distributed import KilledWorker

        self.died = KilledWorker
        self.timeout = timeout
        self._client, self._payload = client, payload
        self._in_flight: set[Any] = set()
        self._width, self._counted = 1, -math.inf

    def width(self) -> int:
        """Return how many threads the cluster had at the last count, at most a second ago."""
        if time.monotonic() - self._counted > 1.0:
            self._width = max(int(sum(self._client.nthreads().values())), 1)
            self._counted = time.monotonic()
        return self._width

    def submit(self, batch: list[Task]) -> Any:
        """Start a batch."""
        arguments = self._payload, batch, self.timeout
        future = self._client.submit(_run_on_dask, *arguments, pure=False)
        self._in_flight.add(future)
        return future

    def finished(self, futures: Iterable[Any]) -> Iterable[Any]:
        """Wait for the first of some futures and return those that have finished."""
        import distributed

        wait_for: Any = distributed.wait
        with self._client.as_current():  # it is no default client: the user's Dask stays as it is
            done: set[Any] = wait_for(list(futures), return_when="FIRST_COMPLETED").done
        self._in_flight -= done
        return done

    def restart(self) -> None:
        """Do nothing: the cluster takes new workers by itself."""

    def stop(self) -> None:
        """Cancel what has not finished."""
        self._client.cancel(list(self._in_flight))


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
            client = connected(scheduler, timeout=30, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"scheduler {scheduler!r} does not answer: {error}") from error
        with client:
            yield client
        return
    local: Any = distributed.LocalCluster
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        local(n_workers=jobs, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as own,
        connected(own, set_as_default=False) as client,
    ):
        yield client
