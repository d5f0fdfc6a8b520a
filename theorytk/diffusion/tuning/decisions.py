"""Solver schedules: what each step of a sampler does, decided step by step.

Every step has its own prediction, order, corrector and relaxations, on times of one's choice. Most
known multistep methods are schedules; a search looks for better ones.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from theorytk._validation import check_choice, check_int, check_real
from theorytk.diffusion.models import OUTPUTS
from theorytk.diffusion.phi import phi_moment
from theorytk.diffusion.plans import Eval, Instruction, Lin, Ones, Plan, check_times
from theorytk.diffusion.samplers._exponential import moment_weights
from theorytk.diffusion.samplers._v3_steps import V3Steps, as_coefficient
from theorytk.diffusion.samplers._v3_tables import CubicTables
from theorytk.diffusion.samplers.v3_interpolation import v3_weights
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.tuning.statistics import ModelStatistics, nodes_within

__all__ = ["CORRECTORS", "MOST_OUTPUTS", "RELAXATIONS", "SolverSchedule", "StepDecision"]

Array = np.ndarray
PREDICTIONS = (*OUTPUTS, "v3")

CORRECTORS = ("none", "pseudo", "implicit")
"""No corrector; one that costs no evaluation; one whose state is evaluated again."""

MOST_OUTPUTS = 4
"""The highest order of a step."""

RELAXATIONS = ("relaxation", "corrector_relaxation")
"""The fields of a decision that multiply a first derivative."""

NAMED_RELAXATIONS = ("bh1", "bh2")


@dataclass(frozen=True)
class StepDecision:
    """What one step does.

    Parameters
    ----------
    prediction : {"data", "noise", "v3"}
        The prediction whose interpolating polynomial in lambda the step integrates; "v3" is that of
        DPM-Solver-v3, which needs statistics of the model. A step of order 1 is the same for data
        and noise, unless the state that it starts from was corrected.
    order : int
        How many outputs are interpolated, from 1 to 4, the newest included.
    corrector : {"none", "pseudo", "implicit"}
        Whether the output at the new state is used to take the step again, with one more node.
        ``"pseudo"`` keeps that output for later steps and costs nothing; ``"implicit"`` evaluates
        the model again at the corrected state, for one evaluation more.
    relaxation : float or {"bh1", "bh2"}
        The first derivative of the polynomial is multiplied by ``1 + relaxation h``, h the step in
        lambda; or its moment is replaced by half of h ("bh1") or of the moment of 1 ("bh2"), as
        UniPC does at order 2. Without effect at order 1.
    corrector_relaxation : float or {"bh1", "bh2"}
        The same in the corrector.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    References
    ----------
    Liu, Ning, Yang, Wang, *A Unified Sampling Framework for Solver Searching of Diffusion
    Probabilistic Models* (ICLR 2024), and their released code.

    Examples
    --------
    >>> StepDecision("noise", 2).relaxation
    0.0
    """

    prediction: str = "data"
    order: int = 1
    corrector: str = "none"
    relaxation: float | str = 0.0
    corrector_relaxation: float | str = 0.0

    def __post_init__(self) -> None:
        check_choice("prediction", self.prediction, PREDICTIONS)
        check_int("order", self.order, lower=1, upper=MOST_OUTPUTS)
        check_choice("corrector", self.corrector, CORRECTORS)
        for name in RELAXATIONS:
            value = getattr(self, name)
            if isinstance(value, str):
                check_choice(name, value, NAMED_RELAXATIONS)
            else:
                check_real(name, value)


@dataclass(frozen=True)
class SolverSchedule:
    """A sampler as one decision for each step.

    Parameters
    ----------
    times : sequence of float, shape (n_steps + 1,)
        The time grid, decreasing.
    decisions : sequence of StepDecision, length n_steps
        What each step does. A step i has at most i + 1 outputs to interpolate; the last one has no
        corrector, for nothing is evaluated at its end.
    analytic_first_step : bool
        Whether the first output is that of data at zero, noise = x / sigma, instead of the model's:
        one evaluation less. For data whose mean is subtracted.

    Raises
    ------
    ValueError
        If numbers do not fit, an order exceeds its history or the last step has a corrector.

    References
    ----------
    Liu et al. (ICLR 2024). The first step is the option "zero_x0" of their released code.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import VPLinear
    >>> steps = [StepDecision("data", 1, "pseudo"), StepDecision("noise", 2)]
    >>> schedule = SolverSchedule([1.0, 0.4, 0.001], steps)
    >>> schedule.n_evaluations, schedule.compile(VPLinear()).n_evaluations
    (2, 2)
    """

    times: Sequence[float]
    decisions: Sequence[StepDecision]
    analytic_first_step: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", tuple(float(t) for t in self.times))
        object.__setattr__(self, "decisions", tuple(self.decisions))
        if len(self.times) != len(self.decisions) + 1 or not self.decisions:
            raise ValueError(
                "times must have one node more than there are decisions, and at least two; got "
                f"{len(self.times)} times and {len(self.decisions)} decisions"
            )
        for i, decision in enumerate(self.decisions):
            if not isinstance(decision, StepDecision):
                raise TypeError(f"decisions must hold StepDecision; got {decision!r} at {i}")
            if decision.order > i + 1:
                raise ValueError(
                    f"step {i} has {i + 1} outputs to interpolate; got order {decision.order}"
                )
        if self.decisions[-1].corrector != "none":
            raise ValueError(f"the last step has no corrector; got {self.decisions[-1].corrector}")

    @property
    def n_steps(self) -> int:
        """The number of steps."""
        return len(self.decisions)

    @property
    def n_evaluations(self) -> int:
        """How often the model is called."""
        again = sum(decision.corrector == "implicit" for decision in self.decisions)
        return self.n_steps + again - self.analytic_first_step

    def compile(
        self, schedule: NoiseSchedule, *, statistics: ModelStatistics | None = None
    ) -> Plan:
        """Return the plan for a noise schedule.

        Registers hold states and noise predictions; the other predictions are linear in both, so
        steps may mix all three.

        Parameters
        ----------
        schedule : NoiseSchedule
            The noise schedule.
        statistics : ModelStatistics, optional
            Of the model, needed by steps with the prediction "v3".

        Returns
        -------
        Plan
            Its coefficients are per coordinate in steps with statistics per coordinate.

        Raises
        ------
        ValueError
            If the times do not fit the noise schedule, or the statistics are missing or do not
            cover the times.
        """
        grid = _Grid.of(schedule, self.times)
        if any(decision.prediction == "v3" for decision in self.decisions):
            grid = grid._replace(v3=_v3_steps(schedule, self.times, statistics))
        steps = tuple(self._instructions(grid))
        name = "searched schedule"
        return Plan(name, schedule, np.array(self.times), steps, ("x0",), f"x{self.n_steps}")

    def _instructions(self, grid: _Grid) -> Iterator[Instruction]:
        """Yield the plan's instructions; ``p{i}`` is predicted and ``q{i}`` its output."""
        if grid.v3 is not None:
            yield Ones("one")
        if self.analytic_first_step:
            yield Lin("m0", ((1 / grid.sigma[0], "x0"),))
        else:
            yield Eval("m0", "x0", self.times[0])
        history = [_Point(0, "x0", "m0")]
        for i, decision in enumerate(self.decisions):
            used = history[: -decision.order - 1 : -1]
            node, t = i + 1, self.times[i + 1]
            corrected = decision.corrector != "none"
            state = f"p{node}" if corrected else f"x{node}"
            yield grid.step(state, i, used, decision.prediction, decision.relaxation)
            if node == self.n_steps:
                return
            implicit = decision.corrector == "implicit"
            point = _Point(node, state, f"q{node}" if implicit else f"m{node}")
            yield Eval(point.noise, state, t)
            if corrected:
                relaxation = decision.corrector_relaxation
                yield grid.step(f"x{node}", i, [*used, point], decision.prediction, relaxation)
            if implicit:
                point = _Point(node, f"x{node}", f"m{node}")
                yield Eval(point.noise, point.state, t)
            history.append(point)

    def to_json(self) -> str:
        """Return the schedule as JSON text, from which :meth:`from_json` makes an equal one."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> SolverSchedule:
        """Return the schedule that :meth:`to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON text.

        Returns
        -------
        SolverSchedule
        """
        document: dict[str, Any] = json.loads(text)
        document["decisions"] = [StepDecision(**row) for row in document["decisions"]]
        return cls(**document)


class _Point(NamedTuple):
    """Where the model was called: the node, the register of the state, and that of the noise."""

    node: int
    state: str
    noise: str


class _Grid(NamedTuple):
    """The noise schedule at the nodes, and steps along statistics if there are any."""

    lam: list[float]
    log_alpha: list[float]
    alpha: list[float]
    sigma: list[float]
    v3: V3Steps | None = None

    @classmethod
    def of(cls, schedule: NoiseSchedule, times: Sequence[float]) -> _Grid:
        grid = check_times(schedule, times)
        functions = (schedule.lam, schedule.log_alpha, schedule.alpha, schedule.sigma)
        return cls(*(function(grid).tolist() for function in functions))

    def step(
        self,
        target: str,
        i: int,
        points: Sequence[_Point],
        prediction: str,
        relaxation: float | str,
    ) -> Lin:
        """Return step i through the points; if only where it starts, data and noise agree."""
        if self.v3 is not None and prediction == "v3":
            return _v3_step(self.v3, target, i, points, relaxation)
        alone = len(points) == 1 and points[0].state == f"x{i}"
        output = "noise" if alone else prediction
        h = self.lam[i + 1] - self.lam[i]
        nodes = tuple((self.lam[point.node] - self.lam[i]) / h for point in points)
        weights = _weights(nodes, h, output, relaxation)
        growth = self.log_alpha[i + 1] - self.log_alpha[i]
        if output == "noise":
            terms = {f"x{i}": math.exp(growth)}
            for weight, point in zip(weights, points, strict=True):
                terms[point.noise] = -self.sigma[i + 1] * weight
        else:
            terms = {f"x{i}": math.exp(growth - h)}
            for weight, point in zip(weights, points, strict=True):
                scale = self.alpha[i + 1] * weight / self.alpha[point.node]
                terms[point.state] = terms.get(point.state, 0.0) + scale
                terms[point.noise] = -scale * self.sigma[point.node]
        return Lin(target, tuple((c, name) for name, c in terms.items()))


@lru_cache(maxsize=65536)
def _weights(
    nodes: tuple[float, ...], h: float, output: str, relaxation: float | str
) -> tuple[float, ...]:
    """Return the weights of the outputs at the nodes in a step of length h."""
    moments = [phi_moment(k, h, output) for k in range(len(nodes))]
    return tuple(moment_weights(nodes, _relaxed(moments, h, relaxation)))


def _relaxed(moments: Any, h: float, relaxation: float | str) -> Any:
    """Return moments of which the second, if there is one, is relaxed."""
    if len(moments) > 1:
        if isinstance(relaxation, str):
            moments[1] = (h if relaxation == "bh1" else moments[0]) / 2
        else:
            moments[1] *= 1 + relaxation * h
    return moments


def _v3_steps(
    schedule: NoiseSchedule, times: Sequence[float], statistics: ModelStatistics | None
) -> V3Steps:
    """Return the steps of DPM-Solver-v3 on a time grid."""
    if statistics is None:
        raise ValueError("statistics must be given for the prediction 'v3'; got None")
    grid = check_times(schedule, times)
    lam = nodes_within(statistics, schedule.lam(grid))
    return V3Steps(schedule.alpha(grid), lam, CubicTables(statistics))


def _v3_step(
    steps: V3Steps, target: str, i: int, points: Sequence[_Point], relaxation: float | str
) -> Lin:
    """Return step i of DPM-Solver-v3 through the points, in their states and noises.

    The moments that are relaxed are those of E over its value at the end of the step, which for
    data and noise prediction are the moments there.
    """
    h, end = steps.lam[i + 1] - steps.lam[i], steps.growth(i)

    def weigh(places: list[float], moments: Array) -> Array:
        weights: Array = end * v3_weights(places, _relaxed(moments / end, h, relaxation))
        return weights

    found = steps.coefficients(i, [point.node for point in points], weigh)
    terms: dict[str, Any] = {f"x{i}": found.state}
    for c, point in zip(found.outputs, points, strict=True):
        terms[point.state] = terms.get(point.state, 0.0) + c * steps.linear(point.node)
        terms[point.noise] = c * math.exp(-steps.lam[point.node])
    terms["one"] = found.constant
    return Lin(target, tuple((as_coefficient(c), name) for name, c in terms.items()))
