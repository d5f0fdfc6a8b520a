"""Figures of diffusion samplers: errors at few evaluations, stability under guidance, Gaussians."""

from __future__ import annotations

import numpy as np

from theorytk.diffusion import FROZEN_RATE_METHODS, frozen_rate_limit
from theorytk.reporting import curve, figure, subplots, summarise, theory

DPM, DPMPP = "lu2022dpm", "lu2022dpmpp"
EVALUATIONS = "diffusion-samplers/error-against-evaluations"
GUIDED = "diffusion-samplers/guided-errors"
FROZEN = "diffusion-samplers/frozen-rate"
GAUSSIAN = "diffusion-samplers/gaussian-distances"
NAMES = {
    "ddim": "DDIM",
    "heun": r"Heun in $\rho$",
    "dpm_2m": "2M, noise",
    "dpmpp_2m": "++2M",
    "dpmpp_3m published": "++3M, released",
    "dpmpp_3m": "++3M",
    "deis_tab3": "DEIS tAB3",
    "ipndm": "iPNDM",
    "unipc-3 final": "UniPC-3",
}
GRIDS = {
    "logsnr": r"uniform in $\lambda$",
    "quadratic": "quadratic in $t$",
    "edm": r"Karras et al., $\rho=7$",
    "uniform": "uniform in $t$",
}
MARKERS = dict(zip(NAMES, "os^vD<Px*", strict=True))
COLOURS = dict(zip(NAMES, ("0.35", "0.65", "C0", "C1", "C2", "C2", "C3", "C4", "C5"), strict=True))


def _lines(ax, points, x):
    """Draw a line with its band for each sampler."""
    for name, line in points.groupby("algorithm", sort=False):
        look = dict(color=COLOURS[name], marker=MARKERS[name], label=NAMES[name])
        curve(ax, line[x], line["centre"], line["low"], line["high"], **look)


def _legend_right(fig, ax):
    """Put one legend for all panels to the right of them."""
    fig.legend(*ax.get_legend_handles_labels(), loc="outside right center")


@figure(
    "diffusion-samplers/error-against-evaluations",
    paper=DPMPP,
    experiments=[EVALUATIONS],
    title="The grid matters as much as the sampler",
    caption="Root mean square error of end points on random mixtures in 2, 8 and 16 dimensions "
    r"with exact scores, variance-preserving schedule from $t=1$ to $10^{-3}$; geometric mean and "
    "95% interval over replicates of four mixtures each. UniPC-3 with orders that fall at the end, "
    "as by default; the others without. Equal steps in $t$ suit DEIS, not third order in data "
    "prediction without falling orders.",
    reproduces="Not in the papers, whose errors are FIDs: the comparison at 5 to 20 evaluations",
)
def error_against_evaluations(tables):
    """Errors against evaluations, a panel per grid."""
    keys = ["kind", "algorithm", "n_evaluations"]
    points = summarise(tables[EVALUATIONS], keys, "error", logarithm=True)
    fig, axes = subplots(2, 2, width="double", height=5.0, sharex=True, sharey=True)
    for ax, (kind, title) in zip(axes.flat, GRIDS.items(), strict=True):
        _lines(ax, points[points["kind"] == kind], "n_evaluations")
        ax.set_title(title, fontsize="small")
        ax.set(xscale="log", yscale="log")
        ax.set_xticks([5, 6, 8, 10, 14, 20], labels=[5, 6, 8, 10, 14, 20])
        ax.minorticks_off()
    fig.supxlabel("evaluations (1)")
    fig.supylabel("error (1)")
    _legend_right(fig, axes[0, 0])
    return fig, points


SHOWN = ["ddim", "dpm_2m", "dpmpp_2m", "dpmpp_3m", "ipndm", "unipc-3 final"]


@figure(
    "diffusion-samplers/guided-divergence",
    paper=DPMPP,
    experiments=[GUIDED],
    at={GUIDED: dict(scale=[1, 4, 7.5, 15], n_steps=[10, 20], algorithm=SHOWN)},
    title="High orders diverge under guidance, and recover with more steps",
    caption="Random mixtures of 10 Gaussians in 8 dimensions, guided towards one of them by the "
    r"scale $w$; grid uniform in $\lambda$. Root mean square error of end points; geometric mean "
    "and 95% interval over mixtures. At $w=1$ the target is one Gaussian.",
    reproduces="Re-creates the instability that motivates DPM-Solver++ (there: images at $w=8$)",
)
def guided_divergence(tables):
    """Errors against the guidance scale, a panel per number of steps."""
    keys = ["n_steps", "algorithm", "scale"]
    points = summarise(tables[GUIDED], keys, "error", logarithm=True)
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, n_steps in zip(axes[0], (10, 20), strict=True):
        _lines(ax, points[points["n_steps"] == n_steps], "scale")
        ax.set_title(f"{n_steps} steps", fontsize="small")
        ax.set(xscale="log", yscale="log", xlabel="guidance scale $w$ (1)")
        ax.set_xticks([1, 4, 7.5, 15], labels=["1", "4", "7.5", "15"])
        ax.xaxis.minorticks_off()
    axes[0, 0].set_ylabel("error (1)")
    _legend_right(fig, axes[0, 0])
    return fig, points


@figure(
    "diffusion-samplers/frozen-rate",
    paper=DPMPP,
    experiments=[FROZEN],
    title="Data prediction is more stable, by at most an eighth",
    caption=r"Largest rate $\kappa$ at which $\dot z=-\kappa z$ is stable, at random steps $h$, "
    "from the roots of the samplers' recurrences (points), and the laws (dashed). A narrow "
    r"Gaussian guided by $w$ has $\kappa=w$. Right: 2M in data over 2M in noise prediction.",
    reproduces="Not in the papers: the law behind their instability under guidance",
)
def frozen_rate(tables):
    """Limits against the step, and the gain of data prediction."""
    rows = tables[FROZEN].sort_values("h")
    fig, axes = subplots(1, 2, width="double")
    h = np.geomspace(0.05, 4, 80)
    law = {m: np.array([frozen_rate_limit(m, v) for v in h]) for m in FROZEN_RATE_METHODS}
    for method in FROZEN_RATE_METHODS:
        points = rows[rows["method"] == method]
        look = dict(linestyle="", color=COLOURS[method], marker=MARKERS[method])
        axes[0, 0].plot(points["h"], points["limit"], label=NAMES[method], **look)
        theory(axes[0, 0], h, law[method], label="law" if method == "dpmpp_2m" else "_law")
    limits = {m: rows.loc[rows["method"] == m, "limit"].to_numpy() for m in FROZEN_RATE_METHODS}
    gain = limits["dpmpp_2m"] / limits["dpm_2m"]
    axes[0, 1].plot(np.unique(rows["h"]), gain, "o", color="C0", label="measured")
    theory(axes[0, 1], h, law["dpmpp_2m"] / law["dpm_2m"], label="law")
    axes[0, 0].set(xscale="log", yscale="log", ylabel=r"largest stable rate $\kappa$ (1)")
    axes[0, 1].set(xscale="log", ylabel="ratio of the limits (1)", ylim=(0.99, 1.135))
    axes[0, 1].axhline(9 / 8, color="0.5", linestyle=":")
    axes[0, 0].set_yticks([2, 5, 10, 20, 40], labels=[2, 5, 10, 20, 40])
    for ax in axes[0]:
        ax.minorticks_off()
        ax.set_xticks([0.05, 0.2, 1, 4], labels=["0.05", "0.2", "1", "4"])
        ax.set_xlabel(r"step $h$ in $\lambda$ (1)")
        ax.legend()
    return fig, rows[["method", "h", "limit"]]


@figure(
    "diffusion-samplers/gaussian-distances",
    paper=DPM,
    experiments=[GAUSSIAN],
    title=r"On Gaussian data $W_2$ falls as $h^p$ and KL as $h^{2p}$",
    caption="Exact laws of samplers of random Gaussians in 4 dimensions, started from the exact "
    "law; geometric mean and 95% interval over Gaussians. Dashed: the powers of theory, through "
    "the last point.",
    reproduces="Not in the papers: their orders, as orders of distances between laws",
)
def gaussian_distances(tables):
    """KL and W2 against steps."""
    rows = tables[GAUSSIAN]
    fig, axes = subplots(1, 2, width="double")
    drawn = []
    for ax, column, power in ((axes[0, 0], "w2", 1), (axes[0, 1], "kl", 2)):
        points = summarise(rows, ["algorithm", "n_steps"], column, logarithm=True)
        drawn.append(points.assign(quantity=column))
        _lines(ax, points, "n_steps")
        for name, line in points.groupby("algorithm", sort=False):
            n, last = line["n_steps"].to_numpy(), line["centre"].iloc[-1]
            order = power * (1 if name == "ddim" else 2)
            theory(ax, n, last * (n[-1] / n) ** order, label="law" if name == "ddim" else "_law")
        ax.set(xscale="log", yscale="log", xlabel="steps (1)")
        ax.set_xticks(n, labels=n)
        ax.xaxis.minorticks_off()
    axes[0, 0].set_ylabel("$W_2$ (1)")
    axes[0, 1].set_ylabel("KL (nat)")
    axes[0, 0].legend()
    return fig, drawn[0].merge(drawn[1], how="outer")
