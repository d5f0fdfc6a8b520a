"""Figures of self-consuming training with curation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from theorytk.reporting import curve, figure, subplots, summarise, theory
from theorytk.selfconsuming import paper_kl_bound, two_atom_fixed_mass, uniform_reward_gap

PAPER = "ferbach2024"
TOPIC = "self-consuming-curation"
MARKERS = "os^Dv"
WEIGHTS = {
    "infinity": "curated only",
    "1": r"real data, $\lambda=1$",
    "0.3": r"real data, $\lambda=0.3$",
}
TARGETS = {"ring": "ring of eight Gaussians", "moons": "two moons"}


def _look(place, label):
    """Return colour, marker and label of a line."""
    return dict(color=f"C{place}", marker=MARKERS[place], label=label)


@figure(
    f"{TOPIC}/level-sets",
    paper=PAPER,
    experiments=[f"{TOPIC}/plane-densities"],
    title="Densities over generations, with real data and without",
    caption=r"Exact densities on a grid after 0, 1, 4 and 20 generations; users choose one of "
    r"$K=4$ samples with the reward $-2\max(0,\|x-\mu\|-1)$, best inside the circle. "
    r"Curated samples alone (first and third row) leave only that; with as many real samples "
    r"($\lambda=1$, second and fourth row) the other modes stay. Colours are of the fourth root of "
    "the density.",
    reproduces="Figures of the mixture of Gaussians and of two moons (re-created: the exact map on "
    "a grid in the place of trained networks, reward slope ours)",
)
def level_sets(tables):
    """Densities: rows are targets and weights, columns generations."""
    rows = tables[f"{TOPIC}/plane-densities"].astype({"lam": str})
    generations = np.unique(rows["generation"])
    fig, axes = subplots(4, len(generations), width="double", height=7.2, sharex=True, sharey=True)
    panels = [(target, lam) for target in TARGETS for lam in ("infinity", "1")]
    for line, (target, lam) in zip(axes, panels, strict=True):
        for ax, t in zip(line, generations, strict=True):
            at = (rows["target"] == target) & (rows["lam"] == lam) & (rows["generation"] == t)
            _density(ax, rows[at])
            ax.annotate(f"$t={t}$", (0.04, 0.88), xycoords="axes fraction")
        line[0].set_title(f"{TARGETS[target]}, {WEIGHTS[lam]}", loc="left", fontsize="small")
    fig.supxlabel("$x_1$ (1)")
    fig.supylabel("$x_2$ (1)")
    return fig, rows[["target", "lam", "generation", "x", "y", "density"]]


def _density(ax, rows):
    """Draw one density with the circle of the best rewards."""
    wide = rows.pivot(index="y", columns="x", values="density")
    ax.pcolormesh(wide.columns, wide.index, wide.to_numpy() ** 0.25, rasterized=True)
    angle = np.linspace(0, 2 * np.pi, 80)
    ax.plot(2 + np.cos(angle), np.sin(angle), color="C1", linewidth=0.8, marker="")
    ax.set(aspect="equal", xlim=(-3.6, 3.6), ylim=(-3.6, 3.6))
    ax.grid(False)


@figure(
    f"{TOPIC}/reward-over-generations",
    paper=PAPER,
    experiments=[f"{TOPIC}/plane"],
    at={f"{TOPIC}/plane": dict(target="ring", K=4)},
    title="Reward, its variance and the distance from real data",
    caption=r"Ring of eight Gaussians, $K=4$. On curated samples alone the mean reward tends to "
    r"its maximum $0$ and the variance of $e^r$ to $0$, while the divergence from the real data "
    r"grows to $-\log P(r=r_*)$. With real data all three stay away. Dashed: the bound "
    r"$-\log(1-\lambda(K-1))$ for $\lambda=0.3$, below the threshold.",
    reproduces="Figures of reward and collapse over generations (re-created on the exact map)",
)
def reward_over_generations(tables):
    """Three measures over generations for three weights of real data."""
    rows = tables[f"{TOPIC}/plane"].astype({"lam": str})
    labels = {
        "reward": "mean reward (nat)",
        "variance": r"variance of $e^r$ (1)",
        "divergence": "KL from real data (nat)",
    }
    fig, axes = subplots(1, 3, width="double", height=2.5)
    for ax, (column, label) in zip(axes[0], labels.items(), strict=True):
        for i, (lam, name) in enumerate(WEIGHTS.items()):
            line = rows[rows["lam"] == lam].sort_values("generation")
            curve(ax, line["generation"], line[column], **_look(i, name))
        ax.set(xlabel="generation (1)", ylabel=label)
    bound = paper_kl_bound(4, 0.3)
    theory(axes[0, 2], [0, 20], [bound, bound], label=r"bound, $\lambda=0.3$")
    axes[0, 2].set_ylim(-0.1, 3.6)
    fig.legend(*axes[0, 2].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig, rows[["lam", "generation", *labels]]


@figure(
    f"{TOPIC}/class-shares",
    paper=PAPER,
    experiments=[f"{TOPIC}/class-shares"],
    title="Bias between classes is amplified, less with real data",
    caption="Ten classes of equal shares at first whose rewards are 5 to 20 times a confidence "
    "with a Beta law; mean and 95% interval over random laws. Largest share (upper lines) and "
    r"smallest (lower lines) of a class. Dashed: the floor $P_{\rm ref}(c)/(1+\lambda)$, "
    r"$\lambda=1$.",
    reproduces="Figures of the class shares of CIFAR-10 (re-created: ten synthetic classes)",
)
def shares_of_classes(tables):
    """Largest and smallest share of a class against generations."""
    rows = tables[f"{TOPIC}/class-shares"].astype({"lam": str})
    fig, axes = subplots()
    drawn = []
    for column in ("largest", "least"):
        points = summarise(rows, ["lam", "generation"], column)
        drawn.append(points.assign(quantity=column))
        for i, lam in enumerate(("infinity", "1")):
            line = points[points["lam"] == lam]
            look = _look(i, WEIGHTS[lam] if column == "largest" else None)
            curve(axes[0, 0], line["generation"], line["centre"], line["low"], line["high"], **look)
    theory(axes[0, 0], [1, rows["generation"].max()], [0.05, 0.05], label="floor with real data")
    axes[0, 0].set(xlabel="generation (1)", ylabel="share of a class (1)", ylim=(0, 0.23))
    axes[0, 0].legend(loc="upper left")
    return fig, pd.concat(drawn)


@figure(
    f"{TOPIC}/threshold",
    paper=PAPER,
    experiments=[f"{TOPIC}/threshold"],
    at={
        f"{TOPIC}/threshold": dict(
            gap=50, rare=[1e-2, 1e-3, 1e-4], relative_lam=[0.25, 0.5, 0.7, 0.85, 1, 1.2, 1.5, 2, 4]
        )
    },
    title="A rare liked atom takes over beyond the threshold",
    caption=r"Mass of the better of two atoms at the fixed point with real data, $K=2$, against "
    r"$\lambda$ in units of the threshold $1/(H_{\max}-1)$, for its masses $\epsilon$ under the "
    r"real data. Dashed: the root of $aq^2+(1-a)q=\epsilon$, $a=\lambda\tanh(\Delta/2)$; dotted: "
    r"its limit $1-1/a$ for $\epsilon\to0$.",
    reproduces="Not in the paper: why its bound with real data needs a small weight",
)
def threshold_of_takeover(tables):
    """Mass against the relative weight, with the law."""
    rows = tables[f"{TOPIC}/threshold"].sort_values("relative_lam")
    fig, axes = subplots()
    ax = axes[0, 0]
    x = np.linspace(0.25, 4, 200)
    for i, (rare, line) in enumerate(rows.groupby("rare")):
        power = round(np.log10(rare))
        look = _look(i, rf"$\epsilon=10^{{{power}}}$")
        curve(ax, line["relative_lam"], line["mass"], linestyle="none", **look)
        law = [two_atom_fixed_mass(rare, 50.0, a) for a in x]
        theory(ax, x, law, label="law" if rare == rows["rare"].max() else "_law")
    ax.plot(x[x >= 1], 1 - 1 / x[x >= 1], color="0.5", linestyle=":", marker="")
    ax.set(xlabel=r"$\lambda(H_{\max}-1)$ (1)", ylabel="mass of the better atom $q$ (1)")
    ax.set(xscale="log", yscale="log")
    ax.set_xticks([0.25, 0.5, 1, 2, 4], labels=["0.25", "0.5", "1", "2", "4"])
    ax.minorticks_off()
    ax.legend(loc="lower right")
    return fig, rows[["rare", "relative_lam", "lam", "mass"]]


@figure(
    f"{TOPIC}/many-samples",
    paper=PAPER,
    experiments=[f"{TOPIC}/many-samples", f"{TOPIC}/continuous-reward"],
    at={
        f"{TOPIC}/many-samples": dict(K=[2, 4, 8, 16, 32, 64, 128, 256, 512]),
        f"{TOPIC}/continuous-reward": dict(K=[2, 4, "infinity"]),
    },
    title="Many samples, and many generations",
    caption=r"Left: total variation between a generation with $K$ samples and the limit $p\,e^r/E "
    r"e^r$, geometric mean and 95% interval over random laws of 20 atoms; dashed: $C/K$. Right: "
    r"gap between best and mean reward for a reward uniform on $[0,1]$, on a grid of 4000 points "
    r"(quick preset); dashed: $1/t-1/(e^t-1)$ for infinite $K$, else $\frac K{K-1}/t$.",
    reproduces="Not in the paper: how its limit of many samples and its limit law are approached",
)
def many_samples(tables):
    """Distance against K and gap against generations."""
    rows = tables[f"{TOPIC}/many-samples"]
    points = summarise(rows, ["K"], "distance", logarithm=True)
    fig, axes = subplots(1, 2, width="double")
    curve(
        axes[0, 0],
        points["K"],
        points["centre"],
        points["low"],
        points["high"],
        **_look(0, "measured"),
    )
    law = summarise(rows, ["K"], "law", logarithm=True)
    theory(axes[0, 0], law["K"], law["centre"] / law["K"], label="$C/K$")
    axes[0, 0].set(xscale="log", yscale="log", xlabel="samples $K$ (1)")
    axes[0, 0].set_ylabel("total variation (1)")
    axes[0, 0].legend()
    gaps = tables[f"{TOPIC}/continuous-reward"].astype({"K": str})
    _gaps(axes[0, 1], gaps)
    return fig, pd.concat([points, gaps[["K", "t", "gap"]]])


def _gaps(ax, gaps):
    """Draw the gap of the reward for three K with the laws."""
    names = {"2": "$K=2$", "4": "$K=4$", "infinity": r"$K=\infty$"}
    shown = gaps[gaps["t"].isin(2 ** np.arange(9))]
    for i, (K, name) in enumerate(names.items()):
        line = shown[shown["K"] == K]
        curve(ax, line["t"], line["gap"], **_look(i, name))
    t = np.unique(shown["t"])
    theory(ax, t, [uniform_reward_gap(int(s)) for s in t], label="laws")
    late = t[t >= 8]
    for K in (2, 4):
        theory(ax, late, K / (K - 1) / late, label="_law")
    ax.set(xscale="log", yscale="log", xlabel="generation $t$ (1)")
    ax.set_ylabel(r"gap $r_*-E r$ (nat)")
    ax.legend()


@figure(
    f"{TOPIC}/finite-training-sets",
    paper=PAPER,
    experiments=[f"{TOPIC}/particles", f"{TOPIC}/fitted-models", f"{TOPIC}/plane"],
    at={
        f"{TOPIC}/particles": dict(n=[250, 1000, 4000], lam="infinity", generations=8, runs=4),
        f"{TOPIC}/fitted-models": dict(lam="infinity"),
        f"{TOPIC}/plane": dict(target="ring", K=4, lam="infinity"),
    },
    title="Finite training sets stray from the exact map",
    caption=r"Curated samples alone, $K=4$; means and 95% intervals. Left: total variation between "
    r"training sets of $n$ and the exact model on 20 atoms; dashed: the first-order law. The drift "
    r"grows while several atoms compete and fades once one has won. Right: mean reward on the ring "
    "for two kinds of fitted models; dashed: the exact map. A model that learns by heart is close; "
    "a kernel density estimate spreads out again in every generation and loses reward.",
    reproduces="Not in the paper: what limited data and models change",
)
def finite_training_sets(tables):
    """Drift on atoms and reward of fitted models."""
    rows = tables[f"{TOPIC}/particles"]
    rows = rows.assign(size=rows["n"], law=rows["distance"] / rows["ratio"])
    points = summarise(rows, ["size", "generation"], "distance")
    law = rows.groupby(["size", "generation"], as_index=False)["law"].mean()
    fig, axes = subplots(1, 2, width="double")
    for i, (n, line) in enumerate(points.groupby("size")):
        look = _look(i, f"$n={n}$")
        curve(axes[0, 0], line["generation"], line["centre"], line["low"], line["high"], **look)
        at = law[law["size"] == n]
        theory(axes[0, 0], at["generation"], at["law"], label="law" if i == 2 else "_law")
    axes[0, 0].set(xlabel="generation (1)", ylabel="total variation (1)", ylim=(0, 0.25))
    axes[0, 0].legend(loc="upper right", ncols=2)
    models = tables[f"{TOPIC}/fitted-models"].rename(columns={"n": "size"})
    fitted = summarise(models, ["model", "size", "generation"], "reward")
    for i, ((model, n), line) in enumerate(fitted.groupby(["model", "size"])):
        look = _look(i, f"{model}, $n={n}$")
        curve(axes[0, 1], line["generation"], line["centre"], line["low"], line["high"], **look)
    exact = tables[f"{TOPIC}/plane"].sort_values("generation")
    exact = exact[exact["generation"] <= fitted["generation"].max()]
    theory(axes[0, 1], exact["generation"], exact["reward"], label="exact map")
    axes[0, 1].set(xlabel="generation (1)", ylabel="mean reward (nat)")
    axes[0, 1].set(xlim=(1.8, 12.2), ylim=(-0.5, 0.02))
    axes[0, 1].legend(loc="lower right")
    return fig, pd.concat([points, fitted])
