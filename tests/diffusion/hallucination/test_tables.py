"""Tables: functions that are linear in the cells are kept, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from theorytk.diffusion import MixtureTarget, VPDiscrete
from theorytk.diffusion.hallucination import (
    DenoiserTable,
    default_grid,
    exact_denoiser,
    levels,
    line_mixture,
    steep_schedule,
    tabulate,
)

SCHEDULE = VPDiscrete(betas=[0.1, 0.3, 0.6], clip=None)
GRID = np.linspace(-2.0, 3.0, 11)


def absolute(x, t):
    return np.abs(x) * (t + 1)


def test_piecewise_linear_denoisers_are_exact():
    table = tabulate(absolute, SCHEDULE, GRID)
    x = np.random.default_rng(0).uniform(-2, 3, (5, 4))
    for t in range(3):
        np.testing.assert_allclose(table(x, t), absolute(x, t), rtol=1e-14)
        np.testing.assert_allclose(table.refined()(x, t), absolute(x, t), rtol=1e-13)
    assert table.refined().spacing == pytest.approx(table.spacing / 2)


def test_slopes_are_in_units_of_the_data():
    table = tabulate(absolute, SCHEDULE, GRID)
    np.testing.assert_allclose(table.slopes(SCHEDULE), levels(SCHEDULE)[0] * [1, 2, 3])


def test_interpolation_is_of_second_order():
    target, schedule = line_mixture([-1.0, 1.0], 0.3), SCHEDULE
    denoiser = exact_denoiser(target, schedule)
    x = np.linspace(-2, 2, 997)[:, None]
    errors = [
        np.abs(tabulate(denoiser, schedule, np.linspace(-3, 3, G))(x, 0) - denoiser(x, 0)).max()
        for G in (301, 601)
    ]
    assert 3.5 < errors[0] / errors[1] < 4.5


def test_the_default_grid_reaches_as_far_as_the_noisy_modes():
    target, reach = line_mixture([-1.5, 2.0], 0.1), 7.0
    ends = []
    for mode, sign in ((-1.5, -1), (2.0, 1)):

        def edge(a, mode=mode, sign=sign):
            return -(a * mode * sign + reach * np.sqrt(1 - a**2))

        found = minimize_scalar(edge, bounds=(0, 1), method="bounded", options={"xatol": 1e-10})
        ends.append(-sign * found.fun)
    np.testing.assert_allclose(default_grid(target, 5, reach=reach)[[0, -1]], ends, rtol=1e-9)


def test_bad_input():
    values = np.zeros((3, 11))
    values[2, 4] = np.nan
    with pytest.raises(ValueError, match="values must be finite; those of step 2 are not"):
        DenoiserTable(GRID, values)
    with pytest.raises(ValueError, match=r"values must have shape \(any, 11\)"):
        DenoiserTable(GRID, np.zeros((3, 10)))
    for grid in (GRID**3, GRID[::-1]):
        with pytest.raises(ValueError, match="grid must be uniform and increasing"):
            DenoiserTable(grid, np.zeros((1, 11)))
    with pytest.raises(ValueError, match=r"shape \(11, 1\); got \(11,\) at step 0"):
        tabulate(lambda x, t: x[:, 0], SCHEDULE, GRID)
    with pytest.raises(ValueError, match="finite values; it did not at step 1"):
        tabulate(lambda x, t: x if t == 0 else x * np.nan, SCHEDULE, GRID)
    table = DenoiserTable(GRID, np.zeros((3, 11)))
    with pytest.raises(ValueError, match=r"table's grid, \[-2, 3\]; it left it at step 1"):
        table([3.1], 1)
    with pytest.raises(ValueError, match="t must be an integer >= 0 and <= 2"):
        table([0.0], 3)
    with pytest.raises(ValueError, match="target must have dimension 1"):
        default_grid(MixtureTarget([1.0], [[0.0, 0.0]], [1.0]))
    with pytest.raises(ValueError, match="t_start must be an integer >= 1 and <= 999"):
        tabulate(absolute, steep_schedule(), GRID, t_start=1000)
