"""Figures of conformal selection: rates against the level, and the laws of some mistakes."""

from __future__ import annotations

import numpy as np

from theorytk.conformal.limits import gaussian_limits
from theorytk.conformal.theory import naive_fdr, shared_uniform_fdr
from theorytk.reporting import curve, figure, subplots, summarise, theory

BAI, CFBH, WCS = "bai2024", "jin2023selection", "jin2023weighted"
MARKERS = "os^Dv"
RATES = {"fdp": "false discovery rate (1)", "power": "power (1)"}
BAND = "Mean and 95% interval over replicates."


def _line(ax, points, x, label, place, scale=1.0):
    """Draw a line with its band, in the look of its place in the palette."""
    look = dict(color=f"C{place}", marker=MARKERS[place])
    values = (points[name] * scale for name in ("centre", "low", "high"))
    curve(ax, points[x], *values, label=label, **look)


def _diagonal(ax, levels):
    theory(ax, levels, levels, label="$q$")


@figure(
    "conformal-selection/cfbh-scores",
    paper=CFBH,
    experiments=["conformal-selection/cfbh"],
    title="cfBH: clipped scores spend the level, others leave it unused",
    caption="False discovery rate (above) and power (below) of cfBH against the level, randomised "
    r"p-values, $n=50$ calibration and $m=100$ test points at the quick preset; columns are "
    rf"regressions of the paper. {BAND} Dashed: the level $q$.",
    reproduces="The simulations of the paper (re-created: kernel ridge regression, fewer points "
    "and covariates)",
)
def cfbh_scores(tables):
    """Two rates against q, a column for each setting and a curve for each score."""
    rows = tables["conformal-selection/cfbh"]
    rows = rows[rows["n"] == rows["n"].max()]
    settings = sorted(rows["setting"].unique())[:4]
    rows = rows[rows["setting"].isin(settings)]
    fig, axes = subplots(2, len(settings), width="double", sharex=True, sharey="row", height=4)
    drawn = []
    for column, by_rate in zip(RATES, axes, strict=True):
        points = summarise(rows, ["setting", "score", "level"], column)
        drawn.append(points.assign(rate=column))
        for ax, (setting, part) in zip(by_rate, points.groupby("setting"), strict=True):
            for i, (score, line) in enumerate(part.groupby("score")):
                _line(ax, line, "level", score, i)
            if column == "fdp":
                _diagonal(ax, np.sort(rows["level"].unique()))
                ax.set_title(f"setting {setting.split('-')[1]}")
            else:
                ax.set_xlabel("level $q$ (1)")
        by_rate[0].set_ylabel(RATES[column])
    axes[0, 0].legend()
    return fig, drawn[0].merge(drawn[1], how="outer")


@figure(
    "conformal-selection/naive-inflation",
    paper=BAI,
    experiments=["conformal-selection/useless-models"],
    at={"conformal-selection/useless-models": dict(K=[1, 2, 4, 8, 16, 32], sets=100)},
    title="The winner's curse: the best of many useless models",
    caption=r"False discovery rate when, of $K$ predictions that know nothing, the one that selects"
    rf" most on the same data is taken, $q=0.2$, $n=49$, $m=5$. {BAND} Dashed: the exact law "
    "(naive_fdr); dotted: the level. It tends to the share of nulls.",
    reproduces="Not in the paper: the law behind its naive baseline",
)
def naive_inflation(tables):
    """False discovery rate against the number of models."""
    rows = tables["conformal-selection/useless-models"]
    points = summarise(rows, ["pi0", "K"], "fdp")
    fig, axes = subplots()
    ax, first = axes[0, 0], rows.iloc[0]
    groups = points.groupby("pi0")
    for i, (pi0, line) in enumerate(groups):
        _line(ax, line, "K", rf"$\pi_0={pi0:g}$", i)
    for i, (pi0, line) in enumerate(groups):
        law = [naive_fdr(first["q"], first["n"], first["m"], pi0, int(K)) for K in line["K"]]
        theory(ax, line["K"], law, label="law" if i == 0 else "_law")
    ax.axhline(first["q"], color="0.5", linestyle=":")
    ax.set(xscale="log", xlabel="models $K$ (1)", ylabel=RATES["fdp"])
    ax.set_xticks(np.sort(rows["K"].unique()), labels=np.sort(rows["K"].unique()))
    ax.minorticks_off()
    ax.set_ylim(bottom=0)
    ax.legend()
    return fig, points


@figure(
    "conformal-selection/ties",
    paper=CFBH,
    experiments=["conformal-selection/ties"],
    at={
        "conformal-selection/ties": dict(
            levels=[0.5, 1, 2, 4, 8, 16, 32],
            procedure=["randomised", "conservative", "strict"],
            sets=20,
        )
    },
    title="Ties must count in the p-value",
    caption="False discovery rate of cfBH when predictions are rounded, $q=0.2$, $n=m=100$, clipped"
    rf" scores. {BAND} With ties forgotten it is far above the level (dashed); counted in full, "
    "they cost selections; broken at random for each point, they cost nothing.",
    reproduces="Not in the paper, which breaks ties at random",
)
def ties(tables):
    """False discovery rate against the fineness of the predictions."""
    rows = tables["conformal-selection/ties"]
    points = summarise(rows, ["procedure", "levels"], "fdp")
    fig, axes = subplots()
    ax, levels = axes[0, 0], np.sort(rows["levels"].unique())
    names = {
        "strict": "$(1+L)/(n+1)$",
        "randomised": "$(L+U(1+T))/(n+1)$",
        "conservative": "$(1+L+T)/(n+1)$",
    }
    for i, (name, label) in enumerate(names.items()):
        _line(ax, points[points["procedure"] == name], "levels", label, i)
    theory(ax, levels, np.full(len(levels), rows["q"].iloc[0]), label="$q$")
    ax.set(xscale="log", ylabel=RATES["fdp"], ylim=(0, None))
    ax.set_xlabel("levels of the prediction per standard deviation (1)")
    ax.set_xticks(levels, labels=[f"{v:g}" for v in levels])
    ax.minorticks_off()
    ax.legend()
    return fig, points


@figure(
    "conformal-selection/shared-uniform",
    paper=CFBH,
    experiments=["conformal-selection/separated"],
    at={
        "conformal-selection/separated": dict(
            n=[5, 10, 15, 20, 30], procedure=["shared", "randomised", "conservative"], sets=150
        )
    },
    title="One uniform for all ties is not valid",
    caption=r"False discovery rate over the level when predictions separate positives from nulls, "
    rf"$m=50$, $\pi_0=0.8$, $q=0.3$. {BAND} Dashed: the exact law of a shared uniform "
    "(shared_uniform_fdr); dotted: the level.",
    reproduces="Not in the paper, which draws a uniform for each point",
)
def shared_uniform(tables):
    """False discovery rate over q against n."""
    rows = tables["conformal-selection/separated"].rename(columns={"n": "size"})
    points, first = summarise(rows, ["procedure", "size"], "fdp"), rows.iloc[0]
    fig, axes = subplots()
    ax, q = axes[0, 0], first["q"]
    names = {"shared": "shared", "randomised": "one per point", "conservative": "set to 1"}
    for i, (name, label) in enumerate(names.items()):
        _line(ax, points[points["procedure"] == name], "size", label, i, 1 / q)
    n = np.arange(3, rows["size"].max() + 1)
    law = [shared_uniform_fdr(q, int(k), int(first["m"]), first["pi0"]) / q for k in n]
    theory(ax, n, law, label="law, shared")
    ax.axhline(1, color="0.5", linestyle=":")
    ax.set(xlabel="calibration points $n$ (1)", ylabel="false discovery rate over $q$ (1)")
    ax.legend()
    return fig, points


@figure(
    "conformal-selection/asymptotics",
    paper=CFBH,
    experiments=["conformal-selection/growing"],
    title=r"cfBH tends to its limits, with fluctuations of order $n^{-1/2}$",
    caption=r"The Gaussian bed, $n=m$, $q=0.2$, $\sigma=0.5$. Left: power and (dashed) its limits. "
    r"Right: standard deviation of the false discovery proportion, with lines of slope $-1/2$ "
    rf"through the middle points. {BAND}",
    reproduces="The asymptotic analysis of the paper, which has no figure of it",
)
def asymptotics(tables):
    """Power with its limits, and standard deviations with their rate."""
    rows = tables["conformal-selection/growing"].rename(columns={"n": "size"})
    fig, axes = subplots(1, 2, width="double")
    left, right = axes[0]
    power = summarise(rows, ["score", "size"], "power")
    spread = summarise(rows, ["score", "size"], "fdp_sd", logarithm=True)
    first, sizes = rows.iloc[0], np.sort(rows["size"].unique())
    for i, score in enumerate(("clip", "sub", "residual")):
        mean, sd = (points[points["score"] == score] for points in (power, spread))
        _line(left, mean, "size", f"{score}, dashed: its limit", i)
        limit = gaussian_limits(score, first["q"], first["sigma"]).power
        theory(left, mean["size"], np.full(len(mean), limit), label="_limit")
        _line(right, sd, "size", "_score", i)
        n, centre = sd["size"].to_numpy(), sd["centre"].to_numpy()
        theory(right, n, centre[1] * np.sqrt(n[1] / n), label=r"$n^{-1/2}$" if i == 0 else "_law")
    left.set(xscale="log", ylabel=RATES["power"], ylim=(0, 1))
    right.set(xscale="log", yscale="log", ylabel="sd of the false discovery proportion (1)")
    right.set_yticks(ticks := (0.005, 0.01, 0.02, 0.04, 0.08), labels=ticks)
    for ax in axes[0]:
        ax.set_xlabel("calibration and test points $n=m$ (1)")
        ax.set_xticks(sizes, labels=sizes)
        ax.minorticks_off()
    left.legend(loc="lower right")
    right.legend()
    return fig, power.assign(rate="power").merge(spread.assign(rate="fdp_sd"), how="outer")


@figure(
    "conformal-selection/wcs-prunings",
    paper=WCS,
    experiments=["conformal-selection/shifted"],
    at={
        "conformal-selection/shifted": dict(
            q=(0.1, 0.2, 0.3, 0.4, 0.5), procedure=["wcs", "unweighted"], sets=10
        )
    },
    title="Weighted conformal selection: prunings",
    caption="False discovery rate (left) and power (right) against the level under a shift of the "
    rf"covariates, $n=m=50$, randomised p-values. {BAND} Dashed: the level. Without weights cfBH "
    "is not valid; deterministic pruning is valid and weak, random pruning loses little.",
    reproduces="The comparison of prunings of the paper (re-created: own data)",
)
def wcs_prunings(tables):
    """Two rates against q, a curve for each pruning and one without weights."""
    rows = tables["conformal-selection/shifted"]
    method = rows["pruning"].where(rows["procedure"] == "wcs", "without weights")
    rows = rows.assign(method=method)
    fig, axes = subplots(1, 2, width="double")
    drawn = []
    for ax, (column, label) in zip(axes[0], RATES.items(), strict=True):
        points = summarise(rows, ["method", "level"], column)
        drawn.append(points.assign(rate=column))
        for i, (name, line) in enumerate(points.groupby("method")):
            _line(ax, line, "level", name, i)
        ax.set(xlabel="level $q$ (1)", ylabel=label)
    _diagonal(axes[0, 0], np.sort(rows["level"].unique()))
    axes[0, 1].set_ylim(0, 1.05)
    axes[0, 1].legend(loc="lower right", ncols=2, fontsize="small")
    return fig, drawn[0].merge(drawn[1], how="outer")
