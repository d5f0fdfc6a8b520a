"""Figures of private similarities: how well they classify, and what a query costs."""

from __future__ import annotations

from theorytk.reporting import curve, figure, subplots, summarise

PAPER = "backurs2024similarities"
ACCURACY = "private-similarities/digits-accuracy"
COST = "private-similarities/query-cost"
# Name, colour and marker of each classifier.
LOOKS = {
    "similarity": ("similarity, sums", "C0", "o"),
    "average": ("similarity, averages", "C2", "^"),
    "means": ("nearest class mean", "C3", "D"),
    "sgd 50": ("DP-SGD, 50 steps", "C1", "s"),
    "sgd 300": ("DP-SGD, 300 steps", "C4", "v"),
}


@figure(
    "private-similarities/digits-accuracy",
    paper=PAPER,
    experiments=[ACCURACY],
    title="Sums of similarities classify as well as DP-SGD with good settings",
    caption=r"Accuracy on 540 of scikit-learn's 1797 digits after training on the others, "
    r"$\delta=10^{-5}$, neighbours by addition and removal; mean and 95% interval over random "
    "splits. Similarities: Gaussian kernel of bandwidth 0.5 on rows of length 1 by 200 features "
    "with Gaussian noise, compared as sums or divided by noisy counts, which have a tenth of the "
    "budget. DP-SGD: softmax regression with clipping norm 1 and step size 4, 50 steps on half of "
    "the points or 300 on a tenth. Dotted: guessing.",
    reproduces=r"Figure 3, on a table that everybody has: theirs needs CIFAR-10 and a pretrained "
    "network",
)
def accuracy(tables):
    """Accuracy against epsilon."""
    points = summarise(tables[ACCURACY], ["classifier", "epsilon"], "accuracy")
    fig, axes = subplots()
    ax = axes[0, 0]
    for name, (label, color, marker) in LOOKS.items():
        p = points[points["classifier"] == name].sort_values("epsilon")
        look = dict(label=label, color=color, marker=marker)
        curve(ax, p["epsilon"], p["centre"], p["low"], p["high"], **look)
    ax.axhline(0.1, color="0.5", linestyle=":")
    ax.set_xscale("log", base=2)
    ax.set(xlabel=r"$\varepsilon$ (1)", ylabel="accuracy (1)", ylim=(0, 1))
    ax.legend(loc="lower right")
    return fig, points


@figure(
    "private-similarities/query-cost",
    paper=PAPER,
    experiments=[COST],
    title="Features cost the same for any number of points, if the bandwidth is broad",
    caption="Operations per Gaussian kernel sum at a relative error of 5% against the number of "
    "points, uniform on the square. Brute force: distances to all points. Tree: distances that "
    "scikit-learn's KernelDensity computes at this tolerance, which it guarantees. Features: "
    "frequencies whose root mean square error it is; noise for privacy is not counted. For the "
    "narrow bandwidth the mean kernel is small, and the tree wins by orders of magnitude.",
    reproduces="Not in the paper in this form: its Table gives orders of query times",
)
def cost(tables):
    """Operations per query against n, for a broad and for a narrow bandwidth."""
    rows = tables[COST]
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, bandwidth in zip(axes[0], (0.5, 0.02), strict=True):
        p = rows[rows["bandwidth"] == bandwidth].groupby("n")[["tree", "features"]].mean()
        ax.plot(p.index, p.index, color="0.5", linestyle=":", label="brute force")
        ax.plot(p.index, p["tree"], color="C1", marker="s", label="tree")
        ax.plot(p.index, p["features"], color="C0", marker="o", label="features")
        ax.set(xscale="log", yscale="log", title=f"bandwidth {bandwidth:g}")
        ax.set(xlabel="points $n$ (1)", ylabel="operations per query (1)", ylim=(50, 1e9))
    axes[0, 0].legend(loc="upper left")
    return fig, rows[["bandwidth", "n", "mean", "tree", "features"]]
