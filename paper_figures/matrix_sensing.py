"""Figures of matrix sensing: how over-parameterisation slows descent down, and what cures it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from theorytk.matrix_sensing.theory import symmetric_asymptote
from theorytk.reporting import curve, figure, subplots, summarise, theory

PAPER = "xiong2024"
ERROR = r"$\Vert E_T\Vert_F$ (1)"
ITERATION = "iteration $T$ (1)"
ALPHAS = (0.15, 0.25, 0.4, 0.55, 0.7, 0.85, 1, 1.3, 1.7)
OWN = "our own parameters; those of the printed figure are not all known to us"
SETTING = (
    r"$n=50$, $r=3$, $\sigma=(1,\,0.75,\,0.5)$, $\eta=0.1$, infinitely many measurements; "
    "geometric mean and 95% interval over replicates."
)


def _trajectories(table, by, column="error", floor=1e-13):
    """Return geometric means with 95% intervals, up to where a replicate reaches rounding."""
    keys = [*by, "iteration"]
    lowest = table.groupby(keys)[column].transform("min")
    seen = table[(lowest > floor) & (table["iteration"] > 0)]
    return summarise(seen, keys, column, logarithm=True)


def _lines(ax, points, by, label, x="iteration", first=0):
    """Draw a line with its band for each level of `by`; `first` is its place in the palette."""
    for i, (level, line) in enumerate(points.groupby(by)):
        look = dict(color=f"C{first + i}", marker="os^Dv<>p"[first + i])
        curve(ax, line[x], line["centre"], line["low"], line["high"], label=label(level), **look)


@figure(
    "matrix-sensing/symmetric-rates",
    paper=PAPER,
    experiments=["matrix-sensing/symmetric-gd"],
    title="Symmetric descent: linear when exact, 1/T when over-parameterised",
    caption=rf"Symmetric gradient descent, $\alpha=0.1$, {SETTING} Left: with $k=r=3$ columns the "
    r"error falls to rounding, with $k>r$ only as $1/T$. Right: $1/\Vert E_T\Vert_F$ of the same "
    r"runs grows along straight lines of slope $2\eta/\sqrt{k-r}$ (dashed), the sharp constant.",
    reproduces=f"Figure 1 (re-created: {OWN})",
)
def symmetric_rates(tables):
    """Errors against T, and their reciprocals against the sharp law."""
    rows = tables["matrix-sensing/symmetric-gd"]
    points = _trajectories(rows[rows["alpha"] == 0.1], ["k"])
    fig, axes = subplots(1, 2, width="double")
    _lines(axes[0, 0], points, "k", "$k={:.0f}$".format)
    axes[0, 0].set(xscale="log", yscale="log", xlabel=ITERATION, ylabel=ERROR)
    axes[0, 0].legend()
    slow = points[points["k"] > 3]
    inverse = slow.assign(centre=1 / slow["centre"], low=1 / slow["high"], high=1 / slow["low"])
    _lines(axes[0, 1], inverse, "k", "$k={:.0f}$".format, first=1)
    for k, line in inverse.groupby("k"):
        t = line["iteration"]
        slope = 1 / symmetric_asymptote(50, 3, int(k), 1, step_size=rows["step_size"].iloc[0])
        theory(axes[0, 1], t, line["centre"].iloc[-1] + slope * (t - t.iloc[-1]), label="_law")
    axes[0, 1].set(xlabel=ITERATION, ylabel=r"$1/\Vert E_T\Vert_F$ (1)")
    return fig, points


@figure(
    "matrix-sensing/asymmetric-rates",
    paper=PAPER,
    experiments=["matrix-sensing/asymmetric-gd"],
    title="Asymmetric descent is linear, at a rate set by the initial scale",
    caption=rf"Over-parameterised descent, $k=5$, {SETTING} Left, $\alpha=0.3$: from equal factors "
    r"descent is the symmetric one and sublinear; from independent factors, $G_0$ at a third of "
    r"the scale of $F_0$, it is linear. Right: the smaller $\alpha$, the slower, as $\alpha^2$.",
    reproduces=f"Figure 2 (re-created: {OWN})",
)
def asymmetric_rates(tables):
    """Equal against independent factors, and several initial scales."""
    rows = tables["matrix-sensing/asymmetric-gd"]
    fig, axes = subplots(1, 2, width="double")
    both = _trajectories(rows[(rows["alpha"] == 0.3) & (rows["iteration"] <= 6000)], ["start"])
    names = {"equal": "$G_0=F_0$ (symmetric)", "independent": "$G_0$ independent (asymmetric)"}
    _lines(axes[0, 0], both, "start", names.get)
    independent = rows["start"] == "independent"
    chosen = rows[independent & rows["alpha"].isin([0.05, 0.1, 0.25, 0.5])]
    scales = _trajectories(chosen, ["alpha"])
    _lines(axes[0, 1], scales, "alpha", r"$\alpha={:g}$".format, first=2)
    axes[0, 1].set_xscale("log")
    for ax in axes[0]:
        ax.set(yscale="log", xlabel=ITERATION, ylabel=ERROR)
        ax.legend()
    return fig, scales.merge(both, how="outer")


@figure(
    "matrix-sensing/collapse",
    paper=PAPER,
    experiments=["matrix-sensing/asymmetric-gd"],
    title=r"One curve for every small initial scale",
    caption=rf"Error of asymmetric over symmetric descent from the same $F_0$, $k=5$, {SETTING} "
    r"Against $\eta\alpha^2T$ the curves of all small $\alpha$ coincide: the imbalance acts on "
    r"the time scale $1/(\eta\alpha^2)$ and on no other.",
    reproduces="Not in the paper: the scaling behind its Theorem 4.2",
)
def collapse(tables):
    """Ratios of paired errors against the scaled time."""
    rows = tables["matrix-sensing/asymmetric-gd"]
    rows = rows[rows["alpha"] <= 0.25]
    keys = ["alpha", "replicate", "iteration"]
    wide = rows.pivot(index=keys, columns="start", values="error").reset_index()
    wide["ratio"] = wide["independent"] / wide["equal"]
    points = _trajectories(wide, ["alpha"], "ratio", floor=1e-9)
    points["time"] = rows["step_size"].iloc[0] * points["alpha"] ** 2 * points["iteration"]
    fig, axes = subplots()
    _lines(axes[0, 0], points, "alpha", r"$\alpha={:g}$".format, x="time")
    ylabel = r"$\Vert E\Vert_F$ asymmetric / symmetric (1)"
    axes[0, 0].set(xlabel=r"$\eta\alpha^2T$ (1)", ylabel=ylabel, yscale="log")
    axes[0, 0].legend()
    return fig, points


def _rates(ax, points, by, label, ticks):
    """Draw rates with their intervals against alpha on logarithmic axes."""
    _lines(ax, points, by, label, x="alpha")
    ax.set(xscale="log", yscale="log", xlabel=r"initial scale $\alpha$ (1)")
    ax.set_ylabel("rate of $\\Vert E_t\\Vert_F$ (1/iteration)")
    ax.set_xticks(ticks, labels=[f"{alpha:g}" for alpha in ticks])
    ax.xaxis.minorticks_off()


@figure(
    "matrix-sensing/rate-against-alpha",
    paper=PAPER,
    experiments=["matrix-sensing/asymmetric-rate"],
    at={"matrix-sensing/asymmetric-rate": dict(k=5, alpha=list(ALPHAS), steps=6000)},
    title=r"The rate grows as $\alpha^2$, peaks and falls",
    caption=rf"Tail rate of asymmetric descent, $k=5$, {SETTING} Dashed: the law of the small "
    r"scale, known before the descent from $F_0$ and $G_0$. Beyond the peak the smallest singular "
    r"value of $G_\infty$ takes over and a larger start is slower.",
    reproduces="Not in the paper: how far its Theorem 4.2, rate of order alpha^2, reaches",
)
def rate_against_alpha(tables):
    """Measured rates and the law of the small scale."""
    rows = tables["matrix-sensing/asymmetric-rate"]
    points = summarise(rows, ["k", "alpha"], "rate", logarithm=True)
    law = summarise(rows, ["k", "alpha"], "initial_law", logarithm=True)
    fig, axes = subplots()
    _rates(axes[0, 0], points, "k", "measured".format, ticks=(0.15, 0.25, 0.4, 0.7, 1, 1.7))
    small = law[law["alpha"] <= 0.8]
    theory(axes[0, 0], small["alpha"], small["centre"], label=r"law as $\alpha\to0$")
    axes[0, 0].legend()
    return fig, points.merge(law, on=["k", "alpha"], suffixes=("", "_law"))


@figure(
    "matrix-sensing/one-step",
    paper=PAPER,
    experiments=["matrix-sensing/one-step-rate"],
    at={
        "matrix-sensing/one-step-rate": dict(
            alpha=[0.1, 0.2, 0.4], refactor=["one-step", "none", "balanced"], steps=8000
        )
    },
    title="One rescaled step makes the rate free of the initial scale",
    caption=rf"Tail rate after the error has fallen below $0.01\,\sigma_r$, $k=5$, {SETTING} The "
    r"one-step method keeps the product $FG^\top$ and makes $F^\top F=\beta^2I$, "
    r"$\beta^2=\sigma_r$; dashed its law. Left alone, descent goes on at a rate of order "
    r"$\alpha^2$; balanced factors, the opposite choice, lose the linear rate.",
    reproduces=f"Figure 3 (re-created: {OWN})",
)
def one_step(tables):
    """Rates after the switch against the initial scale."""
    rows = tables["matrix-sensing/one-step-rate"]
    points = summarise(rows, ["refactor", "alpha"], "rate", logarithm=True)
    fig, axes = subplots()
    names = {"one-step": "one step", "none": "left alone", "balanced": "balanced"}
    alpha = np.sort(rows["alpha"].unique())
    _rates(axes[0, 0], points, "refactor", names.get, ticks=alpha)
    theory(axes[0, 0], alpha, np.full(len(alpha), rows["law"].iloc[0]), label="its law")
    axes[0, 0].legend(loc=(0.03, 0.55))
    return fig, points


@figure(
    "matrix-sensing/measurements",
    paper=PAPER,
    experiments=["matrix-sensing/measured-gd", "matrix-sensing/recovery"],
    at={
        "matrix-sensing/measured-gd": dict(oversampling=[3, 4, 6, 9]),
        "matrix-sensing/recovery": dict(oversampling=[0.4, 0.6, 0.8, 1, 1.3, 1.8, 2.5]),
    },
    title="What finitely many measurements cost",
    caption=r"Gaussian measurements, $m$ in units of the degrees of freedom $d$. Left, $n=12$, "
    r"$r=2$, $k=3$: the rate over that of infinitely many measurements at the same limit; mean "
    r"and 95% interval over replicates, and the random-matrix prediction (dashed). Right, $n=10$, "
    r"$r=1$, $k=3$: error after 2000 iterations, geometric mean and 95% interval. Below $m=d$ "
    "descent interpolates the data and does not recover the matrix.",
    reproduces="Not in the paper: the role of its restricted isometry constant",
)
def measurements(tables):
    """Slow-down and recovery against the number of measurements."""
    rows = tables["matrix-sensing/measured-gd"]
    rows = rows.assign(ratio=rows["rate"] / rows["population_law"])
    slow = summarise(rows, ["k", "oversampling"], "ratio")
    fig, axes = subplots(1, 2, width="double")
    _lines(axes[0, 0], slow, "k", "measured".format, x="oversampling")
    law = rows.groupby("oversampling")["slowdown"].first()
    theory(axes[0, 0], law.index, law, label="random-matrix law")
    axes[0, 0].set(xlabel="measurements $m/d$ (1)", ylabel="rate / population rate (1)")
    axes[0, 0].legend()
    errors = tables["matrix-sensing/recovery"]
    parts = [
        summarise(
            errors.assign(**{c: errors[c].clip(1e-16)}), ["oversampling"], c, logarithm=True
        ).assign(part=c)
        for c in ("test_error", "training_error")
    ]
    both = pd.concat(parts)
    names = {"test_error": r"$\Vert FG^\top-M\Vert_F$", "training_error": r"$\Vert y-\hat y\Vert$"}
    _lines(axes[0, 1], both, "part", names.get, x="oversampling", first=1)
    axes[0, 1].set(yscale="log", xlabel="measurements $m/d$ (1)", ylabel="error (1)")
    axes[0, 1].legend()
    return fig, pd.concat([slow.assign(part="rate over population rate"), both])


@figure(
    "matrix-sensing/symmetric-measurements",
    paper=PAPER,
    experiments=["matrix-sensing/symmetric-measurements"],
    at={"matrix-sensing/symmetric-measurements": dict(ensemble=["symmetric", "plain"])},
    title="The trap: symmetric measurements undo the asymmetric speed-up",
    caption=r"Asymmetric descent, $n=12$, $r=2$, $k=4$, $m=3000$ Gaussian measurements; geometric "
    r"mean and 95% interval over replicates. If every $A_i$ is symmetric, the symmetric part of "
    r"the error falls as $1/T$ (dashed) and its skew part, which the data do not see, stays. "
    "With plain measurements the symmetric part falls linearly; the line ends where the first "
    "replicate comes near rounding.",
    reproduces="Not in the paper: a limit of its message, derived here",
)
def symmetric_measurements(tables):
    """Both parts of the error, for symmetric and for plain measurements."""
    rows = tables["matrix-sensing/symmetric-measurements"]
    fig, axes = subplots()
    drawn = []
    looks = [("symmetric", "symmetric_error"), ("symmetric", "skew_error")]
    for i, (ensemble, column) in enumerate([*looks, ("plain", "symmetric_error")]):
        points = _trajectories(rows[rows["ensemble"] == ensemble], ["ensemble"], column)
        name = f"{column.removesuffix('_error')} part, {ensemble} $A_i$"
        _lines(axes[0, 0], points, "ensemble", name.format, first=i)
        drawn.append(points.assign(part=column))
    late = drawn[0][drawn[0]["iteration"] > 100]
    last = late.iloc[-1]
    law = last["centre"] * last["iteration"] / late["iteration"]
    theory(axes[0, 0], late["iteration"], law, label="$1/T$")
    axes[0, 0].set(xscale="log", yscale="log", xlabel=ITERATION, ylabel="error (1)")
    axes[0, 0].legend(loc="lower left", fontsize="x-small")
    return fig, pd.concat(drawn)
