"""Figures of the other kernel mechanisms: their errors side by side, and the audit of RACE."""

from __future__ import annotations

import numpy as np

from theorytk.reporting import curve, figure, subplots, summarise

PAPER = "backurs2024similarities"
ERRORS = "private-similarities/kernel-mechanisms"
AUDITS = "private-similarities/audited-counters"
# Name, colour and marker of each mechanism.
LOOKS = {
    "bernstein": ("Bernstein", "C1", "^"),
    "fgt": ("fast Gauss transform", "C2", "s"),
    "rff_laplace": ("Fourier features", "C3", "D"),
    "race": ("RACE (its own kernel)", "C4", "v"),
    "rff_gaussian": (r"features, $\delta=10^{-6}$", "C5", "P"),
    "gp": (r"process, $\delta=10^{-6}$", "C0", "o"),
}
# Noise scales over the calibrated one, by name of the mechanism, for 1000 points.
FACTORS = {
    "published scale": 0.001,
    "100 times published": 0.1,
    "a third of the scale": 1 / 3,
    "scale halved": 0.5,
    "exact": 1.0,
}


@figure(
    "private-similarities/kernel-mechanisms",
    paper=PAPER,
    experiments=[ERRORS],
    title="Mechanisms for Gaussian kernels side by side",
    caption=r"Root mean square error of the mean Gaussian kernel of bandwidth $\frac14$ over "
    r"random queries, 2000 points of two clusters in $[0,1]^d$; geometric mean and 95% interval "
    r"over replicates. Degrees and numbers of features minimise bounds that are public. RACE "
    r"answers sums of another kernel of similar width, for no hashes have the Gaussian one. The "
    r"last two are $(\varepsilon,10^{-6})$-private by Gaussian noise, the others are "
    r"$\varepsilon$-private.",
    reproduces="Not in the papers: their mechanisms together, on points of ours",
)
def kernel_mechanisms(tables):
    """Error against epsilon of all mechanisms, on a line and in the plane."""
    points = summarise(tables[ERRORS], ["mechanism", "d", "epsilon"], "error", logarithm=True)
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, d in zip(axes[0], sorted(points["d"].unique()), strict=True):
        for mechanism, (name, color, marker) in LOOKS.items():
            p = points[(points["d"] == d) & (points["mechanism"] == mechanism)]
            p = p.sort_values("epsilon")
            look = dict(color=color, marker=marker, label=name)
            curve(ax, p["epsilon"], p["centre"], p["low"], p["high"], **look)
        ax.set(xscale="log", yscale="log", title=f"$d={d:g}$", xlabel=r"privacy $\varepsilon$ (1)")
    axes[0, 0].set_ylabel("error of the mean kernel (1)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), ncols=3, loc="outside lower center")
    return fig, points


@figure(
    "private-similarities/race-audit",
    paper="coleman2020race",
    experiments=[AUDITS],
    at={AUDITS: dict(mechanism=list(FACTORS))},
    title="An audit of RACE's noise",
    caption=r"Privacy of 20 rows of counters of $n=1000$ points, claimed $\varepsilon=1$, against "
    r"the scale of their noise over $I/\varepsilon$. Circles: $\varepsilon$ that audits of 10,000 "
    r"releases certify at $\delta=0.01$, mean and 95% interval over replicates; above the dotted "
    r"line, the exact composition of the rows at that $\delta$, the claim is refuted. Dashed: the "
    r"exact loss at $\delta=0$. The published code has scale $I/(n\varepsilon)$ on whole counts, "
    "the left end.",
    reproduces="Not in the paper: an audit of its published code's noise scale",
)
def race_audit(tables):
    """Certified and exact epsilon against the scale of the noise."""
    rows = tables[AUDITS]
    rows = rows.assign(factor=rows["mechanism"].map(FACTORS))
    points = summarise(rows, ["factor"], "certified").sort_values("factor")
    claimed = float(rows["claimed"].iloc[0])
    fig, axes = subplots()
    ax = axes[0, 0]
    look = dict(color="C0", marker="o", label=r"certified at $\delta=0.01$")
    curve(ax, points["factor"], points["centre"], points["low"], points["high"], **look)
    factors = np.geomspace(0.001, 1, 50)
    ax.plot(factors, 1 / factors, color="0.3", linestyle="--", marker="", label="exact loss")
    ax.axhline(claimed, color="0.5", linestyle=":", label=r"allowed at $\delta=0.01$")
    ax.text(0.001, 1.4, "published")
    ax.text(0.7, 0.03, "right", ha="right")
    ax.set(xscale="log", xlabel=r"noise scale $\times\,\varepsilon/I$ (1)")
    ax.set_yscale("symlog", linthresh=0.1)
    ax.set(ylabel=r"privacy $\varepsilon$ (1)", ylim=(-0.02, 2e3))
    fig.legend(*ax.get_legend_handles_labels(), ncols=2, loc="outside lower center")
    return fig, points
