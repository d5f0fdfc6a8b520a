"""Figures of samplers with noise: weak orders, levels of denoising chains, what chains save."""

from __future__ import annotations

import numpy as np

from theorytk.reporting import curve, figure, subplots, summarise, theory

MRS, DLG = "li2025mrs", "kim2023dmcmc"
MARKERS = "os^Dv"
WEAK, FLOW = (f"sampler-stability/mr-{n}-errors" for n in ("weak", "flow"))
CHAINS, SAVED = (f"sampler-stability/dlg-{n}" for n in ("chains", "efficiency"))
STOCHASTIC = {
    "sde_dpmpp-1": "order 1, data",
    "sde_dpmpp-2": "order 2, data",
    "sde_dpm-2": "order 2, noise",
    "sde_dpmpp-3": "three outputs, data",
}
FLOWS = {
    "dpmpp_2m taylor": "order 2",
    "dpmpp_3m published": "order 3, released",
    "dpmpp_3m": "order 3, consistent",
}


def _refined(rows, coarsest, names):
    """Return geometric means of the errors by solver and number of steps."""
    columns = [name for name in rows if name.startswith("error_")]
    long = rows.melt(["algorithm"], columns, "level", "error")
    long["n_steps"] = coarsest * 2 ** long["level"].str[-1].astype(int)
    points = summarise(long, ["algorithm", "n_steps"], "error", logarithm=True)
    points["solver"] = points["algorithm"].map(names)
    return points[["solver", "n_steps", "centre", "low", "high"]]


def _draw(ax, points, slopes, names):
    """Draw errors against steps with lines of whole slopes."""
    for i, name in enumerate(names.values()):
        line = points[points["solver"] == name]
        look = dict(color=f"C{i}", marker=MARKERS[i])
        curve(ax, line["n_steps"], line["centre"], line["low"], line["high"], label=name, **look)
    steps = np.sort(points["n_steps"].unique())
    top = points["centre"].max()
    told = "slopes " + ", ".join(f"$-{slope}$" for slope in slopes)
    for i, slope in enumerate(slopes):
        law = 1.6 * top * (steps / steps[0]) ** -float(slope)
        theory(ax, steps, law, label=told if i == 0 else "_" + told)
    ax.set(xscale="log", yscale="log", xlabel="steps (1)")
    ax.set_xticks(steps, labels=steps)
    ax.minorticks_off()


@figure(
    "sampler-stability/weak-orders",
    paper=MRS,
    experiments=[WEAK, FLOW],
    at={
        WEAK: dict(algorithm=list(STOCHASTIC), part="whole"),
        FLOW: dict(algorithm=list(FLOWS)),
    },
    title="Orders of the MR solvers: of the SDE at most 2, of the ODE 3",
    caption="Left: relative error of the variance of Gaussian data, exact, of SDE solvers; three "
    "outputs have a smaller constant than two, and the same order. Right: root mean square error "
    "of ODE solvers on a mixture; the released third order has order 2. Geometric mean and 95% "
    "interval over laws of the data and over groups of starting points; dashed: whole slopes.",
    reproduces="Not in the paper: its orders, without images",
)
def weak_orders(tables):
    """Errors of the solvers of the SDE and of the ODE against the steps."""
    fig, axes = subplots(1, 2, width="double")
    left = _refined(tables[WEAK], 32, STOCHASTIC)
    right = _refined(tables[FLOW], 16, FLOWS)
    _draw(axes[0, 0], left, (1, 2), STOCHASTIC)
    _draw(axes[0, 1], right, (2, 3), FLOWS)
    axes[0, 0].set_ylabel("relative error of the variance (1)")
    axes[0, 1].set_ylabel("root mean square error (1)")
    axes[0, 0].set_ylim(bottom=2e-6)
    axes[0, 1].set_ylim(bottom=2e-8)
    axes[0, 0].legend(loc="lower left")
    axes[0, 1].legend(loc="lower left")
    return fig, left.assign(panel="SDE").merge(right.assign(panel="ODE"), how="outer")


KERNELS = {"exact": "exact", "mala 0.5": "MALA", "ula 1": "unadjusted Langevin"}


@figure(
    "sampler-stability/level-marginals",
    paper=DLG,
    experiments=[CHAINS],
    at={CHAINS: dict(kernel=list(KERNELS), rule=["draw", "argmax"])},
    title="Gibbs with drawn levels keeps their prior",
    caption="Distribution of the level's place among 60 geometric levels after 20 sweeps from the "
    "exact law, 800 chains a replicate. Dashed: the prior. Left: levels drawn from their "
    "posterior; unadjusted Langevin steps shift them. Right: the mode of the posterior instead, "
    "as released.",
    reproduces="Not in the paper: a test of its stationarity on mixtures",
)
def level_marginals(tables):
    """Histograms of the levels per kernel and rule."""
    rows = tables[CHAINS]
    fig, axes = subplots(1, 2, width="double")
    edges, drawn = np.linspace(0, 1, 21), []
    for ax, rule in zip(axes[0], ("draw", "argmax"), strict=True):
        for i, (kernel, name) in enumerate(KERNELS.items()):
            chosen = rows[(rows["kernel"] == kernel) & (rows["rule"] == rule)]
            density, _ = np.histogram(chosen["place"], edges, density=True)
            ax.stairs(density, edges, color=f"C{i}", label=name)
            drawn += [
                dict(rule=rule, kernel=name, place=p, density=v)
                for p, v in zip((edges[1:] + edges[:-1]) / 2, density, strict=True)
            ]
        theory(ax, [0, 1], [1, 1], label="prior")
        ax.set_xlabel(r"place of $\sigma$ among its levels (1)")
        ax.set_ylabel(f"density, level by {rule} (1)")
    axes[0, 1].set_yscale("symlog", linthresh=1)
    axes[0, 0].set_ylim(0, 2)
    axes[0, 0].legend()
    return fig, type(rows)(drawn)


@figure(
    "sampler-stability/chain-efficiency",
    paper=DLG,
    experiments=[SAVED],
    at={SAVED: dict(n_evaluations=[7, 9, 11, 13, 17], start="chain")},
    title="Chains help where evaluations are few",
    caption="Squared maximum mean discrepancy from the data (bandwidth 1) of draws denoised by "
    "Heun's method from pure noise and from denoising chains, at equal evaluations of the score "
    "for each draw: four of the chains' are their two sweeps of MALA. Mean and 95% interval over "
    "replicates. The gain is large below ten evaluations and small above.",
    reproduces="Like the paper's comparisons of samplers at few evaluations, without FID",
)
def chain_efficiency(tables):
    """Discrepancies against evaluations."""
    rows, drawn = tables[SAVED], []
    fig, axes = subplots()
    for i, (column, name) in enumerate((("noise", "from pure noise"), ("ours", "from chains"))):
        points = summarise(rows, ["n_evaluations"], column)
        look = dict(color=f"C{i}", marker=MARKERS[i], label=name)
        curve(
            axes[0, 0],
            points["n_evaluations"],
            points["centre"],
            points["low"],
            points["high"],
            **look,
        )
        drawn.append(points.assign(start=name))
    axes[0, 0].set_yscale("log")
    axes[0, 0].set_xlabel("evaluations of the score per draw (1)")
    axes[0, 0].set_ylabel(r"squared discrepancy $\mathrm{MMD}^2$ (1)")
    axes[0, 0].legend()
    return fig, drawn[0].merge(drawn[1], how="outer")
