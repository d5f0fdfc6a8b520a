"""Multiplicative weights and the median mechanism: closed forms, brute force, potential drops."""

import itertools
import math

import numpy as np
import pytest
from scipy.special import softmax

from theorytk.adaptive.attacks import PackedQueries
from theorytk.adaptive.database_update import (
    MedianMechanism,
    PrivateMultiplicativeWeights,
    mw_parameters,
)
from theorytk.adaptive.mechanisms import BudgetExhaustedError
from theorytk.adaptive.theory import sparse_vector_accuracy
from theorytk.adaptive.update_laws import (
    median_update_bound,
    mw_point_mass_updates,
    mw_potential_drop,
    mw_update_bound,
)


@pytest.mark.parametrize(("d", "alpha"), [(8, 0.1), (12, 0.2), (5, 0.03)])
def test_updates_on_a_point_mass(d, alpha):
    mechanism = PrivateMultiplicativeWeights(2**d, alpha, 2000, math.inf, eta=alpha / 2)
    mechanism.attach(np.zeros(10, dtype=int))
    others = np.arange(2**d) > 0
    expected = mw_point_mass_updates(2**d, alpha, alpha / 2)
    for _ in range(expected + 5):
        mechanism.answer(others)
    assert mechanism.n_updates == expected
    assert 1 - mechanism.weights[0] <= alpha


def test_weights_are_those_of_the_penalties():
    rng = np.random.default_rng(0)
    cells, alpha, eta = 20, 0.02, 0.08
    sample = rng.choice(cells, 500, p=rng.dirichlet(np.full(cells, 0.3)))
    histogram = np.bincount(sample, minlength=cells) / 500
    mechanism = PrivateMultiplicativeWeights(cells, alpha, 5000, math.inf, eta=eta)
    mechanism.attach(sample)
    penalties, updates = np.zeros(cells), 0
    for query in rng.uniform(size=(400, cells)) ** 3:
        weights = softmax(-eta * penalties)
        error = query @ (histogram - weights)
        answer = mechanism.answer(query)
        if abs(error) > alpha:
            assert answer == pytest.approx(query @ histogram)
            penalties += query if error < 0 else 1 - query
            updates += 1
            after = softmax(-eta * penalties)
            held = histogram > 0
            drop = histogram[held] @ np.log(after[held] / weights[held])
            assert drop >= mw_potential_drop(alpha, eta) - 1e-12
        else:
            assert answer == pytest.approx(query @ weights)
    assert mechanism.n_updates == updates > 10
    assert mechanism.weights == pytest.approx(softmax(-eta * penalties))
    assert updates <= mw_update_bound(cells, alpha, eta=eta)


@pytest.mark.parametrize("cells", [2, 8, 64, 201])
def test_batches_packed_or_not_are_the_single_answers(cells):
    rng = np.random.default_rng(1)
    sample = rng.integers(0, (cells + 2) // 3, 300)
    bits = rng.integers(0, 2, (700, cells)).astype(bool)
    one = PrivateMultiplicativeWeights(cells, 0.03, 10_000, math.inf, eta=0.1).attach(sample)
    answers = [one.answer(query) for query in bits]
    assert one.n_updates > 0
    for queries in (bits, bits.astype(float), PackedQueries.pack(bits)):
        batch = PrivateMultiplicativeWeights(cells, 0.03, 10_000, math.inf, eta=0.1)
        assert batch.attach(sample).answer_many(queries) == pytest.approx(answers, abs=1e-12)
        assert (batch.n_updates, batch.n_answered) == (one.n_updates, 700)
        assert batch.weights == pytest.approx(one.weights)


def test_parameters_deliver_the_accuracy():
    n, cells, k, alpha = 240_000, 8, 2000, 0.3
    parameters = mw_parameters(n, cells, k, alpha, 1.0, delta=1e-6)
    a = alpha / 3
    assert parameters["threshold"] == pytest.approx(2 * a)
    assert parameters["max_updates"] > math.log(cells) / (2 * a**2)
    rng = np.random.default_rng(2)
    sample = rng.choice(cells, n, p=rng.dirichlet(np.full(cells, 0.2)))
    queries = rng.integers(0, 2, (k, cells)).astype(bool)
    mechanism = PrivateMultiplicativeWeights(**parameters).attach(sample, rng=0)
    answers = mechanism.answer_many(queries)
    truth = queries @ (np.bincount(sample, minlength=cells) / n)
    assert np.abs(answers - truth).max() <= alpha
    assert 0 < mechanism.n_updates < parameters["max_updates"]
    assert mechanism.privacy.delta_at(1.0) <= 1e-6


def test_parameters_say_how_many_points_would_do():
    with pytest.raises(ValueError, match=r"n must be >= \d+; got 1000") as caught:
        mw_parameters(1000, 64, 100, 0.2, 1.0)
    needed = int(str(caught.value).split()[4].rstrip(";"))
    updates = mw_parameters(needed, 64, 100, 0.2, 1.0)["max_updates"]
    assert sparse_vector_accuracy(needed, 200, updates, 1.0, 0.05) <= 0.2 / 3
    with pytest.raises(ValueError, match="n must be >="):
        mw_parameters(needed - 1, 64, 100, 0.2, 1.0)


def test_weights_stop_after_their_updates():
    mechanism = PrivateMultiplicativeWeights(64, 0.1, 3, 1.0, eta=0.05)
    mechanism.attach(np.zeros(100_000, dtype=int), rng=0)
    others = np.arange(64) > 0
    with pytest.raises(BudgetExhaustedError, match="PrivateMultiplicativeWeights has") as caught:
        mechanism.answer_many([others] * 10)
    assert caught.value.answers == pytest.approx(np.zeros(3), abs=0.05)
    assert (mechanism.n_updates, mechanism.budget_left) == (3, 0)
    assert mechanism.privacy.epsilon == pytest.approx(1.0)


@pytest.mark.parametrize(("cells", "points"), [(1, 4), (2, 6), (4, 7)])
def test_the_median_is_over_all_histograms(cells, points):
    histograms = [h for h in itertools.product(range(points + 1), repeat=cells) if sum(h) == points]
    mechanism = MedianMechanism(cells, points, 1.0, math.inf)
    mechanism.attach(np.zeros(3, dtype=int))
    assert mechanism.n_candidates == len(histograms)
    query = np.random.default_rng(3).uniform(size=cells)
    values = sorted(np.array(histograms) @ query / points)
    assert mechanism.answer(query) == pytest.approx(values[(len(values) - 1) // 2])


def test_median_updates_halve_and_end():
    rng = np.random.default_rng(4)
    points, cells, threshold = 8, 4, 0.1
    truth = np.array([5, 2, 1, 0])
    sample = np.repeat(np.arange(cells), truth * 10)
    mechanism = MedianMechanism(cells, points, threshold, math.inf).attach(sample)
    bound = median_update_bound(cells, points)
    for query in rng.integers(0, 2, (200, cells)).astype(float):
        before, updates = mechanism.n_candidates, mechanism.n_updates
        assert mechanism.answer(query) == pytest.approx(query @ truth / points, abs=threshold)
        if mechanism.n_updates > updates:
            assert mechanism.n_candidates <= before / 2
    assert 0 < mechanism.n_updates <= bound
    assert any(np.allclose(c * points, truth) for c in mechanism._candidates)


def test_the_median_mechanism_may_run_out_of_candidates():
    mechanism = MedianMechanism(2, 1, 0.1, math.inf, max_updates=9).attach([0, 1])
    first = np.array([1.0, 0.0])
    with pytest.raises(BudgetExhaustedError, match="no candidate left"):
        mechanism.answer_many([first] * 4)
    assert mechanism.budget_left > 0


def test_bad_input():
    with pytest.raises(ValueError, match="domain_size must be <= max_domain = 67108864; got"):
        PrivateMultiplicativeWeights(2**27, 0.1, 10, 1.0)
    with pytest.raises(ValueError, match="domain_size must be <= max_domain = 100; got 128"):
        PrivateMultiplicativeWeights(128, 0.1, 10, 1.0, max_domain=100)
    with pytest.raises(ValueError, match=r"<= max_candidates = 1000000 histograms; got 2\.51e"):
        MedianMechanism(16, 24, 0.1, 1.0)
    mechanism = PrivateMultiplicativeWeights(4, 0.1, 10, 1.0)
    for sample in ([0.0, 1.0], [[0, 1]]):
        with pytest.raises(ValueError, match=r"sample must be an array \(n,\) of integer cells"):
            mechanism.attach(sample)
    for sample in ([0, 4], [-1, 2]):
        with pytest.raises(ValueError, match=r"sample must have cells in 0, ..., .* = 3; got min"):
            mechanism.attach(sample)
    with pytest.raises(ValueError, match=r"query must have shape \(4\); got \(2,\)"):
        mechanism.attach([0, 1], rng=0).answer(np.zeros(2))
    for make, name in (
        (lambda: PrivateMultiplicativeWeights(1, 0.1, 10, 1.0), "domain_size"),
        (lambda: PrivateMultiplicativeWeights(4, -0.1, 10, 1.0), "threshold"),
        (lambda: PrivateMultiplicativeWeights(4, 0.1, 0, 1.0), "max_updates"),
        (lambda: PrivateMultiplicativeWeights(4, 0.1, 1, -1.0), "epsilon"),
        (lambda: PrivateMultiplicativeWeights(4, 0.1, 1, 1.0, eta=0.0), "eta"),
        (lambda: MedianMechanism(4, 0, 0.1, 1.0), "net_points"),
        (lambda: mw_parameters(1000, 4, 10, 1.5, 1.0), "alpha"),
        (lambda: mw_parameters(1000, 4, 0, 0.5, 1.0), "k"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            make()
