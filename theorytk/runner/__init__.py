"""The runner: random streams, tasks, workers and the store.

A worker imports this, so what only the driver needs (`run` and `store`, hence pyarrow and pandas)
is imported from its own module.
"""

from theorytk.runner.executor import execute
from theorytk.runner.tasks import Outcome, Task

__all__ = ["Outcome", "Task", "execute"]
