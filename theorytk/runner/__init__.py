"""The runner: design, random streams, tasks, workers and the store."""

from theorytk.runner.design import Design, grid
from theorytk.runner.executor import execute
from theorytk.runner.experiment import PRESETS, Column, Experiment, experiment
from theorytk.runner.run import RunSummary, Wanted, missing, run, run_in_memory
from theorytk.runner.store import Store
from theorytk.runner.tasks import Outcome, Task

__all__ = [
    "PRESETS",
    "Column",
    "Design",
    "Experiment",
    "Outcome",
    "RunSummary",
    "Store",
    "Task",
    "Wanted",
    "execute",
    "experiment",
    "grid",
    "missing",
    "run",
    "run_in_memory",
]
