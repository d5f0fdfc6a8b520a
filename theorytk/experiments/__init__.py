"""Experiments as a project declares them: a function, its design, its columns, its presets.

How they run is the business of :mod:`theorytk.runner`.
"""

from theorytk.experiments.design import Design, grid
from theorytk.experiments.experiment import PRESETS, Column, Experiment, experiment

__all__ = [
    "PRESETS",
    "Column",
    "Design",
    "Experiment",
    "experiment",
    "grid",
]
