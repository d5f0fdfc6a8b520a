"""The Bernstein mechanism: its polynomials, its noise, and what a replacement costs."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between
from theorytk.privacy.audit_structural import worst_pair
from theorytk.privacy.bernstein import bernstein, bernstein_error, bernstein_noise
from theorytk.privacy.kernels import KERNELS, kernel_values

from .common import noiseless
from .estimates import means, violations

PAPER = "alda2017bernstein"


def polynomial(kernel, widths, degree):
    """Return ``estimate(x, y) -> sums`` by Bernstein polynomials, without noise."""
    mechanism = bernstein(kernel, widths, degree, epsilon=1.0)
    return lambda x, y: noiseless(mechanism, x, y)


def open_lattice(kernel, widths, degree):
    """Return the same with the values at the middles of degree + 1 cells."""
    mechanism = bernstein(kernel, widths * degree / (degree + 1), degree, epsilon=1.0)
    shift, share = 0.5 / (degree + 1), degree / (degree + 1)
    exact = mechanism.with_scales([0.0])

    def estimate(x, y):
        moved = np.clip((x - shift) / share, 0, 1)
        return exact.answers(exact.synthesise(exact.release(moved)), y)

    return estimate


POLYNOMIALS = {
    "lattice": polynomial,
    "middles": open_lattice,
    "a quarter of the degree": lambda kernel, widths, degree: polynomial(
        kernel, widths, degree // 4
    ),
}


@experiment(
    "private-similarities/polynomial-errors",
    paper=PAPER,
    design=grid(kernel=list(KERNELS), d=[1, 2], degree=[8, 24]),
    paired=("polynomials",),
    columns={"excess": Column("largest error of a kernel value less its bound, over the bound")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
    algorithm="polynomials",
)
def polynomial_errors(*, kernel, d, degree, polynomials="lattice", rng):
    """Errors of kernel values by Bernstein polynomials, without noise, in a random box.

    A point at the centre and a random one, 100 queries, at the centre the first. The algorithm is
    ``polynomials(kernel, widths, degree) -> estimate`` and ``estimate(x, y) -> sums`` of kernels
    for points x and queries y in units of the box.
    """
    widths = rng.uniform(0.2, 1.5, d)
    estimate = POLYNOMIALS.get(polynomials, polynomials)(kernel, widths, degree)
    y = np.vstack([np.full((1, d), 0.5), rng.random((99, d))])
    worst = 0.0
    for x in (y[:1], rng.random((1, d))):
        truth = kernel_values(kernel, x * widths, y * widths)[:, 0]
        worst = max(worst, float(np.abs(estimate(x, y) - truth).max()))
    return {"excess": worst / bernstein_error(kernel, widths, degree) - 1}


@claim(
    "private-similarities/bernstein-error",
    theorem="derived here (bernstein_error); the operator is Bernstein's",
    status="ours",
    statement=r"The polynomial of degree $k$ with a kernel's values on the lattice is within "
    r"$\sum_j\kappa_j^2/(4k)$ of it for $e^{-r^2}$ and $1/(1+r^2)$, and within "
    r"$\sum_j\kappa_j/(2\sqrt k)$ for $e^{-r}$ and $1/(1+r)$; $\kappa_j$ are the widths of the box "
    "in bandwidths.",
    experiment=polynomial_errors,
    kind="refutable",
    region=AtMost(0),
    reason="a violation is an error above the bound; truncation to 2^-32 is far below it",
    assumptions=(Assumption("queries in the box"),),
    control=(
        Control("values at the middles of cells", polynomials="middles"),
        Control("a quarter of the degree", polynomials="a quarter of the degree"),
    ),
)
def polynomials_are_near(table):
    """Share of boxes with a larger error."""
    return violations(table, "excess", 1e-6)


SCALES = {
    "calibrated": lambda degree, d: 1.0,
    "12% too small": lambda degree, d: 0.88,
    "of one value": lambda degree, d: 1 / (degree + 1) ** d,
}


@experiment(
    "private-similarities/lattice-noise",
    paper=PAPER,
    design=grid(d=[1, 2], degree=10, batch=100),
    paired=("scale",),
    columns={"ratio": Column("mean square noise over its law, at 10 queries")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=10,
)
def lattice_noise(*, d, degree, batch, scale="calibrated", rng):
    """Noise of `batch` releases of the lattice values of no points, epsilon 1."""
    planned = bernstein("gaussian", [1.0] * d, degree, epsilon=1.0)
    mechanism = planned.with_scales(planned.scales * SCALES[scale](degree, d))
    y = rng.random((10, d))
    law = bernstein_noise(y, degree, 1.0) ** 2
    tables = map(mechanism.synthesise, mechanism.releases(np.empty((0, d)), batch, rng))
    return {"ratio": np.mean([mechanism.answers(table, y) ** 2 for table in tables] / law)}


@claim(
    "private-similarities/bernstein-noise",
    theorem="Aldà, Rubinstein (2017) for the scale; the law derived here (bernstein_noise)",
    status="ours",
    statement=r"With noise of scale $(k+1)^d/\varepsilon$ on the lattice an answer at $y$ has "
    r"variance $2(k+1)^{2d}/\varepsilon^2\prod_jP(B_j=B_j')$ for independent binomial numbers "
    r"$B_j,B_j'$ of $k$ trials with probability $y_j$.",
    experiment=lattice_noise,
    region=Between(1, 1, margin=0.15),
    reason="the law is exact; the margin is what the draws resolve",
    assumptions=(Assumption("sums of no points: noise does not depend on the data"),),
    control=(
        Control("the sensitivity of one value", scale="of one value"),
        Control("scales 12% too small", scale="12% too small"),
    ),
)
def lattice_noise_law(table):
    """Mean square noise over its law, per dimension."""
    return means(table, "ratio", "d")


@experiment(
    "private-similarities/lattice-losses",
    paper=PAPER,
    design=grid(kernel=list(KERNELS), kind=["epsilon", "rho"], degree=6),
    paired=("scale",),
    columns={
        "excess": Column("largest loss of a replacement over that of the budget, less one"),
        "tightness": Column("largest loss of an addition over that of the budget"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def lattice_losses(*, kernel, kind, degree, scale="calibrated", rng):
    """Losses between 40 points of a random box of 0.01 to 10,000 bandwidths, ends included."""
    width = 10 ** rng.uniform(-2, 4)
    planned = bernstein(kernel, [width], degree, **{kind: 1.0})
    mechanism = planned.with_scales(planned.scales * SCALES[scale](degree, 1))
    x = np.append([0.0, 1.0], rng.random(38))[:, None]
    replaced, added = (worst_pair(mechanism, x, name).loss for name in ("replace", "add_remove"))
    return {"excess": replaced - 1, "tightness": added}


@claim(
    "private-similarities/bernstein-replacement",
    theorem="derived here (bernstein)",
    status="ours",
    statement=r"The noise for an added point protects a replaced one as well: kernels are in "
    r"$[0,1]$, so either changes each lattice value by at most 1.",
    experiment=lattice_losses,
    kind="refutable",
    region=AtMost(0),
    reason="losses of the pairs are exact",
    assumptions=(Assumption("kernels with values in [0, 1]"),),
    control=Control("the sensitivity of one value", scale="of one value"),
)
def replacement_costs_no_more(table):
    """Share of boxes with a pair that loses more than the budget."""
    return violations(table, "excess", 1e-9)
