"""Figures of optimised conformal selection: what it keeps and what it buys."""

from __future__ import annotations

import numpy as np
import pandas as pd

from theorytk.conformal import PRUNINGS
from theorytk.conformal.theory import naive_fdr
from theorytk.reporting import curve, figure, subplots, summarise, theory

PAPER = "bai2024"
CHOICE = "conformal-selection/model-choice"
BESIDE = "conformal-selection/power-of-choice"
FULL = "conformal-selection/full-against-splitting"
OWN = "conformal-selection/full-paper-learners"
FULL_MORE = "conformal-selection/full-more-data"
BOTH = "conformal-selection/full-model-choice"
BOTH_BESIDE = "conformal-selection/full-choice-against-splitting"
USELESS = "conformal-selection/choice-among-useless"
MORE = "conformal-selection/more-data"
LOOKS = {
    "homogeneous": ("C0", "o", "homogeneous"),
    "heterogeneous": ("C1", "s", "heterogeneous"),
    "deterministic": ("C2", "^", "deterministic"),
    "naive": ("C3", "X", "naive choice"),
    "unpruned": ("C4", "P", "not pruned"),
    "split": ("C5", "D", "split"),
    "random": ("0.5", "v", "random model"),
    "split 1:1:2": ("C5", "D", "split 1:1:2"),
    "split 1:2:1": ("C6", "<", "split 1:2:1"),
    "split 2:1:1": ("C7", ">", "split 2:1:1"),
    "split 1:1:1": ("C8", "p", "split 1:1:1"),
}
FULL_LOOKS = {
    "full": ("C0", "o", "OptCS-Full"),
    "oracle": ("C3", "X", "oracle, $2n$"),
    "split 0.25": ("C5", "D", "split 25%"),
    "split 0.5": ("C4", "P", "split 50%"),
    "split 0.75": ("C1", "s", "split 75%"),
}
BETAS = {
    f"{pruning}{tail}": (color, marker, rf"{pruning}, $\beta={beta}$")
    for pruning, color in (("homogeneous", "C0"), ("deterministic", "C2"))
    for tail, beta, marker in (("", 1, "o"), (", beta 0.9", 0.9, "s"), (", beta 0.5", 0.5, "^"))
}
MEANING = r"Mean and 95% interval over replicates; dashed: $\mathrm{FDR}=q$."


def panels(rows, looks, x, label, *, columns=4):
    """Draw FDR and power against `x`, one column of panels per setting; return what is drawn.

    Returned axes have a row of FDR above each row of power; one setting is drawn side by side.
    """
    settings = list(dict.fromkeys(rows["setting"]))
    wide, tall = min(columns, len(settings)), 2 * -(-len(settings) // columns)
    if len(settings) == 1:
        fig, axes = subplots(1, 2, width="double", height=3.0)
        axes = axes.T
    else:
        fig, axes = subplots(
            tall, wide, width="double", height=2.1 * tall, sharex=True, sharey="row"
        )
    drawn = []
    for k, setting in enumerate(settings):
        here = rows[rows["setting"] == setting]
        for up, (column, quantity) in enumerate({"fdp": "FDR (1)", "power": "power (1)"}.items()):
            ax = axes[2 * (k // columns) + up, k % columns]
            drawn.append(lines(ax, here, looks, x, column).assign(setting=setting, quantity=column))
            ax.set_ylabel(quantity if k % columns == 0 else "")
            ax.set_xlabel(label if up or len(settings) == 1 else "")
            ax.set_xticks(ticks := np.sort(rows[x].unique()), labels=[f"{t:g}" for t in ticks])
        axes[2 * (k // columns), k % columns].set_title(setting, fontsize="small")
    return fig, axes, pd.concat(drawn, ignore_index=True)


def lines(ax, rows, looks, x, column):
    """Draw one line per method with its band, and return the points."""
    points = summarise(rows, ["method", x], column)
    for method, (color, marker, name) in looks.items():
        line = points[points["method"] == method]
        if len(line):
            look = dict(color=color, marker=marker, label=name)
            curve(ax, line[x], line["centre"], line["low"], line["high"], **look)
    return points


def diagonals(axes, rows):
    """Draw FDR = q into every other row of panels."""
    q = np.sort(rows["level"].unique())
    for ax in axes[::2].ravel():
        theory(ax, q, q, label="_q")


def name_below(fig, axes):
    """Name the lines below all panels."""
    handles, names = axes[0, 0].get_legend_handles_labels()
    columns = len(names) if len(names) < 6 else 4
    fig.legend(handles, names, loc="outside lower center", ncols=columns, fontsize="small")


@figure(
    "conformal-selection/optcs-msel-grid",
    paper=PAPER,
    experiments=[CHOICE, BESIDE],
    at={CHOICE: dict(selection=[PRUNINGS, "naive", "unpruned"])},
    title="The choice among models keeps the level if it is pruned",
    caption=r"Regressions of the paper, one column each; candidate models in NumPy. The model that "
    r"selects most on the same data (naive) and thresholds without pruning exceed $q$; OptCS does "
    r"not, and with homogeneous pruning it has more power than splitting the calibration data. "
    + MEANING,
    reproduces="Section 5.1, FDR and power against q: our candidates; its sizes at preset paper",
)
def msel_grid(tables):
    """FDR and power against q, for all ways to choose among models."""
    beside = tables[BESIDE]
    rows = pd.concat([tables[CHOICE], beside[beside["method"] != "homogeneous"]])
    fig, axes, drawn = panels(rows, LOOKS, "level", "level $q$ (1)")
    diagonals(axes, rows)
    name_below(fig, axes)
    return fig, drawn


@figure(
    "conformal-selection/optcs-full-grid",
    paper=PAPER,
    experiments=[FULL],
    title="Fitting without splitting",
    caption=r"Regressions of the paper, kernel ridge with penalty 0.3. OptCS-Full fits to all $n$ "
    r"labelled points and the test points and calibrates on the same; splitting fits to a share of "
    r"them; the oracle has $2n$. Test points are fitted with label 0: where many are positive "
    r"(first setting), that costs power. " + MEANING,
    reproduces="Section 5.2, FDR and power against q: kernel ridge, in all four settings",
)
def full_grid(tables):
    """FDR and power against q, for OptCS-Full, splitting and the oracle."""
    rows = tables[FULL]
    fig, axes, drawn = panels(rows, FULL_LOOKS, "level", "level $q$ (1)")
    diagonals(axes, rows)
    name_below(fig, axes)
    return fig, drawn


@figure(
    "conformal-selection/optcs-full-paper-learners",
    paper=PAPER,
    experiments=[OWN],
    title="Fitting without splitting, by the paper's own learners",
    caption=r"Regressions of the paper; support vectors, at the preset paper boosting and random "
    r"forests too, by scikit-learn. Each row of labelled and test points is predicted by a fit "
    r"without its fold, a fifth of the rows. " + MEANING,
    reproduces="Section 5.2, FDR and power against q: its learners; its sizes at preset paper",
)
def full_paper_learners(tables):
    """FDR and power against q, a column of panels for each learner and setting."""
    rows = tables[OWN]
    rows = rows.assign(setting=rows["learner"] + ", " + rows["setting"])
    fig, axes, drawn = panels(rows, FULL_LOOKS, "level", "level $q$ (1)", columns=3)
    diagonals(axes, rows)
    name_below(fig, axes)
    return fig, drawn


@figure(
    "conformal-selection/full-more-data",
    paper=PAPER,
    experiments=[FULL_MORE],
    title="What not splitting buys, against the number of points",
    caption=r"$n$ labelled points, $q=0.3$, kernel ridge with penalty 0.3; the oracle has $2n$. "
    r"Mean and 95% interval over replicates; dashed: $\mathrm{FDR}=q$.",
    reproduces="Section 5.2, scale-up: kernel ridge; its sizes at preset paper",
)
def full_more_data(tables):
    """FDR and power against n, for OptCS-Full, splitting and the oracle."""
    return against_size(tables[FULL_MORE], FULL_LOOKS)


@figure(
    "conformal-selection/optcs-fullmsel-grid",
    paper=PAPER,
    experiments=[BOTH, BOTH_BESIDE],
    at={BOTH: dict(selection=[PRUNINGS, "naive", "unpruned"])},
    title="Choosing among learners that are fitted to all data",
    caption=r"Regressions of the paper; neighbours and ridges on random halves of the features, "
    r"fitted to labelled and test points together. Splits have parts of the labelled points, in "
    r"the ratios given, that choose, train and calibrate. " + MEANING,
    reproduces="Section 5.3, FDR and power against q: our learners, both families of data",
)
def full_msel_grid(tables):
    """FDR and power against q, for all ways to choose among learners."""
    beside = tables[BOTH_BESIDE]
    rows = pd.concat([tables[BOTH], beside[beside["method"] != "homogeneous"]])
    fig, axes, drawn = panels(rows, LOOKS, "level", "level $q$ (1)")
    diagonals(axes, rows)
    name_below(fig, axes)
    return fig, drawn


@figure(
    "conformal-selection/more-data",
    paper=PAPER,
    experiments=[MORE],
    title="What choosing buys, against the number of points",
    caption=r"$n$ points train the models and $n$ calibrate, $q=0.3$. Mean and 95% interval over "
    r"replicates; dashed: $\mathrm{FDR}=q$.",
    reproduces="Section 5.1, scale-up: our candidates; its sizes at preset paper",
)
def more_data(tables):
    """FDR and power against n, for the choice among models."""
    return against_size(tables[MORE], LOOKS)


def against_size(rows, looks):
    """Draw FDR and power at one level against the number of points."""
    fig, axes, drawn = panels(rows, looks, "size", "points $n$ (1)")
    n = np.sort(rows["size"].unique())
    for ax in axes.ravel():
        ax.set_xscale("log")
        ax.set_xticks(n, labels=n)
        ax.minorticks_off()
        ax.set_ylim(bottom=0)
    for ax in axes[::2].ravel():
        theory(ax, n, np.full(len(n), rows["level"].iloc[0]), label="_q")
    name_below(fig, axes)
    return fig, drawn


@figure(
    "conformal-selection/optcs-among-useless",
    paper=PAPER,
    experiments=[USELESS],
    at={USELESS: dict(K=[1, 2, 4, 16], selection=["homogeneous", "naive", "unpruned"])},
    title="Choosing among useless models",
    caption=r"Predictions independent of everything, half of the points null, $q=0.1$ (dotted). "
    r"The naive choice follows its exact law (dashed); thresholds without pruning exceed $q$ "
    r"slowly, OptCS with homogeneous pruning stays at $q$. Mean and 95% interval over replicates.",
    reproduces="Not in the paper",
)
def among_useless(tables):
    """FDR against the number of models."""
    rows = tables[USELESS]
    fig, axes = subplots()
    ax, one = axes[0, 0], rows.iloc[0]
    points = lines(ax, rows, LOOKS, "K", "fdp")
    K = np.unique(np.geomspace(1, rows["K"].max(), 12).round().astype(int))
    law = [naive_fdr(one["level"], int(one["n"]), int(one["m"]), one["pi0"], int(k)) for k in K]
    theory(ax, K, law, label="naive, law")
    ax.axhline(one["level"], color="0.5", linestyle=":")
    ax.set(xscale="log", xlabel="useless models $K$ (1)", ylabel="FDR (1)")
    ax.set_xticks(np.sort(rows["K"].unique()), labels=np.sort(rows["K"].unique()))
    ax.minorticks_off()
    ax.legend()
    return fig, points


@figure(
    "conformal-selection/beta",
    paper=PAPER,
    experiments=[CHOICE],
    at={
        CHOICE: dict(
            setting=["jin-msel-1"],
            selection=[PRUNINGS, tuple(name for name in BETAS if "beta" in name)],
        )
    },
    title=r"Smaller thresholds: $\beta$",
    caption=r"Thresholds $\beta q\hat r_j/m$. A smaller $\beta$ makes e-values larger and rarer. "
    + MEANING,
    reproduces=r"Section 5.1, $\beta=0.9$: our candidates, and $\beta=0.5$",
)
def beta(tables):
    """FDR and power against q, for several beta."""
    rows = tables[CHOICE]
    rows = rows[rows["method"] != "heterogeneous"]
    fig, axes = subplots(1, 2, width="double")
    drawn = []
    for ax, column, label in zip(axes[0], ("fdp", "power"), ("FDR (1)", "power (1)"), strict=True):
        drawn.append(lines(ax, rows, BETAS, "level", column).assign(quantity=column))
        ax.set(xlabel="level $q$ (1)", ylabel=label)
    diagonals(axes[:, :1], rows)
    axes[0, 1].legend(fontsize="x-small")
    return fig, pd.concat(drawn, ignore_index=True)
