"""Certificates: every method, known defects, black boxes with made-up errors."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from theorytk.diffusion.certify import BlackBoxSampler, certify_order
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.plans import Eval, Lin, Plan
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.samplers import METHODS, ddim
from theorytk.diffusion.schedules import EDM, VPCosine
from theorytk.diffusion.targets import (
    GaussianTarget,
    GuidedTarget,
    random_mixture,
    three_modes,
)
from theorytk.diffusion.theory import expected_order

MULTISTEP = {"order": 3, "lower_order_final": False}
OPTIONS = {"unip": MULTISTEP, "unipc": MULTISTEP}


@pytest.mark.parametrize("method", sorted({*METHODS} - {"dpm_fast"}))
def test_every_method_has_its_order(method):
    options = OPTIONS.get(method, {})
    certificate = certify_order(method, expected=expected_order(method, **options), **options)
    assert certificate.verdict == "supported"
    low, high = certificate.interval
    assert certificate.expected - 0.25 <= low < high <= certificate.expected + 0.25


@pytest.mark.parametrize("method", ["dpm_3m", "dpmpp_3m"])
def test_the_released_third_order_multistep_is_of_second_order(method):
    refuted = certify_order(method, expected=3, variant="published")
    assert refuted.finding == "not order 3"
    assert certify_order(method, variant="published").finding == "order 2"


@pytest.mark.parametrize(
    ("method", "options", "stated"),
    [
        ("ddim", {}, 2),
        ("dpm_2m", {}, 1),
        ("ipndm", {}, 4),
        ("unip", {"order": 3, "lower_order_final": True}, 3),
    ],
)
def test_wrong_statements_are_contradicted(method, options, stated):
    assert certify_order(method, expected=stated, **options).finding == f"not order {stated}"


def test_other_schedules_targets_and_grids():
    for changes in (
        {"schedule": EDM()},
        {"schedule": VPCosine()},
        {"target": random_mixture(5, 4, rng=0)},
        {"kind": "quadratic", "t_min": 0.2, "t_max": 0.8},
        {"n_steps": (9, 27, 81, 243)},
    ):
        assert certify_order("dpm_2s", expected=2, **changes).finding == "order 2"
    guided = GuidedTarget(three_modes(), three_modes().component(0), 2.0)
    assert certify_order("dpmpp_2m", target=guided).finding == "order 2"


def test_adams_bashforth_has_its_order_where_steps_in_rho_are_equal():
    grid = partial(time_grid, kind="edm", rho=1.0)
    certificate = certify_order("ipndm", kind=grid, t_max=0.3, t_min=0.2, expected=4)
    assert certificate.finding == "order 4"
    # Over the whole range the order is not reached: that is no contradiction.
    unsettled = certify_order("ipndm", kind=grid, expected=4)
    assert unsettled.local_orders[2] < 2.5
    assert unsettled.finding == "undecided"


def euler(schedule, times, *, weight=1.0):
    """Return Euler's method in rho, as a plan of its own."""
    rho, alpha = schedule.rho(times), schedule.alpha(times)
    steps = []
    for i in range(len(times) - 1):
        gain = alpha[i + 1] * (rho[i + 1] - rho[i]) * weight
        ratio = alpha[i + 1] / alpha[i]
        steps += [
            Eval(f"m{i}", f"x{i}", float(times[i])),
            Lin(f"x{i + 1}", ((float(ratio), f"x{i}"), (float(gain), f"m{i}"))),
        ]
    return Plan("euler", schedule, times, tuple(steps), ("x0",), f"x{len(times) - 1}")


def test_a_function_is_certified_and_its_mistake_found():
    right = certify_order(euler, expected=1)
    assert right.sampler == "euler"
    assert right.finding == "order 1"
    np.testing.assert_allclose(right.errors, certify_order("euler").errors, rtol=1e-9)
    # A wrong coefficient converges to something else: order 0, or nothing that settles.
    assert certify_order(partial(euler, weight=1.01), expected=1).finding != "order 1"


class MadeUp:
    """The exact states plus errors of a known law, in the place of a sampler."""

    def __init__(self, law, needs=0, accuracy=1e-16):
        self.law, self.needs, self.accuracy = law, needs, accuracy

    def __call__(self, schedule, times, states, model):
        assert states.shape[0] == self.needs + 1
        ends = reference_trajectory(three_modes(), schedule, states[0], times[[0, -1]], rtol=1e-13)
        if self.needs:
            nodes = times[: self.needs + 1]
            exact = reference_trajectory(three_modes(), schedule, states[0], nodes, rtol=1e-13)
            np.testing.assert_allclose(states, exact.states, atol=1e-11)
        rng = np.random.default_rng(1)
        scales = np.exp(0.5 * rng.standard_normal((len(states[0]), 1)))
        return ends.states[-1] + scales * self.law(1 / (len(times) - 1))


@pytest.mark.parametrize("p", [1, 2, 3])
def test_a_black_box_of_known_order(p):
    box = MadeUp(lambda h: h**p * (1 + 2 * h), needs=2)
    assert isinstance(box, BlackBoxSampler)
    certificate = certify_order(box, expected=p)
    assert certificate.finding == f"order {p}"
    assert certificate.n_steps == (16, 32, 64, 128)
    h = 1 / np.array(certificate.n_steps)
    logs = np.log(h**p * (1 + 2 * h))
    np.testing.assert_allclose(certificate.local_orders, -np.diff(logs) / np.log(2), atol=1e-4)
    assert certify_order(box, expected=p + 1).finding == f"not order {p + 1}"


def test_what_is_between_two_integers_is_neither():
    box = MadeUp(lambda h: h**2.5)
    assert certify_order(box).finding == "undecided"
    assert certify_order(box, expected=2).finding == "not order 2"


def test_errors_at_the_floor_or_without_an_order_decide_nothing():
    noisy = MadeUp(lambda h: h**2, accuracy=1e-5)
    certificate = certify_order(noisy, expected=2)
    assert certificate.finding == "undecided"
    assert certificate.interval == (-np.inf, np.inf)
    assert certificate.n_steps == (16, 32, 64, 128, 256, 512, 1024)
    assert "undecided" in certificate.summary()
    wild = MadeUp(lambda h: h**2 * (2 + (-1) ** round(np.log2(1 / h))))
    assert certify_order(wild, expected=2).finding == "undecided"
    exact = MadeUp(lambda h: 0.0)
    assert certify_order(exact, expected=2).finding == "undecided"


def test_an_inexact_start_can_decide_the_order():
    # From lambda = 0 the first steps are as hard as any: those of lower order are then felt.
    start = {"t_max": 0.25, "t_min": 0.02}
    assert certify_order("dpm_3m", expected=3, **start).finding == "order 3"
    assert certify_order("dpm_3m", expected=3, bootstrap=0, **start).finding == "not order 3"


def test_summary_and_repr():
    certificate = certify_order("ddim", expected=2)
    lines = certificate.summary().splitlines()
    assert lines[0] == "ddim: not order 2, stated order 2 contradicted"
    assert [line.split()[0] for line in lines[3:7]] == ["16", "32", "64", "128"]
    shown = [float(line.split()[2]) for line in lines[4:7]]
    np.testing.assert_allclose(shown, certificate.local_orders, atol=6e-4)
    assert repr(certificate).startswith("OrderCertificate('ddim': not order 2, observed 1.00")


def test_reproducible():
    one, two = certify_order("ddim", rng=3), certify_order("ddim", rng=3)
    np.testing.assert_array_equal(one.errors, two.errors)
    assert (one.errors != certify_order("ddim", rng=4).errors).all()


def grid_to_one_over_n(schedule, n_steps, t_min, t_max):
    return np.linspace(t_max, 1 / n_steps, n_steps + 1)


def test_bad_input():
    with pytest.raises(ValueError, match="target must not be Gaussian"):
        certify_order("ddim", target=GaussianTarget([0.0], 1.0))
    one = GaussianTarget([0.0], 1.0)
    with pytest.raises(ValueError, match="target must not be Gaussian"):
        certify_order("ddim", target=GuidedTarget(one, GaussianTarget([1.0], 2.0), 2.0))
    with pytest.raises(TypeError, match="target must be a Target"):
        certify_order("ddim", target="three_modes")
    with pytest.raises(ValueError, match="did you mean 'ddim'"):
        certify_order("ddimm")
    with pytest.raises(TypeError, match="sampler must be"):
        certify_order(3)
    with pytest.raises(TypeError, match="has no option 'order'"):
        certify_order("ddim", order=2)
    with pytest.raises(TypeError, match="options must be empty for a black box"):
        certify_order(MadeUp(lambda h: h), order=2)
    with pytest.raises(ValueError, match="expected must be"):
        certify_order("ddim", expected=0)
    with pytest.raises(ValueError, match="n_steps must be 4 numbers"):
        certify_order("ddim", n_steps=(16, 32, 64))
    with pytest.raises(ValueError, match="one integer ratio"):
        certify_order("ddim", n_steps=(16, 32, 48, 64))
    with pytest.raises(ValueError, match=r"n_steps \(smallest\) must be"):
        certify_order("dpm_2m", n_steps=(2, 4, 8, 16))
    with pytest.raises(ValueError, match="n_points must be"):
        certify_order("ddim", n_points=60)
    with pytest.raises(ValueError, match="n_points must be a multiple of 6"):
        certify_order("ddim", n_points=200)
    with pytest.raises(TypeError, match="bootstrap must be"):
        certify_order("dpm_2m", bootstrap="published")
    with pytest.raises(ValueError, match="kind must give grids with the same ends"):
        certify_order(
            ddim,
            kind=lambda schedule, n_steps, t_min, t_max: np.linspace(0.9, 1 / n_steps, n_steps + 1),
        )
    with pytest.raises(ValueError, match="the sampler's result at 16 steps must be finite"):
        certify_order(MadeUp(lambda h: np.nan))
