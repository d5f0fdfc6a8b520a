"""Certificates for the schedulers of diffusers; needs ``theorytk[torch]`` and ``diffusers``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from theorytk._validation import check_int
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import check_times
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.torch import import_torch

__all__ = ["DiffusersSampler", "from_diffusers"]

# The rounding error of a scheduler in double precision, whose divided differences lose some digits.
ACCURACY = 1e-11
# Options that keep a scheduler to its formulas and to the given times, where it has them.
NEUTRAL = {
    "clip_sample": False,
    "final_sigmas_type": "sigma_min",
    "lower_order_final": False,
    "timestep_spacing": "linspace",
}


@dataclass(frozen=True)
class DiffusersSampler:
    """A scheduler of diffusers as a :class:`~theorytk.diffusion.certify.BlackBoxSampler`.

    Made by :func:`from_diffusers`.

    Attributes
    ----------
    scheduler : type
        The scheduler's class.
    options : dict
        What it is made with.
    needs : int
        How many exact states it is given beyond the first.
    accuracy : float
        The rounding error of its result, in the unit of the states.
    """

    scheduler: Callable[..., Any]
    options: dict[str, Any]
    needs: int
    accuracy: float = ACCURACY

    @property
    def __name__(self) -> str:
        """The scheduler's name, for certificates."""
        return self.scheduler.__name__

    def __call__(
        self, schedule: NoiseSchedule, times: np.ndarray, states: np.ndarray, model: Model
    ) -> np.ndarray:
        """Run the scheduler through all times, on the CPU.

        Parameters
        ----------
        schedule : NoiseSchedule
            A variance-preserving schedule, the only kind of these schedulers.
        times : ndarray, shape (n_steps + 1,)
            The times, decreasing.
        states : ndarray, shape (n_exact, n, d)
            The exact states at the first n_exact times, at least one.
        model : Model
            A model with a schedule; its noise prediction is used.

        Returns
        -------
        ndarray, shape (n, d)
            The states at the last time.

        Raises
        ------
        ValueError
            If the schedule is not variance preserving, or the scheduler does not step once from
            each time to the next.
        """
        times = check_times(schedule, times)
        scheduler = self._on_ladder(schedule, times)
        x = _double(states[0])
        for i, label in enumerate(scheduler.timesteps[: len(times) - 1]):
            if i < len(states):
                x = _double(states[i])
                if hasattr(scheduler, "last_sample"):
                    scheduler.last_sample = None  # an exact state is not corrected
            noise = model.predict("noise", x.numpy(), float(times[i]))
            x = scheduler.step(_double(noise), label, x).prev_sample
        result: np.ndarray = x.numpy()
        return result

    def _on_ladder(self, schedule: NoiseSchedule, times: np.ndarray) -> Any:
        """Return the scheduler as if trained on these times alone, in the place of 0, 1, 2, ..."""
        torch = import_torch()
        square = schedule.alpha(times) ** 2
        if not np.allclose(square + schedule.sigma(times) ** 2, 1.0, rtol=0, atol=1e-9):
            raise ValueError(f"schedule must be variance preserving; got {schedule!r}")
        ladder, n_steps = square[::-1].copy(), len(times) - 1
        betas = 1 - ladder / np.append(1.0, ladder[:-1])
        scheduler = self.scheduler(
            **self.options, num_train_timesteps=times.size, trained_betas=betas
        )
        for count in (n_steps, n_steps + 1):  # some count the last time, where no step starts
            scheduler.set_timesteps(count)
            if scheduler.timesteps.tolist() == list(range(n_steps, n_steps - count, -1)):
                break
        else:
            raise ValueError(f"{self.__name__} does not step once from each time to the next")
        # Its tables, which were computed in single precision.
        scheduler.alphas_cumprod = torch.from_numpy(ladder)
        if hasattr(scheduler, "sigmas"):
            scheduler.sigmas = torch.from_numpy(schedule.rho(times))
        return scheduler


@cache
def _double_type() -> Any:
    """Return the tensors that stay of double precision: DPMSolverMultistep asks for single."""
    return type("Double", (import_torch().Tensor,), {"to": lambda self, *args, **kwargs: self})


def _double(array: np.ndarray) -> Any:
    """Return an array as such a tensor."""
    return import_torch().from_numpy(array).as_subclass(_double_type())


def from_diffusers(
    scheduler: Callable[..., Any], *, needs: int | None = None, **options: Any
) -> DiffusersSampler:
    """Return a scheduler of diffusers for :func:`~theorytk.diffusion.certify.certify_order`.

    The scheduler's own code makes every step, on any variance-preserving schedule and grid: it is
    constructed with a ladder of betas that has a label for each time of the grid and no other. Its
    tables and states are kept in double precision, for the order is the formulas' property; as
    released, rounding to single precision limits what a scheduler reaches. It must step once from
    each time to the next, as the DDIM, DPMSolverMultistep, DPMSolverSinglestep, DEISMultistep and
    UniPCMultistep schedulers do.

    To ask for the order of the released third-order multistep, for instance::

        from diffusers import DPMSolverMultistepScheduler

        certify_order(from_diffusers(DPMSolverMultistepScheduler, solver_order=3), expected=3)

    Parameters
    ----------
    scheduler : type
        The scheduler's class, such as ``diffusers.UniPCMultistepScheduler``.
    needs : int, optional
        How many exact states it is given beyond the first; by default solver_order - 1 for a
        multistep scheduler, and 0 for others.
    **options
        What the scheduler is made with. Unless they say otherwise, ``lower_order_final`` and
        ``clip_sample`` are off, and ``final_sigmas_type`` is ``"sigma_min"``: the default
        ``"zero"`` forces a last step of first order.

    Returns
    -------
    DiffusersSampler

    Raises
    ------
    TypeError
        If `scheduler` is not a class with ``set_timesteps`` and ``step``, or lacks such an option.
    ImportError
        Without torch.

    References
    ----------
    P. von Platen et al. (2022), *Diffusers: state-of-the-art diffusion models*. The ladder of the
    grid's own times is derived here.
    """
    import_torch()
    if not (
        isinstance(scheduler, type)
        and hasattr(scheduler, "set_timesteps")
        and hasattr(scheduler, "step")
    ):
        raise TypeError(f"scheduler must be a scheduler class of diffusers; got {scheduler!r}")
    known = inspect.signature(scheduler).parameters
    options = {k: v for k, v in NEUTRAL.items() if k in known} | options
    made = scheduler(**options)
    if needs is None:
        multistep = hasattr(made, "lower_order_nums")
        needs = made.config.solver_order - 1 if multistep else 0
    needs = check_int("needs", needs, lower=0)
    return DiffusersSampler(scheduler, options, needs)
