"""Checks on trajectories that the search has not seen, against seven known samplers."""

import numpy as np

from theorytk.classroom import Wrong, array, check, picture, true
from theorytk.diffusion import VPLinear, random_mixture, time_grid
from theorytk.diffusion.tuning.decisions import SolverSchedule, StepDecision
from theorytk.diffusion.tuning.search import baselines
from theorytk.diffusion.tuning.unrolled import (
    PlanBatch,
    Trajectories,
    schedule_errors,
    solve_trajectories,
)

PAPER = "liu2024usf"
QUESTION = (
    "Why is the least of a hundred training errors too small as an estimate of the error, and why "
    "may the best baseline be chosen on the held-out trajectories?"
)

SCHEDULE = VPLinear()
FIRST, LAST = SCHEDULE.lam(np.array([1.0, 0.001]))
KINDS = ("logsnr", "quadratic", "edm", "uniform")
TRAINING, HELD_OUT, BUDGET, TARGETS, SETS, MOST = 512, 512, 100, 8, 3, 0.9


def _schedule(nodes, steps, name):
    """Return the library's schedule for a student's pair."""
    nodes = array(nodes, f"nodes in {name}", shape=(3,))
    places = np.concatenate([[0.0], nodes, [1.0]])
    if np.diff(places).min() < 0.001 - 1e-12:
        raise Wrong(f"nodes in {name} must increase in (0, 1) with gaps of 0.001: {nodes}")
    if not isinstance(steps, list | tuple) or len(steps) != 4:
        raise Wrong(f"steps in {name} must be a list of four triples")
    decisions = [_decision(i, step, name) for i, step in enumerate(steps)]
    times = SCHEDULE.t_of_lam(FIRST + (LAST - FIRST) * places)
    times[[0, -1]] = 1.0, 0.001
    return SolverSchedule(times, decisions)


def _decision(i, step, name):
    if not isinstance(step, list | tuple) or len(step) != 3:
        raise Wrong(f"steps in {name} must be triples (prediction, order, corrector): {step!r}")
    prediction, order, corrector = step
    if prediction not in ("data", "noise"):
        raise Wrong(f'a prediction in {name} must be "data" or "noise": {prediction!r}')
    if not isinstance(order, int | np.integer) or not 1 <= order <= min(3, i + 1):
        raise Wrong(f"the order of step {i} in {name} must be 1 to {min(3, i + 1)}: {order!r}")
    if not isinstance(corrector, bool | np.bool_) or (i == 3 and corrector):
        raise Wrong(f"the corrector of step {i} in {name} is no bool, or the last is not False")
    return StepDecision(str(prediction), int(order), "pseudo" if corrector else "none")


def _problem(rng):
    """Return trajectories to search on, and others."""
    target = random_mixture(2, 4, rng)
    starts = rng.standard_normal((TRAINING + HELD_OUT, 2))
    solved = solve_trajectories(target, SCHEDULE, starts)
    parts = (slice(TRAINING), slice(TRAINING, None))
    return [Trajectories(solved.model, solved.starts[p], solved.ends[p]) for p in parts]


def _error(schedule, trajectories):
    with np.errstate(all="ignore"):
        [found] = schedule_errors([schedule], trajectories)
    return float(found) if np.isfinite(found) else np.inf


def _searched(student, train, rng, budget=BUDGET):
    """Return the schedule that the student finds, and the errors that the search was told."""
    told = []

    def error(nodes, steps):
        schedule = _schedule(nodes, steps, "error(nodes, steps)")
        if len(told) >= budget:
            raise Wrong(f"error was called more than {budget} times, which are the budget")
        told.append(_error(schedule, train))
        return told[-1]

    found = student.search(error, budget, rng)
    if not isinstance(found, list | tuple) or len(found) != 2:
        raise Wrong("search(error, budget, rng) must return a pair (nodes, steps)")
    return _schedule(*found, "what search(error, budget, rng) returned"), told


def _baselines(held_out, kinds):
    """Return the least held-out error of seven samplers on the given grids."""
    errors = []
    for kind in kinds:
        plans = baselines(SCHEDULE, time_grid(SCHEDULE, kind, 4)).values()
        errors.append(PlanBatch(list(plans)).errors(held_out).min())
    return min(errors)


def _ratio(student, rng, kinds):
    """Return the geometric mean of the ratios to the best baseline, over random targets."""
    logs = []
    for _ in range(TARGETS):
        train, held_out = _problem(rng)
        schedule, _ = _searched(student, train, rng)
        logs.append(np.log(_error(schedule, held_out) / _baselines(held_out, kinds)))
    return float(np.exp(np.mean(logs)))


def _graded(student, rng, kinds, against):
    """Accept a search that is good enough on one of three sets: a good one misses one in 10^4."""
    ratios = [_ratio(student, rng, kinds)]
    while ratios[-1] >= MOST and len(ratios) < SETS:
        ratios.append(_ratio(student, rng, kinds))
    written = ", ".join(f"{ratio:.3g}" for ratio in ratios)
    true(
        ratios[-1] < MOST,
        f"the held-out error of your schedules is {written} times that of {against} (geometric "
        f"means over {SETS} sets of {TARGETS} targets); it has to be less than {MOST:g} times",
    )


@check(points=2)
def keeps_the_budget(student, rng):
    """The search keeps any budget, and returns a schedule.

    Count every call, also those for the first schedules that you try. With a budget of one there
    is one schedule to return.
    """
    train, _ = _problem(rng)
    for budget in (1, 2, 17, BUDGET):
        _searched(student, train, rng, budget)


@check(points=3)
def better_than_equal_steps(student, rng):
    """The held-out error against the best of seven samplers with steps equal in lambda.

    Try what is known first, then change one thing at a time and keep what is better. Is it the
    best schedule that is returned, or the last?
    """
    _graded(student, rng, KINDS[:1], "the best of seven samplers with steps equal in lambda")


@check(points=4)
def better_than_all(student, rng):
    """The held-out error against the best of the seven samplers on any of four grids.

    The nodes matter more than the decisions. Where do you begin, and how far do you move them?
    """
    _graded(student, rng, KINDS, "the best of seven samplers on any of four grids")


@picture
def best_so_far(student, rng, figure):
    axes = figure.add_subplot()
    for i in range(3):
        train, held_out = _problem(rng)
        schedule, told = _searched(student, train, rng)
        colour = f"C{i}"
        count = np.arange(1, len(told) + 1)
        axes.semilogy(count, np.minimum.accumulate(told), color=colour, label=f"target {i + 1}")
        axes.plot([len(told)], [_error(schedule, held_out)], "o", color=colour)
        axes.axhline(_baselines(held_out, KINDS), color=colour, linestyle=":")
    axes.plot([], [], "ko", label="held out")
    axes.plot([], [], "k:", label="best of 28 known, held out")
    axes.set(xlabel="evaluated schedules (1)", ylabel="least training error so far (1)")
    axes.legend()
