"""Figures of the stability of samplers: regions, guided divergence, charts, time shifts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from theorytk.diffusion import frozen_rate_limit
from theorytk.diffusion.frozen_rates import (
    frozen_rate_growth,
    momentum_rate_limit,
    multistep_rate_limit,
)
from theorytk.diffusion.stability import STABILITY_METHODS, characteristic, is_stable, real_limit
from theorytk.reporting import curve, figure, subplots, summarise, theory

TOPIC = "sampler-stability"
MOMENTUM, TIME_SHIFT = "wizadwongsa2024momentum", "li2024timeshift"
LIMITS, GUIDED = f"{TOPIC}/real-limits", f"{TOPIC}/guided-errors"
THIRD, RATES = f"{TOPIC}/third-order-rates", f"{TOPIC}/momentum-rates"
SHIFT = f"{TOPIC}/time-shift"
REGIONS = {
    "ab": ("Adams-Bashforth", (-2.3, 1.2)),
    "hb": (r"HB, $\beta=0.8$", (-3.3, 1.4)),
    "ghvb": (r"GHVB, $\beta=0.8$", (-3.3, 1.4)),
}
NAMES = {"ab": "Adams-Bashforth", "hb": "HB", "ghvb": "GHVB", "nesterov": "Nesterov"}
MARKERS = "os^D"
DAMPINGS = (0.4, 0.6, 0.8, 0.9, 1)


def draw_regions(ax, method, width):
    """Draw the boundaries of a method's regions for one to four terms."""
    reach, height = width
    x, y = np.linspace(reach, 1.0, 350), np.linspace(-height, height, 320)
    for order in (1, 2, 3, 4):
        stable = is_stable(characteristic(method, order, 0.8), x + 1j * y[:, None])
        ax.contour(x, y, stable.astype(float), levels=[0.5], colors=f"C{order - 1}")
        ax.plot([], [], "-", color=f"C{order - 1}", marker="", label=f"$r={order}$")
    ax.axhline(0, color="0.8", linewidth=0.6)
    ax.axvline(0, color="0.8", linewidth=0.6)
    ax.set(xlabel=r"Re $h\kappa$ (1)", ylabel=r"Im $h\kappa$ (1)", aspect="equal")


@figure(
    f"{TOPIC}/regions",
    paper=MOMENTUM,
    experiments=[LIMITS],
    title="Momentum enlarges the regions of stability; GHVB gives part of it back for the order",
    caption=r"Stability regions for $y'=\kappa y$ and steps $h$ of Adams-Bashforth and of the "
    r"momentum methods with $r$ terms. Lower right: the end $z$ of the real stable interval, by "
    r"following the roots for methods of two terms and random damping $\beta$ (points), and the "
    "closed forms (dashed).",
    reproduces="The paper's figures of the stability regions of AB, HB and GHVB",
)
def regions(tables):
    """Three panels of regions, and the real limits against the damping."""
    rows = tables[LIMITS]
    fig, axes = subplots(2, 2, width="double", height=5.2)
    for ax, (method, (title, width)) in zip(axes.flat, REGIONS.items(), strict=False):
        draw_regions(ax, method, width)
        ax.set_title(title, fontsize="small")
    axes[0, 0].legend(loc="upper right", fontsize="x-small")
    drawn = rows.loc[rows["order"] == 2, ["algorithm", "damping", "limit"]]
    ax, beta = axes[1, 1], np.linspace(0.1, 1, 80)
    for i, method in enumerate(STABILITY_METHODS):
        points = drawn[drawn["algorithm"] == method]
        look = dict(linestyle="", color=f"C{i}", marker=MARKERS[i], label=NAMES[method])
        ax.plot(points["damping"], -points["limit"], **look)
        law = [-real_limit(method, 2, b) for b in beta]
        theory(ax, beta, law, label="closed forms" if i == 3 else "_")
    ax.set(yscale="log", xlabel=r"damping $\beta$ (1)", ylabel=r"real limit $-z$, $r=2$ (1)")
    ax.legend(fontsize="x-small")
    return fig, drawn


@figure(
    f"{TOPIC}/guided-cure",
    paper=MOMENTUM,
    experiments=[GUIDED],
    at={
        GUIDED: dict(
            algorithm=[
                f"{m}-{r} at {b}" for m in ("hb", "ghvb") for r in (2, 3, 4) for b in DAMPINGS
            ]
        )
    },
    title="Heavy ball cures divergence at third order; GHVB hardly does at fourth",
    caption=r"Random mixtures of 10 Gaussians in 8 dimensions, guided by $w=7.5$; 10 steps, "
    r"uniform in $\lambda$. Root mean square error of end points against the damping $\beta$, "
    r"which is 1 without momentum; geometric mean and 95% interval over mixtures.",
    reproduces="Re-creates the divergence artefacts and their cure (there: images)",
)
def guided_cure(tables):
    """Errors against the damping, a panel per method."""
    rows = tables[GUIDED]
    names = rows["algorithm"].str.extract(r"(?P<method>\w+)-(?P<order>\d) at (?P<damping>.+)")
    rows = rows.assign(**names.astype({"order": int, "damping": float}))
    points = summarise(rows, ["method", "order", "damping"], "error", logarithm=True)
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, method in zip(axes[0], ("hb", "ghvb"), strict=True):
        for i, order in enumerate((2, 3, 4)):
            line = points[(points["method"] == method) & (points["order"] == order)]
            look = dict(color=f"C{order - 1}", marker=MARKERS[i], label=f"$r={order}$")
            curve(ax, line["damping"], line["centre"], line["low"], line["high"], **look)
        ax.set_title(NAMES[method], fontsize="small")
        ax.set(yscale="log", xlabel=r"damping $\beta$ (1)")
    axes[0, 0].set_ylabel("error (1)")
    axes[0, 0].legend()
    return fig, points


LAWS = {
    "DDIM": lambda h: frozen_rate_limit("ddim", h),
    r"HB, $r=3$, $\beta=0.8$": lambda h: momentum_rate_limit("hb", h, order=3, damping=0.8),
    r"GHVB, $r=2$, $\beta=0.8$": lambda h: momentum_rate_limit("ghvb", h, order=2, damping=0.8),
    "++3M": lambda h: multistep_rate_limit(h, order=3),
    "3M, noise": lambda h: multistep_rate_limit(h, order=3, output="noise"),
    "iPNDM of 4 terms": lambda h: momentum_rate_limit("ab", h, order=4),
}
CHARTED = {
    "DDIM": ("ddim", {}),
    r"HB, $r=3$, $\beta=0.8$": ("hb", dict(order=3, damping=0.8)),
    r"GHVB, $r=2$, $\beta=0.8$": ("ghvb", dict(order=2, damping=0.8)),
    "++3M": ("dpmpp_3m", {}),
    "3M, noise": ("dpm_3m", {}),
    "iPNDM of 4 terms": ("ipndm", {}),
}


@figure(
    f"{TOPIC}/rate-charts",
    paper=MOMENTUM,
    experiments=[THIRD],
    at={THIRD: dict(variant="consistent")},
    title="In ten usual steps fourth order amplifies errors, even at a single point",
    caption=r"Left: largest real rate $\kappa$ at which $\dot z=-\kappa z$ is stable on steps $h$ "
    r"in $\lambda$: laws (lines) and roots of the plans (points). Below 1 (dotted) errors "
    r"grow on a single data point, without guidance. Right: complex rates, the stable sets at "
    "$h=1$, about ten steps of the usual range.",
    reproduces="Not in the paper: the stability of the same methods on the grids of samplers",
)
def rate_charts(tables):
    """Real limits against the step, and complex stable sets at one step."""
    rows = tables[THIRD][["method", "h", "limit"]]
    fig, axes = subplots(1, 2, width="double")
    h = np.geomspace(0.2, 3, 60)
    x, y = np.linspace(-0.4, 3.6, 160), np.linspace(-1.8, 1.8, 144)
    for i, (name, law) in enumerate(LAWS.items()):
        line = dict(color=f"C{i}", linestyle="-", marker="", label=name)
        axes[0, 0].plot(h, [law(v) for v in h], **line)
        sampler, options = CHARTED[name]
        growth = frozen_rate_growth(sampler, 1.0, x + 1j * y[:, None], **options)
        axes[0, 1].contour(x, y, growth, levels=[1.0], colors=f"C{i}")
    for method, name in (("dpmpp_3m", "++3M"), ("dpm_3m", "3M, noise")):
        points = rows[(rows["method"] == method) & (rows["h"] > 0.2)]
        colour = f"C{list(LAWS).index(name)}"
        look = dict(linestyle="", marker="o", color=colour, markeredgecolor="k", markersize=4)
        axes[0, 0].plot(points["h"], points["limit"], **look)
    axes[0, 0].axhline(1, color="0.5", linestyle=":")
    axes[0, 0].set(xscale="log", yscale="log", xlabel=r"step $h$ in $\lambda$ (1)")
    axes[0, 0].set_xticks([0.2, 0.5, 1, 2, 3], labels=["0.2", "0.5", "1", "2", "3"])
    axes[0, 0].set_yticks([1, 2, 5, 10], labels=["1", "2", "5", "10"])
    axes[0, 0].minorticks_off()
    axes[0, 0].set(ylabel=r"largest stable rate $\kappa$ (1)")
    axes[0, 1].set(xlabel=r"Re $\kappa$ (1)", ylabel=r"Im $\kappa$ (1)", aspect="equal")
    axes[0, 0].legend(fontsize="x-small")
    return fig, rows


RULES = {
    ("raw", 200): "published rule, to label 200",
    ("raw", 500): "published rule, to label 500",
    ("corrected", 200): "corrected rule, to label 200",
    ("corrected", 500): "corrected rule, to label 500",
}


@figure(
    f"{TOPIC}/time-shift-ratios",
    paper=TIME_SHIFT,
    experiments=[SHIFT],
    at={
        SHIFT: dict(
            algorithm=["raw", "corrected"],
            cutoff=[200, 500],
            n_steps=[10, 20, 50],
            bias=[1.0, 1.02],
        )
    },
    title="The published rule needs a high cut-off, the corrected one does not",
    caption="DDIM with time shifts in a window of 40 labels on 40 noisy templates of 256 pixels: "
    "standard deviation around the nearest template, relative to the exact one (dotted); mean and "
    "95% interval over sets of templates. Right: the prediction times 1.02, which imitates "
    "exposure bias.",
    reproduces="Re-creates the effect of window and cut-off (there: FID on images)",
)
def time_shift_ratios(tables):
    """Ratios against the steps, a panel per bias."""
    rows = tables[SHIFT]
    plain = rows[(rows["algorithm"] == "raw") & (rows["cutoff"] == 500)]
    plain = plain.assign(algorithm="none", ratio=plain["plain"])
    keys = ["bias", "algorithm", "cutoff", "n_steps"]
    points = summarise(pd.concat([rows, plain]), keys, "ratio")
    fig, axes = subplots(1, 2, width="double", sharey=True)
    for ax, bias in zip(axes[0], (1.0, 1.02), strict=True):
        for i, (rule, name) in enumerate({("none", 500): "no shifts", **RULES}.items()):
            chosen = (points["algorithm"] == rule[0]) & (points["cutoff"] == rule[1])
            line = points[chosen & (points["bias"] == bias)]
            look = dict(color=f"C{i}", marker="os^Dv"[i], label=name)
            curve(ax, line["n_steps"], line["centre"], line["low"], line["high"], **look)
        ax.axhline(1, color="0.5", linestyle=":")
        ax.set_title("exact prediction" if bias == 1 else "prediction times 1.02", fontsize="small")
        ax.set(xscale="log", xlabel="steps (1)")
        ax.set_xticks([10, 20, 50], labels=["10", "20", "50"])
        ax.minorticks_off()
    axes[0, 0].set_ylabel("ratio of standard deviations (1)")
    axes[0, 0].legend(loc="upper left", bbox_to_anchor=(0, 0.95), fontsize="x-small")
    return fig, points
