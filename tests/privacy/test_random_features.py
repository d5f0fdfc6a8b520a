import numpy as np
import pytest
from scipy.stats import norm

from theorytk.privacy import kernel_theory
from theorytk.privacy.kernels import KERNELS, kernel_values, random_frequencies
from theorytk.privacy.lower_bounds import distance_sum_lower_bound
from theorytk.privacy.random_features import feature_deviation, random_features, released_count

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 2)), RNG.normal(size=(7, 2))
W = random_frequencies("gaussian", 2, 40, rng=1)


def waves(mechanism, x):
    """The features in NumPy."""
    angles = x @ mechanism.frequencies + mechanism.phases
    if mechanism.kind == "laplace":
        return np.sqrt(2) * np.cos(angles)
    return np.hstack([np.cos(angles), np.sin(angles)]) / np.sqrt(len(mechanism.phases))


@pytest.mark.parametrize("budget", [{"epsilon": 1.0}, {"rho": 0.5}])
def test_contributions_are_waves_rounded_towards_zero(budget):
    mechanism = random_features(W, **budget, rng=2)
    exact, released = waves(mechanism, X), mechanism.contributions(X)
    assert np.abs(exact - released).max() < 2.0**-32 + 1e-13
    assert (np.abs(released) <= np.abs(exact) + 1e-13).all()
    assert (released * 2.0**32 == np.rint(released * 2.0**32)).all()


@pytest.mark.parametrize("budget", [{"epsilon": 1.0}, {"rho": 0.5}])
def test_contributions_do_not_depend_on_the_other_points(budget):
    mechanism = random_features(W, **budget, rng=2)
    alone = sum(mechanism.totals(x[None]) for x in X)
    assert (mechanism.totals(X) == alone).all()


def test_overflow_leaves_contributions_bounded():
    mechanism = random_features(W, epsilon=1.0, rng=2)
    with np.errstate(over="ignore"):
        far = mechanism.contributions([[1e308, -1e308], [1e308, 1e308]])
    assert np.abs(far).max() <= np.sqrt(2)


def test_sensitivities_are_reached_but_not_exceeded():
    eye = np.eye(5)
    for neighbours, other in (("add_remove", None), ("replace", np.pi)):
        laplace = random_features(eye, epsilon=1.3, neighbours=neighbours, rng=3)
        worst = -laplace.phases[None]
        loss = laplace.privacy_loss(worst, None if other is None else worst + other)[0]
        assert loss == pytest.approx(1.3, rel=1e-7)
        assert loss <= 1.3
        gaussian = random_features(eye, rho=0.8, neighbours=neighbours)
        x = RNG.normal(size=(1, 5))
        loss = gaussian.privacy_loss(x, None if other is None else x + other)[0]
        assert loss == pytest.approx(0.8, rel=1e-7)
        assert loss <= 0.8


def test_unbounded_points_on_a_line_come_close_to_the_largest_loss():
    """Kronecker: with independent frequencies one coordinate reaches all phases."""
    mechanism = random_features(np.array([[1.0, np.sqrt(2), np.sqrt(3)]]), epsilon=1.0, rng=0)
    x = np.linspace(-2000, 2000, 100_001)[:, None]
    assert (np.abs(waves(mechanism, x)).sum(axis=1) / mechanism.scales[0]).max() > 0.99


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("budget", [{"epsilon": 1.0}, {"rho": 0.5}])
def test_sums_without_noise_are_kernel_sums(kernel, budget):
    frequencies = random_frequencies(kernel, 2, 20_000, bandwidth=1.5, rng=4)
    mechanism = random_features(frequencies, **budget, rng=5)
    answers = mechanism.answers(mechanism.totals(X) * 2.0**-32, Y)
    truth = kernel_values(kernel, X, Y, bandwidth=1.5).sum(axis=1)
    paired = "rho" in budget
    slack = feature_deviation(20_000, 1e-7, paired=paired)
    assert np.abs(answers - truth).max() < 60 * slack


def test_noise_of_answers_is_the_stated_one():
    mechanism = random_features(W, rho=0.125)
    variances, counts = mechanism.noise_components(Y)
    np.testing.assert_allclose(variances, 4.0, rtol=1e-9)
    assert (counts == 1).all()
    laplace = random_features(
        random_frequencies("gaussian", 2, 5000, rng=1), epsilon=0.5, rng=6
    ).noise_components(Y)[0]
    wanted = kernel_theory.laplace_feature_noise(0.5, 5000)
    np.testing.assert_allclose(np.sqrt(laplace.sum(axis=1)), wanted, rtol=0.06)
    rng, reps = np.random.default_rng(7), 400
    drawn = [mechanism.answers(mechanism.release(np.empty((0, 2)), rng), Y) for _ in range(reps)]
    slack = norm.isf(1e-8) * np.sqrt(2 / reps)
    assert np.abs(np.mean(np.square(drawn), axis=0) / 4 - 1).max() < slack < 0.45


@pytest.mark.parametrize("paired", [True, False])
def test_feature_variance_is_that_of_draws(paired):
    n, z = 200_000, 0.8
    w = random_frequencies("exponential", 1, n, rng=8)[0]
    if paired:
        values = np.cos(w * z)
    else:
        beta = np.random.default_rng(9).uniform(0, 2 * np.pi, n)
        values = 2 * np.cos(w * z + beta) * np.cos(beta)
    squares = (values - values.mean()) ** 2
    law = kernel_theory.feature_variance("exponential", z, paired=paired)
    assert abs(squares.mean() - law) < norm.isf(1e-7) * squares.std() / np.sqrt(n)


def test_best_feature_count_minimises_the_error():
    epsilon, n = 0.3, 5000
    counts = np.arange(1, 5000)
    errors = [kernel_theory.laplace_feature_noise(epsilon, int(c)) ** 2 for c in counts]
    total = np.array(errors) + n**2 / counts
    assert kernel_theory.best_feature_count(epsilon, n) == counts[total.argmin()]
    assert np.sqrt(total.min()) == pytest.approx(2 * np.sqrt(n / epsilon), rel=1e-6)


def test_laws_know_the_neighbours():
    assert kernel_theory.gaussian_feature_noise(2.0, neighbours="replace") == 1.0
    assert kernel_theory.laplace_feature_noise(1.0, 25, neighbours="replace") == 20.0
    assert kernel_theory.kernel_sum_lower_bound(0.2) == distance_sum_lower_bound(0.2)


def test_count_is_released_with_its_own_noise():
    mechanism = released_count(rho=0.5)
    assert mechanism.privacy_loss([[1.0, 2.0]])[0] == pytest.approx(0.5, rel=1e-9)
    table = released_count(epsilon=1e6).release(X)
    assert mechanism.count(table) == 60


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="frequencies"):
        random_features(np.ones(3), epsilon=1.0)
    with pytest.raises(ValueError, match="number of frequencies"):
        random_features(np.ones((2, 0)), epsilon=1.0)
    with pytest.raises(ValueError, match="x must have shape"):
        random_features(W, epsilon=1.0).release(np.ones((3, 5)))
    with pytest.raises(ValueError, match="failure"):
        feature_deviation(10, 0.0, paired=True)
