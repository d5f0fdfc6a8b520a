"""What an audit certifies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from theorytk._validation import check_real

__all__ = ["AuditReport", "AuditResult", "check_claim"]

# Share by which a certified parameter may exceed the claim: the rounding of both.
ROUNDING = 1e-9


@dataclass(frozen=True, repr=False)
class AuditResult:
    """A lower bound of what a mechanism spends, beside what it claims to spend.

    Attributes
    ----------
    kind : str
        Which audit this is.
    certified : float
        Lower bound of the privacy parameter, correct with probability `confidence`.
    claimed : float
        What the mechanism promises not to exceed.
    parameter : {"epsilon", "rho", "scale ratio"}
        Which parameter both are; the scale ratio is required noise over that seen.
    delta : float
        The delta at which epsilon is certified.
    confidence : float
        1 where nothing was sampled.
    n_trials : int
        Releases, canaries or points looked at.
    event : str
        Where the bound comes from.
    """

    kind: str
    certified: float
    claimed: float
    parameter: str = "epsilon"
    delta: float = 0.0
    confidence: float = 1.0
    n_trials: int = 0
    event: str = ""

    @property
    def violated(self) -> bool:
        """Whether the claim is refuted."""
        return self.certified > self.claimed * (1 + ROUNDING)

    def __repr__(self) -> str:
        """Return the result in one line."""
        at = f" at delta {self.delta:g}" if self.delta > 0 else ""
        trust = f", confidence {self.confidence:g}" if self.confidence < 1 else ""
        return (
            f"<{self.kind} audit {'VIOLATED' if self.violated else 'passed'}: {self.parameter} >= "
            f"{self.certified:.4g}{at}, claimed {self.claimed:.4g}{trust}, {self.n_trials} trials"
            f"{', ' if self.event else ''}{self.event}>"
        )


@dataclass(frozen=True, repr=False)
class AuditReport:
    """Several audits of one mechanism.

    Attributes
    ----------
    results : tuple of AuditResult
        One result per audit; the sampled ones share the probability of a false alarm.
    """

    results: tuple[AuditResult, ...]

    @property
    def violated(self) -> bool:
        """Whether any audit refutes the claim."""
        return any(result.violated for result in self.results)

    def __repr__(self) -> str:
        """Return one line per audit."""
        return "\n".join(map(repr, self.results))


def check_claim(claimed: Any, delta: Any, confidence: Any) -> tuple[float, float, float]:
    """Return a claimed parameter >= 0, a delta in [0, 1) and a confidence in (0, 1)."""
    return (
        check_real("claimed", claimed, lower=0.0),
        check_real("delta", delta, lower=0.0, upper=1.0, upper_open=True),
        check_real(
            "confidence", confidence, lower=0.0, upper=1.0, lower_open=True, upper_open=True
        ),
    )
