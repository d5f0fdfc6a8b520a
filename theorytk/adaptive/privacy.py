"""The privacy that a transcript has spent, under all of its definitions at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy.optimize import brentq
from scipy.special import expit, ndtri

from theorytk._validation import check_int, check_real
from theorytk.adaptive._arguments import check_probability
from theorytk.privacy.conversions import (
    gaussian_delta,
    pure_delta,
    pure_zcdp,
    sharp_zcdp_delta,
    sharp_zcdp_epsilon,
)

__all__ = ["PrivacyLedger"]


def noise_cost(sensitivity: float, scale: float) -> float:
    """Return sensitivity / scale of a noise, the epsilon of Laplace's or the mu of Gauss's."""
    return sensitivity / scale if scale > 0 else math.inf


@dataclass(frozen=True)
class PrivacyLedger:
    """What the answers so far have spent; ``inf`` where a definition gives no guarantee.

    The three numbers describe the same transcript, each by the composition theorem of its own
    definition, when one point of the sample is replaced by another. A ledger does not change:
    spending returns a new one.

    Attributes
    ----------
    epsilon : float
        The transcript is epsilon-differentially private.
    rho : float
        It is rho-zCDP.
    mu : float
        It is mu-GDP: no easier to tell apart than N(0, 1) and N(mu, 1).

    Notes
    -----
    How much is spent may itself depend on the data. The number is a guarantee for a session whose
    spending cannot exceed it, such as one that a budget ends.

    References
    ----------
    zCDP: Bun, Steinke (TCC 2016). GDP: Dong, Roth, Su (JRSS B 2022).
    """

    epsilon: float = 0.0
    rho: float = 0.0
    mu: float = 0.0

    def pure(self, epsilon: float, times: int = 1) -> PrivacyLedger:
        """Return the ledger after so many epsilon-private answers; ``inf`` is no privacy at all.

        They have the zCDP of `pure_zcdp` and are mu-GDP with Phi(-mu / 2) = 1 / (1 + exp(epsilon)),
        derived here: their trade-off function is linear between three points of a convex Gaussian
        one, hence above it.
        """
        rho = math.inf if epsilon == math.inf else pure_zcdp(epsilon)
        mu = -2 * float(ndtri(expit(-epsilon)))
        return self._spend(epsilon, rho, mu, times)

    def gaussian(self, mu: float, times: int = 1) -> PrivacyLedger:
        """Return the ledger after so many Gaussian answers, each of this mu = sensitivity / sd."""
        if mu != math.inf:
            mu = check_real("mu", mu, lower=0.0)
        return self._spend(math.inf if mu > 0 else 0.0, mu**2 / 2, mu, times)

    def delta_at(self, epsilon: float) -> float:
        """Return a delta for which the transcript is (epsilon, delta)-private, the least known.

        The least of `pure_delta`, `gaussian_delta` and `sharp_zcdp_delta`.
        """
        epsilon = check_real("epsilon", epsilon, lower=0.0)
        deltas = [1.0 if self.epsilon == math.inf else pure_delta(epsilon, self.epsilon)]
        if 0 < self.mu < math.inf:
            deltas.append(float(gaussian_delta(epsilon, self.mu)))
        if 0 < self.rho < math.inf:
            deltas.append(sharp_zcdp_delta(epsilon, self.rho))
        return min(deltas)

    def epsilon_at(self, delta: float) -> float:
        """Return an epsilon for which the transcript is (epsilon, delta)-private."""
        delta = check_probability("delta", delta)
        if self.delta_at(0.0) <= delta:
            return 0.0
        if self.rho == math.inf:
            return self.epsilon
        largest = min(self.epsilon, sharp_zcdp_epsilon(self.rho, delta))
        if self.delta_at(largest) >= delta:
            return largest
        root: float = brentq(lambda epsilon: self.delta_at(epsilon) - delta, 0.0, largest)
        return root

    def _spend(self, epsilon: float, rho: float, mu: float, times: Any) -> PrivacyLedger:
        times = check_int("times", times, lower=0)
        if times == 0:
            return self
        return PrivacyLedger(
            self.epsilon + times * epsilon,
            self.rho + times * rho,
            math.hypot(self.mu, math.sqrt(times) * mu),
        )
