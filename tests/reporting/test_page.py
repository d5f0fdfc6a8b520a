"""The page, read by a strict parser."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

import theorytk.reporting
from theorytk.registry import Covered, Paper
from theorytk.reporting.page import ledger_html, write_report

VOID = {"meta", "img", "br", "hr", "link", "input", "col"}
EMPTY = {"claims": [], "preset": None, "seconds": None}
PROVENANCE = {"versions": "theorytk 0.1.0", "seed": "11"}


class Page(HTMLParser):
    """Elements with their attributes and ancestors; a tag closed out of order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} repeats an attribute"
        self.elements.append((tag, dict(attrs), tuple(self.stack)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.stack)))

    def handle_endtag(self, tag):
        assert self.stack, f"</{tag}> closes nothing"
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.stack):
            self.words.append(data)

    def all(self, tag):
        return [attrs for name, attrs, _ in self.elements if name == tag]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


@pytest.fixture
def write(ledger, paper, drawn, tmp_path):
    def written(**changes) -> str:
        given = {"papers": [paper], "ledger": ledger, "figures": drawn, "provenance": PROVENANCE}
        output = tmp_path / "report" / "index.html"
        assert write_report(**{**given, **changes}, output=output) == output
        return output.read_text(encoding="utf-8")

    return written


def test_the_page_is_well_formed_and_accessible(write):
    text = write()
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert page.all("html") == [{"lang": "en-GB"}]
    levels = [int(tag[1]) for tag, *_ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(attrs.get("alt") for attrs in page.all("img"))
    assert all(attrs.get("scope") in ("row", "col") for attrs in page.all("th"))
    assert all(attrs.get("aria-hidden") for attrs in page.all("svg") if "class" in attrs)
    ids = Counter(attrs["id"] for _, attrs, _ in page.elements if attrs.get("id"))
    assert set(ids.values()) == {1}
    for attrs in page.all("a"):
        if attrs["href"].startswith("#"):
            assert attrs["href"][1:] in ids
    for _, attrs, _ in page.elements:
        assert attrs.get("aria-labelledby", next(iter(ids))) in ids


def test_it_loads_nothing_and_runs_one_script(write):
    text = write()
    page = Page(text)
    assert not {"link", "iframe", "object"} & {tag for tag, *_ in page.elements}
    assert page.all("script") == [{}]
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [a["content"] for a in page.all("meta") if "http-equiv" in a]
    assert policy.split("; ")[0] == "default-src 'none'"
    assert f"script-src 'sha256-{digest}'" in policy.split("; ")
    assert not any(name.startswith("on") for _, attrs, _ in page.elements for name in attrs)
    for tag, attrs, _ in page.elements:
        if "src" in attrs:
            assert attrs["src"].startswith("data:image/png;base64,")
        if attrs.get("href", "").startswith("http"):
            assert tag == "a"
    assert "url(" not in text
    assert "@import" not in text


def test_every_field_of_the_ledger_appears(write, ledger):
    page = Page(write())
    for claim in ledger["claims"]:
        for name in ("id", "theorem", "status", "method", "reason", "experiment"):
            assert (claim[name] or "") in page.text
        assert claim["verdict"].replace("_", " ") in page.text
        for control in claim["controls"] or []:
            assert control["name"] in page.text
            assert control["mistake"] in page.text
            assert control["reason"] in page.text
    for shown in (
        "−0.0498 [−0.0521, −0.0475]",
        "−0.0131 [−0.0149, −0.0112]",
        "At most −0.04 (margin 0.002)",
        "Equal to −1 (margin 0.2)",
        "12 000",
        "1.24",
        "0.00310",
        "k = 4",
        "✓ checked",
        "◇ assumed",
        "at finite",
        "3f9ac2e1",
        "1.25 s",
        "missed (undecided)",
        "2 of 3",
        "83.4 s",
        "theorytk 0.1.0",
        "(not drawn)",
        "level 1 × 10⁻⁵",
    ):
        assert shown in page.text, shown


def test_papers_and_coverage_appear(write, paper):
    text = write()
    page = Page(text)
    for shown in (*paper.authors, "ICLR", "2024", "nobody1999", "the data are not public"):
        assert shown in page.text
    targets = {attrs["href"] for attrs in page.all("a")}
    assert {"https://arxiv.org/abs/2310.01769", "https://example.org/paper"} <= targets
    assert "#claim.matrix-sensing.rate" in targets
    assert "#claim.matrix-sensing.gone" not in targets
    assert "matrix-sensing/gone" in page.text


def test_failures_are_named_first(write):
    page = Page(write())
    head = page.text[: page.text.index("How to read this page")]
    assert "Look at these first" in head
    for id in ("wrong", "open", "grid"):
        assert f"matrix-sensing/{id}" in head
    assert "matrix-sensing/rate" not in head
    assert "a control was missed" in head


def test_figures_are_embedded_and_their_files_linked(write, drawn, tmp_path):
    page = Page(write())
    (image,) = page.all("img")
    png = base64.b64decode(image["src"].partition(",")[2])
    assert png == drawn["matrix-sensing/rate"]["png"].read_bytes()
    for attrs in page.all("a"):
        if attrs["href"].endswith((".pdf", ".csv")):
            assert (tmp_path / "report" / attrs["href"]).resolve().is_file()
    assert sum(a["href"].endswith((".pdf", ".csv")) for a in page.all("a")) == 2
    assert "Figure 1. The rate for" in page.text


def test_statements_become_mathml(write, ledger):
    page = Page(write())
    displays = [attrs["display"] for attrs in page.all("math")]
    assert displays.count("block") == len(ledger["claims"])
    assert displays.count("inline") > 2 * len(ledger["claims"])
    assert "$" not in page.text


def test_a_figure_stands_once_after_the_first_claim_that_shows_it(write, ledger, drawn):
    id = next(iter(drawn))
    claims = [dict(c, figures=[id]) for c in ledger["claims"]]
    text = write(ledger={**ledger, "claims": claims})
    place = text.index(f'<figure id="figure.{id.replace("/", ".")}"')
    first, second = (text.index(f'id="claim.{c["id"].replace("/", ".")}"') for c in claims[:2])
    assert first < place < second
    assert text.count("<figure") == len(drawn)


def test_rows_of_the_ledger_carry_what_they_are_sorted_and_filtered_by(write, ledger):
    changed = [
        dict(ledger["claims"][0], estimate=float("nan"), slack=-float("inf")),
        dict(ledger["claims"][0], id="other/topic", region={"lo": 0.5, "hi": None}, n=None),
        dict(ledger["claims"][5], id="other/nothing"),
    ]
    page = Page(write(ledger={**ledger, "claims": changed}))
    rows = [a for a in page.all("tr") if "data-topic" in a]
    assert [row["data-topic"] for row in rows] == ["matrix-sensing", "other", "other"]
    assert [row["data-verdict"] for row in rows] == ["supported", "supported", "deferred"]
    keys = [attrs["data-sort"] for attrs in page.all("td") if "data-sort" in attrs]
    assert keys == [
        *("", "-0.04", "12000", "-Infinity", "1.0"),
        *("-0.0498", "0.5", "", "1.24", "1.0"),
        *("", "", "", "", ""),
    ]
    chosen = [attrs.get("value") for attrs in page.all("option")]
    assert chosen == ["", None, None, "", "supported", "deferred"]


def test_empty_ledger(write):
    page = Page(write(papers=[], figures={}, provenance={}, ledger=EMPTY))
    assert "The ledger holds no claims." in page.text
    assert "0 of 0" in page.text


def test_the_api_ledger_without_controls_or_failures(write, ledger):
    calm = {**ledger, "claims": [dict(c, controls=[]) for c in ledger["claims"][:3]]}
    page = Page(write(ledger=calm))
    assert "No claim was contradicted or left undecided." in page.text
    assert "Look at these first" not in page.text


def test_claims_of_ours_that_pass_are_folded_once_there_are_many(write, ledger):
    failing = {"grid", "wrong", "open"}
    theorems = {
        c["id"].split("/")[1] for c in ledger["claims"] if c["status"] in ("theorem", "erratum")
    }
    many = [dict(c, id=f"{c['id']}-{i}") for i in range(6) for c in ledger["claims"]]
    cards = list(Page(write(ledger={**ledger, "claims": many})).all("details"))
    cards = [a for a in cards if a.get("class") == "claim"]
    assert len(cards) == 48
    assert {a["id"] for a in cards if "open" in a} == {
        f"claim.matrix-sensing.{name}-{i}" for name in failing | theorems for i in range(6)
    }
    few = [a for a in Page(write()).all("details") if a.get("class") == "claim"]
    assert all("open" in a for a in few)


EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> $\\text{<u>}$"


def hostile(value):
    """Return `value` with every text in it made hostile, save the words of the vocabulary."""
    fixed = ("verdict", "kind", "lo", "hi", "margin")
    if isinstance(value, dict):
        return {k: v if k in fixed else hostile(v) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(v) for v in value]
    return f"{value}{EVIL}" if isinstance(value, str) else value


def test_hostile_text_stays_text(write, ledger, drawn):
    figures = {
        f"{id}{EVIL}": {k: v if isinstance(v, Path) else EVIL for k, v in f.items()}
        for id, f in drawn.items()
    }
    evil = Paper(
        "doe2024" + EVIL, EVIL, EVIL, (EVIL,), 2024, EVIL, EVIL, "javascript:alert(1)", EVIL,
        (Covered(EVIL, "verified", EVIL, (EVIL,)),),
    )  # fmt: skip
    text = write(papers=[evil], ledger=hostile(ledger), figures=figures, provenance={EVIL: EVIL})
    assert len(Page(text).all("img")) == 1
    for page, scripts in ((Page(text), [{}]), (Page(ledger_html(hostile(ledger))), [])):
        assert page.all("script") == scripts
        assert page.all("u") == []
        assert not any("onerror" in attrs for _, attrs, _ in page.elements)
        assert not any("javascript" in a.get("href", "") for a in page.all("a"))
        assert "<script>alert(1)</script>" in page.text


def test_same_arguments_same_bytes(write):
    assert write() == write()


def test_a_failed_write_leaves_the_old_page(write, drawn, tmp_path):
    old = write()
    (gone,) = drawn.values()
    with pytest.raises(FileNotFoundError):
        write(figures={"a/b": {**gone, "png": tmp_path / "absent.png"}})
    folder = tmp_path / "report"
    assert [p.name for p in folder.iterdir()] == ["index.html"]
    assert (folder / "index.html").read_text(encoding="utf-8") == old


def test_ledger_table_stands_alone(ledger):
    text = ledger_html(ledger)
    page = Page(text)
    rows = [tag for tag, _, above in page.elements if tag == "tr" and "tbody" in above]
    assert len(rows) == len(ledger["claims"])
    assert page.all("a") == []
    assert "−1.00 [−1.10, −0.90]" in page.text
    assert "1 of 2 caught" in page.text
    assert "8 claims at the quick preset" in page.text
    assert all(
        line.startswith(".theorytk-ledger") for line in re.findall(r"(?m)^\S+(?=.*\{)", text)
    )


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_text_has_contrast_in_light_dark_and_print():
    style = Path(theorytk.reporting.__file__).with_name("templates") / "report.css"
    themes = re.findall(r":root \{(.*?)\}", style.read_text(encoding="utf-8"), re.DOTALL)
    assert len(themes) == 3
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", theme))
        colours = {
            k: v if len(v) == 7 else "#" + "".join(2 * c for c in v[1:]) for k, v in colours.items()
        }
        for name in ("ink", "muted", "link", "good", "bad", "open"):
            light, dark = sorted((luminance(colours[name]), luminance(colours["paper"])))[::-1]
            assert (light + 0.05) / (dark + 0.05) >= 4.5, name
        strokes = (luminance(colours["ink"]), luminance(colours["band"]))
        assert (max(strokes) + 0.05) / (min(strokes) + 0.05) >= 4.5
