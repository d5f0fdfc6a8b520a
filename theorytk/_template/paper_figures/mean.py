"""The figure of the first paper."""

from __future__ import annotations

from theorytk.reporting import curve, figure, subplots, summarise, theory


@figure(
    "first-steps/error",
    paper="bienayme1853",
    experiments=["first-steps/mean-error"],
    title="Four times the draws, a quarter of the squared error",
    caption=r"Squared error of a mean of $n$ uniform draws with 95% intervals, and $1/(12n)$.",
    reproduces="Not in the paper: its law",
)
def error(tables):
    """Squared error against the number of draws."""
    points = summarise(tables["first-steps/mean-error"], ["size"], "error")
    fig, axes = subplots()
    ax = axes[0, 0]
    curve(ax, points["size"], points["centre"], points["low"], points["high"], label="measured")
    theory(ax, points["size"], 1 / (12 * points["size"]), label="law")
    ax.set(xscale="log", yscale="log", xlabel="draws $n$ (1)", ylabel="squared error (1)")
    ax.legend()
    return fig, points
