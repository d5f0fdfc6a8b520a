"""Kernels made simpler: maps to few dimensions, and sums of exponentials."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between
from theorytk.privacy.dimension_reduction import (
    RADIAL_KERNELS,
    gaussian_kernel_moments,
    gaussian_map,
    mapped_kernel_error,
)
from theorytk.privacy.exponential_sums import exponential_sum, exponential_sum_rate
from theorytk.privacy.kernels import kernel_profile

from .estimates import largest, means, violations

PAPER = "backurs2024similarities"
ONE_DISTANCE = Assumption("one distance in units of the bandwidth; the law is for every one")
MARGIN = "the law is exact; the margin is what the draws resolve"


def coordinates_only(d, k, rng):
    """Return the map to k random coordinates, scaled to keep squared distances in the mean."""
    chosen = np.eye(d)[:, rng.integers(0, d, k)]
    return chosen * math.sqrt(d / k)


MAPS = {
    "gaussian": lambda d, k, rng: gaussian_map(d, k, rng=rng),
    "coordinates": coordinates_only,
    "a fifth fewer": lambda d, k, rng: gaussian_map(d, math.ceil(0.8 * k), rng=rng),
}


@experiment(
    "private-similarities/mapped-kernels",
    paper=PAPER,
    design=grid(d=[10, 100], k=[5, 40], batch=300),
    paired=("linear",),
    columns={
        "kernel": Column("the kernel", dtype="str"),
        "ratio": Column("mean square error of the mapped kernel at distance 1 over its law"),
        "rms": Column("root mean square error of the mapped kernel at distance 1"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=5,
    algorithm="linear",
)
def mapped_kernels(*, d, k, batch, linear="gaussian", rng):
    """Kernels at distance 1 along each axis before and after random maps, `batch` in all.

    The algorithm is ``linear(d, k, rng) -> map``, shape (d, k), applied as ``points @ map``.
    """
    draw = MAPS.get(linear, linear)
    maps = np.array([draw(d, k, rng) for _ in range(batch // d)])
    lengths = np.linalg.norm(maps, axis=-1).ravel()
    rows = []
    for kernel in RADIAL_KERNELS:
        square = np.mean((kernel_profile(kernel, lengths) - kernel_profile(kernel, 1)) ** 2)
        law = float(mapped_kernel_error(kernel, k, 1.0)) ** 2
        rows.append({"kernel": kernel, "ratio": square / law, "rms": math.sqrt(square)})
    return rows


@claim(
    "private-similarities/jl-kernel",
    theorem="Section 7, without constants; the law derived here (mapped_kernel_error)",
    status="ours",
    statement=r"A Gaussian map to $k$ dimensions changes a radial kernel $\varphi(z)$ by the root "
    r"mean square of $\varphi(z\sqrt{\chi^2_k/k})-\varphi(z)$, at most about "
    r"$\sup_z|z\varphi'(z)|/\sqrt{2k}$, whatever the dimension $d$ of the points.",
    experiment=mapped_kernels,
    region=Between(1, 1, margin=0.15),
    reason=MARGIN,
    assumptions=(ONE_DISTANCE,),
    control=(
        Control("random coordinates in the place of a map", linear="coordinates"),
        Control("a fifth fewer dimensions", linear="a fifth fewer"),
    ),
)
def kernel_distortion(table):
    """Mean square error over its law, per kernel, d and k."""
    return means(table, "ratio", ["kernel", "d", "k"])


@experiment(
    "private-similarities/mapped-moments",
    paper=PAPER,
    design=grid(k=[1, 3, 30, 1000]),
    paired=("moments",),
    columns={"error": Column("mean square error from moments less its integral, in absolute")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def mapped_moments(*, k, moments="exact", rng):
    """Mean square error of mapped Gaussian kernels at random distances, by moments.

    With `moments` "linear" it is that of the first order, 2 z^4 exp(-2 z^2) / k.
    """
    z = np.exp(rng.uniform(-3, 1.5, size=20))
    value, (mean, square) = np.exp(-(z**2)), gaussian_kernel_moments(z, k)
    found = square - 2 * value * mean + value**2
    if moments == "linear":
        found = 2 * z**4 * value**2 / k
    return {"error": np.abs(found - mapped_kernel_error("gaussian", k, z) ** 2).max()}


@claim(
    "private-similarities/jl-moments",
    theorem="derived here (gaussian_kernel_moments)",
    status="ours",
    statement=r"For the Gaussian kernel $E\,e^{-|Gu|^2}=(1+2z^2/k)^{-k/2}$ and "
    r"$E\,e^{-2|Gu|^2}=(1+4z^2/k)^{-k/2}$: closed forms for what the other kernels integrate.",
    experiment=mapped_moments,
    kind="identity",
    region=AtMost(1e-9),
    reason="400 Gauss nodes, and cancellation where the distortion is small",
    assumptions=(Assumption("random distances"),),
    control=Control("the first order in 1/k taken for exact", moments="linear"),
)
def moments_agree(table):
    """Largest difference."""
    return largest(table, "error")


@experiment(
    "private-similarities/exponential-sums",
    paper=PAPER,
    design=grid(n_terms=[3, 4, 5, 6, 7, 8, 9, 10, 11, 12]),
    paired=("method",),
    columns={
        "error": Column("certified largest error of the sum for 1 / (1 + z)"),
        "rate": Column("16 exp(-pi sqrt(2 n_terms))"),
        "uneven": Column("1 - least of 2 n_terms + 1 alternating extrema over the largest error"),
    },
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def exponential_sums(*, n_terms, method="minimax", rng):
    """Sums of n exponentials for 1 / (1 + z), by exchange or by a quadrature."""
    found = exponential_sum(n_terms, method=method)
    z = np.append(0, np.geomspace(1e-6, 80 / found.t[0], 40_000))
    error = found(z) - 1 / (1 + z)
    # Runs of one sign, each with its largest error.
    runs = np.split(np.abs(error), np.flatnonzero(np.diff(np.sign(error))) + 1)
    peaks = np.array([run.max() for run in runs])
    alternating = np.sort(peaks)[-(2 * n_terms + 1) :].min() if len(peaks) > 2 * n_terms else 0
    return {
        "error": found.error,
        "rate": float(exponential_sum_rate(n_terms)),
        "uneven": 1 - alternating / found.error,
    }


@claim(
    "private-similarities/expsum-best",
    theorem="Braess, Hackbusch (2005): the characterisation; the exchange is derived here",
    status="ours",
    statement=r"The error of `exponential_sum` has $2M+1$ alternating extrema, equal to one in a "
    r"thousand: no sum of $M$ exponentials is better for $1/(1+z)$ by more.",
    experiment=exponential_sums,
    kind="identity",
    region=AtMost(1e-3),
    reason="the exchange stops at 1e-4, for many terms where rounding leaves it, below 1e-3",
    assumptions=(Assumption("3 to 12 terms"),),
    control=(
        Control("the trapezoidal rule taken for the best sum", method="trapezoid"),
        Control("Gauss's rule taken for the best sum", method="gauss_laguerre"),
    ),
)
def equal_extrema(table):
    """Largest unevenness of the alternating extrema."""
    return largest(table, "uneven")


@claim(
    "private-similarities/expsum-rate",
    theorem="Section 7 and Corollary 3.2; the rate conjectured by Braess, Hackbusch (2005)",
    status="empirical",
    statement=r"$M$ exponentials approximate $1/(1+z)$ on $z\ge0$ up to $e^{-\pi\sqrt{2M}}$: "
    r"$\Theta(\log^2(1/\alpha))$ of them reach $\alpha$, within a factor 1.5 of "
    r"$16e^{-\pi\sqrt{2M}}$ for 3 to 12.",
    experiment=exponential_sums,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a factor above 1.5; powers of M are not excluded by the conjecture",
    assumptions=(Assumption("3 to 12 terms"),),
    control=(
        Control("the trapezoidal rule, of rate exp(-pi sqrt(M))", method="trapezoid"),
        Control("Gauss's rule, of order 1 / M", method="gauss_laguerre"),
    ),
)
def rate_is_reached(table):
    """Share of numbers of terms at which the error is off by more."""
    factor = table.assign(off=np.abs(np.log(table["error"] / table["rate"])))
    return violations(factor, "off", math.log(1.5))
