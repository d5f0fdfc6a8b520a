"""Figures of hallucination by mode interpolation: laws, slopes, detection, recursion."""

from __future__ import annotations

import numpy as np

from theorytk.diffusion.hallucination import ramp_rate, steep_schedule
from theorytk.reporting import curve, figure, subplots, summarise, theory

PAPER = "aithal2024"
UNBOUNDED = 1000
NAMES = {2: r"slope $\leq2$", 3: r"slope $\leq3$", UNBOUNDED: "exact"}
HISTOGRAMS = "mode-interpolation/histograms"


@figure(
    HISTOGRAMS,
    paper=PAPER,
    experiments=[HISTOGRAMS],
    title="Smooth denoisers put samples between modes",
    caption="Exact law of the output of 1000 steps in 150 bins, on a logarithmic scale: of the "
    "exact denoiser and of the best ones of bounded slope. Dashed: the density of the data.",
    reproduces="The histograms of one-dimensional mixtures, by exact laws in place of networks",
)
def histograms(tables):
    """Densities of the output for two mixtures."""
    rows = tables[HISTOGRAMS]
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, (modes, part) in zip(axes[0], rows.groupby("modes"), strict=True):
        for bound, line in part.groupby("bound"):
            ax.plot(line["place"], line["density"].clip(1e-12), marker="", label=NAMES[bound])
        line = part[part["bound"] == UNBOUNDED]
        theory(ax, line["place"], line["data"], label="data")
        ax.set(yscale="log", xlabel="sample (data units)", title=f"modes {modes}", ylim=(1e-9, 99))
    axes[0, 0].set_ylabel("density (1 / data unit)")
    axes[0, 1].legend(loc=(0.5, 0.66), fontsize="x-small")
    return fig, rows[["modes", "bound", "place", "density", "data"]]


SLOPES = "mode-interpolation/slopes-by-level"


@figure(
    SLOPES,
    paper=PAPER,
    experiments=[SLOPES],
    title="The ideal denoiser is steep where little noise is left",
    caption="Largest slope of the denoiser against the noise level, in units of the data. Dashed: "
    r"$\sigma^2/v+s^2a^2/v^2$, the slope in the middle between two modes.",
    reproduces="Learned against true score, by the best denoisers of bounded slope",
)
def slopes(tables):
    """Slopes against the noise level."""
    rows = tables[SLOPES]
    fig, axes = subplots()
    for bound, line in rows.groupby("bound"):
        axes[0, 0].plot(line["level"], line["slope"], marker="", label=NAMES[bound])
    line = rows[rows["bound"] == UNBOUNDED]
    theory(axes[0, 0], line["level"], line["exact"], label="law")
    axes[0, 0].set(xscale="log", yscale="log", xlabel="noise level $s$ (data units)")
    axes[0, 0].set_ylabel("largest slope (1)")
    axes[0, 0].set_xticks([0.03, 0.1, 0.3], labels=["0.03", "0.1", "0.3"])
    axes[0, 0].tick_params(which="minor", labelbottom=False)
    axes[0, 0].legend(fontsize="small")
    return fig, rows[["bound", "level", "slope", "exact"]]


VALLEYS = "mode-interpolation/valleys"


@figure(
    "mode-interpolation/rates",
    paper=PAPER,
    experiments=[VALLEYS],
    at={VALLEYS: dict(bound=[1.2, 1.5, 2, 3, 4, 6])},
    title="Hallucination against smoothness",
    caption="Exact mass between the modes 1, 2 and 3 of the best denoiser of bounded slope, under "
    "the ancestral chain and under DDIM. Dashed: the recursion through the ramp for DDIM.",
    reproduces="Not in the paper, which trains networks",
)
def rates(tables):
    """Rates against the bound."""
    rows = tables[VALLEYS].groupby("bound")[["mass", "ddim"]].sum().reset_index()
    fig, axes = subplots()
    for column, name in (("mass", "ancestral"), ("ddim", "DDIM")):
        curve(axes[0, 0], rows["bound"], rows[column], label=name)
    bounds, schedule = np.array([1.2, 1.5, 2.0, 2.5, 3.0]), steep_schedule()
    laws = [2 * ramp_rate(1, 0.05, b, schedule, pair_weight=2 / 3, eta=0.0) for b in bounds]
    theory(axes[0, 0], bounds, laws, label="ramp (DDIM)")
    axes[0, 0].set(yscale="log", xlabel=r"bound $\Lambda$ on the slope (1)")
    axes[0, 0].set_ylabel("mass between modes (1)")
    axes[0, 0].legend(fontsize="small")
    return fig, rows


EXPONENTS = "mode-interpolation/exponents"


@figure(
    EXPONENTS,
    paper=PAPER,
    experiments=[EXPONENTS],
    title="A valley empties twice as fast under the reverse SDE",
    caption="Mass near the middle between two modes against the noise level, for bounds on the "
    r"slope of 1.5, 2 and 3 (from above). Dashed: $s^{\Lambda-1}$ for the flow and "
    r"$s^{2(\Lambda-1)}$ for the reverse SDE, through the last point.",
    reproduces="Not in the paper",
)
def exponents(tables):
    """Masses against the noise level."""
    rows = tables[EXPONENTS]
    fig, axes = subplots(1, 2, width="double", sharey=True)
    names = {"ode": "probability flow", "sde": "reverse SDE"}
    for ax, (sampler, part) in zip(axes[0], rows.groupby("sampler"), strict=True):
        for bound, line in part.groupby("bound"):
            curve(ax, line["level"], line["mass"], label=rf"$\Lambda={bound:g}$")
            last = line.iloc[-1]
            law = last["mass"] * (line["level"] / last["level"]) ** last["exponent"]
            theory(ax, line["level"], law, label="law" if bound == 3 else "_law")
        ax.set(xscale="log", yscale="log", xlabel="noise level $s$ (data units)")
        ax.set_title(names[sampler])
        ax.set_xticks([0.03, 0.04, 0.06], labels=["0.03", "0.04", "0.06"])
        ax.minorticks_off()
    axes[0, 0].set_ylabel("mass near the middle (1)")
    axes[0, 1].legend(fontsize="small")
    return fig, rows[["sampler", "bound", "level", "mass", "exponent"]]


PATHS = "mode-interpolation/paths"


@figure(
    PATHS,
    paper=PAPER,
    experiments=[PATHS],
    title="Hallucinations keep changing their prediction",
    caption="Predictions of the clean data along six paths that end between modes, and six that "
    "do not, for the best denoiser of slope at most 2; modes 1, 2 and 3.",
    reproduces="The predictions of clean data along hallucinated and other paths",
)
def paths(tables):
    """Predictions against the label."""
    rows = tables[PATHS]
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, bad in zip(axes[0], (True, False), strict=True):
        part = rows[rows["hallucinated"].astype(bool) == bad]
        for _, line in part.groupby("sample"):
            ax.plot(line["label"], line["prediction"], marker="", linewidth=0.8)
        ax.set(xlabel="label $t$ (1)", title="hallucinations" if bad else "in the support")
        ax.invert_xaxis()
    axes[0, 0].set_ylabel(r"prediction $\hat x_0$ (data units)")
    return fig, rows[["sample", "hallucinated", "label", "prediction"]]


VARIANCES = "mode-interpolation/variances"


@figure(
    VARIANCES,
    paper=PAPER,
    experiments=[VARIANCES],
    title="The variance of late predictions tells hallucinations",
    caption="Variance of the last ten predictions of samples that end between modes and of others, "
    "for the best denoiser of slope at most 2. Dotted: the threshold that retains 96%.",
    reproduces="The histograms of the detector, for the one-dimensional mixture",
)
def variances(tables):
    """Histograms of the score."""
    rows = tables[VARIANCES]
    bad = rows["hallucinated"].to_numpy(dtype=bool)
    fig, axes = subplots()
    bins = np.geomspace(1e-6, 0.2, 50)
    for kind, name in ((~bad, "in the support"), (bad, "hallucinations")):
        axes[0, 0].hist(rows["hal"][kind], bins, density=False, alpha=0.6, label=name)
    axes[0, 0].axvline(np.quantile(rows["hal"][~bad], 0.96), color="0.3", linestyle=":")
    axes[0, 0].set(xscale="log", yscale="log", ylabel="samples (1)")
    axes[0, 0].set_xlabel("variance of predictions (data units squared)")
    axes[0, 0].legend(fontsize="small", loc="upper left")
    return fig, rows[["hallucinated", "hal"]]


POPULATION = "mode-interpolation/population"


@figure(
    "mode-interpolation/recursion",
    paper=PAPER,
    experiments=[POPULATION],
    title="Interpolation feeds on itself unless it is filtered",
    caption="Exact mass between modes over generations with infinitely many samples: without a "
    "filter (solid), and with all hallucinations removed before the next model (dashed).",
    reproduces="Recursive training with and without filters, in the population",
)
def recursion(tables):
    """Rates over generations."""
    rows = tables[POPULATION]
    fig, axes = subplots()
    for (removal, bound), line in rows.groupby(["removal", "bound"]):
        kept = removal == "none"
        look = dict(color=f"C{int(bound) - 2}", linestyle="-" if kept else "--")
        label = NAMES[bound] if kept else f"{NAMES[bound]}, filtered"
        curve(axes[0, 0], line["generation"] + 1, line["rate"], label=label, **look)
    axes[0, 0].set(yscale="log", xlabel="generation (1)", ylabel="mass between modes (1)")
    axes[0, 0].legend(fontsize="x-small", loc=(0.45, 0.2))
    return fig, rows[["removal", "bound", "generation", "rate"]]


WINDOWS = "mode-interpolation/windows"


@figure(
    WINDOWS,
    paper=PAPER,
    experiments=[WINDOWS],
    title="What a denoiser cannot see it cannot forbid",
    caption="Share of samples with two boxes, which the data never have, of the best denoiser that "
    "sees a window of some radius of 32 pixels ; mean and 95% interval over replicates.",
    reproduces="Repeated shapes of Simple Shapes, by a signal with exact denoisers",
)
def windows(tables):
    """Shares against the radius."""
    points = summarise(tables[WINDOWS], ["radius"], "several")
    fig, axes = subplots()
    centre = points["centre"]
    error = [centre - points["low"], points["high"] - centre]
    names = points["radius"].astype(str).replace("99", "all")
    axes[0, 0].errorbar(names, centre, error, fmt="o", capsize=3)
    axes[0, 0].set(xlabel="radius of the window (pixels)", ylabel="samples with two boxes (1)")
    return fig, points


NETWORKS = "mode-interpolation/networks"


@figure(
    "mode-interpolation/updates",
    paper=PAPER,
    experiments=[NETWORKS],
    at={NETWORKS: dict(model=["network", "by epochs"])},
    title="Updates count, not samples",
    caption="Exact rate of hallucination of small networks against the size of the training set, "
    "with a fixed number of updates and with one in proportion to the size; geometric mean and "
    "interval over networks.",
    reproduces="The effect of the training size, with updates and size told apart",
)
def updates(tables):
    """Rates against samples for the two designs."""
    points = summarise(tables[NETWORKS], ["model", "samples"], "rate", logarithm=True)
    fig, axes = subplots()
    names = {"network": "fixed updates", "by epochs": "fixed epochs"}
    for model, line in points.groupby("model"):
        ends = line["low"], line["high"]
        curve(axes[0, 0], line["samples"], line["centre"], *ends, label=names[model])
    axes[0, 0].set(xscale="log", yscale="log", xlabel="training samples (1)")
    axes[0, 0].set_ylabel("mass between modes (1)")
    axes[0, 0].set_xticks([3000, 30000], labels=["3000", "30 000"])
    axes[0, 0].set_yticks([0.05, 0.1, 0.3], labels=["0.05", "0.1", "0.3"])
    axes[0, 0].minorticks_off()
    axes[0, 0].legend(fontsize="small")
    return fig, points


@figure(
    "mode-interpolation/slope-and-rate",
    paper=PAPER,
    experiments=[NETWORKS],
    at={NETWORKS: dict(samples=30_000, updates=[100, 300, 700, 1600])},
    title="Smoother networks hallucinate more",
    caption="Exact rate of hallucination of small networks against their steepest slope, which is "
    "25.5 for the ideal denoiser; one point for each network.",
    reproduces="Not in the paper",
)
def slope_and_rate(tables):
    """Rates against steepest slopes."""
    rows = tables[NETWORKS]
    fig, axes = subplots()
    for updates, points in rows.groupby("updates"):
        x, y = 25.5 * points["steepest"], points["rate"]
        axes[0, 0].plot(x, y, "o", markersize=3, label=f"{updates} updates")
    axes[0, 0].set(yscale="log", xlabel="steepest slope (1)", ylabel="mass between modes (1)")
    axes[0, 0].legend(fontsize="small")
    return fig, rows[["updates", "steepest", "rate"]]


LEARNED = "mode-interpolation/learned-slopes"


@figure(
    LEARNED,
    paper=PAPER,
    experiments=[LEARNED],
    title="A network follows the ideal denoiser until it gets steep",
    caption="Slope in the middle between two modes, in units of the data, of a small network after "
    "700 and after 3000 updates. Dashed: the slope of the ideal denoiser.",
    reproduces="Learned against true score, by slopes level by level",
)
def learned_slopes(tables):
    """Slopes against the noise level."""
    rows = tables[LEARNED]
    lines = rows.groupby(["updates", "level"])[["slope", "ideal"]].mean().reset_index()
    fig, axes = subplots()
    for updates, line in lines.groupby("updates"):
        axes[0, 0].plot(line["level"], line["slope"], marker="", label=f"{updates} updates")
    theory(axes[0, 0], line["level"], line["ideal"], label="ideal")
    axes[0, 0].set(xscale="log", yscale="log", xlabel="noise level $s$ (data units)")
    axes[0, 0].set_ylabel("slope in the middle (1)")
    axes[0, 0].set_xticks([0.03, 0.1, 0.3], labels=["0.03", "0.1", "0.3"])
    axes[0, 0].tick_params(which="minor", labelbottom=False)
    axes[0, 0].legend(fontsize="small")
    return fig, lines


PLANES = "mode-interpolation/planes"


@figure(
    PLANES,
    paper=PAPER,
    experiments=[PLANES],
    title="Networks join nearest neighbours",
    caption="Samples of a small network trained on the grid, and of one trained on the released "
    "diamond, whose modes are closer by a factor of 1.4. Those farther than 6 standard deviations "
    "from every mode are hallucinations.",
    reproduces="The scatter plots of the two-dimensional experiments",
)
def planes(tables):
    """Samples, and which are hallucinations."""
    rows = tables[PLANES]
    rows = rows[rows["replicate"] == 0]
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, target in zip(axes[0], ("grid", "diamond"), strict=True):
        part = rows[rows["target"] == target]
        bad = part["hallucinated"].astype(bool)
        for kind, name in ((~bad, "in the support"), (bad, "hallucination")):
            ax.plot(part["x"][kind], part["y"][kind], ".", markersize=1.5, label=name)
        ax.set(title=f"{target}: {bad.mean():.0%} hallucinate", xlabel="$x$ (data units)")
        ax.set(xlim=(-2.1, 2.1), ylim=(-2.1, 2.1), aspect="equal")
    axes[0, 0].set_ylabel("$y$ (data units)")
    axes[0, 1].legend(fontsize="x-small", markerscale=4, loc="upper right")
    return fig, rows[["target", "x", "y", "hallucinated"]]
