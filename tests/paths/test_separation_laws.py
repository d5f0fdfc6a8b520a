"""Bounds of delta on exact laws, and against the optimisation that they come from."""

import math

import numpy as np
import pytest
import scipy.optimize

from theorytk.paths.oracles import (
    atoms_separation,
    gaussian_separation,
    subspace_separation,
    two_point_separation,
)
from theorytk.paths.separation_laws import (
    entropy_bound,
    gamma_limit,
    paper_separation_bound,
    spectral_bound,
)


def test_entropy_bound_by_linear_programming():
    # The largest int f with 0 <= f <= 1/(1 + s^2) and int s f = H/d, on a grid.
    rate = 0.2
    s = np.linspace(0, 30, 6001)
    h = s[1]
    top = h / (1 + s**2)
    found = scipy.optimize.linprog(
        -np.ones_like(s), A_eq=s[None], b_eq=[rate], bounds=np.c_[np.zeros_like(s), top]
    )
    assert -found.fun == pytest.approx(entropy_bound(rate, 1), abs=2 * h)


@pytest.mark.parametrize("n", [2, 16, 50_000])
@pytest.mark.parametrize("d", [1, 192, 12_288])
def test_order_of_the_bounds(n, d):
    bound = entropy_bound(math.log(n), d)
    assert bound == pytest.approx(math.acos(n ** (-1 / d)), rel=1e-9)
    assert bound <= math.sqrt(2 * math.log(n) / d) <= paper_separation_bound(n, d)


def test_bounds_hold_for_exact_laws():
    for d in (1, 3, 100):
        law = two_point_separation(d)
        assert law.delta() < entropy_bound(law.entropy, d) < paper_separation_bound(2, d)
        assert law.delta() < spectral_bound([d] + [0.0] * (d - 1)) + 1e-12
    law = atoms_separation([-1.0, 0.3, 2.0], [1, 5, 2])
    assert law.delta() < entropy_bound(law.entropy, 1)
    e = [0.1, 0.5, 2.4]
    assert spectral_bound(e) == pytest.approx(gaussian_separation(e).delta())


def test_extremes():
    assert entropy_bound(0.0, 3) == 0
    assert entropy_bound(1e6, 1) == pytest.approx(math.pi / 2)
    assert entropy_bound(1e-18, 1) == pytest.approx(math.sqrt(2e-18))


def test_limit_at_the_right_angle():
    law = subspace_separation(3, 30)
    assert law.gamma(math.atan(1e4)) == pytest.approx(gamma_limit(3, 30), abs=1e-6)
    assert two_point_separation(4).gamma(math.pi / 2) == pytest.approx(gamma_limit(0, 4))


def test_bad_arguments():
    with pytest.raises(ValueError, match="entropy must be a number >= 0"):
        entropy_bound(-1.0, 2)
    with pytest.raises(ValueError, match="d must be an integer >= 1"):
        entropy_bound(1.0, 0)
    with pytest.raises(ValueError, match="n must be an integer >= 1"):
        paper_separation_bound(0, 2)
    with pytest.raises(ValueError, match="information_dimension must be a number >= 0 and <= 2"):
        gamma_limit(3, 2)
    with pytest.raises(ValueError, match="eigenvalues must be >= 0 and not all 0"):
        spectral_bound([0.0])
