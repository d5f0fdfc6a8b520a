"""Update rules with the mistakes that the claims must catch; none belongs in an algorithm."""

from __future__ import annotations


class DecayingGradient:
    """A learning-rate decay left on: step t is shorter by the factor (1 + t) ** -0.035."""

    power = 0.035

    def __init__(self):
        self.t = 0

    def __call__(self, F, G, residual, step_size):
        R = residual(F, G)
        step_size *= (1 + self.t) ** -self.power
        self.t += 1
        return F - step_size * R @ G, G - step_size * R.T @ F


RULES = {"decaying": DecayingGradient}
