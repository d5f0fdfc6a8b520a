"""The fast Gauss transform with noise: its truncation and its noise."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between
from theorytk.privacy.gauss_transform import (
    gauss_transform,
    gauss_transform_error,
    gauss_transform_noise,
)
from theorytk.privacy.kernels import kernel_values

from .common import noiseless
from .estimates import means, violations

PAPER = "wagner2023lsq"


def moments(widths, degree):
    """Return ``estimate(x, y) -> sums`` by moments of degree below `degree`, without noise."""
    mechanism = gauss_transform(widths, degree, epsilon=1.0)
    return lambda x, y: noiseless(mechanism, x, y)


def from_corners(widths, degree):
    """Return the same with the centres of the queries' cells half a cell off."""
    estimate = moments(widths, degree)
    shift = 0.5 / np.ceil(widths)
    return lambda x, y: estimate(x, y + shift)


TRANSFORMS = {
    "moments": moments,
    "from corners": from_corners,
    "two moments fewer": lambda widths, degree: moments(widths, degree - 2),
}


@experiment(
    "private-similarities/moment-errors",
    paper=PAPER,
    design=grid(d=[1, 2], degree=[3, 5, 8]),
    paired=("transform",),
    columns={"excess": Column("largest error of a kernel value less its bound, over the bound")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=20,
    algorithm="transform",
)
def moment_errors(*, d, degree, transform="moments", rng):
    """Errors of Gaussian kernel values by moments, without noise, in a random box.

    The points are a corner of a cell, where truncation is worst, and a random one; 200 queries
    around. The algorithm is ``transform(widths, degree) -> estimate`` and ``estimate(x, y) ->
    sums`` of exp(-|widths (x_i - y)|^2) for points x and queries y in units of the box.
    """
    widths = rng.uniform(0.5, 3, d)
    estimate = TRANSFORMS.get(transform, transform)(widths, degree)
    away = rng.uniform(-2, 2, (200, d)) / widths
    worst = 0.0
    for x in (np.zeros((1, d)), rng.random((1, d))):
        y = x + away
        truth = kernel_values("gaussian", x * widths, y * widths)[:, 0]
        worst = max(worst, float(np.abs(estimate(x, y) - truth).max()))
    return {"excess": worst / gauss_transform_error(degree, d) - 1}


@claim(
    "private-similarities/fgt-error",
    theorem="derived here (gauss_transform_error); the transform is Greengard, Strain (1991)",
    status="ours",
    statement=r"Moments of degree below $\rho$ from the centres of unit cells give every Gaussian "
    r"kernel value up to $(1+e)^d-1$, $e=K/\sqrt{2^\rho\rho!}$ with Cramér's $K=1.0865$.",
    experiment=moment_errors,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is an error above the bound; truncation to 2^-32 is far below it",
    assumptions=(Assumption("cells no wider than the bandwidth"),),
    control=(
        Control("moments not from the centre of the cell", transform="from corners"),
        Control("two moments fewer than the bound counts", transform="two moments fewer"),
    ),
)
def truncation_is_bounded(table):
    """Share of boxes with a larger error."""
    return violations(table, "excess", 1e-6)


BUDGETS = {"laplace": dict(epsilon=1.0), "gaussian": dict(rho=0.5)}
SCALES = {
    "calibrated": lambda d: 1.0,
    "12% too small": lambda d: 0.88,
    "of one coordinate": lambda d: 0.5 ** (d - 1),
}


@experiment(
    "private-similarities/moment-noise",
    paper=PAPER,
    design=grid(kind=list(BUDGETS), d=2, degree=6, batch=30),
    paired=("scale",),
    columns={"ratio": Column("mean square noise over its law, at 10 queries")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=10,
)
def moment_noise(*, kind, d, degree, batch, scale="calibrated", rng):
    """Noise of `batch` releases of the moments of no points, in a box of 4 bandwidths."""
    planned = gauss_transform([4.0] * d, degree, **BUDGETS[kind])
    mechanism = planned.with_scales(planned.scales * SCALES[scale](d))
    y = rng.random((10, d))
    law = gauss_transform_noise(y, [4.0] * d, degree, **BUDGETS[kind]) ** 2
    tables = map(mechanism.synthesise, mechanism.releases(np.empty((0, d)), batch, rng))
    return {"ratio": np.mean([mechanism.answers(table, y) ** 2 for table in tables] / law)}


@claim(
    "private-similarities/fgt-noise",
    theorem="Wagner, Naamad, Mishra (2023) for the scale; derived here (gauss_transform_noise)",
    status="ours",
    statement=r"With noise of scale $(2(1-2^{-\rho}))^d/\varepsilon$ on moments, or $(\frac43("
    r"1-4^{-\rho}))^{d/2}/\sqrt{2\rho'}$ for $\rho'$-zCDP, an answer has the variance of a scale "
    r"times $\prod_j\sum_{c,k}(h_k(y_j-c)/k!)^2$ over cells and Hermite functions.",
    experiment=moment_noise,
    region=Between(1, 1, margin=0.15),
    reason="the law is exact; the margin is what the draws resolve",
    assumptions=(Assumption("sums of no points: noise does not depend on the data"),),
    control=(
        Control("the sensitivity of one coordinate", scale="of one coordinate"),
        Control("scales 12% too small", scale="12% too small"),
    ),
)
def moment_noise_law(table):
    """Mean square noise over its law, per noise."""
    return means(table, "ratio", "kind")
