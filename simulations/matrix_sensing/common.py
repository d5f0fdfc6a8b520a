"""What the experiments on matrix sensing share: a recorded descent, and rates per replicate."""

from __future__ import annotations

import numpy as np

from theorytk.claims import by_replicate
from theorytk.inference import tail_rate
from theorytk.matrix_sensing import IdentitySensing, iterates, log_schedule, reduce_core

from .mistakes import RULES

PAPER = "xiong2024"


def schedule(steps, per_decade=20, evenly=100):
    """Return recorded iterations: `per_decade` by logarithm, and `evenly` spaced ones."""
    even = np.linspace(0, steps, evenly + 1).round().astype(int)
    return np.union1d(log_schedule(steps, per_decade), even)


def population(singular_values, F0, G0=None, *, rule="gradient", step_size, record):
    """Return iterations and errors of a descent on the truth diag(singular_values, 0, ...).

    Named rules are equivariant under rotations and run in the reduced core, where the errors are
    the same; a user's own rule sees the full matrices.
    """
    problem = population_problem(singular_values, F0, G0, rule=rule)
    return descend(*problem, rule=rule, step_size=step_size, record=record)


def population_problem(singular_values, F0, G0=None, *, rule="gradient"):
    """Return operator, truth and factors: of the core for a named rule, else the full ones."""
    n, r = len(F0), len(singular_values)
    truth = np.diag(np.pad(singular_values, (0, n - r)))
    if isinstance(rule, str):
        U = np.eye(n, r)
        core = reduce_core(F0, F0 if G0 is None else G0, U, singular_values, U)
        size = len(core.F)
        truth, F0, G0 = truth[:size, :size], core.F, None if G0 is None else core.G
    return IdentitySensing(len(truth)), truth, F0, G0


def descend(operator, truth, F0, G0=None, *, rule, step_size, record):
    """Return iterations and errors ||F G' - M||_F at `record`; infinite after divergence."""
    return trace(operator, truth, F0, G0, rule=rule, step_size=step_size, record=record)[:2]


def trace(operator, truth, F0, G0=None, *, rule, step_size, record):
    """Return iterations, errors as `descend`, and the last finite factors."""
    errors = {}
    for t, F, G in walk(operator, truth, F0, G0, rule=rule, step_size=step_size, record=record):
        with np.errstate(over="ignore", invalid="ignore"):
            error = float(np.linalg.norm(F @ G.T - truth))
        if np.isfinite(error):
            errors[t], last = error, (F, G)
    finite = [errors.get(t, np.inf) for t in record]
    return np.asarray(record), np.array(finite), *last


def walk(operator, truth, F0, G0=None, *, rule, step_size, record):
    """Return an iterator of (iteration, F, G) at `record`, by a rule of the library or of RULES."""
    return iterates(
        operator,
        truth=truth,
        F0=F0,
        G0=G0,
        step_size=step_size,
        max_iter=int(record[-1]),
        rule=RULES.get(rule, rule) if isinstance(rule, str) else rule,
        record=record,
    )


def bounded(error):
    """Return errors within 1e-300 and 1e300, so that logarithms are finite after divergence too."""
    return np.clip(np.nan_to_num(error, nan=np.inf), 1e-300, 1e300)


def rates(table, by=()):
    """Return the tail rates of all replicates, for each level of the factors `by`."""
    times = by_replicate(table, "iteration", by)
    errors = by_replicate(table, "error", by)
    return {
        label: np.array([tail_rate(t, e) for t, e in zip(times[label], errors[label], strict=True)])
        for label in errors
    }
