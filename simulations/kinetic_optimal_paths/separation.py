"""The separation function: how paths start, where gamma ends, and its integral."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate
from theorytk.paths.checkerboard import checkerboard_separation
from theorytk.paths.oracles import (
    atoms_separation,
    gaussian_separation,
    sphere_separation,
    subspace_separation,
)
from theorytk.paths.separation_laws import (
    entropy_bound,
    gamma_limit,
    paper_separation_bound,
)
from theorytk.paths.theory import start_exponent

from .common import EXACT, NORMALISED, PAPER, build, random_atoms, violations

# The order of the first cumulant that is not the Gaussian's, and a law with it.
STARTS = {
    "gaussian": (2, lambda: gaussian_separation([0.25, 1.75])),
    "skew": (3, lambda: atoms_separation([-0.5, 2.0], [0.8, 0.2])),
    "two points": (4, lambda: atoms_separation([-1.0, 1.0])),
    "three points": (4, lambda: atoms_separation([-1.0, 0.0, 1.0])),
}


@experiment(
    "kinetic-optimal-paths/starts",
    paper=PAPER,
    design=grid(law=list(STARTS), path="kinetic-optimal", shift=0),
    paired=("path", "shift"),
    columns={"error": Column("slope of log a on log t between 1e-5 and 1e-3, minus the law")},
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
    algorithm="path",
)
def starts(*, law, path, shift, rng):
    """The exponent with which a(t) starts; the algorithm is ``path(separation) -> GaussianPath``.

    The order of the first cumulant that differs is counted `shift` too large.
    """
    order, make = STARTS[law]
    t = np.geomspace(1e-5, 1e-3, 9)
    slope = np.polyfit(np.log(t), np.log(build(path, make()).a(t)), 1)[0]
    return {"error": slope - start_exponent(order + shift)}


@claim(
    "kinetic-optimal-paths/start-exponent",
    theorem="derived here (start_exponent)",
    status="ours",
    statement=r"$a_t\sim t^{1/k}$ as $t\to0$, $k$ the order of the first cumulant in which the "
    r"data differ from $N(0,I)$: $\dot a_0=\infty$ for centred data.",
    experiment=starts,
    kind="identity",
    region=AtMost(5e-4),
    reason="gamma has a next term of relative order theta^2 = t^(2/k), or theta; with a few times "
    "1e-3^(1/2) over 2 ln 10 decades some 1e-4, and interpolation",
    assumptions=(NORMALISED, EXACT),
    control=(
        Control("Cond-OT, which starts linearly", path="cond-ot"),
        Control("the order counted one too large", shift=1),
    ),
)
def starts_with_exponent(table):
    """Largest difference of an exponent."""
    return exact_estimate(table["error"].abs().max(), len(table))


# The information dimension of a law, and a law with it.
DIMENSIONS = {
    "atoms": (0, lambda: atoms_separation([-1.0, 0.5, 1.0])),
    "subspace": (3, lambda: subspace_separation(3, 10)),
    "sphere": (2, lambda: sphere_separation(3)),
    "checkerboard": (2, checkerboard_separation),
}


@experiment(
    "kinetic-optimal-paths/large-angles",
    paper=PAPER,
    design=grid(law=list(DIMENSIONS), s=1e4, shift=0),
    paired=("s", "shift"),
    columns={"error": Column("gamma at s minus its limit")},
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def large_angles(*, law, s, shift, rng):
    """Gamma near the right angle beside its limit for a dimension that is wrong by `shift`."""
    dimension, make = DIMENSIONS[law]
    separation = make()
    limit = gamma_limit(abs(dimension - shift), separation.d)
    return {"error": float(separation.gamma(math.atan(s))) - limit}


@claim(
    "kinetic-optimal-paths/information-dimension",
    theorem="Wu, Verdu (2011), in the terms of eq (27)",
    status="ours",
    statement=r"$\gamma(\theta)\to1-\dim(q)/d$ as $\theta\to\pi/2$, $\dim$ the information "
    r"dimension: 0 for atoms, $d$ for a density, $d-1$ for a sphere.",
    experiment=large_angles,
    kind="identity",
    region=AtMost(1e-3),
    reason="a density with edges has gamma of order 1/s, s = 1e4; the sphere is known to 1e-6",
    assumptions=(NORMALISED, EXACT),
    control=(
        Control("the dimension wrong by one", shift=1),
        Control("taken at s = 1, where the scale of the data still shows", s=1),
    ),
)
def information_dimension(table):
    """Largest difference from the limit."""
    return exact_estimate(table["error"].abs().max(), len(table))


@experiment(
    "kinetic-optimal-paths/discrete-laws",
    paper=PAPER,
    design=grid(unit="nats", exponent=0.5),
    paired=("unit", "exponent"),
    columns={
        "sum_rule": Column("int s (1 - lambda) ds over H / d, minus 1"),
        "entropy": Column("delta minus arccos(exp(-H/d))"),
        "paper": Column("delta minus the paper's bound"),
    },
    presets={"quick": dict(replicates=24), "paper": dict(replicates=200)},
    block=12,
)
def discrete_laws(*, unit, exponent, rng):
    """Random atoms on a line in R^d: int s (1 - lambda), and delta beside two bounds.

    The entropy is in nats, in bits, or half of that in nats; the paper's bound is 3 n / d^exponent.
    """
    law = random_atoms(rng)
    entropy = law.entropy * {"nats": 1.0, "bits": 1 / math.log(2), "half": 0.5}[unit]
    bound = paper_separation_bound(2, law.d) * law.d ** (0.5 - exponent)
    delta = law.delta()
    return {
        "sum_rule": law.sum_rule() * law.d / entropy - 1,
        "entropy": delta - entropy_bound(entropy, law.d),
        "paper": delta - bound,
    }


ATOMS = (NORMALISED, EXACT, Assumption("2 or 3 atoms on a line in R^d, d up to 512"))


@claim(
    "kinetic-optimal-paths/sum-rule",
    theorem="derived here, from the I-MMSE relation of Guo, Shamai, Verdu (2005)",
    status="ours",
    statement=r"$\int_0^\infty s\,(1-\lambda(s))\,ds=H/d$ for every discrete law of entropy $H$ in "
    r"nats.",
    experiment=discrete_laws,
    kind="identity",
    region=AtMost(1e-5),
    reason="Simpson's rule over 3000 angles, dense at both ends",
    assumptions=ATOMS,
    control=Control("the entropy in bits", unit="bits"),
)
def sum_rule(table):
    """Largest relative error."""
    return exact_estimate(table["sum_rule"].abs().max(), len(table))


@claim(
    "kinetic-optimal-paths/entropy-bound",
    theorem="derived here (entropy_bound); sharper than Theorem 4.1",
    status="ours",
    statement=r"$\delta=\int_0^\infty(1-\lambda)ds\le\arccos(e^{-H/d})\le\sqrt{2H/d}$ for every "
    r"discrete law: Cond-OT is asymptotically optimal as soon as $(\ln n)/d\to0$.",
    experiment=discrete_laws,
    kind="refutable",
    region=AtMost(0),
    assumptions=ATOMS,
    control=Control("half of the entropy, as if I-MMSE had no factor 1/2", unit="half"),
)
def below_entropy_bound(table):
    """Share of laws above the bound."""
    return violations_estimate(*violations(table, "entropy"))


@claim(
    "kinetic-optimal-paths/paper-bound",
    theorem="Theorem 4.1",
    statement=r"$\int_0^\infty|1-\lambda(s)|\,ds\le3n/\sqrt d$ for every normalised data set of "
    r"$n$ points.",
    experiment=discrete_laws,
    kind="refutable",
    region=AtMost(0),
    assumptions=ATOMS,
    control=Control("n / d, as abstracts print that have lost the root", exponent=1),
)
def below_paper_bound(table):
    """Share of laws above the bound."""
    return violations_estimate(*violations(table, "paper"))
