"""From stored rows to verdicts: each claim, and each of its controls by the same road."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from theorytk.claims.claim import Claim, Control
from theorytk.experiments import PRESETS
from theorytk.inference import Judgement, Region, Verdict, judge, levels_of_looks
from theorytk.runner.run import Wanted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ClaimResult", "ControlResult", "evaluate", "wanted"]

IDENTITY_FACTOR = 100.0
Tables = Callable[[Wanted], "pd.DataFrame"]


@dataclass(frozen=True)
class ControlResult:
    """What became of a control: its judgement, and whether the claim caught it."""

    control: Control
    judgement: Judgement | None
    caught: bool
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict on the control; ``contradicted`` is what it should be."""
        return self.judgement.verdict if self.judgement else Verdict.UNDECIDED

    def half_widths(self, region: Region) -> float | None:
        """Return the distance from `region`, in half-widths of the interval, where it is least.

        Over the contradicted points; None where there is none or the estimate is exact.
        """
        distances = [
            region.distance(point.estimate.value) / ((point.interval[1] - point.interval[0]) / 2)
            for point in (self.judgement.points if self.judgement else ())
            if point.verdict is Verdict.CONTRADICTED and point.interval[1] > point.interval[0]
        ]
        return min(distances, default=None)


@dataclass(frozen=True)
class ClaimResult:
    """A claim's verdict with all that it rests on."""

    claim: Claim
    verdict: Verdict
    judgement: Judgement | None
    controls: tuple[ControlResult, ...]
    reason: str = ""
    seconds: float = 0.0
    provenance: Mapping[str, Any] | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing here is a failure: decided in favour or not to be decided, and caught."""
        bad = self.verdict in (Verdict.CONTRADICTED, Verdict.UNDECIDED)
        return not bad and all(control.caught for control in self.controls)


def wanted(
    claim: Claim,
    preset: str,
    seed: int,
    control: Control | None = None,
    device: str | None = None,
) -> Wanted:
    """Return the conditions and replicates that decide `claim`, or that test its `control`.

    Parameters
    ----------
    claim : Claim
        The claim.
    preset : {"quick", "paper"}
        Which conditions and how many replicates.
    seed : int
        Root seed, >= 0.
    control : Control, optional
        One of the claim's controls.
    device : str, optional
        The level of the factor ``device``, where the claim's experiment has one.

    Returns
    -------
    Wanted
        What has to run.
    """
    experiment = claim.experiment
    factors = {**experiment.on(device), **claim.at, **(control.change if control else {})}
    conditions = experiment.conditions(preset, **factors)
    return Wanted(experiment, conditions, experiment.replicates(preset), seed)


def not_decided(claim: Claim, preset: str) -> tuple[Verdict, str] | None:
    """Return ``deferred`` or ``skipped`` with the reason, or None if `preset` decides `claim`."""
    absent = [extra for extra in claim.needs if importlib.util.find_spec(extra) is None]
    if absent:
        return Verdict.SKIPPED, f"needs theorytk[{absent[0]}]"
    if (
        PRESETS.index(preset) < PRESETS.index(claim.decides)
        or preset not in claim.experiment.presets
    ):
        return Verdict.DEFERRED, f"decided at the {claim.decides} preset"
    return None


def evaluate(
    claim: Claim,
    preset: str,
    seed: int,
    tables: Tables,
    *,
    controls: bool = True,
    looks: int = 1,
    go_on: Callable[[], bool] = lambda: True,
    device: str | None = None,
) -> ClaimResult:
    """Judge `claim` and its controls on the rows that `tables` returns.

    While the claim is undecided, its replicates are doubled, `looks` - 1 times at most; the levels
    of `theorytk.inference.levels_of_looks` keep the error probability. Its controls are judged
    at the look that decided.

    Parameters
    ----------
    claim : Claim
        The claim.
    preset : {"quick", "paper"}
        Which conditions and how many replicates.
    seed : int
        Root seed, >= 0.
    tables : callable
        ``tables(wanted) -> DataFrame``: the rows of some conditions.
    controls : bool
        Whether to judge the controls too.
    looks : int
        How often to look, >= 1.
    go_on : callable
        Asked before each further look whether there is time for it.
    device : str, optional
        As for `wanted`.

    Returns
    -------
    ClaimResult
        The verdict and all that it rests on.
    """
    undecidable = not_decided(claim, preset)
    if undecidable:
        return ClaimResult(claim, undecidable[0], None, (), undecidable[1])
    first = wanted(claim, preset, seed, None, device)
    for look, level in enumerate(levels_of_looks(looks)):
        want = replace(first, replicates=first.replicates * 2**look)
        table = tables(want)
        judgement, reason = _judge(claim, want, table, level)
        if judgement is None or judgement.verdict is not Verdict.UNDECIDED or not go_on():
            break
    changed = [
        (c, replace(wanted(claim, preset, seed, c, device), replicates=want.replicates))
        for c in (claim.controls if controls else ())
    ]
    tested = tuple(_control(claim, c, other, tables(other), level) for c, other in changed)
    return ClaimResult(
        claim,
        judgement.verdict if judgement else Verdict.UNDECIDED,
        judgement,
        tested,
        reason,
        float(table.drop_duplicates("_task")["_seconds"].sum()) if len(table) else 0.0,
        {
            "preset": preset,
            "seed": seed,
            **claim.experiment.on(device),
            "fingerprint": _only(table, "_fingerprint"),
        },
    )


def _control(
    claim: Claim, control: Control, want: Wanted, table: pd.DataFrame, level: float
) -> ControlResult:
    judgement, reason = _judge(claim, want, table, level)
    if judgement is None:
        return ControlResult(control, None, False, reason)
    caught = judgement.verdict is Verdict.CONTRADICTED
    if claim.kind == "identity":
        caught &= judgement.estimate.value > IDENTITY_FACTOR * claim.region.hi
    return ControlResult(control, judgement, caught)


def _judge(
    claim: Claim, want: Wanted, table: pd.DataFrame, level: float
) -> tuple[Judgement | None, str]:
    present = len(table[["replicate", *want.experiment.factors()]].drop_duplicates())
    expected = len(want.conditions) * want.replicates
    if present < expected:
        return None, f"{expected - present} of {expected} replicates are missing"
    try:
        estimates = claim.estimate(table)
        return judge(estimates, claim.region, kind=claim.kind, level=level), ""
    except Exception as error:  # one broken estimate must not cost the other verdicts
        return None, f"no estimate: {type(error).__name__}: {error}"


def _only(table: pd.DataFrame, column: str) -> str:
    return str(table[column].iloc[0]) if len(table) else ""
