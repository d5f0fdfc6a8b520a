"""Networks of PyTorch as models, and plans on their devices; needs ``theorytk[torch]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from theorytk._validation import check_real
from theorytk.diffusion import execution
from theorytk.diffusion.execution import SampleResult
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import Plan
from theorytk.diffusion.schedules import NoiseSchedule, VPDiscrete

if TYPE_CHECKING:
    import torch

__all__ = ["sample", "to_device", "to_numpy", "wrap"]


def wrap(
    module: torch.nn.Module,
    schedule: NoiseSchedule,
    *,
    predicts: str = "noise",
    time_label: Callable[[float], float] | None = None,
    output: Callable[[Any], torch.Tensor] | None = None,
    conditioning: Mapping[str, Any] | None = None,
    unconditional: Mapping[str, Any] | None = None,
    guidance: float = 1.0,
    compile: bool | str = False,
) -> Model:
    """Return a network as a model.

    It is called as ``module(x, label, **conditioning)``, where label is a tensor (n,) with one
    entry per sample, in float64 if x is and in float32 otherwise. Put it into evaluation mode and
    on its device first. A denoising network of diffusers, which takes integer labels and returns
    an object, is wrapped so::

        schedule = VPDiscrete(alphas_cumprod=scheduler.alphas_cumprod.numpy())
        model = wrap(unet.eval(), schedule, output=lambda result: result.sample)

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    schedule : NoiseSchedule
        The schedule that it was trained for.
    predicts : {"noise", "data", "velocity", "score"}
        What it predicts.
    time_label : callable, optional
        The network's label of a time. By default the time itself, and for a
        :class:`~theorytk.diffusion.schedules.VPDiscrete` its (real-valued) label.
    output : callable, optional
        Takes the prediction out of what the network returns; by default it is the prediction.
    conditioning : mapping, optional
        Further keyword arguments of the network.
    unconditional : mapping, optional
        Those of the unconditional prediction; with it, every prediction takes two calls.
    guidance : float, default 1
        The scale w of classifier-free guidance, u + w (c - u) for the conditional prediction c and
        the unconditional u. Another scale than 1 needs `unconditional`.
    compile : bool or str
        Whether to compile the network with ``torch.compile``, or the backend to do it with.

    Returns
    -------
    Model

    Raises
    ------
    TypeError
        If `module` is not a network.
    ValueError
        If guidance has nothing to work with, or `predicts` is unknown.
    ImportError
        Without PyTorch.

    References
    ----------
    J. Ho and T. Salimans (2022), *Classifier-free diffusion guidance*, in the scale of Lu et al.
    (2022), *DPM-Solver++*, whose w = 1 is the conditional prediction.
    """
    torch = import_torch()
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module; got {module!r}")
    guidance = check_real("guidance", guidance)
    if guidance != 1.0 and unconditional is None:
        raise ValueError(f"guidance {guidance:g} needs unconditional; got None")
    if time_label is None and isinstance(schedule, VPDiscrete):
        time_label = schedule.label  # type: ignore[assignment]
    calls = [(guidance, dict(conditioning or {}))]
    if unconditional is not None:
        calls.append((1.0 - guidance, dict(unconditional)))
    network = _Network(module, _compiled(module, compile), time_label, output, tuple(calls))
    return Model(network, predicts, schedule)


@dataclass(frozen=True, eq=False)
class _Network:
    """A network as a function of states and a time."""

    module: torch.nn.Module
    forward: Callable[..., Any]
    time_label: Callable[[float], float] | None
    output: Callable[[Any], Any] | None
    calls: tuple[tuple[float, dict[str, Any]], ...]

    def __call__(self, x: torch.Tensor, t: float) -> torch.Tensor:
        torch = import_torch()
        label = t if self.time_label is None else float(self.time_label(t))
        # Half precision cannot tell large labels apart.
        dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
        labels = torch.full((len(x),), label, dtype=dtype, device=x.device)
        values = []
        for _, conditioning in self.calls:
            value = self.forward(x, labels, **conditioning)
            values.append(value if self.output is None else self.output(value))
        if len(values) == 1:
            return values[0]
        return _combine([weight for weight, _ in self.calls], values)


def sample(
    plan: Plan,
    model: Model | torch.nn.Module | Callable[[Any, float], Any],
    x: Any,
    *,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    noise: Sequence[Any] | None = None,
    compile: bool | str = False,
    **options: Any,
) -> SampleResult:
    """Run a plan on a device, without gradients.

    For gradients through the sampler, call :func:`theorytk.diffusion.execution.sample` with
    tensors.

    Parameters
    ----------
    plan : Plan
        The sampler.
    model : Model, torch.nn.Module or callable
        As :func:`wrap` returns it; a bare network predicts the noise.
    x : tensor or array, shape (n, *event), or sequence of them
        The start, or for a plan with exact history one state for each of its inputs. It is copied
        to the device where it is not there.
    device : str or torch.device, optional
        By default where the network's parameters are, or else where x is.
    dtype : torch.dtype, optional
        By default that of the network's parameters, or else that of x.
    noise : sequence of tensor or array, shape (n, *event), optional
        What the plan's noise instructions use.
    compile : bool or str
        Whether each linear combination is compiled by ``torch.compile`` to one pass over the
        memory, or the backend to do it with. It pays where a state does not fit into the cache:
        small states are faster without. One compilation serves all coefficients and sizes; numbers
        of terms, dtypes and numbers of axes need their own, and PyTorch makes eight in a process
        unless its recompile_limit says otherwise; what is beyond runs as without.
    **options
        Further arguments of :func:`theorytk.diffusion.execution.sample`.

    Returns
    -------
    SampleResult
        With tensors on the device.

    Raises
    ------
    TypeError, ValueError
        As :func:`theorytk.diffusion.execution.sample`.
    ImportError
        Without PyTorch.
    """
    torch = import_torch()
    if isinstance(model, torch.nn.Module):
        model = wrap(model, plan.schedule)
    network = model.function if isinstance(model, Model) else model
    if isinstance(network, _Network):
        parameter = next((p for p in network.module.parameters() if p.is_floating_point()), None)
        if parameter is not None:
            device = parameter.device if device is None else device
            dtype = parameter.dtype if dtype is None else dtype

    def placed(arrays: Sequence[Any]) -> list[Any]:
        return [torch.as_tensor(array, device=device, dtype=dtype) for array in arrays]

    starts = placed(x if isinstance(x, list | tuple) else [x])
    with torch.no_grad():
        return execution.sample(
            plan,
            model,
            starts if len(starts) > 1 else starts[0],
            noise=None if noise is None else placed(noise),
            combine=_compiled_combine(compile) if compile else _combine,
            **options,
        )


def to_device(array: np.ndarray, device: str) -> Any:
    """Return an array as what experiments compute with on a device.

    Parameters
    ----------
    array : ndarray
        The array.
    device : str
        ``"cpu"`` for NumPy, ``"torch-cpu"`` for PyTorch on the CPU, or another device of PyTorch,
        such as ``"cuda"``.

    Returns
    -------
    ndarray or torch.Tensor
        The array itself for ``"cpu"``, otherwise a tensor of its dtype.

    Raises
    ------
    ImportError
        Without PyTorch, for another device than ``"cpu"``.
    ValueError
        If PyTorch does not have the device.

    Examples
    --------
    >>> to_device(np.ones(2), "cpu")
    array([1., 1.])
    """
    if device == "cpu":
        return array
    torch = import_torch()
    try:
        return torch.as_tensor(array, device="cpu" if device == "torch-cpu" else device)
    except (AssertionError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device must be 'cpu', 'torch-cpu' or one of PyTorch's here; got {device!r}: {reason}"
        ) from error


def to_numpy(x: Any) -> np.ndarray:
    """Return what was computed on any device as a NumPy array.

    Parameters
    ----------
    x : ndarray or torch.Tensor
        The array.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> to_numpy(to_device(np.ones(2), "cpu"))
    array([1., 1.])
    """
    return x if isinstance(x, np.ndarray) else np.asarray(x.detach().cpu())


def import_torch() -> Any:
    """Return PyTorch."""
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            "PyTorch is needed; install it with: pip install 'theorytk[torch]'"
        ) from error
    return torch


def _combine(coefficients: Sequence[Any], terms: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return a linear combination, with one operation per term."""
    total = coefficients[0] * terms[0]
    for c, term in zip(coefficients[1:], terms[1:], strict=True):
        if isinstance(c, float):
            total.add_(term, alpha=c)
        else:
            total.addcmul_(term, c)
    return total


def _sum(coefficients: Sequence[Any], terms: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return a linear combination, in the form that a compiler fuses."""
    total = coefficients[0] * terms[0]
    for c, term in zip(coefficients[1:], terms[1:], strict=True):
        total = total + c * term
    return total


@cache
def _compiled_combine(backend: bool | str) -> Any:
    """Return the compiled combination: one for all coefficients and sizes."""
    return _compiled(_sum, backend, dynamic=True)


def _compiled(function: Callable[..., Any], backend: bool | str, **options: Any) -> Any:
    """Return a function compiled by a backend (True: the default one), or as it is."""
    if not backend:
        return function
    options = options if backend is True else {**options, "backend": backend}
    return import_torch().compile(function, **options)
