"""Curation weights, exactly, and what they become when users choose from very many samples."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate
from theorytk.selfconsuming import tilt, tilt_distance_constant

from .common import FINITE, PAPER, POPULATION, random_problem
from .mistakes import WEIGHTS
from .oracles import enumerated_weights

LUCE = Assumption("users choose by Luce's rule among K independent samples")
TIMES = (1, 5, 20)


@experiment(
    "self-consuming-curation/weights",
    paper=PAPER,
    design=grid(K=[2, 3, 5]),
    paired=("weights",),
    columns={"error": Column("largest relative error of a curation weight")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=40,
    algorithm="weights",
)
def exact_weights(*, K, weights="library", rng):
    """Curation weights of 1 to 4 atoms against enumeration of all outcomes.

    The algorithm is ``weights(p, reward, K) -> H``, shape (n,).
    """
    n = int(rng.integers(1, 5))
    p, reward = rng.dirichlet(np.ones(n)), 10 ** rng.uniform(-1, 1.5) * rng.standard_normal(n)
    found = WEIGHTS.get(weights, weights)(p, reward, K)
    return {"error": np.max(np.abs(found / enumerated_weights(p, reward, K) - 1))}


@claim(
    "self-consuming-curation/exact-weights",
    theorem="derived here (quadrature of the Laplace transform)",
    status="ours",
    statement=r"The curation weights are $H_i=K\int_0^\infty w_ie^{-uw_i}\varphi(u)^{K-1}du$ with "
    r"$\varphi(u)=\sum_jp_je^{-uw_j}$ and $w=e^r$, for every $K\ge2$.",
    experiment=exact_weights,
    kind="identity",
    region=AtMost(1e-12),
    assumptions=(LUCE, FINITE),
    control=(
        Control("the other samples replaced by their mean weight", weights="mean-field"),
        Control("K read as the number of the others", weights="one-more"),
    ),
)
def weights_are_exact(table):
    """Largest relative error over all problems."""
    return exact_estimate(table["error"].max(), len(table))


@experiment(
    "self-consuming-curation/many-samples",
    paper=PAPER,
    design=grid(K=[2**9, 2**10]),
    paired=("weights",),
    columns={
        "law": Column("law of K times total variation from infinitely many samples"),
        "error": Column("relative distance from it, extrapolated from K and 2 K"),
        "distance": Column("total variation at K"),
    },
    presets={"quick": dict(replicates=30), "paper": dict(replicates=300)},
    block=30,
    algorithm="weights",
)
def many_samples(*, K, weights="library", rng):
    """Curation by K and 2 K samples against the limit of many, for 20 random atoms.

    The algorithm is ``weights(p, reward, K) -> H``, shape (n,).
    """
    p, reward = rng.dirichlet(np.ones(20)), 0.5 * rng.standard_normal(20)
    used, limit = WEIGHTS.get(weights, weights), tilt(p, reward, 1)
    near, far = (0.5 * np.abs(p * used(p, reward, k) - limit).sum() for k in (K, 2 * K))
    law = tilt_distance_constant(p, reward)
    return {"law": law, "error": abs((4 * K * far - K * near) / law - 1), "distance": near}


@claim(
    "self-consuming-curation/many-samples-rate",
    theorem="derived here, for the limit of many samples of the paper",
    status="ours",
    statement=r"One generation with $K$ samples differs from the limit $p\,e^r/\mathbb E_pe^r$ by "
    r"$\mathrm{TV}=C/K+O(K^{-2})$, $C=\frac12\sum_ip_i\frac{w_i}m|1-\frac{w_i}m+\frac V{m^2}|$.",
    experiment=many_samples,
    kind="identity",
    region=AtMost(1e-3),
    reason="K = 512 and 1024, extrapolated: the remainder is of order 1/K^2, 4e-6 at most, times "
    "moments of w/m and unless the sign of a term changes",
    assumptions=(LUCE, FINITE),
    control=(
        Control("the other samples replaced by their mean weight", weights="mean-field"),
        Control("the limit itself taken for K samples", weights="infinitely-many"),
    ),
)
def many_samples_rate(table):
    """Largest relative error of the extrapolated constant."""
    return exact_estimate(table["error"].max(), len(table))


@experiment(
    "self-consuming-curation/tilting",
    paper=PAPER,
    design=grid(penalty_shift=0),
    paired=("weights", "penalty_shift"),
    columns={
        "t": Column("generations", dtype="int"),
        "tilt": Column("total variation between model and tilted law"),
        "value": Column("difference between the objective and its maximum", unit="nat"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=40,
    algorithm="weights",
)
def tilting(*, penalty_shift, weights="library", rng):
    """Models after 1, 5 and 20 generations at infinite K against tilted laws.

    The objective has the penalty KL / (t + penalty_shift). The algorithm is
    ``weights(p, reward, K) -> H``, shape (n,).
    """
    p0, reward, _ = random_problem(rng, spread=2.0)
    rows, p = [], p0
    for t in range(1, max(TIMES) + 1):
        p = p * WEIGHTS.get(weights, weights)(p, reward, math.inf)
        penalty = p @ np.log(np.maximum(p, 1e-300) / p0) / (t + penalty_shift)
        best = np.log(p0 @ np.exp(t * reward)) / t
        distance = 0.5 * np.abs(p - tilt(p0, reward, t)).sum()
        rows.append({"t": t, "tilt": distance, "value": abs(p @ reward - penalty - best)})
    return [row for row in rows if row["t"] in TIMES]


@claim(
    "self-consuming-curation/tilt",
    theorem="limit of many samples",
    statement=r"With infinitely many samples to choose from, $p_t\propto p_0e^{tr}$ exactly.",
    experiment=tilting,
    kind="identity",
    region=AtMost(1e-11),
    assumptions=(LUCE, FINITE, POPULATION),
    control=Control("a thousand samples taken for infinitely many", weights="thousand"),
)
def tilt_is_exact(table):
    """Largest total variation."""
    return exact_estimate(table["tilt"].max(), len(table))


@claim(
    "self-consuming-curation/human-feedback",
    theorem="limit of many samples; the link with reinforcement learning from human feedback",
    statement=r"That $p_t$ attains $\max_q\mathbb E_qr-\frac1t\mathrm{KL}(q\,\Vert\,p_0)="
    r"\frac1t\log\mathbb E_{p_0}e^{tr}$: retraining $t$ times is one step of reinforcement "
    r"learning from human feedback with the penalty $1/t$.",
    experiment=tilting,
    kind="identity",
    region=AtMost(1e-10),
    assumptions=(LUCE, FINITE, POPULATION),
    control=(
        Control("generations counted from one too many", penalty_shift=1),
        Control("a thousand samples taken for infinitely many", weights="thousand"),
    ),
)
def human_feedback(table):
    """Largest difference from the maximum, in nats."""
    return exact_estimate(table["value"].max(), len(table))
