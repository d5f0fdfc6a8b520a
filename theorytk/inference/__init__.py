"""Estimates, regions and verdicts: arrays in, no files; the lowest layer."""

from theorytk.inference.betting import betting_interval
from theorytk.inference.estimates import (
    LEVEL,
    MIN_REPLICATES,
    Estimate,
    bounded_mean_estimate,
    distribution_distance_estimate,
    exact_estimate,
    mean_estimate,
    proportion_estimate,
    slope_estimate,
    violations_estimate,
)
from theorytk.inference.judging import KINDS, Judgement, Point, Verdict, judge, levels_of_looks
from theorytk.inference.orders import order_estimate
from theorytk.inference.regions import AtLeast, AtMost, Between, Region
from theorytk.inference.sequential import sequential_verdict
from theorytk.inference.tails import tail_rate

__all__ = [
    "KINDS",
    "LEVEL",
    "MIN_REPLICATES",
    "AtLeast",
    "AtMost",
    "Between",
    "Estimate",
    "Judgement",
    "Point",
    "Region",
    "Verdict",
    "betting_interval",
    "bounded_mean_estimate",
    "distribution_distance_estimate",
    "exact_estimate",
    "judge",
    "levels_of_looks",
    "mean_estimate",
    "order_estimate",
    "proportion_estimate",
    "sequential_verdict",
    "slope_estimate",
    "tail_rate",
    "violations_estimate",
]
