"""The phi functions against exact rational arithmetic, their moments against quadrature."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad

from theorytk.diffusion.phi import phi, phi_moment

ARGUMENTS = [0.0, *(s * z for s in (-1, 1) for z in (1e-9, 1e-4, 0.03, 0.5, 1.7, 3.9, 8.3, 31.0))]


def exact_phi(k, z):
    """Sum z^j / (j + k)! in rational numbers."""
    z = Fraction(z)
    term, total = Fraction(1, math.factorial(k)), Fraction(0)
    for j in range(1, 140):
        total += term
        term *= z / (j + k)
    return float(total)


@pytest.mark.parametrize("z", ARGUMENTS)
@pytest.mark.parametrize("k", range(8))
def test_phi_is_accurate_to_round_off(k, z):
    assert phi(k, z) == pytest.approx(exact_phi(k, z), rel=2e-15, abs=0)


def test_subtraction_loses_what_the_series_keeps():
    h = np.float32(1e-3)
    naive = ((np.expm1(-h) / h + np.float32(1)) / h) - np.float32(0.5)
    assert abs(-h * phi(3, -float(h)) / naive - 1) > 0.1


@pytest.mark.parametrize(("output", "sign"), [("noise", 1), ("data", -1)])
@pytest.mark.parametrize("h", [1e-3, 0.4, 2.5])
@pytest.mark.parametrize("k", range(5))
def test_moments_are_the_integrals(k, h, output, sign):
    integral, _ = quad(lambda u: h * math.exp(sign * h * (1 - u)) * u**k, 0, 1, epsrel=1e-13)
    assert phi_moment(k, h, output) == pytest.approx(integral, rel=1e-13)


def test_bad_input():
    with pytest.raises(ValueError, match="k must be an integer >= 0; got -1"):
        phi(-1, 0.0)
    with pytest.raises(ValueError, match="z must be"):
        phi(1, math.nan)
    with pytest.raises(ValueError, match="output must be one of 'noise', 'data'; got 'nose'"):
        phi_moment(0, 1.0, "nose")
    with pytest.raises(ValueError, match="h must be"):
        phi_moment(0, math.inf, "data")
