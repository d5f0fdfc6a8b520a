"""The mean e-value against every choice of the test point and a fine grid of uniform numbers."""

import numpy as np
import pytest

from theorytk.conformal.evalue_laws import mean_null_evalue
from theorytk.conformal.pvalues import conformal_pvalues


def ranked(threshold, N, nulls, shifts):
    """Mean of 1{p <= threshold} / threshold over who is tested, p from the library's or by hand."""
    rng = np.random.default_rng(N)
    scores = np.append(rng.standard_normal(nulls), np.full(N - nulls, np.inf))
    total = 0.0
    for j in range(nulls):
        others = np.delete(scores, j)
        p = conformal_pvalues(others, scores[j : j + 1])[0] - (1 - shifts) / N
        total += np.mean(p <= threshold + 1e-12)
    return total / (N * threshold)


@pytest.mark.parametrize(("N", "nulls"), [(2, 1), (7, 0), (10, 3), (20, 14), (20, 20)])
@pytest.mark.parametrize("threshold", [0.05, 0.15, 0.25, 0.31, 0.3, 0.7, 1.0])
def test_mean_over_the_pool(threshold, N, nulls):
    conservative = mean_null_evalue(threshold, N, nulls)
    assert conservative == pytest.approx(ranked(threshold, N, nulls, np.ones(1)), abs=1e-12)
    grid = (np.arange(1000) + 0.5) / 1000
    randomised = mean_null_evalue(threshold, N, nulls, tie="randomised")
    error = 1e-3 / (N * threshold) + 1e-9  # one step of the grid
    assert randomised == pytest.approx(ranked(threshold, N, nulls, grid), abs=error)
    assert conservative <= randomised <= 1


def test_the_lattice_is_met_whatever_the_rounding():
    for N in range(2, 200):
        for k in range(1, N + 1):
            assert mean_null_evalue(k / N, N, N) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 5, 3), "threshold must be a number > 0"),
        ((1.5, 5, 3), "threshold must be a number > 0 and <= 1; got 1.5"),
        ((0.5, 1, 0), "N must be an integer >= 2; got 1"),
        ((0.5, 5, 6), "nulls must be an integer >= 0 and <= 5; got 6"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        mean_null_evalue(*arguments)


def test_an_unknown_tie_is_refused():
    with pytest.raises(ValueError, match="tie must be one of"):
        mean_null_evalue(0.5, 5, 3, tie="strict")
