"""RACE: hashed counters, their kernels and noise, and the scale of the published code."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between
from theorytk.privacy.audit_sampling import two_sample_audit
from theorytk.privacy.composition import laplace_composed_epsilon
from theorytk.privacy.hashing import (
    angular_collision,
    angular_hashes,
    binning_hashes,
    l2_collision,
    l2_hashes,
)
from theorytk.privacy.kernels import kernel_values
from theorytk.privacy.noise import discrete_laplace
from theorytk.privacy.race import race, race_noise

from .audits import ALARM, SURE
from .estimates import means, violations

PAPER = "coleman2020race"
PAIR = np.array([[0.3, -0.4, 0.9], [0.8, 0.1, 0.5]])
# Hashes and the collision probability of the pair, by family.
FAMILIES = {
    "l2": (
        lambda rows, bits, rng: l2_hashes(3, rows, width=2.0, power=2, bits=bits, rng=rng),
        lambda: l2_collision(np.linalg.norm(PAIR[0] - PAIR[1]), width=2.0, power=2),
    ),
    "angular": (
        lambda rows, bits, rng: angular_hashes(3, rows, power=3, bits=bits, rng=rng),
        lambda: angular_collision(*PAIR, power=3),
    ),
    "laplacian": (
        lambda rows, bits, rng: binning_hashes("laplacian", 3, rows, bits=bits, rng=rng),
        lambda: kernel_values("laplacian", PAIR[:1], PAIR[1:])[0, 0],
    ),
    "inverse": (
        lambda rows, bits, rng: binning_hashes("inverse", 1, rows, bits=bits, rng=rng),
        lambda: kernel_values("inverse", PAIR[:1, :1], PAIR[1:, :1])[0, 0],
    ),
}
TABLES = {
    "corrected": lambda mechanism, counters: mechanism.synthesise(counters),
    "as counted": lambda mechanism, counters: counters.reshape(mechanism.hashes.rows, -1),
    "half corrected": lambda mechanism, counters: np.mean(
        [TABLES[name](mechanism, counters) for name in ("corrected", "as counted")], axis=0
    ),
}


@experiment(
    "private-similarities/collisions",
    paper=PAPER,
    design=grid(family=list(FAMILIES), rows=4000, bits=4),
    paired=("table",),
    columns={"bias": Column("answer for one point without noise, less the collision probability")},
    presets={"quick": dict(replicates=50), "paper": dict(replicates=400)},
    block=10,
    algorithm="table",
)
def collisions(*, family, rows, bits, table="corrected", rng):
    """Answer of hashed counters with one point and no noise, at another point.

    The algorithm is ``table(mechanism, counters) -> table``, shape (rows, 2^bits): what queries
    read, from a `Race` and its counters (rows 2^bits,), of which a query reads one per row.
    """
    hashes, collision = FAMILIES[family]
    mechanism = race(hashes(rows, bits, rng), epsilon=1.0)
    d = mechanism.hashes.dimension
    counters = mechanism.with_scales([0.0]).release(PAIR[:1, :d])
    read = TABLES.get(table, table)(mechanism, counters)
    return {"bias": float(mechanism.answers(read, PAIR[1:, :d])[0] - collision())}


@claim(
    "private-similarities/race-kernel",
    theorem="Coleman, Shrivastava (2020); the correction derived here (race)",
    status="ours",
    statement=r"Counters in $W$ shared buckets answer $\frac1I\sum_r\big(A_r[h_r(y)]W-N_r\big)/"
    r"(W-1)$, of mean $\sum_ik(x_i,y)$ for the collision probability $k$ of the hashes: "
    r"that of Gaussian projections, $(1-\theta/\pi)^p$, $e^{-|x-y|_1}$ or $1/(1+|x-y|)$.",
    experiment=collisions,
    region=Between(0, 0, margin=0.01),
    reason="the law is exact; the margin is what 200,000 rows resolve",
    assumptions=(Assumption("one point and one query; sums are linear and laws for every pair"),),
    control=(
        Control("chance collisions left in", table="as counted"),
        Control("half of the chance collisions left in", table="half corrected"),
    ),
)
def collisions_are_kernels(table):
    """Mean of the answer less the kernel, per family."""
    return means(table, "bias", "family")


BUDGETS = {"laplace": dict(epsilon=1.0), "gaussian": dict(rho=0.005)}
SCALES = {
    "calibrated": lambda kind, rows: 1.0,
    "12% too small": lambda kind, rows: 0.88,
    "rows forgotten": lambda kind, rows: 1 / (rows if kind == "laplace" else np.sqrt(rows)),
}


@experiment(
    "private-similarities/counter-noise",
    paper=PAPER,
    design=grid(kind=list(BUDGETS), rows=[20, 80], batch=20, bits=3),
    paired=("scale",),
    columns={"ratio": Column("mean square noise of the answers over its law")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=10,
)
def counter_noise(*, kind, rows, batch, bits, scale="calibrated", rng):
    """Noise of `batch` releases of hashed counters of no points, at 20 far queries."""
    hashes = l2_hashes(2, rows, bits=bits, rng=rng)
    planned = race(hashes, **BUDGETS[kind])
    mechanism = planned.with_scales(planned.scales * SCALES[scale](kind, rows))
    y = 40 * rng.random((20, 2))
    tables = map(mechanism.synthesise, mechanism.releases(np.empty((0, 2)), batch, rng))
    square = np.mean([mechanism.answers(table, y) ** 2 for table in tables])
    return {"ratio": square / race_noise(rows, **BUDGETS[kind], bits=bits) ** 2}


@claim(
    "private-similarities/race-noise",
    theorem="derived here (race_noise)",
    status="ours",
    statement=r"The noise of $I$ rows of $W$ counters is $\sqrt{2IW/(W-1)}/\varepsilon$ at every "
    r"query for pure privacy; with Gaussian noise $\sqrt{W/(W-1)}/\sqrt{2\rho}$, whatever $I$ is.",
    experiment=counter_noise,
    region=Between(1, 1, margin=0.15),
    reason="scales of 10 and more make integer noise continuous to 1e-3; the rest is resolution",
    assumptions=(Assumption("sums of no points: noise does not depend on the data"),),
    control=(
        Control("a point counted in one row only", scale="rows forgotten"),
        Control("scales 12% too small", scale="12% too small"),
    ),
)
def race_noise_law(table):
    """Mean square noise over its law, per noise and number of rows."""
    return means(table, "ratio", ["kind", "rows"])


def scaled(scale):
    """Return counters plus discrete Laplace noise of ``scale(rows, n, epsilon)``."""

    def mechanism(counters, n, epsilon, size, rng):
        rows = len(counters)
        return counters + discrete_laplace(scale(rows, n, epsilon), (size, rows), rng)

    return mechanism


COUNTERS = {
    "exact": scaled(lambda rows, n, epsilon: rows / epsilon),
    "scale halved": scaled(lambda rows, n, epsilon: rows / (2 * epsilon)),
    "a third of the scale": scaled(lambda rows, n, epsilon: rows / (3 * epsilon)),
    "published scale": scaled(lambda rows, n, epsilon: rows / (n * epsilon)),
    "rows forgotten": scaled(lambda rows, n, epsilon: 1 / epsilon),
    "100 times published": scaled(lambda rows, n, epsilon: 100 * rows / (n * epsilon)),
}


@experiment(
    "private-similarities/audited-counters",
    paper=PAPER,
    design=grid(rows=20, points=1000, epsilon=1, delta=0.01, n=10_000, confidence=SURE),
    paired=("mechanism",),
    columns={
        "excess": Column("certified epsilon over that of the exact composition, less one"),
        "certified": Column("epsilon certified at delta"),
        "claimed": Column("epsilon of the exact composition of the rows at delta"),
    },
    presets={"quick": dict(replicates=6), "paper": dict(replicates=50, rows=50, n=20_000)},
    block=10,
    algorithm="mechanism",
)
def audited_counters(*, rows, points, epsilon, delta, n, confidence, mechanism="exact", rng):
    """Audit of the counters that one point changes, of one row each, at a positive delta.

    The algorithm is ``mechanism(counters, n, epsilon, size, rng) -> releases``, shape (size,
    rows): independent noisy releases of integer counters (rows,) of n points, epsilon-private for
    an added point, which adds 1 to each.
    """
    draw = COUNTERS.get(mechanism, mechanism)
    counters = rng.binomial(points, 0.1, rows)
    scores = []
    for added in (1, 0):
        released = np.asarray(draw(counters + added, points, epsilon, n, rng)) - counters
        scores.append((np.abs(released) - np.abs(released - 1)).sum(axis=1))
    claimed = laplace_composed_epsilon(epsilon / rows, rows, delta, steps=1)
    found = two_sample_audit(*scores, claimed=claimed, delta=delta, confidence=confidence)
    excess = found.certified / claimed - 1
    return {"excess": excess, "certified": found.certified, "claimed": claimed}


@claim(
    "private-similarities/audit-race-published",
    theorem="Coleman, Shrivastava (2020), with noise for counts (race)",
    status="erratum",
    statement=r"Counters of $I$ rows with discrete Laplace noise of scale $I/\varepsilon$ are "
    r"$\varepsilon$-private to audits, at $\delta=0.01$ as private as the composition of the rows; "
    r"with $I/(n\varepsilon)$, as the published code adds to whole counts, they are not.",
    experiment=audited_counters,
    kind="refutable",
    region=AtMost(0),
    reason=ALARM,
    assumptions=(
        Assumption("neighbours by addition and removal"),
        Assumption("the code as of its snapshot of March 2023, read by others", checked=False),
    ),
    control=(
        Control("the published scale", mechanism="published scale"),
        Control("a third of the noise", mechanism="a third of the scale"),
        Control("noise for one row", mechanism="rows forgotten"),
    ),
)
def published_scale_is_caught(table):
    """Share of audits that refute the guarantee."""
    return violations(table, "excess", 1e-9)
