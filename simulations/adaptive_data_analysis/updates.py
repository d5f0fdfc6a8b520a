"""Multiplicative weights: how often they are updated, and that the number of queries is no matter.

Data are cells of a finite domain, and so is the hypothesis of the mechanism, a weight on each.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import rel_entr

from theorytk.adaptive.attacks import random_signs, vote_margins
from theorytk.adaptive.database_update import PrivateMultiplicativeWeights
from theorytk.adaptive.transfer import gaussian_delta
from theorytk.adaptive.update_laws import (
    mw_attack_gap,
    mw_point_mass_updates,
    mw_potential_drop,
    mw_update_bound,
)
from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import (
    AtMost,
    Between,
    exact_estimate,
    mean_estimate,
    slope_estimate,
    violations_estimate,
)

from .common import DFHPRR, DR14


class WrongSign(PrivateMultiplicativeWeights):
    """Cells are made heavier where they should be lighter."""

    def _update(self, values, too_high):
        super()._update(values, not too_high)


class DoubleStep(PrivateMultiplicativeWeights):
    """Penalties 1 and -1 for 1 and 0: twice the step."""

    def _update(self, values, too_high):
        super()._update(values, too_high)
        super()._update(values, too_high)


UPDATES = {"right": PrivateMultiplicativeWeights, "wrong": WrongSign, "double": DoubleStep}


def duel(histogram, alpha, eta, update):
    """Ask the worst query until no error exceeds alpha, or updates exceed the law by one.

    Return the relative entropies of sample to weights, in nats.
    """
    size, law = len(histogram), histogram / histogram.sum()
    most = math.floor(mw_update_bound(size, alpha, eta=eta)) + 1
    update = UPDATES[update] if isinstance(update, str) else update
    mechanism = update(size, alpha, most, math.inf, eta=eta).attach(
        np.repeat(range(size), histogram)
    )
    entropies = [rel_entr(law, mechanism.weights).sum()]
    while len(entropies) <= most and np.maximum(law - mechanism.weights, 0).sum() > alpha:
        mechanism.answer((law > mechanism.weights).astype(float))
        entropies.append(rel_entr(law, mechanism.weights).sum())
    return np.array(entropies)


@experiment(
    "adaptive-data-analysis/worst-queries",
    paper=DR14,
    design=grid(size=64, n=500, relative_step=[0.5, 4], update="right"),
    paired=("update",),
    columns={
        "updates": Column("updates until no error exceeds alpha, or too many", dtype="int"),
        "limit": Column("most updates by the law"),
        "shortfall": Column("law less measured drop of the relative entropy, largest", unit="nat"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400, size=256)},
    block=20,
    algorithm="update",
)
def worst_queries(*, size, n, relative_step, update, rng):
    """Updates of multiplicative weights by the worst query, with exact comparisons and answers.

    The sample is of a random law; the error alpha is 0.1 to 0.3 and the step a multiple of it. The
    algorithm is ``update(domain_size, threshold, max_updates, epsilon, eta=...) -> Mechanism``.
    """
    alpha = rng.uniform(0.1, 0.3)
    histogram = rng.multinomial(n, rng.dirichlet(np.full(size, rng.choice([0.02, 0.2, 1.0]))))
    entropies = duel(histogram, alpha, relative_step * alpha, update)
    drops = -np.diff(entropies) if len(entropies) > 1 else np.array([np.inf])
    law = mw_potential_drop(alpha, relative_step * alpha)
    limit = mw_update_bound(size, alpha, eta=relative_step * alpha)
    shortfall = max(law - drops.min(), -1.0)
    return {"updates": len(entropies) - 1, "limit": limit, "shortfall": shortfall}


WEIGHTS_ASSUMED = (
    Assumption("uniform weights at the start"),
    Assumption("errors above alpha, corrected in the right direction"),
)
WRONG = Control("weights of the cells that are too light made lighter", update="wrong")


@claim(
    "adaptive-data-analysis/mw-update-bound",
    theorem="Theorem 4.10, with a general step",
    statement=r"Multiplicative weights on $|\mathcal X|$ cells are updated at most "
    r"$\ln|\mathcal X|/(\eta\alpha-\eta^2/8)$ times: $4\ln|\mathcal X|/\alpha^2$ holds for "
    r"$\eta=\alpha/2$, and $\ln|\mathcal X|/(2\alpha^2)$ for $\eta=4\alpha$.",
    experiment=worst_queries,
    kind="refutable",
    region=AtMost(0),
    assumptions=WEIGHTS_ASSUMED,
    control=WRONG,
)
def mw_updates(table):
    """Share of samples with more updates."""
    return violations_estimate(int((table["updates"] > table["limit"]).sum()), len(table))


@claim(
    "adaptive-data-analysis/mw-potential-drop",
    theorem="derived here: Hoeffding's lemma",
    status="ours",
    statement=r"Each update lowers the relative entropy of the sample to the weights by at least "
    r"$\eta\alpha-\eta^2/8$; the book has $\eta\alpha-\eta^2$.",
    experiment=worst_queries,
    kind="refutable",
    region=AtMost(0),
    assumptions=WEIGHTS_ASSUMED,
    control=(WRONG, Control("penalties 1 and -1, not 1 and 0", update="double")),
)
def mw_drops(table):
    """Share of samples with a smaller drop, rounding aside."""
    return violations_estimate(int((table["shortfall"] > 1e-12).sum()), len(table))


@experiment(
    "adaptive-data-analysis/point-mass",
    paper=DR14,
    design=grid(bits=[6, 8, 10], alpha=[0.1, 0.2], update="right"),
    paired=("update",),
    columns={"difference": Column("updates less their law", dtype="int")},
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1, bits=[6, 8, 10, 12])},
    algorithm="update",
)
def point_mass(*, bits, alpha, update, rng):
    """Updates of multiplicative weights if all data are in one cell, by the worst query.

    The algorithm is ``update(domain_size, threshold, max_updates, epsilon, eta=...) -> Mechanism``.
    """
    histogram = np.zeros(2**bits, dtype=int)
    histogram[rng.integers(2**bits)] = 1
    updates = len(duel(histogram, alpha, alpha / 2, update)) - 1
    return {"difference": updates - mw_point_mass_updates(2**bits, alpha, alpha / 2)}


@claim(
    "adaptive-data-analysis/mw-point-mass",
    theorem="derived here: the weights of a point mass",
    status="ours",
    statement=r"With all data in one cell, the worst query leads to exactly "
    r"$\lceil\ln((|\mathcal X|-1)(1-\alpha)/\alpha)/\eta\rceil$ updates until the total variation "
    r"distance is at most $\alpha$.",
    experiment=point_mass,
    kind="identity",
    region=AtMost(0.1),
    reason="whole numbers: anything below 1 is equality",
    assumptions=(Assumption("exact comparisons and answers"),),
    control=(WRONG, Control("penalties 1 and -1, not 1 and 0", update="double")),
)
def mw_point_mass(table):
    """Largest difference from the law."""
    return exact_estimate(table["difference"].abs().max(), len(table))


def private_weights(histogram, queries, rng, max_updates=100):
    """Private multiplicative weights, with a budget that suits the domain."""
    mechanism = PrivateMultiplicativeWeights(
        len(histogram), 0.1, max_updates, EPSILON, DELTA, eta=0.4
    )
    return mechanism.attach(np.repeat(range(len(histogram)), histogram), rng=rng).answer_many(
        queries
    )


def thin_weights(histogram, queries, rng):
    """The same with a budget for fifty times as many updates."""
    return private_weights(histogram, queries, rng, max_updates=5000)


def exact_means(histogram, queries, rng=None):
    """Means over the sample."""
    cells = np.flatnonzero(histogram)
    return queries.unpack()[:, cells] @ (histogram[cells] / histogram.sum())


def gaussian_means(histogram, queries, rng):
    """Means with Gaussian noise of the same privacy."""
    mu = brentq(lambda mu: float(gaussian_delta(EPSILON, mu)) - DELTA, 1e-3, 10)
    sigma = math.sqrt(queries.k) / (histogram.sum() * mu)
    return np.clip(exact_means(histogram, queries) + sigma * rng.standard_normal(queries.k), 0, 1)


EPSILON, DELTA = 0.5, 1e-6
SLOPE = math.log((math.log(3000) + 9) / (math.log(30) + 9)) / math.log(100)
ANSWERS = {"weights": private_weights, "thin": thin_weights, "gaussian": gaussian_means}


@experiment(
    "adaptive-data-analysis/many-queries",
    paper=DFHPRR,
    design=grid(size=1024, n=500_000, k=[30, 300, 3000], answer="weights"),
    paired=("k", "answer"),
    columns={"error": Column("largest error on the sample of k answers")},
    presets={"quick": dict(replicates=30), "paper": dict(replicates=200)},
    block=5,
    algorithm="answer",
)
def many_queries(*, size, n, k, answer, rng):
    """Largest error of k private answers about random queries on a sample of 1024 cells.

    The algorithm is ``answer(histogram, queries, rng) -> answers``, shape (k,), from the counts of
    the cells and packed queries, private with epsilon 0.5 and delta 1e-6.
    """
    histogram = rng.multinomial(n, rng.dirichlet(np.full(size, 0.05)))
    queries = random_signs(size, k, rng).stored()
    answers = (ANSWERS[answer] if isinstance(answer, str) else answer)(histogram, queries, rng)
    return {"error": np.abs(answers - exact_means(histogram, queries)).max()}


@claim(
    "adaptive-data-analysis/pmw-flat-in-k",
    theorem="private multiplicative weights (accuracy of the sparse vector: DR14, Theorem 3.28)",
    statement=r"The error of private multiplicative weights grows with $k$ queries no faster than "
    r"$\ln k$; that of noise on each answer grows like $\sqrt k$.",
    experiment=many_queries,
    region=AtMost(SLOPE),
    reason="ln k + ln(4 c / beta), c = 100 and beta = 0.05, has the log-log slope 0.069 from 30 "
    "to 3000",
    assumptions=(Assumption("random queries on 1024 cells"),),
    control=(
        Control("Gaussian noise at the same privacy", answer="gaussian"),
        Control("a budget for 5000 updates, where 100 suffice", answer="thin"),
    ),
)
def pmw_flat(table):
    """Log-log slope of the largest error against the number of queries."""
    errors = table.pivot(index="replicate", columns="k", values="error")
    return slope_estimate(np.log(errors.columns.to_numpy(float)), np.log(errors.to_numpy()))


def updated_weights(histogram, queries, rng, deviations=2.5):
    """Multiplicative weights without noise, updated by errors of so many standard deviations."""
    threshold = deviations / (2 * math.sqrt(histogram.sum()))
    mechanism = PrivateMultiplicativeWeights(
        len(histogram), threshold, queries.k, math.inf, eta=threshold
    ).attach(np.repeat(range(len(histogram)), histogram), rng=rng)
    return mechanism.answer_many(queries), mechanism.n_updates


def low_threshold(histogram, queries, rng):
    """The same with updates by smaller errors."""
    return updated_weights(histogram, queries, rng, deviations=2.1)


def everything(histogram, queries, rng):
    """The same updates, but means over the sample for all answers."""
    _, n_updates = updated_weights(histogram, queries, rng)
    return exact_means(histogram, queries), n_updates


ATTACKED = {"weights": updated_weights, "low": low_threshold, "everything": everything}


@experiment(
    "adaptive-data-analysis/attack-on-weights",
    paper=DFHPRR,
    design=grid(size=2**12, n=2000, k=500, answer="weights"),
    paired=("answer",),
    columns={
        "gap": Column("sample mean less population mean of the last query"),
        "law": Column("the law for as many updates"),
    },
    presets={"quick": dict(replicates=120), "paper": dict(replicates=1000)},
    block=20,
    algorithm="answer",
)
def attack_on_weights(*, size, n, k, answer, rng):
    """The two-stage attack on answers about uniform cells, by an analyst who knows the population.

    The algorithm is ``answer(histogram, queries, rng) -> (answers, n_updates)`` from the counts of
    the cells and packed queries, with updates by errors of 2.5 standard deviations.
    """
    histogram = rng.multinomial(n, np.full(size, 1 / size))
    queries = random_signs(size, k, rng).stored()
    answer = ATTACKED[answer] if isinstance(answer, str) else answer
    answers, updates = answer(histogram, queries, rng)
    chosen = np.sign(vote_margins(queries, answers - queries.means())) / 2
    return {
        "gap": chosen @ (histogram / n) - chosen.mean(),
        "law": mw_attack_gap(n, updates, 2.5),
    }


@claim(
    "adaptive-data-analysis/pmw-resists-attack",
    theorem="multiplicative weights and the two-stage attack; the law is derived here",
    status="ours",
    statement=r"Multiplicative weights, even without noise, tell the two-stage attack what led to "
    r"their $u$ updates and no more: its gap is $\Phi(\sqrt{u(1+t\,h(t))/n})-\frac12$ if updates "
    r"take errors of $t$ standard deviations, and not $\Phi(\sqrt{k/n})-\frac12$.",
    experiment=attack_on_weights,
    region=Between(-0.008, 0.008),
    reason="all answers lie in the span of the u that led to updates, but for a share of the order "
    "k / |X| = 0.12, of a gap near 0.06",
    assumptions=(Assumption("uniform cells, which are the weights at the start; random queries"),),
    control=(
        Control("means over the sample for all answers", answer="everything"),
        Control("updates by errors of 2.1 standard deviations, not 2.5", answer="low"),
    ),
)
def pmw_resists(table):
    """Mean gap of the classifier, less the law."""
    return mean_estimate(table["gap"] - table["law"])
