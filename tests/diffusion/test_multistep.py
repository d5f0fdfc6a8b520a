"""The multistep solvers: against formulas of the papers, exact integrals and reference flows."""

import functools
import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import Eval, Lin
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.samplers.multistep import ddim, multistep, multistep_weights
from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.targets import GaussianTarget, three_modes

VP = VPLinear()
UNEVEN = np.array([0.9, 0.7, 0.62, 0.35, 0.2, 0.1, 0.04])


def lins(plan):
    """Return the linear combinations of a plan, by target."""
    return {s.target: {r: c for c, r in s.terms} for s in plan.instructions if type(s) is Lin}


def released(m, lam, schedule, t, output, solver_type):
    """Return what a released second- or third-order update adds to the state (DPM-Solver code)."""
    h = schedule.lam(t) - lam[0]
    sign = 1 if output == "noise" else -1
    gain = -schedule.sigma(t) if output == "noise" else -schedule.alpha(t)
    phi_1 = math.expm1(sign * h)
    phi_2 = phi_1 / h - sign
    phi_3 = phi_2 / h - 0.5
    r0 = (lam[0] - lam[1]) / h
    d10 = (m[0] - m[1]) / r0
    if len(m) == 2:
        weight = 0.5 * phi_1 if solver_type == "dpmsolver" else sign * phi_2
        return gain * (phi_1 * m[0] + weight * d10)
    r1 = (lam[1] - lam[2]) / h
    d11 = (m[1] - m[2]) / r1
    d1 = d10 + r0 / (r0 + r1) * (d10 - d11)
    d2 = (d10 - d11) / (r0 + r1)
    return gain * (phi_1 * m[0] + sign * phi_2 * d1 + phi_3 * d2)


@pytest.mark.parametrize("output", ["noise", "data"])
@pytest.mark.parametrize(
    ("order", "variant", "solver_type"),
    [(2, "midpoint", "dpmsolver"), (2, "consistent", "taylor"), (3, "published", "dpmsolver")],
)
def test_updates_of_the_released_code(order, variant, solver_type, output):
    plan = multistep(VP, UNEVEN, order=order, output=output, variant=variant)
    m = np.random.default_rng(1).normal(size=len(UNEVEN))
    lam = VP.lam(UNEVEN)
    for i in range(order - 1, len(UNEVEN) - 1):
        terms = lins(plan)[f"x{i + 1}"]
        back = slice(i, i - order if i >= order else None, -1)
        update = released(m[back], lam[back], VP, UNEVEN[i + 1], output, solver_type)
        added = sum(c * m[int(name[1:])] for name, c in terms.items() if name[0] == "m")
        assert added == pytest.approx(update, rel=1e-11)
        kept = VP.alpha if output == "noise" else VP.sigma
        assert terms[f"x{i}"] == pytest.approx(kept(UNEVEN[i + 1]) / kept(UNEVEN[i]), rel=1e-13)
    # The second step of a third-order plan is the second-order one of the same variant.
    second = lins(multistep(VP, UNEVEN, order=2, output=output, variant=variant))["x2"]
    assert lins(plan)["x2"] == second


@pytest.mark.parametrize("output", ["noise", "data"])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_a_polynomial_output_is_integrated_exactly(order, output):
    def polynomial(lam):
        return np.polynomial.polynomial.polyval(lam, [0.3, -1.0, 0.7, 0.2, -0.1][:order])

    model = Model(lambda x, t: polynomial(VP.lam(t)) + 0 * x, output, VP)
    # With the state gone from the model any history is exact.
    plan = multistep(VP, UNEVEN, order=order, output=output, bootstrap=order - 1)
    x = [np.ones((1, 1))] * order
    start, end = UNEVEN[order - 1], UNEVEN[-1]
    kept, sign = (VP.alpha, -1) if output == "noise" else (VP.sigma, 1)
    integral, _ = quad(
        lambda lam: math.exp(sign * lam) * polynomial(lam),
        *(float(VP.lam(t)) for t in (start, end)),
        epsrel=1e-13,
    )
    exact = kept(end) * (1 / kept(start) + sign * integral)
    assert sample(plan, model, x).x == pytest.approx(exact, rel=1e-11)


def test_limits_of_small_steps_are_adams_bashforth():
    def limit(order, variant="consistent"):
        nodes = [-float(j) for j in range(order)]
        return np.array(multistep_weights(nodes, 1e-8, variant=variant)) / 1e-8

    assert limit(2) == pytest.approx([3 / 2, -1 / 2], rel=1e-7)
    assert limit(3) == pytest.approx([23 / 12, -16 / 12, 5 / 12], rel=1e-7)
    assert limit(4) == pytest.approx(np.array([55, -59, 37, -9]) / 24, rel=1e-7)
    assert limit(2, "midpoint") == pytest.approx([3 / 2, -1 / 2], rel=1e-7)
    # The released third order: 11/6 instead of 23/12, so it is not even a third-order method.
    assert limit(3, "published") == pytest.approx([11 / 6, -7 / 6, 1 / 3], rel=1e-7)


def test_ddim_on_a_gaussian_is_its_closed_factor():
    mean, variance = np.array([0.4, -1.0]), np.array([0.3, 1.7])
    model = GaussianTarget(mean, variance).model(VP)
    x = np.array([[0.2, 1.1], [-2.0, 0.5]])
    offset = x - VP.alpha(UNEVEN[0]) * mean
    for s, t in pairwise(UNEVEN):
        decay = math.exp(VP.lam(s) - VP.lam(t))
        total = VP.alpha(s) ** 2 * variance + VP.sigma(s) ** 2
        offset *= VP.sigma(t) / VP.sigma(s) + VP.alpha(t) * (1 - decay) * (
            VP.alpha(s) * variance / total
        )
    expected = VP.alpha(UNEVEN[-1]) * mean + offset
    for output in ("noise", "data"):
        result = sample(ddim(VP, UNEVEN, output=output), model, x)
        assert result.x == pytest.approx(expected, rel=1e-12)
        assert result.n_evaluations == 6


@functools.cache
def reference(schedule, kind, t_max, t_min):
    """Return a fine grid and the flow of 64 points at its nodes."""
    times = time_grid(schedule, kind, 192, t_max=t_max, t_min=t_min)
    x = schedule.sigma(t_max) * np.random.default_rng(0).normal(size=(64, 2))
    return times, reference_trajectory(three_modes(), schedule, x, times).states


def booted_errors(schedule, kind, t_max, t_min, **options):
    """Return the root mean square errors of 96 and 192 steps whose history is exact."""
    times, flow = reference(schedule, kind, t_max, t_min)
    errors = []
    for every in (2, 1):
        states = list(flow[::every][: options["order"]])
        plan = multistep(schedule, times[::every], bootstrap=len(states) - 1, **options)
        x = sample(plan, three_modes().model(schedule), states).x
        errors.append(np.sqrt(np.mean((x - flow[-1]) ** 2)))
    return errors


def slope(errors):
    return math.log2(errors[0] / errors[1])


@pytest.mark.parametrize(
    ("order", "output", "variant", "observed"),
    [
        (1, "data", "consistent", 1),
        (2, "noise", "midpoint", 2),
        (2, "data", "midpoint", 2),
        (2, "data", "consistent", 2),
        (3, "noise", "consistent", 3),
        (3, "data", "consistent", 3),
        (4, "data", "consistent", 4),
        (3, "data", "published", 2),
        (3, "noise", "published", 2),
    ],
)
def test_observed_orders(order, output, variant, observed):
    options = {"order": order, "output": output, "variant": variant}
    errors = booted_errors(VP, "logsnr", 0.6, 0.1, **options)
    assert slope(errors) == pytest.approx(observed, abs=0.25)


def test_order_on_another_schedule_and_grid():
    errors = booted_errors(EDM(), "edm", 10.0, 0.2, order=3)
    assert slope(errors) == pytest.approx(3, abs=0.25)


def test_steps_use_the_history_there_is():
    plan = multistep(VP, UNEVEN, order=3)
    assert [len(terms) - 1 for terms in lins(plan).values()] == [1, 2, 3, 3, 3, 3]
    assert plan.n_evaluations == plan.n_steps == 6
    assert [s.t for s in plan.instructions if isinstance(s, Eval)] == UNEVEN[:-1].tolist()
    booted = multistep(VP, UNEVEN, order=3, bootstrap=2)
    assert booted.inputs == ("x0", "x1", "x2")
    assert [len(terms) - 1 for terms in lins(booted).values()] == [3, 3, 3, 3]
    assert lins(booted)["x6"] == lins(plan)["x6"]


@pytest.mark.parametrize(
    ("n_steps", "option", "final"),
    [(9, "auto", [3, 2, 1]), (10, "auto", [3, 3, 3]), (10, True, [3, 2, 1]), (9, False, [3] * 3)],
)
def test_lower_order_final(n_steps, option, final):
    times = time_grid(VP, "logsnr", n_steps)
    plan = multistep(VP, times, order=3, lower_order_final=option)
    assert [len(terms) - 1 for terms in lins(plan).values()][-3:] == final


def test_bad_input():
    with pytest.raises(ValueError, match="order must be an integer >= 1; got 0"):
        multistep(VP, UNEVEN, order=0)
    with pytest.raises(ValueError, match="output must be one of 'noise', 'data'; got 'velocity'"):
        multistep(VP, UNEVEN, order=2, output="velocity")
    with pytest.raises(ValueError, match=r"variant must be .* did you mean 'published'"):
        multistep(VP, UNEVEN, order=2, variant="publish")
    with pytest.raises(ValueError, match="'published' needs order <= 3; got order 4"):
        multistep(VP, UNEVEN, order=4, variant="published")
    with pytest.raises(ValueError, match="lower_order_final must be True, False or 'auto'"):
        multistep(VP, UNEVEN, order=2, lower_order_final="always")
    with pytest.raises(ValueError, match="bootstrap must be an integer >= 0 and <= 5; got 6"):
        multistep(VP, UNEVEN, order=2, bootstrap=6)
    with pytest.raises(ValueError, match="decrease"):
        multistep(VP, UNEVEN[::-1], order=2)
    with pytest.raises(ValueError, match="nodes must be distinct"):
        multistep_weights([0.0, -1.0, -1.0], 0.1)
    with pytest.warns(UserWarning, match="6 steps never reach order 7"):
        multistep(VP, UNEVEN, order=7)
