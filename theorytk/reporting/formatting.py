"""Text for the page: words with LaTeX as MathML, and numbers with the digits they deserve."""

from __future__ import annotations

import html
import math
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from latex2mathml import converter
from markupsafe import Markup, escape

__all__ = ["count", "estimate", "mathml", "number", "plain", "region", "rich", "ten"]

_MATH = re.compile(r"\$\$(?P<display>.+?)\$\$|(?<!\\)\$(?P<inline>.+?)(?<!\\)\$", re.DOTALL)
_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_ALPHABETS = {
    "script": ("SCRIPT",),
    "fraktur": ("FRAKTUR", "BLACK-LETTER"),
    "double-struck": ("DOUBLE-STRUCK",),
    "bold": ("BOLD",),
    "bold-italic": ("BOLD ITALIC",),
    "sans-serif": ("SANS-SERIF",),
    "monospace": ("MONOSPACE",),
}
_PARTS = {
    **dict.fromkeys(("mfrac", "mroot", "msub", "msup", "munder", "mover"), 2),
    **dict.fromkeys(("msubsup", "munderover"), 3),
}
_UNSAFE = ("href", "style", "class", "id")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DIGITS = 7
MISSING = "–"


def rich(text: str | None) -> Markup:
    r"""Return words with ``$inline$`` and ``$$display$$`` LaTeX as HTML.

    Parameters
    ----------
    text : str or None
        Plain text, never HTML: everything outside formulas is escaped. A dollar sign is ``\$``.

    Returns
    -------
    markupsafe.Markup
        HTML with MathML; a formula that cannot be converted stays readable as its source.

    Examples
    --------
    >>> rich("a < b")
    Markup('a &lt; b')
    >>> "<mi>x</mi>" in rich("the norm of $x$")
    True
    """
    pieces, end, words = [], 0, text or ""
    for found in _MATH.finditer(words):
        pieces.append(escape(words[end : found.start()].replace(r"\$", "$")))
        display = found["display"] is not None
        pieces.append(_formula(found["display"] if display else found["inline"], display))
        end = found.end()
    pieces.append(escape(words[end:].replace(r"\$", "$")))
    return Markup("").join(pieces)


def mathml(latex: str, display: bool = False) -> Markup:
    r"""Return a formula as MathML.

    Parameters
    ----------
    latex : str
        LaTeX without dollar signs.
    display : bool
        Whether it stands on a line of its own.

    Returns
    -------
    markupsafe.Markup
        A ``<math>`` element that carries its source as ``alttext``.

    Raises
    ------
    ValueError
        If the formula cannot be converted, or not all of it.

    Examples
    --------
    >>> "<mi>x</mi>" in mathml("x")
    True
    >>> mathml(r"\nosuchcommand x")
    Traceback (most recent call last):
        ...
    ValueError: not all of the formula could be converted: \nosuchcommand x
    """
    source = " ".join(latex.split())
    try:
        element = converter.convert_to_element(source, display="block" if display else "inline")
    except Exception as error:  # the converter raises unrelated types, IndexError among them
        raise ValueError(f"the formula could not be converted: {source}") from error
    # The converter leaves character references in the text for a later, unsafe unescaping.
    for node in element.iter():
        node.text = _styled(html.unescape(node.text or ""), node.get("mathvariant", ""))
        node.tail = html.unescape(node.tail or "")
        if node.get("mathvariant") in _ALPHABETS:
            del node.attrib["mathvariant"]
        for name in _UNSAFE:
            node.attrib.pop(name, None)
    if not all(map(_is_whole, element.iter())):
        raise ValueError(f"not all of the formula could be converted: {source}")
    element.set("xmlns", _NAMESPACE)
    element.set("alttext", source)
    return Markup(ElementTree.tostring(element, encoding="unicode"))


def plain(text: str | None) -> str:
    """Return `text` without the dollar signs around formulas, for attributes and titles.

    Examples
    --------
    >>> plain("the norm of $x$")
    'the norm of x'
    """
    return _MATH.sub(lambda m: m["display"] or m["inline"], text or "").replace(r"\$", "$")


def number(x: float | None, digits: int = 3) -> str:
    """Return `x` to `digits` significant digits, with a true minus and powers of ten.

    Parameters
    ----------
    x : float or None
        The number; None and NaN give a dash.
    digits : int
        Significant digits.

    Returns
    -------
    str
        For people; not meant to be parsed.

    Examples
    --------
    >>> number(-0.49876), number(2.5e-9), number(float("inf")), number(None)
    ('−0.499', '2.50 × 10⁻⁹', '∞', '–')
    """
    if x is None or math.isnan(x):
        return MISSING
    if math.isinf(x) or x == 0:
        return _sign("0" if x == 0 else "∞", x)
    power = _power(x, digits)
    if _is_plain(power):
        return _fixed(x, digits - 1 - power)
    return f"{_fixed(x / 10.0**power, digits - 1)} × {ten(power)}"


def count(n: int | None) -> str:
    """Return an integer with its thousands apart.

    Examples
    --------
    >>> count(12000) == "12\N{NARROW NO-BREAK SPACE}000"
    True
    """
    return MISSING if n is None else f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def estimate(value: float | None, interval: Sequence[float | None] | None) -> str:
    """Return an estimate and its interval with the digits that the interval's width leaves.

    Parameters
    ----------
    value : float or None
        The estimate.
    interval : pair of float or None
        Its ends; None for an end is unbounded. A pair of equal ends, or None, is not printed.

    Returns
    -------
    str
        Such as ``"0.498 [0.476, 0.520]"``.

    Examples
    --------
    >>> estimate(0.49812, [0.4763, 0.5199])
    '0.498 [0.476, 0.520]'
    >>> estimate(4.98e-7, [4.7e-7, 5.2e-7])
    '4.98 [4.70, 5.20] × 10⁻⁷'
    """
    if interval is None or value is None or math.isnan(value):
        return number(value)
    low, high = ends(interval)
    if low == high:
        return number(value)
    largest = max(abs(value), abs(low), abs(high))
    if not math.isfinite(largest):
        return f"{number(value)} [{number(low)}, {number(high)}]"
    power = _power(largest, 3)
    finest = math.floor(math.log10((high - low) / 2)) - 1
    if power - finest >= _MOST_DIGITS or power - finest <= 0:
        return f"{number(value)} [{number(low)}, {number(high)}]"
    if _is_plain(power):
        decimals = -finest
        texts = [_fixed(x, decimals) for x in (value, low, high)]
        return f"{texts[0]} [{texts[1]}, {texts[2]}]"
    texts = [_fixed(x / 10.0**power, power - finest) for x in (value, low, high)]
    return f"{texts[0]} [{texts[1]}, {texts[2]}] × {ten(power)}"


def ends(interval: Sequence[float | None]) -> tuple[float, float]:
    """Return the ends of an interval or region, None as infinite."""
    low, high = interval
    return (-math.inf if low is None else low), (math.inf if high is None else high)


def region(where: dict[str, Any] | None) -> str:
    """Return a region in words.

    Parameters
    ----------
    where : dict or None
        With ``lo``, ``hi`` (None where unbounded) and ``margin``.

    Returns
    -------
    str
        Such as ``"at most 0.05 (margin 0.005)"``.

    Examples
    --------
    >>> region({"kind": "at most", "lo": None, "hi": 0.05, "margin": 0.005})
    'at most 0.05 (margin 0.005)'
    """
    if where is None:
        return MISSING
    low, high = ends((where.get("lo"), where.get("hi")))
    if math.isinf(low) and math.isinf(high):
        return MISSING
    if math.isinf(low):
        text = f"at most {_short(high)}"
    elif math.isinf(high):
        text = f"at least {_short(low)}"
    elif low == high:
        text = f"equal to {_short(low)}"
    else:
        text = f"between {_short(low)} and {_short(high)}"
    margin = where.get("margin") or 0.0
    return f"{text} (margin {_short(margin)})" if margin else text


def _formula(latex: str, display: bool) -> Markup:
    """Return a formula as MathML, or its source where the converter cannot read it."""
    try:
        text = mathml(latex, display)
    except ValueError:
        return Markup("<code>{}</code>").format(latex)
    return Markup('<span class="formula">{}</span>').format(text) if display else text


def _is_whole(node: ElementTree.Element) -> bool:
    """Tell whether a node has its parts, and no command that the converter only copied."""
    if node.tag == "mtext":
        return True
    copied = "\\" in (node.text or "") or (node.text == "&")
    return not copied and len(node) == _PARTS.get(node.tag, len(node))


def _styled(text: str, variant: str) -> str:
    """Return letters of a mathematical alphabet; browsers no longer honour ``mathvariant``."""
    return "".join(_letter(character, variant) for character in text)


def _letter(character: str, variant: str) -> str:
    name = unicodedata.name(character, "").replace("LETTER ", "")
    short_name = name.removeprefix("LATIN ").removeprefix("GREEK ")
    for style in _ALPHABETS.get(variant, ()):
        for prefix in (f"MATHEMATICAL {style}", style):
            try:
                return unicodedata.lookup(f"{prefix} {short_name}")
            except KeyError:
                continue
    return character


def _power(x: float, digits: int) -> int:
    """Return the decimal exponent of `x` once rounded to `digits` digits."""
    return int(f"{x:.{digits - 1}e}".partition("e")[2])


def _is_plain(power: int) -> bool:
    """Tell whether numbers of this size are written without a power of ten."""
    return -3 <= power < 5


def _fixed(x: float, decimals: int) -> str:
    rounded = Decimal(repr(float(x))).quantize(Decimal(1).scaleb(-max(decimals, 0)))
    return _sign(str(abs(rounded)), float(rounded))


def _sign(text: str, x: float) -> str:
    return ("−" if x < 0 else "") + text


def ten(power: int) -> str:
    """Return a power of ten."""
    return "10" + str(power).translate(_SUPERSCRIPT)


def _short(x: float) -> str:
    """Return a chosen number, such as a bound, without trailing zeros."""
    text = number(x, 4)
    mantissa, times, ten = text.partition(" × ")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return ten if (mantissa, times) == ("1", " × ") else mantissa + times + ten
