"""Audits of a mechanism against its guarantee, and audits of the audits by mutation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.privacy._arguments import Array, check_probability
from theorytk.privacy.audit_result import AuditReport, AuditResult
from theorytk.privacy.audit_sampling import UNIT_SPACING, granularity_audit, two_sample_audit
from theorytk.privacy.audit_scale import scale_audit
from theorytk.privacy.audit_structural import (
    WorstPair,
    release_pair,
    structural_audit,
    worst_pair,
)
from theorytk.privacy.guarantees import PrivacyGuarantee
from theorytk.privacy.linear_mechanism import LinearMechanism
from theorytk.privacy.noise import release

__all__ = ["Mutant", "MutationAudit", "audit", "black_box_audit", "mutation_audit"]

# Where a guarantee has no pure epsilon, audits look at this delta.
DELTA = 0.01


@dataclass(frozen=True)
class Mutant:
    """A mechanism with one noise scale made smaller.

    Attributes
    ----------
    group : str
        Whose scale it is.
    scale : float
        The scale required, before the mutation.
    report : AuditReport
        What the audits say about the mutant.
    """

    group: str
    scale: float
    report: AuditReport

    @property
    def caught(self) -> bool:
        """Whether any audit refutes the claim."""
        return self.report.violated


@dataclass(frozen=True, repr=False)
class MutationAudit:
    """Audits of a mechanism and of its mutants.

    Attributes
    ----------
    control : AuditReport
        The audits of the mechanism as it is.
    mutants : tuple of Mutant
        One for each noise scale.
    """

    control: AuditReport
    mutants: tuple[Mutant, ...]

    @property
    def passed(self) -> bool:
        """Whether the mechanism passes all audits and every mutant is caught."""
        return not self.control.violated and all(mutant.caught for mutant in self.mutants)

    def __repr__(self) -> str:
        """Return a table with one line per mutant."""
        rows = [
            ("as it is", "", self.control),
            *((m.group, f"{m.scale:.4g}", m.report) for m in self.mutants),
        ]
        kinds = [result.kind for result in self.control.results]
        width = max(len(group) for group, _, _ in rows)
        lines = [f"{'noise':>{width}} {'scale':>10} " + " ".join(f"{k:>12}" for k in kinds)]
        for group, scale, report in rows:
            cells = " ".join(f"{result.certified:>12.4g}" for result in report.results)
            verdict = "VIOLATED" if report.violated else "passed"
            lines.append(f"{group:>{width}} {scale:>10} {cells}  {verdict}")
        return "\n".join(lines)


def audit(
    mechanism: LinearMechanism,
    guarantee: PrivacyGuarantee,
    *,
    points: Any = None,
    delta: float | None = None,
    n_trials: int = 20_000,
    confidence: float = 0.999,
    rng: Any = None,
) -> AuditReport:
    """Audit a mechanism that tells its contributions and its noise scales.

    The structural audit is exact for the pairs of neighbours among `points`; their worst pair is
    then sampled, for its likelihood ratios and for the last bits of its releases.

    Parameters
    ----------
    mechanism : LinearMechanism
        For instance one of the `mechanisms_` of a fitted estimator.
    guarantee : PrivacyGuarantee
        What it claims.
    points : array_like, shape (n,) or (n, d)
        Candidates for the worst neighbours; by default 257 points of the unit interval.
    delta : float, optional
        In [0, 1), for the sampled audits; by default 0 for a pure guarantee and 0.01 otherwise.
    n_trials : int
        Releases of each data set, >= 2.
    confidence : float
        Probability in (0, 1), at least, that a mechanism which keeps its guarantee passes.
    rng : int, numpy.random.Generator or None
        Random state.

    Returns
    -------
    AuditReport
        Structural, two-sample and granularity audits; the structural one alone where its loss is
        infinite.

    Examples
    --------
    >>> from theorytk.privacy.hat import hierarchical_hat
    >>> mechanism = hierarchical_hat(6, epsilon=1.0)
    >>> claim = PrivacyGuarantee(neighbours="add_remove", epsilon=1.0)
    >>> audit(mechanism, claim, rng=0).violated
    False
    >>> audit(mechanism.with_scales(mechanism.scales / 2), claim, rng=0).violated
    True
    """
    delta, claimed = _claim(guarantee, delta)
    each = 1 - (1 - check_probability("confidence", confidence)) / 2
    n_trials, rng = check_int("n_trials", n_trials, lower=2), as_generator(rng)
    points = _points(points)
    exact = _structural(mechanism, points, guarantee)
    if not np.isfinite(exact.certified):
        return AuditReport((exact,))
    pair = worst_pair(mechanism, points, guarantee.neighbours)
    scores = release_pair(mechanism, pair, n_trials, rng)
    options: dict[str, Any] = dict(claimed=claimed, delta=delta, confidence=each)
    values, spacing = _plain_releases(mechanism, pair, n_trials, rng)
    return AuditReport(
        (
            exact,
            two_sample_audit(scores.scores, scores.scores_other, **options),
            granularity_audit(values[0], values[1], spacing=spacing, **options),
        )
    )


def black_box_audit(
    mechanism: Callable[[Any, np.random.Generator], Any],
    guarantee: PrivacyGuarantee,
    data: Any,
    other: Any,
    *,
    score: Callable[[Array], Any] | None = None,
    delta: float | None = None,
    n_trials: int = 2000,
    confidence: float = 0.999,
    rng: Any = None,
) -> AuditReport:
    """Audit any function of data and a random generator on two neighbouring data sets.

    Parameters
    ----------
    mechanism : callable
        ``mechanism(data, rng)`` returns a number or an array.
    guarantee : PrivacyGuarantee
        What it claims.
    data, other : object
        Data sets that are neighbours in the guarantee's relation. The last bits tell most where the
        true value is 0 on `data` and 1 on `other`.
    score : callable, optional
        Turns releases, shape (n_trials, ...), into one score each; by default their sum.
    delta, n_trials, confidence, rng
        As in `audit`.

    Returns
    -------
    AuditReport
        Two-sample and granularity audits.

    Examples
    --------
    >>> claim = PrivacyGuarantee(neighbours="add_remove", epsilon=1.0)
    >>> report = black_box_audit(
    ...     lambda data, rng: len(data) + rng.laplace(scale=0.4), claim, [], [0], rng=0
    ... )
    >>> [result.violated for result in report.results]
    [True, True]
    """
    delta, claimed = _claim(guarantee, delta)
    each = 1 - (1 - check_probability("confidence", confidence)) / 2
    n_trials, rng = check_int("n_trials", n_trials, lower=2), as_generator(rng)
    first, second = (
        check_array("mechanism", [mechanism(x, rng) for _ in range(n_trials)])
        for x in (data, other)
    )
    if score is None:
        scores, scores_other = (v.reshape(n_trials, -1).sum(axis=1) for v in (first, second))
    else:
        scores, scores_other = (check_array("score", score(v)) for v in (first, second))
    options: dict[str, Any] = dict(claimed=claimed, delta=delta, confidence=each)
    return AuditReport(
        (
            two_sample_audit(scores, scores_other, **options),
            granularity_audit(first, second, spacing=UNIT_SPACING, **options),
        )
    )


def mutation_audit(
    mechanism: LinearMechanism,
    guarantee: PrivacyGuarantee,
    *,
    points: Any = None,
    factor: float = 0.5,
    n_trials: int = 200,
    confidence: float = 0.999,
    rng: Any = None,
) -> MutationAudit:
    """Shrink each noise scale in turn; the audits must catch every mutant, and pass the original.

    Parameters
    ----------
    mechanism, guarantee, points
        As in `audit`; also the data of the releases of the scale audit.
    factor : float
        In (0, 1): what the scales are multiplied by.
    n_trials : int
        Releases for the `scale_audit` of each mutant, >= 1.
    confidence : float
        Probability in (0, 1), at least, that the noise of the original passes.
    rng : int, numpy.random.Generator or None
        Random state.

    Returns
    -------
    MutationAudit
        Structural and scale audits of the mechanism and of one mutant per noise scale above 0.

    Examples
    --------
    >>> from theorytk.privacy.dyadic_tree import dyadic_tree
    >>> claim = PrivacyGuarantee(neighbours="add_remove", epsilon=1.0)
    >>> mutation_audit(dyadic_tree(2, epsilon=1.0), claim, points=[0.0, 0.3, 1.0], rng=0)
       noise      scale   structural        scale
    as it is                       1       0.8781  passed
     level 0          3        1.333        1.678  VIOLATED
     level 1          3        1.333        1.632  VIOLATED
     level 2          3        1.333        1.681  VIOLATED
    """
    factor = check_real("factor", factor, lower=0.0, upper=1.0, lower_open=True, upper_open=True)
    points, rng = _points(points), as_generator(rng)
    required = mechanism.scales

    def report(audited: LinearMechanism) -> AuditReport:
        return AuditReport(
            (
                _structural(audited, points, guarantee),
                scale_audit(
                    audited, required, points, n_trials=n_trials, confidence=confidence, rng=rng
                ),
            )
        )

    mutants = []
    for g in np.flatnonzero(required):
        scales = required.copy()
        scales[g] *= factor
        mutant = mechanism.with_scales(scales)
        mutants.append(Mutant(mechanism.groups[g], float(required[g]), report(mutant)))
    return MutationAudit(report(mechanism), tuple(mutants))


def _points(points: Any) -> Array:
    return np.linspace(0, 1, 257) if points is None else check_array("points", points)


def _claim(guarantee: PrivacyGuarantee, delta: float | None) -> tuple[float, float]:
    """Return the delta of the audit and the epsilon claimed there."""
    if delta is None:
        delta = 0.0 if np.isfinite(guarantee.epsilon_at(0.0)) else DELTA
    claimed = guarantee.epsilon_at(delta)
    if not np.isfinite(claimed):
        raise ValueError(f"delta must be one at which the guarantee states an epsilon; got {delta}")
    return delta, claimed


def _structural(
    mechanism: LinearMechanism, points: Array, guarantee: PrivacyGuarantee
) -> AuditResult:
    """Return the exact audit against the epsilon or the rho of the guarantee."""
    gaussian = mechanism.kind == "gaussian"
    claimed = guarantee.rho_bound if gaussian else guarantee.epsilon_at(0.0)
    if not np.isfinite(claimed):
        raise ValueError(
            f"guarantee must state {'rho' if gaussian else 'a pure epsilon'} for "
            f"{mechanism.kind} noise; got {guarantee!r}"
        )
    return structural_audit(mechanism, points, claimed=claimed, neighbours=guarantee.neighbours)


def _plain_releases(
    mechanism: LinearMechanism, pair: WorstPair, n_trials: int, rng: np.random.Generator
) -> tuple[Array, float]:
    """Return releases of the number that differs most in noise units, and the spacing that tells.

    Shape (2, n): first the data whose true value is nearer to 0, then the other.
    """
    mean = mechanism.contributions(pair.point)[0]
    other = np.zeros_like(mean) if pair.other is None else mechanism.contributions(pair.other)[0]
    group = np.repeat(np.arange(len(mechanism.sizes)), mechanism.sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(np.abs(mean - other) / mechanism.scales[group], posinf=0.0)
    j = int(share.argmax())
    g = int(group[j])
    ends = np.array(sorted([mean[j], other[j]], key=abs))
    steps = np.rint(np.ldexp(ends, int(mechanism.bits[g]))).astype(np.int64)
    values = release(
        np.repeat(steps[:, None], n_trials, axis=1),
        float(mechanism.scales[g]),
        bits=int(mechanism.bits[g]),
        rng=rng,
        kind=mechanism.kind,
        noise=mechanism.noise,
    )
    return values, float(2.0 ** (np.frexp(ends[1])[1] - 54))
