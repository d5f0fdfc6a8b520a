"""Figures and the HTML report; knows no topic."""

from theorytk.reporting.figures import Figure, check_labels, figure
from theorytk.reporting.page import ledger_html, write_report
from theorytk.reporting.style import WIDTHS, curve, end_labels, subplots, theory, use_style
from theorytk.reporting.summaries import summarise

__all__ = [
    "WIDTHS",
    "Figure",
    "check_labels",
    "curve",
    "end_labels",
    "figure",
    "ledger_html",
    "subplots",
    "summarise",
    "theory",
    "use_style",
    "write_report",
]
