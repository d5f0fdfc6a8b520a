"""What several private releases are together: advanced composition and exact Laplace curves."""

from __future__ import annotations

import math

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.optimize import brentq

from theorytk._validation import check_int, check_real
from theorytk.privacy._arguments import Array, check_probability

__all__ = ["advanced_composition", "laplace_composed_delta", "laplace_composed_epsilon"]

# Steps of the discrete law that stands for the continuous one, and points of the composed law.
CONTINUOUS_STEPS = 2**12
MAX_POINTS = 2**20


def advanced_composition(epsilon: float, k: int, delta: float) -> float:
    """Return the total epsilon of k adaptive epsilon-private releases, up to delta.

    Parameters
    ----------
    epsilon : float
        Privacy epsilon >= 0 of each release.
    k : int
        Releases, >= 1.
    delta : float
        Privacy delta in (0, 1) of all together.

    Returns
    -------
    float
        Equal to epsilon sqrt(2 k ln(1 / delta)) + k epsilon (e^epsilon - 1).

    Notes
    -----
    Never less than what `pure_zcdp` and `sharp_zcdp_epsilon` give, which `compose` uses.

    References
    ----------
    Dwork, Rothblum, Vadhan (FOCS 2010), Theorem III.3.

    Examples
    --------
    >>> round(advanced_composition(0.02, 50, 1e-5), 6)
    0.698815
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    k = check_int("k", k, lower=1)
    delta = check_probability("delta", delta)
    spread = math.sqrt(2 * k * math.log(1 / delta))
    return epsilon * spread + k * epsilon * math.expm1(epsilon)


def laplace_composed_delta(
    epsilon_each: float, k: int, epsilon: float, *, steps: int | None = None
) -> float:
    """Return the least delta for which k Laplace releases are (epsilon, delta)-private together.

    Parameters
    ----------
    epsilon_each : float
        Privacy epsilon > 0 of each release, the l_1 sensitivity over the scale of its noise.
    k : int
        Releases, >= 1.
    epsilon : float
        Privacy epsilon >= 0 of all together.
    steps : int, optional
        Sensitivity of each release in steps of the grid of its discrete Laplace noise, >= 1; if
        not given, the noise is continuous.

    Returns
    -------
    float
        Exact for discrete noise, up to rounding of about 1e-14. For continuous noise an upper
        bound: the value of a fine grid.

    Notes
    -----
    Between the values of a release on neighbouring data, `steps` apart, the privacy loss runs
    through epsilon_each (1 - 2 j / steps), j = 0, ..., steps. Weighted with exp(-loss / 2) its law
    is symmetric: tanh(epsilon_each / (2 steps)) on each inner value and half of one plus that on
    each end, all times exp(-epsilon_each / 2). The law of continuous noise is the limit, and a
    mean-preserving contraction of the likelihood ratio of every discrete one: continuous noise of
    the same scale is never less private.

    References
    ----------
    Derived here. The expectation of (1 - exp(epsilon - loss))_+ over the sum of the losses is
    delta: Sommer, Meiser, Mohammadi (PoPETs 2019).

    Examples
    --------
    >>> round(laplace_composed_delta(1 / 11, 11, 0.44283), 5)
    0.01
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0)
    return _delta(epsilon, *_laplace_losses(epsilon_each, k, steps))


def laplace_composed_epsilon(
    epsilon_each: float, k: int, delta: float, *, steps: int | None = None
) -> float:
    """Return the least epsilon for which k Laplace releases are (epsilon, delta)-private together.

    Parameters
    ----------
    epsilon_each : float
        Privacy epsilon > 0 of each release, the l_1 sensitivity over the scale of its noise.
    k : int
        Releases, >= 1.
    delta : float
        Privacy delta in (0, 1) of all together; rounding leaves no digits below 1e-13.
    steps : int, optional
        As in `laplace_composed_delta`, of which this is the inverse.

    Returns
    -------
    float

    Examples
    --------
    >>> round(laplace_composed_epsilon(1 / 11, 11, 0.01), 5)
    0.44283
    >>> round(laplace_composed_epsilon(1 / 11, 11, 0.01, steps=1), 5)
    0.446
    """
    delta = check_probability("delta", delta)
    losses, masses = _laplace_losses(epsilon_each, k, steps)
    if _delta(0.0, losses, masses) <= delta:
        return 0.0
    root: float = brentq(
        lambda e: _delta(e, losses, masses) - delta, 0.0, float(losses[-1]), xtol=1e-14
    )
    return root


def _laplace_losses(epsilon_each: float, k: int, steps: int | None) -> tuple[Array, Array]:
    """Return the values of the total privacy loss, ascending, and their probabilities."""
    epsilon_each = check_real("epsilon_each", epsilon_each, lower=0.0, lower_open=True)
    k = check_int("k", k, lower=1, upper=MAX_POINTS)
    if steps is None:
        steps = max(1, min(CONTINUOUS_STEPS, MAX_POINTS // k))
    steps = check_int("steps", steps, lower=1, upper=MAX_POINTS // k)
    inner = math.tanh(epsilon_each / (2 * steps))
    masses = np.full(steps + 1, inner)
    masses[[0, -1]] = (1 + inner) / 2
    losses = epsilon_each * np.linspace(-1.0, 1.0, steps + 1)
    masses *= np.exp((losses - epsilon_each) / 2)
    size = k * steps + 1
    length = next_fast_len(size, real=True)
    composed = irfft(rfft(masses, length) ** k, length)[:size]
    return k * epsilon_each * np.linspace(-1.0, 1.0, size), np.maximum(composed, 0.0)


def _delta(epsilon: float, losses: Array, masses: Array) -> float:
    """Return the mean of (1 - exp(epsilon - loss))_+."""
    return float(masses @ -np.expm1(np.minimum(epsilon - losses, 0.0)))
