"""The time-shift sampler: against DDIM's plan, a loop over samples, and variances by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.samplers.multistep import ddim
from theorytk.diffusion.schedules import VPDiscrete, VPLinear
from theorytk.diffusion.targets import random_mixture
from theorytk.diffusion.time_shift import (
    by_label,
    error_variance,
    forward_variance,
    time_shift_sample,
)

SCHEDULE = VPDiscrete(betas=np.linspace(1e-4, 0.02, 1000))
ALPHA2 = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
LADDER = [999, 750, 500, 300, 120, 0]
TARGET = random_mixture(6, 3, 0)
MODEL = by_label(TARGET.model(SCHEDULE))


def start(n=5):
    return np.random.default_rng(1).standard_normal((n, 6))


@pytest.mark.parametrize("settings", [dict(window=0, cutoff=0), dict(window=60, cutoff=999)])
def test_without_shifts_it_is_ddim(settings):
    plan = ddim(SCHEDULE, SCHEDULE.t_of_label(LADDER))
    found = time_shift_sample(SCHEDULE, MODEL, start(), LADDER, **settings)
    wanted = sample(plan, TARGET.model(SCHEDULE), start()).x
    np.testing.assert_allclose(found.x, wanted, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(found.labels, np.array(LADDER[:-1])[:, None] + np.zeros(5, int))


def one_by_one(x, window, cutoff, data_variance):
    """Return the end and the labels of one sample, from the algorithm's lines."""
    label, labels = LADDER[0], []
    for goal in LADDER[1:]:
        labels.append(label)
        a, b = ALPHA2[label], ALPHA2[goal]
        noise = TARGET.noise(x[None], np.sqrt(a), np.sqrt(1 - a))[0]
        x = np.sqrt(b / a) * (x - np.sqrt(1 - a) * noise) + np.sqrt(1 - b) * noise
        label = goal
        if goal > cutoff:
            best = np.inf
            for tau in range(max(goal - window // 2, 0), min(goal + window // 2, 999) + 1):
                gap = abs(x.var(ddof=1) - (1 - ALPHA2[tau]) - ALPHA2[tau] * data_variance)
                if gap < best:
                    best, label = gap, tau
    return x, labels


@pytest.mark.parametrize("data_variance", [0.0, 0.4])
@pytest.mark.parametrize(("window", "cutoff"), [(40, 200), (61, 400), (500, 10)])
def test_against_a_loop_over_samples(window, cutoff, data_variance):
    settings = dict(window=window, cutoff=cutoff, data_variance=data_variance)
    found = time_shift_sample(SCHEDULE, MODEL, start(), LADDER, **settings)
    for i, x in enumerate(start()):
        end, labels = one_by_one(x, **settings)
        assert found.labels[:, i].tolist() == labels
        np.testing.assert_allclose(found.x[i], end, rtol=1e-8, atol=1e-10)


def test_other_arrays_and_events():
    import array_api_strict as strict

    x = start(4).reshape(4, 2, 3)

    def model(x, labels):
        xp = x.__array_namespace__() if hasattr(x, "__array_namespace__") else np
        return x * xp.reshape(xp.asarray(np.sqrt(1 - ALPHA2[labels])), (-1, 1, 1))

    settings = dict(window=40, cutoff=100)
    ours = time_shift_sample(SCHEDULE, model, x, LADDER, **settings)
    theirs = time_shift_sample(SCHEDULE, model, strict.asarray(x), LADDER, **settings)
    np.testing.assert_allclose(np.asarray(theirs.x), ours.x, rtol=1e-12)
    np.testing.assert_array_equal(theirs.labels, ours.labels)


def test_by_label_gives_each_sample_its_time():
    labels = np.array([500, 20, 500, 999, 20])
    found = MODEL(start(), labels)
    for x, label, value in zip(start(), labels, found, strict=True):
        alpha, sigma = np.sqrt(ALPHA2[label]), np.sqrt(1 - ALPHA2[label])
        np.testing.assert_allclose(value, TARGET.noise(x[None], alpha, sigma)[0], rtol=1e-9)


def test_variance_of_forward_states():
    rng = np.random.default_rng(2)
    data = rng.standard_normal((20_000, 8)) * np.linspace(0.2, 1.5, 8) + np.arange(8.0)
    noise = rng.standard_normal(data.shape)
    for label in (50, 400):
        states = np.sqrt(ALPHA2[label]) * data + np.sqrt(1 - ALPHA2[label]) * noise
        seen = states.var(axis=1, ddof=1)
        law = forward_variance(SCHEDULE, label, data.var(axis=1, ddof=1).mean())
        assert abs(seen.mean() - law) < 6 * seen.std() / np.sqrt(len(data))


def test_variance_of_an_independent_error():
    rng = np.random.default_rng(3)
    error = rng.standard_normal((1, 5))
    x = rng.standard_normal((200_000, 5))
    gains = (x + error).var(axis=1, ddof=1) - x.var(axis=1, ddof=1)
    assert abs(gains.mean() - error_variance(error)[0]) < 6 * gains.std() / np.sqrt(len(x))
    centred = error - error.mean()
    assert error_variance(centred)[0] == pytest.approx((centred**2).sum() / 4)


def test_bad_input():
    settings = dict(window=40, cutoff=200)
    with pytest.raises(TypeError, match="schedule must be a VPDiscrete"):
        time_shift_sample(VPLinear(), MODEL, start(), LADDER, **settings)
    with pytest.raises(ValueError, match="decrease strictly"):
        time_shift_sample(SCHEDULE, MODEL, start(), [10, 10], **settings)
    with pytest.raises(ValueError, match="labels must be an integer >= 0 and <= 999; got 1000"):
        time_shift_sample(SCHEDULE, MODEL, start(), [1000, 10], **settings)
    with pytest.raises(ValueError, match="at least two coordinates"):
        time_shift_sample(SCHEDULE, MODEL, np.ones((3, 1)), LADDER, **settings)
    with pytest.raises(TypeError, match="x must be an array"):
        time_shift_sample(SCHEDULE, MODEL, 1.0, LADDER, **settings)
    with pytest.raises(ValueError, match="window must be"):
        time_shift_sample(SCHEDULE, MODEL, start(), LADDER, window=-1, cutoff=0)
    with pytest.raises(ValueError, match="model's output must have the shape"):
        time_shift_sample(SCHEDULE, lambda x, labels: x[:1], start(), LADDER, **settings)
    with pytest.raises(TypeError, match="model must be a Model of a VPDiscrete"):
        by_label(TARGET.model(VPLinear()))
    with pytest.raises(ValueError, match="data_variance must be"):
        forward_variance(SCHEDULE, 5, -1.0)
    with pytest.raises(ValueError, match="d, the length of each error"):
        error_variance([[1.0]])
