"""Reference trajectories against closed forms and an integrator of another kind."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import ndtr

from theorytk.diffusion.models import Model
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.targets import GaussianTarget, GuidedTarget, MixtureTarget, three_modes

START = np.random.default_rng(0).standard_normal((6, 2))


@pytest.mark.parametrize(
    ("schedule", "times"), [(VPLinear(), [0.9, 0.3, 0.001]), (EDM(), [80.0, 1.0, 0.002])]
)
def test_gaussian_closed_form(schedule, times):
    target = GaussianTarget([1.0, -2.0], [[2.0, 0.5], [0.5, 0.3]])
    x = START * times[0]
    found = reference_trajectory(target, schedule, x, times)
    for t, states in zip(times, found.states, strict=True):
        exact = target.flow(x, schedule, times[0], t)
        assert np.abs(states - exact).max() < 1e-10
        assert np.abs(states - exact).max() <= max(found.accuracy, 1e-13)
    np.testing.assert_array_equal(found.times, times)
    np.testing.assert_allclose(found.states[0], x)


def test_flow_on_the_line_is_the_transport_of_quantiles():
    # In one dimension the flow keeps the distribution function's value.
    w, m, v = np.array([0.3, 0.7]), np.array([-1.0, 1.5]), np.array([0.1, 0.3])
    target, schedule, times = MixtureTarget(w, m, v), VPLinear(), [0.8, 0.02]

    def cdf(x, t):
        alpha, sigma = float(schedule.alpha(t)), float(schedule.sigma(t))
        return w @ ndtr((x - alpha * m) / np.sqrt(alpha**2 * v + sigma**2))

    x = np.array([[-1.2], [0.1], [0.9]])
    found = reference_trajectory(target, schedule, x, times)
    for start, end in zip(x[:, 0], found.states[1, :, 0], strict=True):
        level = cdf(start, times[0])
        exact = brentq(lambda z, level=level: cdf(z, times[1]) - level, -4, 4, xtol=1e-14)
        assert abs(end - exact) < 2e-12


def test_implicit_solver_in_another_variable():
    target, schedule = GuidedTarget(three_modes(), three_modes().component(0), 2.5), VPLinear()
    x, times = START[:2], [0.9, 0.1]
    found = reference_trajectory(target, schedule, x, times)

    def slope(lam, y):
        t = float(schedule.t_of_lam(lam))
        alpha, sigma = float(schedule.alpha(t)), float(schedule.sigma(t))
        return -np.exp(-lam) * target.noise(alpha * y.reshape(2, 2), alpha, sigma).ravel()

    other = solve_ivp(
        slope,
        schedule.lam(times),
        (x / schedule.alpha(times[0])).ravel(),
        method="Radau",
        rtol=1e-9,
        atol=1e-10,
    )
    end = schedule.alpha(times[1]) * other.y[:, -1].reshape(2, 2)
    np.testing.assert_allclose(found.states[1], end, atol=1e-6)


def test_model_and_target_agree_and_accuracy_follows_the_tolerance():
    schedule, times = VPLinear(), [0.9, 0.4, 0.05]
    target = three_modes()
    exact = reference_trajectory(target, schedule, START, times, rtol=1e-13)
    data = Model(
        lambda x, t: target.data(x, float(schedule.alpha(t)), float(schedule.sigma(t))), "data"
    )
    by_model = reference_trajectory(data, schedule, START, times)
    assert np.abs(by_model.states - exact.states).max() < 1e-10
    for rtol in (1e-7, 1e-9, 1e-11):
        found = reference_trajectory(target, schedule, START, times, rtol=rtol)
        error = np.abs(found.states - exact.states).max()
        assert 0 < error <= found.accuracy < 1e5 * rtol


def test_bad_input():
    target, schedule = three_modes(), VPLinear()
    with pytest.raises(ValueError, match="times must be two or more and decrease"):
        reference_trajectory(target, schedule, START, [0.1, 0.9])
    with pytest.raises(ValueError, match=r"times \(first\) must be"):
        reference_trajectory(target, schedule, START, [1.5, 0.9])
    with pytest.raises(ValueError, match=r"times \(last\) must be"):
        reference_trajectory(target, schedule, START, [0.9, 0.0])
    with pytest.raises(ValueError, match="x must have shape"):
        reference_trajectory(target, schedule, START[:, :1], [0.9, 0.1])
    with pytest.raises(TypeError, match="target must be a Target or a Model"):
        reference_trajectory(None, schedule, START, [0.9, 0.1])
    with pytest.raises(ValueError, match="rtol must be"):
        reference_trajectory(target, schedule, START, [0.9, 0.1], rtol=1e-15)
