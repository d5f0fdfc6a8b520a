"""Momentum samplers: against published weights, AB, moments of polynomials and a known flow."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.plans import Lin
from theorytk.diffusion.samplers import compile_plan
from theorytk.diffusion.samplers.deis import ipndm
from theorytk.diffusion.samplers.momentum import (
    MOMENTUM_METHODS,
    ghvb,
    ghvb_weights,
    heavy_ball,
    momentum_weights,
)
from theorytk.diffusion.schedules import EDM, VPLinear

VP = VPLinear()
TIMES = np.array([0.9, 0.8, 0.65, 0.5, 0.33, 0.2, 0.1])
UNIFORM = {  # the weights of the released code, over their denominators
    1: lambda b: [1.0],
    2: lambda b: np.array([2 + b, -(2 - b)]) / (2 * b),
    3: lambda b: np.array([18 + 5 * b, -(24 - 8 * b), 6 - b]) / (12 * b),
    4: lambda b: np.array([46 + 9 * b, -(78 - 19 * b), 42 - 5 * b, -(10 - b)]) / (24 * b),
    5: lambda b: (
        np.array(
            [
                1650 + 251 * b,
                -(3420 - 646 * b),
                2880 - 264 * b,
                -(1380 - 106 * b),
                270 - 19 * b,
            ]
        )
        / (720 * b)
    ),
}


@pytest.mark.parametrize("damping", [1.0, 0.8, 0.3])
@pytest.mark.parametrize("order", UNIFORM)
def test_weights_of_ghvb_are_the_published(order, damping):
    np.testing.assert_allclose(ghvb_weights(order, damping), UNIFORM[order](damping), rtol=1e-13)


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_ghvb_integrates_polynomials_whose_velocity_is_their_average(order):
    beta, past = 0.6, np.arange(200)
    average = beta * (1 - beta) ** past
    for p in range(order):
        velocity = [average @ (-(past + j)) ** float(p) for j in range(order)]
        integral = np.dot(ghvb_weights(order, beta), velocity)
        assert integral == pytest.approx(1 / (p + 1), rel=1e-9)


def test_every_method_at_damping_one_is_ipndm():
    rng = np.random.default_rng(0)
    x, outputs = rng.standard_normal((3, 2)), rng.standard_normal((7, 3, 2))

    def model(x, t):
        return outputs[int(np.searchsorted(-TIMES, -t))] + 0.1 * x

    for order in (1, 2, 3, 4):
        wanted = sample(ipndm(VP, TIMES, order=order), model, x).x
        for method in MOMENTUM_METHODS:
            plan = compile_plan(VP, TIMES, method, order=order, damping=1.0)
            np.testing.assert_allclose(sample(plan, model, x).x, wanted, rtol=1e-12)


def by_hand(method, order, beta, outputs, times, x):
    """Return the result from the recursions of the paper, in y = x / alpha."""
    y, velocities = x / VP.alpha(times[0]), []
    mean = {1: [1.0], 2: [1.5, -0.5], 3: [23 / 12, -16 / 12, 5 / 12]}
    for i, (s, t) in enumerate(pairwise(times)):
        k = min(order, i + 1)
        ab = sum(w * outputs[i - j] for j, w in enumerate(mean[k]))
        new = outputs[i] if method == "ghvb" else ab
        velocities.append(outputs[0] if i == 0 else (1 - beta) * velocities[-1] + beta * new)
        if method == "hb":
            u = velocities[-1]
        elif method == "nesterov":
            u = (1 - beta) * velocities[-1] + beta * ab
        else:
            u = sum(w * velocities[i - j] for j, w in enumerate(UNIFORM[k](beta)))
        y = y + (VP.rho(t) - VP.rho(s)) * u
    return y * VP.alpha(times[-1])


@pytest.mark.parametrize("method", MOMENTUM_METHODS)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_plans_follow_the_recursions_of_the_paper(method, order):
    outputs = np.random.default_rng(1).standard_normal((6, 4, 2))
    x = np.ones((4, 2))
    plan = compile_plan(VP, TIMES, method, order=order, damping=0.7)
    found = sample(plan, lambda x, t: outputs[int(np.searchsorted(-TIMES, -t))], x)
    np.testing.assert_allclose(found.x, by_hand(method, order, 0.7, outputs, TIMES, x), rtol=1e-12)
    assert found.n_evaluations == 6


def test_the_start_continues_the_polynomial_of_the_known_outputs():
    beta, past = 0.6, np.arange(400)
    plan = ghvb(VP, TIMES, order=3, damping=beta, bootstrap=3)
    lins = {s.target: {r: c for c, r in s.terms} for s in plan.instructions if type(s) is Lin}
    for p in range(4):
        value = sum(c * float(name[1:]) ** p for name, c in lins["v0"].items())
        exact = beta * (1 - beta) ** past @ (-past.astype(float)) ** p
        assert value == pytest.approx(exact, rel=1e-9, abs=1e-9)
    assert plan.inputs == ("x0", "x1", "x2", "x3")


def sine_states(schedule, times):
    """The flow of eps = -sin(y) / (2 rho) in closed form: tan(y / 2) grows like the root."""
    growth = np.exp((schedule.lam(times) - schedule.lam(times[0])) / 2)
    start = np.array([[0.3], [1.0], [1.9], [-0.7]])
    return [
        a * 2 * np.arctan(np.tan(start / 2) * g)
        for a, g in zip(schedule.alpha(times), growth, strict=True)
    ]


def local_order(schedule, grid, **settings):
    errors = []
    for n in (192, 384):
        times = grid(n)
        states = sine_states(schedule, times)
        plan = compile_plan(schedule, times, **settings)
        starts = list(states[: len(plan.inputs)]) if len(plan.inputs) > 1 else states[0]

        def model(x, t):
            return -np.sin(x / schedule.alpha(t)) / (2 * schedule.rho(t))

        errors.append(np.sqrt(np.mean((sample(plan, model, starts).x - states[-1]) ** 2)))
    return np.log2(errors[0] / errors[1])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_ghvb_reaches_its_order_where_rho_is_uniform(order):
    def uniform_rho(n):
        return np.linspace(2.0, 0.5, n + 1)

    settings = dict(order=order, damping=0.8)
    found = local_order(EDM(), uniform_rho, method="ghvb", bootstrap=3, **settings)
    assert found == pytest.approx(order, abs=0.2)
    if order > 1:
        heavy = local_order(EDM(), uniform_rho, method="hb", bootstrap=3, **settings)
        assert heavy == pytest.approx(1, abs=0.2)
    if order > 2:
        started = local_order(EDM(), uniform_rho, method="ghvb", **settings)
        assert started == pytest.approx(2, abs=0.3)


def test_orders_on_other_grids():
    def smooth(n):
        s = np.linspace(0, 1, n + 1)
        return 0.6 - 0.5 * s * (1.3 - 0.3 * s)

    for method, order, expected in (("ghvb", 3, 2), ("ghvb", 4, 2), ("nesterov", 3, 1)):
        settings = dict(order=order, damping=0.8, bootstrap=3)
        assert local_order(VP, smooth, method=method, **settings) == pytest.approx(
            expected, abs=0.25
        )


def test_bad_input():
    with pytest.raises(ValueError, match="damping must be a number > 0 and <= 1; got 0"):
        heavy_ball(VP, TIMES, damping=0.0)
    with pytest.raises(ValueError, match="order must be an integer >= 1 and <= 5; got 6"):
        ghvb(VP, TIMES, order=6)
    with pytest.raises(ValueError, match="bootstrap must be"):
        ghvb(VP, TIMES, bootstrap=6)
    with pytest.raises(ValueError, match=r"method must be one of .* did you mean 'ghvb'"):
        momentum_weights("gvhb", 2, 0.5)
    with pytest.warns(UserWarning, match="2 steps never reach order 3"):
        ghvb(VP, TIMES[:3], order=3)
