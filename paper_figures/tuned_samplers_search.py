"""Figures of searched solver schedules: all of them, the searches, and the predictor's ranks."""

from __future__ import annotations

import numpy as np

from theorytk.reporting import curve, figure, subplots, summarise

USF = "liu2024usf"
LANDSCAPE = "tuned-samplers/usf-landscape"
METHODS = "tuned-samplers/usf-methods"
NAMES = {
    "best baseline": ("best of seven baselines", "0.45", "o"),
    "exhaustive": ("all 2304 schedules", "C0", "s"),
    "predictor": ("predictor, 100 evaluations", "C1", "^"),
    "evolution": ("evolution, 200 evaluations", "C2", "D"),
    "refined": ("all, then 50 gradients", "C3", "v"),
}

LOOKS = (
    ("C0", "-"),
    ("C1", "--"),
    ("C2", ":"),
    ("C3", "-"),
    ("C4", "--"),
    ("0.4", ":"),
    ("0.4", "-"),
)


@figure(
    "tuned-samplers/usf-landscape",
    paper=USF,
    experiments=[LANDSCAPE],
    title="All schedules of four steps, and seven known samplers",
    caption="Errors of end points on 192 trajectories of one random mixture of four Gaussians in "
    r"the plane, four evaluations, grid uniform in $\lambda$. Histogram: all 2304 schedules of two "
    "predictions, orders up to 3 and a corrector or none. Lines: the samplers named, and the "
    "schedule that is best on 64 other trajectories.",
    reproduces="Not in the paper, which searches; its FID tables need image models",
)
def usf_landscape(tables):
    """Histogram of errors with the baselines."""
    rows = tables[LANDSCAPE]
    searched = rows["kind"].isin(["schedule", "labelled"])
    errors, known = rows.loc[searched, "error"], rows[~searched].sort_values("error")
    fig, axes = subplots(1, 1, width="double", height=3.0)
    ax = axes[0, 0]
    ax.hist(errors, np.geomspace(errors.min(), errors.max(), 50), color="0.85")
    best = rows.loc[rows.loc[searched, "train_error"].idxmin(), "error"]
    ax.axvline(best, color="black", linewidth=2.5, label="best on the training set")
    for (name, error), look in zip(known[["kind", "error"]].to_numpy(), LOOKS, strict=True):
        ax.axvline(error, color=look[0], linestyle=look[1], label=name)
    ax.set(xscale="log", xlabel="held-out error (1)", ylabel="schedules (1)")
    fig.legend(*ax.get_legend_handles_labels(), loc="outside right center")
    return fig, rows[["kind", "error", "train_error"]]


@figure(
    "tuned-samplers/usf-methods",
    paper=USF,
    experiments=[METHODS],
    title="What searches are told, and what they get",
    caption="Errors on the trajectories searched on (left) and on 192 others (right), at four "
    "evaluations, over the held-out error of the best of seven baselines for the same mixture; "
    "geometric mean and 95% interval over random mixtures of four Gaussians in the plane. With few "
    "trajectories every search is told too much: the gap between the panels.",
    reproduces="Ours: the paper's searched schedules against baselines, with errors held out",
)
def usf_methods(tables):
    """Training and held-out error, over the baseline's, against the number of trajectories."""
    rows = over_baseline(tables[METHODS])
    fig, axes = subplots(1, 2, width="double", sharey=True)
    drawn = []
    columns = {"train_error": "searched on", "error": "held out"}
    for ax, (column, title) in zip(axes[0], columns.items(), strict=True):
        points = summarise(rows, ["method", "n_train"], column, logarithm=True)
        drawn.append(points.assign(trajectories=title))
        for method, (name, colour, marker) in NAMES.items():
            line = points[points["method"] == method]
            look = dict(color=colour, marker=marker, label=name)
            curve(ax, line["n_train"], line["centre"], line["low"], line["high"], **look)
        ax.set_title(title, fontsize="small")
        ax.set(xscale="log", yscale="log", xlabel="trajectories searched on (1)")
        ax.set_xticks([4, 64], labels=[4, 64])
        ax.xaxis.minorticks_off()
    axes[0, 0].set_ylabel("error over the best baseline's (1)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside right center")
    return fig, drawn[0].merge(drawn[1], how="outer")


def over_baseline(rows):
    """Return the rows with errors over the held-out error of the baseline, for the same mixture."""
    keys = ["replicate", "n_train"]
    baseline = rows.loc[rows["method"] == "best baseline", [*keys, "error"]]
    rows = rows.merge(baseline, on=keys, suffixes=("", "_of_baseline"))
    errors = rows[["train_error", "error"]].div(rows["error_of_baseline"], axis=0)
    return rows[["method", "n_train"]].join(errors)


@figure(
    "tuned-samplers/usf-predictor",
    paper=USF,
    experiments=[LANDSCAPE],
    title="Measured errors rank the schedules that were not measured",
    caption="Predicted against measured rank of the 2154 schedules without label, for one random "
    "mixture, after a ridge regression of the logarithm of the error on decisions and their pairs, "
    "fitted to 150 labelled schedules. Rank 1 has the smallest error.",
    reproduces="The predictor of the paper's search, of which ours is another kind",
)
def usf_predictor(tables):
    """Predicted against measured rank."""
    rows = tables[LANDSCAPE]
    rest = rows.loc[rows["kind"] == "schedule", ["train_error", "predicted"]]
    ranks = rest.rank(method="first")
    fig, axes = subplots(1, 1)
    ax = axes[0, 0]
    ax.plot(ranks["train_error"], ranks["predicted"], ".", color="C0", markersize=2, alpha=0.5)
    ax.plot([1, len(ranks)], [1, len(ranks)], color="black", linewidth=1, marker="")
    ax.set(xlabel="measured rank (1)", ylabel="predicted rank (1)")
    return fig, ranks.rename(columns={"train_error": "measured"})
