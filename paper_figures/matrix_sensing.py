"""Figures of matrix sensing: how over-parameterisation slows descent down, and what cures it."""

from __future__ import annotations

import numpy as np

from theorytk.matrix_sensing import theory as law
from theorytk.reporting import curve, figure, subplots, summarise, theory

PAPER = "xiong2024"
ERROR = r"$\Vert E_T\Vert_F$ (1)"
ITERATION = "iteration $T$ (1)"
OWN = "our own parameters: those of the printed figure are not all given"


def _trajectories(table, by):
    """Return geometric means of the errors above rounding, with 95% intervals."""
    seen = table[(table["error"] > 1e-14) & (table["iteration"] > 0)]
    return summarise(seen, [*by, "iteration"], "error", logarithm=True)


def _draw(ax, points, by, names):
    """Draw one line with its band for each level of the factor `by`."""
    for value, line in points.groupby(by):
        curve(ax, line["iteration"], line["centre"], line["low"], line["high"], label=names(value))


@figure(
    "matrix-sensing/symmetric-rates",
    paper=PAPER,
    experiments=["matrix-sensing/symmetric-gd"],
    title="Symmetric descent: linear when exact, 1/T when over-parameterised",
    caption=r"Left: error of symmetric gradient descent in the population, $n=50$, $r=3$, "
    r"$\sigma=(1,\,0.75,\,0.5)$, $\eta=0.1$, $\alpha=0.1$; geometric mean and 95% interval over "
    r"replicates. With $k=r=3$ it falls to rounding, with $k>r$ as $1/T$. Right: $1/\Vert E_T\Vert_F$ "
    r"grows along straight lines of slope $2\eta/\sqrt{k-r}$ (dashed), whatever $\alpha$.",
    reproduces=f"Figure 1 (re-created: {OWN})",
)
def symmetric_rates(tables):
    """Errors against T, and their reciprocals against the sharp law."""
    rows = tables["matrix-sensing/symmetric-gd"]
    points = _trajectories(rows[rows["alpha"] == 0.1], ["k"])
    fig, axes = subplots(1, 2, width="double")
    _draw(axes[0, 0], points, "k", lambda k: f"$k={k:.0f}$")
    axes[0, 0].set(xscale="log", yscale="log", xlabel=ITERATION, ylabel=ERROR)
    axes[0, 0].legend()
    slow = points[points["k"] > 3].assign(centre=lambda p: 1 / p["centre"])
    slow = slow.assign(low=1 / slow["high"], high=1 / slow["low"])
    _draw(axes[0, 1], slow, "k", lambda k: f"$k={k:.0f}$")
    last = slow[slow["iteration"] == slow["iteration"].max()]
    for _, end in last.iterrows():
        t = np.array([0.0, end["iteration"]])
        slope = 2 * rows["step_size"].iloc[0] / np.sqrt(end["k"] - 3)
        theory(axes[0, 1], t, end["centre"] + slope * (t - t[1]), label="_law")
    axes[0, 1].set(xlabel=ITERATION, ylabel=r"$1/\Vert E_T\Vert_F$ (1)")
    return fig, points
