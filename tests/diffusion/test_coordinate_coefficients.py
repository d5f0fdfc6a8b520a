"""Coefficients that are one number per coordinate, and the register of ones."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from theorytk.diffusion.execution import sample
from theorytk.diffusion.plans import Eval, Lin, Ones, Plan
from theorytk.diffusion.schedules import EDM
from theorytk.diffusion.targets import GaussianTarget
from theorytk.diffusion.theory import propagate_gaussian

TIMES = np.array([2.0, 1.0])


def affine(gain, shift):
    """Return a plan for x1 = gain x0 - 0.5 noise + shift."""
    steps = (
        Ones("one"),
        Eval("m0", "x0", 2.0),
        Lin("x1", ((gain, "x0"), (-0.5, "m0"), (shift, "one"))),
    )
    return Plan("affine", EDM(), TIMES, steps, ("x0",), "x1")


def draws(shape, dtype=np.float64):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("event", [(3,), (1,), (2, 2, 3)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_numpy_broadcasts(event, dtype):
    gain, shift, x = draws(event), draws((2, *event))[1], draws((5, *event), dtype)
    result = sample(affine(gain, shift), lambda x, t: x**2, x).x
    assert result.dtype == dtype
    expected = gain * x.astype(float) - 0.5 * x.astype(float) ** 2 + shift
    np.testing.assert_allclose(result, expected, rtol=0, atol=40 * np.finfo(dtype).eps)


def test_other_namespaces_and_own_combinations_get_the_same():
    gain, shift, x = draws(3), draws(6)[3:], draws((5, 3))
    plan = affine(gain, shift)
    expected = sample(plan, lambda x, t: x**2, x).x
    strict = sample(plan, lambda x, t: x**2, array_api_strict.asarray(x)).x
    np.testing.assert_allclose(np.asarray(strict), expected, rtol=0, atol=1e-15)

    def combine(coefficients, arrays):
        return sum(c * a for c, a in zip(coefficients, arrays, strict=True))

    own = sample(plan, lambda x, t: x**2, x, combine=combine).x
    np.testing.assert_allclose(own, expected, rtol=0, atol=1e-15)


@pytest.mark.torch
def test_torch_gets_the_same():
    import torch

    from theorytk.diffusion.torch import sample as sample_torch

    gain, shift, x = draws(3), draws(6)[3:], draws((5, 3))
    plan = affine(gain, shift)
    expected = sample(plan, lambda x, t: x**2, x).x
    found = sample_torch(plan, lambda x, t: x**2, torch.from_numpy(x)).x
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-15)


def test_inputs_are_not_written_to():
    gain, shift, x = draws(3), draws(6)[3:], draws((5, 3))
    plan, before = affine(gain, shift), (gain.copy(), shift.copy(), x.copy())
    sample(plan, lambda x, t: x, x, record=True)
    for array, copy in zip((gain, shift, x), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_a_shape_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\), one per coordinate.*shape \(5, 2\)"):
        sample(affine(draws(3), draws(3)), lambda x, t: x, draws((5, 2)))
    for bad in (np.array([1.0, np.nan]), np.array([1, 2])):
        with pytest.raises(ValueError, match="must have finite coefficients, arrays of float64"):
            affine(bad, 0.0)


def test_json_text_and_table():
    plan = affine(np.array([0.1, 1 / 3]), np.array([1.0, -2.0]))
    again = Plan.from_json(plan.to_json())
    for (c, name), (other, other_name) in zip(
        plan.instructions[-1].terms, again.instructions[-1].terms, strict=True
    ):
        assert name == other_name
        np.testing.assert_array_equal(c, other)
    assert again.instructions[:-1] == plan.instructions[:-1]
    lines = str(plan).splitlines()
    assert lines[2] == "  one = ones"
    assert lines[4] == "  x1 = [0.1     , 0.333333] x0 - 0.5 m0 + [ 1., -2.] one"
    table = plan.coefficients()
    np.testing.assert_array_equal(table["coefficient"], [[0.1, 1 / 3], [-0.5, -0.5], [1.0, -2.0]])


def test_moments_of_gaussians_with_diagonal_covariance_only():
    gain, shift = np.array([0.5, 2.0]), np.array([1.0, -3.0])
    mean, variances = np.array([0.3, -1.0]), np.array([0.5, 2.0])
    law = propagate_gaussian(affine(gain, shift), GaussianTarget(mean, variances))
    total = variances + 4.0  # the noise is 2 (x - m) / total
    np.testing.assert_allclose(law.mean, gain * mean + shift, rtol=1e-14)
    factor = gain - 0.5 * 2 / total
    np.testing.assert_allclose(np.diag(law.covariance), factor**2 * total, rtol=1e-14)
    full = GaussianTarget(mean, np.array([[1.0, 0.5], [0.5, 1.0]]))
    with pytest.raises(ValueError, match="target must have a diagonal covariance"):
        propagate_gaussian(affine(gain, shift), full)
    law = propagate_gaussian(affine(0.5, 3.0), full)
    np.testing.assert_allclose(law.mean, 0.5 * mean + 3.0, rtol=1e-14)
