"""Plans: what is refused, liveness, coefficients, text and JSON."""

from __future__ import annotations

import numpy as np
import pytest

from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.mean_reverting import MeanReverting
from theorytk.diffusion.plans import Eval, Lin, Noise, Plan, check_times, with_final_denoise
from theorytk.diffusion.schedules import EDM, NoiseSchedule, VESchedule, VPDiscrete, VPLinear


def adams_bashforth(schedule, times, order, output="noise"):
    """Return a plan with the register pattern of a multistep method of this order."""
    steps = []
    for i in range(len(times) - 1):
        steps.append(Eval(f"m{i}", f"x{i}", float(times[i]), output))
        history = range(max(0, i - order + 1), i + 1)
        terms = [(0.1 / (j + 1), f"m{j}") for j in history]
        steps.append(Lin(f"x{i + 1}", ((1 / 3, f"x{i}"), *terms)))
    return Plan("multistep", schedule, times, tuple(steps), ("x0",), f"x{len(times) - 1}")


def times_of(schedule, n_steps=6):
    return time_grid(schedule, "uniform", n_steps)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_multistep_method_keeps_its_state_and_its_history(order):
    plan = adams_bashforth(EDM(), times_of(EDM(), 8), order)
    assert plan.n_registers == order + 1
    assert plan.n_evaluations == plan.n_steps == 8


def live_registers(plan):
    """Return the number of registers still needed after each instruction, by looking ahead."""
    counts = []
    for i in range(len(plan.instructions)):
        later = {name for step in plan.instructions[i + 1 :] for name in step.sources}
        known = {*plan.inputs, *(step.target for step in plan.instructions[: i + 1])}
        counts.append(len(known & (later | {plan.output})))
    return counts


def test_registers_are_counted_by_looking_ahead():
    steps = (
        Eval("m0", "x0", 2.0),
        Noise("unused"),
        Lin("u", ((1.0, "x0"), (2.0, "m0"))),
        Eval("p", "u", 1.5),
        Lin("x1", ((1.0, "u"), (1.0, "p"), (1.0, "m0"))),
        Eval("m1", "x1", 1.0),
    )
    plan = Plan("mixed", EDM(), np.array([2.0, 1.0]), steps, ("x0",), "x1")
    assert plan.n_registers == max(live_registers(plan)) == 3
    plan = adams_bashforth(EDM(), times_of(EDM()), 3)
    assert plan.n_registers == max(live_registers(plan))


def test_coefficients_are_rows():
    plan = adams_bashforth(EDM(), times_of(EDM(), 2), 2)
    table = plan.coefficients()
    assert table.dtype.names == ("instruction", "target", "source", "coefficient")
    assert [tuple(row) for row in table.tolist()] == [
        (1, "x1", "x0", 1 / 3),
        (1, "x1", "m0", 0.1),
        (3, "x2", "x1", 1 / 3),
        (3, "x2", "m0", 0.1),
        (3, "x2", "m1", 0.05),
    ]


def test_a_plan_prints_as_formulas():
    steps = (
        Eval("m0", "x0", 2.0, "data"),
        Noise("z0"),
        Lin("x1", ((0.98, "x0"), (-0.1, "m0"), (0.2, "z0"))),
    )
    plan = Plan("test", EDM(), np.array([2.0, 1.0]), steps, ("x0",), "x1")
    assert str(plan).splitlines()[1:] == [
        "  x0 given",
        "  m0 = data(x0, t = 2)",
        "  z0 = normal noise",
        "  x1 = 0.98 x0 - 0.1 m0 + 0.2 z0",
        "  result x1",
    ]


@pytest.mark.parametrize(
    "schedule",
    [
        VPLinear(0.2, 10.0),
        VESchedule(0.1, 3.0),
        VPDiscrete(betas=np.linspace(1e-4, 0.02, 50)),
        VPDiscrete(alphas_cumprod=np.linspace(0.99, 0.1, 50), clip=None),
        MeanReverting(sigma_inf=0.5),
    ],
    ids=lambda s: type(s).__name__,
)
def test_json_gives_back_every_bit(schedule):
    plan = with_final_denoise(adams_bashforth(schedule, times_of(schedule), 3, "data"))
    again = Plan.from_json(plan.to_json())
    assert again.schedule == plan.schedule
    assert again.instructions == plan.instructions
    np.testing.assert_array_equal(again.times, plan.times)
    assert (again.method, again.inputs, again.output) == (plan.method, plan.inputs, plan.output)


def test_foreign_schedules_are_not_stored():
    class Own(EDM):
        """A schedule of the user."""

    with pytest.raises(TypeError, match="own schedules can be stored; got Own"):
        adams_bashforth(Own(), times_of(EDM()), 1).to_json()
    schedule = MeanReverting(theta=np.ones_like)
    with pytest.raises(TypeError, match=r"a function \(theta\) cannot be stored"):
        adams_bashforth(schedule, times_of(schedule), 1).to_json()
    text = adams_bashforth(EDM(), times_of(EDM()), 1).to_json()
    with pytest.raises(ValueError, match=r"schedule must be one of .*did you mean 'EDM'"):
        Plan.from_json(text.replace('"EDM"', '"EDMs"'))
    with pytest.raises(ValueError, match="instruction must be one of 'eval', 'lin', 'noise'"):
        Plan.from_json(text.replace('"lin"', '"linear"'))


def test_final_denoise_adds_one_evaluation():
    plan = adams_bashforth(EDM(), times_of(EDM()), 2)
    longer = with_final_denoise(plan)
    assert longer.n_evaluations == plan.n_evaluations + 1
    assert longer.instructions[-1] == Eval("denoised", "x6", 0.002, "data")
    assert longer.output == "denoised"
    with pytest.raises(ValueError, match="'denoised' a second time"):
        with_final_denoise(longer)
    ended = Plan("e", EDM(), np.array([2.0, 0.0]), (Lin("x1", ((1.0, "x0"),)),), ("x0",), "x1")
    with pytest.raises(ValueError, match="already ends without noise, at t = 0"):
        with_final_denoise(ended)


@pytest.mark.parametrize(
    ("steps", "output", "message"),
    [
        ([Eval("x0", "x0", 1.0)], "x0", r"instruction 0 \(x0 = .*assigns 'x0' a second time"),
        ([Noise("z"), Noise("z")], "x0", "instruction 1 .*assigns 'z' a second time"),
        ([Lin("x1", ((1.0, "m0"),))], "x1", "reads 'm0', which is not assigned before"),
        ([Eval("m0", "u", 1.0)], "m0", "reads 'u', which is not assigned before"),
        ([Eval("m0", "x0", np.nan)], "m0", "must have a finite time"),
        ([Eval("m0", "x0", 1.0, "score")], "m0", "must keep one of .*got 'score'"),
        ([Lin("x1", ())], "x1", "must combine at least one register"),
        ([Lin("x1", ((np.inf, "x0"),))], "x1", "must have finite coefficients"),
        ([], "x1", "output must be an assigned register; got 'x1'"),
    ],
)
def test_invalid_plans_are_refused(steps, output, message):
    with pytest.raises(ValueError, match=message):
        Plan("bad", EDM(), np.array([2.0, 1.0]), steps, ("x0",), output)


def test_invalid_inputs_are_refused():
    for inputs in ((), ("x0", "x0")):
        with pytest.raises(ValueError, match="inputs must be distinct registers, at least one"):
            Plan("bad", EDM(), np.array([2.0, 1.0]), (), inputs, "x0")
    with pytest.raises(
        TypeError, match="instruction 0 must be an Eval, Lin, Noise or Ones; got 'x1'"
    ):
        Plan("bad", EDM(), np.array([2.0, 1.0]), ("x1",), ("x0",), "x0")


class Flat(NoiseSchedule):
    """A schedule whose lambda does not move after t = 0.5."""

    t_min, t_max = 0.1, 1.0

    def log_alpha(self, t):
        return np.zeros(np.shape(t))

    def sigma(self, t):
        return np.minimum(t, 0.5)

    def t_of_lam(self, lam):
        return np.exp(-lam)


@pytest.mark.parametrize(
    ("schedule", "times", "message"),
    [
        (VPLinear(), [0.5], "at least two nodes, n_steps >= 1; got 1"),
        (VPLinear(), [0.5, 0.5], "time grid must decrease"),
        (VPLinear(), [0.1, 0.5], "time grid must decrease"),
        (VPLinear(), [1.1, 0.5], "times must be <= t_max = 1; got"),
        (VPLinear(), [1.0, 1e-4], "times must be >= t_min = 0.001; got .*1"),
        (VPLinear(), [1.0, 0.0], "times must be >= t_min = 0.001; .*use with_final_denoise"),
        (VPLinear(), [1.0, np.nan], "times must be finite"),
        (VPLinear(), [[1.0, 0.5]], "times must have 1 dimension"),
        (Flat(), [0.9, 0.7, 0.3], "lambda must be finite and increase strictly"),
    ],
)
def test_bad_times_are_named(schedule, times, message):
    with pytest.raises(ValueError, match=message):
        check_times(schedule, times)


def test_times_may_end_at_zero_where_the_method_allows_it():
    np.testing.assert_array_equal(check_times(EDM(), [2, 1, 0], final_zero=True), [2.0, 1.0, 0.0])
    with pytest.raises(ValueError, match="times must be >= t_min"):
        check_times(EDM(), [2.0, 0.001, 0.0], final_zero=True)
