"""Figures and the HTML report (:mod:`theorytk.reporting.page`); knows no topic."""

from theorytk.reporting.figures import Figure, check_labels, figure
from theorytk.reporting.style import WIDTHS, curve, end_labels, subplots, theory, use_style
from theorytk.reporting.summaries import summarise

__all__ = [
    "WIDTHS",
    "Figure",
    "check_labels",
    "curve",
    "end_labels",
    "figure",
    "subplots",
    "summarise",
    "theory",
    "use_style",
]
