"""The instructions of a plan and what makes one valid."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from theorytk.diffusion.models import OUTPUTS

__all__ = ["Coefficient", "Eval", "Instruction", "Lin", "Noise", "Ones"]

Coefficient = float | np.ndarray
"""A number, or an array with one number for each coordinate of the event."""


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
    """Put the linear combination of the registers in `terms`, pairs (coefficient, register).

    A coefficient is a number, or a float64 array of the event's shape: one per coordinate.
    """

    target: str
    terms: tuple[tuple[Coefficient, str], ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The registers that are read."""
        return tuple(register for _, register in self.terms)

    def __str__(self) -> str:
        text = " ".join(f"{_signed(c)} {name}" for c, name in self.terms)
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


class Ones(NamedTuple):
    """Put ones, of the state's shape: a combination with this register has a constant term."""

    target: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The registers that are read: none."""
        return ()

    def __str__(self) -> str:
        return f"{self.target} = ones"


Instruction = Eval | Lin | Noise | Ones


def _signed(c: Coefficient) -> str:
    """Return a coefficient as a term of a sum."""
    if isinstance(c, np.ndarray):
        return "+ " + np.array2string(c, precision=6, separator=", ", threshold=6, edgeitems=2)
    return f"{'-' if c < 0 else '+'} {abs(c):.6g}"


def is_finite(c: Any) -> bool:
    """Tell whether a coefficient is a finite number or an array of finite float64 numbers."""
    if isinstance(c, np.ndarray):
        return c.dtype == np.float64 and bool(np.isfinite(c).all())
    return math.isfinite(c)


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
        if not all(is_finite(c) for c, _ in step.terms):
            return "must have finite coefficients, arrays of float64"
    return None
