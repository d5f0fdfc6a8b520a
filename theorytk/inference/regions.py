"""Where a claim says that a quantity lies: at most, at least, or between."""

from __future__ import annotations

import math
from dataclasses import dataclass

from theorytk._validation import check_real

__all__ = ["AtLeast", "AtMost", "Between", "Region"]


@dataclass(frozen=True)
class Region:
    """The set ``[lo, hi]`` of a claim, and the margin beyond it that still counts as support.

    Use `AtMost`, `AtLeast` or `Between`.

    Parameters
    ----------
    lo, hi : float
        Bounds, in the unit of the estimate; infinite where there is none.
    margin : float
        Tolerance beyond either bound, >= 0, in the same unit.
    """

    lo: float
    hi: float
    margin: float = 0.0

    @property
    def kind(self) -> str:
        """``"at most"``, ``"at least"`` or ``"between"``."""
        if self.lo == -math.inf:
            return "at most"
        return "at least" if self.hi == math.inf else "between"

    def beyond(self, interval: tuple[float, float]) -> bool:
        """Tell whether all of `interval` lies beyond a bound (touching it is not beyond).

        Examples
        --------
        >>> AtMost(0.1, margin=0.5).beyond((0.2, 0.3))
        True
        """
        lo, hi = interval
        return lo > self.hi or hi < self.lo

    def holds(self, interval: tuple[float, float]) -> bool:
        """Tell whether all of `interval` lies within the bounds plus the margin.

        Examples
        --------
        >>> AtMost(0.1, margin=0.02).holds((0.0, 0.11))
        True
        """
        lo, hi = interval
        return self.lo - self.margin <= lo and hi <= self.hi + self.margin

    def distance(self, value: float) -> float:
        """Return how far `value` lies outside the bounds; 0 inside.

        Examples
        --------
        >>> Between(1, 2).distance(2.5)
        0.5
        """
        return max(0.0, self.lo - value, value - self.hi)

    def nearest_bound(self, value: float) -> float:
        """Return the bound closest to `value` (the lower one in a tie).

        Examples
        --------
        >>> Between(1, 2).nearest_bound(1.9)
        2.0
        """
        return self.lo if abs(value - self.lo) <= abs(value - self.hi) else self.hi


class AtMost(Region):
    """The quantity is at most `bound`.

    Parameters
    ----------
    bound : float
        Upper bound.
    margin : float
        Tolerance above it, >= 0: an interval below ``bound + margin`` supports the claim; one
        above `bound` contradicts it all the same.

    Examples
    --------
    >>> AtMost(0.1, margin=0.02)
    AtMost(0.1, margin=0.02)
    """

    def __init__(self, bound: float, margin: float = 0.0) -> None:
        super().__init__(-math.inf, check_real("bound", bound), _check_margin(margin))

    def __repr__(self) -> str:
        return f"AtMost({self.hi:g}{_shown(self.margin)})"


class AtLeast(Region):
    """The quantity is at least `bound`.

    Parameters
    ----------
    bound : float
        Lower bound.
    margin : float
        Tolerance below it, >= 0.

    Examples
    --------
    >>> AtLeast(0.9).distance(0.5)
    0.4
    """

    def __init__(self, bound: float, margin: float = 0.0) -> None:
        super().__init__(check_real("bound", bound), math.inf, _check_margin(margin))

    def __repr__(self) -> str:
        return f"AtLeast({self.lo:g}{_shown(self.margin)})"


class Between(Region):
    """The quantity lies between `lo` and `hi`.

    Parameters
    ----------
    lo, hi : float
        Bounds, ``lo <= hi``; equal ones name a single value, which only a margin (or an exact
        number) can support.
    margin : float
        Tolerance beyond either bound, >= 0.

    Examples
    --------
    >>> Between(-2.05, -1.95).kind
    'between'
    """

    def __init__(self, lo: float, hi: float, margin: float = 0.0) -> None:
        lo = check_real("lo", lo)
        super().__init__(lo, check_real("hi", hi, lower=lo), _check_margin(margin))

    def __repr__(self) -> str:
        return f"Between({self.lo:g}, {self.hi:g}{_shown(self.margin)})"


def _check_margin(margin: float) -> float:
    return check_real("margin", margin, lower=0)


def _shown(margin: float) -> str:
    return f", margin={margin:g}" if margin else ""
