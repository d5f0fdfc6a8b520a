"""The coin's only figure."""

from __future__ import annotations

from theorytk.reporting import curve, figure, subplots


@figure(
    "coin/heads",
    paper="bernoulli1713",
    experiments=("coin/toss",),
    title="Heads",
    caption="Their share is close to $1/2$.",
    reproduces="Part IV, own parameters",
)
def heads(tables):
    """Plot the mean of the heads against the scale."""
    plotted = tables["coin/toss"].groupby("scale", as_index=False)["heads"].mean()
    fig, axes = subplots()
    curve(axes[0, 0], plotted["scale"], plotted["heads"])
    axes[0, 0].set(xlabel="scale (1)", ylabel="mean heads (1)")
    return fig, plotted
