"""The time-shift sampler: each sample is given the time whose noise level its variance shows.

It counters exposure bias: a network is trained on forward states x_t, and what a sampler makes at
time t can have the variance of another time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from theorytk._validation import check_array, check_int, check_real
from theorytk.diffusion.models import Model
from theorytk.diffusion.schedules import VPDiscrete

__all__ = [
    "TimeShiftResult",
    "by_label",
    "error_variance",
    "forward_variance",
    "time_shift_sample",
]

Array = np.ndarray


@dataclass(frozen=True)
class TimeShiftResult:
    """What the time-shift sampler made.

    Attributes
    ----------
    x : array, shape (n, *event)
        The states at the last label of the ladder.
    labels : ndarray of int, shape (n_steps, n)
        The labels at which the model was called, step by step.
    """

    x: Any
    labels: Array


def time_shift_sample(
    schedule: VPDiscrete,
    model: Callable[[Any, Array], Any],
    x: Any,
    labels: Sequence[int],
    *,
    window: int,
    cutoff: int,
    data_variance: float = 0.0,
) -> TimeShiftResult:
    """Sample by DDIM steps whose starting times are shifted per sample.

    A step leads from a sample's own label to the next label of the ladder, where, above `cutoff`,
    the sample gets the label within the window around it whose expected variance over the event is
    nearest to the sample's (the smaller of two equally near).

    Parameters
    ----------
    schedule : VPDiscrete
        The schedule of the N integer labels.
    model : callable
        The noise prediction, a function of the states (n, *event) and their labels (n,) in
        0..N-1; see :func:`by_label`.
    x : array, shape (n, *event)
        The start at the first label; at least two coordinates per sample. Any array-API array.
    labels : sequence of int, shape (n_steps + 1,)
        The ladder, strictly decreasing in 0..N-1.
    window : int
        The window w >= 0: labels within floor(w / 2) of the ladder's, clipped to 0..N-1. 0 is
        DDIM.
    cutoff : int
        Labels up to this one are not shifted.
    data_variance : float, default 0
        The mean variance of the data over the event. The published rule, which compares with
        sigma^2 alone, is 0; with it the expected variance is that of :func:`forward_variance`.

    Returns
    -------
    TimeShiftResult

    Raises
    ------
    TypeError
        If the schedule has no labels or x is not an array.
    ValueError
        If the labels do not decrease within 0..N-1, or a sample has fewer than two coordinates.

    References
    ----------
    Li et al., Alleviating Exposure Bias in Diffusion Models through Sampling with Shifted Time
    Steps (ICLR 2024), the time-shift sampler. The correction by `data_variance` is derived here.

    Examples
    --------
    >>> schedule = VPDiscrete(betas=np.linspace(1e-4, 0.02, 1000))
    >>> x = np.random.default_rng(0).standard_normal((3, 16))
    >>> model = lambda x, labels: x
    >>> time_shift_sample(schedule, model, x, [999, 500, 0], window=40, cutoff=200).labels
    array([[999, 999, 999],
           [480, 480, 480]])
    """
    ladder, last = _check_ladder(schedule, labels)
    half = check_int("window", window, lower=0) // 2
    cutoff = check_int("cutoff", cutoff)
    data_variance = check_real("data_variance", data_variance, lower=0)
    if not is_array_api_obj(x):
        raise TypeError(f"x must be an array; got {x!r}")
    if int(np.prod(x.shape[1:])) < 2:
        raise ValueError(f"x must have at least two coordinates per sample; got shape {x.shape}")
    own, called = np.full(x.shape[0], ladder[0]), []
    for goal in ladder[1:]:
        called.append(own)
        x = _ddim(schedule, model, x, own, goal)
        own = np.full(x.shape[0], goal)
        if goal > cutoff and half > 0:
            nearby = np.arange(max(goal - half, 0), min(goal + half, last) + 1)
            own = _nearest(_variances(x), forward_variance(schedule, nearby, data_variance), nearby)
    return TimeShiftResult(x, np.array(called))


def by_label(model: Model) -> Callable[[Any, Array], Any]:
    """Return a model of one time as one of labels, sample by sample.

    Parameters
    ----------
    model : Model
        Of a :class:`~theorytk.diffusion.schedules.VPDiscrete`; called once for each label that
        occurs.

    Returns
    -------
    callable
        The noise prediction as a function of the states and their labels.

    Examples
    --------
    >>> schedule = VPDiscrete(betas=np.linspace(1e-4, 0.02, 1000))
    >>> by_label(Model(lambda x, t: t * x, "noise", schedule))(np.ones((2, 1)), np.array([99, 9]))
    array([[0.1 ],
           [0.01]])
    """
    if not isinstance(model, Model) or not isinstance(model.schedule, VPDiscrete):
        raise TypeError(f"model must be a Model of a VPDiscrete schedule; got {model!r}")
    schedule = model.schedule

    def noise(x: Any, labels: Array) -> Any:
        xp = array_namespace(x)
        order = np.argsort(labels, kind="stable")
        values, starts = np.unique(labels[order], return_index=True)
        x_sorted = xp.take(x, xp.asarray(order, device=x.device), axis=0)
        parts = [
            model.predict("noise", x_sorted[a:b, ...], float(schedule.t_of_label(value)))
            for value, a, b in zip(values, starts, [*starts[1:], len(order)], strict=True)
        ]
        back = xp.asarray(np.argsort(order), device=x.device)
        return xp.take(xp.concat(parts, axis=0), back, axis=0)

    return noise


def forward_variance(schedule: VPDiscrete, labels: Any, data_variance: float = 0.0) -> Array:
    """Return the expected unbiased variance over the event of a forward state.

    Parameters
    ----------
    schedule : VPDiscrete
        The schedule.
    labels : array_like of int
        Labels in 0..N-1.
    data_variance : float, default 0
        The mean unbiased variance over the event of the data.

    Returns
    -------
    ndarray, of the shape of `labels`
        The sum alpha^2 data_variance + sigma^2: the rule that compares with sigma^2 alone is off by
        the first term.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> schedule = VPDiscrete(betas=np.linspace(1e-4, 0.02, 1000))
    >>> forward_variance(schedule, [0, 999], 1.0)
    array([1., 1.])
    """
    data_variance = check_real("data_variance", data_variance, lower=0)
    t = schedule.t_of_label(labels)
    return np.asarray(schedule.alpha(t) ** 2 * data_variance + schedule.sigma(t) ** 2)


def error_variance(error: Any) -> Array:
    """Return by how much an independent error of mean 0 raises the expected variance.

    Parameters
    ----------
    error : array_like, shape (n, d)
        Errors, d >= 2.

    Returns
    -------
    ndarray, shape (n,)
        (|e|^2 - d mean(e)^2) / (d - 1): with a mean of 0 over the event |e|^2 / (d - 1), and for
        white noise |e|^2 / d on average.

    References
    ----------
    Derived here.

    Examples
    --------
    >>> error_variance([[1.0, -1.0]])
    array([2.])
    """
    error = check_array("error", error, ndim=2)
    check_int("d, the length of each error", error.shape[1], lower=2)
    return np.asarray(error.var(axis=1, ddof=1))


def _check_ladder(schedule: VPDiscrete, labels: Sequence[int]) -> tuple[list[int], int]:
    """Return the ladder and the schedule's last label."""
    if not isinstance(schedule, VPDiscrete):
        raise TypeError(f"schedule must be a VPDiscrete; got {type(schedule).__name__}")
    last = round(float(schedule.label(schedule.t_max)))
    ladder = [check_int("labels", label, lower=0, upper=last) for label in labels]
    if len(ladder) < 2 or any(b >= a for a, b in pairwise(ladder)):
        raise ValueError(f"labels must be two or more and decrease strictly; got {ladder}")
    return ladder, last


def _ddim(
    schedule: VPDiscrete, model: Callable[[Any, Array], Any], x: Any, own: Array, goal: int
) -> Any:
    """Return DDIM's step from each sample's label to a common one."""
    xp = array_namespace(x)
    noise = model(x, own)
    if getattr(noise, "shape", None) != x.shape:
        raise ValueError(f"the model's output must have the shape {x.shape} of x")
    t, end = schedule.t_of_label(own), schedule.t_of_label(goal)
    ratio = schedule.alpha(end) / schedule.alpha(t)
    factor = schedule.sigma(end) - ratio * schedule.sigma(t)
    shape = (-1,) + (1,) * (x.ndim - 1)
    ratio, factor = (
        xp.reshape(xp.asarray(v, dtype=x.dtype, device=x.device), shape) for v in (ratio, factor)
    )
    return ratio * x + factor * noise


def _variances(x: Any) -> Array:
    """Return each sample's unbiased variance over its event, on the host."""
    xp = array_namespace(x)
    flat = xp.reshape(x, (x.shape[0], -1))
    centred = flat - xp.mean(flat, axis=1, keepdims=True)
    values = xp.sum(centred * centred, axis=1) / (flat.shape[1] - 1)
    return np.asarray([float(value) for value in values])


def _nearest(values: Array, expected: Array, labels: Array) -> Array:
    """Return for each value the label, the smallest at ties, whose expected variance is nearest."""
    chosen: Array = labels[np.abs(values[:, None] - expected).argmin(axis=1)]
    return chosen
