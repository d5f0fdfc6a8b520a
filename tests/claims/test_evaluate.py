"""Verdicts: each kind, controls that are caught or not, and what cannot be decided."""

from __future__ import annotations

import pytest

from theorytk.claims import Control
from theorytk.inference import AtMost, Between, exact_estimate, mean_estimate, violations_estimate


def mean(table):
    return mean_estimate(table["x"])


def largest(table):
    return exact_estimate(float(table["x"].max()), len(table))


def violations(table):
    return violations_estimate(int((table["x"] > 1).sum()), len(table))


@pytest.mark.parametrize(
    ("estimate", "kind", "region", "verdict"),
    [
        (mean, "statistical", AtMost(1.0), "supported"),
        (mean, "statistical", AtMost(0.0), "undecided"),
        (mean, "statistical", AtMost(0.0, margin=0.5), "supported"),
        (mean, "statistical", AtMost(-1.0), "contradicted"),
        (largest, "identity", AtMost(0.2), "supported"),
        (largest, "identity", AtMost(0.05), "contradicted"),
        (largest, "refutable", AtMost(0.2), "not_refuted"),
        (violations, "refutable", AtMost(0.0), "not_refuted"),
    ],
)
def test_the_verdict_on_every_kind(judged, estimate, kind, region, verdict):
    result = judged(estimate, kind=kind, region=region)
    assert str(result.verdict) == verdict
    assert result.judgement.verdict == result.verdict
    assert result.ok is (verdict in ("supported", "not_refuted"))
    assert result.seconds == 2.0
    assert result.provenance == {"preset": "quick", "seed": 0, "fingerprint": "f"}


def test_a_control_is_caught_only_when_contradicted(judged):
    controls = (Control("far", shift=10), Control("near", shift=0.95), Control("none", shift=0.5))
    result = judged(mean, controls=controls)
    found = [(str(c.verdict), c.caught) for c in result.controls]
    assert found == [("contradicted", True), ("undecided", False), ("supported", False)]
    assert not result.ok
    assert judged(mean, controls=controls[:1]).ok


@pytest.mark.parametrize(("shift", "caught"), [(20.2, True), (19.8, False)])
def test_the_control_of_an_identity_exceeds_a_hundred_tolerances(judged, shift, caught):
    change = (Control("a shift", shift=shift),)
    result = judged(largest, kind="identity", region=AtMost(0.2), controls=change)
    (control,) = result.controls
    assert str(control.verdict) == "contradicted"
    assert control.caught is caught


def test_a_refutable_claim_catches_its_control(judged):
    (control,) = judged(violations, kind="refutable", region=AtMost(0.0)).controls
    assert control.caught


def test_a_claim_below_its_preset_is_deferred(judged):
    result = judged(mean, decides="paper")
    assert (str(result.verdict), result.reason) == ("deferred", "decided at the paper preset")
    assert result.ok
    assert str(judged(mean, decides="paper", preset="paper").verdict) == "supported"


def test_a_claim_without_its_extra_is_skipped(judged):
    result = judged(mean, needs=("quantum_mint",))
    assert (str(result.verdict), result.reason) == ("skipped", "needs theorytk[quantum_mint]")
    assert result.ok
    assert str(judged(mean, needs=("json",)).verdict) == "supported"


def test_missing_rows_leave_a_claim_undecided(judged):
    result = judged(mean, keep=28)
    assert str(result.verdict) == "undecided"
    assert result.reason == "2 of 30 replicates are missing"
    assert [c.reason for c in result.controls] == [result.reason]
    assert not result.ok


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (lambda table: mean_estimate(table["x"][:5]), "no estimate: ValueError: values"),
        (lambda table: table["y"], "no estimate: KeyError: 'y'"),
        (lambda table: 0.5, "no estimate: TypeError"),
        (largest, "no estimate: ValueError: estimates must have an interval"),
    ],
)
def test_an_estimate_that_raises_is_a_reason_and_no_verdict(judged, estimate, said):
    result = judged(estimate)
    assert str(result.verdict) == "undecided"
    assert result.reason.startswith(said)
    assert not result.controls[0].caught


def test_a_grid_is_as_good_as_its_worst_point(judged):
    def grid(table):
        return {f"plus {s}": mean_estimate(table["x"] + s) for s in (0, 0.5, 1)}

    result = judged(grid)
    assert [str(point.verdict) for point in result.judgement.points] == [
        "supported",
        "supported",
        "undecided",
    ]
    assert str(result.verdict) == "undecided"
    assert result.judgement.label == "plus 1"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controls": ()}, "claim unit/claim has no control"),
        ({"controls": (Control("x", size=1),)}, "the control's factor 'size' must be paired"),
        ({"kind": "exact"}, "kind must be one of"),
        ({"status": "therem"}, "did you mean 'theorem'"),
        ({"decides": "quik"}, "did you mean 'quick'"),
        ({"kind": "identity", "region": Between(0, 1)}, "must be AtMost"),
    ],
)
def test_a_bad_claim_is_refused(declare, changes, message):
    with pytest.raises(ValueError, match=message):
        declare(mean, **changes)


def test_a_control_changes_one_factor():
    with pytest.raises(ValueError, match="must change one factor"):
        Control("two at once", a=1, b=2)


def test_replicates_are_doubled_until_decided(judged):
    """The interval of 30 replicates reaches beyond the margin, that of 120 does not."""
    region = AtMost(0.0, margin=0.06)
    assert str(judged(mean, region=region).verdict) == "undecided"
    assert str(judged(mean, region=region, looks=2).verdict) == "undecided"
    result = judged(mean, region=region, looks=6, controls=(Control("near", shift=0.06),))
    assert str(result.verdict) == "supported"
    assert result.judgement.estimate.n == 120
    (control,) = result.controls
    assert (control.judgement.estimate.n, control.caught) == (120, True)


def test_nothing_is_looked_at_again_once_decided_or_without_rows(judged):
    assert judged(mean, looks=6).judgement.estimate.n == 30
    assert judged(mean, region=AtMost(-1.0), looks=6).judgement.estimate.n == 30
    missing = judged(mean, region=AtMost(0.0), looks=6, keep=40)
    assert (str(missing.verdict), missing.judgement) == ("undecided", None)
