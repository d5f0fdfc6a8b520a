"""The phi functions of exponential integrators.

phi_0(z) = e^z and phi_{k+1}(z) = (phi_k(z) - 1/k!) / z. Every exponential step of a diffusion
sampler needs only the moments ``h int_0^1 exp(+-h (1 - u)) u^k du``, which are computed here to
round-off. The subtractive forms of the released codes lose all digits as h -> 0.
"""

from __future__ import annotations

import math

from theorytk._validation import check_choice, check_int, check_real
from theorytk.diffusion.models import OUTPUTS

__all__ = ["phi", "phi_moment"]


def phi(k: int, z: float) -> float:
    """Return phi_k(z), without cancellation.

    Parameters
    ----------
    k : int
        The index, >= 0.
    z : float
        The argument.

    Returns
    -------
    float

    References
    ----------
    For |z| < k the series ``sum_j z^j / (j + k)!`` if z > 0, and if z < 0 Kummer's transformation
    of it, ``e^z / (k - 1)! sum_j |z|^j / (j! (j + k))``: positive terms only. Elsewhere the upward
    recurrence, which loses nothing there.

    Examples
    --------
    >>> phi(2, 0.0), phi(1, math.log(2.0)) * math.log(2.0)
    (0.5, 1.0)
    """
    k = check_int("k", k, lower=0)
    z = check_real("z", z)
    if k == 0:
        return math.exp(z)
    if k == 1:
        return math.expm1(z) / z if z else 1.0
    if abs(z) < k:
        return _positive_series(k, z)
    value = math.expm1(z) / z
    for j in range(1, k):
        value = (value - 1.0 / math.factorial(j)) / z
    return value


def phi_moment(k: int, h: float, output: str) -> float:
    """Return ``h int_0^1 e^(s h (1 - u)) u^k du``, s = +1 for noise and -1 for data prediction.

    It is ``h k! phi_{k+1}(s h)``: the weight of u^k, u = (lambda - lambda_s) / h, in a step.

    Parameters
    ----------
    k : int
        The power of u, >= 0.
    h : float
        The step in lambda, the half log signal-to-noise ratio.
    output : {"noise", "data"}
        What the model's output stands for.

    Returns
    -------
    float

    References
    ----------
    Lu et al., DPM-Solver (NeurIPS 2022), and DPM-Solver++ (2022): the integrals of their exact
    solutions of the probability flow; this form derived here.

    Examples
    --------
    >>> round(phi_moment(0, 0.1, "data") + math.exp(-0.1), 15)
    1.0
    """
    h = check_real("h", h)
    sign = 1 if check_choice("output", output, OUTPUTS) == "noise" else -1
    return h * math.factorial(k) * phi(k + 1, sign * h)


def _positive_series(k: int, z: float) -> float:
    """Return phi_k(z), k >= 1, as a sum of positive terms."""
    term = 1.0 / math.factorial(k)
    total, j = 0.0, 0
    if z >= 0.0:
        while term > 1e-17 * total:
            total += term
            j += 1
            term *= z / (j + k)
        return total
    power = 1.0 / math.factorial(k - 1)
    while power / (j + k) > 1e-17 * total:
        total += power / (j + k)
        j += 1
        power *= -z / j
    return math.exp(z) * total
