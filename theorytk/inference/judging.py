"""From estimates and a region to a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from theorytk._validation import check_choice, check_int, check_real
from theorytk.inference._laws import POWER, Binomial, Interval
from theorytk.inference.estimates import LEVEL, Estimate
from theorytk.inference.regions import Region

__all__ = ["KINDS", "Judgement", "Point", "Verdict", "judge", "levels_of_looks"]

KINDS = ("statistical", "identity", "refutable")
"""Kinds of claims."""


class Verdict(StrEnum):
    """What can be said of a claim."""

    SUPPORTED = "supported"
    NOT_REFUTED = "not_refuted"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    DEFERRED = "deferred"
    SKIPPED = "skipped"


_SEVERITY = (Verdict.NOT_REFUTED, Verdict.SUPPORTED, Verdict.UNDECIDED, Verdict.CONTRADICTED)


@dataclass(frozen=True)
class Point:
    """One point of a grid and its verdict.

    Parameters
    ----------
    label : str
        Which point; empty when there is only one.
    estimate : Estimate
        What was measured there.
    interval : tuple of float
        Its interval at the level of the judgement.
    verdict : Verdict
        Of this point alone (contradiction at level / number of points).
    """

    label: str
    estimate: Estimate
    interval: Interval
    verdict: Verdict


@dataclass(frozen=True)
class Judgement:
    """A verdict and what it rests on.

    Parameters
    ----------
    verdict : Verdict
        Over all points: contradicted if one is, else undecided if one is, else supported (or
        not refuted).
    worst : Point
        Of the points with the worst verdict, the one whose interval reaches furthest out of the
        region.
    slack : float
        Of the worst point: measured / bound for the nearest bound; where that bound is 0, the
        room left before it (negative outside).
    resolution : float or None
        Smallest departure beyond the bound, at any one point, that comes out contradicted with
        power 99% at this n, standard error and level. For an identity the tolerance; for a
        refutable statement the violation probability that this many instances would have shown.
        To first order for betting intervals, at least 99% for distances. ``None`` where it is not
        defined.
    points : tuple of Point
        All points, in the order given.
    """

    verdict: Verdict
    worst: Point
    slack: float
    resolution: float | None
    points: tuple[Point, ...]

    @property
    def label(self) -> str:
        """Label of the worst point."""
        return self.worst.label

    @property
    def estimate(self) -> Estimate:
        """Estimate of the worst point."""
        return self.worst.estimate

    @property
    def interval(self) -> Interval:
        """Interval of the worst point."""
        return self.worst.interval


def judge(
    estimates: Estimate | Mapping[str, Estimate],
    region: Region,
    *,
    kind: str = "statistical",
    level: float = LEVEL,
) -> Judgement:
    """Judge whether estimates lie in a region.

    A point is contradicted if its interval at ``level / number of points`` lies beyond a bound;
    else supported if its interval at `level` lies within the bounds plus the margin; else
    undecided. Thus a true statement is contradicted with probability at most `level` over the
    whole grid, and one that fails at any point by more than the margin is supported with
    probability at most `level` (derived here: union bound; one point must fail to be covered).

    Parameters
    ----------
    estimates : Estimate or mapping of str to Estimate
        One estimate, or those of a grid by label.
    region : Region
        `AtMost`, `AtLeast` or `Between`.
    kind : {"statistical", "identity", "refutable"}
        An identity needs deterministic estimates (`exact_estimate`), a statistical claim those
        with an interval; a refutable statement takes `exact_estimate` (the worst over n
        instances) or `violations_estimate`, and is at best not refuted.
    level : float
        Two-sided error probability, between 0 and 1.

    Returns
    -------
    Judgement
        The verdict, the worst point, slack, resolution and all points.

    Raises
    ------
    ValueError
        If there is no estimate, if `kind` is unknown, or if an estimate does not fit it.
    TypeError
        If something else than an estimate or a region came.

    Examples
    --------
    >>> from theorytk.inference import AtMost, proportion_estimate
    >>> str(judge(proportion_estimate(1, 1000), AtMost(0.05)).verdict)
    'supported'
    >>> grid = {"n=10": proportion_estimate(9, 10), "n=99": proportion_estimate(90, 99)}
    >>> found = judge(grid, AtMost(0.5))
    >>> str(found.verdict), found.label
    ('contradicted', 'n=99')
    """
    check_choice("kind", kind, KINDS)
    level = check_real("level", level, lower=0, upper=1, lower_open=True, upper_open=True)
    if not isinstance(region, Region):
        raise TypeError(f"region must be AtMost, AtLeast or Between; got {region!r}")
    grid = {"": estimates} if isinstance(estimates, Estimate) else estimates
    if not isinstance(grid, Mapping):
        raise TypeError(f"estimates must be an Estimate or a mapping of label to it; got {grid!r}")
    if not grid:
        raise ValueError("estimates must hold at least one Estimate; got an empty mapping")
    for label, estimate in grid.items():
        _check_kind(label, estimate, kind)
    strict = level / len(grid)
    points = tuple(_judge_point(label, e, region, kind, level, strict) for label, e in grid.items())
    worst = max(points, key=lambda p: (_SEVERITY.index(p.verdict), _reach(p.interval, region)))
    departures = [_departure(e, region, kind, strict) for e in grid.values()]
    resolution = max(departures)
    return Judgement(
        worst.verdict,
        worst,
        _slack(worst.estimate.value, region),
        resolution if math.isfinite(resolution) else None,
        points,
    )


def levels_of_looks(looks: int, level: float = LEVEL) -> tuple[float, ...]:
    """Return the level at which to judge at each look at a growing sample.

    One look spends `level`. Of several, look j spends ``level / 2^(j+1)``, so that the sum over
    any number of looks stays below `level`, whatever the looks have in common (union bound).

    Parameters
    ----------
    looks : int
        Number of looks, >= 1.
    level : float
        Two-sided error probability of all looks together, between 0 and 1.

    Returns
    -------
    tuple of float, length `looks`
        Level of each look.

    Raises
    ------
    ValueError
        If `looks` or `level` is out of range.

    Examples
    --------
    >>> levels_of_looks(1, 0.04), levels_of_looks(3, 0.04)
    ((0.04,), (0.02, 0.01, 0.005))
    """
    looks = check_int("looks", looks, lower=1)
    level = check_real("level", level, lower=0, upper=1, lower_open=True, upper_open=True)
    return (level,) if looks == 1 else tuple(level / 2 ** (j + 1) for j in range(looks))


def _check_kind(label: str, estimate: Estimate, kind: str) -> None:
    where = f"estimates[{label!r}]" if label else "estimates"
    if not isinstance(estimate, Estimate):
        raise TypeError(f"{where} must be an Estimate; got {estimate!r}")
    exact = estimate.law is None
    if kind == "statistical" and exact:
        raise ValueError(f"{where} must have an interval for a statistical claim; got {estimate!r}")
    if kind == "identity" and not exact:
        raise ValueError(f"{where} must be exact for an identity; got {estimate!r}")
    if kind == "refutable" and not (exact or isinstance(estimate.law, Binomial)):
        raise ValueError(
            f"{where} must be exact or count violations for a refutable claim; got {estimate!r}"
        )


def _judge_point(
    label: str, estimate: Estimate, region: Region, kind: str, level: float, strict: float
) -> Point:
    interval = estimate.interval(level)
    cautious = interval if strict == level else estimate.interval(strict)
    if region.beyond(cautious):
        verdict = Verdict.CONTRADICTED
    elif kind == "refutable":
        verdict = Verdict.NOT_REFUTED
    else:
        verdict = Verdict.SUPPORTED if region.holds(interval) else Verdict.UNDECIDED
    return Point(label, estimate, interval, verdict)


def _reach(interval: Interval, region: Region) -> float:
    """Return how far the interval reaches out of the region (negative: the room left)."""
    return max(region.lo - interval[0], interval[1] - region.hi)


def _slack(value: float, region: Region) -> float:
    bound = region.nearest_bound(value)
    return value / bound if bound else -_reach((value, value), region)


def _departure(estimate: Estimate, region: Region, kind: str, level: float) -> float:
    """Return the resolution at one point; infinite where it is not defined."""
    if kind == "refutable":
        return -math.expm1(math.log1p(-POWER) / estimate.n)
    if estimate.law is None:
        return {"at most": region.hi, "between": (region.hi - region.lo) / 2}.get(
            region.kind, math.inf
        )
    sides = [(b, above) for b, above in ((region.lo, False), (region.hi, True)) if math.isfinite(b)]
    return max(estimate.law.departure(bound, above, level) for bound, above in sides)
