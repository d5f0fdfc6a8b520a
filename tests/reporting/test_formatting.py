"""Numbers are read back; formulas are parsed as XML."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theorytk.reporting.formatting import count, estimate, number, plain, region, rich

DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
finite = st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-30)


def read(text: str) -> list[float]:
    """Return the numbers in a text, a common power of ten applied to all of them."""
    text, _, power = text.translate(DIGITS).partition(" × 10")
    scale = 10.0 ** int(power or 0)
    return [float(x) * scale for x in re.findall(r"-?[0-9.]+", text)]


@given(finite, st.integers(2, 5))
def test_number_reads_back_to_its_digits(x, digits):
    (back,) = read(number(x, digits))
    assert back == pytest.approx(x, rel=0.5 * 10.0 ** (1 - digits) * (1 + 1e-9))


@given(finite, st.floats(1e-4, 10))
def test_estimate_keeps_the_width_of_its_interval(value, relative):
    half = max(abs(value), 1e-20) * relative
    text = estimate(value, [value - half, value + half])
    assert text.count("×") <= 1
    three = zip(read(text), (value, value - half, value + half), strict=True)
    assert max(abs(a - b) for a, b in three) <= 0.051 * half


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (None, "–"),
        (math.nan, "–"),
        (-math.inf, "−∞"),
        (9999.6, "10000"),
        (0.00099999, "0.00100"),
        (99999.9, "1.00 × 10⁵"),
        (-3.1e-16, "−3.10 × 10⁻¹⁶"),
    ],
)
def test_number_at_its_edges(x, text):
    assert number(x) == text


@pytest.mark.parametrize(
    ("value", "interval", "text"),
    [
        (None, None, "–"),
        (0.5, None, "0.500"),
        (0.5, [0.5, 0.5], "0.500"),
        (1.9, [None, None], "1.90 [−∞, ∞]"),
        (0.0, [0.0, 9.9e-4], "0.0 [0.0, 9.9] × 10⁻⁴"),
        (0.5, [0.5 - 1e-12, 0.5 + 1e-12], "0.500 [0.500, 0.500]"),
        (1234.4, [1200.0, 1270.0], "1234 [1200, 1270]"),
    ],
)
def test_estimate_at_its_edges(value, interval, text):
    assert estimate(value, interval) == text


def test_count_sets_thousands_apart():
    assert count(1234567) == "1\u202f234\u202f567"
    assert count(None) == "–"


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ({"lo": None, "hi": 0.05, "margin": 0.0}, "at most 0.05"),
        ({"lo": 0.9, "hi": None, "margin": 1e-6}, "at least 0.9 (margin 10⁻⁶)"),
        ({"lo": 1.9, "hi": 2.1, "margin": 0}, "between 1.9 and 2.1"),
        ({"lo": -1, "hi": -1, "margin": 0.06}, "equal to −1 (margin 0.06)"),
        ({"lo": None, "hi": 2.5e-7}, "at most 2.5 × 10⁻⁷"),
        ({"lo": None, "hi": 1200}, "at most 1200"),
        ({"lo": None, "hi": None}, "–"),
        (None, "–"),
    ],
)
def test_region_in_words(where, text):
    assert region(where) == text


def formulas(text: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(f"<p>{rich(text)}</p>")
    return list(root.iter("{http://www.w3.org/1998/Math/MathML}math"))


def letters(text: str) -> str:
    return "".join("".join(f.itertext()) for f in formulas(text))


def test_inline_and_display_in_one_sentence():
    inline, display, last = formulas("If $a < b$ then $$c_1 = d^2$$ and $\\alpha \\ge 0$.")
    assert [f.get("display") for f in (inline, display, last)] == ["inline", "block", "inline"]
    assert "".join(inline.itertext()) == "a<b"
    assert "".join(last.itertext()) == "α≥0"
    assert inline.get("alttext") == "a < b"


def test_alphabets_are_letters_because_browsers_ignore_mathvariant():
    assert letters(r"$\mathcal{A}$$\mathcal{L}$") == "𝒜ℒ"
    assert letters(r"$\mathbf{x}\boldsymbol{\alpha}\mathfrak{R}\mathbb{E}$") == "𝐱𝜶ℜ𝔼"
    assert rich(r"$\mathrm{tr}$").count('mathvariant="normal"') == 2


def test_dollars_and_unreadable_formulas_stay_text():
    assert rich(r"costs \$5 < \$6") == "costs $5 &lt; $6"
    assert rich("one $ sign") == "one $ sign"
    assert rich(r"bad $\left(x$ here") == r"bad <code>\left(x</code> here"
    assert rich(None) == ""


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        r"$\text{<script>alert(1)</script>}$",
        r"$\text{&lt;script&gt;}$",
        r"$\left(<script>$",
        r"$\href{javascript:alert(1)}{x}$",
        r"$\style{background:url(http://evil)}{x}$",
        'quote " and $"><script>$',
    ],
)
def test_hostile_text_makes_no_elements_or_links(hostile):
    root = ElementTree.fromstring(f"<p>{rich(hostile)}</p>")
    assert not any(node.tag.endswith("script") for node in root.iter())
    assert not any({"href", "style"} & set(node.attrib) for node in root.iter())


def test_plain_drops_the_dollars():
    assert plain("the $k$ of $$r$$ for \\$5") == "the k of r for $5"
