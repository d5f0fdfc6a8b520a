"""Deciders keep their level: under truth, at the boundary and under falsity, alone and on grids."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
from scipy import stats

from theorytk.inference import (
    AtMost,
    Between,
    Estimate,
    bounded_mean_estimate,
    distribution_distance_estimate,
    judge,
    levels_of_looks,
    mean_estimate,
    order_estimate,
    proportion_estimate,
    slope_estimate,
)

LEVEL = 0.05
POINTS = 2
SIMULATIONS = 10_000
FALSE_ALARM = 1e-6
MARGIN = 0.01


def most(probability):
    """What a count of events of this probability exceeds in one test of a million only."""
    return stats.binom.isf(FALSE_ALARM, SIMULATIONS, probability)


def means(rng, count):
    return [mean_estimate(x) for x in rng.normal(size=(count, 20))]


def slopes(rng, count):
    x = np.array([0.0, 1.0, 2.0])
    return [slope_estimate(x, y) for y in rng.normal(size=(count, 20, 3))]


def orders(rng, count):
    h = 0.5 ** np.arange(4.0)
    noise = 0.01 * rng.normal(size=(count, 20, 4)) * [0, 0, 0, 1]
    return [order_estimate(h * (1 + 0.1 * h) * np.exp(z)) for z in noise]


def proportions(rng, count):
    made = cache(lambda k: proportion_estimate(k, 40))
    return [made(int(k)) for k in rng.binomial(40, 0.3, size=count)]


def bounded_means(rng, count):
    made = cache(lambda k: bounded_mean_estimate(np.arange(30) < k, 0, 1))
    return [made(int(k)) for k in rng.binomial(30, 0.5, size=count)]


def distances(rng, count):
    """Uniform draws on [0.2, 1.2] against the uniform law on [0, 1]: 0.2 apart."""
    uniform = rng.random((count, 40)) + 0.2
    return [distribution_distance_estimate(x, lambda t: np.clip(t, 0, 1)) for x in uniform]


@dataclass(frozen=True)
class Kind:
    draw: Callable
    truth: float
    gap: float  # a departure that is always caught
    inside: Estimate  # an estimate far inside
    exact: bool = False  # the error probability is the level, not less


KINDS = {
    "mean": Kind(means, 0.0, 2.0, mean_estimate(np.linspace(-9.1, -8.9, 20)), exact=True),
    "slope": Kind(slopes, 0.0, 2.0, mean_estimate(np.linspace(-9.1, -8.9, 20)), exact=True),
    "order": Kind(orders, 1.0, 0.3, mean_estimate(np.linspace(-9.1, -8.9, 20))),
    "proportion": Kind(proportions, 0.3, 0.45, proportion_estimate(0, 4000)),
    "bounded mean": Kind(bounded_means, 0.5, 0.49, bounded_mean_estimate(np.zeros(400), 0, 1)),
    "distance": Kind(
        distances, 0.2, 0.6, distribution_distance_estimate(np.linspace(0, 1, 4000), lambda x: x)
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def drawn(request):
    kind = KINDS[request.param]
    return kind, kind.draw(np.random.default_rng(2024), POINTS * SIMULATIONS)


def verdicts(estimates, region):
    """How often each verdict falls over all simulations."""
    judged = cache(lambda *grid: judge(dict(enumerate(grid)), region, level=LEVEL).verdict)
    found = [judged(*grid) for grid in estimates]
    assert len(found) == SIMULATIONS
    return {v: found.count(v) for v in ("supported", "contradicted", "undecided")}


def test_one_point(drawn):
    kind, estimates = drawn
    single = [(e,) for e in estimates[:SIMULATIONS]]
    boundary = verdicts(single, AtMost(kind.truth))
    assert boundary["contradicted"] <= most(LEVEL / 2)
    if kind.exact:
        assert boundary["contradicted"] >= stats.binom.ppf(FALSE_ALARM, SIMULATIONS, LEVEL / 2)
    # The truth lies exactly at bound + margin: hardest among those that must not be supported.
    falsity = verdicts(single, AtMost(kind.truth - MARGIN, margin=MARGIN))
    assert falsity["supported"] <= most(LEVEL / 2)
    either_side = verdicts(single, Between(kind.truth, kind.truth))
    assert either_side["contradicted"] <= most(LEVEL)
    assert verdicts(single, AtMost(kind.truth + kind.gap))["supported"] > 0.99 * SIMULATIONS
    assert verdicts(single, AtMost(kind.truth - kind.gap))["contradicted"] > 0.99 * SIMULATIONS


def test_grids(drawn):
    kind, estimates = drawn
    pairs = list(zip(estimates[:SIMULATIONS], estimates[SIMULATIONS:], strict=True))
    boundary = verdicts(pairs, AtMost(kind.truth))
    assert boundary["contradicted"] <= most(LEVEL / 2)
    # One false point among true ones is the hardest falsity: two would have to be missed.
    mixed = [(kind.inside, e) for e in estimates[:SIMULATIONS]]
    falsity = verdicts(mixed, AtMost(kind.truth - MARGIN, margin=MARGIN))
    assert falsity["supported"] <= most(LEVEL / 2)
    assert verdicts(mixed, AtMost(kind.truth - kind.gap))["contradicted"] > 0.99 * SIMULATIONS


def test_proportions_keep_their_level_exactly():
    """No simulation: the probability of a false verdict, summed over all counts."""
    n = 40
    estimates = [proportion_estimate(k, n) for k in range(n + 1)]
    for p in np.linspace(0.05, 0.95, 19):
        mass = stats.binom.pmf(np.arange(n + 1), n, p)
        found = np.array([judge(e, AtMost(p), level=LEVEL).verdict for e in estimates])
        assert mass[found == "contradicted"].sum() <= LEVEL / 2
        assert mass[found == "supported"].sum() <= LEVEL / 2


def verdicts_of_looks(truth, region, levels):
    """How often each verdict ends 20, 40, 80, ... draws with this mean."""
    found = []
    for x in truth + np.random.default_rng(7).normal(
        size=(SIMULATIONS, 20 * 2 ** (len(levels) - 1))
    ):
        for look, level in enumerate(levels):
            verdict = judge(mean_estimate(x[: 20 * 2**look]), region, level=level).verdict
            if verdict != "undecided":
                break
        found.append(verdict)
    return {v: found.count(v) for v in ("supported", "contradicted", "undecided")}


def test_looks():
    levels, region = levels_of_looks(4, LEVEL), AtMost(0.0, margin=1.0)
    assert verdicts_of_looks(0.0, region, levels)["contradicted"] <= most(LEVEL / 2)
    assert verdicts_of_looks(1.0, region, levels)["supported"] <= most(LEVEL / 2)
    # Far inside and far outside everything is decided in the end, and rightly.
    assert verdicts_of_looks(0.5, AtMost(0.0), levels)["contradicted"] > 0.99 * SIMULATIONS
    assert verdicts_of_looks(-0.3, region, levels)["supported"] > 0.99 * SIMULATIONS
    # Looking four times at the level of one look is the mistake.
    assert verdicts_of_looks(0.0, AtMost(0.0), [LEVEL] * 4)["contradicted"] > most(LEVEL / 2)
