"""Plans: a sampler as a short list of instructions whose coefficients are data.

A plan evaluates the model at a state (:class:`Eval`), combines registers linearly (:class:`Lin`)
and puts normal noise (:class:`Noise`) or ones (:class:`Ones`). Each register is assigned once: the
state at node i of the time grid is ``x{i}``, the model's output there ``m{i}``; any other name is
the method's own. A new solver is a function that returns a plan;
:func:`theorytk.diffusion.execution.sample` runs it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from theorytk._validation import check_array
from theorytk.diffusion import _json
from theorytk.diffusion.instructions import (
    Coefficient,
    Eval,
    Instruction,
    Lin,
    Noise,
    Ones,
    find_problem,
)
from theorytk.diffusion.models import conversion
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = [
    "Eval",
    "Instruction",
    "Lin",
    "Noise",
    "Ones",
    "Plan",
    "check_times",
    "with_final_denoise",
]


class Lowered(NamedTuple):
    """An instruction as the executor reads it, its registers numbered by their assignment.

    `coefficients` are those of a combination, of which `some_arrays` may be arrays, or for an
    evaluation the pair (a, b) that makes the wanted output a x + b (what the model predicts);
    `node` is the node of the time grid whose state is assigned; the registers in `dead` are not
    read again.
    """

    instruction: Instruction
    target: int
    sources: tuple[int, ...]
    coefficients: Sequence[Any]
    dead: tuple[int, ...]
    node: int | None
    some_arrays: bool


@dataclass(frozen=True, eq=False)
class Plan:
    """A sampler compiled for one schedule and one time grid.

    Attributes
    ----------
    method : str
        The name of the method.
    schedule : NoiseSchedule
        The schedule that the coefficients were computed for.
    times : ndarray, shape (n_steps + 1,)
        The time grid, decreasing.
    instructions : tuple of Eval, Lin, Noise and Ones
        In the order of their execution; every register is assigned once.
    inputs : tuple of str
        Registers that the caller fills: ``("x0",)``, or ``("x0", ..., "xb")`` for a plan whose
        history are b earlier exact states.
    output : str
        The register that holds the result.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import EDM
    >>> steps = (Eval("m0", "x0", 2.0), Lin("x1", ((1.0, "x0"), (-1.0, "m0"))))
    >>> print(Plan("Euler", EDM(), np.array([2.0, 1.0]), steps, ("x0",), "x1"))
    Euler: 1 steps, 1 evaluations, 2 registers
      x0 given
      m0 = noise(x0, t = 2)
      x1 = 1 x0 - 1 m0
      result x1
    """

    method: str
    schedule: NoiseSchedule
    times: np.ndarray
    instructions: tuple[Instruction, ...]
    inputs: tuple[str, ...]
    output: str

    def __post_init__(self) -> None:
        for name in ("instructions", "inputs"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        known = set(self.inputs)
        if not self.inputs or len(known) < len(self.inputs):
            raise ValueError(f"inputs must be distinct registers, at least one; got {self.inputs}")
        for i, step in enumerate(self.instructions):
            if not isinstance(step, Eval | Lin | Noise | Ones):
                raise TypeError(
                    f"instruction {i} must be an Eval, Lin, Noise or Ones; got {step!r}"
                )
            problem = find_problem(step, known)
            if problem:
                raise ValueError(f"instruction {i} ({step}) {problem}")
            known.add(step.target)
        if self.output not in known:
            raise ValueError(f"output must be an assigned register; got {self.output!r}")

    @property
    def n_steps(self) -> int:
        """The number of steps of the time grid."""
        return len(self.times) - 1

    @cached_property
    def n_evaluations(self) -> int:
        """How often the plan calls the model (NFE)."""
        return sum(isinstance(step, Eval) for step in self.instructions)

    @property
    def n_registers(self) -> int:
        """The largest number of arrays that have to be kept between two instructions."""
        live = [len(self.inputs)]
        for dead in self._dead:
            live.append(live[-1] + 1 - len(dead))
        return max(live)

    @cached_property
    def _dead(self) -> list[list[str]]:
        """Return the registers that each instruction is the last to touch."""
        last = {name: i for i, step in enumerate(self.instructions) for name in step.sources}
        dead: list[list[str]] = [[] for _ in self.instructions]
        for i, step in enumerate(self.instructions):
            dead[last.get(step.target, i)].append(step.target)
        for name in self.inputs:
            if name in last:
                dead[last[name]].append(name)
        return [[name for name in names if name != self.output] for names in dead]

    @cached_property
    def _programs(self) -> dict[str, tuple[Lowered, ...]]:
        return {}

    def lowered(self, predicts: str) -> tuple[Lowered, ...]:
        """Return the instructions as the executor reads them; computed once for each `predicts`.

        Parameters
        ----------
        predicts : {"noise", "data", "velocity", "score"}
            What the model predicts.

        Returns
        -------
        tuple of Lowered
            One for each instruction.
        """
        if predicts not in self._programs:
            self._programs[predicts] = tuple(self._lower(predicts))
        return self._programs[predicts]

    def _lower(self, predicts: str) -> Iterator[Lowered]:
        targets = (step.target for step in self.instructions)
        number = {name: i for i, name in enumerate([*self.inputs, *targets])}
        node = {f"x{i}": i for i in range(len(self.times))}
        for step, dead in zip(self.instructions, self._dead, strict=True):
            coefficients: tuple[Coefficient, ...] = ()
            if isinstance(step, Lin):
                coefficients = tuple(c for c, _ in step.terms)
            elif isinstance(step, Eval):
                alpha, sigma = (
                    float(self.schedule.alpha(step.t)),
                    float(self.schedule.sigma(step.t)),
                )
                coefficients = conversion(predicts, step.output, alpha, sigma)
            yield Lowered(
                step,
                number[step.target],
                tuple(number[name] for name in step.sources),
                coefficients,
                tuple(number[name] for name in dead),
                node.get(step.target),
                any(isinstance(c, np.ndarray) for c in coefficients),
            )

    def coefficients(self) -> np.ndarray:
        """Return the coefficients as a structured array, one row per term of a combination.

        Returns
        -------
        ndarray, shape (n_terms,)
            With the fields ``instruction`` (its position), ``target``, ``source``, ``coefficient``;
            the last of the event's shape if some coefficient is an array.
        """
        pairs = [c for step in self.instructions if isinstance(step, Lin) for c, _ in step.terms]
        event = max((np.shape(c) for c in pairs), default=())
        rows = [
            (i, step.target, name, np.broadcast_to(c, event)[()])
            for i, step in enumerate(self.instructions)
            if isinstance(step, Lin)
            for c, name in step.terms
        ]
        name = f"U{max((max(len(row[1]), len(row[2])) for row in rows), default=1)}"
        fields: list[tuple[Any, ...]] = [("instruction", "i8"), ("target", name), ("source", name)]
        return np.array(rows, dtype=[*fields, ("coefficient", "f8", event)])

    def to_json(self) -> str:
        """Return the plan as JSON text, from which :meth:`from_json` makes an equal plan.

        Raises
        ------
        TypeError
            If the schedule is not one of this package or holds a function.
        """
        document = {
            "method": self.method,
            "schedule": _json.schedule_document(self.schedule),
            "times": np.asarray(self.times).tolist(),
            "instructions": [_json.instruction_row(step) for step in self.instructions],
            "inputs": self.inputs,
            "output": self.output,
        }
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Return the plan that :meth:`to_json` wrote.

        Parameters
        ----------
        text : str
            The JSON text.

        Returns
        -------
        Plan
            With the same instructions, coefficient by coefficient.
        """
        document = json.loads(text)
        return cls(
            method=document["method"],
            schedule=_json.read_schedule(document["schedule"]),
            times=np.array(document["times"]),
            instructions=tuple(_json.read_instruction(row) for row in document["instructions"]),
            inputs=document["inputs"],
            output=document["output"],
        )

    def __str__(self) -> str:
        head = (
            f"{self.method}: {self.n_steps} steps, {self.n_evaluations} evaluations, "
            f"{self.n_registers} registers"
        )
        lines = [f"{', '.join(self.inputs)} given", *map(str, self.instructions)]
        return "\n  ".join([head, *lines, f"result {self.output}"])


def check_times(schedule: NoiseSchedule, times: Any, *, final_zero: bool = False) -> np.ndarray:
    """Return a time grid as a float64 array.

    Parameters
    ----------
    schedule : NoiseSchedule
        The schedule.
    times : array_like, shape (n_steps + 1,)
        Strictly decreasing times within [schedule.t_min, schedule.t_max].
    final_zero : bool
        Whether the last time may also be 0, where lambda is infinite: for a method whose last
        step needs no lambda at its end.

    Returns
    -------
    ndarray, shape (n_steps + 1,)
        The times.

    Raises
    ------
    ValueError
        If there is no step, if the times do not decrease, leave the schedule's range or have the
        same lambda.
    """
    grid = check_array("times", times, ndim=1)
    if grid.size < 2:
        raise ValueError(f"times must hold at least two nodes, n_steps >= 1; got {grid.size}")
    if not np.all(np.diff(grid) < 0):
        raise ValueError("time grid must decrease strictly")
    inner = grid[:-1] if final_zero and grid[-1] == 0.0 else grid
    if inner[0] > schedule.t_max:
        raise ValueError(f"times must be <= t_max = {schedule.t_max:g}; got {inner[0]!r}")
    if inner[-1] < schedule.t_min:
        hint = "; end at t_min and use with_final_denoise" if inner[-1] == 0.0 else ""
        raise ValueError(f"times must be >= t_min = {schedule.t_min:g}; got {inner[-1]!r}{hint}")
    lam = schedule.lam(inner)
    if not (np.all(np.isfinite(lam)) and np.all(np.diff(lam) > 0)):
        raise ValueError("lambda must be finite and increase strictly along the time grid")
    return grid


def with_final_denoise(plan: Plan) -> Plan:
    """Return the plan with one evaluation more: its result is the data prediction at its end.

    Parameters
    ----------
    plan : Plan
        A plan whose last time has sigma > 0.

    Returns
    -------
    Plan
        With the output register ``denoised``.

    Raises
    ------
    ValueError
        If no noise is left at the end of the plan.

    References
    ----------
    The option `denoise_to_zero` of the released code of Lu et al. (2022), *DPM-Solver*.
    """
    last = Eval("denoised", plan.output, float(plan.times[-1]), "data")
    if not plan.schedule.sigma(last.t) > 0:
        raise ValueError(f"the plan already ends without noise, at t = {last.t:g}")
    instructions = (*plan.instructions, last)
    return dataclasses.replace(plan, instructions=instructions, output=last.target)
