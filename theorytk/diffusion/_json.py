"""Plans as JSON: instructions as rows, schedules by their name and arguments."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from theorytk._validation import check_choice
from theorytk.diffusion.instructions import Eval, Instruction, Lin, Noise, Ones
from theorytk.diffusion.mean_reverting import MeanReverting
from theorytk.diffusion.schedules import (
    EDM,
    NoiseSchedule,
    VESchedule,
    VPCosine,
    VPDiscrete,
    VPLinear,
)

_SCHEDULES: dict[str, Any] = {
    cls.__name__: cls for cls in (EDM, MeanReverting, VESchedule, VPCosine, VPDiscrete, VPLinear)
}


def instruction_row(step: Instruction) -> list[Any]:
    """Return an instruction as a list: its kind in lower case, then its fields."""
    kind = type(step).__name__.lower()
    if isinstance(step, Lin):
        terms = [(c.tolist() if isinstance(c, np.ndarray) else c, name) for c, name in step.terms]
        return [kind, step.target, terms]
    return [kind, *step]


def read_instruction(row: list[Any]) -> Instruction:
    """Return the instruction of a row."""
    kind, *fields = row
    check_choice("instruction", kind, ("eval", "lin", "noise", "ones"))
    if kind == "lin":
        target, terms = fields
        return Lin(
            target, tuple((np.array(c) if isinstance(c, list) else c, name) for c, name in terms)
        )
    if kind == "eval":
        return Eval(*fields)
    return Noise(*fields) if kind == "noise" else Ones(*fields)


def schedule_document(schedule: NoiseSchedule) -> dict[str, Any]:
    """Return the name of a schedule and the arguments that make an equal one."""
    kind = type(schedule).__name__
    if _SCHEDULES.get(kind) is not type(schedule):
        raise TypeError(f"only plans for the package's own schedules can be stored; got {kind}")
    names = [f.name for f in dataclasses.fields(schedule) if f.init]  # type: ignore[arg-type]
    arguments = {name: getattr(schedule, name) for name in names}
    for name, value in arguments.items():
        if callable(value):
            raise TypeError(f"a schedule with a function ({name}) cannot be stored")
    return {"kind": kind, **arguments}


def read_schedule(document: dict[str, Any]) -> NoiseSchedule:
    """Return the schedule of a document."""
    arguments = dict(document)
    kind = check_choice("schedule", arguments.pop("kind"), _SCHEDULES)
    schedule: NoiseSchedule = _SCHEDULES[kind](**arguments)
    return schedule
