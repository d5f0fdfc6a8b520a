"""Update rules with the mistakes that the claims must catch; none belongs in an algorithm."""

from __future__ import annotations

import numpy as np


class DecayingGradient:
    """A learning-rate decay left on: step t is shorter by the factor (1 + t) ** -0.03."""

    power = 0.03

    def __init__(self):
        self.t = 0

    def __call__(self, F, G, residual, step_size):
        R = residual(F, G)
        step_size *= (1 + self.t) ** -self.power
        self.t += 1
        return F - step_size * R @ G, G - step_size * R.T @ F


class WeightDecay:
    """A weight decay of 1e-3 left on."""

    decay = 1e-3

    def __call__(self, F, G, residual, step_size):
        R = residual(F, G)
        return (
            F - step_size * (R @ G + self.decay * F),
            G - step_size * (R.T @ F + self.decay * G),
        )


def heun_step(F, G, residual, step_size):
    """Heun's second-order step of the flow in the place of Euler's, which is gradient descent."""
    R = residual(F, G)
    F1, G1 = F - step_size * R @ G, G - step_size * R.T @ F
    R1 = residual(F1, G1)
    return F - step_size / 2 * (R @ G + R1 @ G1), G - step_size / 2 * (R.T @ F + R1.T @ F1)


def simultaneous_agn_step(F, G, residual, step_size):
    """Alternating Gauss-Newton whose second half forgets that F has moved."""
    R = residual(F, G)
    return F - step_size * R @ np.linalg.pinv(G).T, G - step_size * R.T @ np.linalg.pinv(F).T


def unequal_step(F, G, residual, step_size):
    """Two learning rates: that of G is 0.2% smaller."""
    R = residual(F, G)
    return F - step_size * R @ G, G - 0.998 * step_size * R.T @ F


RULES = {
    "decaying": DecayingGradient,
    "weight-decay": WeightDecay,
    "heun": heun_step,
    "unequal": unequal_step,
    "simultaneous-agn": simultaneous_agn_step,
}


def noise_error_of_known_subspace(m, d, noise_std):
    """Return noise^2 d / m: A*A taken for the identity on the tangent space."""
    return noise_std**2 * d / m
