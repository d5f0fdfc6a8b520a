"""Regions and real limits of linear multistep methods with momentum."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion.stability import (
    STABILITY_METHODS,
    LinearMultistep,
    boundary_locus,
    characteristic,
    heavy_ball_ellipse,
    is_stable,
    real_limit,
    real_stability_limit,
    stability_area,
)
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate

from .common import MOMENTUM, TOPIC

LINEAR = Assumption(r"the test equation $y'=\kappa y$ and equal steps $h$ in $\rho$, $z=h\kappa$")


def unnormalised(order, damping):
    """Return the polynomials of heavy ball whose velocity adds the whole new output."""
    rho, sigma = characteristic("hb", order, damping)
    return LinearMultistep(rho, tuple(c / damping for c in sigma))


def polynomials(algorithm, order, damping):
    """Return a method's polynomials, and the limit that the law gives it."""
    if callable(algorithm):
        method = LinearMultistep(*algorithm(order, damping))
        return method, float(boundary_locus(method, math.pi).real)
    if algorithm == "hb unnormalised":
        return unnormalised(order, damping), real_limit("hb", order, damping)
    return characteristic(algorithm, order, damping), real_limit(algorithm, order, damping)


@experiment(
    f"{TOPIC}/real-limits",
    paper=MOMENTUM,
    design=grid(algorithm=list(STABILITY_METHODS), law="proved"),
    paired=("algorithm", "law"),
    columns={
        "order": Column("terms of the Adams-Bashforth part", dtype="int"),
        "damping": Column("damping coefficient beta"),
        "limit": Column("end of the stable interval of z, by following the roots"),
        "residual": Column("its relative difference from the law"),
    },
    presets={"quick": dict(replicates=60), "paper": dict(replicates=1000)},
    block=60,
    algorithm="algorithm",
)
def real_limits(*, algorithm, law, rng):
    """Real stability limit of a method of random order and damping, against the law.

    The algorithm is ``algorithm(order, damping) -> (rho, sigma)``, the polynomials of a linear
    multistep method, highest power first and of one length; its law is the z whose root is -1.
    The law is the "proved" one or, wrongly, that "times damping" or of "one term more".
    """
    order, damping = int(rng.integers(1, 5)), float(np.exp(rng.uniform(np.log(0.1), 0)))
    method, expected = polynomials(algorithm, order, damping)
    if law == "one term more" and not callable(algorithm):
        expected = real_limit(algorithm, min(order + 1, 4), damping)
    limit = real_stability_limit(method)
    residual = abs(limit / (damping * expected if law == "times damping" else expected) - 1)
    return {"order": order, "damping": damping, "limit": limit, "residual": residual}


@claim(
    f"{TOPIC}/real-limits",
    theorem="stability regions of HB and GHVB (figures); their real limits derived here",
    status="ours",
    statement=r"The stable interval of $z$ ends where a root is $-1$: with $S=\sum_{k<r}2^k"
    r"\gamma_k$ at $-\frac2S$ for Adams-Bashforth of $r\le4$ terms, $-\frac{2(2-\beta)}{\beta S}$ "
    r"for heavy ball, $-\frac{2(2-\beta)}{\sum_{k<r}2^ka_k}$ for GHVB and "
    r"$-\frac{2(2-\beta)}{\beta(3-2\beta)S}$ for Nesterov's variant.",
    experiment=real_limits,
    kind="identity",
    region=AtMost(1e-9),
    reason="bisection to 1e-13 relative, and rounding of the Schur-Cohn test next to the limit",
    assumptions=(LINEAR,),
    control=(
        Control("the factor 2 - beta in the place of (2 - beta) / beta", law="times damping"),
        Control("the sum one term longer", law="one term more"),
        Control("a velocity that adds the whole new output", algorithm="hb unnormalised"),
    ),
)
def real_limits_hold(table):
    """Largest relative difference, per method."""
    groups = table.groupby("algorithm", sort=False)
    return {str(a): exact_estimate(g["residual"].max(), len(g)) for a, g in groups}


@experiment(
    f"{TOPIC}/heavy-ball-region",
    paper=MOMENTUM,
    design=grid(axes="proved"),
    paired=("axes",),
    columns={
        "damping": Column("damping coefficient beta"),
        "wrong": Column("share of random points on the wrong side of the ellipse"),
        "area": Column("area of the region, from a grid of 400 x 400 points"),
        "expected": Column("area of the ellipse"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=400)},
    block=20,
)
def heavy_ball_region(*, axes, rng):
    """Heavy ball of one term with a random damping: points of the plane against an ellipse.

    The axes are the "proved" ones, those of "no momentum" or a "circle" of the real axis.
    """
    damping = float(rng.uniform(0.2, 0.95))
    centre, real, imaginary = heavy_ball_ellipse(1.0 if axes == "no momentum" else damping)
    imaginary = real if axes == "circle" else imaginary
    width = 2.4 / damping
    z = -width * rng.uniform(-0.1, 1.1, 2000) + 1j * rng.uniform(-1.3, 1.3, 2000)
    level = ((z.real - centre) / real) ** 2 + (z.imag / imaginary) ** 2
    method = characteristic("hb", 1, damping)
    wrong = (is_stable(method, z) != (level < 1)) & (np.abs(level - 1) > 1e-9)
    expected = math.pi * real * imaginary
    area = stability_area(method)
    return {"damping": damping, "wrong": wrong.mean(), "area": area, "expected": expected}


ELLIPSE = dict(
    theorem="stability regions of HB (figure); the ellipse derived here",
    status="ours",
    experiment=heavy_ball_region,
    assumptions=(LINEAR, Assumption("one term: heavy ball around the Euler step")),
)


@claim(
    f"{TOPIC}/heavy-ball-ellipse",
    statement=r"Heavy ball around the Euler step is stable inside the ellipse with centre "
    r"$-\frac{2-\beta}\beta$ and semi-axes $\frac{2-\beta}\beta$ and $1$, and nowhere else.",
    kind="refutable",
    region=AtMost(0),
    reason="a violation is a point on the wrong side, further than 1e-9 from the ellipse",
    control=(
        Control("the disc of the Euler method", axes="no momentum"),
        Control("a circle through both ends of the real axis", axes="circle"),
    ),
    **ELLIPSE,
)
def heavy_ball_is_an_ellipse(table):
    """Regions with a point on the wrong side."""
    return violations_estimate(int((table["wrong"] > 0).sum()), len(table))


@claim(
    f"{TOPIC}/heavy-ball-area",
    statement=r"The area of that region is $\pi\frac{2-\beta}\beta$: momentum enlarges it.",
    kind="identity",
    region=AtMost(2e-3),
    reason="cells of the boundary, counted whole or not at all, on a grid of 400 x 400",
    control=Control("the area of the Euler method's disc", axes="no momentum"),
    **ELLIPSE,
)
def heavy_ball_has_the_area(table):
    """Largest relative difference of the area."""
    return exact_estimate((table["area"] / table["expected"] - 1).abs().max(), len(table))
