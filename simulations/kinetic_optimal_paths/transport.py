"""When the kinetic-optimal path is optimal transport, and one Euler step is exact."""

from __future__ import annotations

import functools

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate
from theorytk.paths.oracles import (
    gaussian_posterior_mean,
    gaussian_separation,
    sphere_separation,
    two_point_separation,
)
from theorytk.paths.theory import (
    gaussian_wasserstein,
    optimal_energy,
    sphere_wasserstein,
    two_eigenvalue_path,
    two_point_wasserstein,
)

from .common import EXACT, NORMALISED, PAPER, build, random_spectrum, violations

GAUSSIAN = Assumption("Gaussian laws whose covariance has two distinct eigenvalues")
TIMES = np.linspace(0, 1, 101)
THREE = Control("three distinct eigenvalues", n_values=3)


@experiment(
    "kinetic-optimal-paths/two-eigenvalues",
    paper=PAPER,
    design=grid(n_values=2, path="kinetic-optimal"),
    paired=("n_values", "path"),
    columns={
        "gap": Column("least energy minus W_2^2 / d"),
        "path_error": Column("largest difference of a(t), m(t) from the law"),
        "step_error": Column("mean square error of one Euler step, relative to W_2^2"),
    },
    presets={"quick": dict(replicates=24), "paper": dict(replicates=400)},
    block=24,
    algorithm="path",
)
def two_eigenvalues(*, n_values, path, rng):
    """A Gaussian law of so many distinct eigenvalues: energy, path, and one step from noise.

    The optimal map is x sqrt(e). The algorithm is ``path(separation) -> GaussianPath``.
    """
    e = random_spectrum(rng, n_values)
    law, target = gaussian_separation(e), gaussian_wasserstein(e)
    found = build(path, law)
    a, m = two_eigenvalue_path(np.sqrt(e.min()), np.sqrt(e.max()), TIMES)
    x0 = rng.standard_normal((200, len(e)))
    error = found.sample(x0, gaussian_posterior_mean(e), n_steps=1) - x0 * np.sqrt(e)
    return {
        "gap": optimal_energy(law.angle()) - target,
        "path_error": max(np.abs(found.a(TIMES) - a).max(), np.abs(found.m(TIMES) - m).max()),
        "step_error": np.mean(error**2) / target,
    }


@claim(
    "kinetic-optimal-paths/optimal-transport",
    theorem="derived here (gaussian_wasserstein)",
    status="ours",
    statement=r"For Gaussian data with two distinct eigenvalues the least energy is that of "
    r"optimal transport, $\mathcal E^\star=W_2^2(N(0,I),q)/d$; with more it is larger.",
    experiment=two_eigenvalues,
    kind="identity",
    region=AtMost(1e-6),
    reason="Simpson's rule over 3000 intervals",
    assumptions=(NORMALISED, EXACT, GAUSSIAN),
    control=THREE,
)
def optimal_transport(table):
    """Largest difference."""
    return exact_estimate(table["gap"].abs().max(), len(table))


@claim(
    "kinetic-optimal-paths/two-eigenvalue-path",
    theorem="derived here (two_eigenvalue_path)",
    status="ours",
    statement=r"For standard deviations $\sigma_1,\sigma_2$ the optimum is "
    r"$a_t^2=t^2+\frac{2t(1-t)}{\sigma_1+\sigma_2}$, "
    r"$m_t^2=(1-t)^2+2t(1-t)\frac{\sigma_1\sigma_2}{\sigma_1+\sigma_2}$.",
    experiment=two_eigenvalues,
    kind="identity",
    region=AtMost(1e-4),
    reason="interpolation of theta(phi) between 3000 angles, of order 1e-6",
    assumptions=(NORMALISED, EXACT, GAUSSIAN),
    control=(
        THREE,
        Control("the best variance-preserving path in its place", path="best-vp"),
        Control("Cond-OT in its place", path="cond-ot"),
    ),
)
def explicit_path(table):
    """Largest difference of a coefficient."""
    return exact_estimate(table["path_error"].max(), len(table))


@claim(
    "kinetic-optimal-paths/one-euler-step",
    theorem="derived here (two_eigenvalue_path)",
    status="ours",
    statement=r"There one Euler step along the kinetic-optimal path is exact: it maps $x_0$ to "
    r"$\Sigma^{1/2}x_0$.",
    experiment=two_eigenvalues,
    kind="identity",
    region=AtMost(1e-6),
    reason="the velocity at t = 0 is taken at 1e-10, where a = O(1e-5) moves it by 1e-5, squared",
    assumptions=(NORMALISED, EXACT, GAUSSIAN),
    control=(
        THREE,
        Control("the step of Cond-OT, which ends in 0", path="cond-ot"),
        Control("the trigonometric path", path="trigonometric"),
    ),
)
def one_euler_step(table):
    """Largest mean square error of the step."""
    return exact_estimate(table["step_error"].max(), len(table))


@functools.cache
def line_law(d):
    """Return the separation of two points; its table is kept for the paired conditions."""
    return two_point_separation(d)


@functools.cache
def sphere_law(d):
    """The same for a sphere."""
    return sphere_separation(d)


def gaussian_case(rng):
    """Return the separation of a Gaussian law and its distance from the noise."""
    e = random_spectrum(rng, int(rng.integers(3, 7)))
    return gaussian_separation(e), gaussian_wasserstein(e)


def two_point_case(rng):
    """The same for two points in 1 to 64 dimensions."""
    d = int(rng.integers(1, 65))
    return line_law(d), two_point_wasserstein(d)


def sphere_case(rng):
    """The same for spheres in 3, 6 or 12 dimensions."""
    d = int(rng.choice([3, 6, 12]))
    return sphere_law(d), sphere_wasserstein(d)


CASES = {"gaussian": gaussian_case, "two points": two_point_case, "sphere": sphere_case}


@experiment(
    "kinetic-optimal-paths/transport-bound",
    paper=PAPER,
    design=grid(kind=list(CASES), multiple=1),
    paired=("multiple",),
    columns={"short": Column("W_2^2 / d minus the least energy, relative to the former")},
    presets={"quick": dict(replicates=4), "paper": dict(replicates=60)},
    block=4,
)
def transport_bound(*, kind, multiple, rng):
    """The least energy beside `multiple` times the squared distance of optimal transport."""
    law, distance = CASES[kind](rng)
    return {"short": multiple - optimal_energy(law.angle()) / distance}


@claim(
    "kinetic-optimal-paths/above-transport",
    theorem="derived here; the paper says that it is optimal within the family only",
    status="ours",
    statement=r"$\mathcal E^\star>W_2^2(N(0,I),q)/d$ for Gaussian laws of three and more "
    r"eigenvalues, two points and spheres: the optimum of the family is no optimal transport.",
    experiment=transport_bound,
    kind="refutable",
    region=AtMost(0),
    assumptions=(NORMALISED, EXACT, Assumption("laws whose optimal transport is known")),
    control=Control("the cost |x - y|^2 / 2 taken for W_2^2 / 2, and doubled", multiple=2),
)
def above_transport(table):
    """Share of laws with a smaller energy."""
    return violations_estimate(*violations(table, "short"))
