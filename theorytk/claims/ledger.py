"""The ledger: all verdicts of one verification, as objects, as JSON and as a table."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from theorytk._validation import nearest
from theorytk.claims.evaluate import ClaimResult, ControlResult
from theorytk.inference import Judgement, Region
from theorytk.runner import Outcome

__all__ = ["Ledger"]


@dataclass(frozen=True, repr=False)
class Ledger:
    """The results of a verification, in the order of the claims.

    Parameters
    ----------
    results : sequence of ClaimResult
        One per claim.
    preset : str
        The preset that was judged.
    seconds : float
        Wall time of the verification.
    failed : sequence of Outcome
        Tasks that raised on the way; claims that need their rows are undecided.
    """

    results: Sequence[ClaimResult]
    preset: str
    seconds: float = 0.0
    failed: Sequence[Outcome] = ()

    @property
    def ok(self) -> bool:
        """Whether no task failed, every decided claim holds and every control was caught."""
        return not self.failed and all(result.ok for result in self.results)

    def counts(self) -> dict[str, int]:
        """Return how many claims came to each verdict."""
        return dict(Counter(str(result.verdict) for result in self.results))

    def to_dict(self) -> dict[str, Any]:
        """Return the documented JSON object; infinite ends of an interval are null."""
        claims = [_claim(result) for result in self.results]
        return {"claims": claims, "preset": self.preset, "seconds": round(self.seconds, 3)}

    def __iter__(self) -> Iterator[ClaimResult]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __getitem__(self, id: str) -> ClaimResult:
        by_id = {result.claim.id: result for result in self.results}
        if id not in by_id:
            raise KeyError(f"no claim {id!r} here{nearest(id, by_id)}")
        return by_id[id]

    def __repr__(self) -> str:
        width = max((len(result.claim.id) for result in self.results), default=0)
        lines = [f"{result.claim.id:<{width}}  {_line(result)}" for result in self.results]
        counts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(self.counts().items()))
        failed = f"; {len(self.failed)} task(s) failed" if self.failed else ""
        last = f"{len(self)} claims at the {self.preset} preset: {counts}{failed}"
        return "\n".join([*lines, last + self._devices()])

    def _devices(self) -> str:
        """Return how many claims were judged on a device that was asked for."""
        provenances = [result.provenance or {} for result in self]
        asked = Counter(p["device"] for p in provenances if "device" in p)
        return "".join(f"; {n} on {device}" for device, n in sorted(asked.items()))

    def _repr_html_(self) -> str:
        from theorytk.reporting.page import ledger_html

        return ledger_html(self.to_dict())


def _line(result: ClaimResult) -> str:
    """Return verdict, estimate, interval and what became of the controls, on one line."""
    parts = [f"{result.verdict!s:<12}"]
    if result.judgement:
        lo, hi = result.judgement.interval
        parts.append(f"{result.judgement.estimate.value:.5g} [{lo:.5g}, {hi:.5g}]")
        parts.append(f"in {result.claim.region}")
    if result.controls:
        caught = sum(control.caught for control in result.controls)
        parts.append(f"controls caught {caught}/{len(result.controls)}")
    return "  ".join([*parts, *([result.reason] if result.reason else [])])


def _claim(result: ClaimResult) -> dict[str, Any]:
    claim, region = result.claim, result.claim.region
    return {
        "id": claim.id,
        "paper": claim.paper,
        "theorem": claim.theorem,
        "statement": claim.statement,
        "status": claim.status,
        "assumptions": [{"text": a.text, "checked": a.checked} for a in claim.assumptions],
        "kind": claim.kind,
        "decides": claim.decides,
        "experiment": claim.experiment.id,
        **_judgement(result.judgement),
        "region": {
            "kind": region.kind,
            "lo": _finite(region.lo),
            "hi": _finite(region.hi),
            "margin": region.margin,
        },
        "margin_reason": claim.reason,
        "verdict": str(result.verdict),
        "reason": result.reason,
        "controls": [_control(control, region) for control in result.controls],
        "control_verdict": _worst_control(result.controls),
        "seconds": round(result.seconds, 3),
        "provenance": dict(result.provenance or {}),
    }


def _judgement(judgement: Judgement | None) -> dict[str, Any]:
    if judgement is None:
        empty = dict.fromkeys(("estimate", "interval", "n", "method", "slack", "resolution"))
        return {**empty, "points": []}
    return {
        "estimate": _finite(judgement.estimate.value),
        "interval": [_finite(end) for end in judgement.interval],
        "n": judgement.estimate.n,
        "method": judgement.estimate.method,
        "slack": _finite(judgement.slack),
        "resolution": _finite(judgement.resolution),
        "points": [
            {
                "label": point.label,
                "estimate": _finite(point.estimate.value),
                "interval": [_finite(end) for end in point.interval],
                "verdict": str(point.verdict),
            }
            for point in judgement.points
        ],
    }


def _control(result: ControlResult, region: Region) -> dict[str, Any]:
    judgement = _judgement(result.judgement)
    return {
        "name": result.control.name,
        "mistake": result.control.mistake,
        "estimate": judgement["estimate"],
        "interval": judgement["interval"],
        "verdict": str(result.verdict),
        "caught": result.caught,
        "half_widths": _finite(result.half_widths(region)),
        "reason": result.reason,
    }


def _worst_control(controls: Sequence[ControlResult]) -> str | None:
    """Return the verdict of a control that was not caught, else of the first."""
    ordered = sorted(controls, key=lambda control: control.caught)
    return str(ordered[0].verdict) if ordered else None


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
