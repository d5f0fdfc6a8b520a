"""Exact samplers in 64-bit integer arithmetic: numba only, no validation.

Everything random comes from the bits of a list of words, at from the front, the highest bit of
a word first; `at[0]` is the next bit. A sample that runs out of bits raises IndexError and is drawn
again once there are more: it sees the same bits. No number is ever a float, and none overflows:
products of probabilities are products of events.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

WORD_BITS = 64
MAX = 2**63 - 1


@njit(cache=True, nogil=True, inline="always")
def bit_length(n: Any) -> int:
    """Return how many bits n >= 0 has."""
    length = 0
    while n >> length:
        length += 1
    return length


@njit(cache=True, nogil=True, inline="always")
def below(n: Any, length: Any, words: Any, at: Any) -> Any:
    """Return an integer drawn uniformly from 0, ..., n - 1, which have so many bits."""
    if n == 1:
        return 0
    while True:
        start = np.uint64(at[0])
        end = start + np.uint64(length)
        if end > np.uint64(WORD_BITS * len(words)):
            raise IndexError
        place, offset = start >> np.uint64(6), start & np.uint64(63)
        bits = words[place] << offset
        if offset + np.uint64(length) > WORD_BITS:
            bits |= words[place + np.uint64(1)] >> (np.uint64(WORD_BITS) - offset)
        at[0] = end
        value = np.int64(bits >> np.uint64(WORD_BITS - length))
        if value < n:
            return value


@njit(cache=True, nogil=True)
def exponential_event(a: Any, b: Any, t: Any, length: Any, halve: Any, words: Any, at: Any) -> bool:
    """Return True with probability exp(-g), g = (a / t)(b / t), half of it if `halve`; a, b <= t.

    The first k for which an event of probability g / k fails is odd with that probability.
    """
    k = 1
    # The event of probability 1 / k is first: its integer has the fewest bits.
    while (
        below(k, bit_length(k - 1), words, at) == 0
        and (a == t or below(t, length, words, at) < a)
        and (b == t or below(t, length, words, at) < b)
        and (not halve or below(2, 1, words, at) == 0)
    ):
        k += 1
    return k % 2 == 1


@njit(cache=True, nogil=True)
def laplace(t: Any, length: Any, s: Any, most: Any, words: Any, at: Any) -> Any:
    """Return y with probability proportional to exp(-|y| s / t)."""
    while True:
        u = below(t, length, words, at)
        if not exponential_event(u, t, t, length, False, words, at):
            continue
        v = 0
        while exponential_event(1, 1, 1, 0, False, words, at):
            v += 1
        if v > most:
            raise OverflowError
        y = (u + t * v) // s
        if below(2, 1, words, at) == 0:
            return y
        if y > 0:
            return -y


@njit(cache=True, nogil=True)
def gaussian(t: Any, length: Any, s: Any, most: Any, words: Any, at: Any) -> Any:
    """Return y with probability proportional to exp(-(y s / t)^2 / 2).

    A Laplace y is kept with probability exp(-(r / t)^2 / 2), r = ||y| s - t| = a t + b, the product
    of exp(-1/2) a^2 times, of exp(-b / t) a times and of exp(-(b / t)^2 / 2).
    """
    while True:
        y = laplace(t, length, s, most, words, at)
        r = abs(abs(y) * s - t)
        a, b = r // t, r % t
        kept = exponential_event(b, b, t, length, True, words, at)
        i = 0
        while kept and i < a * a:
            kept = exponential_event(1, 1, 1, 0, True, words, at)
            i += 1
        i = 0
        while kept and i < a:
            kept = exponential_event(b, t, t, length, False, words, at)
            i += 1
        if kept:
            return y


@njit(cache=True, nogil=True)
def fill(normal: Any, t: Any, s: Any, ends: Any, words: Any, at: Any, out: Any, done: Any) -> None:
    """Fill `out` from place `done[0]`; the two counters stand after the last complete sample.

    It is row after row of groups that end at `ends`; a group has the scale t / s at its place.
    """
    cursor = at.copy()
    group = 0
    while done[0] < len(out):
        column = done[0] % ends[-1]
        if column == 0:
            group = 0
        while column >= ends[group]:
            group += 1
        top, length = t[group], bit_length(t[group] - 1)
        most = (MAX - (top - 1)) // top
        if normal:
            out[done[0]] = gaussian(top, length, s[group], most, words, cursor)
        else:
            out[done[0]] = laplace(top, length, s[group], most, words, cursor)
        done[0] += 1
        at[0] = cursor[0]
