"""Exact posteriors and max-information of mechanisms whose samples and outputs can be counted."""

from __future__ import annotations

import numpy as np

from theorytk.adaptive.information import (
    binomial_prior,
    geometric_channel,
    max_information,
    max_information_of_outputs,
    max_information_of_privacy,
    posterior_sensitivity,
)
from theorytk.adaptive.transfer import tanh_gap
from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate, violations_estimate

from .common import HOLD, INDEPENDENT, JLNRSS, random_channel, random_privacy


def tight_probability(epsilon):
    """The probability of a one at which the bound is attained."""
    return 1 / (1 + np.exp(-epsilon / 2))


def one_half(epsilon):
    """Fair bits."""
    return 0.5


def jung_gap(epsilon):
    """The bound of Jung et al."""
    return np.expm1(epsilon)


PROBABILITIES = {"tight": tight_probability, "fair": one_half}
LAWS = {"tanh": tanh_gap, "jung": jung_gap}


@experiment(
    "adaptive-data-analysis/posterior-sensitivity",
    paper=JLNRSS,
    design=grid(n=[1, 12, 50], epsilon=[0.1, 0.3, 1.0, 3.0], probability="tight", law="tanh"),
    paired=("probability", "law"),
    columns={"error": Column("largest gap of an answer over the bound, less 1")},
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
    algorithm="law",
)
def sensitivity(*, n, epsilon, probability, law, rng):
    """Largest gap of a count of bits with geometric noise, over the bound.

    The algorithm is ``law(epsilon) -> bound`` of the gap of an epsilon-private transcript.
    """
    p = PROBABILITIES[probability](epsilon)
    means = np.arange(n + 1) / n
    gaps = posterior_sensitivity(binomial_prior(n, p), geometric_channel(n, epsilon), means)
    bound = float((LAWS[law] if isinstance(law, str) else law)(epsilon))
    return {"error": gaps.max() / bound - 1}


@claim(
    "adaptive-data-analysis/posterior-sensitivity-exact",
    theorem="derived here: the gap of a private transcript is attained",
    status="ours",
    statement=r"The largest gap of a count of Bernoulli($p$) bits with geometric noise is exactly "
    r"$\tanh(\varepsilon/4)$ if $p=1/(1+e^{-\varepsilon/2})$, for every $n$.",
    experiment=sensitivity,
    kind="identity",
    region=AtMost(1e-6),
    reason="rounding: gaps are differences of sums over at most 51 counts, divided by tails",
    assumptions=(Assumption(INDEPENDENT),),
    control=(
        Control("fair bits", probability="fair"),
        Control("exp(epsilon) - 1, the bound of Jung et al.", law="jung"),
    ),
)
def posterior_sensitivity_exact(table):
    """Largest relative difference from the bound, per epsilon."""
    return {
        f"epsilon={e:g}": exact_estimate(g["error"].abs().max(), len(g))
        for e, g in table.groupby("epsilon")
    }


def geometric(n, epsilon):
    """The count with geometric noise."""
    return geometric_channel(n, epsilon)


def third_noise(n, epsilon):
    """A third of the noise."""
    return geometric_channel(n, 3 * epsilon)


def counted(n, epsilon):
    """The count itself."""
    return np.eye(n + 1)


CHANNELS = {"geometric": geometric, "third": third_noise, "count": counted}


@experiment(
    "adaptive-data-analysis/max-information",
    paper=HOLD,
    design=grid(channel="geometric", beta=[0, 0.05]),
    paired=("channel",),
    columns={
        "bits": Column("exact max-information", unit="bit"),
        "limit": Column("its bound", unit="bit"),
    },
    presets={"quick": dict(replicates=500), "paper": dict(replicates=20_000)},
    block=250,
    algorithm="channel",
)
def information_of_privacy(*, channel, beta, rng):
    """Max-information of a count of random bits with noise, against the bound of privacy.

    The algorithm is ``channel(n, epsilon) -> (n + 1, y)``, probabilities of answers given a count
    of n bits that are epsilon-private.
    """
    n, p, epsilon = random_privacy(rng)
    rows = (CHANNELS[channel] if isinstance(channel, str) else channel)(n, epsilon)
    bits = max_information(binomial_prior(n, p), rows, beta)
    return {"bits": bits, "limit": max_information_of_privacy(n, epsilon, beta)}


def exceeded(table):
    """Return the share of rows whose max-information exceeds the bound by more than rounding."""
    return violations_estimate(int((table["bits"] > table["limit"] + 1e-9).sum()), len(table))


@claim(
    "adaptive-data-analysis/max-information-of-privacy",
    theorem="Theorems 19 and 20",
    statement=r"An $\varepsilon$-private answer about $n$ points has at most "
    r"$\varepsilon n\log_2e$ bits of max-information, and "
    r"$(\varepsilon^2n/2+\varepsilon\sqrt{n\ln(2/\beta)/2})\log_2e$ of "
    r"$\beta$-approximate max-information if the points are independent.",
    experiment=information_of_privacy,
    kind="refutable",
    region=AtMost(0),
    assumptions=(Assumption(INDEPENDENT), Assumption("counts of 1 to 39 bits")),
    control=(
        Control("a third of the noise", channel="third"),
        Control("the count itself", channel="count"),
    ),
)
def max_information_of_private_answers(table):
    """Share of violations, for both theorems."""
    return {f"beta={b:g}": exceeded(g) for b, g in table.groupby("beta")}


def of_outputs(n_outputs, beta):
    """Theorem 17."""
    return max_information_of_outputs(n_outputs, beta)


def without_beta(n_outputs, beta):
    """The bits of an output, and nothing for the outputs that are rare."""
    return np.log2(n_outputs)


OUTPUT_BOUNDS = {"theorem": of_outputs, "without-beta": without_beta}


@experiment(
    "adaptive-data-analysis/max-information-of-outputs",
    paper=HOLD,
    design=grid(bound="theorem"),
    paired=("bound",),
    columns={
        "bits": Column("exact max-information", unit="bit"),
        "limit": Column("its bound", unit="bit"),
    },
    presets={"quick": dict(replicates=500), "paper": dict(replicates=20_000)},
    block=250,
    algorithm="bound",
)
def information_of_outputs(*, bound, rng):
    """Max-information of a random mechanism with few outputs, against its bound.

    The algorithm is ``bound(n_outputs, beta) -> bits``.
    """
    _, _, prior, channel = random_channel(rng)
    if rng.random() < 0.5:
        channel = (channel == channel.max(axis=1, keepdims=True)).astype(float)
    beta = float(np.exp(rng.uniform(-6, -1)))
    bits = max_information(prior, channel, beta)
    law = OUTPUT_BOUNDS[bound] if isinstance(bound, str) else bound
    return {"bits": bits, "limit": float(law(channel.shape[1], beta))}


@claim(
    "adaptive-data-analysis/max-information-of-outputs",
    theorem="Theorem 17",
    statement=r"An answer with $|\mathcal Y|$ possible values has at most "
    r"$\log_2(|\mathcal Y|/\beta)$ bits of $\beta$-approximate max-information.",
    experiment=information_of_outputs,
    kind="refutable",
    region=AtMost(0),
    assumptions=(Assumption("samples of 1 to 3 points; half of the mechanisms deterministic"),),
    control=Control("log2 of the number of values", bound="without-beta"),
)
def max_information_of_few_outputs(table):
    """Share of violations."""
    return exceeded(table)
