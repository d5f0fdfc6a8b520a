"""The declaration of an experiment: a function of factors and a random generator."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from theorytk import registry
from theorytk._validation import check_choice, check_int, nearest
from theorytk.experiments.design import Design, canonical

__all__ = ["PRESETS", "Column", "Experiment", "experiment"]

PRESETS = ("quick", "paper")
RESERVED = ("replicate", "condition")
DEVICE = "device"


@dataclass(frozen=True)
class Column:
    """One measured column.

    Parameters
    ----------
    description : str
        What is measured.
    unit : str
        Its unit; ``"1"`` for a pure number.
    dtype : str
        ``float``, ``int``, ``bool`` or ``str``. A value may be null (``None``), never NaN.
    infinite : bool
        Whether an infinite value is data (say in the description what it means).
    """

    description: str
    unit: str = "1"
    dtype: str = "float"
    infinite: bool = False

    def __post_init__(self) -> None:
        check_choice("dtype", self.dtype, ("float", "int", "bool", "str"))


@dataclass(frozen=True)
class Experiment:
    """An experiment as `experiment` declares it."""

    id: str
    paper: str
    function: Callable[..., Any] = field(repr=False)
    design: Design = field(repr=False)
    columns: Mapping[str, Column] = field(repr=False)
    presets: Mapping[str, Mapping[str, Any]] = field(repr=False)
    paired: tuple[str, ...] = ()
    block: int = 1
    algorithm: str | None = None

    def __post_init__(self) -> None:
        check_int("block", self.block, lower=1)
        for name in self.presets:
            check_choice("preset", name, PRESETS)
        known = self.factors()
        names = [*known, *self.columns]
        for name in names:
            if name in RESERVED or name.startswith("_") or names.count(name) > 1:
                raise ValueError(f"{self.id}: the name {name!r} is reserved or taken twice")
        for name in (*self.paired, *([self.algorithm] if self.algorithm else [])):
            check_choice(f"paired factor or algorithm of {self.id}", name, known)
        if DEVICE in known and DEVICE not in self.paired:
            raise ValueError(f"{self.id}: the factor 'device' must be paired: same draws on any")
        for preset in self.presets:
            self.replicates(preset)
            self.conditions(preset)

    def factors(self) -> list[str]:
        """Return the names of the factors: the function's arguments but ``rng``."""
        return [name for name in inspect.signature(self.function).parameters if name != "rng"]

    def replicates(self, preset: str) -> int:
        """Return how many replicates `preset` asks for."""
        asked = self._preset(preset).get("replicates")
        return check_int(f"replicates of {self.id} at preset {preset!r}", asked, lower=1)

    def conditions(self, preset: str, **overrides: Any) -> Design:
        """Return the preset's design with `overrides` (a list holds levels)."""
        settings = {k: v for k, v in self._preset(preset).items() if k != "replicates"}
        design = self.design.override(**settings).override(**overrides)
        defaults = {
            name: parameter.default
            for name, parameter in inspect.signature(self.function).parameters.items()
            if name != "rng" and parameter.default is not inspect.Parameter.empty
        }
        design = Design({**defaults, **condition} for condition in design)
        for condition in design:
            self._check_factors(condition)
        return design

    def on(self, device: str | None) -> dict[str, str]:
        """Return the factors that put the experiment on a device: those it has called so."""
        return {DEVICE: device} if device is not None and DEVICE in self.factors() else {}

    def seed_words(self, condition: Mapping[str, Any]) -> tuple[int, ...]:
        """Return four words that name the random stream of `condition` without paired factors."""
        unpaired = {k: v for k, v in condition.items() if k not in self.paired}
        digest = hashlib.sha256(f"{self.id}\n{canonical(unpaired)}".encode()).digest()
        return tuple(int.from_bytes(digest[4 * i : 4 * i + 4], "little") for i in range(4))

    def _preset(self, preset: str) -> Mapping[str, Any]:
        check_choice("preset", preset, self.presets)
        return self.presets[preset]

    def _check_factors(self, condition: Mapping[str, Any]) -> None:
        known = self.factors()
        for name in condition:
            if name not in known:
                raise ValueError(
                    f"{self.id} has no factor {name!r}; it has {', '.join(known)}"
                    f"{nearest(name, known)}"
                )
        missing = [name for name in known if name not in condition]
        if missing:
            raise ValueError(f"{self.id} needs a value for the factor {missing[0]!r}")


def experiment(
    id: str,
    *,
    paper: str,
    design: Design,
    columns: Mapping[str, Column],
    presets: Mapping[str, Mapping[str, Any]],
    paired: tuple[str, ...] = (),
    block: int = 1,
    algorithm: str | None = None,
) -> Callable[[Callable[..., Any]], Experiment]:
    """Register a function of factors and ``rng`` as an experiment.

    Parameters
    ----------
    id : str
        ``topic/name``.
    paper : str
        Key of the paper.
    design : Design
        Default factor levels; arguments with a default need not appear.
    columns : mapping of str to Column
        What the function returns, column by column.
    presets : mapping
        For ``quick`` and ``paper``: ``replicates`` and the factors to override.
    paired : tuple of str
        Factors whose levels share their random draws, so that differences are paired.
    block : int
        Replicates per task; a property of the experiment, never of the run.
    algorithm : str, optional
        The factor that `theorytk.check` replaces by the user's own callable; the function's
        docstring documents its signature.

    Returns
    -------
    callable
        A decorator. The decorated function takes keyword arguments and returns, for one replicate,
        a mapping (scalars, or arrays of equal length for several rows), a list of mappings or a
        DataFrame.
    """

    def register(function: Callable[..., Any]) -> Experiment:
        declared = Experiment(
            id, paper, function, design, columns, presets, paired, block, algorithm
        )
        registry.experiments.add(declared)
        return declared

    return register
