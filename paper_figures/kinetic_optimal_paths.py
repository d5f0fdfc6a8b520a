"""Figures of kinetic-optimal paths: growing dimension, bounds, energies, few steps, stability."""

from __future__ import annotations

import math

import numpy as np

from theorytk.paths.separation_laws import entropy_bound, paper_separation_bound
from theorytk.reporting import curve, figure, subplots, summarise, theory

PAPER = "shaul2023"
GROWING = "kinetic-optimal-paths/growing-dimension"
POINTS = "kinetic-optimal-paths/number-of-points"
ENERGIES = "kinetic-optimal-paths/energies"
STEPS = "kinetic-optimal-paths/few-steps"
STABILITY = "kinetic-optimal-paths/stability"
MARKERS = "os^Dv*P"


@figure(
    "kinetic-optimal-paths/growing-dimension",
    paper=PAPER,
    experiments=[GROWING],
    title="In high dimensions the optimal path is Cond-OT",
    caption=r"Gaussian points (256 at the quick preset) with variances $1/j$, $j\le d$. Left: "
    r"$\gamma$ over the angle $\theta=\arctan(a/m)$; from $\arccos(n^{-1/d})$ on (dotted) a good "
    r"code would have $\gamma=1$. Middle and right: the optimal $a_t$ and $m_t$; dashed: Cond-OT.",
    reproduces="Figure 1, with Gaussian points of a decaying spectrum for ImageNet 8 to 64",
)
def growing_dimension(tables):
    """Gamma, a and m for growing d."""
    rows = tables[GROWING]
    fig, axes = subplots(1, 3, width="double", height=2.6)
    for i, (d, group) in enumerate(rows.groupby("d")):
        look = dict(color=f"C{i}", marker="none", label=f"$d={d}$")
        for ax, x, y in zip(axes[0], ("theta", "t", "t"), ("gamma", "a", "m"), strict=True):
            curve(ax, group[x], group[y], **look)
        bound = entropy_bound(math.log(group["n"].iloc[0]), d)
        axes[0, 0].axvline(bound, color=f"C{i}", linestyle=":", linewidth=0.8)
    t = np.array([0.0, 1.0])
    theory(axes[0, 1], t, t, label="Cond-OT")
    theory(axes[0, 2], t, 1 - t, label="Cond-OT")
    axes[0, 0].set(xlabel=r"angle $\theta$ (rad)", ylabel=r"$\gamma(\theta)$ (1)")
    axes[0, 1].set(xlabel="time $t$ (1)", ylabel="factor $a_t$ of the data (1)")
    axes[0, 2].set(xlabel="time $t$ (1)", ylabel="factor $m_t$ of the noise (1)")
    axes[0, 1].legend()
    return fig, rows[["d", "n", "theta", "gamma", "t", "a", "m"]]


@figure(
    "kinetic-optimal-paths/separation-bounds",
    paper=PAPER,
    experiments=[GROWING, POINTS],
    title="What bounds the separation from the perfect one",
    caption=r"Left: $1-\lambda(s)$ of 256 Gaussian points (quick preset) with variances $1/j$; "
    r"dashed: $1/(1+s^2)$, which no law exceeds. Right: $\delta=\int(1-\lambda)ds$ of $n$ Gaussian "
    r"points in $\mathbb R^{256}$, with 95% intervals; dashed: $\arccos(n^{-1/d})$; dotted: the "
    r"bound $3n/\sqrt d$ of the paper, cut at $\pi/2$, which no law exceeds.",
    reproduces="Theorem 4.1 as a picture, beside a bound of ours; not in the paper",
)
def separation_bounds(tables):
    """1 - lambda over s, and delta over n with both bounds."""
    fig, axes = subplots(1, 2, width="double")
    left, right = axes[0]
    rows = tables[GROWING]
    rows = rows[(rows["theta"] > 0.02) & (rows["theta"] < 1.5)]
    rows = rows.assign(s=np.tan(rows["theta"]))
    rows["one_minus_lambda"] = (1 - rows["gamma"]) / (1 + rows["s"] ** 2)
    for i, (d, group) in enumerate(rows.groupby("d")):
        look = dict(color=f"C{i}", marker="none", label=f"$d={d}$")
        curve(left, group["s"], group["one_minus_lambda"], **look)
    s = np.geomspace(rows["s"].min(), rows["s"].max(), 100)
    theory(left, s, 1 / (1 + s * s), label="$1/(1+s^2)$")
    left.set(xscale="log", xlabel="amplitude $s=a/m$ (1)", ylabel=r"$1-\lambda(s)$ (1)")
    left.set_ylim(-0.02, 1.02)
    left.legend()
    points = summarise(tables[POINTS].rename(columns={"n": "points"}), ["points", "d"], "delta")
    d, n = int(points["d"].iloc[0]), points["points"].to_numpy()
    look = dict(color="C0", marker="o", label=r"$\delta$, measured")
    curve(right, n, points["centre"], points["low"], points["high"], **look)
    theory(right, n, [entropy_bound(math.log(k), d) for k in n], label=r"$\arccos(n^{-1/d})$")
    printed = [min(paper_separation_bound(int(k), d), math.pi / 2) for k in n]
    right.plot(n, printed, color="0.5", linestyle=":", marker="none", label=r"$3n/\sqrt{d}$")
    right.set(xscale="log", yscale="log", xlabel="points $n$ (1)", ylabel=r"$\delta$ (1)")
    right.set_xticks(n, labels=n)
    right.set_yticks([0.1, 0.2, 0.5, 1], labels=[0.1, 0.2, 0.5, 1])
    right.minorticks_off()
    right.legend(loc=(0.45, 0.45))
    return fig, rows[["d", "s", "one_minus_lambda"]].merge(points, how="outer")


@figure(
    "kinetic-optimal-paths/energies",
    paper=PAPER,
    experiments=[ENERGIES],
    title="Kinetic energy of the usual paths",
    caption=r"Energy per dimension of each path for seven laws, scaled to $E|x_1|^2=d$. DDPM ends "
    r"at $t=1-10^{-5}$; the linear variance-preserving path has an infinite energy but for laws "
    "with a density, and is drawn for these only.",
    reproduces="The energies of Table 1 for laws that are known exactly; its networks are not",
)
def energies(tables):
    """Energies of the named paths, a row per law."""
    rows = tables[ENERGIES]
    fig, axes = subplots(width="double", height=3.2)
    ax, order = axes[0, 0], list(dict.fromkeys(rows["law"]))
    best = rows[rows["path"] == "kinetic-optimal"].set_index("law")["energy"]
    order = sorted(order, key=lambda law: best[law])
    for i, name in enumerate(dict.fromkeys(rows["path"])):
        group = rows[(rows["path"] == name) & np.isfinite(rows["energy"])]
        places = [order.index(law) for law in group["law"]]
        look = dict(color=f"C{i}", marker=MARKERS[i], markersize=5, linestyle="none")
        if name == "kinetic-optimal":
            look |= dict(color="black", fillstyle="none", markersize=9, zorder=4)
        ax.plot(group["energy"], places, label=name, **look)
    ax.set_yticks(range(len(order)), labels=order)
    ax.set(xlabel="kinetic energy per dimension (1)", ylabel="law of the data (name)")
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return fig, rows[["law", "path", "energy"]]


@figure(
    "kinetic-optimal-paths/checkerboard",
    paper=PAPER,
    experiments=[STEPS],
    at={
        STEPS: dict(
            path=["kinetic-optimal", "trigonometric", "cond-ot"],
            rival="cond-ot",
            rival_steps=1,
            steps=[2, 4, 6, 10, 16, 32],
        )
    },
    title="Checkerboard with few Euler steps and exact posterior means",
    caption=r"Left: sliced $W_2$ between 1000 samples (quick preset) and as many draws of the "
    "data; with many steps the distance of two samples is left. Right: share of samples outside "
    "the squares. Means over replicates and their 95% intervals.",
    reproduces="Figure 2, with the exact field in the place of a network",
)
def checkerboard(tables):
    """Distance and share outside, against steps, per path."""
    rows = tables[STEPS]
    fig, axes = subplots(1, 2, width="double")
    drawn = []
    labels = {"distance": "sliced $W_2$ (1)", "outside": "share outside the squares (1)"}
    for ax, (column, label) in zip(axes[0], labels.items(), strict=True):
        points = summarise(rows, ["path", "steps"], column)
        for i, name in enumerate(("kinetic-optimal", "trigonometric", "cond-ot")):
            line = points[points["path"] == name]
            look = dict(color=f"C{i}", marker=MARKERS[i], label=name)
            curve(ax, line["steps"], line["centre"], line["low"], line["high"], **look)
        steps = np.sort(points["steps"].unique())
        ax.set(xscale="log", yscale="log", xlabel="Euler steps (1)", ylabel=label)
        ax.set_xticks(steps, labels=steps)
        ax.minorticks_off()
        drawn.append(points.assign(quantity=column))
    axes[0, 0].set_yticks([0.05, 0.1, 0.2, 0.5], labels=[0.05, 0.1, 0.2, 0.5])
    axes[0, 1].set_yticks([0.01, 0.1, 0.5], labels=[0.01, 0.1, 0.5])
    axes[0, 0].legend()
    return fig, drawn[0].merge(drawn[1], how="outer")


@figure(
    "kinetic-optimal-paths/stability",
    paper=PAPER,
    experiments=[STABILITY],
    title=r"The estimate of $\lambda$ needs all points, but few sources",
    caption=r"$1-\lambda(s)$ of $n$ Gaussian points with variances $1/j$ in $\mathbb R^{48}$, mean "
    "over draws of points and noise with 95% intervals, estimated from all posteriors but few "
    "sources of noise. More points are less separated, by much less for each factor of 4; the "
    "number of sources only adds noise.",
    reproduces="Figure 4, in smaller",
)
def stability(tables):
    """Estimates over s for several n, and for several numbers of sources."""
    rows = tables[STABILITY].rename(columns={"n": "points"})
    fig, axes = subplots(1, 2, width="double", sharey=True)
    points = summarise(rows, ["points", "sources", "s"], "one_minus_lambda")
    points = points[points["s"] < 5]
    largest = {column: points[column].max() for column in ("points", "sources")}
    panels = (("points", "sources", "$n$"), ("sources", "points", "$k$"))
    for ax, (varied, fixed, name) in zip(axes[0], panels, strict=True):
        some = points[points[fixed] == largest[fixed]]
        for i, (value, line) in enumerate(some.groupby(varied)):
            look = dict(color=f"C{i}", marker=MARKERS[i], label=f"{name} $= {value}$")
            curve(ax, line["s"], line["centre"], line["low"], line["high"], **look)
        ax.set(xscale="log", xlabel="amplitude $s=a/m$ (1)")
        ax.legend(title=f"{largest[fixed]} {fixed}")
    axes[0, 0].set_ylabel(r"$1-\lambda(s)$ (1)")
    return fig, points
