"""The runner: design, random streams, tasks, workers and the store."""

from theorytk.runner.design import Design, grid
from theorytk.runner.experiment import PRESETS, Column, Experiment, experiment
from theorytk.runner.run import RunSummary, Wanted, missing, replay, run, run_in_memory
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
    "experiment",
    "grid",
    "missing",
    "replay",
    "run",
    "run_in_memory",
]
