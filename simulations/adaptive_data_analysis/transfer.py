"""From private answers to the population: the tanh transfer theorem, exactly and by simulation."""

from __future__ import annotations

import math

import numpy as np

from theorytk.adaptive.attacks import random_signs, vote_margins
from theorytk.adaptive.bounds import confidence_width
from theorytk.adaptive.information import posterior_sensitivity
from theorytk.adaptive.mechanisms import EmpiricalMechanism, RoundingMechanism
from theorytk.adaptive.noise_addition import GaussianMechanism, LaplaceMechanism
from theorytk.adaptive.transfer import tanh_gap
from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, mean_estimate, proportion_estimate, violations_estimate

from .common import HOLD, INDEPENDENT, JLNRSS, neighbours, random_channel

DRAWS = 50


def noisy_max(means, epsilon, n, rng):
    """Select by report-noisy-max: the largest mean plus Laplace noise of scale 2 / (epsilon n)."""
    return np.argmax(means + rng.laplace(scale=2 / (epsilon * n), size=means.shape), axis=-1)


def quarter_noise(means, epsilon, n, rng):
    """Noise of scale 1 / (2 epsilon n): the factor 2 on the wrong side."""
    return noisy_max(means, 4 * epsilon, n, rng)


def largest(means, epsilon, n, rng):
    """Select the largest mean, without noise."""
    return np.argmax(means, axis=-1)


SELECTIONS = {"noisy-max": noisy_max, "quarter-noise": quarter_noise, "largest": largest}


@experiment(
    "adaptive-data-analysis/private-selection",
    paper=JLNRSS,
    design=grid(n=500, k=1000, epsilon=[0.04, 0.1, 0.2, 0.5, 1.0], select="noisy-max"),
    paired=("select",),
    columns={"gap": Column("mean over 50 samples of sample mean less 1/2, over tanh(epsilon/4)")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=10,
    algorithm="select",
)
def private_selection(*, n, k, epsilon, select, rng):
    """How much a query overfits that is selected privately among k queries of fair bits.

    The algorithm is ``select(means, epsilon, n, rng) -> index``, with sample means (draws, k) and
    one index for each draw.
    """
    select = SELECTIONS[select] if isinstance(select, str) else select
    means = rng.binomial(n, 0.5, (DRAWS, k)) / n
    chosen = np.asarray(select(means, epsilon, n, rng))
    return {"gap": (means[np.arange(DRAWS), chosen] - 0.5).mean() / float(tanh_gap(epsilon))}


@claim(
    "adaptive-data-analysis/dp-tanh-transfer",
    theorem="derived here: the gap of a private transcript",
    status="ours",
    statement=r"A query that is selected $\varepsilon$-privately has a sample mean which exceeds "
    r"its population mean by at most $\tanh(\varepsilon/4)$ on average.",
    experiment=private_selection,
    region=AtMost(1),
    assumptions=(Assumption(INDEPENDENT), Assumption("1000 independent queries of fair bits")),
    control=(
        Control("selection without noise", select="largest"),
        Control("noise of scale 1 / (2 epsilon n), not 2 / (epsilon n)", select="quarter-noise"),
    ),
)
def dp_tanh_transfer(table):
    """Mean gap over the bound, per epsilon."""
    return {f"epsilon={e:g}": mean_estimate(g["gap"]) for e, g in table.groupby("epsilon")}


def tanh_quarter(epsilon):
    """The largest gap of a private transcript."""
    return float(tanh_gap(epsilon))


def tanh_eighth(epsilon):
    """The same with the range of the log-likelihood halved once too often."""
    return float(tanh_gap(epsilon / 2))


GAPS = {"quarter": tanh_quarter, "eighth": tanh_eighth}


@experiment(
    "adaptive-data-analysis/random-channels",
    paper=JLNRSS,
    design=grid(gap="quarter"),
    paired=("gap",),
    columns={"violated": Column("whether the mean excess is above delta", dtype="bool")},
    presets={"quick": dict(replicates=1000), "paper": dict(replicates=20_000)},
    block=250,
    algorithm="gap",
)
def random_channels(*, gap, rng):
    """Mean excess of the gap of random mechanisms over a bound, against the exact delta.

    The algorithm is ``gap(epsilon) -> bound`` of the gap of an epsilon-private transcript.
    """
    gap = GAPS[gap] if isinstance(gap, str) else gap
    law, samples, prior, channel = random_channel(rng)
    queries = np.array(list(np.ndindex(*(2,) * len(law))))[:, samples].mean(axis=2)
    gaps = np.max([posterior_sensitivity(prior, channel, q) for q in queries], axis=0)
    first, second = neighbours(samples)
    epsilon = rng.choice([0.0, 0.05, 0.2, 0.5, 1.0, 2.0, 4.0])
    excesses = np.maximum(channel[first] - math.exp(epsilon) * channel[second], 0).sum(axis=1)
    excess = (prior @ channel) @ np.maximum(gaps - gap(epsilon), 0)
    return {"violated": excess > excesses.max() + 1e-12}


@claim(
    "adaptive-data-analysis/transfer-excess",
    theorem="derived here: the gap of a private transcript",
    status="ours",
    statement=r"If the transcript $\pi$ is $(\varepsilon,\delta)$-private, then "
    r"$\mathbb E(\mathrm{gap}(\pi)-\tanh(\varepsilon/4))_+\le\delta$, where the gap is the largest "
    r"$|\mathbb E[q(S)\mid\pi]-q(P)|$ of any query.",
    experiment=random_channels,
    kind="refutable",
    region=AtMost(0),
    assumptions=(
        Assumption(INDEPENDENT),
        Assumption("1 to 3 points of 2 or 3 cells; delta is computed from all neighbours"),
    ),
    control=Control("tanh(epsilon / 8)", gap="eighth"),
)
def transfer_excess(table):
    """Share of instances with a larger mean excess."""
    return violations_estimate(int(table["violated"].sum()), len(table))


def gaussian(n, k, beta):
    """Gaussian noise, and the width of the tanh transfer theorem."""
    width = confidence_width(n, k, beta, bound="tanh-gdp")
    return GaussianMechanism(width.parameters["sigma"]), width.value


def naive(n, k, beta):
    """The width of Gaussian noise, and no noise."""
    return EmpiricalMechanism(), gaussian(n, k, beta)[1]


def laplace_scale(n, k, beta):
    """Laplace noise of scale sigma in the place of Gaussian noise."""
    mechanism, width = gaussian(n, k, beta)
    return LaplaceMechanism(mechanism.sigma), width


def rounding(n, k, beta):
    """Rounded means, and the width of their description length."""
    width = confidence_width(n, k, beta, bound="description-length")
    return RoundingMechanism(width.parameters["step"]), width.value


def digits(n, k, beta):
    """Four digits, and the width of k queries that are fixed beforehand."""
    return RoundingMechanism(1e-4), math.sqrt(math.log(2 * k / beta) / (2 * n))


def one_query(n, k, beta):
    """Four digits, and the width of one query that is fixed beforehand."""
    return digits(n, 1, beta)


MECHANISMS = {
    "gaussian": gaussian,
    "naive": naive,
    "laplace-scale": laplace_scale,
    "rounding": rounding,
    "digits": digits,
    "one-query": one_query,
}


def largest_error(signs, mechanism, rng):
    """Return the largest error of k answers and of the accuracy that they suggest to ask for."""
    mechanism.attach(np.zeros(signs.n), rng=rng)
    answers = mechanism.answer_many(signs)
    accuracy = (1 + np.sign(vote_margins(signs, 2 * answers - 1))) / 2
    return max(np.abs(answers - 0.5).max(), abs(mechanism.answer(accuracy) - 0.5))


def coverage(n, k, beta, mechanism, rng):
    """Ask one query less than k about fair signs, then for a classifier's accuracy."""
    mechanism = MECHANISMS[mechanism] if isinstance(mechanism, str) else mechanism
    answering, width = mechanism(n, k, beta)
    return {"miss": largest_error(random_signs(n, k - 1, rng).stored(), answering, rng) > width}


MISS = {
    "miss": Column("whether some answer is further from the truth than the width", dtype="bool")
}


@experiment(
    "adaptive-data-analysis/gaussian-coverage",
    paper=JLNRSS,
    design=grid(n=10_000, k=5500, beta=0.2, mechanism="gaussian"),
    paired=("mechanism",),
    columns=MISS,
    presets={"quick": dict(replicates=60), "paper": dict(replicates=1000)},
    block=20,
    algorithm="mechanism",
)
def gaussian_coverage(*, n, k, beta, mechanism, rng):
    """Whether the two-stage attack finds an answer that is off by more than the width.

    The algorithm is ``mechanism(n, k, beta) -> (Mechanism, width)``: what answers k queries on n
    points, and the width that it promises but with probability beta.
    """
    return coverage(n, k, beta, mechanism, rng)


@claim(
    "adaptive-data-analysis/gaussian-coverage",
    theorem="derived here: the tanh transfer theorem",
    status="ours",
    statement=r"All of $k$ adaptive answers with Gaussian noise are within the width of the "
    r"$\tanh(\varepsilon/4)$ transfer theorem but with probability $\beta$.",
    experiment=gaussian_coverage,
    region=AtMost(0.2),
    reason="beta, the failure probability of the width",
    assumptions=(Assumption(INDEPENDENT), Assumption("the analyst: the two-stage attack")),
    control=(
        Control("means without noise, at the same width", mechanism="naive"),
        Control("Laplace noise of that scale, at the same width", mechanism="laplace-scale"),
    ),
)
def gaussian_covers(table):
    """Share of samples with an answer beyond the width."""
    return proportion_estimate(int(table["miss"].sum()), len(table))


@experiment(
    "adaptive-data-analysis/rounding-coverage",
    paper=HOLD,
    design=grid(n=2000, k=20, beta=0.2, mechanism="rounding"),
    paired=("mechanism",),
    columns=MISS,
    presets={"quick": dict(replicates=200), "paper": dict(replicates=5000)},
    block=100,
    algorithm="mechanism",
)
def rounding_coverage(*, n, k, beta, mechanism, rng):
    """Whether the two-stage attack finds a rounded answer that is off by more than the width.

    The algorithm is ``mechanism(n, k, beta) -> (Mechanism, width)``, as for Gaussian noise.
    """
    return coverage(n, k, beta, mechanism, rng)


@claim(
    "adaptive-data-analysis/rounding-coverage",
    theorem="Theorem 9, with histories counted exactly",
    statement=r"All of $k$ adaptive answers that are rounded to a grid are within the width of "
    r"their description length but with probability $\beta$.",
    experiment=rounding_coverage,
    region=AtMost(0.2),
    reason="beta, the failure probability of the width",
    assumptions=(Assumption(INDEPENDENT), Assumption("the analyst: the two-stage attack")),
    control=(
        Control("four digits, and the width for queries fixed beforehand", mechanism="digits"),
        Control("four digits, and the width for a single query", mechanism="one-query"),
    ),
)
def rounding_covers(table):
    """Share of samples with an answer beyond the width."""
    return proportion_estimate(int(table["miss"].sum()), len(table))
