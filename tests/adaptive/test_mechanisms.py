"""Means, parts, rounding and added noise: against NumPy, exact laws and the bounds' own grids."""

import math

import numpy as np
import pytest
from scipy.stats import chi2, kstest, laplace, norm

from theorytk.adaptive.attacks import PackedQueries
from theorytk.adaptive.bounds import confidence_width
from theorytk.adaptive.mechanisms import (
    BudgetExhaustedError,
    EmpiricalMechanism,
    Mechanism,
    OneAtATime,
    RoundingMechanism,
    SplitMechanism,
)
from theorytk.adaptive.noise_addition import (
    GaussianMechanism,
    LaplaceMechanism,
    VarianceCalibratedGaussian,
)
from theorytk.adaptive.privacy import PrivacyLedger
from theorytk.adaptive.sparse_vector import SparseMechanism

SAMPLE = np.random.default_rng(0).uniform(size=(90, 3))


def column(j):
    return lambda points: points[:, j]


def test_the_empirical_mechanism_answers_with_the_mean():
    mechanism = EmpiricalMechanism().attach(SAMPLE)
    means = SAMPLE.mean(axis=0)
    assert [mechanism.answer(column(j)) for j in range(3)] == pytest.approx(means)
    assert mechanism.answer_many([column(j) for j in range(3)]) == pytest.approx(means)
    assert mechanism.answer_many(SAMPLE.T) == pytest.approx(means)
    assert mechanism.answer(SAMPLE[:, 1] > 0.5) == np.count_nonzero(SAMPLE[:, 1] > 0.5) / 90
    assert (mechanism.n_answered, mechanism.budget_left) == (10, None)
    assert mechanism.privacy.epsilon == math.inf
    assert mechanism.answer_many([]).shape == (0,)


def test_packed_bool_and_float_queries_are_answered_alike():
    bits = np.random.default_rng(1).integers(0, 2, (20, 90)).astype(bool)
    for mechanism in (
        EmpiricalMechanism(),
        GaussianMechanism(0.1),
        VarianceCalibratedGaussian(5.0, 0.01),
        SplitMechanism(20),
    ):
        answers = [
            mechanism.attach(SAMPLE, rng=3).answer_many(queries)
            for queries in (bits, bits.astype(float), list(bits), PackedQueries.pack(bits))
        ]
        for other in answers[1:]:
            assert other == pytest.approx(answers[0], abs=1e-12)


@pytest.mark.parametrize("base", [Mechanism, OneAtATime, SparseMechanism])
def test_a_base_that_cannot_answer_is_no_mechanism(base):
    with pytest.raises(TypeError, match="abstract"):
        base()


def test_a_mechanism_of_ones_own_needs_an_answer_only():
    class Running(OneAtATime):
        """The mean of all answers so far, this query's mean among them."""

        def _start(self):
            super()._start()
            self.total = 0.0

        def _answer(self, values):
            self.total += values.mean()
            return self.total / (self.n_answered + 1)

    mechanism = Running()
    means = SAMPLE.mean(axis=0)
    for _ in range(2):  # attaching begins afresh
        answers = mechanism.attach(SAMPLE).answer_many(SAMPLE.T)
        assert answers == pytest.approx(np.cumsum(means) / [1, 2, 3])
        assert mechanism.n_answered == 3


def test_parts_are_disjoint_and_used_once():
    mechanism = SplitMechanism(4).attach(np.arange(90) / 90)
    answers = mechanism.answer_many([lambda points: points] * 4)
    assert answers == pytest.approx((np.arange(4) * 22 + 10.5) / 90)
    assert mechanism.budget_left == 0
    with pytest.raises(BudgetExhaustedError, match="SplitMechanism has spent its budget"):
        mechanism.answer(lambda points: points)


@pytest.mark.parametrize("step", [0.01, 0.07, 0.25, 0.3, 0.4, 1.0])
def test_rounded_answers_are_few(step):
    # The width of "description-length" counts 0, step, ..., ceil(1 / step) step.
    mechanism = RoundingMechanism(step).attach(np.zeros(1001))
    means = np.linspace(0, 1, 1002)[:, None]
    ones = np.arange(1001) < 1001 * means
    answers = mechanism.answer_many(ones)
    assert np.abs(answers - ones.mean(axis=1)).max() <= step / 2 + 1e-12
    grid = np.arange(math.ceil(1 / step - 1e-9) + 1) * step
    assert np.abs(answers[:, None] - grid).min(axis=1).max() < 1e-12
    assert len(np.unique(answers)) <= len(grid)


@pytest.mark.parametrize(
    ("mechanism", "law"),
    [
        (GaussianMechanism(0.02), norm(scale=0.02)),
        (LaplaceMechanism(0.01), laplace(scale=0.01)),
        (VarianceCalibratedGaussian(400.0, 0.01), norm(scale=0.5 / 20 * math.sqrt(100 / 99))),
        (VarianceCalibratedGaussian(400.0, 0.36), norm(scale=0.6 / 20)),
    ],
)
def test_noise_has_its_law_and_is_fresh(mechanism, law):
    half = np.repeat([0.0, 1.0], 50)
    mechanism.attach(half, rng=11)
    noise = mechanism.answer_many([lambda points: points] * 4000) - 0.5
    assert kstest(noise, law.cdf).pvalue > 1e-6
    lag = np.sum(noise[1:] * noise[:-1]) / np.sum(noise**2)
    assert abs(lag) < 5 / math.sqrt(4000)


def test_noise_follows_the_variance_of_the_query():
    rare = np.arange(1000) < 20
    mechanism = VarianceCalibratedGaussian(900.0, 1e-4).attach(np.zeros(1000), rng=5)
    answers = mechanism.answer_many(np.tile(rare, (3000, 1)))
    statistic = np.sum((answers - 0.02) ** 2) * 900 / (0.02 * 0.98 * 1000 / 999)
    assert chi2.sf(statistic, 3000) > 1e-7
    assert chi2.cdf(statistic, 3000) > 1e-7
    assert mechanism.privacy.delta_at(1.0) == 1.0


@pytest.mark.parametrize("p", [0.5, 0.1])
def test_leaving_out_a_point_changes_little_on_average(p):
    n, t = 4000, 3.0
    bits = (np.arange(n) < n * p).astype(float)

    class UnitNoise(np.random.Generator):
        def normal(self, loc=0.0, scale=1.0, size=None):
            return np.full(size, scale)

    def law_of(values):
        mechanism = VarianceCalibratedGaussian(t * n, 1e-6)
        mechanism.attach(values, rng=UnitNoise(np.random.PCG64(0)))
        sd = mechanism.answer(lambda points: points) - values.mean()
        return values.mean(), sd**2 * n

    law = law_of(bits)
    total = 0.0
    for bit, weight in ((0, p), (n - 1, 1 - p)):
        mean, variance = law_of(np.delete(bits, bit))
        ratio = (variance + (mean - law[0]) ** 2) / law[1]
        total += weight * (ratio - 1 - math.log(variance / law[1])) / 2
    kurtosis = 1 / (p * (1 - p)) - 3
    assert n**2 * total == pytest.approx(t / 2 + (kurtosis - 1) / 4, rel=0.01)


def test_ledgers_of_noise():
    laplacian = LaplaceMechanism(0.05).attach(SAMPLE, rng=0)
    laplacian.answer_many([column(0)] * 3)
    assert laplacian.privacy.epsilon == pytest.approx(3 / (90 * 0.05))
    gaussian = GaussianMechanism(0.05).attach(SAMPLE, rng=0)
    gaussian.answer_many([column(0)] * 3)
    assert gaussian.privacy.rho == pytest.approx(3 / (2 * 90**2 * 0.05**2))
    assert gaussian.privacy.mu == pytest.approx(math.sqrt(2 * gaussian.privacy.rho))
    assert gaussian.attach(SAMPLE).privacy == PrivacyLedger()
    exact = LaplaceMechanism(0.0).attach(SAMPLE)
    assert exact.answer(column(2)) == pytest.approx(SAMPLE[:, 2].mean())
    assert exact.privacy.epsilon == math.inf


def test_laplace_answers_have_the_epsilon_they_are_charged():
    # Densities of the unclamped answer on samples that differ in one point, on a fine grid.
    n, scale = 90, 0.05
    mechanism = LaplaceMechanism(scale).attach(np.zeros(n), rng=0)
    mechanism.answer(lambda points: points)
    grid = np.linspace(-1, 2, 3001)
    logs = laplace.logpdf(grid, 0.5, scale) - laplace.logpdf(grid, 0.5 + 1 / n, scale)
    assert np.abs(logs).max() == pytest.approx(mechanism.privacy.epsilon)


def test_answers_are_clamped():
    for mechanism in (GaussianMechanism(3.0), LaplaceMechanism(3.0)):
        answers = mechanism.attach(SAMPLE, rng=2).answer_many(np.tile(SAMPLE[:, 0], (200, 1)))
        assert answers.min() == 0.0
        assert answers.max() == 1.0


def test_a_batch_past_the_budget_keeps_what_was_answered():
    mechanism = GaussianMechanism(0.1, budget=5).attach(SAMPLE, rng=0)
    first = mechanism.answer_many([column(0)] * 3)
    assert (len(first), mechanism.budget_left) == (3, 2)
    with pytest.raises(BudgetExhaustedError, match="GaussianMechanism has spent") as caught:
        mechanism.answer_many([column(1)] * 4)
    assert caught.value.answers.shape == (2,)
    assert np.abs(caught.value.answers - SAMPLE[:, 1].mean()).max() < 0.6
    spent = mechanism.privacy
    assert spent.rho == pytest.approx(5 / (2 * (90 * 0.1) ** 2))
    with pytest.raises(BudgetExhaustedError) as caught:
        mechanism.answer(column(1))
    assert caught.value.answers.shape == (0,)
    assert (mechanism.n_answered, mechanism.budget_left, mechanism.privacy) == (5, 0, spent)


def test_a_bad_query_costs_nothing():
    mechanism = GaussianMechanism(0.1).attach(SAMPLE, rng=0)
    beyond = SAMPLE[:, 0] * 3
    for query in (beyond, lambda points: -points[:, 0]):
        with pytest.raises(ValueError, match=r"query must have values in \[0, 1\]; got min"):
            mechanism.answer(query)
    with pytest.raises(ValueError, match="query must be finite; got nan"):
        mechanism.answer(np.full(90, np.nan))
    with pytest.raises(ValueError, match=r"query must have shape \(90\); got \(89,\)"):
        mechanism.answer(np.zeros(89))
    with pytest.raises(ValueError, match=r"queries must have values in \[0, 1\]"):
        mechanism.answer_many(np.array([SAMPLE[:, 0], beyond]))
    with pytest.raises(ValueError, match=r"query must have values in \[0, 1\]"):
        mechanism.answer_many([SAMPLE[:, 0], beyond])
    with pytest.raises(ValueError, match=r"queries must have shape \(any, 90\)"):
        mechanism.answer_many(np.zeros((2, 89), dtype=bool))
    with pytest.raises(ValueError, match="queries must be packed for n = 90; got n = 3"):
        mechanism.answer_many(PackedQueries.pack([[1, 0, 1]]))
    with pytest.raises(TypeError, match="query must be an array of real numbers"):
        mechanism.answer("mean")
    assert (mechanism.n_answered, mechanism.privacy) == (0, PrivacyLedger())


def test_bad_samples_and_parameters():
    with pytest.raises(RuntimeError, match="EmpiricalMechanism has no sample: call attach first"):
        EmpiricalMechanism().answer(column(0))
    with pytest.raises(ValueError, match="sample must have at least 1 point"):
        EmpiricalMechanism().attach([])
    with pytest.raises(ValueError, match="sample must be finite"):
        EmpiricalMechanism().attach([0.0, math.nan])
    with pytest.raises(ValueError, match="k must be <= n = 90; got 91"):
        SplitMechanism(91).attach(SAMPLE)
    with pytest.raises(ValueError, match="sample must have at least 2 points"):
        VarianceCalibratedGaussian(1.0, 0.1).attach([0.5])
    for make, name in (
        (lambda: GaussianMechanism(-0.1), "sigma"),
        (lambda: LaplaceMechanism(math.nan), "scale"),
        (lambda: RoundingMechanism(0.0), "step"),
        (lambda: SplitMechanism(0), "k"),
        (lambda: EmpiricalMechanism(0), "budget"),
        (lambda: VarianceCalibratedGaussian(0.0, 0.1), "t"),
        (lambda: VarianceCalibratedGaussian(1.0, 0.0), "floor"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be"):
            make()


def test_widths_of_the_calculator_hold():
    # Fixed queries of a fair bit: far within the width that holds for adaptive ones.
    n, k = 5000, 50
    rng = np.random.default_rng(8)
    for bound, make in (
        ("tanh-gdp", lambda p: GaussianMechanism(p["sigma"], k)),
        ("laplace-pure", lambda p: LaplaceMechanism(p["scale"], k)),
        ("description-length", lambda p: RoundingMechanism(p["step"], k)),
        ("split", lambda p: SplitMechanism(k)),
    ):
        width = confidence_width(n, k, 1e-6, bound=bound)
        mechanism = make({name: float(value) for name, value in width.parameters.items()})
        answers = mechanism.attach(np.zeros(n), rng=1).answer_many(rng.integers(0, 2, (k, n)))
        assert np.abs(answers - 0.5).max() < width.value
