"""The adaptive solver: against the released loop, its tolerances and its two batch rules."""

import math

import array_api_strict
import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.models import Model
from theorytk.diffusion.reference import reference_trajectory
from theorytk.diffusion.samplers.adaptive import adaptive_sample
from theorytk.diffusion.samplers.singlestep import singlestep
from theorytk.diffusion.schedules import EDM, VPLinear
from theorytk.diffusion.targets import three_modes

VP = VPLinear()
TARGET = three_modes()


def points(n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 2))


def released_loop(x, order, output, atol=0.0078, rtol=0.05):
    """Return the states and the evaluations of the released loop, its steps being plans."""

    def step(x, t, k, **ratios):
        plan = singlestep(VP, [s, t], orders=k, output=output, **ratios)
        return sample(plan, TARGET.model(VP), x).x

    s, h, x_prev, nfe = VP.t_max, 0.05, x, 0
    lam_end = VP.lam(VP.t_min)
    while abs(s - VP.t_min) > 1e-5:
        t = min(max(float(VP.t_of_lam(VP.lam(s) + h)), VP.t_min), VP.t_max)
        lower = step(x, t, order - 1, **({"r1": 1 / 3} if order == 3 else {}))
        higher = step(x, t, order)
        delta = np.maximum(atol, rtol * np.maximum(abs(lower), abs(x_prev)))
        error = np.sqrt((((higher - lower) / delta) ** 2).mean(axis=1)).max()
        if error <= 1:
            x, s, x_prev = higher, t, lower
        h = min(0.9 * h * error ** (-1 / order), lam_end - VP.lam(s))
        nfe += order
    return x, nfe


@pytest.mark.parametrize("output", ["noise", "data"])
@pytest.mark.parametrize("order", [2, 3])
def test_it_is_the_released_loop(order, output):
    x = points(16)
    result = adaptive_sample(VP, TARGET.model(VP), x, order=order, output=output)
    expected, nfe = released_loop(x, order, output)
    assert result.x == pytest.approx(expected, abs=1e-9)
    assert result.n_evaluations.tolist() == [nfe] * 16


@pytest.mark.parametrize("variant", ["published", "taylor"])
@pytest.mark.parametrize("order", [2, 3])
def test_tighter_tolerances_give_smaller_errors(order, variant):
    x = points(16)
    exact = reference_trajectory(TARGET, VP, x, [VP.t_max, 0.01]).states[-1]
    errors, costs = [], []
    for tolerance in (1e-2, 1e-3, 1e-4):
        result = adaptive_sample(
            *(VP, TARGET.model(VP), x),
            **dict(order=order, variant=variant, t_end=0.01, atol=tolerance, rtol=tolerance),
        )
        errors.append(abs(result.x - exact).max())
        costs.append(result.n_evaluations[0])
    assert errors[2] < errors[1] < errors[0] < 0.1
    assert errors[2] < 2e-3
    assert costs[0] < costs[1] < costs[2]


def test_evaluations_are_counted():
    calls = []

    def noise(x, t):
        calls.append(len(x))
        return np.tanh(3 * x)

    result = adaptive_sample(EDM(), noise, points(3), t_start=20.0, first_step=3.0, atol=1e-4)
    assert result.n_rejected[0] > 0
    assert result.n_evaluations.tolist() == [len(calls)] * 3
    calls.clear()
    result = adaptive_sample(EDM(), noise, points(3), t_start=20.0, per_sample=True)
    assert result.n_evaluations.sum() == len(calls)
    assert set(calls) == {1}


def test_per_sample_results_do_not_depend_on_the_batch():
    x = 3 * points(6, seed=4)
    model = TARGET.model(VP)
    whole = adaptive_sample(VP, model, x, per_sample=True)
    part = adaptive_sample(VP, model, x[2:4], per_sample=True)
    np.testing.assert_array_equal(whole.x[2:4], part.x)
    np.testing.assert_array_equal(whole.n_evaluations[2:4], part.n_evaluations)
    # The published rule couples them.
    coupled = adaptive_sample(VP, model, x)
    assert abs(coupled.x[2:4] - adaptive_sample(VP, model, x[2:4]).x).max() > 1e-6
    assert coupled.n_evaluations[0] >= whole.n_evaluations.mean()


def test_a_linear_model_needs_few_steps():
    """With constant noise the pair agrees, so steps grow and the result is exact."""
    x = points(2)
    result = adaptive_sample(VP, lambda x, t: np.ones_like(x), x)
    shrink = VP.alpha(VP.t_min) / VP.alpha(VP.t_max)
    exact = shrink * (x - VP.sigma(VP.t_max)) + VP.sigma(VP.t_min)
    assert result.x == pytest.approx(exact, rel=1e-9)
    assert result.n_rejected.tolist() == [0, 0]
    assert result.n_accepted[0] <= 3


def test_arrays_of_another_namespace_stay_there():
    x = points(4)
    data = Model(lambda x, t: x / (1 + t), "data")
    result = adaptive_sample(VP, data, array_api_strict.asarray(x), order=2)
    assert isinstance(result.x, type(array_api_strict.asarray(x)))
    assert np.asarray(result.x) == pytest.approx(adaptive_sample(VP, data, x, order=2).x, rel=1e-12)
    double = Model(lambda x, t: np.float64(0.5) * x.astype(np.float64), "data")
    single = adaptive_sample(VP, double, x.astype(np.float32), per_sample=True)
    assert single.x.dtype == np.float32


@pytest.mark.torch
def test_tensors_stay_tensors():
    import torch

    x = points(4)
    data = Model(lambda x, t: x / (1 + t), "data")
    result = adaptive_sample(VP, data, torch.as_tensor(x), order=3)
    assert isinstance(result.x, torch.Tensor)
    assert result.x.numpy() == pytest.approx(adaptive_sample(VP, data, x).x, rel=1e-12)


def test_the_callers_array_is_kept_and_an_empty_batch_is_empty():
    x = points(3)
    before = x.copy()
    adaptive_sample(VP, TARGET.model(VP), x)
    np.testing.assert_array_equal(x, before)
    empty = adaptive_sample(VP, TARGET.model(VP), x[:0])
    assert empty.x.shape == (0, 2)
    assert empty.n_evaluations.shape == (0,)


def test_bad_input():
    model, x, rough = TARGET.model(VP), points(2), np.random.default_rng(0)
    with pytest.raises(ValueError, match="order must be an integer >= 2 and <= 3; got 1"):
        adaptive_sample(VP, model, x, order=1)
    with pytest.raises(ValueError, match="atol must be a number > 0; got 0"):
        adaptive_sample(VP, model, x, atol=0)
    with pytest.raises(ValueError, match="rtol must be"):
        adaptive_sample(VP, model, x, rtol=-1)
    with pytest.raises(ValueError, match="safety must be a number > 0 and < 1; got 1"):
        adaptive_sample(VP, model, x, safety=1)
    with pytest.raises(ValueError, match="first_step must be"):
        adaptive_sample(VP, model, x, first_step=0)
    with pytest.raises(ValueError, match="decrease"):
        adaptive_sample(VP, model, x, t_start=0.1, t_end=0.5)
    with pytest.raises(FloatingPointError, match=r"error estimate at t = .* is nan"):
        adaptive_sample(VP, lambda x, t: x * math.nan, x)
    with pytest.raises(FloatingPointError, match="after 0 accepted and"):
        adaptive_sample(VP, lambda x, t: 1e15 * rough.normal(size=x.shape), x)
    with pytest.raises(FloatingPointError, match=r"t = 0\.001 is out of reach: after 1 accepted"):
        adaptive_sample(VP, model, x, max_steps=1)
    with pytest.raises(ValueError, match=r"x must have shape \(n, \*event\)"):
        adaptive_sample(VP, model, np.array(1.0))
    with pytest.raises(TypeError, match="real floating dtype, got int64"):
        adaptive_sample(VP, model, np.ones((2, 2), dtype=int))
    with pytest.raises(ValueError, match=r"must have the shape \(2, 2\) of x; got \(2, 1\)"):
        adaptive_sample(VP, Model(lambda x, t: x[:, :1], "data"), x)
    with pytest.raises(ValueError, match="the model was made for EDM"):
        adaptive_sample(VP, TARGET.model(EDM()), x)
