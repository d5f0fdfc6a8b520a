"""The kinetic-optimal path: its energy in closed form, and that nothing near it is better."""

from __future__ import annotations

import math

import numpy as np
from scipy.interpolate import CubicSpline

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate
from theorytk.paths.energy import kinetic_energy, minimise_discrete_energy
from theorytk.paths.kinetic_optimal import solve_kinetic_bvp
from theorytk.paths.named_paths import perturbed_path
from theorytk.paths.oracles import gaussian_separation
from theorytk.paths.theory import (
    cond_ot_energy,
    cond_ot_gap_bound,
    conditional_energy_range,
    optimal_energy,
)

from .common import (
    EXACT,
    FAMILY,
    NORMALISED,
    PAPER,
    PATHS,
    build,
    random_law,
    random_spectrum,
    violations,
)

LAWS = (NORMALISED, EXACT, Assumption("random Gaussian laws, and 2 or 3 atoms on a line in R^d"))


@experiment(
    "kinetic-optimal-paths/optimum",
    paper=PAPER,
    design=grid(path="kinetic-optimal", epsilon=0.02),
    paired=("path",),
    columns={
        "family": FAMILY,
        "residual": Column("energy of the path minus 2 - 2 cos(Phi)"),
        "slope": Column("derivative of the energy along the perturbation"),
        "gain": Column("what the better of two perturbed paths saves, negative if none does"),
    },
    presets={"quick": dict(replicates=24), "paper": dict(replicates=200)},
    block=12,
    algorithm="path",
)
def optimum(*, path, epsilon, rng):
    """The energy of a path for a random law, and of its perturbations by +epsilon and -epsilon.

    Energies are by differences of radius and angle along the path. The algorithm is
    ``path(separation) -> GaussianPath``.
    """
    family, law = random_law(rng)
    found = build(path, law)
    energy = kinetic_energy(found, law)
    more, less = (kinetic_energy(perturbed_path(found, e), law) for e in (epsilon, -epsilon))
    return {
        "family": family,
        "residual": energy - optimal_energy(law.angle()),
        "slope": (more - less) / (2 * epsilon),
        "gain": energy - min(more, less),
    }


OTHER_PATHS = (
    Control("the best variance-preserving path in its place", path="best-vp"),
    Control("the trigonometric path in its place", path="trigonometric"),
)


@claim(
    "kinetic-optimal-paths/energy-closed-form",
    theorem="Theorem 3.1 with its constant b, which is derived here",
    status="ours",
    statement=r"The kinetic-optimal path of a law has the energy $\mathcal E^\star=2-2\cos\Phi$, "
    r"$\Phi=\int_0^{\pi/2}\sqrt\gamma\,d\theta$, which is the constant $b$ of the theorem.",
    experiment=optimum,
    kind="identity",
    region=AtMost(1e-5),
    reason="differences over 4000 intervals: order 4000^-2 = 6e-8 times curvatures, larger "
    "where gamma rises within an angle of 0.04, for d = 512",
    assumptions=LAWS,
    control=OTHER_PATHS,
)
def energy_closed_form(table):
    """Largest difference from the closed form."""
    return exact_estimate(table["residual"].abs().max(), len(table))


@claim(
    "kinetic-optimal-paths/stationary",
    theorem="Theorem 3.1",
    statement=r"The kinetic-optimal path is stationary: along a perturbation $h$ that keeps its "
    r"ends, $\frac{d}{d\varepsilon}\mathcal E(\text{path}+\varepsilon h)=0$ at $\varepsilon=0$.",
    experiment=optimum,
    kind="identity",
    region=AtMost(5e-3),
    reason="a central difference at epsilon = 0.02 has the error epsilon^2/6 times a third "
    "derivative, that of pi^2 sin^2 with factors of order 10: below 1e-2 of pi^2/2",
    assumptions=LAWS,
    control=OTHER_PATHS[1],
)
def stationary(table):
    """Largest derivative."""
    return exact_estimate(table["slope"].abs().max(), len(table))


@claim(
    "kinetic-optimal-paths/minimum",
    theorem="Theorem 3.1",
    statement=r"No perturbation of the kinetic-optimal path that keeps its ends has a smaller "
    r"$\mathcal E$: here one of size $\pm\varepsilon$ in both coordinates.",
    experiment=optimum,
    kind="refutable",
    region=AtMost(0),
    reason="the excess is of order epsilon^2 = 4e-4, and energies are exact to 1e-5",
    assumptions=LAWS,
    control=OTHER_PATHS,
)
def minimum(table):
    """Share of laws for which a perturbed path is better."""
    return violations_estimate(*violations(table, "gain"))


ENDS = (0.1, 1.3)


@experiment(
    "kinetic-optimal-paths/solved-numerically",
    paper=PAPER,
    design=grid(law="chord"),
    paired=("law",),
    columns={
        "equations": Column("energy by the Euler-Lagrange equations minus that of the law"),
        "descent": Column("least energy of discrete paths, extrapolated, minus that of the law"),
    },
    presets={"quick": dict(replicates=8), "paper": dict(replicates=60)},
    block=4,
)
def solved_numerically(*, law, rng):
    """The least energy by collocation between two angles, and by L-BFGS, 24 and 48 intervals.

    Gaussian data on a subspace of an eighth of all dimensions. Extrapolation removes the error of
    order 2 of the latter. With `law` "chord" they are compared with 2 - 2 cos of the angle phi
    between the ends, with "arc" with its square.
    """
    e = random_spectrum(rng)
    separation = gaussian_separation(np.append(e, np.zeros(7 * len(e))))
    theta, _, phi = separation.table
    part, total = float(np.diff(CubicSpline(theta, phi)(ENDS))[0]), separation.angle()
    coarse, fine = (minimise_discrete_energy(separation, n).energy for n in (24, 48))
    least = {"chord": optimal_energy, "arc": lambda angle: angle**2}[law]
    return {
        "equations": solve_kinetic_bvp(separation, *ENDS).energy - least(part),
        "descent": fine + (fine - coarse) / 3 - least(total),
    }


@claim(
    "kinetic-optimal-paths/euler-lagrange",
    theorem="Theorem 3.1",
    statement=r"Between the angles $0.1$ and $1.3$ the solution of the Euler-Lagrange equations, "
    r"computed without the closed form, has the energy $2-2\cos(\varphi(1.3)-\varphi(0.1))$.",
    experiment=solved_numerically,
    kind="identity",
    region=AtMost(1e-6),
    reason="the solver's tolerance 1e-8 and the spline of gamma",
    assumptions=(NORMALISED, EXACT, Assumption("random Gaussian laws on a subspace")),
    control=Control("the energy of a speed that is constant on the arc r = 1", law="arc"),
)
def euler_lagrange(table):
    """Largest difference."""
    return exact_estimate(table["equations"].abs().max(), len(table))


@claim(
    "kinetic-optimal-paths/discrete-minimum",
    theorem="Theorem 3.1",
    statement=r"The least energy of discrete paths, over all radii and angles, tends to "
    r"$2-2\cos\Phi$ as the number $N$ of intervals grows.",
    experiment=solved_numerically,
    kind="identity",
    region=AtMost(1e-3),
    reason="errors of order 2 at N = 48 are (pi/48)^2 = 4e-3 at most, of which extrapolation "
    "leaves a part",
    assumptions=(NORMALISED, EXACT, Assumption("random Gaussian laws on a subspace")),
    control=Control("the energy of a speed that is constant on the arc r = 1", law="arc"),
)
def discrete_minimum(table):
    """Largest difference after extrapolation."""
    return exact_estimate(table["descent"].abs().max(), len(table))


CLOSED = ("kinetic-optimal", "best-vp", "trigonometric", "cond-ot")


def closed_forms(law, delta_scale=1.0):
    """Return the energies of the paths of CLOSED, in this order, from Phi and delta alone."""
    angle, delta = law.angle(), delta_scale * law.delta()
    trigonometric = math.pi / 2 * (math.pi / 2 - delta)
    return optimal_energy(angle), angle**2, trigonometric, cond_ot_energy(delta)


BOUNDS = {"sine": cond_ot_gap_bound, "square": lambda delta: delta**2 / 2}


# Bounds of the coefficients and their derivatives, for the theorem on conditional energies.
SIZES = {"trigonometric": math.pi / 2, "cond-ot": 1.0}
CONDITIONAL = {"trigonometric": math.pi**2 / 4, "cond-ot": 2.0}


def short_of_bound(name, energy, delta):
    """Return how far an energy is below E_c - 2 M^2 delta, or above E_c."""
    lower, upper = conditional_energy_range(CONDITIONAL[name], SIZES[name], delta)
    return max(lower - energy, energy - upper)


@experiment(
    "kinetic-optimal-paths/named-paths",
    paper=PAPER,
    design=grid(order="best first", delta_scale=1, bound="sine"),
    paired=("order", "delta_scale", "bound"),
    columns={
        "family": FAMILY,
        "residual": Column("largest error of the closed form of an energy"),
        "disorder": Column("largest excess of an energy over the next one of the order"),
        "short": Column(
            "least excess of an energy over its bound from the conditional one, negative"
        ),
        "above": Column("gap between Cond-OT and the optimum, minus its bound from delta"),
    },
    presets={"quick": dict(replicates=24), "paper": dict(replicates=200)},
    block=12,
)
def named_paths(*, order, delta_scale, bound, rng):
    """Energies of four paths for a random law, along the paths and by their closed forms.

    The order is kinetic-optimal, best variance-preserving, trigonometric; with `order` "best vp
    first" the first two are exchanged. In closed forms delta is multiplied by `delta_scale`.
    """
    family, law = random_law(rng)
    measured = [kinetic_energy(PATHS[name](law), law) for name in CLOSED]
    closed = closed_forms(law, delta_scale)
    least, vp, trigonometric, cond_ot = closed_forms(law)
    chain = (least, vp) if order == "best first" else (vp, least)
    return {
        "family": family,
        "residual": max(abs(x - y) for x, y in zip(measured, closed, strict=True)),
        "disorder": max(chain[0] - chain[1], chain[1] - trigonometric, least - cond_ot),
        "short": max(map(short_of_bound, SIZES, measured[2:], [delta_scale * law.delta()] * 2)),
        "above": cond_ot - least - BOUNDS[bound](law.delta()),
    }


@claim(
    "kinetic-optimal-paths/named-energies",
    theorem="derived here, from the polar form",
    status="ours",
    statement=r"$\Phi$ and $\delta=\int_0^\infty(1-\lambda)ds$ give all energies: Cond-OT "
    r"$2-\delta$, trigonometric $\frac\pi2(\frac\pi2-\delta)$, the best variance-preserving path "
    r"$\Phi^2$, the optimum $2-2\cos\Phi$.",
    experiment=named_paths,
    kind="identity",
    region=AtMost(1e-5),
    reason="differences over 4000 intervals, as for the optimum",
    assumptions=LAWS,
    control=Control(
        "1 - lambda as half of |x_1 - mu|^2 / d, halved once too often", delta_scale=0.5
    ),
)
def named_energies(table):
    """Largest error of four closed forms."""
    return exact_estimate(table["residual"].max(), len(table))


@claim(
    "kinetic-optimal-paths/path-order",
    theorem="derived here, from the closed forms",
    status="ours",
    statement=r"$\mathcal E^\star\le\Phi^2\le\frac\pi2\int\gamma\,d\theta$ and "
    r"$\mathcal E^\star\le2-\delta$ for every law.",
    experiment=named_paths,
    kind="refutable",
    region=AtMost(0),
    assumptions=LAWS,
    control=Control("the order of the first two exchanged", order="best vp first"),
)
def path_order(table):
    """Share of laws out of order."""
    return violations_estimate(*violations(table, "disorder", 1e-12))


@claim(
    "kinetic-optimal-paths/condot-certificate",
    theorem="derived here; it makes Corollary 4.3 quantitative",
    status="ours",
    statement=r"$\mathcal E_{\text{Cond-OT}}-\mathcal E^\star\le2\sin\delta-\delta$ for every law.",
    experiment=named_paths,
    kind="refutable",
    region=AtMost(0),
    assumptions=LAWS,
    control=Control("of second order in delta, as the optimum is stationary", bound="square"),
)
def condot_certificate(table):
    """Share of laws with a larger gap."""
    return violations_estimate(*violations(table, "above", 1e-12))


@claim(
    "kinetic-optimal-paths/conditional-energy-range",
    theorem="Theorem 4.2, with delta for 3 n / sqrt(d)",
    statement=r"If $a/m$ increases and $a,m,|\dot a|,|\dot m|\le M$, then "
    r"$\mathcal E_c-2M^2\delta\le\mathcal E\le\mathcal E_c$, $\mathcal E_c=\int\dot a^2+\dot m^2$.",
    experiment=named_paths,
    kind="refutable",
    region=AtMost(0),
    reason="energies are exact to 1e-6, which is let pass",
    assumptions=(*LAWS, Assumption("Cond-OT with M = 1, the trigonometric path with M = pi/2")),
    control=Control("the bound with half of M^2 for 2 M^2", delta_scale=0.25),
)
def in_conditional_range(table):
    """Share of laws outside."""
    return violations_estimate(*violations(table, "short", 1e-6))
