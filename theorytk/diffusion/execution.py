"""The executor: runs any plan with any model on arrays of any array-API namespace.

Coefficients are float64 on the host; arrays keep their namespace, device and dtype. For NumPy
arrays of float64 and float32 a combination is one fused pass over the memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from sys import getrefcount
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_numpy_array

from theorytk._validation import as_generator, check_real
from theorytk.diffusion._kernels import COMBINE, combine_rows
from theorytk.diffusion.models import Model
from theorytk.diffusion.plans import Eval, Instruction, Lin, Noise, Plan

__all__ = ["SampleResult", "sample"]

MOST_TERMS = max(COMBINE)
_PROBE = [np.empty(0)]
UNSHARED = getrefcount(_PROBE[0])  # what getrefcount says of an array that only one list holds


@dataclass(frozen=True)
class SampleResult:
    """What a plan computed.

    Attributes
    ----------
    x : array, shape (n, *event)
        The result, in the namespace, dtype and on the device of the start.
    n_evaluations : int
        How often the model was called (NFE).
    states : tuple of array
        With ``record=True`` the states at the nodes of the time grid, from the first to the last
        that the plan assigns; otherwise empty.
    """

    x: Any
    n_evaluations: int
    states: tuple[Any, ...] = ()


def sample(
    plan: Plan,
    model: Callable[[Any, float], Any],
    x: Any,
    *,
    noise: Sequence[Any] | None = None,
    rng: int | np.random.Generator | None = None,
    threshold: float | None = None,
    check_finite: bool = False,
    callback: Callable[[int, float, Any], object] | None = None,
    record: bool = False,
    combine: Callable[[Sequence[Any], Sequence[Any]], Any] | None = None,
) -> SampleResult:
    """Run a plan.

    Parameters
    ----------
    plan : Plan
        The sampler, compiled for a schedule and a time grid.
    model : callable or Model
        A function of (x, t), t a float. A plain function predicts the noise;
        :class:`~theorytk.diffusion.models.Model` says otherwise. It must not write to x.
    x : array, shape (n, *event), or sequence of such arrays
        The start at the first time: NumPy, torch or any array-API array of a floating dtype. For
        a plan with exact history, one state for each of its inputs. Half precision is combined
        in float32, and the model sees half precision.
    noise : sequence of array, shape (n, *event), optional
        What the plan's noise instructions use, in their order.
    rng : int or Generator, optional
        Draws the noise (on the host, in float64) where `noise` is not given.
    threshold : float in (0, 1], optional
        Dynamic thresholding: each data prediction is clipped to plus or minus s and divided by s,
        where s is this quantile of its absolute values, at least 1, per sample. Only for models of
        data within [-1, 1] with many coordinates, and plans written in data predictions.
    check_finite : bool
        Raise at the first value that is not finite.
    callback : callable, optional
        Called as ``callback(i, t, x)`` with the state at node i as soon as it is computed.
    record : bool
        Keep the states at the nodes of the time grid.
    combine : callable, optional
        Computes linear combinations: called as ``combine(coefficients, arrays)``, it returns a
        new array; a coefficient is a float or an array of the shape of the event. By default one
        pass for NumPy, and one operation after the other for others.

    Returns
    -------
    SampleResult
        The result. The arrays that came in are never written to. An empty batch is returned as it
        is, without calls of the model.

    Raises
    ------
    TypeError
        If `x` does not hold floating arrays, or `model` cannot be called.
    ValueError
        If shapes do not agree, the model returns another shape or was made for another schedule,
        the noise or an array of coefficients does not fit, or `threshold` cannot be applied.
    FloatingPointError
        With `check_finite`, naming the step.

    References
    ----------
    The instruction set is ours. Dynamic thresholding: Saharia et al. (2022), *Imagen*,
    section 2.3; as in the released code of Lu et al. (2022), *DPM-Solver++*.

    Examples
    --------
    >>> from theorytk.diffusion.plans import Eval, Lin, Plan
    >>> from theorytk.diffusion.schedules import EDM
    >>> steps = (Eval("m0", "x0", 2.0), Lin("x1", ((1.0, "x0"), (-1.0, "m0"))))
    >>> euler = Plan("Euler", EDM(), np.array([2.0, 1.0]), steps, ("x0",), "x1")
    >>> sample(euler, lambda x, t: x / t, np.array([[3.0, 4.0]])).x
    array([[1.5, 2. ]])
    """
    if not isinstance(model, Model):
        model = Model(model)
    if model.schedule is not None and model.schedule != plan.schedule:
        raise ValueError(f"the model was made for {model.schedule}, the plan for {plan.schedule}")
    starts = _starts(plan, x)
    arrays = _arithmetic(starts[0], plan)
    combine = arrays.combine if combine is None else combine
    if threshold is not None:
        threshold = _check_threshold(threshold, plan, arrays.shape)
    draws = _draws(plan, arrays, noise, rng)
    states = list(starts) if record else []
    if arrays.shape[0] == 0:
        return SampleResult(arrays.outgoing(starts[-1]), 0, tuple(states))

    values = [arrays.incoming(start) for start in starts]
    values += [None] * len(plan.instructions)
    t = float(plan.times[0])
    for step, target, sources, coefficients, dead, node, some_arrays in plan.lowered(
        model.predicts
    ):
        if type(step) is Lin:
            if some_arrays:
                coefficients = arrays.placed(coefficients)
            value = combine(coefficients, [values[i] for i in sources])
        elif type(step) is Eval:
            t, point = step.t, values[sources[0]]
            value = arrays.incoming(model.function(arrays.outgoing(point), t))
            of_x, of_value = coefficients
            if of_x != 0.0:
                value = combine(coefficients, [point, value])
            elif of_value != 1.0:
                value = combine((of_value,), [value])
            if threshold is not None:
                value = _thresholded(arrays.xp, value, threshold)
        elif type(step) is Noise:
            value = next(draws)
        else:
            value = arrays.ones()
        values[target] = value
        if check_finite:
            _check_finite(arrays.xp, value, step, plan, t)
        if node is not None and (record or callback is not None):
            state = arrays.outgoing(value)
            if record:
                states.append(state)
            if callback is not None:
                callback(node, float(plan.times[node]), state)
        for i in dead:
            values[i] = None
    names = [*plan.inputs, *(step.target for step in plan.instructions)]
    result = values[names.index(plan.output)]
    return SampleResult(arrays.outgoing(result), plan.n_evaluations, tuple(states))


class _Arithmetic:
    """Linear combinations in any array-API namespace."""

    def __init__(self, like: Any, plan: Plan) -> None:
        self.xp = array_namespace(like)
        self.shape = tuple(like.shape)
        self.dtype = like.dtype
        self.device = device(like)
        half = self.xp.finfo(like.dtype).bits < 32
        self.working_dtype = self.xp.float32 if half else like.dtype

    def incoming(self, value: Any) -> Any:
        """Return a model's output or a start, checked, in the working dtype."""
        _check_shape("model's output", value, self.shape)
        if value.dtype == self.working_dtype:
            return value
        return self.xp.astype(value, self.working_dtype)

    def outgoing(self, value: Any) -> Any:
        """Return a state in the dtype of the start."""
        return value if value.dtype == self.dtype else self.xp.astype(value, self.dtype)

    def ones(self) -> Any:
        """Return ones."""
        return self.xp.ones(self.shape, dtype=self.working_dtype, device=self.device)

    def placed(self, coefficients: Sequence[Any]) -> Any:
        """Return the coefficients of a combination, arrays in the manner of the start."""
        like: dict[str, Any] = dict(dtype=self.working_dtype, device=self.device)
        _check_coefficients(coefficients, self.shape)
        return [
            self.xp.asarray(c, **like) if isinstance(c, np.ndarray) else c for c in coefficients
        ]

    def combine(self, coefficients: Sequence[Any], terms: Sequence[Any]) -> Any:
        """Return the linear combination of arrays."""
        total = coefficients[0] * terms[0]
        for c, term in zip(coefficients[1:], terms[1:], strict=True):
            total = total + c * term
        return total


class _FusedArithmetic(_Arithmetic):
    """Linear combinations of NumPy arrays in one pass, into arrays that are used again.

    An array is written again only if nothing but the pool refers to it: neither a register nor a
    view, and neither the model nor a callback has kept it.
    """

    def __init__(self, like: np.ndarray, plan: Plan) -> None:
        super().__init__(like, plan)
        self.pool: list[np.ndarray] = []
        self.pool_size = plan.n_registers + 1

    def incoming(self, value: Any) -> np.ndarray:
        """Return a model's output or a start, checked, contiguous, in the dtype of the start."""
        _check_shape("model's output", value, self.shape)
        return np.asarray(value, self.dtype, order="C")

    def outgoing(self, value: Any) -> Any:
        """Return the state as it is."""
        return value

    def placed(self, coefficients: Sequence[Any]) -> Any:
        """Return the coefficients of a combination as one array, a row per term."""
        _check_coefficients(coefficients, self.shape)
        rows = np.empty((len(coefficients), *self.shape[1:]), self.dtype)
        for i, c in enumerate(coefficients):
            rows[i] = c
        return rows

    def combine(self, coefficients: Sequence[Any], terms: Sequence[Any]) -> np.ndarray:
        """Return the linear combination of arrays."""
        out = self._free()
        if isinstance(coefficients, np.ndarray):
            combine_rows(out, coefficients, tuple(terms))
            return out
        if len(terms) <= MOST_TERMS:
            COMBINE[len(terms)](out, coefficients, *terms)
            return out
        COMBINE[MOST_TERMS](out, coefficients[:MOST_TERMS], *terms[:MOST_TERMS])
        for i in range(MOST_TERMS, len(terms), MOST_TERMS - 1):
            more = slice(i, i + MOST_TERMS - 1)
            sums = (1.0, *coefficients[more])
            COMBINE[len(sums)](out, sums, out, *terms[more])
        return out

    def _free(self) -> np.ndarray:
        """Return an array that may be written."""
        pool = self.pool
        for i in range(len(pool)):
            if getrefcount(pool[i]) == UNSHARED:
                return pool[i]
        out = np.empty(self.shape, self.dtype)
        if len(pool) < self.pool_size:
            pool.append(out)
        return out


def _arithmetic(like: Any, plan: Plan) -> _Arithmetic:
    """Return the arithmetic for a start: the one place where the fused kernels are chosen."""
    fused = is_numpy_array(like) and like.dtype in (np.float64, np.float32)
    return (_FusedArithmetic if fused else _Arithmetic)(like, plan)


def _starts(plan: Plan, x: Any) -> tuple[Any, ...]:
    """Return the states that the plan's inputs take."""
    states = (x,) if is_array_api_obj(x) else tuple(x) if isinstance(x, Sequence) else (x,)
    if len(states) != len(plan.inputs):
        wanted = ", ".join(plan.inputs)
        raise ValueError(f"x must hold one state for each of {wanted}; got {len(states)}")
    for state in states:
        if not is_array_api_obj(state):
            raise TypeError(f"x must be an array or a sequence of arrays; got {state!r}")
        if not array_namespace(state).isdtype(state.dtype, "real floating"):
            raise TypeError(f"x must have a real floating dtype, got {state.dtype}; convert it")
        if state.ndim == 0:
            raise ValueError("x must have shape (n, *event); got a scalar array")
        _check_shape("state", state, tuple(states[0].shape))
    return states


def _check_shape(what: str, value: Any, shape: tuple[int, ...]) -> None:
    if getattr(value, "shape", None) != shape:
        got = getattr(value, "shape", type(value).__name__)
        raise ValueError(f"the {what} must have the shape {shape} of x; got {got}")


def _check_coefficients(coefficients: Sequence[Any], shape: tuple[int, ...]) -> None:
    for c in coefficients:
        if isinstance(c, np.ndarray) and c.shape != shape[1:]:
            raise ValueError(
                f"the plan's coefficients have the shape {c.shape}, one per coordinate of the "
                f"event; x has the shape {shape}"
            )


def _check_threshold(threshold: float, plan: Plan, shape: tuple[int, ...]) -> float:
    """Return the quantile of dynamic thresholding if it can be applied."""
    check_real("threshold", threshold, lower=0.0, lower_open=True, upper=1.0)
    if any(isinstance(step, Eval) and step.output != "data" for step in plan.instructions):
        raise ValueError("threshold needs a plan in data predictions; this one keeps the noise")
    if int(np.prod(shape[1:])) < 2:
        raise ValueError(f"threshold needs at least two coordinates per sample; got shape {shape}")
    return threshold


def _thresholded(xp: Any, value: Any, level: float) -> Any:
    """Return the data prediction after dynamic thresholding at a quantile."""
    n, size = value.shape[0], int(np.prod(value.shape[1:]))
    ordered = xp.sort(xp.reshape(xp.abs(value), (n, size)), axis=1)
    below = min(int(level * (size - 1)), size - 2)
    share = level * (size - 1) - below
    low, high = ordered[:, below : below + 1], ordered[:, below + 1 : below + 2]
    quantile = low + share * (high - low)
    s = xp.maximum(quantile, xp.ones_like(quantile))
    s = xp.reshape(s, (n,) + (1,) * (value.ndim - 1))
    return xp.minimum(xp.maximum(value, -s), s) / s


def _draws(plan: Plan, arrays: _Arithmetic, noise: Sequence[Any] | None, rng: Any) -> Iterator[Any]:
    """Return the values of the noise instructions, one after the other."""
    count = sum(isinstance(step, Noise) for step in plan.instructions)
    if noise is None:
        generator = as_generator(rng)
        normal = (generator.standard_normal(arrays.shape) for _ in range(count))
        like: dict[str, Any] = dict(dtype=arrays.working_dtype, device=arrays.device)
        return (arrays.xp.asarray(z, **like) for z in normal)
    if len(noise) != count:
        raise ValueError(f"noise must hold {count} arrays for this plan; got {len(noise)}")
    for z in noise:
        _check_shape("noise", z, arrays.shape)
    return (arrays.incoming(z) for z in noise)


def _check_finite(xp: Any, value: Any, step: Instruction, plan: Plan, t: float) -> None:
    if not bool(xp.all(xp.isfinite(value))):
        i = int(np.searchsorted(-plan.times, -t, side="right")) - 1
        raise FloatingPointError(f"values that are not finite at step {i} (t = {t:g}), in {step}")
