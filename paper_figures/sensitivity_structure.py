"""Figures on scores: how large totals are, and how Lewis weights converge."""

from __future__ import annotations

import numpy as np

from theorytk.reporting import curve, figure, subplots, summarise, theory
from theorytk.sensitivity.theory import (
    lewis_local_rate,
    total_estimator_relative_sd,
    total_sensitivity_range,
)

TOTAL = r"total sensitivity $\mathfrak{S}$ (1)"
TOTALS = "sensitivity-sampling/totals"
ITERATION = "sensitivity-sampling/lewis-iteration"
NAMES = {
    "flat": "all sign rows",
    "gaussian": "Gaussian",
    "polynomial": "polynomials",
    "stacked": "stacked identities",
}
MARKERS = dict(zip(NAMES, "os^D", strict=True))


@figure(
    "sensitivity-sampling/total-against-columns",
    paper="woodruff2023",
    experiments=[TOTALS],
    at={TOTALS: dict(d=[2, 3, 4, 6, 8, 10, 12], p=[1, 4])},
    title="Total sensitivities between $d$ and $d^{p/2}$",
    caption=r"Total sensitivity of matrices of $d$ columns; rows: all $2^{d-1}$ for the flat "
    r"block, else 240, at random nodes and weights for polynomials. Dashed: the ends $d$ and "
    r"$d^{p/2}$ of its range. Flat and Gaussian rows follow $d^{p/2}$, stacked identities have "
    r"$d$ for every $p$. Polynomials stay linear in $d$, which is why for $p=4$ their "
    r"$\mathfrak S^{2-2/p}$ is below the order $d^{p/2}$ of Lewis weights. Geometric means.",
    reproduces="Not in the paper, which has no figures: the quantity in all of its bounds",
)
def totals(tables):
    """Totals against the number of columns for p = 1 and 4, with the ends of their range."""
    points = summarise(tables[TOTALS], ["p", "family", "d"], "total", logarithm=True)
    fig, axes = subplots(1, 2, width="double")
    for ax, (p, rows) in zip(axes[0], points.groupby("p"), strict=True):
        for i, family in enumerate(NAMES):
            line = rows[rows["family"] == family]
            look = dict(color=f"C{i}", marker=MARKERS[family])
            curve(ax, line["d"], line["centre"], label=NAMES[family], **look)
        d = np.unique(rows["d"])
        ends = np.array([total_sensitivity_range(int(k), p) for k in d])
        theory(ax, d, ends[:, 0], label="ends of the range")
        theory(ax, d, ends[:, 1], label="_ends")
        ax.set(xscale="log", yscale="log", xlabel="columns $d$ (1)", ylabel=TOTAL)
        ax.set_title(f"$p={p:g}$")
        _plain_ticks(ax, x=(2, 4, 8, 12), y=(2, 5, 10) if p == 1 else (2, 10, 50))
    axes[0, 0].legend()
    return fig, points


STRUCTURED = "sensitivity-sampling/structured"
FAMILIES = {
    "polynomial": "polynomials",
    "features": "features of 2 variables",
    "sparse-low-rank": "rank 1 plus 1-sparse",
}


@figure(
    "sensitivity-sampling/structured-totals-against-bounds",
    paper="woodruff2023",
    experiments=[STRUCTURED],
    at={STRUCTURED: dict(p=4, level=[0, 1, 2], entries=["structured", "gaussian"])},
    title="Totals of structured matrices against their bounds",
    caption=r"Total sensitivity for $p=4$ of matrices of $d$ columns and 100 rows (quick preset): "
    r"polynomials at random nodes and weights, all monomials of two variables up to degrees 1 to "
    r"3, and a matrix of rank 1 plus one entry a row; Gaussian ones of the same shapes. Dashed: "
    r"the bounds $2(d-1)+1$, $\binom{2+2g}{2g}$ and $4d$. Structured totals stay linear in $d$ "
    r"where Gaussian ones grow like $d^2$. Geometric mean and 95% interval over replicates.",
    reproduces="Not in the paper, which names the structures: totals and explicit bounds of ours",
)
def structured_totals(tables):
    """Totals against columns, structured and Gaussian, with the bounds, one panel a family."""
    rows = tables[STRUCTURED]
    keys = ["family", "entries", "columns"]
    points = summarise(rows, keys, "total", logarithm=True)
    fig, axes = subplots(1, 3, width="double")
    for ax, (family, title) in zip(axes[0], FAMILIES.items(), strict=True):
        for i, entries in enumerate(("structured", "gaussian")):
            line = points[(points["family"] == family) & (points["entries"] == entries)]
            look = dict(color=f"C{i}", marker="os"[i], label=entries)
            curve(ax, line["columns"], line["centre"], line["low"], line["high"], **look)
        bounds = rows[(rows["family"] == family) & (rows["entries"] == "structured")]
        bounds = (bounds["total"] / bounds["bound"]).groupby(bounds["columns"]).first()
        theory(ax, bounds.index, bounds, label="bound")
        ax.set(xscale="log", yscale="log", xlabel="columns $d$ (1)", ylabel=TOTAL, title=title)
        _plain_ticks(ax, x=bounds.index, y=(5, 10, 20, 50))
    axes[0, 0].legend()
    return fig, points


def _plain_ticks(ax, *, x, y):
    """Label short logarithmic axes by plain numbers."""
    ax.set_xticks(x, labels=map(str, x))
    ax.set_yticks(y, labels=map(str, y))
    ax.minorticks_off()


STEPS = {"undamped": r"$\eta=1$", "scores": r"$\eta=2/p$", "best": r"$\eta=4/(p+2)$"}
SIZES = {"undamped": lambda p: 1.0, "scores": lambda p: 2 / p, "best": lambda p: 4 / (p + 2)}


@figure(
    "sensitivity-sampling/lewis-rates",
    paper="cohen2015",
    experiments=[ITERATION],
    at={ITERATION: dict(p=[1, 3, 8], step=list(STEPS), steps=40)},
    title="Lewis weights: the step decides the rate, and whether there is one",
    caption=r"Residual $\max_i|\log(\tau_i/w_i)|$ of $w\leftarrow w^{1-\eta}F(w)^\eta$ for "
    r"Gaussian matrices of 40 rows and 3 columns from random weights; geometric mean and 95% "
    r"interval over replicates. Dashed: the rates $\max(|1-\eta|,|1-\eta p/2|)$. The plain "
    r"iteration $\eta=1$ fails for $p\ge4$, leverage scores $\eta=2/p$ at $p=1$; "
    r"$\eta=4/(p+2)$ converges for every $p$.",
    reproduces="Not in the paper: the rates of its iteration, and of damped ones",
)
def lewis_rates(tables):
    """Residuals against iterations with their local rates, for three p."""
    rows = tables[ITERATION]
    keys = ["p", "step", "iteration"]
    lowest = rows.groupby(keys)["residual"].transform("min")
    points = summarise(rows[lowest > 1e-13], keys, "residual", logarithm=True)
    fig, axes = subplots(1, 3, width="double", sharey=True)
    for ax, (p, lines) in zip(axes[0], points.groupby("p"), strict=True):
        for i, (step, label) in enumerate(STEPS.items()):
            line = lines[lines["step"] == step]
            _with_law(ax, line, lewis_local_rate(p, SIZES[step](p)), label, i)
        ax.set(yscale="log", ylim=(1e-13, 1e3), xlabel="iteration (1)", title=f"$p={p:g}$")
    axes[0, 0].set_ylabel("residual (1)")
    axes[0, 1].legend()
    return fig, points


def _with_law(ax, line, rate, label, place):
    """Draw a line and, where it converges, its law from the middle of the line on."""
    look = dict(color=f"C{place}", marker="os^"[place])
    curve(ax, line["iteration"], line["centre"], line["low"], line["high"], label=label, **look)
    if rate < 1:
        late = line.iloc[len(line) // 3 :]
        t = late["iteration"] - late["iteration"].iloc[0]
        theory(ax, late["iteration"], late["centre"].iloc[0] * rate**t, label="_law")


TABLES = "sensitivity-sampling/tables"
SIZES_DRAWN = (4, 8, 16, 32)


@figure(
    "sensitivity-sampling/total-estimates",
    paper="padmanabhan2023",
    experiments=[TABLES],
    at={
        TABLES: dict(table="wine", p=1, size=list(SIZES_DRAWN), estimate=["lewis", "uniform"]),
    },
    title="The total of a table from a few of its sensitivities",
    caption=r"Mean relative error of estimates of the total $\ell_1$ sensitivity of the wine table "
    r"of scikit-learn, $178\times14$ with an intercept, columns standardised, from rows drawn by "
    r"Lewis weights or uniformly; 95% intervals over the draws. Dashed: the proven bound "
    r"$\sqrt{(\sqrt d-1)/m}$ for Lewis weights, of any matrix.",
    reproduces="The experiments on real data (re-created: on a table that ships with scikit-learn)",
)
def total_estimates(tables):
    """Errors against the number of sensitivities, for rows drawn in two ways."""
    rows = tables[TABLES].dropna(subset=["error"])
    points = summarise(
        rows.assign(magnitude=rows["error"].abs()), ["estimate", "size"], "magnitude"
    )
    fig, axes = subplots()
    ax = axes[0, 0]
    names = {"lewis": "by Lewis weights", "uniform": "uniformly"}
    for i, (estimate, line) in enumerate(points.groupby("estimate")):
        look = dict(color=f"C{i}", marker="os"[i])
        curve(
            ax,
            line["size"],
            line["centre"],
            line["low"],
            line["high"],
            label=names[estimate],
            **look,
        )
    m = np.array(SIZES_DRAWN)
    theory(ax, m, [total_estimator_relative_sd(14, 1, int(k)) for k in m], label="bound")
    ax.set(xscale="log", yscale="log", ylim=(3e-3, 9))
    ax.set(xlabel="sensitivities computed $m$ (1)", ylabel="relative error (1)")
    ax.set_xticks(m, labels=map(str, m))
    ax.minorticks_off()
    ax.legend()
    return fig, points
