import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from theorytk.paths.interpolant_theory import kl_bound, kl_bound_from_drift
from theorytk.paths.kl_examples import oscillating_drift, tight_gaussian


@pytest.mark.parametrize("epsilon", [0.1, 0.5, 1.0, 2.0, 4.0])
def test_the_tight_example_by_its_moments(epsilon):
    A = 0.7
    example = tight_gaussian(A, epsilon)

    def derivative(t, state):
        # Mean and variance of the generated law, and the three errors, by the fields themselves.
        m, v = state[:2]
        (b0, s0), (b1, s1) = (example.fields(t, x) for x in (m, m + 1.0))
        slope = b1 - b0 + epsilon * (s1 - s0)
        error_b, error_s = b0, s0 + m
        errors = error_b**2 / 2, error_s**2 / 2, (error_b + epsilon * error_s) ** 2
        return [b0 + epsilon * s0, 2 * slope * v + 2 * epsilon, *errors]

    end = solve_ivp(derivative, (0, 1), [0.0, 1.0, 0, 0, 0], rtol=1e-11, atol=1e-13).y[:, -1]
    assert end[1] == pytest.approx(1, abs=1e-12)
    expected = end[0] ** 2 / 2, *end[2:]
    found = example.kl, example.excess_velocity, example.excess_score, example.mean_square_error
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("epsilon", [0.1, 0.3, 0.4, 1.0, 4.0])
def test_the_corrected_bound_holds_where_the_printed_one_fails(epsilon):
    found = tight_gaussian(2.0, epsilon)
    excesses = found.excess_velocity, found.excess_score
    ratio = found.kl / kl_bound(*excesses, epsilon)
    assert ratio == pytest.approx(1 - math.exp(-2 * epsilon), rel=1e-12)
    assert found.kl / kl_bound_from_drift(found.mean_square_error, epsilon) == pytest.approx(ratio)
    exceeded = found.kl > kl_bound(*excesses, epsilon, form="printed")
    assert exceeded == (epsilon > math.log(2) / 2)


@pytest.mark.parametrize(
    ("c", "k", "kl"),
    [(2.0, 2.0, 1.0229), (2.0, 4.0, 0.9111), (2.0, 16.0, 0.8703), (-1.0, 3.0, None)],
)
def test_the_oscillating_flow_by_integration(c, k, kl):
    # Points and the logarithm of their stretching along the flow; KL as a mean over the start of
    # the generated density, which needs no inverse: E_rho^[(rho / rho^) log(rho / rho^)].
    x0 = np.linspace(-9, 9, 4001)

    def derivative(t, state):
        x = state[: len(x0)]
        return np.concatenate([c / k * np.sin(k * x), c * np.cos(k * x)])

    start = np.concatenate([x0, np.zeros(len(x0))])
    x, log_stretch = np.split(
        solve_ivp(derivative, (0, 1), start, rtol=1e-10, atol=1e-12).y[:, -1], 2
    )
    log_ratio = (x0**2 - x**2) / 2 + log_stretch
    weights = np.exp(-(x0**2) / 2 + log_ratio)
    expected = np.sum(weights * log_ratio) / np.sum(np.exp(-(x0**2) / 2))
    found = oscillating_drift(c, k)
    assert found.kl == pytest.approx(expected, rel=1e-6)
    if kl is not None:
        assert found.kl == pytest.approx(kl, abs=1e-4)
    draws = np.random.default_rng(0).standard_normal(100_000)
    losses = (c / k * np.sin(k * draws)) ** 2 / 2
    assert abs(losses.mean() - found.excess_velocity) < 5.1 * losses.std() / math.sqrt(1e5)


def test_kl_stays_while_the_loss_vanishes():
    found = [oscillating_drift(2.0, k) for k in (4.0, 16.0, 64.0, 256.0)]
    limit = 2 * math.log(math.cosh(1))
    gaps = [abs(example.kl - limit) for example in found]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-4
    assert found[-1].kl_limit == pytest.approx(limit)
    assert found[-1].excess_velocity < 2e-5
    # The mean of the logarithm that gives the limit, over one wave.
    u = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    mean = np.log(math.cosh(2) + math.sinh(2) * np.cos(u)).mean()
    assert mean == pytest.approx(limit, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tight_gaussian(1.0, 0.0), "epsilon must be a number > 0"),
        (lambda: tight_gaussian(math.nan, 1.0), "amplitude must be a number"),
        (lambda: oscillating_drift(1.0, 0.0), "k must be a number > 0"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
