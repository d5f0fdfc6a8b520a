"""Figures of attacks on samples, holdouts and leaderboards, and of what stops them."""

from __future__ import annotations

import numpy as np

from theorytk.adaptive.attack_laws import (
    attack_accuracy,
    feature_selection_accuracy,
    signal_accuracy,
    tracing_queries,
)
from theorytk.reporting import curve, figure, subplots, summarise, theory

TWO_STAGE = "adaptive-data-analysis/two-stage-attack"
TRACING = "adaptive-data-analysis/tracing-curve"
SELECTION = "adaptive-data-analysis/feature-selection"
BOOSTING = "adaptive-data-analysis/boosting"
MARKERS = "os^Dv"


def draw(ax, rows, x, column, place, label, **options):
    """Draw the means of a column against x with their intervals."""
    points = summarise(rows, [x], column)
    look = dict(color=f"C{place}", marker=MARKERS[place], markersize=4, label=label, **options)
    curve(ax, points[x], points["centre"], points["low"], points["high"], **look)


@figure(
    "adaptive-data-analysis/attack-law",
    paper="dwork2015",
    experiments=[TWO_STAGE],
    at={TWO_STAGE: dict(weights=["linear", "sign", "select"])},
    title="Exact answers to random queries overfit like the root of their number",
    caption=r"Accuracy on the sample of the classifier that weighs $k$ random queries on $2000$ "
    r"points by their answers, by the signs of the answers, or keeps the better half; mean and 95% "
    r"interval over replicates. Dashed: the limit laws. On the population the accuracy is 1/2.",
    reproduces="The appendix's attack as a picture, with its laws; not in the paper",
)
def attack_law(tables):
    """Accuracy within the sample against k, for three weights."""
    rows = tables[TWO_STAGE]
    fig, axes = subplots()
    ax, n = axes[0, 0], int(rows["n"].iloc[0])
    k = np.unique(np.geomspace(rows["k"].min(), rows["k"].max(), 60).round())
    for place, weights in enumerate(("linear", "sign", "select")):
        group = rows[rows["weights"] == weights]
        draw(ax, group, "k", "accuracy", place, weights, linestyle="none")
        theory(ax, k, attack_accuracy(n, k, weights=weights), label="laws" if place == 2 else "")
    ax.axhline(0.5, color="0.5", linewidth=0.8)
    ax.set(xscale="log", xlabel="queries $k$ (1)", ylabel="accuracy on the sample (1)")
    ax.legend()
    return fig, rows[["n", "k", "weights", "accuracy"]]


@figure(
    "adaptive-data-analysis/tracing-after-n-squared",
    paper="steinke2015",
    experiments=[TRACING],
    title="Noise of constant size buys a number of queries that is quadratic in n",
    caption=r"Accuracy of the attack on the sample against the queries asked, for exact "
    r"answers and for noise $0.3$ on answers in $[-1,1]$: mean and 95% interval. Dashed: the laws; "
    r"upright: where they reach 90%. With noise, twice the points take four times the queries.",
    reproduces="The lower bound's order, by an attack on noise; not in the paper",
)
def tracing_after_n_squared(tables):
    """Accuracy within the sample against queries, with and without noise, by n."""
    rows = tables[TRACING]
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, (sigma, noisy) in zip(axes[0], rows.groupby("sigma"), strict=True):
        for place, (n, group) in enumerate(noisy.groupby("n")):
            draw(ax, group, "k", "in_sample", place, f"$n={n}$")
            k = np.unique(np.geomspace(group["k"].min(), group["k"].max(), 60).round())
            law = attack_accuracy(n, k, sigma=sigma)
            theory(ax, k, law, label="laws" if place == 2 else "")
            if sigma:
                ax.axvline(tracing_queries(n, 0.9, sigma), color=f"C{place}", linewidth=0.8)
        ax.set(xscale="log", xlabel="queries $k$ (1)")
        ax.set_title(rf"noise $\sigma={sigma:g}$" if sigma else "exact answers")
    axes[0, 0].set_ylabel("accuracy on the sample (1)")
    axes[0, 1].legend()
    return fig, rows[["n", "k", "sigma", "in_sample", "law"]]


@figure(
    "adaptive-data-analysis/reusable-holdout",
    paper="dwork2015science",
    experiments=[SELECTION],
    title="A holdout that selects is overfitted; through Thresholdout it is not",
    caption=r"Accuracies of the classifier of the $k$ best variables of $10^4$ on $10^4$ points: "
    r"without signal (above) and with 20 variables of signal (below), selected with the holdout's "
    r"own answers (left) and with Thresholdout's (right); mean and 95% interval over replicates. "
    r"Dashed: the laws of the training set, the holdout and fresh points.",
    reproduces="Figure 1 of the paper, with its parameters",
)
def reusable_holdout(tables):
    """Train, holdout and fresh accuracy against the number of variables, in four panels."""
    rows = tables[SELECTION]
    fig, axes = subplots(2, 2, width="double", height=4.6, sharex=True, sharey="row")
    for i, n_signal in enumerate((0, 20)):
        for j, study in enumerate(("standard", "thresholdout")):
            group = rows[(rows["n_signal"] == n_signal) & (rows["study"] == study)]
            ax = axes[i, j]
            told = "holdout" if study == "standard" else "reported"
            for place, (column, label) in enumerate(
                (("train", "training"), (told, "holdout, as told"), ("fresh", "fresh"))
            ):
                draw(ax, group, "size", column, place, label)
            laws(ax, n_signal, study)
            names = {"standard": "standard holdout", "thresholdout": "Thresholdout"}
            ax.set_title(f"{names[study]}, {'signal' if n_signal else 'no signal'}")
    for ax in axes[:, 0]:
        ax.set_ylabel("accuracy (1)")
    for ax in axes[1]:
        ax.set_xlabel("variables $k$ (1)")
    axes[0, 0].legend()
    columns = ["n_signal", "study", "size", "train", "holdout", "fresh", "reported"]
    return fig, rows[columns]


def laws(ax, n_signal, study, n=10_000):
    """Draw what is known: all of it without signal and with the standard holdout."""
    if n_signal:
        k = np.arange(n_signal, 501)
        theory(ax, k, signal_accuracy(n, k, n_signal), label="laws")
        return
    k = np.arange(10, 501)
    theory(ax, k, np.full(len(k), 0.5), label="laws")
    if study == "standard":
        for law in feature_selection_accuracy(n, n, k):
            theory(ax, k, law, label="")


@figure(
    "adaptive-data-analysis/ladder-boosting",
    paper="blum2015",
    experiments=[BOOSTING],
    at={BOOSTING: dict(leaderboard=["losses", "percent", "parameter-free", "ladder"])},
    title="The boosting attack climbs a leaderboard of losses, and not the Ladder",
    caption=r"Loss that is reported for the majority of those of $k$ random submissions that were "
    r"reported at most $1/2$ for, on 4000 points: mean and 95% interval. Dashed: the law for exact "
    r"losses. The true loss is 1/2.",
    reproduces="The boosting attack's figure, at the paper's number of points",
)
def ladder_boosting(tables):
    """Reported loss against the number of submissions, by leaderboard."""
    rows = tables[BOOSTING]
    fig, axes = subplots()
    ax, n = axes[0, 0], int(rows["n"].iloc[0])
    names = {
        "losses": "losses",
        "percent": "losses, two digits",
        "parameter-free": "parameter-free Ladder",
        "ladder": "Ladder",
    }
    for place, (leaderboard, name) in enumerate(names.items()):
        draw(ax, rows[rows["leaderboard"] == leaderboard], "k", "reported", place, name)
    k = np.arange(rows["k"].min(), rows["k"].max() + 1)
    theory(ax, k, 1 - attack_accuracy(n, k, weights="select"), label="law for losses")
    ax.axhline(0.5, color="0.5", linewidth=0.8)
    ax.set(xlabel="submissions $k$ (1)", ylabel="reported loss (1)")
    ax.set_ylim(0.395, 0.505)
    ax.legend(loc="lower left")
    return fig, rows[["n", "k", "leaderboard", "reported"]]
