"""Dynamic compensation: the greedy search of UniPC's compensation ratios on a few trajectories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, is_numpy_array
from scipy.optimize import minimize_scalar

from theorytk._validation import check_array, check_int
from theorytk.diffusion.models import Model, conversion
from theorytk.diffusion.plans import Eval, Instruction, Lin
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.samplers.unipc import UniPCRule, unipc_rule
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["Compensation", "search_compensation"]

REFERENCE_RTOL = 1e-9
RATIO_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Compensation:
    """What :func:`search_compensation` found.

    Attributes
    ----------
    ratios : ndarray, shape (n_steps,)
        The compensation ratios, for :func:`theorytk.diffusion.samplers.unipc.unipc`.
    errors : ndarray, shape (n_steps,)
        The mean square error of the states after each step, with these ratios.
    uncompensated : ndarray, shape (n_steps,)
        The same with the ratio 1 in that step alone.
    n_evaluations : int
        How often the model was called; references that the search computed are not counted.
    """

    ratios: np.ndarray
    errors: np.ndarray
    uncompensated: np.ndarray
    n_evaluations: int


def search_compensation(
    model: Model | Callable[[Any, float], Any],
    schedule: NoiseSchedule,
    times: Any,
    starts: Any,
    *,
    order: int,
    output: str = "data",
    b: str = "bh2",
    lower_order_final: bool | str = True,
    order_of_compensation: int = 2,
    references: Any = None,
    bounds: tuple[float, float] = (0.2, 1.8),
    n_scan: int = 17,
) -> Compensation:
    """Search the compensation ratios of UniPC, one step after the other.

    The ratio of a step minimises the mean square distance between the state after it, corrected,
    and the exact state there; earlier ratios stay. It is sought by a scan and a bounded
    minimisation around its best point, and kept only if it is better than 1. The state and the
    outputs before the step are kept, so that a trial costs one evaluation, and none in the last
    step, which has no corrector.

    Parameters
    ----------
    model : callable or Model
        A function of (x, t); a plain function predicts the noise.
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        The time grid, decreasing.
    starts : array, shape (n, *event)
        The states at the first time of the trajectories to learn from; ten in the paper.
    order, output, b, lower_order_final, order_of_compensation
        As in :func:`theorytk.diffusion.samplers.unipc.unipc`.
    references : array, shape (n_steps + 1, n, *event), optional
        The exact states at all times. By default they are computed to a relative 1e-9, for starts
        of shape (n, d) in NumPy.
    bounds : tuple of float
        The range of the ratios.
    n_scan : int
        The number of ratios that are tried before the minimisation, >= 3.

    Returns
    -------
    Compensation

    Raises
    ------
    ValueError
        If an argument is out of range, or `references` do not fit the times and the starts.

    References
    ----------
    Zhao, Wang, Zhou, Lu, DC-Solver (ECCV 2024): the greedy search on ten trajectories against the
    nearest states of a 200-step DDIM, by AdamW. Here the states are exact and the search is a scan
    with a bounded minimisation, for the objective has one variable.

    Examples
    --------
    >>> from theorytk.diffusion import VPLinear, three_modes, time_grid
    >>> schedule = VPLinear()
    >>> x = np.random.default_rng(0).standard_normal((10, 2))
    >>> times = time_grid(schedule, "uniform", 5)
    >>> found = search_compensation(three_modes().model(schedule), schedule, times, x, order=2)
    >>> bool((found.errors <= found.uncompensated).all()), found.ratios[:2]
    (True, array([1., 1.]))
    """
    if not isinstance(model, Model):
        model = Model(model)
    rule = unipc_rule(schedule, times, order, output, b, lower_order_final)
    degree = check_int("order_of_compensation", order_of_compensation, lower=1)
    low, high = check_array("bounds", bounds, shape=(2,))
    if not low < high:
        raise ValueError(f"bounds must increase; got {bounds}")
    scan = np.linspace(low, high, check_int("n_scan", n_scan, lower=3))
    exact = _references(model, rule, starts, references)
    search = _Search(model, rule, degree, scan)
    steps = list(search.steps(starts, exact))
    ratios, errors, uncompensated = np.array(steps).T
    return Compensation(ratios, errors, uncompensated, search.n_evaluations)


class _Trial(NamedTuple):
    """A step with one ratio: its mean square error and the registers after it."""

    ratio: float
    error: float
    registers: dict[str, Any]


class _Search:
    """The greedy search; it counts the evaluations of the model."""

    def __init__(self, model: Model, rule: UniPCRule, degree: int, scan: np.ndarray) -> None:
        self.model, self.rule, self.degree, self.scan = model, rule, degree, scan
        self.outputs = [f"m{i}" for i in range(rule.n_steps + 1)]
        self.n_evaluations = 0

    def steps(self, starts: Any, exact: Any) -> Iterator[tuple[float, float, float]]:
        """Yield the ratio of each step and the errors with and without it."""
        last = self.rule.n_steps - 1
        registers = self._run([self.rule.evaluation(0, "x0")], {"x0": starts})
        for i in range(last + 1):
            wanted, outputs = exact[i + 1, ...], [*self.outputs[:i], f"c{i}"]
            plain = self._trial(self.rule.step(i, self.outputs, i < last), 1.0, registers, wanted)
            best = plain
            if i >= self.degree:
                step = self.rule.step(i, outputs, i < last)
                best = self._best(i, step, plain, registers, wanted)
            if best.ratio != 1.0:
                self.outputs[i] = f"c{i}"
            registers = best.registers
            yield best.ratio, best.error, plain.error

    def _best(
        self,
        i: int,
        step: list[Instruction],
        plain: _Trial,
        registers: dict[str, Any],
        wanted: Any,
    ) -> _Trial:
        """Return the best trial of step i, the plain one if none is better."""
        best = plain

        def error(ratio: float) -> float:
            nonlocal best
            shift = self.rule.compensation(i, self.outputs, float(ratio), self.degree)
            trial = self._trial([shift, *step], float(ratio), registers, wanted)
            best = min(best, trial, key=lambda t: t.error)
            return trial.error

        k = int(np.argmin([error(ratio) for ratio in self.scan]))
        around = self.scan[max(k - 1, 0)], self.scan[min(k + 1, len(self.scan) - 1)]
        minimize_scalar(error, bounds=around, method="bounded", options={"xatol": RATIO_TOLERANCE})
        return best

    def _trial(
        self, steps: list[Instruction], ratio: float, registers: dict[str, Any], wanted: Any
    ) -> _Trial:
        """Return what a step leads to, and how far its end is from the exact state."""
        after = self._run(steps, dict(registers))
        end = after[steps[-1].target]
        error = float(array_namespace(end).mean((end - wanted) ** 2))
        return _Trial(ratio, error, after)

    def _run(self, steps: list[Instruction], registers: dict[str, Any]) -> dict[str, Any]:
        """Execute evaluations and linear combinations; add what they assign to the registers."""
        for step in steps:
            if isinstance(step, Eval):
                registers[step.target] = self._evaluate(step, registers[step.source])
            elif isinstance(step, Lin):
                registers[step.target] = sum(c * registers[name] for c, name in step.terms)
        return registers

    def _evaluate(self, step: Eval, x: Any) -> Any:
        """Return the wanted prediction of the model."""
        self.n_evaluations += 1
        schedule = self.rule.schedule
        alpha, sigma = float(schedule.alpha(step.t)), float(schedule.sigma(step.t))
        of_x, of_value = conversion(self.model.predicts, step.output, alpha, sigma)
        return of_x * x + of_value * self.model(x, step.t)


def _references(model: Model, rule: UniPCRule, starts: Any, references: Any) -> Any:
    """Return the exact states at all times, given or computed."""
    if model.schedule is not None and model.schedule != rule.schedule:
        raise ValueError(f"model was made for {model.schedule}, not for {rule.schedule}")
    if references is None:
        if not is_numpy_array(starts):
            raise ValueError(f"references must be given for starts of type {type(starts).__name__}")
        solved = reference_trajectory(model, rule.schedule, starts, rule.times, rtol=REFERENCE_RTOL)
        return solved.states
    wanted = (len(rule.times), *starts.shape)
    if tuple(references.shape) != wanted:
        raise ValueError(f"references must have shape {wanted}; got {tuple(references.shape)}")
    return references
