"""Updates counted by running multiplicative weights; histories by enumeration."""

import itertools
import math

import numpy as np
import pytest

from theorytk.adaptive.update_laws import (
    ladder_bound,
    ladder_rate,
    median_update_bound,
    mw_attack_gap,
    mw_point_mass_updates,
    mw_potential_drop,
    mw_update_bound,
)


def relative_entropy(x, weights):
    inside = x > 0
    return float(x[inside] @ np.log(x[inside] / weights[inside]))


def run_weights(x, alpha, eta, query):
    """Update until `query` finds no error above alpha; return the drops of the potential."""
    weights = np.full(len(x), 1 / len(x))
    drops = []
    while True:
        f = query(x, weights)
        error = f @ weights - f @ x
        if abs(error) <= alpha:
            return np.array(drops)
        before = relative_entropy(x, weights)
        weights = weights * np.exp(-eta * (f if error > 0 else 1 - f))
        weights /= weights.sum()
        drops.append(before - relative_entropy(x, weights))


def worst_cells(x, weights):
    return (weights > x).astype(float)


@pytest.mark.parametrize("factor", [0.5, 2.0, 4.0])
def test_every_update_lowers_the_potential(factor):
    rng = np.random.default_rng(2)
    alpha = 0.15
    eta = factor * alpha
    for concentration in (0.02, 0.2, 1.0):
        x = rng.dirichlet(np.full(200, concentration))
        drops = run_weights(x, alpha, eta, worst_cells)
        assert len(drops) > 0
        assert drops.min() >= mw_potential_drop(alpha, eta)
        assert len(drops) <= mw_update_bound(200, alpha, eta=eta)
        assert drops.min() >= mw_potential_drop(alpha, eta, printed=True)


def test_the_drop_is_sharp_and_the_printed_one_is_not():
    # Two cells of weight 1/2 and an error that is just above alpha.
    alpha = eta = 0.02
    weights, x = np.array([0.5, 0.5]), np.array([0.5 - alpha, 0.5 + alpha])
    after = weights * np.exp([-eta, 0.0])
    after /= after.sum()
    drop = relative_entropy(x, weights) - relative_entropy(x, after)
    assert mw_potential_drop(alpha, eta) <= drop <= mw_potential_drop(alpha, eta) * (1 + 1e-4)
    assert mw_potential_drop(alpha, eta, printed=True) == 0.0


def test_update_bounds():
    assert mw_update_bound(256, 0.1, printed=True) == pytest.approx(4 * math.log(256) / 0.01)
    assert mw_update_bound(256, 0.1, eta=0.4) == pytest.approx(math.log(256) / (2 * 0.01))
    steps = np.linspace(0.05, 0.75, 141)
    bounds = [mw_update_bound(256, 0.1, eta=eta) for eta in steps]
    assert steps[np.argmin(bounds)] == pytest.approx(0.4)
    assert mw_update_bound(256, 0.1, eta=0.8001) == math.inf


@pytest.mark.parametrize(
    ("bits", "alpha", "updates"), [(8, 0.1, 155), (10, 0.1, 183), (12, 0.2, 98)]
)
def test_point_mass(bits, alpha, updates):
    x = np.zeros(2**bits)
    x[3] = 1.0
    eta = alpha / 2
    assert mw_point_mass_updates(2**bits, alpha, eta) == updates
    assert len(run_weights(x, alpha, eta, lambda x, _: 1 - x)) == updates
    assert updates <= mw_update_bound(2**bits, alpha)
    assert mw_point_mass_updates(2, 0.9, 0.1) == 0


@pytest.mark.parametrize("threshold", [0.0, 1.0, 2.5])
def test_the_attack_has_the_accuracy_of_answers_that_were_selected(threshold):
    # A large number of signs, of which those with an extreme mean are the updates.
    rng = np.random.default_rng(7)
    n, trials = 400, 60
    gaps, laws = [], []
    for _ in range(trials):
        signs = 2.0 * rng.integers(0, 2, (2000, n)) - 1
        means = signs.mean(axis=1)
        kept = np.flatnonzero(np.abs(means) > threshold / math.sqrt(n))[:20]
        margins = means[kept] @ signs[kept]
        gaps.append((margins > 0).mean() - 0.5)
        laws.append(mw_attack_gap(n, len(kept), threshold))
    # The standard error is 0.025 / sqrt(60); a discrete mean moves the threshold by up to 1 / 20.
    assert np.mean(gaps) == pytest.approx(np.mean(laws), abs=0.02)
    assert np.mean(laws) > 0.08


def test_median_net():
    databases = itertools.combinations_with_replacement(range(5), 4)
    assert median_update_bound(5, 4) == pytest.approx(math.log2(len(list(databases))))


def ladder_histories(k, step):
    """Return how many submissions there can be: one for each history of reported scores."""
    levels = {round(loss / step) for loss in np.linspace(0, 1, 10_001)}
    return sum(
        sum(
            all(a >= b for a, b in itertools.pairwise(h))
            for h in itertools.product(levels, repeat=t)
        )
        for t in range(k)
    )


@pytest.mark.parametrize("step", [1.0, 0.5, 0.3, 0.26])
@pytest.mark.parametrize("k", [1, 2, 6])
def test_ladder_counts_histories(k, step):
    n, beta = 300, 0.1
    histories = ladder_histories(k, step)
    error = math.sqrt(math.log(2 * histories / beta) / (2 * n))
    assert ladder_bound(n, k, beta, step=step).value == pytest.approx(step + error, rel=1e-12)


def test_ladder_numbers():
    for n, k, value in ((4000, 400, 0.215), (10**5, 10**4, 0.080), (10**6, 10**6, 0.041)):
        printed = ladder_bound(n, k, printed=True)
        assert printed.value == pytest.approx(value, abs=6e-4)
        eta = printed.parameters["step"]
        tail = (1 / eta + 2) * math.log(4 * k / eta) + 1 - 2 * (printed.value - eta) ** 2 * n
        assert tail == pytest.approx(math.log(0.05))
        best = ladder_bound(n, k)
        assert best.value < printed.value
        dense = [ladder_bound(n, k, step=s).value for s in np.geomspace(0.01, 1, 400)]
        assert best.value <= min(dense) * 1.02


def test_the_rate_is_above_the_bound_and_of_the_order_of_its_least_value():
    rng = np.random.default_rng(5)
    for _ in range(300):
        n, k = (int(x) for x in np.exp(rng.uniform([math.log(36), 0], [20, 20])))
        beta = float(np.exp(rng.uniform(-9, -0.1)))
        rate = ladder_rate(n, k, beta)
        if rate < 1:
            assert ladder_bound(n, k, beta).value <= rate
        # The rate is the least value of 1 / m + sqrt(m a), up to rounding m.
        a = (2 * math.log(math.e * (k + 1) / 2) + math.log(2 / beta)) / (2 * n)
        m = np.geomspace(1e-3, 1e8, 20_000)
        least = (1 / m + np.sqrt(m * a)).min()
        assert rate / least == pytest.approx((0.5 + math.sqrt(2)) / 1.5, rel=1e-4)


def test_ladder_error_is_the_step_and_the_sample_error():
    # Losses on the sample within e of the true ones, whatever they are.
    rng = np.random.default_rng(4)
    worst = 0.0
    for _ in range(300):
        step, e = rng.choice([0.5, 0.2, 0.13, 0.05]), rng.choice([0.01, 0.05])
        true = rng.uniform(e, 1 - e, 60) * rng.uniform(size=60) ** 0.3
        seen = np.clip(true + rng.uniform(-e, e, 60), 0, 1)
        reported, errors = math.inf, []
        for t in range(60):
            if seen[t] < reported - step:
                reported = round(seen[t] / step) * step
            errors.append(abs(true[: t + 1].min() - reported))
        assert max(errors) <= step + e + 1e-12
        worst = max(worst, max(errors) / (step + e))
    assert worst > 0.8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mw_potential_drop(0.0, 0.1), "alpha must be a number > 0 and < 1"),
        (lambda: mw_potential_drop(0.1, 0.0), "eta must be a number > 0"),
        (lambda: mw_update_bound(1, 0.1), "domain_size must be an integer >= 2"),
        (lambda: mw_point_mass_updates(2, 1.0, 0.1), "alpha must be a number > 0 and < 1"),
        (lambda: median_update_bound(3, 0), "net_points must be an integer >= 1"),
        (lambda: ladder_bound(10, 0), "k must be an integer >= 1"),
        (lambda: mw_attack_gap(9, -1, 1.0), "updates must be an integer >= 0"),
        (lambda: mw_attack_gap(9, 1, -1.0), "threshold must be a number >= 0"),
        (lambda: ladder_rate(0, 5), "n must be an integer >= 1"),
        (lambda: ladder_rate(10, 5, 1.0), "beta must be a number > 0 and < 1"),
        (lambda: ladder_bound(10, 5, step=2.0), "step must be a number > 0 and <= 1"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
