"""Figures of dynamic compensation, and of step grids of least cost."""

from __future__ import annotations

import numpy as np

from theorytk.reporting import curve, figure, subplots, summarise

DC = "zhao2024dc"
PROFILES = "tuned-samplers/compensation-profiles"
GRIDS, NODES = "tuned-samplers/optimal-grid", "tuned-samplers/grid-nodes"
STANDARD = {
    "logsnr": r"equal in $\lambda$",
    "uniform": r"equal in $t$",
    "quadratic": r"equal in $\sqrt{t}$",
    "edm": "Karras et al.",
}
KINDS = STANDARD | {
    "angles 1": r"equal in $\arctan(\sigma/\alpha)$",
    "optimal for ddim": "least cost, DDIM",
    "optimal for 2m": "least cost, 2M",
}


@figure(
    "tuned-samplers/compensation-ratios",
    paper=DC,
    experiments=[PROFILES],
    title="Compensation ratios, and what they do to trajectories that were not seen",
    caption="UniPC-2 with 8 evaluations on guided mixtures in 4 dimensions. Left: the ratios found "
    "on ten trajectories, median over targets and quartiles. Right: error with the ratios over "
    "that without, on the ten trajectories and on held-out ones; geometric mean over targets and "
    "95% interval.",
    reproduces="Re-creates the paper's learned ratios (there: Stable Diffusion) on mixtures",
)
def compensation_ratios(tables):
    """Ratios against the step, and error ratios per guidance scale."""
    rows = tables[PROFILES]
    fig, axes = subplots(1, 2, width="double")
    quartiles = rows.groupby(["scale", "step"])["ratio"].quantile([0.25, 0.5, 0.75]).unstack()
    for i, (scale, points) in enumerate(quartiles.groupby("scale")):
        steps, look = points.index.get_level_values("step"), dict(color=f"C{i}", marker="os^"[i])
        label = f"$w={scale:g}$"
        curve(axes[0, 0], steps, points[0.5], points[0.25], points[0.75], label=label, **look)
    axes[0, 0].axhline(1.0, color="0.5", linestyle=":")
    axes[0, 0].set(xlabel="step (1)", ylabel="compensation ratio (1)")
    axes[0, 0].legend()
    targets = rows[rows["step"] == 1]
    for i, (column, label) in enumerate((("learned", "learned from"), ("held_out", "held out"))):
        points = summarise(targets, ["scale"], column, logarithm=True)
        ends = [points["centre"] - points["low"], points["high"] - points["centre"]]
        places = np.arange(len(points)) + 0.12 * (2 * i - 1)
        axes[0, 1].errorbar(places, points["centre"], yerr=ends, fmt="os"[i], label=label)
    axes[0, 1].axhline(1.0, color="0.5", linestyle=":")
    axes[0, 1].set_xticks(np.arange(len(points)), labels=[f"{w:g}" for w in points["scale"]])
    axes[0, 1].set(xlabel="guidance scale $w$ (1)", ylabel="error over that of UniPC-2 (1)")
    axes[0, 1].legend(title="trajectories")
    return fig, rows[["scale", "replicate", "step", "ratio", "learned", "held_out"]]


@figure(
    "tuned-samplers/optimal-grids",
    paper=DC,
    experiments=[NODES, GRIDS],
    at={GRIDS: dict(method=["ddim", "2m", "2m final"])},
    title="Step grids of least cost beside the standard ones",
    caption="Left: nodes of grids of 8 steps. Right: error on the grid of least cost, found on "
    "eight training mixtures, over the error on a standard grid, on held-out mixtures; geometric "
    'mean and 95% interval. "2M final" ends with a step of order 1.',
    reproduces="Ours",
)
def optimal_grids(tables):
    """Nodes of grids in lambda, and error ratios per method and standard grid."""
    nodes, rows = tables[NODES], tables[GRIDS]
    fig, axes = subplots(1, 2, width="double")
    for i, (kind, points) in enumerate(nodes.groupby("kind", sort=False)):
        colour = "0.35" if kind in STANDARD else f"C{i - len(STANDARD)}"
        axes[0, 0].plot(points["lam"], np.full(len(points), i), "o", color=colour)
    axes[0, 0].set_yticks(range(len(KINDS)), labels=list(KINDS.values()))
    axes[0, 0].invert_yaxis()
    axes[0, 0].set(xlabel=r"$\lambda$ (1)", ylabel="grid (1)")
    points = summarise(
        rows.assign(ratio=np.exp(rows["log_ratio"])),
        ["method", "baseline"],
        "ratio",
        logarithm=True,
    )
    methods = {"ddim": "DDIM", "2m": "2M", "2m final": "2M final"}
    for i, (baseline, label) in enumerate(STANDARD.items()):
        line = points[points["baseline"] == baseline].set_index("method").loc[list(methods)]
        ends = [line["centre"] - line["low"], line["high"] - line["centre"]]
        places = np.arange(len(methods)) + 0.12 * (i - 1.5)
        look = dict(fmt="os^D"[i], label=label, linestyle="")
        axes[0, 1].errorbar(places, line["centre"], yerr=ends, **look)
    axes[0, 1].axhline(1.0, color="0.5", linestyle=":")
    axes[0, 1].set_xticks(range(len(methods)), labels=list(methods.values()))
    axes[0, 1].set(yscale="log", ylabel="error ratio (1)", xlabel="method (1)", xlim=(-0.4, 2.5))
    axes[0, 1].set_yticks([0.2, 0.4, 0.6, 0.8, 1.0], labels=[0.2, 0.4, 0.6, 0.8, 1.0])
    axes[0, 1].minorticks_off()
    axes[0, 1].legend(title="over the grid", fontsize="x-small", title_fontsize="x-small")
    return fig, points
