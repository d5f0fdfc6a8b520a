"""The MR Sampler against the mean-reverting formulas with the mean written out."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from theorytk.diffusion.centring import centred, mean_reverting_sample, mean_reverting_velocity
from theorytk.diffusion.mean_reverting import MeanReverting
from theorytk.diffusion.models import Model
from theorytk.diffusion.samplers.multistep import ddim
from theorytk.diffusion.samplers.stochastic import sde_multistep
from theorytk.diffusion.schedules import VPLinear

SCHEDULE = MeanReverting()
TIMES = [1.0, 0.8, 0.5, 0.2]


def data_of(x, t):
    """Return a nonlinear prediction of the clean image."""
    return np.tanh(x) + 0.1 * t


def noise_of(x, t, mean):
    """Return the noise that goes with it, by the forward law with the mean."""
    a, s = float(SCHEDULE.alpha(t)), float(SCHEDULE.sigma(t))
    return (x - mean - a * (data_of(x, t) - mean)) / s


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return rng.standard_normal((5, 3)), rng.standard_normal(3), rng.standard_normal((3, 5, 3))


def test_ode_steps_with_the_mean_written_out(problem):
    x, mean, _ = problem
    model = Model(data_of, "data", SCHEDULE)
    found = mean_reverting_sample(ddim(SCHEDULE, TIMES), model, x, mean, record=True)
    for (s, t), state in zip(pairwise(TIMES), found.states[1:], strict=True):
        (a_s, a_t), (s_s, s_t) = SCHEDULE.alpha([s, t]), SCHEDULE.sigma([s, t])
        q, h = s_t / s_s, float(SCHEDULE.lam(t) - SCHEDULE.lam(s))
        shift = mean * (1 - q + q * a_s - a_t)
        x = q * x + shift + a_t * (1 - math.exp(-h)) * data_of(x, s)
        np.testing.assert_allclose(state, x, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(found.x, found.states[-1])


@pytest.mark.parametrize("predicts", ["noise", "data", "score", "velocity"])
def test_sde_steps_from_every_prediction(problem, predicts):
    x, mean, noise = problem
    start = x

    def score(x, t):
        return -noise_of(x, t, mean) / float(SCHEDULE.sigma(t))

    def velocity(x, t):
        scale = SCHEDULE.sigma_inf
        clean = float(SCHEDULE.sigma(t)) / scale * (data_of(x, t) - mean)
        return scale * float(SCHEDULE.alpha(t)) * noise_of(x, t, mean) - clean

    model = {
        "noise": lambda x, t: noise_of(x, t, mean),
        "data": Model(data_of, "data"),
        "score": Model(score, "score"),
        "velocity": mean_reverting_velocity(velocity, SCHEDULE, mean),
    }[predicts]
    plan = sde_multistep(SCHEDULE, TIMES, order=1, output="noise")
    found = mean_reverting_sample(plan, model, start, mean, noise=list(noise)).x
    for (s, t), z in zip(pairwise(TIMES), noise, strict=True):
        a_s, a_t = SCHEDULE.alpha([s, t])
        s_t, h = SCHEDULE.sigma(t), float(SCHEDULE.lam(t) - SCHEDULE.lam(s))
        drift = 2 * s_t * (math.exp(h) - 1) * noise_of(x, s, mean)
        x = a_t / a_s * x + (1 - a_t / a_s) * mean - drift
        x = x + s_t * math.sqrt(math.exp(2 * h) - 1) * z
    np.testing.assert_allclose(found, x, rtol=1e-11, atol=1e-12)


def test_a_mean_for_every_image(problem):
    x, _, _ = problem
    means = np.random.default_rng(1).standard_normal(x.shape)
    plan, model = ddim(SCHEDULE, TIMES), Model(data_of, "data")
    together = mean_reverting_sample(plan, model, x, means).x
    alone = [mean_reverting_sample(plan, model, x[i : i + 1], means[i]).x[0] for i in range(len(x))]
    np.testing.assert_allclose(together, alone, rtol=1e-14)


def test_bad_models_are_named():
    with pytest.raises(ValueError, match="predicts must be one of 'noise', 'data', 'score'"):
        centred(Model(data_of, "velocity"), 0.0)
    with pytest.raises(TypeError, match="schedule must be a MeanReverting; got VPLinear"):
        mean_reverting_velocity(data_of, VPLinear(), 0.0)
