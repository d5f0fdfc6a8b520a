"""The executor against a dictionary of registers, on several array namespaces."""

from __future__ import annotations

import importlib
import tracemalloc

import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.grids import time_grid
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import Eval, Lin, Noise, Plan, with_final_denoise
from theorytk.diffusion.schedules import EDM, VPLinear

NAMESPACES = ["numpy", "array_api_strict", pytest.param("torch", marks=pytest.mark.torch)]
SHAPE = (5, 3)


@pytest.fixture(params=NAMESPACES)
def xp(request):
    return importlib.import_module(request.param)


def random_plan(seed, n_steps=6, n_inputs=1, noise=True, outputs=("noise", "data")):
    """Return a plan that reads random earlier registers, up to eleven at once."""
    rng = np.random.default_rng(seed)
    times = time_grid(VPLinear(), "quadratic", n_steps + n_inputs - 1)
    inputs = tuple(f"x{i}" for i in range(n_inputs))
    known, steps = list(inputs), []
    for i in range(n_inputs - 1, len(times) - 1):
        steps.append(Eval(f"m{i}", f"x{i}", float(times[i]), str(rng.choice(outputs))))
        known.append(f"m{i}")
        if noise:
            steps.append(Noise(f"z{i}"))
            known.append(f"z{i}")
        count = min(len(known), int(rng.integers(1, 12)))
        names = {f"x{i}", *rng.choice(known, count, replace=False).tolist()}
        terms = tuple((float(rng.uniform(-0.5, 0.5)), name) for name in sorted(names))
        steps.append(Lin(f"x{i + 1}", terms))
        known.append(f"x{i + 1}")
    return Plan("random", VPLinear(), times, tuple(steps), inputs, f"x{len(times) - 1}")


def nonlinear(x, t):
    """Return a noise prediction that any namespace can compute."""
    return x / (1 + t + x * x)


def interpret(plan, starts, noise=()):
    """Return all registers, as a dictionary of NumPy arrays."""
    noise = iter(noise)
    registers = dict(zip(plan.inputs, starts, strict=True))
    for step in plan.instructions:
        if isinstance(step, Noise):
            value = next(noise)
        elif isinstance(step, Lin):
            value = np.sum([c * registers[name] for c, name in step.terms], axis=0)
        else:
            x = registers[step.source]
            value = nonlinear(x, step.t)
            if step.output == "data":
                value = (x - plan.schedule.sigma(step.t) * value) / plan.schedule.alpha(step.t)
        registers[step.target] = value
    return registers


def normal(seed, count):
    return list(np.random.default_rng(seed).standard_normal((count, *SHAPE)))


@pytest.mark.parametrize("seed", range(6))
def test_any_plan_on_any_namespace(xp, seed):
    plan = random_plan(seed, n_inputs=1 + seed % 3)
    starts, noise = normal(seed, len(plan.inputs)), normal(seed + 100, 6)
    registers = interpret(plan, starts, noise)
    given = [xp.asarray(start) for start in starts]
    result = sample(
        plan,
        nonlinear,
        given if len(given) > 1 else given[0],
        noise=[xp.asarray(z) for z in noise],
        record=True,
    )
    assert type(result.x) is type(given[0])
    assert result.x.dtype == given[0].dtype
    assert result.n_evaluations == plan.n_evaluations == 6
    assert len(result.states) == len(plan.times)
    for i, state in enumerate(result.states):
        np.testing.assert_allclose(np.asarray(state), registers[f"x{i}"], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(np.asarray(result.x), np.asarray(result.states[-1]))
    for start, array in zip(starts, given, strict=True):
        np.testing.assert_array_equal(np.asarray(array), start)


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 1e-5), ("float16", 4e-3)])
def test_precision_is_kept(xp, dtype, rtol):
    if not hasattr(xp, dtype):
        dtype, rtol = "float32", 1e-5
    plan = random_plan(3, noise=False)
    start = normal(0, 1)[0]
    seen = []

    def model(x, t):
        seen.append(x.dtype)
        return nonlinear(x, t)

    x = xp.asarray(start, dtype=getattr(xp, dtype))
    result = sample(plan, model, x)
    assert set(seen) == {result.x.dtype} == {x.dtype}
    expected = interpret(plan, [start])[plan.output]
    np.testing.assert_allclose(np.asarray(result.x), expected, rtol=rtol, atol=rtol)


def test_half_precision_is_combined_in_single():
    steps = (Lin("u", ((1.0, "x0"), (2.0**-12, "x0"))), Lin("x1", ((1.0, "u"), (-1.0, "x0"))))
    plan = Plan("difference", EDM(), np.array([2.0, 1.0]), steps, ("x0",), "x1")
    x = np.ones((2, 2), dtype=np.float16)
    np.testing.assert_array_equal(sample(plan, nonlinear, x).x, np.float16(2.0**-12) * x)


@pytest.mark.parametrize("shape", [(7,), (4, 2), (2, 3, 4, 5)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_shapes_and_layouts(shape, order):
    plan = random_plan(1, noise=False)
    x = np.asarray(np.random.default_rng(0).standard_normal(shape), order=order)
    result = sample(plan, lambda x, t: np.asfortranarray(nonlinear(x, t)), x).x
    np.testing.assert_allclose(result, interpret(plan, [x])[plan.output], rtol=1e-12, atol=1e-13)


def test_every_kind_of_prediction_gives_the_same_samples():
    schedule, plan = VPLinear(), random_plan(4, noise=False)
    x = normal(0, 1)[0]

    def predicting(predicts):
        def function(x, t):
            alpha, sigma = schedule.alpha(t), schedule.sigma(t)
            eps = nonlinear(x, t)
            data = (x - sigma * eps) / alpha
            return {
                "noise": eps,
                "data": data,
                "velocity": alpha * eps - sigma * data,
                "score": -eps / sigma,
            }[predicts]

        return Model(function, predicts, schedule)

    expected = interpret(plan, [x])[plan.output]
    for predicts in ("noise", "data", "velocity", "score"):
        result = sample(plan, predicting(predicts), x).x
        np.testing.assert_allclose(result, expected, rtol=1e-10, atol=1e-12)


def test_models_may_return_and_keep_their_argument():
    plan = random_plan(2, n_steps=12, noise=False, outputs=("noise",))
    x = normal(0, 1)[0]
    fresh = sample(plan, lambda x, t: x.copy(), x, record=True)
    kept = []

    def keeping(x, t):
        kept.append(x)
        return x[:]

    for _ in range(2):
        kept.clear()
        result = sample(plan, keeping, x)
        np.testing.assert_array_equal(result.x, fresh.x)
        for state, expected in zip(kept, fresh.states[:-1], strict=True):
            np.testing.assert_array_equal(state, expected)
    np.testing.assert_array_equal(x, normal(0, 1)[0])


def test_arrays_are_used_again():
    n_steps, x = 40, np.ones((50_000, 2))
    output = np.zeros_like(x)
    times = time_grid(EDM(), "edm", n_steps)
    steps = []
    for i in range(n_steps):
        steps += [Eval(f"m{i}", f"x{i}", float(times[i]), "data")]
        steps += [Lin(f"x{i + 1}", ((0.5, f"x{i}"), (0.5, f"m{i}")))]
    plan = Plan("halving", EDM(), times, tuple(steps), ("x0",), f"x{n_steps}")
    sample(plan, Model(lambda x, t: output, "data"), x)
    tracemalloc.start()
    sample(plan, Model(lambda x, t: output, "data"), x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3.5 * x.nbytes


def test_final_denoise_returns_the_data_prediction():
    plan = random_plan(5, noise=False)
    x = normal(0, 1)[0]
    last, t = interpret(plan, [x])[plan.output], plan.times[-1]
    expected = (last - plan.schedule.sigma(t) * nonlinear(last, t)) / plan.schedule.alpha(t)
    result = sample(with_final_denoise(plan), nonlinear, x)
    np.testing.assert_allclose(result.x, expected, rtol=1e-10)
    assert result.n_evaluations == plan.n_evaluations + 1


def noise_plan(output="data"):
    steps = (
        Eval("m0", "x0", 2.0, output),
        Noise("z0"),
        Noise("z1"),
        Lin("x1", ((1.0, "m0"), (2.0, "z0"), (3.0, "z1"))),
    )
    return Plan("noisy", EDM(), np.array([2.0, 1.0]), steps, ("x0",), "x1")


def test_noise_from_a_seed_is_the_host_generators(xp):
    x = xp.zeros(SHAPE, dtype=xp.float32)
    model = Model(lambda x, t: x, "data")
    result = sample(noise_plan(), model, x, rng=7)
    assert result.x.dtype == xp.float32
    z0, z1 = np.random.default_rng(7).standard_normal((2, *SHAPE))
    np.testing.assert_allclose(np.asarray(result.x), 2 * z0 + 3 * z1, rtol=1e-5, atol=1e-6)
    generator = np.random.default_rng(7)
    np.testing.assert_array_equal(
        np.asarray(sample(noise_plan(), model, x, rng=generator).x), np.asarray(result.x)
    )
    assert np.any(np.asarray(sample(noise_plan(), model, x).x) != np.asarray(result.x))


def test_callback_and_states():
    plan = random_plan(0, noise=False)
    calls = []
    x = normal(0, 1)[0]
    result = sample(plan, nonlinear, x, callback=lambda *call: calls.append(call), record=True)
    assert [i for i, _, _ in calls] == [1, 2, 3, 4, 5, 6]
    assert [t for _, t, _ in calls] == plan.times[1:].tolist()
    for (_, _, state), recorded in zip(calls, result.states[1:], strict=True):
        np.testing.assert_array_equal(state, recorded)
    assert sample(plan, nonlinear, x).states == ()


@pytest.mark.parametrize("level", [0.5, 0.9, 0.995, 1.0])
def test_dynamic_thresholding(xp, level):
    steps = (Eval("m0", "x0", 2.0, "data"), Lin("x1", ((1.0, "m0"),)))
    plan = Plan("one", EDM(), np.array([2.0, 1.0]), steps, ("x0",), "x1")
    x = (
        np.random.default_rng(0).standard_normal((4, 3, 7))
        * np.array([0.2, 1, 5, 9])[:, None, None]
    )
    result = sample(plan, Model(lambda x, t: x, "data"), xp.asarray(x), threshold=level).x
    quantile = np.quantile(np.abs(x).reshape(4, -1), level, axis=1)
    s = np.maximum(quantile, 1.0)[:, None, None]
    np.testing.assert_allclose(np.asarray(result), np.clip(x, -s, s) / s, rtol=1e-12)


def test_an_empty_batch_needs_no_model(xp):
    def model(x, t):
        raise AssertionError("called")

    result = sample(noise_plan(), model, xp.zeros((0, 3)), rng=0)
    assert tuple(result.x.shape) == (0, 3)
    assert result.n_evaluations == 0


def test_the_step_of_a_value_that_is_not_finite_is_named(xp):
    plan = random_plan(0, noise=False)
    bad = float(plan.times[3])

    def model(x, t):
        return x * float("nan") if t == bad else nonlinear(x, t)

    x = xp.asarray(normal(0, 1)[0])
    with pytest.raises(FloatingPointError, match=r"not finite at step 3 .*m3 = "):
        sample(plan, model, x, check_finite=True)
    assert np.isnan(np.asarray(sample(plan, model, x).x)).any()
    overflow = Lin("x1", ((1e200, "x0"), (1.0, "x0")))
    huge = Plan("huge", EDM(), np.array([2.0, 1.0]), (overflow,), ("x0",), "x1")
    with np.errstate(over="ignore"), pytest.raises(FloatingPointError, match=r"step 0 .*x1 = "):
        sample(huge, nonlinear, 1e200 * xp.ones(SHAPE, dtype=xp.float64), check_finite=True)


ONES = np.ones(SHAPE)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((noise_plan(), lambda x, t: x[:, :1], ONES), {}, r"output must have the shape \(5, 3\)"),
        ((noise_plan(), lambda x, t: 0.0, ONES), {}, "of x; got float"),
        ((noise_plan(), nonlinear, (ONES, ONES)), {}, "one state for each of x0; got 2"),
        ((random_plan(0, 3, 2), nonlinear, ONES), {}, "one state for each of x0, x1; got 1"),
        ((random_plan(0, 3, 2), nonlinear, (ONES, ONES[:2])), {}, r"state must have the shape"),
        ((noise_plan(), nonlinear, np.array(1.0)), {}, r"x must have shape \(n, \*event\)"),
        ((noise_plan(), nonlinear, ONES), dict(noise=[ONES]), "noise must hold 2 arrays .*got 1"),
        ((noise_plan(), nonlinear, ONES), dict(noise=[ONES, ONES[:1]]), "noise must have the sh"),
        ((noise_plan("noise"), nonlinear, ONES), dict(threshold=0.9), "plan in data predictions"),
        ((noise_plan(), nonlinear, ONES[:, :1]), dict(threshold=0.9), "at least two coordinates"),
        ((noise_plan(), nonlinear, ONES[:, 0]), dict(threshold=0.9), "at least two coordinates"),
        ((noise_plan(), nonlinear, ONES), dict(threshold=1.5), "threshold must be a number > 0"),
        ((noise_plan(), Model(abs, schedule=VPLinear()), ONES), {}, "model was made for VPLinear"),
        ((noise_plan(), nonlinear, ONES), dict(rng=-1), "rng must be an integer >= 0"),
    ],
)
def test_bad_arguments_are_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        sample(*arguments, **options)


@pytest.mark.parametrize(
    ("model", "x", "message"),
    [
        (nonlinear, np.ones(SHAPE, dtype=int), "real floating dtype, got int64; convert it"),
        (nonlinear, np.ones(SHAPE, dtype=complex), "real floating dtype, got complex128"),
        (nonlinear, 3.0, "x must be an array or a sequence of arrays; got 3.0"),
        (nonlinear, [[1.0, 2.0]], "x must be an array or a sequence of arrays"),
        ("model", ONES, "function must be a function of"),
    ],
)
def test_wrong_kinds_are_named(model, x, message):
    with pytest.raises(TypeError, match=message):
        sample(noise_plan(), model, x, rng=0)
