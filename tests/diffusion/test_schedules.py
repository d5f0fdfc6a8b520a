"""Noise schedules against quadrature, high precision and the published constants."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad

from theorytk.diffusion.mean_reverting import MeanReverting
from theorytk.diffusion.schedules import EDM, VESchedule, VPCosine, VPDiscrete, VPLinear

BETAS = np.linspace(1e-4, 0.02, 1000)
ALL = [
    VPLinear(),
    VPLinear(0.5, 0.5),
    VPCosine(),
    VPDiscrete(betas=BETAS),
    EDM(),
    VESchedule(0.01, 50.0),
    MeanReverting(),
    MeanReverting(theta=lambda t: 1 + t**2),
]


def inside(schedule, n=201):
    """Return times over the whole range, dense near its lower end."""
    times = schedule.t_min + (schedule.t_max - schedule.t_min) * np.linspace(0, 1, n) ** 3
    times[-1] = schedule.t_max
    return times


@pytest.mark.parametrize("schedule", ALL, ids=lambda s: type(s).__name__)
def test_lambda_decreases_and_its_inverse_returns_the_time(schedule):
    times = inside(schedule)
    lam = schedule.lam(times)
    assert np.all(np.diff(lam) < 0)
    np.testing.assert_allclose(schedule.t_of_lam(lam), times, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(schedule.rho(times), schedule.sigma(times) / schedule.alpha(times))


@pytest.mark.parametrize("schedule", ALL, ids=lambda s: type(s).__name__)
def test_scalars_and_arrays_agree(schedule):
    t = 0.5 * (schedule.t_min + schedule.t_max)
    for function in (schedule.alpha, schedule.sigma, schedule.lam, schedule.log_alpha):
        assert np.shape(function(t)) == ()
        assert function(np.full((2, 3), t)).shape == (2, 3)
        np.testing.assert_allclose(function(np.full(3, t)), function(t), rtol=1e-15)
    assert schedule.t_of_lam(np.zeros((2, 1))).shape == (2, 1)


def test_linear_rate_is_the_integral_of_beta():
    schedule = VPLinear(0.2, 7.0)
    for t in (0.05, 0.4, 1.0):
        integral = quad(lambda s: 0.2 + 6.8 * s, 0, t)[0]
        assert float(schedule.log_alpha(t)) == pytest.approx(-integral / 2, rel=1e-13)
        assert float(schedule.sigma(t)) == pytest.approx(math.sqrt(1 - math.exp(-integral)))


def test_linear_rate_has_the_released_constants():
    schedule = VPLinear()
    assert float(schedule.lam(1.0)) == pytest.approx(-5.024978406659, abs=1e-12)
    assert float(schedule.lam(1e-3)) == pytest.approx(4.557714932730, abs=1e-12)
    assert float(schedule.t_of_lam(0.0)) == pytest.approx(0.258960262433, abs=1e-12)


def exact_log_alpha(schedule, t):
    """Return log alpha with 40 digits, from the definition."""
    t = mpmath.mpf(t)
    if isinstance(schedule, VPLinear):
        first, last = mpmath.mpf(schedule.beta0), mpmath.mpf(schedule.beta1)
        return -(last - first) * t**2 / 4 - first * t / 2
    s = mpmath.mpf(schedule.offset)
    angles = ((u + s) / (1 + s) * mpmath.pi / 2 for u in (t, 0))
    return mpmath.log(mpmath.fdiv(*map(mpmath.cos, angles)))


@pytest.mark.parametrize("schedule", [VPLinear(), VPCosine()], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("t", [1e-3, 0.02, 0.5, 0.99])
def test_no_digits_are_lost_at_either_end(schedule, t):
    with mpmath.workdps(40):
        log_alpha = exact_log_alpha(schedule, t)
        sigma = mpmath.sqrt(1 - mpmath.exp(2 * log_alpha))
        lam = log_alpha - mpmath.log(sigma)
        expected = [float(value) for value in (log_alpha, sigma, lam)]
    computed = [float(f(t)) for f in (schedule.log_alpha, schedule.sigma, schedule.lam)]
    np.testing.assert_allclose(computed, expected, rtol=2e-14)


def test_discrete_schedule_has_the_products_at_its_labels():
    products = np.cumprod(1 - BETAS)
    labels = np.array([0, 1, 499, 998, 999])
    by_betas, by_products = VPDiscrete(betas=BETAS), VPDiscrete(alphas_cumprod=products)
    for schedule in (by_betas, by_products):
        times = schedule.t_of_label(labels)
        np.testing.assert_allclose(schedule.alpha(times) ** 2, products[labels], rtol=1e-12)
        np.testing.assert_allclose(schedule.sigma(times) ** 2, 1 - products[labels], rtol=1e-11)
        np.testing.assert_allclose(schedule.label(times), labels, atol=1e-12)
    middle = by_betas.log_alpha(by_betas.t_of_label(10.5))
    assert float(middle) == pytest.approx(math.log(products[10] * products[11]) / 4, rel=1e-12)


def test_clip_drops_labels_of_a_cosine_ladder():
    angles = (np.linspace(0, 1, 1001) + 0.008) / 1.008 * np.pi / 2
    betas = np.minimum(1 - np.cos(angles[1:]) ** 2 / np.cos(angles[:-1]) ** 2, 0.999)
    whole, clipped = VPDiscrete(betas=betas, clip=None), VPDiscrete(betas=betas)
    assert whole.t_max == 1.0
    assert float(clipped.lam(clipped.t_max)) >= -5.1
    next_label = clipped.label(clipped.t_max) + 1
    assert float(clipped.lam(clipped.t_of_label(next_label))) < -5.1
    assert VPDiscrete(betas=BETAS).t_max == 1.0


def test_exploding_schedules():
    np.testing.assert_array_equal(EDM().alpha([1.0, 2.0]), [1.0, 1.0])
    np.testing.assert_array_equal(EDM().sigma([1.0, 2.0]), [1.0, 2.0])
    np.testing.assert_allclose(VESchedule(0.01, 100.0).sigma([0.0, 0.25, 1.0]), [0.01, 0.1, 100.0])


def test_mean_reverting_schedule_is_the_integral_of_its_rate():
    schedule = MeanReverting()
    start = 0.008 / 1.008 * math.pi / 2

    def rate(t):
        return 1 - math.cos(start + t / 1.008 * math.pi / 2) ** 2 / math.cos(start) ** 2

    whole = quad(rate, 0, 1, epsabs=1e-14)[0]
    for t in (0.01, 0.3, 1.0):
        expected = math.log(0.005) * quad(rate, 0, t, epsabs=1e-14)[0] / whole
        assert float(schedule.log_alpha(t)) == pytest.approx(expected, rel=1e-9, abs=1e-13)
        variance = (50 / 255) ** 2 * (1 - math.exp(2 * expected))
        assert float(schedule.sigma(t)) == pytest.approx(math.sqrt(variance), rel=1e-6)
    assert float(schedule.alpha(1.0)) == pytest.approx(0.005, rel=1e-13)


def test_mean_reverting_with_a_constant_rate_is_geometric():
    schedule = MeanReverting(theta=np.ones_like, sigma_inf=2.0, alpha_end=0.1)
    np.testing.assert_allclose(schedule.alpha([0.5, 1.0]), [math.sqrt(0.1), 0.1], rtol=1e-14)
    np.testing.assert_allclose(schedule.sigma(1.0), 2 * math.sqrt(0.99), rtol=1e-14)


def test_equal_arguments_make_equal_schedules():
    assert VPDiscrete(betas=BETAS) == VPDiscrete(betas=list(BETAS))
    assert VPDiscrete(betas=BETAS) != VPDiscrete(betas=BETAS[:-1])
    assert VPLinear() == VPLinear(0.1) != VPLinear(0.2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VPLinear(0.0), "beta0 must be a number > 0"),
        (lambda: VPLinear(2.0, 1.0), "beta1 must be a number >= 2"),
        (lambda: VPLinear(t_min=0.0), "t_min must be a number > 0"),
        (lambda: VPCosine(t_max=1.0), "t_max must be a number > 0.001 and < 1"),
        (lambda: VPCosine(offset=-1.0), "offset must be a number > 0"),
        (lambda: VPDiscrete(), "exactly one of betas and alphas_cumprod"),
        (lambda: VPDiscrete(BETAS, BETAS), "exactly one of betas and alphas_cumprod"),
        (lambda: VPDiscrete([0.1, 1.0]), "betas must hold .* strictly between 0 and 1"),
        (lambda: VPDiscrete([0.1]), "betas must hold at least two"),
        (lambda: VPDiscrete(alphas_cumprod=[0.9, 0.9]), "alphas_cumprod must be strictly decr"),
        (lambda: VPDiscrete(BETAS, clip=7.0), "clip must be a number <"),
        (lambda: EDM(2.0, 1.0), "t_max must be a number > 2"),
        (lambda: VESchedule(1.0, 0.5), "sigma_max must be a number > 1"),
        (lambda: MeanReverting(sigma_inf=0.0), "sigma_inf must be a number > 0"),
        (lambda: MeanReverting(alpha_end=1.0), "alpha_end must be a number > 0 and < 1"),
        (lambda: MeanReverting(theta=lambda t: t - 0.5), "theta must be positive"),
        (lambda: MeanReverting(t_max=1.5), "t_max must be a number > 0.01 and <= 1"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_rate_that_is_no_function_is_refused():
    with pytest.raises(TypeError, match="theta must be a function"):
        MeanReverting(theta=0.5)
