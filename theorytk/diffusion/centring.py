"""The MR Sampler: any plan for centred states of the mean-reverting diffusion.

For dx = theta_t (mu - x) dt + g dw the state is x_t = mu + alpha_t (x_0 - mu) + sigma_t eps. So
y = x - mu follows the forward law of the schedule (alpha, sigma) from the data x_0 - mu, and
every sampler of that law, of its ODE or SDE, is one of the mean-reverting diffusion.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from theorytk._validation import check_choice
from theorytk.diffusion.execution import SampleResult, sample
from theorytk.diffusion.mean_reverting import MeanReverting
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import Plan

__all__ = ["centred", "mean_reverting_sample", "mean_reverting_velocity"]


def centred(model: Callable[[Any, float], Any], mean: Any) -> Model:
    """Return a model of states x as a model of x - mean.

    Parameters
    ----------
    model : callable or Model
        Of (x, t). A plain function predicts the noise; a Model the noise, the data or the score.
    mean : array, shape broadcastable to (n, *event)
        The mean mu that the diffusion reverts to: the degraded image in restoration.

    Returns
    -------
    Model
        With the same prediction; one of data predicts x_0 - mean.

    Raises
    ------
    ValueError
        For a velocity: :func:`mean_reverting_velocity` turns that of this diffusion into noise.

    References
    ----------
    A. Li et al., MRS (ICLR 2025): their solvers, mu written out. The reduction is derived here.

    Examples
    --------
    >>> import numpy as np
    >>> towards_one = centred(Model(lambda x, t: 0 * x + 1.0, "data"), np.array([0.25]))
    >>> towards_one(np.array([[3.0]]), 0.5)
    array([[0.75]])
    """
    model = model if isinstance(model, Model) else Model(model)
    check_choice("predicts", model.predicts, ("noise", "data", "score"))
    shift = model.predicts == "data"

    def function(y: Any, t: float) -> Any:
        value = model.function(y + mean, t)
        return value - mean if shift else value

    return dataclasses.replace(model, function=function)


def mean_reverting_velocity(
    function: Callable[[Any, float], Any], schedule: MeanReverting, mean: Any
) -> Model:
    """Return a prediction of the mean-reverting diffusion's velocity as one of the noise.

    Parameters
    ----------
    function : callable
        Of (x, t): the prediction of
        v = sigma_inf alpha eps - (sigma / sigma_inf) (x_0 - mean), shape (n, *event).
    schedule : MeanReverting
        The schedule.
    mean : array, shape broadcastable to (n, *event)
        The mean mu.

    Returns
    -------
    Model
        Of states x, not centred: eps = ((sigma / sigma_inf) (x - mean) + alpha v) / sigma_inf.

    References
    ----------
    A. Li et al., MRS (ICLR 2025), velocity prediction; its inversion, from
    alpha^2 + sigma^2 / sigma_inf^2 = 1, is derived here.

    Examples
    --------
    >>> schedule = MeanReverting(sigma_inf=1.0)
    >>> model = mean_reverting_velocity(lambda x, t: 0 * x, schedule, 0.5)
    >>> bool(abs(model(2.0, 0.4) - 1.5 * schedule.sigma(0.4)) < 1e-15)
    True
    """
    if not isinstance(schedule, MeanReverting):
        raise TypeError(f"schedule must be a MeanReverting; got {type(schedule).__name__}")

    def noise(x: Any, t: float) -> Any:
        alpha, scale = math.exp(float(schedule.log_alpha(t))), schedule.sigma_inf
        share = float(schedule.sigma(t)) / scale
        return (share / scale) * (x - mean) + (alpha / scale) * function(x, t)

    return Model(noise, "noise", schedule)


def mean_reverting_sample(
    plan: Plan, model: Callable[[Any, float], Any], x: Any, mean: Any, **options: Any
) -> SampleResult:
    """Run a plan for the mean-reverting diffusion: centre, run, add the mean again.

    Parameters
    ----------
    plan : Plan
        Any sampler, compiled for the :class:`~theorytk.diffusion.mean_reverting.MeanReverting`
        schedule: of the probability flow, or of the SDE.
    model : callable or Model
        A model of states x, not centred; see :func:`centred`.
    x : array, shape (n, *event)
        The start at the first time: ``mean + sigma_inf z`` in practice.
    mean : array, shape broadcastable to (n, *event)
        The mean mu, of the kind of `x`.
    **options
        As of :func:`~theorytk.diffusion.execution.sample`.

    Returns
    -------
    SampleResult
        Of states that are not centred.

    References
    ----------
    A. Li et al., MRS (ICLR 2025): with the plans of orders 1 to 3 this is their sampler, as
    derived here.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.diffusion.samplers.multistep import ddim
    >>> plan = ddim(MeanReverting(), [1.0, 0.5, 0.01])
    >>> still = Model(lambda x, t: 0 * x + 0.25, "data")  # the data are the mean
    >>> mean_reverting_sample(plan, still, np.array([[0.25]]), np.array([0.25])).x
    array([[0.25]])
    """
    result = sample(plan, centred(model, mean), x - mean, **options)
    states = tuple(state + mean for state in result.states)
    return dataclasses.replace(result, x=result.x + mean, states=states)
