"""Argument checks and their messages: the one place.

Every check returns the validated (converted) value and raises ``ValueError`` or ``TypeError``
with a sentence that names the argument, what came and what is accepted.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np

__all__ = [
    "as_generator",
    "check_array",
    "check_choice",
    "check_int",
    "check_real",
    "nearest",
]


def check_real(
    name: str,
    value: Any,
    *,
    lower: float = -math.inf,
    upper: float = math.inf,
    lower_open: bool = False,
    upper_open: bool = False,
) -> float:
    """Return `value` as a finite float within the stated range."""
    accepted = f"a number {_range(lower, upper, lower_open, upper_open)}"
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {accepted}; got {value!r} ({type(value).__name__})")
    x = float(value)
    below = x <= lower if lower_open else x < lower
    above = x >= upper if upper_open else x > upper
    if not math.isfinite(x) or below or above:
        raise ValueError(f"{name} must be {accepted}; got {value!r}")
    return x


def check_int(name: str, value: Any, *, lower: int | None = None, upper: int | None = None) -> int:
    """Return `value` as an int within the stated range (bounds included)."""
    lo = -math.inf if lower is None else lower
    hi = math.inf if upper is None else upper
    accepted = f"an integer {_range(lo, hi, False, False)}"
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be {accepted}; got {value!r} ({type(value).__name__})")
    if not lo <= int(value) <= hi:
        raise ValueError(f"{name} must be {accepted}; got {value!r}")
    return int(value)


def check_array(
    name: str,
    value: Any,
    *,
    shape: tuple[int | None, ...] | None = None,
    ndim: int | None = None,
    finite: bool = True,
    dtype: type = np.float64,
) -> np.ndarray:
    """Return `value` as a real array of the stated shape (``None`` is any length), without NaN."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be an array of real numbers; got dtype {array.dtype}")
    array = np.asarray(array, dtype=dtype)
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s); got shape {array.shape}")
    if shape is not None and not _fits(array.shape, shape):
        wanted = "(" + ", ".join("any" if s is None else str(s) for s in shape) + ")"
        raise ValueError(f"{name} must have shape {wanted}; got {array.shape}")
    if finite and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite; got {array[where]} at index {where}")
    return array


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return `value` if it is one of `choices`; the message suggests the nearest."""
    options = list(choices)
    if value not in options:
        listed = ", ".join(repr(o) for o in options)
        raise ValueError(f"{name} must be one of {listed}; got {value!r}{nearest(value, options)}")
    return str(value)


def as_generator(rng: Any) -> np.random.Generator:
    """Return a Generator from an int seed, a Generator (returned as it is) or ``None`` (SPEC 7)."""
    if isinstance(rng, np.random.Generator):
        return rng
    if rng is None:
        return np.random.default_rng()
    return np.random.default_rng(check_int("rng", rng, lower=0))


def nearest(name: Any, options: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the closest option, or an empty string."""
    close = difflib.get_close_matches(str(name), list(options), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _range(lower: float, upper: float, lower_open: bool, upper_open: bool) -> str:
    left = "" if lower == -math.inf else f"{'>' if lower_open else '>='} {lower:g}"
    right = "" if upper == math.inf else f"{'<' if upper_open else '<='} {upper:g}"
    return " and ".join(part for part in (left, right) if part) or "(finite)"


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        w is None or s == w for s, w in zip(shape, wanted, strict=True)
    )
