"""Every sampler against a nonlinear flow in closed form: its order with exact history."""

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.samplers import METHODS, compile_plan
from theorytk.diffusion.schedules import EDM, VPLinear

VP = VPLinear()
START = np.array([[0.3], [1.0], [1.9], [-0.7]])


def sine_model(schedule):
    """Noise prediction of dy/dlambda = sin(y) / 2, y = x / alpha: the data are y + sin(y) / 2."""

    def model(x, t):
        return -np.sin(x / schedule.alpha(t)) / (2 * schedule.rho(t))

    return model


def sine_states(schedule, times):
    """The flow in closed form: tan(y / 2) grows like exp(lambda / 2)."""
    growth = np.exp((schedule.lam(times) - schedule.lam(times[0])) / 2)
    return [
        a * 2 * np.arctan(np.tan(START / 2) * g)
        for a, g in zip(schedule.alpha(times), growth, strict=True)
    ]


def smooth_grid(n_steps):
    """A grid uniform in no variable of any method."""
    s = np.linspace(0, 1, n_steps + 1)
    return 0.6 - 0.5 * s * (1.3 - 0.3 * s)


def uneven_grid(n_steps):
    """A grid whose steps alternate, .4 to 1.6."""
    steps = np.resize([0.4, 1.6], n_steps)
    return 0.6 - 0.5 * np.concatenate(([0], np.cumsum(steps))) / steps.sum()


def local_order(schedule, grid, method, n_steps, bootstrap=0, **options):
    if bootstrap:
        options["bootstrap"] = bootstrap
    errors = []
    for n in (n_steps, 2 * n_steps):
        times = grid(n)
        states = sine_states(schedule, times)
        plan = compile_plan(schedule, times, method, **options)
        x = states[: bootstrap + 1] if bootstrap else states[0]
        result = sample(plan, sine_model(schedule), x).x
        errors.append(np.sqrt(np.mean((result - states[-1]) ** 2)))
    return np.log2(errors[0] / errors[1])


MULTISTEP = {
    "ddim": 1,
    "dpm_2m": 2,
    "dpm_3m": 3,
    "dpmpp_2m": 2,
    "dpmpp_3m": 3,
    **{f"deis_{v}{r}": r + 1 for v in ("tab", "rhoab", "logrho") for r in range(4)},
}


@pytest.mark.parametrize("grid", [smooth_grid, uneven_grid])
@pytest.mark.parametrize(("method", "order"), MULTISTEP.items())
def test_multistep_orders(method, order, grid):
    found = local_order(VP, grid, method, 128, bootstrap=order - 1)
    assert found == pytest.approx(order, abs=0.2)


SINGLESTEP = {"dpm_2s": 2, "dpm_3s": 3, "dpmpp_2s": 2, "dpmpp_3s": 3, "euler": 1, "heun": 2} | {
    f"deis_rhork_{name}": order
    for name, order in zip(
        ("euler", "heun", "kutta3", "ralston3", "heun3", "houwen3", "ssprk3", "rk4"),
        (1, 2, 3, 3, 3, 3, 3, 4),
        strict=True,
    )
}


@pytest.mark.parametrize(("method", "order"), SINGLESTEP.items())
def test_singlestep_orders(method, order):
    assert local_order(VP, smooth_grid, method, 64) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("output", ["data", "noise"])
@pytest.mark.parametrize("b", ["bh1", "bh2"])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_unipc_corrector_gains_one_order(order, b, output):
    options = dict(order=order, b=b, output=output, lower_order_final=False)
    predicted = local_order(VP, smooth_grid, "unip", 128, bootstrap=order - 1, **options)
    corrected = local_order(
        VP, smooth_grid, "unipc", 128, bootstrap=order - 1, final_corrector=True, **options
    )
    assert predicted == pytest.approx(order, abs=0.3)
    assert corrected == pytest.approx(order + 1, abs=0.3)


def test_ipndm_reaches_its_order_only_where_rho_is_uniform():
    def uniform_rho(n_steps):
        return np.linspace(2.0, 0.5, n_steps + 1)

    for order in (1, 2, 3, 4):
        found = local_order(EDM(), uniform_rho, "ipndm", 128, bootstrap=order - 1, order=order)
        assert found == pytest.approx(order, abs=0.2)
    on_vp = local_order(VP, smooth_grid, "ipndm", 128, bootstrap=3)
    assert on_vp == pytest.approx(2, abs=0.2)


def test_riemann_weights_leave_an_error_floor():
    exact, riemann = (
        local_order(VP, smooth_grid, "deis_tab3", 128, bootstrap=3, quadrature=q)
        for q in ("gauss", "riemann")
    )
    assert exact > 3.7
    assert riemann < 2.5


@pytest.mark.parametrize("method", METHODS)
def test_every_method_approaches_the_flow(method):
    options = {"order": 3} if method in ("unip", "unipc") else {}
    times = smooth_grid(96)
    states = sine_states(VP, times)
    result = sample(compile_plan(VP, times, method, **options), sine_model(VP), states[0])
    np.testing.assert_allclose(result.x, states[-1], atol=0.03)
