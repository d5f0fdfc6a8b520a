"""Figures of diffusion samplers: error against steps of all families, and the released 3M."""

from __future__ import annotations

import numpy as np
import pandas as pd

from theorytk.reporting import curve, figure, subplots, theory

TOPIC = "diffusion-samplers"
LEVELS = 4
SPAN = dict(lam_start=-3.0)
FAMILIES = {
    f"{TOPIC}/dpm-orders": {
        "ddim": "DDIM",
        "dpm_2s": "DPM-Solver-2",
        "dpm_3s": "DPM-Solver-3",
    },
    f"{TOPIC}/dpmpp-orders": {"dpmpp_2s": "++(2S)", "dpmpp_2m": "++(2M)", "dpmpp_3s": "++(3S)"},
    f"{TOPIC}/runge-kutta-orders": {
        "heun": "Heun",
        "deis_rhork_kutta3": "Kutta",
        "deis_rhork_rk4": "Runge-Kutta 4",
    },
    f"{TOPIC}/deis-orders": {
        "deis_tab1": "tAB1",
        "deis_tab2": "tAB2",
        "deis_tab3": "tAB3",
        "ipndm": "iPNDM",
    },
    f"{TOPIC}/unipc-orders": {
        "unip-2": "UniP-2",
        "unipc-2": "UniPC-2",
        "unip-3": "UniP-3",
        "unipc-3": "UniPC-3",
    },
    f"{TOPIC}/third-order-multistep": {
        "dpmpp_3m published": "released",
        "dpmpp_3m": "consistent",
    },
}
PANELS = (
    "Singlestep (noise)",
    "DPM-Solver++",
    r"Runge-Kutta in $\rho$",
    "DEIS and iPNDM",
    "UniP and UniPC",
    "Multistep of order 3",
)
CALLS = {"dpm_2s": 2, "dpm_3s": 3, "dpmpp_2s": 2, "dpmpp_3s": 3, "heun": 2}
CALLS |= {"deis_rhork_kutta3": 3, "deis_rhork_rk4": 4}


def errors_by_evaluations(rows):
    """Return the geometric mean error on each grid, against the evaluations that it takes."""
    points = []
    for algorithm, group in rows.groupby("algorithm", sort=False):
        for k in range(LEVELS):
            steps = group["coarsest"].iloc[0] * 2**k
            error = np.exp(np.log(group[f"error_{k}"]).mean())
            points.append((algorithm, steps, steps * CALLS.get(algorithm, 1), error))
    return pd.DataFrame(points, columns=["algorithm", "steps", "evaluations", "error"])


def draw_orders(ax, points, names):
    """Draw the errors of one family, and slopes of the orders that they end in."""
    for i, (algorithm, name) in enumerate(names.items()):
        line = points[points["algorithm"] == algorithm]
        look = dict(color=f"C{i}", marker="os^D"[i], label=name)
        curve(ax, line["evaluations"], line["error"], **look)
    ax.set(xscale="log", yscale="log", ylim=(3e-12, 0.1))


def draw_slopes(ax, points):
    """Draw lines of slopes -1 to -4 through the largest error of the fewest evaluations."""
    n = np.array([points["evaluations"].min(), points["evaluations"].max()])
    top = points["error"].max()
    for order in (1, 2, 3, 4):
        label = "orders 1 to 4" if order == 1 else "_"
        theory(ax, n, top * (n / n[0]) ** -float(order), label=label)


@figure(
    "diffusion-samplers/orders",
    paper="lu2022dpm",
    experiments=list(FAMILIES),
    at={name: dict(algorithm=list(names), **SPAN) for name, names in FAMILIES.items()},
    title="Error against evaluations: the orders of all families",
    caption=r"Geometric mean over groups of 24 starting points of the root mean square error at "
    r"the end of grids uniform in $\lambda$ from $-3$ to 0, for a mixture of three Gaussians with "
    r"exact score; multistep methods start from exact states. Dashed: slopes of orders 1 to 4. "
    r"iPNDM and the released third-order multistep solver end at order 2.",
    reproduces="ours; the papers show FID over evaluations, for image models",
)
def orders(tables):
    """Six panels, one per family."""
    fig, axes = subplots(2, 3, width="double", height=4.4, sharex=True, sharey=True)
    drawn = []
    for ax, panel, (name, names) in zip(axes.flat, PANELS, FAMILIES.items(), strict=True):
        points = errors_by_evaluations(tables[name])
        draw_slopes(ax, points)
        draw_orders(ax, points, names)
        ax.set_title(panel)
        ax.legend(loc="lower left", fontsize="x-small")
        drawn.append(points.assign(family=panel))
    for ax in axes[1]:
        ax.set_xlabel("evaluations of the model (1)")
    for ax in axes[:, 0]:
        ax.set_ylabel("error (1)")
    return fig, pd.concat(drawn)
