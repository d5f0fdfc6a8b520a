"""Exact rates against enumeration of every labelling and order, and against simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from theorytk.conformal import theory
from theorytk.conformal.problems import separated_data

LEVELS = [0.1, 0.25, 0.3, 0.5, 0.6, 0.75, 0.9]
FALSE_ALARM_SD = 5.0  # normal deviates beyond it: 6e-7


def benjamini_hochberg(p, q):
    """Number selected, straight from the definition."""
    m = len(p)
    return max((r for r in range(1, m + 1) if sum(v <= q * r / m + 1e-12 for v in p) >= r),
               default=0)  # fmt: skip


def worlds(n, m, pi0, separated):
    """Every labelling and order of n + m points: probability, calibration and test, null mask."""
    orders = list(itertools.permutations(range(n + m)))
    for labels in itertools.product([True, False], repeat=n + m):
        null = np.array(labels)
        weight = np.prod(np.where(null, pi0, 1 - pi0)) / len(orders)
        for order in orders:
            score = np.array(order, dtype=float)
            if separated:
                score[~null] = -1
            yield weight, np.where(null, score, np.inf)[:n], score[n:], null[n:]


def rate(n, m, q, pi0, shifts, separated=True, nulls_only=False):
    """Average false discovery proportion of BH on (L + shift) / (n + 1) over all worlds."""
    total = 0.0
    for weight, cal, test, null in worlds(n, m, pi0, separated):
        below = (cal[:, None] < test).sum(axis=0)
        known = np.isfinite(cal).sum() if nulls_only else n
        for probability, shift in shifts:
            p = (below + shift) / (known + 1)
            size = benjamini_hochberg(p, q)
            chosen = p <= q * size / m + 1e-12
            total += weight * probability * (null & chosen).sum() / max(1, size)
    return total


CONSERVATIVE = [(1.0, 1.0)]


def steps(n, m, q):
    """Shifts between which the selection does not change, with their lengths."""
    edges = np.unique([0, 1, *(q * (n + 1) / m * np.arange(1, m + 1) % 1)])
    return [(b - a, (a + b) / 2) for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize("q", LEVELS)
@pytest.mark.parametrize("pi0", [0.3, 1.0])
def test_single_test_by_enumeration(q, pi0):
    exact = theory.fdr_single_test(q, 4, pi0)
    assert exact == pytest.approx(rate(4, 1, q, pi0, CONSERVATIVE, separated=False), abs=1e-12)
    randomised = theory.fdr_single_test(q, 4, pi0, tie="randomised")
    assert randomised == pytest.approx(rate(4, 1, q, pi0, steps(4, 1, q), False), abs=1e-12)
    assert exact <= randomised + 1e-12 <= q + 2e-12


def test_p_values_are_calibrated_jointly_but_not_given_the_null():
    t = np.arange(0.05, 0.96, 0.05)
    joint = np.array([theory.fdr_single_test(x, 99, 0.5) for x in t])
    assert (joint <= t + 1e-12).all()
    assert (joint[t < 0.8] / 0.5 > t[t < 0.8]).all()
    assert joint[1] / 0.5 == pytest.approx(0.2, abs=1e-9)


@pytest.mark.parametrize("separated", [True, False])
def test_range_when_calibrated_on_nulls_by_enumeration(separated):
    for q in LEVELS[1::2]:
        lo, hi = theory.sub_fdr_range(q, 3, 2, 0.8)
        exact = rate(3, 2, q, 0.8, CONSERVATIVE, separated, nulls_only=True)
        assert lo - 1e-12 <= exact <= hi + 1e-12
    # One test point leaves no choice of r: the lower end is the rate.
    exact = rate(3, 1, 0.5, 0.8, CONSERVATIVE, separated, nulls_only=True)
    assert theory.sub_fdr_range(0.5, 3, 1, 0.8)[0] == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize("separated", [True, False])
@pytest.mark.parametrize("pi0", [0.5, 1.0])
def test_range_of_cfbh_by_enumeration(pi0, separated):
    for q in LEVELS:
        lo, hi = theory.cfbh_fdr_range(q, 3, 2, pi0)
        assert lo - 1e-12 <= rate(3, 2, q, pi0, CONSERVATIVE, separated) <= hi + 1e-12
    # On the lattice, all calibration points null, it is the level itself.
    assert theory.cfbh_fdr_range(0.5, 3, 2, 1.0) == pytest.approx((0.5, 0.5), abs=1e-12)


def test_range_far_from_the_lattice():
    assert theory.cfbh_fdr_range(0.1, 99, 200, 0.5) == (0.0, 0.1)  # the first step is beyond q / m
    lo, _ = theory.cfbh_fdr_range(0.1, 148, 10, 0.5)  # g = 1.49 loses a third at the first step
    assert lo == pytest.approx(0.1 / 1.49, rel=1e-4)


@pytest.mark.parametrize("q", LEVELS)
def test_naive_rate_of_one_predictor_by_enumeration(q):
    expected = rate(2, 3, q, 0.6, CONSERVATIVE, separated=False)
    assert theory.naive_fdr(q, 2, 3, 0.6, 1) == pytest.approx(expected, abs=1e-12)


def selected(below, n, q):
    """Masks of BH on (1 + below) / (n + 1), over the last axis."""
    m = below.shape[-1]
    ordered = np.sort(below, axis=-1)
    passes = ordered + 1 <= q * (n + 1) / m * np.arange(1, m + 1) + 1e-9
    size = np.where(passes, np.arange(1, m + 1), 0).max(axis=-1, keepdims=True)
    return below + 1 <= q * (n + 1) / m * size + 1e-9


def mean_within(values, expected):
    se = values.std(ddof=1) / np.sqrt(len(values))
    return abs(values.mean() - expected) < FALSE_ALARM_SD * se


def test_naive_rate_by_simulation():
    n, m, q, pi0, K, runs = 19, 10, 0.3, 0.7, 3, 20_000
    rng = np.random.default_rng(1)
    null = rng.random((runs, n + m)) < pi0
    score = rng.random((runs, K, n + m))
    cal = np.where(null[:, None, :n], score[..., :n], np.inf)
    below = (cal[..., None] < score[..., None, n:]).sum(axis=2)
    masks = selected(below, n, q)
    best = masks[np.arange(runs), masks.sum(axis=-1).argmax(axis=1)]
    fdp = (best & null[:, n:]).sum(axis=1) / np.maximum(1, best.sum(axis=1))
    law, bound = theory.naive_fdr(q, n, m, pi0, K), theory.naive_fdr_bound(q, pi0, K)
    assert mean_within(fdp, law)
    assert q + 0.09 < law < bound


def test_naive_bound_holds_and_is_nearly_attained_on_the_lattice():
    for n, m, q in [(199, 20, 0.1), (49, 30, 0.2), (30, 7, 0.4)]:
        for K in (1, 2, 5, 20):
            assert theory.naive_fdr(q, n, m, 0.6, K) <= theory.naive_fdr_bound(q, 0.6, K) + 1e-12
    exact, bound = theory.naive_fdr(0.1, 199, 20, 0.5, 4), theory.naive_fdr_bound(0.1, 0.5, 4)
    assert exact == pytest.approx(bound, abs=0.001)
    assert theory.naive_fdr_bound(0.6, 0.5, 3) == 0.5


@pytest.mark.parametrize(("n", "m"), [(2, 3), (3, 2)])
@pytest.mark.parametrize("q", [0.2, 0.3, 0.7])
def test_shared_uniform_by_enumeration(n, m, q):
    expected = rate(n, m, q, 0.7, steps(n, m, q))
    assert theory.shared_uniform_fdr(q, n, m, 0.7) == pytest.approx(expected, abs=1e-12)


def test_shared_uniform_exceeds_the_level_and_independent_ones_do_not():
    n, m, q, pi0, runs = 10, 50, 0.3, 0.8, 20_000
    rng = np.random.default_rng(2)
    X, y = (a.reshape(runs, n + m) for a in separated_data(runs * (n + m), pi0=pi0, rng=rng))
    cal, test = np.where(y > 0, np.inf, -X)[:, :n], -X[:, n:]
    below = (cal[:, :, None] < test[:, None]).sum(axis=1)
    null = y[:, n:] < 0

    def fdp(uniform):
        mask = selected(below + uniform - 1, n, q)
        return (mask & null).sum(axis=1) / np.maximum(1, mask.sum(axis=1))

    law = theory.shared_uniform_fdr(q, n, m, pi0)
    assert law == pytest.approx(0.31207, abs=5e-6)
    assert mean_within(fdp(rng.random((runs, 1))), law)
    independent = fdp(rng.random((runs, m)))
    assert independent.mean() < q + FALSE_ALARM_SD * independent.std() / np.sqrt(runs)
    assert not mean_within(independent, law)


def test_shared_uniform_is_harmless_with_two_tests_and_when_all_are_null():
    for q in LEVELS:
        assert theory.shared_uniform_fdr(q, 4, 2, 0.6) <= q + 1e-12
        assert theory.shared_uniform_fdr(q, 5, 4, 1.0) == pytest.approx(q, abs=1e-12)
    assert theory.shared_uniform_fdr(0.3, 4, 3, 0.8) == pytest.approx(0.3025408, abs=1e-9)


REFUSED = [
    (lambda: theory.fdr_single_test(1.0, 9, 0.5), "q must be"),
    (lambda: theory.fdr_single_test(0.1, 0, 0.5), "n must be"),
    (lambda: theory.fdr_single_test(0.1, 9, 1.5), "pi0 must be"),
    (lambda: theory.fdr_single_test(0.1, 9, 0.5, tie="random"), "did you mean 'randomised'"),
    (lambda: theory.cfbh_fdr_range(0.1, 9, 0, 0.5), "m must be"),
    (lambda: theory.sub_fdr_range(1.5, 9, 5, 0.5), "q must be"),
    (lambda: theory.naive_fdr(0.1, 9, 9, 0.5, 0), "K must be"),
    (lambda: theory.naive_fdr_bound(0.1, 0.0, 1), "pi0 must be"),
    (lambda: theory.shared_uniform_fdr(0.0, 9, 9, 0.5), "q must be"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_nulls_are_binomial():
    """The expectation of the smaller of a rank and a binomial count, by its tail sum."""
    tail = sum(stats.binom.sf(r, 31, 0.4) for r in range(6)) / 31
    assert theory.fdr_single_test(0.2, 30, 0.4) == pytest.approx(tail, rel=1e-12)
