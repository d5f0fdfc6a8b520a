"""Figures of DPM-Solver-v3: its statistics, errors against other samplers, bias of its steps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from theorytk.reporting import curve, figure, subplots, summarise, theory

V3 = "zheng2023v3"
STATISTICS = "tuned-samplers/v3-statistics"
ERRORS = "tuned-samplers/v3-against-others"
RATIOS = "tuned-samplers/v3-error-ratio"
BIAS = "tuned-samplers/v3-local-bias"
LENGTHS = (0.2, 0.1, 0.05, 0.025)
NAMES = {
    "v3 as released": "v3-3, corrector",
    "v3 predictor": "v3-3, predictor",
    "unipc-3 final": "UniPC-3",
    "dpmpp_3m final": "++3M",
    "deis_tab3": "DEIS tAB3",
}
LOOKS = {
    name: dict(color=f"C{i}", marker="os^vD"[i], label=label)
    for i, (name, label) in enumerate(NAMES.items())
}


@figure(
    "tuned-samplers/v3-statistics",
    paper=V3,
    experiments=[STATISTICS],
    title="The statistics of a mixture and of one of its components",
    caption=r"Coefficients of the first coordinate from 256 draws with common random numbers: "
    "estimates for a mixture of three Gaussians in the plane (points, two standard errors) and for "
    r"one of its components (crosses). Dashed: the component's closed form, $l=1/(1+ve^{2\lambda})$"
    r", $s=0$, $b=2l(1-l)m$.",
    reproduces="Re-creates the paper's figures of l, s and b, there of image models",
)
def statistics(tables):
    """Three panels: l, s and b against lambda."""
    rows = tables[STATISTICS]
    fig, axes = subplots(1, 3, width="double")
    names = {"linear": "$l$ (1)", "scaling": "$s$ (1)", "bias": "$b$ (1)"}
    for ax, (name, label) in zip(axes[0], names.items(), strict=True):
        mixture, gaussian = (rows[rows["target"] == kind] for kind in ("mixture", "Gaussian"))
        ax.errorbar(
            mixture["lam"], mixture[name], 2 * mixture[f"{name}_se"], fmt=".", ms=3, label="mixture"
        )
        ax.plot(gaussian["lam"], gaussian[name], "x", ms=3, color="C1", label="one Gaussian")
        theory(ax, gaussian["lam"], gaussian[f"{name}_law"], label="its closed form")
        ax.set(xlabel=r"half log signal-to-noise ratio $\lambda$ (1)", ylabel=label)
    axes[0, 0].legend(fontsize="x-small")
    drawn = ["target", "lam", *(f"{n}{end}" for n in names for end in ("", "_se", "_law"))]
    return fig, rows[drawn]


@figure(
    "tuned-samplers/v3-against-others",
    paper=V3,
    experiments=[ERRORS, RATIOS],
    at={RATIOS: dict(algorithm="v3 as released", evaluations="few")},
    title="DPM-Solver-v3 against UniPC and DPM-Solver++",
    caption="Left and middle: root mean square error of end points on random mixtures in 2, 8 and "
    r"16 dimensions, geometric mean and 95% interval over replicates of four mixtures. Right: "
    "ratios of the error of v3 to that of two baselines at 5 to 10 evaluations, one point per "
    "replicate, their geometric mean, and no gain (dashed).",
    reproduces="Re-creates the comparisons at 5 to 20 evaluations, there by FID of image models",
)
def against_others(tables):
    """Errors against evaluations on two kinds of grids, and ratios by replicate."""
    keys = ["kind", "algorithm", "n_evaluations"]
    points = summarise(tables[ERRORS], keys, "error", logarithm=True)
    fig, axes = subplots(1, 3, width="double", height=3.0)
    titles = {"logsnr": r"uniform in $\lambda$", "quadratic": "quadratic in $t$"}
    for ax, (kind, title) in zip(axes[0], titles.items(), strict=False):
        for name, line in points[points["kind"] == kind].groupby("algorithm", sort=False):
            band = line["centre"], line["low"], line["high"]
            curve(ax, line["n_evaluations"], *band, **LOOKS[name])
        ax.set(xscale="log", yscale="log", xlabel="evaluations (1)", ylabel="error (1)")
        ax.set_ylim(3e-4, 1)
        ax.set_xticks([5, 6, 8, 10, 14, 20], labels=[5, 6, 8, 10, 14, 20])
        ax.xaxis.minorticks_off()
        ax.set_title(title, fontsize="small")
    axes[0, 1].legend(fontsize="x-small", loc="lower left")
    ratios = draw_ratios(axes[0, 2], tables[RATIOS])
    return fig, pd.concat([points, ratios])


def draw_ratios(ax, rows):
    """Draw the ratio of each replicate, sorted, and the geometric mean, per baseline."""
    drawn = []
    for name, group in rows.groupby("baseline", sort=False):
        look = {**LOOKS[name], "label": f"to {NAMES[name]}"}
        ratio = np.exp(np.sort(group["log_ratio"]))
        ax.plot(np.arange(1, len(ratio) + 1), ratio, ls="", ms=3, **look)
        mean = float(np.exp(group["log_ratio"].mean()))
        ax.axhline(mean, color=look["color"], lw=0.8)
        drawn.append(pd.DataFrame({"baseline": name, "ratio": ratio, "mean_ratio": mean}))
    theory(ax, [1, len(ratio)], [1, 1], label="no gain")
    ax.set(yscale="log", xlabel="replicate, sorted (1)", ylabel="ratio of errors (1)")
    ax.set_title("v3, corrector, over baseline", fontsize="small")
    ax.legend(fontsize="x-small")
    return pd.concat(drawn)


@figure(
    "tuned-samplers/v3-local-bias",
    paper=V3,
    experiments=[BIAS],
    at={BIAS: dict(algorithm=["v3-1", "ddim"])},
    title="The first-order step is unbiased to one order more",
    caption="Errors of one step of first order from $\\lambda=-0.5$ on random mixtures in the "
    "plane: length of the mean error over draws, and root mean square error; geometric mean over "
    "mixtures. DPM-Solver-v3 with the least-squares $s$ and $b$ has a mean error of $O(h^3)$; "
    "single errors are $O(h^2)$, as for DDIM. Dashed: slopes 2 and 3.",
    reproduces="Not in the paper: its proposition on local unbiasedness",
)
def local_bias(tables):
    """Mean and root mean square error against the length of a step."""
    fig, axes = subplots(1, 2, width="double", sharey=True)
    titles = {"bias": "mean error", "rms": "root mean square error"}
    drawn = []
    for ax, (column, title) in zip(axes[0], titles.items(), strict=True):
        drawn.append(draw_errors(ax, tables[BIAS], column).assign(kind=title))
        ax.set(xscale="log", yscale="log", xlabel=r"length of the step in $\lambda$ (1)")
        ax.set_xticks(LENGTHS, labels=LENGTHS)
        ax.xaxis.minorticks_off()
        ax.set_title(title, fontsize="small")
    axes[0, 0].set_ylabel("error (1)")
    axes[0, 0].legend(fontsize="x-small")
    return fig, pd.concat(drawn)


def draw_errors(ax, rows, column):
    """Draw the geometric mean over mixtures for each sampler, and the slope that is proved."""
    drawn = []
    for i, (name, group) in enumerate(rows.groupby("algorithm", sort=False)):
        error = [np.exp(np.log(group[f"{column}_{k}"]).mean()) for k in range(len(LENGTHS))]
        label = {"v3-1": "DPM-Solver-v3", "ddim": "DDIM"}[name]
        curve(ax, LENGTHS, error, color=f"C{i}", marker="os"[i], label=label)
        slope = 3 if (name, column) == ("v3-1", "bias") else 2
        theory(ax, LENGTHS, error[0] * (np.array(LENGTHS) / LENGTHS[0]) ** slope, label="_")
        drawn.append(pd.DataFrame({"algorithm": name, "h": LENGTHS, "error": error}))
    return pd.concat(drawn)
