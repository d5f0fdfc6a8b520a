"""A claim: one sentence of a paper made falsifiable, with the mistake that it must catch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from theorytk import registry
from theorytk._validation import check_choice
from theorytk.experiments import PRESETS, Experiment
from theorytk.inference import KINDS, AtMost, Estimate, Region

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATUSES", "Assumption", "Claim", "Control", "claim"]

STATUSES = ("theorem", "erratum", "ours", "empirical")
Estimates = Estimate | Mapping[str, Estimate]


@dataclass(frozen=True)
class Assumption:
    """A hypothesis of the theorem; `checked` says that code ensures it, else it is assumed."""

    text: str
    checked: bool = True


@dataclass(frozen=True)
class Control:
    """The mistake that a competent implementer would make; the claim must contradict it.

    Parameters
    ----------
    mistake : str
        What went wrong, in words.
    **change
        The one paired factor of the experiment that differs, and its value.
    """

    mistake: str
    change: Mapping[str, Any]

    def __init__(self, mistake: str, **change: Any) -> None:
        if len(change) != 1:
            raise ValueError(f"control {mistake!r} must change one factor; got {sorted(change)}")
        object.__setattr__(self, "mistake", mistake)
        object.__setattr__(self, "change", change)

    @property
    def name(self) -> str:
        """The changed factor and its value."""
        return ", ".join(f"{factor}={value}" for factor, value in self.change.items())


@dataclass(frozen=True)
class Claim:
    """A claim as `claim` declares it."""

    id: str
    paper: str
    theorem: str
    statement: str
    status: str
    assumptions: tuple[Assumption, ...]
    experiment: Experiment
    at: Mapping[str, Any]
    estimate: Callable[[pd.DataFrame], Estimates] = field(repr=False)
    region: Region
    kind: str
    decides: str
    controls: tuple[Control, ...]
    reason: str = ""
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice("status", self.status, STATUSES)
        check_choice("kind", self.kind, KINDS)
        check_choice("decides", self.decides, PRESETS)
        if self.kind == "identity" and not isinstance(self.region, AtMost):
            raise ValueError(
                f"claim {self.id}: the region of an identity must be AtMost(tolerance); "
                f"got {self.region}"
            )
        if not self.controls:
            raise ValueError(f"claim {self.id} has no control")
        for control in self.controls:
            for factor in control.change:
                if factor not in self.experiment.paired:
                    raise ValueError(
                        f"claim {self.id}: the control's factor {factor!r} must be paired in "
                        f"{self.experiment.id}, so that both use the same draws"
                    )


def claim(
    id: str,
    *,
    theorem: str,
    statement: str,
    experiment: Experiment,
    region: Region,
    control: Control | tuple[Control, ...],
    at: Mapping[str, Any] | None = None,
    status: str = "theorem",
    kind: str = "statistical",
    decides: str = "quick",
    assumptions: tuple[Assumption, ...] = (),
    reason: str = "",
    needs: tuple[str, ...] = (),
) -> Callable[[Callable[[pd.DataFrame], Estimates]], Claim]:
    """Register a function of the experiment's rows as the estimate of a claim.

    Parameters
    ----------
    id : str
        ``topic/name``.
    theorem : str
        As the paper numbers it; with status ``ours``, where it is proved.
    statement : str
        What is claimed, in words and ``$LaTeX$``.
    experiment : Experiment
        Its rows are what the estimate sees.
    region : AtMost, AtLeast or Between
        What the theorem allows.
    control : Control or tuple of Control
        Mistakes that must come out contradicted.
    at : mapping, optional
        Factors to override in the preset's conditions.
    status : str
        ``theorem``, ``ours``, ``erratum`` or ``empirical``.
    kind : str
        ``identity``, ``refutable`` or ``statistical``.
    decides : str
        The preset that decides; below it the verdict is ``deferred``.
    assumptions : tuple of Assumption
        Hypotheses, checked or assumed.
    reason : str
        Where the margin or tolerance comes from, in one line.
    needs : tuple of str
        Extras without which the claim is skipped.

    Returns
    -------
    callable
        A decorator for ``estimate(table) -> Estimate`` or, for a grid, a mapping of labels to them.
    """

    def register(estimate: Callable[[pd.DataFrame], Estimates]) -> Claim:
        controls = (control,) if isinstance(control, Control) else tuple(control)
        declared = Claim(
            id=id,
            paper=experiment.paper,
            theorem=theorem,
            statement=statement,
            status=status,
            assumptions=assumptions,
            experiment=experiment,
            at=at or {},
            estimate=estimate,
            region=region,
            kind=kind,
            decides=decides,
            controls=controls,
            reason=reason,
            needs=needs,
        )
        registry.claims.add(declared)
        return declared

    return register
