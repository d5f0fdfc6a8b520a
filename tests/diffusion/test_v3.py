"""DPM-Solver-v3 against the multistep methods, the released loop, quadrature and exact flows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.samplers import multistep
from theorytk.diffusion.samplers._v3_tables import make_tables, step_integrals
from theorytk.diffusion.samplers.v3 import dpm_v3
from theorytk.diffusion.samplers.v3_interpolation import v3_weights
from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.targets import GaussianTarget, three_modes
from theorytk.diffusion.tuning.statistics import ModelStatistics, gaussian_statistics

VP = VPLinear()
TARGET = three_modes()
TIMES = time_grid(VP, "quadratic", 7, t_min=0.02, t_max=0.9)
X = np.random.default_rng(3).normal(size=(6, 2))


def smooth(schedule=VP, n_nodes=81, times=TIMES):
    """Return smooth statistics that belong to no model."""
    lam = np.linspace(*schedule.lam(np.asarray(times)[[0, -1]]), n_nodes)
    linear = 1 / (1 + np.exp(lam[:, None] + [0.0, 0.5]))
    scaling = np.sin(lam[:, None] * [0.5, 0.8])
    bias = np.cos(lam[:, None] * [0.7, 0.3])
    return ModelStatistics(lam, linear, scaling, bias)


def constant(linear, scaling, times=TIMES):
    """Return statistics that are the same at all nodes and for all coordinates."""
    lam = np.linspace(*VP.lam(np.asarray(times)[[0, -1]]), 9)
    return ModelStatistics(lam, np.full(9, linear), np.full(9, scaling), np.zeros(9))


def run(plan, x=X):
    return sample(plan, TARGET.model(VP), x).x


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize(("linear", "scaling", "output"), [(1, 0, "data"), (0, -1, "noise")])
def test_constant_statistics_give_the_multistep_methods(order, linear, scaling, output):
    options = dict(order=order, lower_order_final=False)
    plan = dpm_v3(VP, TIMES, statistics=constant(linear, scaling), corrector=False, **options)
    np.testing.assert_allclose(run(plan), run(multistep(VP, TIMES, output=output, **options)))
    states = [X * 0.99**i for i in range(3)]
    plan = dpm_v3(
        VP, TIMES, statistics=constant(linear, scaling), corrector=False, bootstrap=2, **options
    )
    other = multistep(VP, TIMES, output=output, bootstrap=2, **options)
    np.testing.assert_allclose(run(plan, states), run(other, states))


def released(statistics, order, corrector, p_pseudo, c_pseudo, lower):
    """The authors' loop: cumulative trapezoids, derivatives, outputs frozen by a correction."""
    lam, l, s, b = statistics.lam, statistics.linear, statistics.scaling, statistics.bias  # noqa: E741
    n_steps = len(TIMES) - 1

    def cumulate(exponent, weight):
        values = np.exp(exponent) * weight
        areas = (values[1:] + values[:-1]) / 2 * np.diff(lam)[:, None]
        return np.concatenate([np.zeros((1, 2)), np.cumsum(areas, axis=0)])

    L, S = cumulate(0 * l, l), cumulate(0 * l, s)
    I, B = cumulate(L + S, 1 + 0 * l), cumulate(-S, b)  # noqa: E741
    C = cumulate(L + S, B)
    index = [int(np.abs(lam - at).argmin()) for at in VP.lam(TIMES)]
    at = lam[index]
    times = VP.t_of_lam(at)
    alpha, sigma = VP.alpha(times), VP.sigma(times)
    xs, noises = [X], []

    def g(s, j):
        f = (sigma[j] * noises[j] - l[index[j]] * xs[j]) / alpha[j]
        i_s, i_j = index[s], index[j]
        return np.exp(S[i_s] - S[i_j]) * f - np.exp(S[i_s]) * (B[i_j] - B[i_s])

    def derivatives(points, values, pseudo):
        n = len(points) - 1
        if pseudo:
            table = [list(values)]
            for i in range(1, n + 1):
                last = table[-1]
                gaps = [points[j] - points[j + i] for j in range(n - i + 1)]
                table.append([(last[j] - last[j + 1]) / gaps[j] for j in range(n - i + 1)])
            return [table[i][0] * math.factorial(i) for i in range(1, n + 1)]
        if n == 0:
            return []
        R = np.array([[(p - points[0]) ** i for i in range(1, n + 1)] for p in points[1:]])
        flat = np.array([v - values[0] for v in values[1:]]).reshape(n, X.size)
        solved = np.linalg.inv(R) @ flat
        return [solved[i].reshape(X.shape) * math.factorial(i + 1) for i in range(n)]

    def update(s, t, nodes, pseudo):
        i_s, i_t = index[s], index[t]
        values = [g(s, j) for j in nodes]
        x = alpha[t] / alpha[s] * np.exp(L[i_s] - L[i_t]) * xs[s]
        x = x - alpha[t] * np.exp(-L[i_t] - S[i_s]) * (I[i_t] - I[i_s]) * values[0]
        x = x - alpha[t] * np.exp(-L[i_t]) * (C[i_t] - C[i_s] - B[i_s] * (I[i_t] - I[i_s]))
        inside = slice(i_s, i_t + 1)
        for k, d in enumerate(derivatives([at[j] for j in nodes], values, pseudo), start=1):
            a = np.exp((L + S)[inside] - (L + S)[i_s])
            a = a * ((lam[inside] - lam[i_s]) ** k / math.factorial(k))[:, None]
            area = ((a[1:] + a[:-1]) / 2 * np.diff(lam[inside])[:, None]).sum(axis=0)
            x = x - alpha[t] * np.exp(L[i_s] - L[i_t]) * area * d
        return x

    x, p = X, 0
    for step in range(1, n_steps + 1):
        now = step - 1
        xs[now:] = [x]
        noises.append(TARGET.noise(x, float(alpha[now]), float(sigma[now])))
        if corrector and p + c_pseudo > 1:
            nodes = [now - 1, now, *range(now - 2, now - p - c_pseudo, -1)]
            new = update(now - 1, now, nodes, c_pseudo)
            frozen = sigma[now] * noises[now] - l[index[now]] * xs[now]
            xs[now] = new
            noises[now] = (frozen + l[index[now]] * new) / sigma[now]
        p = min(step, order)
        if lower:
            p = min(p, n_steps + 1 - step)
        x = update(now, step, list(range(now, now - p, -1)), p_pseudo)
    return x


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("corrector", [False, True])
@pytest.mark.parametrize("pseudo", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("lower", [True, False])
def test_trapezoids_run_the_released_algorithm(order, corrector, pseudo, lower):
    plan = dpm_v3(
        VP,
        TIMES,
        statistics=smooth(),
        order=order,
        corrector=corrector,
        pseudo_predictor=pseudo[0],
        pseudo_corrector=pseudo[1],
        lower_order_final=lower,
        table="trapezoid",
    )
    expected = released(smooth(), order, corrector, *pseudo, lower)
    np.testing.assert_allclose(run(plan), expected, rtol=1e-10, atol=1e-12)


def test_integrals_solve_their_differential_equations():
    statistics = smooth(n_nodes=17)
    tables = make_tables(statistics, "cubic")
    start, end = float(statistics.lam[2]) + 0.1, float(statistics.lam[11]) - 0.2
    splines = tables.linear, tables.scaling, tables.bias

    def rates(at, y):
        l, s, b = (spline(at) for spline in splines)  # noqa: E741
        L, S, offset = y[:2], y[2:4], y[4:6]
        growth, u = np.exp(L + S), (at - start) / (end - start)
        powers = [growth * u**k for k in range(3)]
        return np.concatenate([l, s, np.exp(-S) * b, growth * offset, *powers])

    options = dict(method="DOP853", rtol=1e-12, atol=1e-13, max_step=0.1)
    solved = solve_ivp(rates, (start, end), np.zeros(14), **options).y[:, -1].reshape(7, 2)
    path = tables.path(start, end)
    found = step_integrals(path, start, end, 3)
    np.testing.assert_allclose(path.end, solved[:3], rtol=1e-8)
    np.testing.assert_allclose(found.offset, solved[3], rtol=1e-8)
    np.testing.assert_allclose(found.moments, solved[4:], rtol=1e-8)


@pytest.mark.parametrize(("table", "bound"), [("cubic", 3e-9), ("trapezoid", 1e-5)])
@pytest.mark.parametrize("schedule", [VP, EDM(t_min=0.01, t_max=20.0)])
def test_one_step_is_exact_for_gaussian_data(schedule, table, bound):
    target = GaussianTarget([1.0, -2.0], [0.3, 0.1])
    statistics = gaussian_statistics(target, schedule, n_nodes=121)
    ends = [schedule.t_max, schedule.t_min]
    plan = dpm_v3(schedule, ends, statistics=statistics, order=1, table=table)
    x = float(schedule.sigma(ends[0])) * X
    error = sample(plan, target.model(schedule), x).x - target.flow(x, schedule, *ends)
    assert np.sqrt(np.mean(error**2)) < bound
    assert plan.n_evaluations == 1


def test_any_smooth_statistics_converge_without_floor():
    times = time_grid(VP, "logsnr", 300, t_min=0.1, t_max=0.8)
    statistics = smooth(times=times, n_nodes=12)
    options = dict(order=4, lower_order_final=False, bootstrap=3)
    fine = dpm_v3(VP, times, statistics=statistics, **options)
    target = GaussianTarget([1.0, -2.0], [0.3, 0.1])
    states = [target.flow(X, VP, times[0], t) for t in (*times[:4], times[-1])]
    assert np.abs(sample(fine, target.model(VP), states[:4]).x - states[4]).max() < 1e-8


def test_weights_integrate_polynomials():
    rng = np.random.default_rng(0)
    nodes, moments = np.array([0.0, 1.0, -0.7, -1.9]), rng.normal(size=(4, 3))
    weights = v3_weights(nodes, moments)
    for k in range(4):
        np.testing.assert_allclose(nodes**k @ weights, moments[k], rtol=1e-12)
    newton = v3_weights(nodes[:3], moments[:3], pseudo=True)
    g = rng.normal(size=3)
    first, second = (g[0] - g[1]) / (0 - 1), (g[1] - g[2]) / (1 + 0.7)
    by_hand = g[0] * moments[0] + first * moments[1] + (first - second) / (0 + 0.7) * moments[2]
    np.testing.assert_allclose(g @ newton, by_hand, rtol=1e-12)
    for n in (1, 2):
        np.testing.assert_allclose(
            v3_weights(nodes[:n], moments[:n], pseudo=True), v3_weights(nodes[:n], moments[:n])
        )


def test_evaluations_and_registers():
    for order in (1, 2, 3):
        plan = dpm_v3(VP, TIMES, statistics=smooth(), order=order)
        assert plan.n_evaluations == 7
        # The state, the ones, the outputs of a step, and one output or state that comes.
        assert plan.n_registers <= order + 4
    assert all(type(c) is float for c in dpm_v3_coefficients(constant(0.5, 0.1)))
    assert {np.shape(c) for c in dpm_v3_coefficients(smooth())} == {(), (2,)}


def dpm_v3_coefficients(statistics):
    plan = dpm_v3(VP, TIMES, statistics=statistics)
    return [c for step in plan.instructions for c, _ in getattr(step, "terms", ())]


@pytest.mark.torch
def test_torch_gives_the_same():
    import torch

    from theorytk.diffusion.torch import sample as sample_torch

    plan = dpm_v3(VP, TIMES, statistics=smooth())
    found = sample_torch(plan, TARGET.model(VP), torch.from_numpy(X)).x
    np.testing.assert_allclose(found.numpy(), run(plan), rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(order=0), "order must be an integer >= 1; got 0"),
        (dict(table="simpson"), "table must be one of 'cubic', 'trapezoid'; got 'simpson'"),
        (dict(bootstrap=7), "bootstrap must be an integer >= 0 and <= 6; got 7"),
        (dict(statistics=smooth(times=TIMES[1:])), "statistics must cover lambda from"),
        (
            dict(statistics=smooth(n_nodes=8), table="trapezoid"),
            r"two steps end on one of 8; \d+ equally spaced nodes are enough",
        ),
    ],
)
def test_bad_input(options, match):
    with pytest.raises(ValueError, match=match):
        dpm_v3(VP, TIMES, **(dict(statistics=smooth()) | options))


def test_bad_weights_and_statistics():
    with pytest.raises(ValueError, match="nodes must be distinct"):
        v3_weights([0.0, 0.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="moments must have one row per node, 2"):
        v3_weights([0.0, 1.0], [1.0])
    with pytest.raises(TypeError, match="statistics must be a ModelStatistics; got 3"):
        dpm_v3(VP, TIMES, statistics=3)


def test_too_few_steps_warn():
    with pytest.warns(UserWarning, match="2 steps never reach order 3"):
        dpm_v3(VP, TIMES[:3], statistics=smooth())
