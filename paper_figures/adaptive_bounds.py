"""Figures of adaptive data analysis: what the bounds promise, and what an attack achieves."""

from __future__ import annotations

import numpy as np

from theorytk.adaptive.attack_laws import attack_accuracy
from theorytk.adaptive.bounds import confidence_width
from theorytk.reporting import curve, figure, subplots, summarise, theory

QUERIES = "adaptive-data-analysis/queries-by-bound"
WIDTHS = "adaptive-data-analysis/widths-by-bound"
GAP = "adaptive-data-analysis/certified-gap"
MANY = "adaptive-data-analysis/many-queries"

NAMES = {
    "tanh-gdp": "tanh, ours",
    "mutual-information": "mutual information",
    "jung": "Jung et al.",
    "bns": "Bassily et al.",
    "dfhprr": "Dwork et al.",
    "description-length": "description length",
    "split": "splitting",
}
MARKERS = "os^Dv<>"


def _lines(ax, rows, x, y):
    """Draw one line for each bound, in one order and look."""
    for i, (bound, name) in enumerate(NAMES.items()):
        line = rows[rows["bound"] == bound].sort_values(x)
        look = dict(color="0.5" if bound == "split" else f"C{i}", marker=MARKERS[i], markersize=2.5)
        curve(ax, line[x], line[y], label=name, **look)


@figure(
    "adaptive-data-analysis/queries-and-widths",
    paper="jung2020",
    experiments=[QUERIES, WIDTHS],
    title="Queries that can be answered, and how well",
    caption=r"Left: most adaptive queries that are answered to within $\tau=0.1$ at $\beta=0.05$, "
    r"against the sample size. Right: half-width against the number of queries at $n=10^5$. "
    "Splitting and description length are for means of parts and rounded means, the others for "
    r"means with the best Gaussian noise. Nothing is drawn where a bound allows no query, or tells "
    "less than nothing.",
    reproduces="Jung et al., the figure that compares bounds, with more of them and a grid of ours",
)
def queries_and_widths(tables):
    """Queries against n at a fixed width, width against k at a fixed n."""
    queries = tables[QUERIES].query("queries > 0")
    widths = tables[WIDTHS].query("width <= 1")
    fig, axes = subplots(1, 2, width="double", height=3.2)
    _lines(axes[0, 0], queries, "n", "queries")
    _lines(axes[0, 1], widths, "k", "width")
    axes[0, 0].set(xscale="log", yscale="log", xlabel="points $n$ (1)")
    axes[0, 0].set_ylabel("queries $k$ (1)")
    axes[0, 1].set(xscale="log", yscale="log", xlabel="queries $k$ (1)")
    axes[0, 1].set_ylabel(r"half-width $\tau$ (1)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    kept = queries[["bound", "n", "queries"]].merge(widths[["bound", "k", "width"]], how="outer")
    return fig, kept


@figure(
    "adaptive-data-analysis/certified-gap",
    paper="jung2020",
    experiments=[GAP],
    title="What is certified, and what an attack achieves",
    caption=r"A Gaussian mechanism on $n=20\,000$ points with the noise of the least certified "
    r"width at $\beta=0.05$. Certified: that width, and the least of the other bounds for the same "
    "noise. Attack: the gap of the two-stage attack on these answers, and on answers without "
    "noise; mean and 95% interval. Dashed: laws of the attack. No attack that we know closes the "
    "distance.",
    reproduces="Ours: upper bounds and the best attack on one mechanism",
)
def certified_gap(tables):
    """Upper bounds and attacks against k."""
    rows = tables[GAP]
    n, beta = int(rows["n"].iloc[0]), float(rows["beta"].iloc[0])
    sigma = rows.groupby("k")["sigma"].first()
    k = sigma.index.to_numpy()
    fig, axes = subplots(height=3.0)
    ax, drawn = axes[0, 0], []
    for i, (label, bounds) in enumerate(
        (
            ("certified, tanh", ("tanh-gdp",)),
            ("certified, others", ("jung", "bns", "dfhprr", "mutual-information")),
        )
    ):
        width = [
            min(confidence_width(n, q, beta, bound=b, sigma=s).value for b in bounds)
            for q, s in sigma.items()
        ]
        curve(ax, k, width, label=label, color=f"C{i}", marker=MARKERS[i])
        drawn.append(
            rows.groupby("k", as_index=False)["sigma"].first().assign(line=label, centre=width)
        )
    laws = {"attacked": 2 * sigma.to_numpy(), "naive": 0.0}
    names = {"naive": "attack, no noise", "attacked": "attack"}
    for i, (column, label) in enumerate(names.items(), start=2):
        points = summarise(rows, ["k"], column)
        look = dict(label=label, color=f"C{i}", marker=MARKERS[i])
        curve(ax, points["k"], points["centre"], points["low"], points["high"], **look)
        law = attack_accuracy(n, k, sigma=laws[column]) - 0.5
        theory(ax, k, law, label="law of the attack" if i == 2 else "_law")
        drawn.append(points.assign(line=label))
    ax.set(xscale="log", yscale="log", xlabel="queries $k$ (1)", ylabel="gap (1)")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    merged = drawn[0]
    for part in drawn[1:]:
        merged = merged.merge(part, how="outer")
    return fig, merged


@figure(
    "adaptive-data-analysis/multiplicative-weights-against-noise",
    paper="dwork2015",
    experiments=[MANY],
    at={MANY: dict(answer=["weights", "gaussian"])},
    title="Multiplicative weights are flat in the number of queries",
    caption=r"Largest error on the sample of $k$ answers about random queries, $|\mathcal X|=1024$ "
    r"cells, $n=5\cdot10^5$, $\varepsilon=0.5$, $\delta=10^{-6}$; geometric mean and 95% interval. "
    r"The error of the weights is that of the threshold, 0.1 (dotted). Dashed: $\sqrt k$, through "
    "the middle point of Gaussian noise. On so large a sample noise is the better for all $k$ "
    "drawn; what it lacks is a slope of zero.",
    reproduces="Ours: the error of the two mechanisms in Dwork et al. against k",
)
def weights_against_noise(tables):
    """Largest errors of multiplicative weights and of Gaussian noise against k."""
    rows = tables[MANY]
    points = summarise(rows, ["answer", "k"], "error", logarithm=True)
    fig, axes = subplots()
    ax = axes[0, 0]
    for i, (answer, label) in enumerate(
        {"weights": "multiplicative weights", "gaussian": "Gaussian noise"}.items()
    ):
        line = points[points["answer"] == answer]
        look = dict(label=label, color=f"C{i}", marker=MARKERS[i])
        curve(ax, line["k"], line["centre"], line["low"], line["high"], **look)
    noise = points[points["answer"] == "gaussian"].set_index("k")["centre"]
    middle = noise.index[len(noise) // 2]
    theory(ax, noise.index, noise[middle] * np.sqrt(noise.index / middle), label=r"$\sqrt{k}$")
    ax.axhline(0.1, color="0.5", linestyle=":")
    ax.set(xscale="log", yscale="log", xlabel="queries $k$ (1)", ylabel="largest error (1)")
    ax.legend()
    return fig, points
