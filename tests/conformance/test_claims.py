"""What every registered claim must be, judged on the reproduction's rows."""

import math
from collections import defaultdict

import pytest

from theorytk import registry
from theorytk.project import load

load()
CLAIMS = list(registry.claims)
each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
HALF_WIDTHS = 5.0
SECONDS_PER_TOPIC = 120.0


@each_claim
def test_declared_in_full(claim):
    assert claim.paper in registry.papers
    assert claim.theorem
    assert "$" in claim.statement
    assert claim.estimate.__doc__
    assert claim.kind == "identity" or claim.reason or claim.region.margin == 0
    assert claim.assumptions


@each_claim
def test_holds_and_catches_its_controls(claim, ledger):
    found = ledger[claim.id]
    if found["verdict"] in ("deferred", "skipped"):
        assert found["reason"]
        return
    assert found["verdict"] in ("supported", "not_refuted"), found["points"]
    for control in found["controls"]:
        assert control["verdict"] == "contradicted", control
        assert control["caught"], control
        assert math.isfinite(control["estimate"])


@each_claim
def test_resolution_is_declared_and_a_control_is_near(claim, ledger):
    found = ledger[claim.id]
    if found["verdict"] in ("deferred", "skipped"):
        assert found["reason"]
        return
    assert found["resolution"] is not None
    if claim.kind == "statistical":
        assert found["n"] >= 20
        # An exact estimate of a control has no half-width.
        distances = [c["half_widths"] for c in found["controls"] if c["half_widths"] is not None]
        assert min(distances) <= HALF_WIDTHS


def test_four_fifths_of_a_topic_decide_at_quick():
    decides = defaultdict(list)
    for claim in CLAIMS:
        decides[claim.id.split("/")[0]].append(claim.decides == "quick")
    assert CLAIMS
    assert all(sum(quick) >= 0.8 * len(quick) for quick in decides.values())


def test_coverage_names_what_exists():
    known = {item.id for items in registry.everything().values() for item in items}
    for paper in registry.papers:
        assert paper.coverage
        assert paper.summary
        for covered in paper.coverage:
            assert set(covered.by) <= known, covered
            assert covered.note or covered.by
