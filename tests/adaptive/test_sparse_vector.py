"""Sparse vector and both Thresholdouts: exact laws of noise, scripted draws, exact privacy."""

import math

import numpy as np
import pytest
from scipy.stats import binom, laplace

from theorytk.adaptive.mechanisms import BudgetExhaustedError
from theorytk.adaptive.privacy import PrivacyLedger
from theorytk.adaptive.sparse_vector import NoiseScales, SparseVector, sparse_vector_scales
from theorytk.adaptive.theory import sparse_vector_accuracy
from theorytk.adaptive.thresholdout import GaussianThresholdout, Thresholdout


class Scripted(np.random.Generator):
    """A generator whose Laplace and normal draws are prescribed, and their scales recorded."""

    def __init__(self, draws):
        super().__init__(np.random.PCG64(0))
        self.draws, self.scales = list(draws), []

    def laplace(self, loc=0.0, scale=1.0, size=None):
        self.scales.append(scale)
        return np.full(size, self.draws.pop(0))

    def normal(self, loc=0.0, scale=1.0, size=None):
        self.scales.append(scale)
        return self.draws.pop(0)


def run_probabilities(means, scales, threshold):
    """P(the first mean above the threshold is number j), and of none, by quadrature."""
    noise = np.linspace(-30, 30, 30_001) * scales.threshold
    weight = laplace.pdf(noise, scale=scales.threshold) * (noise[1] - noise[0])
    still, found = np.ones_like(noise), []
    for mean in means:
        above = laplace.sf(threshold + noise - mean, scale=scales.comparison)
        found.append(np.sum(weight * still * above))
        still = still * (1 - above)
    return np.array([*found, np.sum(weight * still)])


def test_a_run_costs_what_it_is_charged():
    n = 50
    scales = NoiseScales(0.02, 0.04, 0.01)
    cost = scales.run_cost(1 / n)
    assert cost == pytest.approx(2.0)
    rng = np.random.default_rng(0)
    for _ in range(20):
        means = rng.uniform(0.3, 0.7, 4)
        moved = means + rng.uniform(-1, 1, 4) / n
        both = [run_probabilities(m, scales, 0.5) for m in (means, moved)]
        assert both[0].sum() == pytest.approx(1.0, abs=1e-6)
        assert np.abs(np.log(both[0] / both[1])).max() <= cost
    # All but the last fall, the last rises: nearly the whole cost.
    means = np.array([0.5] * 40 + [0.2])
    moved = means + np.array([-1.0] * 40 + [1.0]) / n
    both = [run_probabilities(m, scales, 0.5) for m in (means, moved)]
    assert 0.9 * cost < np.abs(np.log(both[0] / both[1])).max() <= cost


@pytest.mark.parametrize("delta", [0.0, 1e-6])
@pytest.mark.parametrize("c", [1, 8])
def test_the_whole_mechanism_has_its_privacy(c, delta):
    scales = sparse_vector_scales(1000, c, 0.7, delta)
    ledger = PrivacyLedger()
    for _ in range(c):
        ledger = ledger.pure(scales.run_cost(1e-3)).pure(scales.release_cost(1e-3))
    if delta == 0:
        assert ledger.epsilon == pytest.approx(0.7)
    else:
        assert ledger.delta_at(0.7) <= delta


def test_numbers_and_below_without_noise():
    mechanism = SparseVector(0.5, 2, math.inf).attach(np.linspace(0, 1, 11), rng=0)
    answers = [mechanism.answer(lambda points, t=t: points > t) for t in (0.95, 0.45, 0.35)]
    assert answers == pytest.approx([math.nan, 6 / 11, 7 / 11], nan_ok=True)
    assert (mechanism.budget_left, mechanism.privacy.epsilon) == (0, math.inf)


def test_the_budget_is_of_numbers():
    mechanism = SparseVector(0.5, 1, 5.0).attach(np.zeros(10_000), rng=0)
    ones, none = np.ones(10_000), np.zeros(10_000)
    assert mechanism.answer_many([none] * 50) == pytest.approx(np.full(50, np.nan), nan_ok=True)
    assert mechanism.privacy.epsilon == pytest.approx(5.0 * 8 / 9)
    with pytest.raises(BudgetExhaustedError, match="SparseVector has spent") as caught:
        mechanism.answer_many([none, ones, none])
    assert math.isnan(caught.value.answers[0])
    assert caught.value.answers[1] == pytest.approx(1.0, abs=0.1)
    assert mechanism.privacy.epsilon == pytest.approx(5.0)
    assert (mechanism.n_answered, mechanism.budget_left) == (52, 0)


def test_sparse_vector_is_as_accurate_as_derived():
    n, k, c, epsilon, beta = 4000, 30, 3, 1.0, 0.05
    alpha = sparse_vector_accuracy(n, k, c, epsilon, beta)
    rng = np.random.default_rng(4)
    failures = 0
    for _ in range(300):
        mechanism = SparseVector(0.5, c, epsilon).attach(np.zeros(n), rng=rng)
        for mean in np.where(rng.random(k) < 0.9, 0.5 - alpha, 0.5 + alpha):
            if mechanism.budget_left == 0:
                break
            rows = round(mean * n)
            answer = mechanism.answer(np.arange(n) < rows)
            is_wrong = math.isnan(answer) != (mean < 0.5)
            failures += is_wrong or (mean > 0.5 and abs(answer - rows / n) > alpha)
    assert failures <= binom.isf(1e-6, 300, beta)


def test_thresholdout_draws_in_order():
    # threshold; comparison; comparison, release, threshold; comparison, release, threshold.
    rng = Scripted([0.05, 0.0, 0.1, 0.02, -0.1, 0.0, 0.03, 0.0])
    mechanism = Thresholdout(4, 0.1, 0.01, 2).attach([1.0] * 4 + [0.75] * 4, rng=rng)

    def apart(difference):
        return mechanism.answer(lambda points: np.where(points == 1, 0.5, 0.5 + difference))

    assert apart(0.12) == 0.5  # not above 0.15 + 0
    assert apart(0.3) == pytest.approx(0.82)  # above 0.15 + 0.1
    assert mechanism.budget_left == 1
    assert apart(0.05) == pytest.approx(0.58)  # above the new threshold, 0 + 0
    assert rng.scales == [0.02, 0.04, 0.04, 0.01, 0.02, 0.04, 0.01, 0.02]


class NotRedrawn(Thresholdout):
    """The threshold keeps its first noise."""

    def _draw_threshold(self):
        if self.privacy.epsilon == 0:
            super()._draw_threshold()


class ReusedNoise(Thresholdout):
    """Answers from the holdout have the noise of their comparison."""

    def _noise(self, scale, size=()):
        if scale != self._scales.release:
            self.last = super()._noise(scale, size)
        return self.last


def test_faulty_versions_can_be_made():
    sample = [0.0] * 4 + [1.0] * 4
    query = np.repeat([0.5, 0.8], 4)
    rng = Scripted([0.05, 0.1, 0.02, 0.1, 0.02])
    mechanism = NotRedrawn(4, 0.1, 0.01, 2).attach(sample, rng=rng)
    assert mechanism.answer_many([query, query]) == pytest.approx([0.82, 0.82])
    assert rng.scales == [0.02, 0.04, 0.01, 0.04, 0.01]
    rng = Scripted([0.05, 0.1, -0.1])
    mechanism = ReusedNoise(4, 0.1, 0.01, 1).attach(sample, rng=rng)
    assert mechanism.answer(query) == pytest.approx(0.9)
    assert rng.scales == [0.02, 0.04, 0.02]


def test_thresholdout_looks_at_the_holdout_rarely():
    sample = np.concatenate([np.full(60, 0.2), np.full(40, 0.6)])
    mechanism = Thresholdout(60, 0.5, 0.001, 3).attach(sample, rng=0)
    assert mechanism.answer(lambda points: points) == pytest.approx(0.2)
    assert mechanism.privacy.epsilon == pytest.approx(1 / (0.001 * 40))
    mechanism = Thresholdout(60, 0.3, 0.001, 3).attach(sample, rng=0)
    answers = mechanism.answer_many([lambda points: points] * 3)
    assert answers == pytest.approx(0.6, abs=0.03)
    assert len(set(answers)) == 3
    assert mechanism.privacy.epsilon == pytest.approx(2 * 3 / (0.001 * 40))
    with pytest.raises(BudgetExhaustedError):
        mechanism.answer(lambda points: points)
    # HOLD, Lemma 23, has (sqrt(32 B ln(2 / delta)) / (sigma n), delta).
    each = NoiseScales(2 * 0.1, 4 * 0.1, 0.1)
    ledger = PrivacyLedger().pure(each.run_cost(1e-3), 5).pure(each.release_cost(1e-3), 5)
    assert ledger.delta_at(math.sqrt(32 * 5 * math.log(2 / 1e-6)) / 100) <= 1e-6
    losses = Thresholdout(60, 0.3, 0.001, 3, one_sided=True).attach(sample, rng=0)
    assert losses.answer(lambda points: 1 - points) == pytest.approx(0.8)
    assert losses.answer(lambda points: points) == pytest.approx(0.6, abs=0.03)


def test_thresholdout_crosses_as_often_as_its_noise_says():
    # P(difference > T + gamma + eta), exactly by quadrature of two Laplace laws.
    sigma, difference, threshold, runs = 0.02, 0.16, 0.1, 3000
    expected = run_probabilities([difference], NoiseScales(2 * sigma, 4 * sigma, sigma), threshold)
    rng = np.random.default_rng(9)
    sample = np.array([0.3, 0.3 + difference])
    hits = 0
    for _ in range(runs):
        mechanism = Thresholdout(1, threshold, sigma, 1).attach(sample, rng=rng)
        mechanism.answer(lambda points: points)
        hits += mechanism.budget_left == 0
    assert binom.isf(1 - 5e-7, runs, expected[0]) <= hits <= binom.isf(5e-7, runs, expected[0])


def test_the_gaussian_thresholdout_draws_in_order():
    rng = Scripted([0.05, -0.05, 0.02])
    sample = [0.0] * 4 + [1.0] * 16
    mechanism = GaussianThresholdout(4, 0.1, 0.01).attach(sample, rng=rng)
    query = np.repeat([0.5, 0.62], [4, 16])
    assert mechanism.answer(query) == 0.5  # 0.12 <= 0.15
    assert mechanism.answer(query) == pytest.approx(0.64)  # 0.12 > 0.05, noise 0.02
    assert rng.scales == [0.01] * 3
    assert mechanism.privacy.mu == pytest.approx(math.sqrt(3) / (16 * 0.01))
    assert mechanism.budget_left is None


def test_the_gaussian_thresholdout_has_the_settings_of_the_experiment():
    rng = Scripted([0.0, 0.0, 0.0])
    mechanism = GaussianThresholdout(1).attach(np.repeat([0.5, 0.6], [1, 10_000]), rng=rng)
    assert mechanism.answer(lambda points: points) == pytest.approx(0.6)
    assert mechanism.answer(np.repeat([0.5, 0.539], [1, 10_000])) == 0.5
    assert rng.scales == [0.01] * 3


def test_bad_input():
    with pytest.raises(ValueError, match="training_rows must be < n = 5 to leave a holdout; got 5"):
        Thresholdout(5, 0.1, 0.01, 1).attach(np.zeros(5))
    with pytest.raises(ValueError, match="training_rows must be < n = 5"):
        GaussianThresholdout(7).attach(np.zeros(5))
    for make, name in (
        (lambda: SparseVector(math.nan, 1, 1.0), "threshold"),
        (lambda: SparseVector(0.5, 0, 1.0), "c"),
        (lambda: SparseVector(0.5, 1, 0.0), "epsilon"),
        (lambda: SparseVector(0.5, 1, 1.0, 1.0), "delta"),
        (lambda: Thresholdout(0, 0.1, 0.01, 1), "training_rows"),
        (lambda: Thresholdout(5, -0.1, 0.01, 1), "threshold"),
        (lambda: Thresholdout(5, 0.1, -0.01, 1), "sigma"),
        (lambda: Thresholdout(5, 0.1, 0.01, 0), "budget"),
        (lambda: GaussianThresholdout(5, -0.1), "threshold"),
        (lambda: GaussianThresholdout(5, 0.1, -1.0), "tolerance"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            make()
