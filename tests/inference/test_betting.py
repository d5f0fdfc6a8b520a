"""The betting interval and verdicts on streams: by definition, by exact sums and by simulation."""

import math

import numpy as np
import pytest
from scipy import special, stats

from theorytk.inference import LEVEL, AtLeast, AtMost, Between, bounded_mean_estimate, judge
from theorytk.inference.betting import FRACTIONS, betting_interval, log_gains, log_mixture
from theorytk.inference.sequential import sequential_verdict

SIMULATIONS = 10_000
FALSE_ALARM = 1e-6


def capital(x, m):
    """The mixed capital of bets on a mean above m, straight from its definition."""
    return sum(math.prod(1 + f * (v / m - 1) for v in x) for f in FRACTIONS) / len(FRACTIONS)


@pytest.mark.parametrize("level", [0.05, LEVEL])
def test_interval_holds_the_means_whose_capital_stays_small(level):
    x = np.random.default_rng(2).beta(2, 5, size=60)
    lo, hi = betting_interval(x, level)
    assert 0 < lo < x.mean() < hi < 1
    for m in [*np.linspace(0.01, 0.99, 50), lo - 1e-9, lo + 1e-9, hi - 1e-9, hi + 1e-9]:
        kept = max(capital(x, m), capital(1 - x, 1 - m)) < 2 / level
        assert kept == (lo < m < hi)


def test_interval_does_not_depend_on_the_order_and_holds_the_average():
    x = np.array([0.0] * 500 + [1.0] * 500)
    lo, hi = betting_interval(x, 0.05)
    assert betting_interval(x[::-1], 0.05) == pytest.approx((lo, hi), abs=1e-11)
    assert lo < 0.5 < hi
    assert lo + hi == pytest.approx(1, abs=1e-11)


def test_interval_of_extreme_values():
    lo, hi = betting_interval(np.zeros(1000), LEVEL)
    assert lo == 0
    assert capital(np.ones(1000), 1 - hi) == pytest.approx(2 / LEVEL, rel=1e-6)
    assert betting_interval([3.0], 0.5, 1.0, 3.0)[1] == 3
    assert 0 < betting_interval([0.0] * 99 + [1e-200], 0.5)[0] < 1e-200
    assert betting_interval([0.5] * 10**5, LEVEL) == pytest.approx((0.5, 0.5), abs=2e-4)


@pytest.mark.parametrize("p", [0.02, 0.1, 0.5, 0.9])
def test_level_is_kept_over_all_looks_exactly(p):
    """No simulation: the probability that the capital at the truth ever reaches 2 / level."""
    level, looks = 0.05, 500
    alive, ruled_out = np.array([1.0]), 0.0
    for n in range(1, looks + 1):
        alive = (1 - p) * np.append(alive, 0) + p * np.append(0, alive)
        ones = np.arange(n + 1.0)[:, None]
        log_capitals = ones * np.log1p(FRACTIONS * (1 / p - 1)) + (n - ones) * np.log1p(-FRACTIONS)
        out = special.logsumexp(log_capitals, axis=1) >= math.log(2 / level * len(FRACTIONS))
        ruled_out += alive[out].sum()
        alive[out] = 0
    assert level / 20 < ruled_out <= level / 2


def ever(x, m, level):
    """How often the capital of bets on a mean above m ever reaches 2 / level."""
    paths = (log_mixture(np.cumsum(log_gains(rows, m), axis=-1)) for rows in np.split(x, 100))
    return sum(int((path.max(axis=1) >= math.log(2 / level)).sum()) for path in paths)


def test_level_and_power_over_all_looks_by_simulation():
    """Proportions of false among Poisson-many discoveries, mean 0.1: skewed and tied at 0."""
    level, margin, rng = 0.05, 0.06, np.random.default_rng(5)
    found = 1 + rng.poisson(30, size=(SIMULATIONS, 100))
    fdp = rng.binomial(found, 0.1) / found
    most = stats.binom.isf(FALSE_ALARM, SIMULATIONS, level / 2)
    assert ever(fdp, 0.1, level) <= most  # AtMost(0.1) is true: contradicted
    assert ever(1 - fdp, 0.9, level) <= most  # AtMost(0.04, margin=0.06) is false: supported
    assert ever(1 - fdp, 0.9 - margin, level) > 0.99 * SIMULATIONS  # AtMost(0.1): supported
    assert ever(fdp, 0.1 - margin, level) > 0.99 * SIMULATIONS  # AtMost(0.04): contradicted


def plug_in_lower(x, level):
    """The lower end of the confidence sequence with the predictable bets of the paper."""
    t = np.arange(1, len(x) + 1)
    mean = (0.5 + np.cumsum(x)) / (t + 1)
    variance = np.append(0.25, (0.25 + np.cumsum((x - mean) ** 2)) / (t + 1))[:-1]
    bets = np.sqrt(2 * math.log(2 / level) / (variance * t * np.log(t + 1)))
    lo, hi = 0.0, 1.0
    for _ in range(20):
        m = (lo + hi) / 2
        log_capital = np.cumsum(np.log1p(np.minimum(bets, 0.5 / m) * (x - m)))
        lo, hi = (m, hi) if log_capital.max() >= math.log(2 / level) else (lo, m)
    return lo


@pytest.mark.parametrize(
    "values",
    [
        lambda rng: rng.beta(2, 18, size=5000),
        lambda rng: rng.random(5000),
        lambda rng: 1.0 * (rng.random(5000) < 0.1),
    ],
    ids=["beta", "uniform", "bernoulli"],
)
def test_shorter_than_with_the_predictable_bets_of_the_paper(values):
    x = values(np.random.default_rng(3))
    lo, hi = betting_interval(x, LEVEL)
    assert hi - lo < 0.95 * (1 - plug_in_lower(1 - x, LEVEL) - plug_in_lower(x, LEVEL))


STREAMS = {
    "supported": ((0.1, AtMost(0.1, margin=0.1)), (0.9, AtLeast(0.9, margin=0.1))),
    "contradicted": ((0.3, AtMost(0.1)), (0.7, AtLeast(0.9)), (0.2, Between(0.3, 0.4))),
    "undecided": ((0.1, AtMost(0.1)), (0.5, Between(0.45, 0.55))),
}


@pytest.mark.parametrize("verdict", STREAMS)
@pytest.mark.parametrize("block", [1, 7, 200])
def test_stops_at_the_first_decided_look(verdict, block):
    level, scale = 0.05, 10.0
    for mean, region in STREAMS[verdict]:
        x = scale * np.random.default_rng(8).beta(5 * mean, 5 * (1 - mean), size=100)
        wide = type(region)(
            *[scale * b for b in (region.lo, region.hi) if math.isfinite(b)],
            margin=scale * region.margin,
        )
        looks = (judge(bounded_mean_estimate(x[:n], 0, scale), wide, level=level)
                 for n in range(2, 101))  # fmt: skip
        decided = [j for j in looks if j.verdict != "undecided"]
        stream = (x[i : i + block] for i in range(0, 100, block))
        found = sequential_verdict(stream, wide, upper=scale, level=level)
        assert found.verdict == verdict
        assert found.estimate.n == (decided[0].estimate.n if decided else 100)
        if decided:
            assert found.interval == pytest.approx(decided[0].interval, abs=1e-9)


def test_between_is_supported_only_when_both_ends_are():
    x = np.random.default_rng(9).random(1500)
    found = sequential_verdict([x], Between(0.45, 0.55, margin=0.02), level=0.05)
    lo, hi = found.interval
    assert found.verdict == "supported"
    assert 0.43 <= lo < hi <= 0.57
    assert found.estimate.n < 1500


def test_takes_no_more_than_it_needs():
    taken = []

    def stream():
        while True:
            taken.append(1.0)
            yield 1.0

    assert sequential_verdict(stream(), AtMost(0.5)).estimate.n == len(taken) < 40
    taken.clear()
    found = sequential_verdict(stream(), AtLeast(1.0), max_n=30)
    assert (found.verdict, found.estimate.n, len(taken)) == ("undecided", 30, 30)
    assert sequential_verdict([np.ones(50)], AtLeast(1.0), max_n=30).estimate.n == 30


@pytest.mark.parametrize(
    ("region", "verdict"),
    [
        (AtMost(1.0), "supported"),
        (AtLeast(0.0), "supported"),
        (AtMost(0.0), "contradicted"),
        (AtMost(-0.1), "contradicted"),
        (AtLeast(1.5), "contradicted"),
        (AtLeast(1.0), "contradicted"),
    ],
)
def test_bounds_at_the_ends_of_the_range(region, verdict):
    found = sequential_verdict([0.0, 0.25] * 500, region)
    assert found.verdict == verdict
    assert (
        found.estimate.n
        == judge(
            bounded_mean_estimate(([0.0, 0.25] * 500)[: found.estimate.n], 0, 1), region
        ).estimate.n
    )


REFUSED = [
    (lambda: betting_interval([], 0.05), ValueError, "count"),
    (lambda: betting_interval([0.5], 0.0), ValueError, "level must be"),
    (lambda: betting_interval([0.5, 1.5], 0.05), ValueError, "largest"),
    (lambda: betting_interval([0.5], 0.05, 1.0, 1.0), ValueError, "upper must be"),
    (lambda: betting_interval([math.nan], 0.05), ValueError, "values must be finite"),
    (lambda: sequential_verdict([0.5] * 9, 0.5), TypeError, "region must be"),
    (lambda: sequential_verdict([0.5, 2.0], AtMost(0.1)), ValueError, "largest"),
    (lambda: sequential_verdict([], AtMost(0.1)), ValueError, "count"),
    (lambda: sequential_verdict([0.1], AtMost(0.1)), ValueError, "count"),
    (lambda: sequential_verdict([0.1] * 3, AtMost(0.1), max_n=1), ValueError, "max_n"),
    (lambda: sequential_verdict([[[0.1]]], AtMost(0.1)), ValueError, "dimension"),
    (lambda: sequential_verdict([0.1], AtMost(0.1), upper=0), ValueError, "upper must be"),
    (lambda: sequential_verdict([0.1], AtMost(0.1), level=2), ValueError, "level must be"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
