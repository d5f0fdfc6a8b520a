"""The runner: design, random streams, tasks and workers.

A worker imports this, so what only the driver needs (`run` and `store`, hence pyarrow and pandas)
is imported from its own module.
"""

from theorytk.runner.design import Design, grid
from theorytk.runner.executor import execute
from theorytk.runner.experiment import PRESETS, Column, Experiment, experiment
from theorytk.runner.tasks import Outcome, Task

__all__ = [
    "PRESETS",
    "Column",
    "Design",
    "Experiment",
    "Outcome",
    "Task",
    "execute",
    "experiment",
    "grid",
]
