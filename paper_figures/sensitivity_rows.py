"""Figures on rows: what each way to score them buys, and how many a distortion of 1/2 takes."""

from __future__ import annotations

import numpy as np

from theorytk.reporting import curve, figure, subplots, summarise

PAPER = "woodruff2023"
MARKERS = "os^Dv"
SCORES = {
    "sensitivity": "sensitivities",
    "augmented": "with leverage scores",
    "flattened": "flattened",
    "lewis": "Lewis weights",
    "root-leverage": "root leverage",
    "uniform": "uniform",
}
PLACES = {"sensitivity": 0, "augmented": 1, "flattened": 1, "lewis": 2, "root-leverage": 3}
PLACES["uniform"] = 4


def _lines(ax, points, x):
    """Draw one line with its band for each way to score."""
    for scores, name in SCORES.items():
        line = points[points["scores"] == scores].sort_values(x)
        if len(line):
            look = dict(color=f"C{PLACES[scores]}", marker=MARKERS[PLACES[scores]])
            curve(ax, line[x], line["centre"], line["low"], line["high"], label=name, **look)


BY_SCORES = "sensitivity-sampling/distortion-by-scores"


@figure(
    "sensitivity-sampling/distortion-by-scores",
    paper=PAPER,
    experiments=[BY_SCORES],
    at={BY_SCORES: dict(df=[1, 2], scores=["sensitivity", "lewis", "root-leverage", "uniform"])},
    title="As many rows, scored in four ways",
    caption=r"Exact distortion in the plane, $p=1$, against the rows kept, for rows of independent "
    r"Student t entries with one (left) and two (right) degrees of freedom. Sensitivities and "
    r"Lewis weights do alike. Root leverage scores do as well where scores are not too different, "
    r"and keep fewer rows where they are. Uniform rows need several times as many, and on the "
    r"heavier tails they do not get there. Geometric mean and 95% interval over replicates.",
    reproduces="Not in the paper, which has no experiments: its scores against each other",
)
def distortion_by_scores(tables):
    """Distortion against rows kept, by scores and degrees of freedom."""
    rows = tables[BY_SCORES]
    points = summarise(rows, ["df", "scores", "size"], "distortion", logarithm=True)
    kept = summarise(rows, ["df", "scores", "size"], "rows")
    points["rows"] = kept["centre"]
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, (df, lines) in zip(axes[0], points.groupby("df"), strict=True):
        _lines(ax, lines, "rows")
        ax.set(xscale="log", yscale="log", xlabel="rows kept (1)")
        ax.set_title(f"{df:g} degree{'s' * (df > 1)} of freedom")
        ticks = (30, 60, 120, 240)
        ax.set_xticks(ticks, labels=ticks)
        ax.minorticks_off()
    axes[0, 0].set_ylabel(r"distortion $\hat\varepsilon$ (1)")
    axes[0, 1].legend()
    return fig, points


NEEDED = "sensitivity-sampling/rows-needed"
NEEDED_ABOVE = "sensitivity-sampling/rows-needed-above-two"
ROWS = (20, 50, 100, 200, 500, 1000, 2000, 5000)
PANELS = {"hard": "flat block and stacked identity", "polynomial": "polynomials"}


@figure(
    "sensitivity-sampling/rows-against-total",
    paper=PAPER,
    experiments=[NEEDED, NEEDED_ABOVE],
    title="Rows needed against the total sensitivity",
    caption=r"Rows of a sample at which the distortion crosses $1/2$, all scores with the same "
    r"draws; geometric mean and 95% interval over replicates. Top: $p=1$, largest distortion that "
    r"ascent finds. On the hard instance, a flat block and a stacked identity of $d$ columns each, "
    r"plain sensitivities do not need more rows than the others at these sizes: the identity asks "
    r"for an oversampling of order $\log d$, more than the flat block does. Bottom: $p=4$, "
    r"certified. With $d^2$ columns in the identity Lewis weights need more rows than "
    r"sensitivities, and flattened scores do not. On polynomials the scores hardly differ.",
    reproduces="Not in the paper: the rows that its theorems bound, on instances of ours",
)
def rows_against_total(tables):
    """Rows needed against S, by exponent and instance."""
    fig, axes = subplots(2, 2, width="double")
    drawn = []
    for p, name, row in ((1, NEEDED, axes[0]), (4, NEEDED_ABOVE, axes[1])):
        keys = ["instance", "scores", "d"]
        points = summarise(tables[name], keys, "rows", logarithm=True)
        points["total"] = summarise(tables[name], keys, "total")["centre"]
        drawn.append(points.assign(p=p))
        for ax, (instance, lines) in zip(row, points.groupby("instance"), strict=True):
            _lines(ax, lines, "total")
            ax.set(xscale="log", yscale="log", title=f"$p={p}$, {PANELS[instance]}")
            ax.set(xlabel=r"total sensitivity $\mathfrak{S}$ (1)", ylabel="rows needed (1)")
            totals = np.unique(np.round(lines["total"]))
            ax.set_xticks(totals, labels=[f"{total:g}" for total in totals])
            ax.set_yticks(ROWS, labels=ROWS)
            ax.set_ylim(lines["low"].min() / 1.2, lines["high"].max() * 1.2)
            ax.minorticks_off()
        row[0].legend(loc="lower right" if p == 1 else "upper left")
    return fig, drawn[0].merge(drawn[1], how="outer")
