"""Figures of private similarities: how noisy sums of distances are, and against what."""

from __future__ import annotations

import numpy as np
import pandas as pd

from theorytk.privacy.distance_theory import gaussian_distance_noise, hat_noise_rms, split_noise
from theorytk.privacy.lower_bounds import distance_sum_lower_bound, distance_sum_zcdp_lower_bound
from theorytk.reporting import curve, figure, subplots, summarise, theory

PAPER = "backurs2024similarities"
CELLS = "private-similarities/noise-against-cells"
DIMENSION = "private-similarities/error-against-dimension"
RELATIVE = "private-similarities/relative-error"
TABLE = "private-similarities/error-table"
# Name, colour and marker of each mechanism, the same in every figure.
LOOKS = {
    "tree": ("tree of the paper", "C1", "s"),
    "flat": ("flat histogram", "C2", "^"),
    "exact_tree": ("exact tree", "C3", "D"),
    "hat": ("hats (ours)", "C0", "o"),
}


def _line(ax, x, y, method, **band):
    """Draw the line of a mechanism in its look."""
    name, color, marker = LOOKS[method]
    curve(ax, x, y, label=name, color=color, marker=marker, **band)


@figure(
    "private-similarities/error-against-points",
    paper=PAPER,
    experiments=[CELLS],
    title="One mechanism does not grow with the number of points",
    caption=r"Exact root mean square noise of a sum of distances on $[0,1]$ against the number of "
    r"cells, which is $n\varepsilon$ where the resolution follows the number of points; "
    r"$\alpha=0.1$ for the tree. Tree and flat histogram cross near $8\cdot10^4$ cells. The hat "
    r"mechanism stays within a constant of the lower bound, which no private mechanism beats "
    "(it bounds the mean absolute error).",
    reproduces=r"Not in the paper: its bound $\log^{1.5}(n)/(\varepsilon\sqrt\alpha)$, exactly",
)
def error_against_points(tables):
    """Noise of all mechanisms against the number of cells."""
    rows = tables[CELLS].sort_values("levels")
    cells, epsilon = 2.0 ** rows["levels"], rows["epsilon"].iloc[0]
    fig, axes = subplots()
    ax = axes[0, 0]
    for method in LOOKS:
        _line(ax, cells, epsilon * rows[method], method)
    ax.axhline(epsilon * rows["lower"].iloc[0], color="0.5", linestyle=":", label="lower bound")
    ax.set_xscale("log", base=2)
    ax.set(yscale="log", ylim=(0.08, 3e4))
    ax.set_xlabel(r"cells (1)")
    ax.set_ylabel(r"noise $\times\,\varepsilon$ (ranges $R$)")
    ax.legend(ncols=2)
    return fig, rows[["levels", "epsilon", *LOOKS, "lower"]]


@figure(
    "private-similarities/error-against-dimension",
    paper=PAPER,
    experiments=[DIMENSION],
    at={DIMENSION: dict(d=[1, 2, 4, 8], kind=["pure", "zcdp"])},
    title=r"Pure privacy costs a factor $\sqrt d$, zCDP does not",
    caption=r"Root mean square error of sums of $\ell_1$ distances in $[0,1]^d$ by hats, budget "
    r"$1$ split equally over coordinates: $\varepsilon=1$ (left) and $\rho=1$ (right); geometric "
    r"mean and 95% interval over replicates. Dashed: the laws, of order $d^{3/2}$ and $d$. "
    "Dotted: lower bounds of the mean absolute error, both of order $d$.",
    reproduces=r"Not in the paper: its $d^{3/2}$, and what closes the gap to its lower bound",
)
def error_against_dimension(tables):
    """Error against dimension for pure privacy and zCDP, with laws and lower bounds."""
    rows = tables[DIMENSION]
    points = summarise(rows, ["kind", "d"], "error", logarithm=True)
    levels, budget = int(np.log2(rows["n"].iloc[0])), rows["budget"].iloc[0]
    laws = {
        "pure": lambda d: split_noise(hat_noise_rms(budget, levels), d),
        "zcdp": lambda d: gaussian_distance_noise(budget, d=d),
    }
    lower = {"pure": distance_sum_lower_bound, "zcdp": distance_sum_zcdp_lower_bound}
    titles = {"pure": "pure privacy", "zcdp": "zCDP"}
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, kind in zip(axes[0], titles, strict=True):
        line = points[points["kind"] == kind]
        d = [int(v) for v in line["d"]]
        _line(ax, line["d"], line["centre"], "hat", low=line["low"], high=line["high"])
        theory(ax, d, [laws[kind](v) for v in d], label="law")
        bound = [lower[kind](budget, d=v) for v in d]
        ax.plot(d, bound, color="0.5", linestyle=":", marker="none", label="lower bound")
        ax.set(xscale="log", yscale="log", xlabel="dimension $d$ (1)", title=titles[kind])
        ax.set_xticks(d, labels=d)
        ax.minorticks_off()
    axes[0, 0].set_ylabel("root mean square error ($R$)")
    axes[0, 0].legend()
    return fig, points


@figure(
    "private-similarities/relative-error",
    paper=PAPER,
    experiments=[RELATIVE],
    title=r"Relative error against $\varepsilon$",
    caption=r"Mean relative error over 101 queries, $n=1000$ uniform points on $[0,1]$, "
    r"$\alpha=0.1$ for the tree; geometric mean and 95% interval over releases. The tree ends at "
    r"its bias, near $\alpha/2$ (dotted).",
    reproduces="Figure 1, re-created: one dimension; our points, queries and epsilons, without the "
    "baseline of Huang and Roth and without its times",
)
def relative_error(tables):
    """Relative error of tree, flat histogram and hats against epsilon."""
    rows = tables[RELATIVE]
    rows = rows[rows["mechanism"] == "hat"].rename(columns={"error": "hat"})
    fig, axes = subplots()
    ax, drawn = axes[0, 0], []
    for method in ("tree", "flat", "hat"):
        points = summarise(rows, ["epsilon"], method, logarithm=True)
        _line(
            ax, points["epsilon"], points["centre"], method, low=points["low"], high=points["high"]
        )
        drawn.append(points.assign(method=method))
    ax.axhline(0.05, color="0.5", linestyle=":", label=r"$\alpha/2$")
    ax.set(xscale="log", yscale="log", ylabel="mean relative error (1)")
    ax.set_xlabel(r"privacy $\varepsilon$ (1)")
    ax.legend()
    return fig, pd.concat(drawn)


@figure(
    "private-similarities/error-table",
    paper=PAPER,
    experiments=[TABLE],
    at={TABLE: dict(alpha=[0.1], epsilon=[0.1, 1])},
    title="The error table: ours, the paper's tree, flat, prior work",
    caption=r"Exact root mean square noise of sums of $\ell_1$ distances in $[0,1]^d$ against the "
    r"number of points, $\alpha=0.1$, $n\varepsilon$ cells for each coordinate. Prior work: the "
    r"order $(n^{15}d^7/\varepsilon^2)^{1/17}$ of Huang and Roth without constant and logarithms, "
    "as the paper's comparison is remembered. Dotted: the lower bound.",
    reproduces="The paper's table of errors (l_1 line), with exact noise in the place of orders",
)
def error_table(tables):
    """Noise of all mechanisms against the number of points, for two dimensions and epsilons."""
    rows = tables[TABLE]
    rows = rows[rows["share"] == 1.0]
    fig, axes = subplots(2, 2, width="double", sharex=True, sharey="row")
    for line, d in zip(axes, sorted(rows["d"].unique()), strict=True):
        for ax, epsilon in zip(line, sorted(rows["epsilon"].unique()), strict=True):
            part = rows[(rows["d"] == d) & (rows["epsilon"] == epsilon)].sort_values("n")
            for method in LOOKS:
                _line(ax, part["n"], part[method], method)
            ax.plot(part["n"], part["prior"], color="0.3", marker="v", label="prior work (order)")
            ax.plot(part["n"], part["lower"], color="0.5", linestyle=":", marker="none")
            ax.set(xscale="log", yscale="log", title=rf"$d={d:g}$, $\varepsilon={epsilon:g}$")
    for ax in axes[:, 0]:
        ax.set_ylabel("noise ($R$)")
    for ax in axes[1]:
        ax.set_xlabel("points $n$ (1)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), ncols=5, loc="outside lower center")
    return fig, rows[["n", "d", "epsilon", *LOOKS, "prior", "lower"]]
