"""Tail rates, against exact exponentials and for trajectories that have no tail."""

import numpy as np
import pytest

from theorytk.inference import tail_rate


def test_finds_the_slow_mode_of_two():
    t = np.arange(0, 4000, 10)
    error = 3.0 * 0.9**t + 1e-3 * np.exp(-0.01 * t)
    assert tail_rate(t, error) == pytest.approx(0.01, rel=1e-6)


def test_ignores_rounding_and_transient():
    t = np.arange(400)
    error = np.maximum(np.exp(-0.1 * t), 1e-15)
    error[:50] = 1.0
    assert tail_rate(t, error) == pytest.approx(0.1, rel=1e-12)


def test_a_stalled_trajectory_has_the_rate_of_its_last_half():
    t = np.arange(1, 101)
    error = 1 / t
    late = slice(50, 100)
    expected = -np.polyfit(t[late], np.log(error[late]), 1)[0]
    assert tail_rate(t, error) == pytest.approx(expected, rel=1e-12)


def test_a_diverging_trajectory_has_a_negative_rate():
    t = np.arange(10)
    assert tail_rate(t, 2.0**t) == pytest.approx(-np.log(2), rel=1e-12)
    assert tail_rate(t, np.where(t < 8, 2.0**t, np.inf)) < -1
    assert tail_rate(t, np.full(10, np.inf)) == pytest.approx(0, abs=1e-12)


def test_a_trajectory_that_is_over_at_once_has_the_rate_of_its_first_step():
    assert tail_rate([0, 10, 20], [1.0, 0.0, 0.0]) == pytest.approx(11 * np.log(10) / 10)
    assert tail_rate([0, 10], [1e-15, 0.0]) == pytest.approx(0, abs=1e-12)


def test_bad_input():
    with pytest.raises(ValueError, match="iteration must hold two points or more; got 1"):
        tail_rate([0], [1.0])
    with pytest.raises(ValueError, match="error must have shape"):
        tail_rate([0, 1, 2], [1.0, 0.5])
    with pytest.raises(ValueError, match="below must be"):
        tail_rate([0, 1], [1.0, 0.5], above=1e-3, below=1e-4)
