"""Time grids: what is equally spaced, and ladders of integer labels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from theorytk.diffusion.grids import GRIDS, integer_ladder, time_grid
from theorytk.diffusion.schedules import EDM, VESchedule, VPCosine, VPDiscrete, VPLinear

SCHEDULES = [VPLinear(), VPCosine(), EDM(), VPDiscrete(betas=np.linspace(1e-4, 0.02, 1000))]
SCALE = {
    "logsnr": lambda schedule, t: schedule.lam(t),
    "uniform": lambda schedule, t: t,
    "quadratic": lambda schedule, t: np.sqrt(t),
    "power": lambda schedule, t: np.cbrt(t),
    "edm": lambda schedule, t: np.cbrt(schedule.sigma(t) / schedule.alpha(t)),
}


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("kind", GRIDS)
def test_grids_are_equally_spaced_on_their_scale(schedule, kind):
    times = time_grid(schedule, kind, 9, rho=3.0)
    assert times.shape == (10,)
    assert times[0] == schedule.t_max
    assert times[-1] == schedule.t_min
    steps = np.diff(SCALE[kind](schedule, times))
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-9)


def test_edm_grid_is_the_published_formula():
    i = np.arange(18)
    published = (80 ** (1 / 7) + i / 17 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    np.testing.assert_allclose(time_grid(EDM(), "edm", 17), published, rtol=1e-12)


def test_ends_can_be_chosen():
    times = time_grid(VESchedule(), "uniform", 4, t_min=0.0, t_max=0.5)
    np.testing.assert_allclose(times, [0.5, 0.375, 0.25, 0.125, 0.0])
    assert time_grid(VPLinear(), "logsnr", 1, t_min=0.05, t_max=0.9).tolist() == [0.9, 0.05]


@pytest.mark.parametrize(
    ("kind", "n_steps", "options", "message"),
    [
        ("logsrn", 3, {}, "kind must be one of .*; did you mean 'logsnr'"),
        ("uniform", 0, {}, "n_steps must be an integer >= 1"),
        ("uniform", 3, dict(t_min=0.0), "times must be >= t_min = 0.001"),
        ("uniform", 3, dict(t_max=1.5), "times must be <= t_max = 1"),
        ("uniform", 3, dict(t_min=0.5, t_max=0.5), "time grid must decrease"),
        ("edm", 3, dict(rho=0.5), "rho must be a number >= 1"),
    ],
)
def test_bad_grids_are_named(kind, n_steps, options, message):
    with pytest.raises(ValueError, match=message):
        time_grid(VPLinear(), kind, n_steps, **options)


def test_ladder_is_as_near_as_decreasing_labels_can_be():
    schedule = VPDiscrete(betas=np.linspace(0.01, 0.2, 8))
    rng = np.random.default_rng(0)
    ladders = list(itertools.combinations(range(7, -1, -1), 4))
    for _ in range(40):
        labels = np.sort(rng.uniform(0, 7, 4))[::-1]
        first, last = np.rint(labels[[0, -1]])
        if first - last < 3:
            continue
        ladder = integer_ladder(schedule, schedule.t_of_label(labels))
        assert np.all(np.diff(ladder) < 0)
        assert (ladder[0], ladder[-1]) == (first, last)
        rounded = np.rint(labels)
        fitting = [c for c in ladders if (c[0], c[-1]) == (first, last)]
        best = min(np.abs(np.subtract(c, rounded)).max() for c in fitting)
        assert np.abs(ladder - rounded).max() <= max(best, 1)
        if np.all(np.diff(rounded) < 0):
            np.testing.assert_array_equal(ladder, rounded)


def test_a_ladder_can_use_every_label():
    schedule = VPDiscrete(betas=np.linspace(0.01, 0.2, 20))
    times = time_grid(schedule, "quadratic", 19)
    np.testing.assert_array_equal(integer_ladder(schedule, times), np.arange(19, -1, -1))


def test_bad_ladders_are_named():
    schedule = VPDiscrete(betas=np.linspace(0.01, 0.2, 20))
    with pytest.raises(ValueError, match="a label for each of their 31 nodes; there are 20"):
        integer_ladder(schedule, time_grid(schedule, "uniform", 30))
    with pytest.raises(TypeError, match="schedule must be a VPDiscrete; got EDM"):
        integer_ladder(EDM(), [2.0, 1.0])
