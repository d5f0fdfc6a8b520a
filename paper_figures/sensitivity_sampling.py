"""Figures of sensitivity sampling: what oversampling buys, and what plain sensitivities miss."""

from __future__ import annotations

import numpy as np

from theorytk.reporting import curve, figure, subplots, summarise, theory
from theorytk.sensitivity.matrix_laws import flat_block_total_limit
from theorytk.sensitivity.sampling_laws import root_leverage_limit, root_leverage_next

PAPER = "woodruff2023"
MARKERS = "os^Dv"


def _line(ax, points, x, label, place):
    """Draw a line with its band, in the look of its place in the palette."""
    look = dict(color=f"C{place}", marker=MARKERS[place])
    curve(ax, points[x], points["centre"], points["low"], points["high"], label=label, **look)


@figure(
    "sensitivity-sampling/distortion-against-oversampling",
    paper=PAPER,
    experiments=["sensitivity-sampling/distortion-against-oversampling"],
    at={
        "sensitivity-sampling/distortion-against-oversampling": dict(
            oversampling=(25, 50, 100, 200, 400),
            sampler=["independent", "with-replacement", "unweighted"],
        )
    },
    title=r"Distortion falls as $\alpha^{-1/2}$",
    caption=r"Exact distortion of heavy-tailed rows in the plane, $p=1$, kept with probability "
    r"$\min(1,\alpha\sigma_i)$; geometric mean and 95% interval over replicates. Dashed: "
    r"$\alpha^{-1/2}$, through the middle point. As many rows drawn with replacement are never "
    "too few or too many and distort less; rows left without weights do not keep the norm at all.",
    reproduces=r"Not in the paper, which has no experiments: its $1/\varepsilon^2$",
)
def distortion_against_oversampling(tables):
    """Distortion against oversampling, for samplers right and wrong."""
    rows = tables["sensitivity-sampling/distortion-against-oversampling"]
    points = summarise(rows, ["sampler", "alpha"], "distortion", logarithm=True)
    fig, axes = subplots()
    names = {
        "independent": "independent",
        "with-replacement": "with replacement",
        "unweighted": "without weights",
    }
    for i, (sampler, name) in enumerate(names.items()):
        _line(axes[0, 0], points[points["sampler"] == sampler], "alpha", name, i)
    line = points[points["sampler"] == "independent"].set_index("alpha")["centre"]
    middle = line.index[len(line) // 2]
    law = line[middle] * np.sqrt(middle / line.index.to_numpy())
    theory(axes[0, 0], line.index, law, label=r"$\alpha^{-1/2}$")
    axes[0, 0].set(xscale="log", yscale="log", ylabel=r"distortion $\hat\varepsilon$ (1)")
    axes[0, 0].set_xlabel(r"oversampling $\alpha$ (1)")
    axes[0, 0].set_xticks(line.index, labels=line.index)
    axes[0, 0].minorticks_off()
    axes[0, 0].legend(loc=(0.5, 0.55))
    return fig, points


@figure(
    "sensitivity-sampling/plain-against-augmented",
    paper=PAPER,
    experiments=["sensitivity-sampling/rank-threshold"],
    at={"sensitivity-sampling/rank-threshold": dict(d=[8, 16, 32, 64], augmented=[0, 1], draws=1)},
    title="Plain sensitivities oversample the hard instance, augmented ones do not",
    caption=r"blockdiag(flat block, stacked identity), $p=1$: least oversampling with which the "
    "flat block keeps its rank (left), and the expected rows of the whole sample then (right); "
    "geometric mean and 95% interval over replicates. Dashed: the laws for plain sensitivities, "
    r"$d\,/\,\mathfrak S(F)$ and this times $\mathfrak S(F)+d$, of order $\sqrt d$ and $d^{3/2}$. "
    r"With leverage scores added the rows are of order $d$.",
    reproduces="Not in the paper: the lower bound that its version 2 quotes, on our instance",
)
def plain_against_augmented(tables):
    """Oversampling and rows at the rank threshold, against d."""
    rows = tables["sensitivity-sampling/rank-threshold"]
    fig, axes = subplots(1, 2, width="double")
    drawn, d = [], np.sort(rows["d"].unique())
    for ax, column in zip(axes[0], ("oversampling", "rows"), strict=True):
        points = summarise(rows, ["augmented", "d"], column, logarithm=True)
        for i, name in enumerate(("sensitivities", "with leverage scores")):
            _line(ax, points[points["augmented"] == i], "d", name, i)
        drawn.append(points.assign(quantity=column))
        ax.set(xscale="log", yscale="log", xlabel="columns $d$ of the flat block (1)")
        ax.set_xticks(d, labels=d)
        ax.minorticks_off()
    total = np.array([flat_block_total_limit(k, 1) for k in d])
    theory(axes[0, 0], d, d / total, label="law")
    theory(axes[0, 1], d, d / total * (total + d), label="law")
    for ax, label, ticks in (
        (axes[0, 0], r"least oversampling $\alpha$ (1)", (1, 2, 4)),
        (axes[0, 1], "expected rows (1)", (20, 50, 100, 200, 500)),
    ):
        ax.set_ylabel(label)
        ax.set_yticks(ticks, labels=ticks)
    axes[0, 0].legend()
    return fig, drawn[0].merge(drawn[1], how="outer")


ROUNDS = "sensitivity-sampling/root-leverage-rounds"


@figure(
    "sensitivity-sampling/root-leverage",
    paper=PAPER,
    experiments=[ROUNDS],
    at={ROUNDS: dict(relative_limit=[8, 32, 125])},
    title="Root leverage scores, round by round, and where they end",
    caption=r"Rows left of a flat matrix of $2^{14}$ rows (quick preset) and $d=8$ columns. Left: "
    r"round by round, the limit $\alpha^{2/p}d$ (dotted) set to $125\,d$ for both $p$; dashed: "
    r"$n\mapsto\alpha n^{1-p/2}d^{p/2}$. Right: rows left when a round changes them by less than "
    r"5%, against the limit; dashed: equality. With few rows the scores of a sample differ, and "
    r"fewer are left. Geometric mean and 95% interval over replicates.",
    reproduces="Not in the paper: the recursion behind its root leverage scores, and its limit",
)
def root_leverage(tables):
    """Rows against rounds with the recursion, and rows in the end against the limit."""
    rows = tables[ROUNDS]
    d, last = int(rows["d"].iloc[0]), rows["relative_limit"].max()
    points = summarise(rows, ["p", "relative_limit", "round"], "rows", logarithm=True)
    final = rows.sort_values("round").groupby(["p", "relative_limit", "replicate"]).last()
    ends = summarise(final.reset_index(), ["p", "relative_limit"], "rows", logarithm=True)
    fig, axes = subplots(1, 2, width="double")
    for i, p in enumerate(sorted(rows["p"].unique())):
        line = points[(points["p"] == p) & (points["relative_limit"] == last)]
        _line(axes[0, 0], line, "round", f"$p={p:g}$", i)
        alpha, law = last ** (p / 2), [line["centre"].iloc[0]]
        while len(law) < len(line):
            law.append(root_leverage_next(law[-1], d, p, alpha))
        theory(axes[0, 0], line["round"], law, label="recursion" if i == 0 else "_law")
        end = ends[ends["p"] == p].assign(limit=lambda e: e["relative_limit"] * d)
        _line(axes[0, 1], end, "limit", f"$p={p:g}$", i)
    axes[0, 0].axhline(root_leverage_limit(d, 1, last**0.5), color="0.5", linestyle=":")
    axes[0, 0].set(yscale="log", xlabel="rounds (1)", ylabel="rows left (1)")
    axes[0, 0].legend()
    limits = d * np.sort(rows["relative_limit"].unique())
    theory(axes[0, 1], limits, limits, label="limit")
    axes[0, 1].set(xscale="log", yscale="log", ylabel="rows left in the end (1)")
    axes[0, 1].set_xlabel(r"limit $\alpha^{2/p}d$ (1)")
    for axis in (axes[0, 1].xaxis, axes[0, 1].yaxis):
        axis.set_ticks(limits, labels=limits)
    axes[0, 1].minorticks_off()
    return fig, points.merge(ends, how="outer")
