"""The quadratic objectives whose minimisers are the fields of a stochastic interpolant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from array_api_compat import array_namespace

from theorytk._validation import check_choice
from theorytk.paths.interpolants import Interpolant, NonlinearInterpolant, Parts

__all__ = ["TARGETS", "interpolant_loss"]

TARGETS = ("velocity", "mean-velocity", "score", "denoiser")


def interpolant_loss(
    field: Callable[[Any, Any], Any],
    target: str,
    interpolant: Interpolant | NonlinearInterpolant,
    t: Any,
    x0: Any,
    x1: Any,
    z: Any = None,
    *,
    antithetic: bool = True,
) -> Any:
    """Return the loss |f|^2 / 2 - f.y of a field f(t, x_t) for each draw; its mean estimates L[f].

    The target y is dx_t/dt = dI/dt + gamma' z for the velocity, dI/dt for the mean velocity,
    -z / gamma for the score and z for the denoiser. L[f] is least at f = E[y | x_t], and an error
    of the field adds E |error|^2 / 2 to it.

    Parameters
    ----------
    field : callable
        The field f(t, x), from times and points (n, d) to (n, d).
    target : {"velocity", "mean-velocity", "score", "denoiser"}
        What the field is for.
    interpolant : Interpolant or NonlinearInterpolant
        The interpolant. If one-sided, x0 is the noise z, and I the part that x1 has.
    t : float or array, shape (n,)
        Times, usually uniform on (0, 1).
    x0, x1, z : array, shape (n, d)
        Draws of the end points and the noise, NumPy arrays or tensors; z may be omitted if the
        interpolant is one-sided or has no noise.
    antithetic : bool, default True
        Average over z and -z. Without it the variances for velocity and score are infinite if t
        is uniform and gamma^2 behaves as t (1 - t).

    Returns
    -------
    array, shape (n,)
        Of the kind of the draws, so that gradients flow through tensors.

    Raises
    ------
    ValueError
        If the velocity or the score is asked for at a time at which gamma is 0.

    References
    ----------
    Albergo, Boffi, Vanden-Eijnden (2023), (2.13), (2.16), (2.19), (2.29), and the advice
    to draw antithetically. The excess is derived here: complete the square.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.paths.interpolants import interpolant
    >>> from theorytk.paths.objectives import interpolant_loss
    >>> x0, x1, z = np.random.default_rng(0).standard_normal((3, 1000, 2))
    >>> loss = interpolant_loss(lambda t, x: -x, "score", interpolant("linear"), 0.5, x0, x1, z)
    >>> loss.shape
    (1000,)
    """
    check_choice("target", target, TARGETS)
    parts = interpolant.parts(t, x0, x1, z)
    loss = _loss(field, target, t, parts)
    if not antithetic:
        return loss
    return (loss + _loss(field, target, t, parts._replace(noise=-parts.noise))) / 2


def _loss(field: Callable[[Any, Any], Any], target: str, t: Any, parts: Parts) -> Any:
    values = field(t, parts.signal + parts.gamma * parts.noise)
    xp = array_namespace(values)
    return xp.sum(values * (values / 2 - _target(target, parts)), axis=-1)


def _target(target: str, parts: Parts) -> Any:
    if target == "denoiser":
        return parts.noise
    if target == "mean-velocity":
        return parts.d_signal
    xp = array_namespace(parts.gamma)
    if not parts.has_noise and target == "velocity":
        return parts.d_signal
    if not bool(xp.all(parts.gamma > 0)):
        raise ValueError(
            f"t must be times at which gamma > 0 for the {target}; got one where it is 0"
        )
    if target == "score":
        return -parts.noise / parts.gamma
    return parts.d_signal + parts.gamma_d_gamma / parts.gamma * parts.noise
