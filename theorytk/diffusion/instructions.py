"""The instructions of a plan and what makes one valid."""

from __future__ import annotations

import math
from typing import NamedTuple

from theorytk.diffusion.models import OUTPUTS

__all__ = ["Eval", "Instruction", "Lin", "Noise"]


class Eval(NamedTuple):
    """Evaluate the model at the state in `source` and time `t`: one function evaluation.

    `output` says what is kept in `target`: the prediction of the ``"noise"`` or of the ``"data"``.
    """

    target: str
    source: str
    t: float
    output: str = "noise"

    @property
    def sources(self) -> tuple[str, ...]:
        """The registers that are read."""
        return (self.source,)

    def __str__(self) -> str:
        return f"{self.target} = {self.output}({self.source}, t = {self.t:.6g})"


class Lin(NamedTuple):
    """Put the linear combination of the registers in `terms`, pairs (coefficient, register)."""

    target: str
    terms: tuple[tuple[float, str], ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The registers that are read."""
        return tuple(register for _, register in self.terms)

    def __str__(self) -> str:
        text = " ".join(f"{'-' if c < 0 else '+'} {abs(c):.6g} {name}" for c, name in self.terms)
        return f"{self.target} = {text.removeprefix('+ ')}"


class Noise(NamedTuple):
    """Draw standard normal noise of the state's shape."""

    target: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The registers that are read: none."""
        return ()

    def __str__(self) -> str:
        return f"{self.target} = normal noise"


Instruction = Eval | Lin | Noise


def find_problem(step: Instruction, known: set[str]) -> str | None:
    """Return what is wrong with an instruction that may read the known registers."""
    if step.target in known:
        return f"assigns {step.target!r} a second time"
    for name in step.sources:
        if name not in known:
            return f"reads {name!r}, which is not assigned before"
    if isinstance(step, Eval):
        if step.output not in OUTPUTS:
            return f"must keep one of {OUTPUTS}; got {step.output!r}"
        return None if math.isfinite(step.t) else f"must have a finite time; got {step.t!r}"
    if isinstance(step, Lin):
        if not step.terms:
            return "must combine at least one register"
        if not all(math.isfinite(c) for c, _ in step.terms):
            return "must have finite coefficients"
    return None
