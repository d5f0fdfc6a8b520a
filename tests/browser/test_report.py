"""The report of a complete reproduction, opened from disk: complete, alone, readable, operable."""

import io
import json
import os
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

RESULTS = Path(os.environ.get("THEORYTK_RESULTS", "results")).absolute()
REPORT = RESULTS / "report" / "index.html"
DESKTOP, PHONE = (1280, 900), (390, 844)
LOOKS = list(product((DESKTOP, PHONE), ("light", "dark")))
WORDS, NUMBERS = ["Claim", "Verdict", "Theorem"], ["Estimate [interval]", "Region", "n", "Slack"]
COLUMNS = [*WORDS, *NUMBERS, "Controls"]

# One claim of each kind, some figures and rows: all that differs in looks, in seconds.
THIN = """() => {
  const seen = new Set();
  document.querySelectorAll("details.claim").forEach((card) => {
    const kind = card.querySelector(".badge").textContent + card.querySelector(".verdict").className
      + card.querySelectorAll(".forest, .mistake, ul").length;
    seen.has(kind) ? card.remove() : seen.add(kind);
    card.querySelectorAll("details").forEach((inner) => (inner.open = true));
    card.open = true;
  });
  document.querySelectorAll(".paper:not(:has(details))").forEach((paper) => paper.remove());
  document.querySelectorAll(".coverage:nth-of-type(n + 4)").forEach((table) => table.remove());
  document.querySelectorAll("figure").forEach((figure, i) => i < 4 || figure.remove());
  document.querySelectorAll(".ledger tbody tr").forEach((row, i) => i < 12 || row.remove());
  document.querySelectorAll(".contents li").forEach((line, i) => i % 8 === 0 || line.remove());
}"""

SHOWN = """() => [...document.querySelectorAll(".ledger tbody tr")]
  .filter((row) => row.checkVisibility())
  .map((row) => [...row.cells].map((cell) => cell.textContent.trim()))"""


@pytest.fixture(scope="module")
def claims():
    ledger = RESULTS / "report" / "ledger.json"
    return {claim["id"]: claim for claim in json.loads(ledger.read_text("utf-8"))["claims"]}


@pytest.fixture
def report(open_page):
    return open_page(REPORT)


@pytest.fixture(scope="module")
def ledger(open_page):
    """Return the report for tests that leave the ledger sorted or filtered in their own way."""
    return open_page(REPORT).page


def shown(page):
    return page.evaluate(SHOWN)


def shown_ids(page):
    return [row[0] for row in shown(page)]


def test_it_opens_from_disk_alone_and_without_complaint(report):
    assert report.requests == [REPORT.as_uri()]
    report.page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert report.foreign() == report.complaints == []
    assert (
        report.page.locator("details.claim").count()
        == report.page.locator("tr[data-topic]").count()
    )


def test_nothing_can_be_loaded_even_if_it_were_asked_for(report):
    report.page.evaluate(
        "document.body.append(Object.assign(new Image(), {src: 'http://x.test/'}))"
    )
    report.page.wait_for_timeout(100)
    assert any("Content Security Policy" in line for line in report.complaints)


def test_the_ledger_shows_what_the_json_says(ledger, claims):
    rows = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in shown(ledger)}
    assert rows.keys() == claims.keys()
    for id, claim in claims.items():
        row = rows[id]
        assert row["Verdict"].endswith(claim["verdict"].replace("_", " "))
        assert row["n"] == ("–" if claim["n"] is None else f"{claim['n']:,}".replace(",", "\u202f"))
        controls = claim["controls"] or []
        caught = sum(control["caught"] for control in controls)
        assert row["Controls"] == (f"{caught} of {len(controls)} caught" if controls else "–")
        if claim["estimate"] is not None:
            digits = re.match(r"(−?)([\d.]+|∞)", row["Estimate [interval]"])
            assert (digits[1] == "−") == (claim["estimate"] < 0 and float(digits[2]) != 0)


def bound(claim):
    region = claim["region"] or {}
    ends = (region.get("hi"), region.get("lo"))
    return next((end for end in ends if end is not None and np.isfinite(end)), None)


def caught(claim):
    controls = claim["controls"]
    return sum(c["caught"] for c in controls) / len(controls) if controls else None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Estimate [interval]", lambda claim: claim["estimate"]),
        ("Region", bound),
        ("n", lambda claim: claim["n"]),
        ("Slack", lambda claim: claim["slack"]),
        ("Controls", caught),
    ],
)
def test_the_ledger_sorts_by_numbers(ledger, claims, column, value):
    head = ledger.locator(".ledger thead th", has_text=re.compile(f"^{re.escape(column)}"))
    for key, direction, sign in (("Enter", "ascending", 1), ("Space", "descending", -1)):
        head.locator("button").press(key)
        assert head.get_attribute("aria-sort") == direction
        assert ledger.locator(".ledger thead [aria-sort]").count() == 1
        values = [value(claims[id]) for id in shown_ids(ledger)]
        numbers = [x for x in values if x is not None]
        assert values == [*numbers, *[None] * (len(values) - len(numbers))]
        assert numbers == sorted(numbers, key=lambda x: sign * x)
        assert len(values) == len(claims)
        assert len(set(numbers)) > 1 or column == "Controls"


def natural(text):
    """Return a key that orders plain words, numbers in them by their size."""
    return [(ord("0"), int(x)) if x.isdigit() else (ord(x), 0) for x in re.findall(r"\d+|\D", text)]


@pytest.mark.parametrize("column", WORDS)
def test_the_ledger_sorts_by_words(ledger, column):
    head = ledger.locator(".ledger thead th", has_text=column)
    for direction in ("ascending", "descending"):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == direction
        words = [row[COLUMNS.index(column)].casefold().lstrip("✓○… ") for row in shown(ledger)]
        plain = [w for w in words if re.fullmatch(r"[a-z0-9 ]+(?:[/-][a-z0-9-]+)*", w)]
        assert len(plain) > len(words) / 10
        assert plain == sorted(plain, key=natural, reverse=direction == "descending")


def test_the_ledger_filters(ledger, claims):
    topics = {id: id.partition("/")[0] for id in claims}
    verdicts = {id: claim["verdict"] for id, claim in claims.items()}
    select = {name: ledger.locator(f"select[name={name}]") for name in ("topic", "verdict")}
    text = ledger.get_by_label("Text")

    def expect(wanted):
        assert set(shown_ids(ledger)) == {id for id in claims if wanted(id)}
        count = len(shown_ids(ledger))
        assert ledger.locator("form output").inner_text() == f"{count} of {len(claims)} claims"

    for name, found in (("topic", topics), ("verdict", verdicts)):
        offered = select[name].locator("option").evaluate_all("all => all.map((one) => one.value)")
        assert offered[0] == ""
        assert set(offered[1:]) == set(found.values())
        for value in offered[1:]:
            select[name].select_option(value)
            expect(lambda id, found=found, value=value: found[id] == value)
        select[name].select_option("")
    for words in ("nuclear", "NOISE privat", "sensitivity-sampling/", "no such words"):
        text.fill(words)
        expect(
            lambda id, words=words: all(
                word in f"{id} {claims[id]['theorem']} {claims[id]['statement']}".lower()
                for word in words.lower().split()
            )
        )
    text.fill("error")
    many = set(shown_ids(ledger))
    topic = max(topics.values(), key=lambda t: sum(topics[id] == t for id in many))
    select["topic"].select_option(topic)
    expect(lambda id: id in many and topics[id] == topic)
    ledger.keyboard.press("Escape")
    text.fill("")
    select["topic"].select_option("")
    expect(lambda id: True)


def test_a_link_to_a_folded_claim_unfolds_it(report):
    card = report.page.locator("details.claim:not([open])").first
    id = card.get_attribute("id")
    report.page.locator(f'.ledger a[href="#{id}"]').click()
    report.page.locator(f'[id="{id}"][open]').wait_for()  # or fails after a while
    assert report.page.locator(f'[id="{id}"] summary').first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_show(open_page, scheme):
    page = open_page(REPORT, scheme=scheme).page
    figures = page.locator("figure img")
    widths = figures.evaluate_all(
        "all => Promise.all(all.map(async (one) => (await one.decode(), one.naturalWidth)))"
    )
    assert widths
    assert min(widths) > 300
    image = Image.open(io.BytesIO(figures.first.screenshot())).convert("L")
    pixels = np.asarray(image) / 255
    ground, ink = (0.1, 0.8) if scheme == "dark" else (1, 0.2)
    assert np.median(pixels) == pytest.approx(ground, abs=0.06)
    assert (pixels > ink).any() if scheme == "dark" else (pixels < ink).any()


def test_no_sideways_scroll_on_a_phone(open_page):
    assert open_page(REPORT, size=PHONE).sticking_out() == []


def test_nor_on_a_desk(report):
    assert report.sticking_out() == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_the_keyboard_reaches_everything(open_page, size):
    visit = open_page(REPORT, size=size)
    visit.page.evaluate(THIN)
    assert visit.unreached() == []


def test_the_keyboard_skips_and_unfolds(report):
    page = report.page
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("e => e === document.activeElement")
    box = skip.bounding_box()
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert skip.evaluate("e => getComputedStyle(e).clipPath") == "none"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.tagName") == "MAIN"
    guide = page.locator("details.guide")
    for key, is_open in (("Enter", True), ("Space", False)):
        guide.locator("summary").press(key)
        assert (guide.get_attribute("open") is not None) == is_open


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_axe_finds_nothing_serious(open_page, size, scheme):
    visit = open_page(REPORT, size=size, scheme=scheme)
    visit.page.evaluate(THIN)
    assert visit.serious() == []


def test_axe_finds_nothing_serious_on_the_whole_page(report):
    # What formulas consist of is two thirds of all elements, and colours are the same as above.
    report.page.evaluate("document.querySelectorAll('math').forEach((m) => m.replaceChildren())")
    assert report.serious(rules={"color-contrast": {"enabled": False}}) == []
