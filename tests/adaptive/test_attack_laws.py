"""Exact laws against enumeration of all signs, limits against exact laws and integrals."""

import itertools
import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from theorytk.adaptive import attack_laws as laws


def enumerated_accuracy(n, k, weights, sigma=0.0, noise="gaussian"):
    """Return the expected accuracy by all sign matrices and, with noise, all votes."""
    law = scipy.stats.norm(0, sigma or 1)
    if noise == "laplace":
        law = scipy.stats.laplace(scale=(sigma or 1) / math.sqrt(2))
    total = 0.0
    for entries in itertools.product((-1, 1), repeat=n * k):
        signs = np.reshape(entries, (k, n))
        means = signs.sum(axis=1) / n
        if weights == "linear" and sigma:
            total += law.cdf(means @ signs / math.sqrt(k)).mean()
            continue
        if weights == "linear":
            votes = [(1.0, means * n)]
        elif sigma:
            above = law.cdf(means)
            low = -1 if weights == "sign" else 0
            votes = [
                (np.prod(np.where(np.equal(w, 1), above, 1 - above)), np.array(w))
                for w in itertools.product((1, low), repeat=k)
            ]
        else:
            votes = [(1.0, np.sign(means) if weights == "sign" else (means >= 0).astype(float))]
        for mass, w in votes:
            margins = w @ signs
            total += mass * (np.mean(margins > 0) + np.mean(margins == 0) / 2)
    return total / 2 ** (n * k)


@pytest.mark.parametrize("weights", laws.WEIGHTS)
@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 3), (2, 3), (3, 3), (3, 4), (4, 3), (5, 2)])
def test_exact_law_is_the_enumeration(n, k, weights):
    found = laws.exact_attack_accuracy(n, k, weights=weights)
    assert found == pytest.approx(enumerated_accuracy(n, k, weights), abs=1e-12)


@pytest.mark.parametrize(
    ("weights", "noise"),
    [("linear", "gaussian")] + [(w, z) for w in ("sign", "select") for z in laws.NOISES],
)
@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 3), (3, 2), (4, 2)])
def test_exact_law_with_noise_is_the_enumeration(n, k, weights, noise):
    found = laws.exact_attack_accuracy(n, k, weights=weights, sigma=0.4, noise=noise)
    expected = enumerated_accuracy(n, k, weights, 0.4, noise)
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_printed_form_for_signs():
    n, k = 1001, 101
    p = 0.5 + 0.5 * math.comb(n - 1, (n - 1) // 2) / 2 ** (n - 1)
    expected = scipy.stats.binom.sf(k // 2, k, p)
    assert laws.exact_attack_accuracy(n, k, weights="sign") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("weights", laws.WEIGHTS)
@pytest.mark.parametrize("noise", laws.NOISES)
@pytest.mark.parametrize("inflation", [0.0, 0.5, 4.0])
def test_limits_approach_the_exact_laws(weights, noise, inflation):
    if weights == "linear" and noise == "laplace":
        noise = "gaussian"
    n, k = 40_000, 10_000
    options = {"weights": weights, "sigma": math.sqrt(inflation / n), "noise": noise}
    exact = laws.exact_attack_accuracy(n, k, **options)
    # A lattice of steps 2 / n puts 0.8 / sqrt(n) of the mass on a mean of 0, which is selected.
    assert float(laws.attack_accuracy(n, k, **options)) == pytest.approx(exact, abs=1e-3)
    assert exact > 0.53


def test_laplace_noise_damps_sign_weights_less_than_gaussian_noise():
    n, k, sigma = 1500, 600, math.sqrt(2 / 1500)
    density = scipy.integrate.quad(
        lambda x: (
            scipy.stats.norm.pdf(x, scale=1 / math.sqrt(n))
            * scipy.stats.laplace.pdf(x, scale=1 / math.sqrt(n))
        ),
        -1,
        1,
        points=[0],
    )[0]
    expected = scipy.stats.norm.cdf(2 * density * math.sqrt(k) / n)
    found = laws.attack_accuracy(n, k, weights="sign", sigma=[sigma, 0.0], noise="laplace")
    assert found[0] == pytest.approx(expected, abs=1e-8)
    assert found[1] == laws.attack_accuracy(n, k, weights="sign")
    assert found[0] > laws.attack_accuracy(n, k, weights="sign", sigma=sigma) + 0.01


def test_arguments_broadcast():
    found = laws.attack_accuracy([[100], [200]], [10, 20, 30], sigma=0.1)
    assert found.shape == (2, 3)
    assert found[1, 2] == laws.attack_accuracy(200, 30, sigma=0.1)


def test_tracing_queries_reach_the_accuracy():
    n = np.array([64, 1000, 10**5])
    k = laws.tracing_queries(n, 0.9, 0.3)
    assert scipy.stats.norm.cdf(np.sqrt(k / n / (1 + n * 0.09))) == pytest.approx(0.9, abs=1e-12)
    slopes = np.diff(np.log(k)) / np.diff(np.log(n))
    assert 1.8 < slopes[0] < slopes[1] < 2
    assert laws.tracing_queries(2 * n, 0.9) == pytest.approx(2 * laws.tracing_queries(n, 0.9))


@pytest.mark.parametrize("forgetting", [0.0, 0.9, 1.0])
def test_progressive_gap_is_that_of_a_simulation(forgetting):
    n, rounds = 500, 200
    rng = np.random.default_rng(5)
    gaps = []
    for _ in range(60):
        signs = rng.choice((-1.0, 1.0), (rounds, n))
        votes = np.zeros(n)
        for row in signs:
            votes = forgetting * votes + row.mean() * row
        gaps.append(np.mean(votes > 0) + np.mean(votes == 0) / 2 - 0.5)
    error = np.mean(gaps) - laws.progressive_gap(n, rounds, forgetting)
    assert abs(error) < 5 * np.std(gaps, ddof=1) / np.sqrt(60) + 0.002


def test_progressive_gap_tends_to_the_effective_number_of_queries():
    n, factor = 2000, 0.95
    effective = (1 + factor) / (1 - factor)
    expected = scipy.stats.norm.cdf(math.sqrt(effective / n)) - 0.5
    assert laws.progressive_gap(n, 10_000, factor) == pytest.approx(expected, abs=1e-12)
    everything = float(laws.attack_accuracy(n, 300)) - 0.5
    assert laws.progressive_gap(n, 300, 1.0) == pytest.approx(everything, abs=1e-12)


def test_plurality_of_two_classes_is_the_binary_law():
    for n, k in ((1000, 1), (1000, 500), (10, 4000)):
        expected = float(laws.attack_accuracy(n, k))
        assert laws.plurality_accuracy(n, k, 2) == pytest.approx(expected, abs=1e-9)


def test_plurality_law_is_that_of_normal_votes():
    m, z = 10, math.sqrt(500 * 10 / (1000 * 9))
    votes = np.random.default_rng(0).standard_normal((400_000, m))
    wins = votes[:, 0] + z > votes[:, 1:].max(axis=1)
    error = wins.mean() - laws.plurality_accuracy(1000, 500, m)
    assert abs(error) < 5 * wins.std() / math.sqrt(len(wins))


def test_feature_selection_law_is_that_of_truncated_normals():
    n = d = 10_000
    train, holdout = laws.feature_selection_accuracy(n, d, [1, 200, 10**6])
    m = laws.expected_selected(d)
    above_one = scipy.stats.truncnorm(1, np.inf)
    assert m == pytest.approx(2 * d * scipy.stats.norm.sf(1) ** 2)
    for size, on_train, on_holdout in zip((1, 200, m), train, holdout, strict=True):
        bar = above_one.isf(size / m)
        mean = scipy.stats.truncnorm.mean(bar, np.inf)
        assert on_train == pytest.approx(scipy.stats.norm.cdf(math.sqrt(size / n) * mean))
        scale = math.sqrt(size / n) * above_one.mean()
        assert on_holdout == pytest.approx(scipy.stats.norm.cdf(scale))


def test_signal_accuracy_with_an_own_bias():
    expected = scipy.stats.norm.cdf(5 * 0.1 / math.sqrt(8))
    assert laws.signal_accuracy(100, 8, 5, 0.1) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: laws.attack_accuracy(0, 5), "n must be an integer >= 1; got 0"),
        (lambda: laws.attack_accuracy(5, 2.5), "k must be an integer >= 1; got 2.5"),
        (lambda: laws.attack_accuracy(5, 5, sigma=-1), "sigma must be >= 0; got -1"),
        (lambda: laws.attack_accuracy(5, 5, weights="signs"), "did you mean 'sign'"),
        (lambda: laws.exact_attack_accuracy(5, 5, noise="x"), "noise must be one of"),
        (
            lambda: laws.exact_attack_accuracy(5, 5, sigma=1.0, noise="laplace"),
            "noise must be 'gaussian' for linear weights",
        ),
        (lambda: laws.tracing_queries(5, 0.5), "accuracy must be a number > 0.5 and < 1"),
        (lambda: laws.progressive_gap(5, 5, 1.5), r"forgetting must be in \[0, 1\]; got 1.5"),
        (lambda: laws.plurality_accuracy(5, 5, 1), "n_classes must be an integer >= 2"),
        (lambda: laws.expected_selected(0), "d must be an integer >= 1"),
        (lambda: laws.feature_selection_accuracy(5, 5, [0]), "sizes must be an integer >= 1"),
        (lambda: laws.signal_accuracy(100, 10), "sizes must be >= n_signal = 20; got 10"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
