"""The one-call diagnostic: its parts, its picture, bad input."""

import math

import numpy as np
import pytest

from theorytk.paths.datasets import normalise
from theorytk.paths.profile import separation_profile
from theorytk.paths.separation import separation_function
from theorytk.paths.theory import cond_ot_gap_bound


@pytest.fixture(scope="module")
def points():
    rng = np.random.default_rng(0)
    X = np.c_[rng.standard_normal((80, 11)) * np.arange(1, 12), np.full(80, 4.0)] + 3
    return np.r_[X, X[:5]]


def test_profile(points):
    found = separation_profile(points, n_sweeps=5, rng=1)
    law = separation_function(points, n_sweeps=5, rng=1)
    assert (found.n, found.d) == (80, 12)
    assert found.delta == law.delta()
    spread = np.std([sweep.delta() for sweep in law.replicates()], ddof=1) / math.sqrt(5)
    assert found.delta_error == pytest.approx(spread)
    assert found.delta + 6 * found.delta_error < min(found.delta_bounds.values())
    assert found.gap_bound == cond_ot_gap_bound(found.delta)
    energies = found.energies
    assert 0 <= energies["cond-ot"] - energies["kinetic-optimal"] <= found.gap_bound
    assert energies["kinetic-optimal"] <= energies["best-vp"] <= energies["trigonometric"]
    assert energies["trigonometric"] < energies["ddpm"]
    assert found.wasserstein_bound < energies["kinetic-optimal"]
    assert set(found.energy_errors) == set(energies)
    assert 0 < found.energy_errors["kinetic-optimal"] < 0.05


def test_weights_and_data_sets(points):
    weights = np.r_[np.full(80, 2.0), np.zeros(5)]
    listed = separation_profile(points[:80], rng=2, n_sweeps=2)
    weighted = separation_profile(points, weights, rng=2, n_sweeps=2)
    given = separation_profile(normalise(points[:80]), rng=2, n_sweeps=2)
    assert listed.delta == pytest.approx(weighted.delta, rel=1e-12)
    assert given.delta == listed.delta


def test_plot(points):
    figure = separation_profile(points, n_sweeps=2, rng=3).plot()
    left, right = figure.axes
    assert left.get_xlabel() == "angle theta"
    assert len(right.patches) == 5


def test_bad_input(points):
    with pytest.raises(ValueError, match="n_sweeps must be an integer >= 2"):
        separation_profile(points, n_sweeps=1)
    with pytest.raises(ValueError, match="X must not be constant; got 1 distinct"):
        separation_profile([[1.0, 2.0]])
    with pytest.raises(ValueError, match="X must be finite"):
        separation_profile([[1.0, np.inf], [0.0, 0.0]])
    with pytest.raises(ValueError, match="weights must be None where X is a DataSet"):
        separation_profile(normalise(points), np.ones(85))
