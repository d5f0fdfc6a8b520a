"""The reverse chain on integer labels: its coefficients, and what its denoisers must return.

A denoiser is a function of (x, t): points x (n, d) of the noisy data at label t, an integer with
t = 0 the least noisy, to the prediction of the clean data, of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from theorytk._validation import check_choice, check_int, check_real
from theorytk.diffusion.schedules import VPDiscrete

__all__ = [
    "Denoiser",
    "ReverseSteps",
    "checked_prediction",
    "levels",
    "reverse_steps",
    "steep_schedule",
    "subsample_schedule",
]

Array = np.ndarray
Denoiser = Callable[[Array, int], Array]


class ReverseSteps(NamedTuple):
    """The coefficients of x_{t-1} = signal_t D_t(x_t) + keep_t x_t + noise_t z, each (T,)."""

    signal: Array
    keep: Array
    noise: Array


def steep_schedule() -> VPDiscrete:
    """Return the schedule of the Gaussian experiments: 1000 labels, beta linear from .001 to .2.

    Returns
    -------
    VPDiscrete
        Without a clip, for the chain starts at its last label.

    References
    ----------
    Aithal et al. (2024), released code, defaults of `train_toy.py`. These rates are ten times the
    usual ones.

    Examples
    --------
    >>> alpha, _ = levels(steep_schedule())
    >>> (alpha[[0, 100, 200]] ** 2).round(4)
    array([0.999 , 0.328 , 0.0141])
    """
    return VPDiscrete(betas=tuple(np.linspace(1e-3, 0.2, 1000)), clip=None)


def subsample_schedule(schedule: VPDiscrete, n_labels: int) -> VPDiscrete:
    """Return the schedule of a chain with fewer steps through the same noise levels.

    Parameters
    ----------
    schedule : VPDiscrete
        The schedule with all its labels.
    n_labels : int
        How many labels are left, from 2 to all; the first and the last are among them.

    Returns
    -------
    VPDiscrete

    Examples
    --------
    >>> levels(subsample_schedule(steep_schedule(), 100))[0].size
    100
    """
    alpha, _ = levels(schedule)
    n_labels = check_int("n_labels", n_labels, lower=2, upper=alpha.size)
    kept = np.linspace(0, alpha.size - 1, n_labels).round().astype(int)
    return VPDiscrete(alphas_cumprod=tuple(alpha[kept] ** 2), clip=None)


def levels(schedule: VPDiscrete) -> tuple[Array, Array]:
    """Return alpha and sigma of all labels that the schedule's clip leaves, each (T,).

    Parameters
    ----------
    schedule : VPDiscrete
        The schedule.

    Returns
    -------
    alpha, sigma : ndarray, shape (T,)
        The noisy data are x_t = alpha_t x_0 + sigma_t eps.

    Raises
    ------
    TypeError
        If the schedule has no integer labels.

    Examples
    --------
    >>> alpha, sigma = levels(steep_schedule())
    >>> print(f"{sigma[0] / alpha[0]:.4f}")
    0.0316
    """
    if not isinstance(schedule, VPDiscrete):
        raise TypeError(f"schedule must be a VPDiscrete; got {schedule!r}")
    n_labels = round(float(schedule.label(schedule.t_max))) + 1
    t = schedule.t_of_label(np.arange(n_labels))
    return schedule.alpha(t), schedule.sigma(t)


def reverse_steps(
    schedule: VPDiscrete, *, eta: float = 1.0, variance: str = "large"
) -> ReverseSteps:
    """Return the coefficients of the reverse chain.

    The last step, t = 0, returns the prediction.

    Parameters
    ----------
    schedule : VPDiscrete
        The schedule.
    eta : float in [0, 1]
        0 is DDIM and 1 the ancestral chain.
    variance : {"large", "small"}
        The noise of a step has the variance eta^2 beta_t, or eta^2 times the posterior variance
        beta_t (1 - alpha_{t-1}^2) / (1 - alpha_t^2). The mean is the same.

    Returns
    -------
    ReverseSteps

    Raises
    ------
    ValueError, TypeError
        If an argument is not as above.

    References
    ----------
    Song, Meng and Ermon (2021), *Denoising diffusion implicit models*, equations 12 and 16; with
    eta = 1 the mean is the posterior's, Ho et al. (2020), equation 7.

    Examples
    --------
    >>> steps = reverse_steps(steep_schedule(), eta=0.0)
    >>> float(steps.signal[0]), float(steps.keep[0]), float(steps.noise.max())
    (1.0, 0.0, 0.0)
    """
    eta = check_real("eta", eta, lower=0.0, upper=1.0)
    check_choice("variance", variance, ("large", "small"))
    alpha, sigma = levels(schedule)
    before, spread = np.append(1.0, alpha[:-1]), np.append(0.0, sigma[:-1])
    beta = 1 - (alpha / before) ** 2
    posterior = eta * np.sqrt(beta) * spread / sigma
    keep = np.sqrt(spread**2 - posterior**2) / sigma
    noise = eta * np.sqrt(beta) if variance == "large" else posterior
    noise[0] = 0.0
    return ReverseSteps(before - alpha * keep, keep, noise)


def start_label(schedule: VPDiscrete, t_start: int | None) -> int:
    """Return the label at which a chain starts: by default the schedule's last."""
    last = levels(schedule)[0].size - 1
    return last if t_start is None else check_int("t_start", t_start, lower=1, upper=last)


def check_window(window: Any, n_labels: int) -> tuple[int, int]:
    """Return the labels lo, ..., hi - 1 of a window: at least two of the chain's."""
    try:
        lo, hi = window
    except (TypeError, ValueError):
        raise ValueError(f"window must be a pair (lo, hi) of labels; got {window!r}") from None
    lo = check_int("window[0]", lo, lower=0, upper=n_labels - 2)
    return lo, check_int("window[1]", hi, lower=lo + 2, upper=n_labels)


def checked_prediction(denoiser: Denoiser, x: Array, t: int) -> Array:
    """Return a denoiser's prediction at label t.

    Parameters
    ----------
    denoiser : callable
        The denoiser.
    x : ndarray, shape (n, d)
        Points.
    t : int
        The label.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    ValueError
        If the prediction has another shape or is not finite; the step is named.

    Examples
    --------
    >>> checked_prediction(lambda x, t: x / (1 + t), np.array([[2.0]]), 1)
    array([[1.]])
    """
    value = np.asarray(denoiser(x, t), dtype=float)
    if value.shape != x.shape:
        raise ValueError(f"denoiser must return shape {x.shape}; got {value.shape} at step {t}")
    if not np.isfinite(value).all():
        where = x[tuple(np.argwhere(~np.isfinite(value))[0])]
        raise ValueError(f"denoiser must return finite values; it did not at step {t}, x = {where}")
    return value
