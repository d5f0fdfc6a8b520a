"""When a small start learns each eigenvalue, against the flow in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from theorytk.matrix_sensing.flows import flow_symmetric
from theorytk.matrix_sensing.predictions import learning_times

SIGMA = np.array([1.0, 0.5, 0.25])


def test_small_steps_half_learn_when_the_closed_flow_does() -> None:
    X0 = 1e-6 * np.random.default_rng(0).standard_normal((6, 4))
    M = np.diag([*SIGMA, 0.0, 0.0, 0.0])
    step_size = 1e-7
    predicted = step_size * learning_times(SIGMA, X0[:3], step_size)
    for i, time in enumerate(predicted):

        def missing(t: float, i: int = i) -> float:
            return float(flow_symmetric(M, X0, t)[i, i]) - SIGMA[i] / 2

        assert brentq(missing, 0.8 * time, 1.2 * time, rtol=1e-10) == pytest.approx(time, rel=1e-4)


def test_rows_escape_from_what_is_orthogonal_to_the_rows_before() -> None:
    start = 1e-4 * np.array([[3.0, 4.0, 0.0], [6.0, 8.0, 2.0]])
    apart = 1e-4 * np.array([[5.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    np.testing.assert_allclose(
        learning_times(SIGMA[:2], start, 0.1), learning_times(SIGMA[:2], apart, 0.1), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("sigma", "U0", "message"),
    [
        ([0.5, 1.0], np.eye(2) * 1e-3, "sigma must be decreasing"),
        ([1.0, 0.5], np.ones((2, 1)) * 1e-3, "columns of U0"),
        ([1.0, 0.5], np.eye(3) * 1e-3, "U0"),
        ([1.0, 0.5], np.eye(2), "amplitude"),
    ],
)
def test_bad_input(sigma: list[float], U0: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        learning_times(sigma, U0, 0.1)
