"""Audits: they refute false guarantees, never true ones, and certify what their laws predict."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between
from theorytk.privacy.audit_sampling import granularity_audit, one_run_audit, two_sample_audit
from theorytk.privacy.audit_theory import (
    detection_probability,
    laplace_certified,
    one_run_certified,
)
from theorytk.privacy.noise import discrete_laplace

from .estimates import means, violations

PAPER = "backurs2024similarities"
# Eighty audits of a private mechanism are all passed but with probability 1e-6.
SURE = 1 - 1e-8
ALARM = "a violation refutes the guarantee at confidence 1 - 1e-8"


def on_grid(scale):
    """Return ``mechanism(count, epsilon, size, rng)`` with noise on a grid of step 2^-10."""

    def mechanism(count, epsilon, size, rng):
        return count + discrete_laplace(1024 * scale(epsilon), size, rng) / 1024

    return mechanism


def floating(count, epsilon, size, rng):
    """Release a count with floating-point noise of the right scale."""
    return count + rng.laplace(scale=1 / epsilon, size=size)


COUNTS = {
    "exact": on_grid(lambda epsilon: 1 / epsilon),
    "scale halved": on_grid(lambda epsilon: 0.5 / epsilon),
    "scale 12% too small": on_grid(lambda epsilon: 0.88 / epsilon),
    "scale epsilon": on_grid(lambda epsilon: epsilon),
    "floating point": floating,
}


@experiment(
    "private-similarities/audited-count",
    paper=PAPER,
    design=grid(epsilon=[0.5, 1, 2], n=10_000, confidence=SURE),
    paired=("mechanism",),
    columns={
        "excess": Column("larger of the certified epsilons over that claimed, less one"),
        "certified": Column("epsilon certified by thresholds"),
        "law": Column("the same at expected counts, of continuous Laplace noise"),
    },
    presets={"quick": dict(replicates=20), "paper": dict(replicates=50)},
    block=25,
    algorithm="mechanism",
)
def audited_count(*, epsilon, n, confidence, mechanism="exact", rng):
    """Audit of a private count, by thresholds and by its last bits: no points against one.

    The algorithm is ``mechanism(count, epsilon, size, rng) -> releases``, shape (size,):
    independent releases of a count, epsilon-private for added and removed points.
    """
    draw = COUNTS.get(mechanism, mechanism)
    without, with_one = (np.asarray(draw(count, epsilon, n, rng)) for count in (0, 1))
    options = dict(claimed=epsilon, confidence=1 - (1 - confidence) / 2)
    audits = two_sample_audit, granularity_audit
    found = [audit(without, with_one, **options).certified for audit in audits]
    law = float(laplace_certified(epsilon, n, confidence=options["confidence"]))
    return {"excess": max(found) / epsilon - 1, "certified": found[0], "law": law}


@claim(
    "private-similarities/audit-laplace",
    theorem="Jagielski, Ullman, Oprea (2020), Section 4; limits and halves derived here",
    status="ours",
    statement=r"A count with discrete Laplace noise of scale $1/\varepsilon$ is "
    r"$\varepsilon$-private: no audit of its releases certifies more.",
    experiment=audited_count,
    kind="refutable",
    region=AtMost(0),
    reason=ALARM,
    assumptions=(Assumption("one point more or less: neighbours by addition and removal"),),
    control=(
        Control("half the noise", mechanism="scale halved"),
        Control("scale epsilon instead of 1 / epsilon", mechanism="scale epsilon"),
        Control("floating-point noise", mechanism="floating point"),
    ),
)
def audit_laplace(table):
    """Share of audits that refute the guarantee."""
    return violations(table, "excess", 1e-9)


@claim(
    "private-similarities/audit-laplace-power",
    theorem="derived here (laplace_certified)",
    status="ours",
    statement=r"On average the audit of a count with Laplace noise certifies what expected counts "
    r"of the event of largest loss do: shares $\frac12$ and $\frac12e^{-\varepsilon}$.",
    experiment=audited_count,
    at=dict(confidence=0.999, epsilon=[1, 2]),
    region=Between(1, 1, margin=0.12),
    reason="the logarithm of a share differs from that of its mean by half its relative variance",
    assumptions=(Assumption("noise on a grid of step 2^-10, as good as continuous here"),),
    control=(
        Control("half the noise", mechanism="scale halved"),
        Control("scales 12% too small", mechanism="scale 12% too small"),
    ),
)
def audit_is_as_strong(table):
    """Mean of certified over predicted epsilon, per epsilon."""
    return means(table.assign(ratio=table["certified"] / table["law"]), "ratio", "epsilon")


@experiment(
    "private-similarities/false-alarms",
    paper=PAPER,
    design=grid(delta=[0, 0.05]),
    paired=("limits",),
    columns={"excess": Column("probability of a false alarm over the one allowed, less one")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=500)},
    block=20,
)
def false_alarms(*, delta, limits="each at half", rng):
    """Exact probability that frequencies refute a guarantee that an event attains.

    Limits of the two probabilities are each at half of the error, or there are "none", or each has
    the error that intervals of "80%" have.
    """
    epsilon, n = rng.uniform(0.1, 3), int(np.exp(rng.uniform(1, 7)))
    allowed = 10 ** rng.uniform(-4, -1)
    q = rng.random() * (1 - delta) * math.exp(-epsilon)
    confidence = {"each at half": 1 - allowed, "none": 1e-9, "80%": 0.8}[limits]
    p = math.exp(epsilon) * q + delta
    options = dict(claimed=epsilon, delta=delta, confidence=confidence)
    return {"excess": detection_probability(p, q, n, **options) / allowed - 1}


@claim(
    "private-similarities/audit-false-alarms",
    theorem="derived here (certified_epsilon, detection_probability)",
    status="ours",
    statement=r"With Clopper-Pearson limits at $(1-\gamma)/2$ each, an event with "
    r"$p=e^\varepsilon q+\delta$ exactly refutes it with probability at most $1-\gamma$.",
    experiment=false_alarms,
    kind="refutable",
    region=AtMost(0),
    reason="probabilities are exact sums over all outcomes",
    assumptions=(Assumption("the event is chosen on other releases, as `two_sample_audit` does"),),
    control=(
        Control("frequencies without limits", limits="none"),
        Control("the limits of 80% intervals for any confidence", limits="80%"),
    ),
)
def false_alarms_are_rare(table):
    """Share of parameters with a larger probability."""
    return violations(table, "excess", 1e-9)


HISTOGRAM = {"exact": 1.0, "scale halved": 0.5, "scales 4% too small": 0.96}


@experiment(
    "private-similarities/one-run",
    paper=PAPER,
    design=grid(epsilon=[1, 2], m=20_000, confidence=SURE),
    paired=("mechanism",),
    columns={
        "excess": Column("certified epsilon over that claimed, less one"),
        "ratio": Column("certified epsilon over that at expected counts"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=40)},
    block=40,
    algorithm="mechanism",
)
def one_run(*, epsilon, m, confidence, mechanism="exact", rng):
    """Audit of one release of a histogram with a canary, or none, in each of m cells.

    The algorithm is ``mechanism(counts, epsilon, rng) -> noisy counts``, shape (m,):
    epsilon-private for added and removed points.
    """
    included = rng.random(m) < 0.5
    if mechanism in HISTOGRAM:
        noise = discrete_laplace(HISTOGRAM[mechanism] / epsilon, m, rng)
        released = included + noise
    else:
        released = np.asarray(mechanism(included.astype(int), epsilon, rng))
    scores = np.abs(released) - np.abs(released - 1)
    found = one_run_audit(scores, included, claimed=epsilon, threshold=1, confidence=confidence)
    law = one_run_certified(epsilon, m, steps=1, confidence=confidence)
    return {"excess": found.certified / epsilon - 1, "ratio": found.certified / law}


@claim(
    "private-similarities/audit-one-run",
    theorem="Steinke, Nasr, Jagielski (2023), Theorem 5.2",
    statement=r"One release of a histogram with discrete Laplace noise of scale $1/\varepsilon$, "
    r"with canaries in by fair coins, certifies no more than $\varepsilon$.",
    experiment=one_run,
    kind="refutable",
    region=AtMost(0),
    reason=ALARM,
    assumptions=(Assumption("canaries in cells of their own, in or out by fair coins"),),
    control=Control("half the noise", mechanism="scale halved"),
)
def audit_one_run(table):
    """Share of audits that refute the guarantee."""
    return violations(table, "excess", 1e-9)


@claim(
    "private-similarities/audit-one-run-power",
    theorem="derived here (one_run_certified)",
    status="ours",
    statement=r"Integer noise on counts leaves no canary undecided: on average one run certifies "
    r"what $m$ guesses do of which the share $1/(1+e^{-\varepsilon})$ is right.",
    experiment=one_run,
    at=dict(confidence=0.999),
    region=Between(1, 1, margin=0.04),
    reason="the bound is nearly linear in the right guesses, whose spread is 1% of their excess",
    assumptions=(Assumption("canaries in cells of their own, in or out by fair coins"),),
    control=(
        Control("half the noise", mechanism="scale halved"),
        Control("scales 4% too small", mechanism="scales 4% too small"),
    ),
)
def one_run_is_as_strong(table):
    """Mean of certified over predicted epsilon, per epsilon."""
    return means(table, "ratio", "epsilon")
