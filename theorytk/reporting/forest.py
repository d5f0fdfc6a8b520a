"""A claim's intervals against its region: one row each, on one axis, as inline SVG.

Positions are percentages, so a plot fills whatever width it gets and its strokes and dots keep
their size. Colours come from the page's style sheet.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from theorytk.reporting.formatting import ends, number, ten

__all__ = ["Forest", "Row", "Scale", "forest"]

_LOG_RATIO = 300.0
_MOST_STRETCH = 12.0
_EDGE = 6.0
Claim = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One estimate: `role` is ``claim``, ``point`` or ``control``; `strip` is its SVG."""

    role: str
    entry: Claim
    strip: Markup


@dataclass(frozen=True)
class Forest:
    """Rows on one axis, whose ticks are `axis`; `log` tells whether it is logarithmic."""

    rows: tuple[Row, ...]
    axis: Markup
    log: bool


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic map from [lo, hi] to percentages of the width."""

    lo: float
    hi: float
    log: bool

    def at(self, x: float) -> float:
        """Return the position of `x` in per cent, held within [0, 100]."""
        if self.log:
            x = math.log10(x) if x > 0 else -math.inf
        share = (x - self.lo) / (self.hi - self.lo)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def ticks(self) -> list[tuple[float, str]]:
        """Return positions in per cent and texts of about five ticks."""
        step = _nice((self.hi - self.lo) / 5)
        step = max(1.0, math.ceil(step)) if self.log else step
        first, last = math.ceil(self.lo / step), math.floor(self.hi / step)
        places = [k * step for k in range(first, last + 1)]
        span = self.hi - self.lo
        return [
            (round(100 * (place - self.lo) / span, 2), self._text(place, step)) for place in places
        ]

    def _text(self, place: float, step: float) -> str:
        if self.log:
            return ten(round(place))
        if place == 0:
            return "0"
        return number(place, 1 + max(0, _order(place) - _order(step)))


def forest(claim: Claim) -> Forest | None:
    """Lay out a claim, its grid points and its controls against the region.

    Parameters
    ----------
    claim : mapping
        An entry of a ledger's ``claims``.

    Returns
    -------
    Forest or None
        None if nothing was measured.
    """
    points = [p for p in claim.get("points") or [] if _measured(p)]
    controls = list(claim.get("controls") or [])
    main = [("point", p) for p in points] if len(points) > 1 else []
    if not main and _measured(claim):
        main = [("claim", claim)]
    rows = [*main, *(("control", c) for c in controls)]
    if not any(_measured(entry) for _, entry in rows):
        return None
    where = claim.get("region") or {}
    scale = _scale([_values(entry) for _, entry in main], [_values(c) for c in controls], where)
    ground = _ground(scale, where)
    drawn = [Row(role, entry, _strip(scale, ground, role, entry)) for role, entry in rows]
    return Forest(tuple(drawn), _axis(scale), scale.log)


def _measured(entry: Claim) -> bool:
    value = entry.get("estimate")
    return value is not None and math.isfinite(value)


def _values(entry: Claim) -> list[float]:
    """Return the finite numbers that an entry wants to see on the axis."""
    if not _measured(entry):
        return []
    return _finite([entry["estimate"], *ends(entry.get("interval") or (None, None))])


def _finite(values: Iterable[float]) -> list[float]:
    return [float(x) for x in values if math.isfinite(x)]


def _bounds(where: Claim) -> tuple[float, float, float]:
    low, high = ends((where.get("lo"), where.get("hi")))
    return low, high, float(where.get("margin") or 0.0)


def _scale(main: list[list[float]], controls: list[list[float]], where: Claim) -> Scale:
    """Choose the axis: everything on it, save controls so far off that the rest would vanish."""
    low, high, margin = _bounds(where)
    core = _finite([low, low - margin, high, high + margin, *(x for row in main for x in row)])
    extra = [x for row in controls for x in row]
    everything = core + extra
    positive = [x for x in everything if x > 0]
    log = min(everything) >= 0 and len(positive) > 1 and max(positive) > _LOG_RATIO * min(positive)
    if log:
        exponents = [math.log10(x) for x in positive]
        room = 1.0 if 0.0 in everything else 0.0
        return _padded(min(exponents) - room, max(exponents), True)
    core = core or extra
    lo, hi = min(core), max(core)
    span = hi - lo or abs(hi) or 1.0
    far = [x for x in extra if not lo - _MOST_STRETCH * span < x < hi + _MOST_STRETCH * span]
    near = [x for x in extra if x not in far]
    lo = min([lo, *near]) - (span if any(x < lo for x in far) else 0.0)
    hi = max([hi, *near]) + (span if any(x > hi for x in far) else 0.0)
    return _padded(lo, hi, False)


def _padded(lo: float, hi: float, log: bool) -> Scale:
    pad = (hi - lo or (1.0 if log else abs(hi) or 1.0)) * _EDGE / 100 * 1.2
    return Scale(lo - pad, hi + pad, log)


def _ground(scale: Scale, where: Claim) -> str:
    """Return the region: shaded, its margin paler, a line at each bound."""
    low, high, margin = _bounds(where)
    if math.isinf(low) and math.isinf(high):
        return ""
    left, right = scale.at(low), scale.at(high)
    marks = [_rect("region", left, right)]
    for bound, beyond in ((low, low - margin), (high, high + margin)):
        if math.isfinite(bound):
            if margin:
                marks.append(_rect("margin", *sorted((scale.at(bound), scale.at(beyond)))))
            marks.append(_line("bound", scale.at(bound), scale.at(bound), "0", "100%"))
    return "".join(marks)


def _strip(scale: Scale, ground: str, role: str, entry: Claim) -> Markup:
    """Return one row: region, interval, and a dot (claim) or a diamond (control)."""
    if not _measured(entry):
        return Markup(f'<svg class="strip" aria-hidden="true">{ground}</svg>')
    value = entry["estimate"]
    low, high = ends(entry.get("interval") or (value, value))
    marks = [ground, _line("interval", scale.at(low), scale.at(high), "50%", "50%")]
    marks += [_arrow(scale, x) for x in (low, high) if _outside(scale, x)]
    if not _outside(scale, value):
        marks.append(_mark(scale.at(value), role))
    return Markup(f'<svg class="strip of-{role}" aria-hidden="true">{"".join(marks)}</svg>')


def _mark(place: float, role: str) -> str:
    if role != "control":
        return f'<circle class="mark" cx="{place}%" cy="50%" r="4"/>'
    inner = '<path class="mark" d="M0 -5 5 0 0 5 -5 0Z"/>'
    return f'<svg x="{place}%" y="50%" overflow="visible">{inner}</svg>'


def _outside(scale: Scale, x: float) -> bool:
    """Tell whether `x` does not fit on the axis (0 on a logarithmic one simply ends there)."""
    if scale.log and x <= 0:
        return False
    place = math.log10(x) if scale.log else x
    return not scale.lo <= place <= scale.hi


def _arrow(scale: Scale, x: float) -> str:
    left = scale.at(x) == 0
    path = "M7 -4 1 0 7 4" if left else "M-7 -4 -1 0 -7 4"
    place = "0" if left else "100%"
    inner = f'<path class="arrow" d="{path}"/>'
    return f'<svg x="{place}" y="50%" overflow="visible">{inner}</svg>'


def _axis(scale: Scale) -> Markup:
    marks = [_line("axis", 0, 100, "0", "0")]
    for place, text in scale.ticks():
        if _EDGE <= place <= 100 - _EDGE:
            marks.append(_line("axis", place, place, "0", "4"))
            marks.append(f'<text x="{place}%" y="16">{text}</text>')
    return Markup(f'<svg class="strip ticks" aria-hidden="true">{"".join(marks)}</svg>')


def _rect(name: str, left: float, right: float) -> str:
    return f'<rect class="{name}" x="{left}%" width="{right - left:.2f}%" height="100%"/>'


def _line(name: str, left: float, right: float, top: str, bottom: str) -> str:
    return f'<line class="{name}" x1="{left}%" x2="{right}%" y1="{top}" y2="{bottom}"/>'


def _nice(step: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least `step`."""
    ten = 10.0 ** math.floor(math.log10(step))
    candidates: Sequence[float] = (1.0, 2.0, 5.0, 10.0)
    return next(m * ten for m in candidates if m * ten >= step * (1 - 1e-9))


def _order(x: float) -> int:
    return math.floor(math.log10(abs(x)) + 1e-9)
