"""Leaderboards under the boosting attack: one that reports losses, and the Ladder."""

from __future__ import annotations

import math

import numpy as np

from theorytk.adaptive.attack_laws import attack_accuracy
from theorytk.adaptive.attacks import random_signs, vote_margins
from theorytk.adaptive.ladder import Ladder, ParameterFreeLadder
from theorytk.adaptive.mechanisms import EmpiricalMechanism, RoundingMechanism
from theorytk.adaptive.update_laws import ladder_bound, ladder_rate
from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtMost,
    Between,
    mean_estimate,
    proportion_estimate,
    violations_estimate,
)

LADDER = "blum2015"
BETA = 0.05
RANDOM = Assumption("labels of the leaderboard's sample and first submissions are fair coins")


def ladder(n, k):
    """The Ladder, with the step that is best for n points and k submissions."""
    return Ladder(ladder_bound(n, k, BETA).parameters["step"])


LEADERBOARDS = {
    "ladder": ladder,
    "parameter-free": lambda n, k: ParameterFreeLadder(),
    "losses": lambda n, k: EmpiricalMechanism(),
    "percent": lambda n, k: RoundingMechanism(0.01),
}


def boosted(leaderboard, n, k, keep, rng):
    """Return the reports of a leaderboard, given by name or as a function, on an attack.

    The losses of random submissions are fair bits; the last submission is the majority of those
    that were kept, and a tie of its vote is half a loss.
    """
    make = LEADERBOARDS[leaderboard] if isinstance(leaderboard, str) else leaderboard
    losses = random_signs(n, k, rng).stored()
    mechanism = make(n, k).attach(np.zeros(n), rng=rng)
    reports = mechanism.answer_many(losses)
    kept = reports <= 0.5 if keep == "half" else np.diff(reports, prepend=np.inf) < 0
    last = (1 + np.sign(vote_margins(losses, kept.astype(float)))) / 2
    return np.append(reports, mechanism.answer(last))


def leaderboard_error(reports):
    """Return the largest error of the best loss so far, where all true losses are 1/2."""
    return np.abs(reports - 0.5).max()


@experiment(
    "adaptive-data-analysis/boosting",
    paper=LADDER,
    design=grid(n=4000, k=[50, 100, 200, 400], leaderboard="losses"),
    paired=("leaderboard",),
    columns={
        "reported": Column("loss reported for the last submission"),
        "bias": Column("1/2 less this loss"),
        "law": Column("its limit law"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=240)},
    block=10,
    algorithm="leaderboard",
)
def boosting(*, n, k, leaderboard, rng):
    """Loss that a leaderboard reports for the majority of the submissions that it liked.

    The algorithm is ``leaderboard(n, k) -> Mechanism``, for n points and k submissions; it is asked
    for losses.
    """
    reported = boosted(leaderboard, n, k, "half", rng)[-1]
    law = float(attack_accuracy(n, k, weights="select")) - 0.5
    return {"reported": reported, "bias": 0.5 - reported, "law": law}


@claim(
    "adaptive-data-analysis/boosting-law",
    theorem="Section 4; the constant is derived here",
    status="ours",
    statement=r"If a leaderboard reports losses, the majority of those of $k$ random submissions "
    r"that it reports at most $1/2$ for gets the loss $1-\Phi(\sqrt{k/(\pi n)})$, and deserves "
    r"$1/2$.",
    experiment=boosting,
    region=Between(-0.008, 0.008),
    reason="a loss of just 1/2 has probability 0.013, and counts for a weight of its sign: 0.0002; "
    "the rest is resolution",
    assumptions=(RANDOM,),
    control=(
        Control("losses rounded to 0.01", leaderboard="percent"),
        Control("the parameter-free Ladder", leaderboard="parameter-free"),
    ),
)
def boosting_law(table):
    """Mean bias less the law, by number of submissions."""
    return {f"k={k}": mean_estimate(g["bias"] - g["law"]) for k, g in table.groupby("k")}


@experiment(
    "adaptive-data-analysis/leaderboard-error",
    paper=LADDER,
    design=grid(n=[1000, 4000], k=400, keep=["half", "improved"], leaderboard="parameter-free"),
    paired=("leaderboard",),
    columns={"error": Column("largest error of the best loss so far, times the root of n")},
    presets={"quick": dict(replicates=24), "paper": dict(replicates=240)},
    block=10,
    algorithm="leaderboard",
)
def leaderboard_errors(*, n, k, keep, leaderboard, rng):
    """Leaderboard error under the boosting attack, for two ways to keep submissions.

    The algorithm is ``leaderboard(n, k) -> Mechanism``, for n points and k submissions; it is asked
    for losses.
    """
    return {"error": leaderboard_error(boosted(leaderboard, n, k, keep, rng)) * n**0.5}


@claim(
    "adaptive-data-analysis/ladder-vs-kaggle",
    theorem="Section 4",
    status="empirical",
    statement=r"The parameter-free Ladder keeps its error within $2/\sqrt n$, four standard errors "
    r"of a loss, after 400 submissions of the boosting attack.",
    experiment=leaderboard_errors,
    region=AtMost(2),
    reason="a score has to improve by a standard error of the difference, 1/(2 n^(1/2)) and more, "
    "and the least of 400 honest losses is 3 standard errors low",
    assumptions=(RANDOM,),
    control=(
        Control("losses as they are", leaderboard="losses"),
        Control("losses rounded to 0.01", leaderboard="percent"),
    ),
)
def ladder_vs_kaggle(table):
    """Mean error times the root of n."""
    return {
        f"n={n}, keep={keep}": mean_estimate(g["error"])
        for (n, keep), g in table.groupby(["n", "keep"])
    }


@experiment(
    "adaptive-data-analysis/ladder-bound",
    paper=LADDER,
    design=grid(n=500, k=2000, keep="half", leaderboard="ladder"),
    paired=("leaderboard",),
    columns={
        "beyond": Column("whether the leaderboard error exceeds the bound", dtype="bool"),
        "largest": Column("leaderboard error"),
    },
    presets={"quick": dict(replicates=45), "paper": dict(replicates=240)},
    block=10,
    algorithm="leaderboard",
)
def ladder_bounded(*, n, k, keep, leaderboard, rng):
    """Leaderboard error under a long boosting attack, against the bound at the best step.

    The algorithm is ``leaderboard(n, k) -> Mechanism``, for n points and k submissions; it is asked
    for losses.
    """
    error = leaderboard_error(boosted(leaderboard, n, k, keep, rng))
    return {"beyond": error > ladder_bound(n, k, BETA).value, "largest": error}


@claim(
    "adaptive-data-analysis/ladder-bound",
    theorem="Theorem 3.1, with histories counted exactly",
    status="ours",
    statement=r"The leaderboard error of the Ladder exceeds $\eta+e$ with probability $\beta$ at "
    r"most, where $2e^2n=\ln(H/\beta)$ and $H$ counts the histories of its reports.",
    experiment=ladder_bounded,
    region=AtMost(BETA, margin=0.2),
    reason="beta; the margin is for the resolution of few samples, whatever comes out",
    assumptions=(RANDOM, Assumption("the analyst: the boosting attack")),
    control=Control("losses as they are", leaderboard="losses"),
)
def ladder_within_bound(table):
    """Share of samples with a larger error."""
    return proportion_estimate(int(table["beyond"].sum()), len(table))


def fixed_submissions(n, k, beta):
    """The order of the error of k submissions that are fixed beforehand."""
    return math.sqrt(math.log(2 * k / beta) / n)


def without_submissions(n, k, beta):
    """The rate for a single submission, whatever k is."""
    return ladder_rate(n, 1, beta)


RATES = {
    "cube-root": ladder_rate,
    "square-root": fixed_submissions,
    "single": without_submissions,
}


@experiment(
    "adaptive-data-analysis/ladder-rate",
    paper=LADDER,
    design=grid(law="cube-root"),
    paired=("law",),
    columns={"bound": Column("bound at the best step"), "rate": Column("its rate")},
    presets={"quick": dict(replicates=500), "paper": dict(replicates=5000)},
    block=250,
    algorithm="law",
)
def ladder_rates(*, law, rng):
    """The Ladder's bound at random sizes, submissions and levels, beside its rate.

    The algorithm is ``law(n, k, beta) -> bound`` of the leaderboard error.
    """
    n, k = (int(np.exp(rng.uniform(*np.log(ends)))) for ends in ((1e3, 1e8), (1, 1e8)))
    beta = float(np.exp(rng.uniform(-7, -1)))
    law = RATES[law] if isinstance(law, str) else law
    return {"bound": ladder_bound(n, k, beta).value, "rate": float(law(n, k, beta))}


@claim(
    "adaptive-data-analysis/ladder-rate",
    theorem="Theorem 3.1, with a constant",
    status="ours",
    statement=r"With the best step, the bound of the Ladder's error is at most "
    r"$(\frac12+\sqrt2)(L/n)^{1/3}$, $L=2\ln(e(k+1)/2)+\ln(2/\beta)$: it falls like $n^{-1/3}$ and "
    r"grows with the number of submissions like the cube root of its logarithm.",
    experiment=ladder_rates,
    kind="refutable",
    region=AtMost(0),
    assumptions=(Assumption("n from 1e3 to 1e8, k up to 1e8, beta from 0.001 to 0.37"),),
    control=(
        Control("the rate n^(-1/2) of submissions that are fixed", law="square-root"),
        Control("the rate for one submission", law="single"),
    ),
)
def ladder_falls_like_the_cube_root(table):
    """Share of settings with a larger bound."""
    return violations_estimate(int((table["bound"] > table["rate"]).sum()), len(table))
