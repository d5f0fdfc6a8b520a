import numpy as np
import pytest

from theorytk.matrix_sensing.invariants import (
    balance,
    imbalance,
    imbalance_step,
    one_step_rescale,
)
from theorytk.matrix_sensing.operators import GaussianSensing
from theorytk.matrix_sensing.updates import gradient_step, sequential_step


@pytest.fixture
def factors():
    rng = np.random.default_rng(0)
    return rng.standard_normal((7, 3)), rng.standard_normal((5, 3))


def measured_residual(F, G):
    operator = GaussianSensing(20, 7, 5, rng=1)
    return operator.normal(F @ G.T - np.ones((7, 5)))


def test_imbalance_is_the_difference_of_grams(factors):
    F, G = factors
    by_hand = [
        [sum(F[:, a] * F[:, b]) - sum(G[:, a] * G[:, b]) for b in range(3)] for a in range(3)
    ]
    assert np.allclose(imbalance(F, G), by_hand, atol=1e-13)


def test_step_identity_holds_for_measured_gradient_descent_only(factors):
    F, G = factors
    predicted = imbalance_step(F, G, measured_residual(F, G), 0.01)
    change = imbalance(*gradient_step(F, G, measured_residual, 0.01)) - imbalance(F, G)
    assert np.abs(change - predicted).max() < 1e-12
    in_turns = imbalance(*sequential_step(F, G, measured_residual, 0.01)) - imbalance(F, G)
    assert np.abs(in_turns - predicted).max() > 1e-2


def test_rescaling_keeps_the_product_and_sets_the_gram(factors):
    F, G = factors
    A, B = one_step_rescale(F, G, 0.7)
    assert np.abs(A @ B.T - F @ G.T).max() < 1e-13
    assert np.abs(A.T @ A - 0.49 * np.eye(3)).max() < 1e-14


def test_balanced_factors_have_no_imbalance(factors):
    A, B = balance(*factors)
    assert np.abs(A @ B.T - factors[0] @ factors[1].T).max() < 1e-13
    assert np.abs(imbalance(A, B)).max() < 1e-13


@pytest.mark.parametrize("F", [np.ones((4, 2)), np.ones((2, 3)), np.zeros((3, 1))])
def test_rescaling_rejects_a_null_direction(F):
    with pytest.raises(ValueError, match="F must have full column rank"):
        one_step_rescale(F, np.ones((4, F.shape[1])), 1.0)


def test_bad_input(factors):
    F, G = factors
    with pytest.raises(ValueError, match="beta must be"):
        one_step_rescale(F, G, 0.0)
    with pytest.raises(ValueError, match="G must have shape"):
        imbalance(F, G[:, :2])
    with pytest.raises(ValueError, match="R must have shape"):
        imbalance_step(F, G, np.ones((5, 7)), 0.1)
    with pytest.raises(ValueError, match="step_size must be"):
        imbalance_step(F, G, np.ones((7, 5)), 0.0)
    with pytest.raises(ValueError, match="k must be at most"):
        balance(np.ones((7, 6)), np.ones((5, 6)))
    with pytest.raises(TypeError, match="F must be an array of real"):
        imbalance(F.astype(complex), G)
