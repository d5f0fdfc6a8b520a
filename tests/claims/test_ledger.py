"""The ledger: documented keys, strictly valid JSON, text and HTML."""

from __future__ import annotations

import json

import pytest

from theorytk.claims import Control, Ledger
from theorytk.inference import AtMost, Between, mean_estimate

DOCUMENTED = {
    *("id", "paper", "theorem", "statement", "status", "assumptions", "kind", "decides"),
    *("experiment", "estimate", "interval", "n", "method", "slack", "resolution", "points"),
    *("region", "margin_reason", "verdict", "reason", "controls", "control_verdict", "seconds"),
    "provenance",
}


def mean(table):
    return mean_estimate(table["x"])


@pytest.fixture
def ledger(judged):
    near = Control("near", shift=0.95)
    return Ledger(
        [
            judged(mean, id="unit/holds"),
            judged(mean, id="unit/uncaught", controls=(Control("far", shift=10), near)),
            judged(mean, id="unit/between", region=Between(-1, 1)),
            judged(mean, id="unit/later", decides="paper"),
            judged(mean, id="unit/missing", keep=3),
        ],
        "quick",
        1.23456,
    )


def test_every_claim_has_exactly_the_documented_keys(ledger):
    content = ledger.to_dict()
    assert set(content) == {"claims", "preset", "seconds"}
    assert [set(claim) for claim in content["claims"]] == [DOCUMENTED] * 5
    for claim in content["claims"]:
        assert set(claim["region"]) == {"kind", "lo", "hi", "margin"}


def test_json_is_strictly_valid_and_infinite_ends_are_null(ledger):
    content = json.loads(json.dumps(ledger.to_dict(), allow_nan=False))
    holds, uncaught, between, later, missing = content["claims"]
    assert holds["region"] == {"kind": "at most", "lo": None, "hi": 1.0, "margin": 0.0}
    assert between["region"]["lo"] == -1.0
    assert holds["interval"][0] < holds["estimate"] < holds["interval"][1]
    assert (holds["n"], holds["control_verdict"]) == (30, "contradicted")
    assert uncaught["control_verdict"] == "undecided"
    assert [c["caught"] for c in uncaught["controls"]] == [True, False]
    assert (later["verdict"], later["estimate"], later["interval"]) == ("deferred", None, None)
    assert later["control_verdict"] is None
    assert missing["verdict"] == "undecided"


def test_one_bad_result_makes_a_ledger_bad(ledger):
    assert not ledger.ok
    assert [result.ok for result in ledger] == [True, False, True, True, False]
    assert Ledger([ledger["unit/holds"], ledger["unit/later"]], "quick").ok


def test_text_says_verdict_interval_controls_and_counts(ledger):
    lines = repr(ledger).splitlines()
    assert lines[0].startswith("unit/holds ")
    assert "supported" in lines[0]
    assert f"in {AtMost(1.0)!r}" in lines[0]
    assert lines[1].endswith("controls caught 1/2")
    assert lines[4].endswith("27 of 30 replicates are missing")
    assert lines[5] == "5 claims at the quick preset: 1 deferred, 3 supported, 1 undecided"
    assert ledger.counts() == {"deferred": 1, "supported": 3, "undecided": 1}


def test_html_names_every_claim(ledger):
    page = ledger._repr_html_()
    assert all(result.claim.id in page for result in ledger)


def test_a_claim_is_found_by_its_id(ledger):
    assert ledger["unit/between"].claim.id == "unit/between"
    with pytest.raises(KeyError, match="did you mean 'unit/between'"):
        ledger["unit/betwen"]
    assert len(ledger) == 5
