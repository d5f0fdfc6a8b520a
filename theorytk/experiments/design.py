"""Designs: which conditions an experiment runs, as plain values that read back equal."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["Condition", "Design", "canonical", "grid"]

Condition = dict[str, Any]


class Design:
    """A sequence of distinct conditions; `override` replaces factors.

    Parameters
    ----------
    conditions : iterable of mapping
        Factor values by name. Values are numbers, strings, booleans, ``None`` or tuples of these.
    """

    def __init__(self, conditions: Iterable[Mapping[str, Any]]) -> None:
        plain = ({name: _plain(name, value) for name, value in c.items()} for c in conditions)
        self._by_key = {canonical(condition): condition for condition in plain}

    def override(self, **factors: Any) -> Design:
        """Replace factors: a list gives new levels, anything else one value."""
        kept = [{k: v for k, v in c.items() if k not in factors} for c in self]
        return Design({**c, **new} for c in kept for new in grid(**factors))

    def __iter__(self) -> Iterator[Condition]:
        return (dict(condition) for condition in self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def keys(self) -> list[str]:
        """Return the canonical JSON of each condition, in order."""
        return list(self._by_key)


def grid(**factors: Any) -> Design:
    """Cross factors: a list (or range, or array) holds levels, anything else is one value.

    Parameters
    ----------
    **factors
        Levels by the name of the factor.

    Returns
    -------
    Design
        The full factorial design, the last factor varying fastest.

    Examples
    --------
    >>> [c["alpha"] for c in grid(k=5, alpha=[0.1, 0.2])]
    [0.1, 0.2]
    """
    levels = [
        list(v) if isinstance(v, list | range | np.ndarray) else [v] for v in factors.values()
    ]
    for name, values in zip(factors, levels, strict=True):
        if not values:
            raise ValueError(f"factor {name!r} has no levels; give at least one value")
    return Design(dict(zip(factors, row, strict=True)) for row in itertools.product(*levels))


def canonical(condition: Mapping[str, Any]) -> str:
    """Return the canonical JSON of a condition: sorted names, and 1.0 written as 1."""
    return json.dumps(condition, sort_keys=True, separators=(",", ":"))


def parse(text: str) -> Condition:
    """Return the condition that `canonical` wrote."""
    return {name: _plain(name, value) for name, value in json.loads(text).items()}


def _plain(name: str, value: Any) -> Any:
    """Return `value` as a Python scalar or tuple, integral floats as int."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple | list):
        return tuple(_plain(name, v) for v in value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    raise TypeError(
        f"factor {name!r} must hold finite numbers, strings, booleans, None or tuples of these; "
        f"got {value!r}"
    )
