"""Figures of matrix sensing: how over-parameterisation slows descent down, and what cures it."""

from __future__ import annotations

import numpy as np

from theorytk.reporting import curve, figure, subplots, summarise, theory

PAPER = "xiong2024"
ERROR = r"$\Vert E_T\Vert_F$ (1)"
ITERATION = "iteration $T$ (1)"
OWN = "our own parameters; those of the printed figure are not all known to us"
SETTING = (
    r"$n=50$, $r=3$, $\sigma=(1,\,0.75,\,0.5)$, $\eta=0.1$, infinitely many measurements; "
    "geometric mean and 95% interval over replicates."
)


def _trajectories(table, by, column="error", floor=1e-13):
    """Return geometric means with 95% intervals, up to where a replicate reaches rounding."""
    keys = [*by, "iteration"]
    lowest = table.groupby(keys)[column].transform("min")
    seen = table[(lowest > floor) & (table["iteration"] > 0)]
    return summarise(seen, keys, column, logarithm=True)


def _lines(ax, points, by, label, x="iteration", first=0):
    """Draw a line with its band for each level of `by`; `first` is its place in the palette."""
    for i, (level, line) in enumerate(points.groupby(by)):
        look = dict(color=f"C{first + i}", marker="os^Dv<>p"[first + i])
        curve(ax, line[x], line["centre"], line["low"], line["high"], label=label(level), **look)


@figure(
    "matrix-sensing/symmetric-rates",
    paper=PAPER,
    experiments=["matrix-sensing/symmetric-gd"],
    title="Symmetric descent: linear when exact, 1/T when over-parameterised",
    caption=rf"Symmetric gradient descent, $\alpha=0.1$, {SETTING} Left: with $k=r=3$ columns the "
    r"error falls to rounding, with $k>r$ only as $1/T$. Right: $1/\Vert E_T\Vert_F$ of the same "
    r"runs grows along straight lines of slope $2\eta/\sqrt{k-r}$ (dashed), the sharp constant.",
    reproduces=f"Figure 1 (re-created: {OWN})",
)
def symmetric_rates(tables):
    """Errors against T, and their reciprocals against the sharp law."""
    rows = tables["matrix-sensing/symmetric-gd"]
    points = _trajectories(rows[rows["alpha"] == 0.1], ["k"])
    fig, axes = subplots(1, 2, width="double")
    _lines(axes[0, 0], points, "k", "$k={:.0f}$".format)
    axes[0, 0].set(xscale="log", yscale="log", xlabel=ITERATION, ylabel=ERROR)
    axes[0, 0].legend()
    slow = points[points["k"] > 3]
    inverse = slow.assign(centre=1 / slow["centre"], low=1 / slow["high"], high=1 / slow["low"])
    _lines(axes[0, 1], inverse, "k", "$k={:.0f}$".format, first=1)
    for k, line in inverse.groupby("k"):
        t, slope = line["iteration"], 2 * rows["step_size"].iloc[0] / np.sqrt(k - 3)
        theory(axes[0, 1], t, line["centre"].iloc[-1] + slope * (t - t.iloc[-1]), label="_law")
    axes[0, 1].set(xlabel=ITERATION, ylabel=r"$1/\Vert E_T\Vert_F$ (1)")
    return fig, points


@figure(
    "matrix-sensing/asymmetric-rates",
    paper=PAPER,
    experiments=["matrix-sensing/asymmetric-gd"],
    title="Asymmetric descent is linear, at a rate set by the initial scale",
    caption=rf"Over-parameterised descent, $k=5$, {SETTING} Left, $\alpha=0.3$: from equal factors "
    r"descent is the symmetric one and sublinear; from independent factors, $G_0$ at a third of "
    r"the scale of $F_0$, it is linear. Right: the smaller $\alpha$, the slower, as $\alpha^2$.",
    reproduces=f"Figure 2 (re-created: {OWN})",
)
def asymmetric_rates(tables):
    """Equal against independent factors, and several initial scales."""
    rows = tables["matrix-sensing/asymmetric-gd"]
    fig, axes = subplots(1, 2, width="double")
    both = _trajectories(rows[(rows["alpha"] == 0.3) & (rows["iteration"] <= 6000)], ["start"])
    names = {"equal": "$G_0=F_0$ (symmetric)", "independent": "$G_0$ independent (asymmetric)"}
    _lines(axes[0, 0], both, "start", names.get)
    independent = rows["start"] == "independent"
    chosen = rows[independent & rows["alpha"].isin([0.05, 0.1, 0.25, 0.5])]
    scales = _trajectories(chosen, ["alpha"])
    _lines(axes[0, 1], scales, "alpha", r"$\alpha={:g}$".format, first=2)
    axes[0, 1].set_xscale("log")
    for ax in axes[0]:
        ax.set(yscale="log", xlabel=ITERATION, ylabel=ERROR)
        ax.legend()
    return fig, scales.merge(both, how="outer")


@figure(
    "matrix-sensing/collapse",
    paper=PAPER,
    experiments=["matrix-sensing/asymmetric-gd"],
    title=r"One curve for every small initial scale",
    caption=rf"Error of asymmetric over symmetric descent from the same $F_0$, $k=5$, {SETTING} "
    r"Against $\eta\alpha^2T$ the curves of all small $\alpha$ coincide: the imbalance acts on "
    r"the time scale $1/(\eta\alpha^2)$ and on no other.",
    reproduces="Not in the paper: the scaling behind its Theorem 4.2",
)
def collapse(tables):
    """Ratios of paired errors against the scaled time."""
    rows = tables["matrix-sensing/asymmetric-gd"]
    rows = rows[rows["alpha"] <= 0.25]
    keys = ["alpha", "replicate", "iteration"]
    wide = rows.pivot(index=keys, columns="start", values="error").reset_index()
    wide["ratio"] = wide["independent"] / wide["equal"]
    points = _trajectories(wide, ["alpha"], "ratio", floor=1e-9)
    points["time"] = rows["step_size"].iloc[0] * points["alpha"] ** 2 * points["iteration"]
    fig, axes = subplots()
    _lines(axes[0, 0], points, "alpha", r"$\alpha={:g}$".format, x="time")
    ylabel = r"$\Vert E\Vert_F$ asymmetric / symmetric (1)"
    axes[0, 0].set(xlabel=r"$\eta\alpha^2T$ (1)", ylabel=ylabel, yscale="log")
    axes[0, 0].legend()
    return fig, points
