"""Every method gives the same numbers on NumPy, on array-api-strict and on torch."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.models import PREDICTIONS, Model
from theorytk.diffusion.samplers import METHODS, compile_plan
from theorytk.diffusion.schedules import VPLinear
from theorytk.diffusion.targets import GuidedTarget, three_modes

SCHEDULE = VPLinear()
TIMES = time_grid(SCHEDULE, "quadratic", 9)
OPTIONS = {"unip": {"order": 3}, "unipc": {"order": 3}}


@pytest.fixture(params=["array_api_strict", pytest.param("torch", marks=pytest.mark.torch)])
def xp(request):
    return importlib.import_module(request.param)


@pytest.fixture
def start():
    return np.random.default_rng(0).standard_normal((7, 2))


def agree(plan, model, x, xp, **options):
    """Check the results on both namespaces, which have the size of one."""
    theirs = sample(plan, model, xp.asarray(x), **options)
    ours = sample(plan, model, x, **options)
    assert type(theirs.x) is type(xp.asarray(x))
    assert 0.1 < np.abs(ours.x).max() < 100
    np.testing.assert_allclose(np.asarray(theirs.x), ours.x, rtol=1e-12, atol=1e-12)
    assert theirs.n_evaluations == ours.n_evaluations


@pytest.mark.parametrize("method", METHODS)
def test_every_method_on_an_exact_target(xp, start, method):
    plan = compile_plan(SCHEDULE, TIMES, method, **OPTIONS.get(method, {}))
    agree(plan, three_modes().model(SCHEDULE), start, xp)


def exact(predicts):
    """Return the exact model of that prediction."""

    def function(x, t):
        level = float(SCHEDULE.alpha(t)), float(SCHEDULE.sigma(t))
        target = three_modes()
        if predicts == "velocity":
            return level[0] * target.noise(x, *level) - level[1] * target.data(x, *level)
        return getattr(target, predicts)(x, *level)

    return Model(function, predicts, SCHEDULE)


@pytest.mark.parametrize("predicts", PREDICTIONS)
@pytest.mark.parametrize("method", ["dpm_2m", "dpmpp_2m"])
def test_every_prediction(xp, start, method, predicts):
    agree(compile_plan(SCHEDULE, TIMES, method), exact(predicts), start, xp)


def test_thresholding_and_guidance(xp, start):
    guided = GuidedTarget(three_modes(), three_modes().component(1), 3.0)
    plan = compile_plan(SCHEDULE, TIMES, "dpmpp_3m")
    agree(plan, guided.model(SCHEDULE), start, xp, threshold=0.9)


def test_a_given_combination_takes_the_place_of_the_default(start):
    plan, calls = compile_plan(SCHEDULE, TIMES, "dpmpp_3m"), []

    def combine(coefficients, arrays):
        calls.append(len(arrays))
        return np.tensordot(coefficients, np.stack(arrays), 1)

    model = three_modes().model(SCHEDULE)
    ours, expected = sample(plan, model, start, combine=combine), sample(plan, model, start)
    np.testing.assert_allclose(ours.x, expected.x, rtol=1e-12, atol=1e-12)
    # Noise to data predictions are combinations of two.
    assert calls == [2, 2, 2, 3] + [2, 4] * 7
