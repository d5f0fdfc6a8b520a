"""Mathematics as MathML, which browsers show without a script and without a network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from theorytk.reporting.formatting import mathml

_TAG = re.compile(r"\\tag\{(?P<number>[^{}]*)\}")
_logger = logging.getLogger(__name__)


def inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula in a line."""
    self.body.append(_converted(node.astext(), node, display=False))
    raise nodes.SkipNode


def display(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula, its number apart: MathML has no place for it."""
    latex = node.astext()
    found = _TAG.search(latex)
    number = f'<span class="number">({found["number"]})</span>' if found else ""
    formula = _converted(_TAG.sub("", latex), node, display=True)
    self.body.append(f'<div class="formula" tabindex="0">{formula}{number}</div>\n')
    raise nodes.SkipNode


def _converted(latex: str, node: nodes.Element, *, display: bool) -> str:
    try:
        return str(mathml(latex, display))
    except ValueError as error:
        _logger.warning("%s", error, location=node, type="mathml")
        return str(nodes.literal(latex, latex).astext())


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
