import numpy as np
import pytest

from theorytk.diffusion.plans import Lin
from theorytk.diffusion.samplers import METHODS, compile_plan, multistep
from theorytk.diffusion.schedules import VPLinear

VP = VPLinear()
TIMES = np.linspace(0.9, 0.05, 10)
EVALUATIONS = {  # per step, where it is not 1
    **dict.fromkeys(("dpm_2s", "dpmpp_2s", "heun", "deis_rhork_heun"), 2),
    **dict.fromkeys(("dpm_3s", "dpmpp_3s"), 3),
    **{f"deis_rhork_{n}": 3 for n in ("kutta3", "ralston3", "heun3", "houwen3", "ssprk3")},
    "deis_rhork_rk4": 4,
}


@pytest.mark.parametrize("method", METHODS)
def test_evaluations_of_every_method(method):
    options = {"order": 3} if method in ("unip", "unipc") else {}
    plan = compile_plan(VP, TIMES, method, **options)
    assert plan.n_evaluations == 9 * EVALUATIONS.get(method, 1)
    assert plan.times[0] == TIMES[0]
    assert plan.times[-1] == TIMES[-1]
    for step in plan.instructions:
        if isinstance(step, Lin):
            assert all(type(coefficient) is float for coefficient, _ in step.terms)


def test_second_order_is_the_published_midpoint_unless_told_otherwise():
    found = compile_plan(VP, TIMES, "dpmpp_2m")
    other = compile_plan(VP, TIMES, "dpmpp_2m", variant="consistent")
    assert found.instructions == multistep(VP, TIMES, order=2, variant="midpoint").instructions
    assert other.instructions == multistep(VP, TIMES, order=2).instructions
    assert found.instructions != other.instructions


def test_unknown_method_suggests_the_nearest():
    with pytest.raises(ValueError, match="got 'dpmp_2m'; did you mean 'dpmpp_2m'"):
        compile_plan(VP, TIMES, "dpmp_2m")


@pytest.mark.parametrize(
    ("method", "options", "match"),
    [
        ("heun", dict(order=2), "'heun' has no option 'order'; accepted: output"),
        ("deis_tab3", dict(degree=2), "no option 'degree'; accepted: quadrature, bootstrap"),
        ("dpm_2m", dict(varant="taylor"), "no option 'varant'; .* did you mean 'variant'"),
        ("unipc", dict(b="bh1"), "method 'unipc' needs the option 'order'"),
    ],
)
def test_unknown_and_missing_options_are_named(method, options, match):
    with pytest.raises(TypeError, match=match):
        compile_plan(VP, TIMES, method, **options)
