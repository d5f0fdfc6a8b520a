"""Comparisons for checkers: what is wrong with a student's value is said, what is right is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Wrong", "array", "between", "close", "number", "quick", "refuses", "same", "true"]


class Wrong(Exception):  # noqa: N818, it is a mark, not an error of ours
    """A submission is wrong, and this is what is wrong with it."""


def number(value: Any, name: str) -> float:
    """Return a student's value as a finite float.

    Parameters
    ----------
    value : object
        What the student's function returned.
    name : str
        What to call it, for instance the call that returned it.

    Returns
    -------
    float

    Raises
    ------
    Wrong
        If it is no finite real number.
    """
    return float(array(value, name, shape=()))


def array(value: Any, name: str, shape: tuple[int | None, ...] | None = None) -> np.ndarray:
    """Return a student's value as a finite float array.

    Parameters
    ----------
    value : object
        What the student's function returned.
    name : str
        What to call it.
    shape : tuple of int or None, optional
        The shape that is asked for; None stands for any length.

    Returns
    -------
    array

    Raises
    ------
    Wrong
        If it is no array of finite real numbers, or has another shape.
    """
    if value is None:
        raise Wrong(f"{name} returned nothing; does the function end with `return`?")
    try:
        found = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"{name} returned {_short(value)}, which is not numeric") from None
    if shape is not None and not _fits(found.shape, shape):
        wanted = "a number" if shape == () else f"shape {_written(shape)}"
        raise Wrong(f"{name} has shape {found.shape}; {wanted} is asked for")
    if not np.isfinite(found).all():
        raise Wrong(f"{name} is not finite: {_short(value)}")
    return found


def close(
    value: Any, expected: Any, name: str, *, rtol: float = 0.0, atol: float = 0.0, given: str = ""
) -> None:
    """Accept a value that is within ``atol + rtol * abs(expected)`` of the expected one.

    Parameters
    ----------
    value : object
        What the student's function returned.
    expected : float or array
        The oracle's value, which the message does not tell.
    name : str
        What to call the student's value.
    rtol, atol : float
        Relative and absolute tolerance.
    given : str
        For which input, said in the message.

    Raises
    ------
    Wrong
        If it is not close.
    """
    expected = np.asarray(expected, dtype=float)
    found = array(value, name, shape=expected.shape)
    with np.errstate(over="ignore"):
        excess = np.abs(found - expected) / (atol + rtol * np.abs(expected) + np.finfo(float).tiny)
    if excess.size and excess.max() > 1:
        times = float(excess.max())
        how_far = f"{times:.3g} times the tolerance" if times < 1e6 else "far more than allowed"
        most = np.unravel_index(int(np.argmax(excess)), excess.shape)
        where = f" at index {tuple(int(i) for i in most)}" if excess.ndim else ""
        raise Wrong(f"{name} is off by {how_far}{where}{_for(given)}: it is {found[most]:.6g}")


def same(value: Any, expected: Any, name: str, *, given: str = "") -> None:
    """Accept exactly the expected value: a decision, a set, an index, an integer array.

    Parameters
    ----------
    value : object
        What the student's function returned.
    expected : object
        The oracle's value, which the message does not tell.
    name : str
        What to call the student's value.
    given : str
        For which input, said in the message.

    Raises
    ------
    Wrong
        If it differs.
    """
    if value is None:
        raise Wrong(f"{name} returned nothing; does the function end with `return`?")
    try:
        equal = bool(np.array_equal(np.asarray(value), np.asarray(expected)))
    except (TypeError, ValueError):
        equal = False
    if not equal:
        raise Wrong(f"{name} is wrong{_for(given)}: it is {_short(value)}")


def between(value: Any, low: float, high: float, name: str, *, given: str = "") -> None:
    """Accept a number in the closed interval from `low` to `high`.

    Parameters
    ----------
    value : object
        What the student's function returned, or what was measured with it.
    low, high : float
        The interval; the message tells the side on which the value lies outside.
    name : str
        What to call the value.
    given : str
        For which input, said in the message.

    Raises
    ------
    Wrong
        If it lies outside.
    """
    found = number(value, name)
    if not low <= found <= high:
        side = "small" if found < low else "large"
        raise Wrong(f"{name} is too {side}{_for(given)}: it is {found:.6g}")


def true(condition: Any, message: str) -> None:
    """Accept if `condition` holds, else say `message`.

    Parameters
    ----------
    condition : bool
        What must hold.
    message : str
        What is wrong if it does not.

    Raises
    ------
    Wrong
        If it does not hold.
    """
    if not bool(condition):
        raise Wrong(message)


def refuses(call: Callable[[], Any], name: str, *errors: type[BaseException]) -> None:
    """Accept a call that raises one of `errors`, by default a ValueError.

    Parameters
    ----------
    call : callable
        Calls the student's function with what it must refuse.
    name : str
        What to call it.
    *errors : exception classes
        What it may raise.

    Raises
    ------
    Wrong
        If it returns.
    """
    accepted = errors or (ValueError,)
    try:
        call()
    except accepted:
        return
    asked = " or ".join(error.__name__ for error in accepted)
    raise Wrong(f"{name} must raise {asked}, and returned instead")


def quick(call: Callable[[], Any], seconds: float, name: str) -> Any:
    """Return what a call returns if it takes no longer than `seconds`.

    Parameters
    ----------
    call : callable
        Calls the student's function.
    seconds : float
        Limit in seconds of processor time.
    name : str
        What to call it.

    Returns
    -------
    object
        What the call returned.

    Raises
    ------
    Wrong
        If it took longer.
    """
    started = time.process_time()
    found = call()
    took = time.process_time() - started
    if took > seconds:
        raise Wrong(f"{name} took {took:.2g} s; {seconds:g} s are allowed")
    return found


def _for(given: str) -> str:
    return f" for {given}" if given else ""


def _short(value: Any, most: int = 60) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(
        w in (None, s) for s, w in zip(shape, wanted, strict=True)
    )


def _written(shape: tuple[int | None, ...]) -> str:
    return str(tuple(shape)).replace("None", "any")
