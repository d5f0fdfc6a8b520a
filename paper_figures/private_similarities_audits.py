"""Figures of private similarities: sums of kernels, and what audits see."""

from __future__ import annotations

import numpy as np

from theorytk.privacy.audit_theory import laplace_certified
from theorytk.privacy.dimension_reduction import mapped_kernel_error
from theorytk.privacy.exponential_sums import exponential_sum_rate
from theorytk.privacy.kernel_theory import gaussian_feature_noise, laplace_feature_noise
from theorytk.reporting import curve, figure, subplots, summarise, theory

PAPER = "backurs2024similarities"
COUNT = "private-similarities/audited-count"
BITS = "private-similarities/finest-bits"
FEATURES = "private-similarities/error-against-features"
SUMS = "private-similarities/exponential-sums"
MAPPED = "private-similarities/mapped-kernels"
MARKERS = "os^Dv"


def _lines(ax, points, by, x, names):
    """Draw one line with its band per level of a factor."""
    for i, (level, name) in enumerate(names.items()):
        p = points[points[by] == level].sort_values(x)
        look = dict(color=f"C{i}", marker=MARKERS[i], label=name)
        curve(ax, p[x], p["centre"], p["low"], p["high"], **look)


@figure(
    "private-similarities/audit-power",
    paper=PAPER,
    experiments=[COUNT],
    at={
        COUNT: dict(
            epsilon=[0.125, 0.25, 0.5, 1, 2, 4],
            confidence=0.999,
            mechanism=["exact", "scale halved"],
        )
    },
    title="An audit certifies most of what is spent, and never more",
    caption=r"Epsilon certified by thresholds from 10,000 releases of a count on either data set, "
    r"at confidence 0.9995, against the $\varepsilon$ claimed; mean and 95% interval over "
    "replicates. Dashed: the certified value at expected counts. Above the dotted line the claim "
    "is refuted: noise of half the scale is, from moderate values on, and right noise is not.",
    reproduces="Not in the paper, which has no audits",
)
def audit_power(tables):
    """Certified against claimed epsilon."""
    rows = tables[COUNT]
    points = summarise(rows, ["mechanism", "epsilon"], "certified")
    fig, axes = subplots()
    ax = axes[0, 0]
    names = {"exact": "right noise", "scale halved": "half the noise"}
    _lines(ax, points, "mechanism", "epsilon", names)
    claimed = np.geomspace(0.125, 4, 60)
    for i, true in enumerate((claimed, 2 * claimed)):
        law = laplace_certified(true, 10_000, confidence=0.9995)
        theory(ax, claimed, law, label=None if i else "law")
    ax.plot(claimed, claimed, color="0.5", linestyle=":", marker="", label="claimed")
    ax.set_xscale("log", base=2)
    ax.set(xlabel=r"claimed $\varepsilon$ (1)", ylabel=r"certified $\varepsilon$ (1)")
    ax.legend()
    return fig, points


@figure(
    "private-similarities/finest-bits",
    paper=PAPER,
    experiments=[BITS],
    title="The last bits tell whether the true value is 0",
    caption=r"Share of releases that are no multiples of $2^{-b}$: a true value of 0 or 1 plus "
    r"Laplace noise of scale 1. Floating-point noise on the value 0 shows bits that sums with 1 "
    r"never have, beyond $b=53$ (dotted); integer noise on a grid of $2^{-32}$ shows none.",
    reproduces="Not in the paper: the effect that Mironov (2012) found",
)
def finest_bits(tables):
    """Share of releases finer than a grid, against its bits."""
    rows = tables[BITS]
    rows = rows.assign(release=rows["noise"] + rows["value"].map(" noise on {}".format))
    points = summarise(rows, ["release", "bits"], "finer")
    fig, axes = subplots()
    ax = axes[0, 0]
    names = {
        "float noise on 0": "float, value 0",
        "float noise on 1": "float, value 1",
        "discrete noise on 0": "grid, value 0",
        "discrete noise on 1": "grid, value 1",
    }
    _lines(ax, points, "release", "bits", names)
    ax.axvline(53, color="0.5", linestyle=":")
    ax.set(xlabel="bits $b$ (1)", ylabel=r"no multiples of $2^{-b}$ (1)", ylim=(-0.04, 1.04))
    ax.legend(loc=(0.26, 0.35))
    return fig, points


@figure(
    "private-similarities/error-against-features",
    paper=PAPER,
    experiments=[FEATURES],
    title="With Gaussian noise more features do no harm",
    caption=r"Root mean square error of Gaussian kernel sums of 500 points in a square of side 2, "
    r"by $I$ random features with Laplace noise ($\varepsilon=1$) and with Gaussian noise "
    r"($\rho=\frac12$); geometric mean and 95% interval over replicates. Dashed: the laws of the "
    r"noise alone, $2\sqrt I/\varepsilon$ and $1/\sqrt{2\rho}$. The two guarantees differ: the "
    "shapes are to be compared, not the heights.",
    reproduces="Not in the paper: its baseline of random features, and our form of it",
)
def error_against_features(tables):
    """Error against the number of features, for both noises."""
    points = summarise(tables[FEATURES], ["kind", "n_features"], "error", logarithm=True)
    fig, axes = subplots()
    ax = axes[0, 0]
    names = {"laplace": "Laplace noise", "gaussian": "Gaussian noise"}
    _lines(ax, points, "kind", "n_features", names)
    count = np.sort(points["n_features"].unique())
    theory(ax, count, [laplace_feature_noise(1.0, int(i)) for i in count], label="noise alone")
    theory(ax, count, np.full(len(count), gaussian_feature_noise(0.5)), label=None)
    ax.set(xscale="log", yscale="log", xlabel="features $I$ (1)")
    ax.set_ylabel("error of a kernel sum (points)")
    ax.legend()
    return fig, points


@figure(
    "private-similarities/exponential-sums",
    paper=PAPER,
    experiments=[SUMS],
    at={SUMS: dict(method=["minimax", "trapezoid", "gauss_laguerre"])},
    title=r"Few exponentials make $1/(1+z)$",
    caption=r"Certified largest error over all $z\ge0$ of a sum of $M$ exponentials for $1/(1+z)$. "
    r"Dashed: $16e^{-\pi\sqrt{2M}}$ (the exponent is a conjecture of Braess and Hackbusch).",
    reproduces="Not in the paper: its Corollary 3.2, with numbers",
)
def exponential_sums(tables):
    """Error against the number of terms, for three methods."""
    rows = tables[SUMS].sort_values("n_terms")[["method", "n_terms", "error"]]
    fig, axes = subplots()
    ax = axes[0, 0]
    names = {"minimax": "best", "trapezoid": "trapezoidal rule", "gauss_laguerre": "Gauss's rule"}
    for i, (method, name) in enumerate(names.items()):
        p = rows[rows["method"] == method]
        curve(ax, p["n_terms"], p["error"], label=name, color=f"C{i}", marker=MARKERS[i])
    terms = np.linspace(3, 12, 50)
    theory(ax, terms, exponential_sum_rate(terms), label=r"$16e^{-\pi\sqrt{2M}}$")
    ax.set(yscale="log", xlabel="exponentials $M$ (1)", ylabel="largest error (1)")
    ax.legend()
    return fig, rows


@figure(
    "private-similarities/mapped-kernels",
    paper=PAPER,
    experiments=[MAPPED],
    at={MAPPED: dict(d=[10, 100], k=[5, 10, 20, 40, 80], linear=["gaussian", "coordinates"])},
    title="A Gaussian map keeps kernels, whatever the dimension",
    caption=r"Root mean square change of $e^{-r^2}$ at $r=1$, nearly the largest, by maps to "
    r"$k$ dimensions, of points in 10 and 100 dimensions that differ along an axis; geometric mean "
    "and 95% interval over replicates. Dashed: the exact law, the same for all dimensions. Random "
    "coordinates in the place of a Gaussian map mostly miss the difference.",
    reproduces="Figure 2 in kind: error against the target dimension, on synthetic points",
)
def mapped_kernels(tables):
    """Change of the Gaussian kernel against the target dimension."""
    rows = tables[MAPPED]
    rows = rows[rows["kernel"] == "gaussian"]
    rows = rows.assign(map=rows["linear"] + rows["d"].map(", d = {}".format))
    points = summarise(rows, ["map", "k"], "rms", logarithm=True)
    fig, axes = subplots()
    ax = axes[0, 0]
    names = {
        f"{m}, d = {d}": f"{m}, $d={d}$" for m in ("gaussian", "coordinates") for d in (10, 100)
    }
    _lines(ax, points, "map", "k", names)
    k = np.arange(5, 81)
    theory(ax, k, [float(mapped_kernel_error("gaussian", int(i), 1.0)) for i in k], label="law")
    ax.set(xscale="log", yscale="log", xlabel="target dimension $k$ (1)")
    ax.set_ylabel("change of the kernel (1)")
    ax.set_xticks([5, 10, 20, 40, 80], labels=[5, 10, 20, 40, 80])
    ax.set_yticks([0.05, 0.1, 0.2, 0.5], labels=[0.05, 0.1, 0.2, 0.5])
    ax.set_ylim(0.04, 2.5)
    ax.minorticks_off()
    ax.legend(ncols=2, loc="upper right")
    return fig, points
