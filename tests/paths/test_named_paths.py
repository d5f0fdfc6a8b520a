"""The formulas of the named paths, and bad input."""

import math

import numpy as np
import pytest

from theorytk.paths.named_paths import (
    cond_ot_path,
    ddpm_path,
    perturbed_path,
    polynomial_path,
    trigonometric_path,
    vp_linear_path,
)

T = np.linspace(0, 1, 11)


@pytest.mark.parametrize(
    ("path", "a", "m"),
    [
        (cond_ot_path(), T, 1 - T),
        (polynomial_path(3.0), T**3, 1 - T**3),
        (trigonometric_path(), np.sin(math.pi * T / 2), np.cos(math.pi * T / 2)),
        (vp_linear_path(), T, np.sqrt(1 - T**2)),
    ],
)
def test_formulas(path, a, m):
    np.testing.assert_allclose(path.a(T), a, atol=1e-15)
    np.testing.assert_allclose(path.m(T), m, atol=1e-15)


def test_ddpm_is_cut_off():
    t = np.linspace(0, 0.99, 9)
    u = 1 - t
    xi = np.exp(-0.25 * u**2 * 19.9 - 0.05 * u)
    path = ddpm_path(cutoff=0.01)
    np.testing.assert_allclose(path.a(t), xi, rtol=1e-12)
    np.testing.assert_allclose(path.m(t), np.sqrt(1 - xi**2), rtol=1e-12)
    assert path.t_max == 0.99


def test_perturbation_keeps_the_ends():
    for path in (cond_ot_path(), trigonometric_path()):
        moved = perturbed_path(path, 0.3)
        np.testing.assert_allclose(moved.a([0.0, 1.0]), [0, 1], atol=1e-12)
        np.testing.assert_allclose(moved.m([0.0, 1.0]), [1, 0], atol=1e-12)
        assert abs(moved.a(0.3) - path.a(0.3)) > 0.05
    same = perturbed_path(cond_ot_path(), 0.0)
    np.testing.assert_allclose(same.a(T), T, atol=1e-15)


def test_bad_arguments():
    with pytest.raises(ValueError, match="power must be a number > 0"):
        polynomial_path(0.0)
    with pytest.raises(ValueError, match="cutoff must be a number > 0 and < 1"):
        ddpm_path(cutoff=0.0)
    with pytest.raises(ValueError, match="beta_min must be a number > 0"):
        ddpm_path(beta_min=-1.0)
    with pytest.raises(ValueError, match=r"epsilon must be a number > -0\.5 and < 0\.5"):
        perturbed_path(cond_ot_path(), 0.5)
