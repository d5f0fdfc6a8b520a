"""Experiments as a project declares them: a function, its design, its columns, its presets.

How they run is the business of :mod:`theorytk.runner`.
"""

from theorytk.experiments.design import Condition, Design, canonical, grid, parse
from theorytk.experiments.experiment import PRESETS, Column, Experiment, experiment

__all__ = [
    "PRESETS",
    "Column",
    "Condition",
    "Design",
    "Experiment",
    "canonical",
    "experiment",
    "grid",
    "parse",
]
