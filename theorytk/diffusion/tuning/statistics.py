"""Empirical model statistics: the coefficients of DPM-Solver-v3 as tables."""

from __future__ import annotations

from dataclasses import dataclass, fields
from os import PathLike
from typing import Any

import numpy as np

from theorytk._validation import check_array, check_int
from theorytk.diffusion.plans import check_times
from theorytk.diffusion.schedules import NoiseSchedule
from theorytk.diffusion.targets import GaussianTarget

__all__ = ["ModelStatistics", "gaussian_statistics"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class ModelStatistics:
    """The coefficients l (linear), s (scaling) and b (bias) of DPM-Solver-v3 at nodes of lambda.

    Parameters
    ----------
    lam : array_like, shape (n_nodes,)
        The half log signal-to-noise ratios of the nodes, increasing, at least 4.
    linear, scaling, bias : array_like, shape (n_nodes, *event)
        The coefficients, one per coordinate of the event, or one for all: shape (n_nodes,).
    linear_se, scaling_se, bias_se : array_like, shape (n_nodes, *event), optional
        Their standard errors; 0 by default. Those of scaling and bias are for the tabled l.

    Raises
    ------
    ValueError
        If shapes do not agree, a value is not finite, or the nodes do not increase.

    References
    ----------
    K. Zheng, C. Lu, J. Chen and J. Zhu, DPM-Solver-v3 (NeurIPS 2023): "empirical model statistics".

    Examples
    --------
    >>> lam = np.linspace(-4, 4, 9)
    >>> ModelStatistics(lam, np.ones(9), np.zeros(9), np.zeros(9)).event
    ()
    """

    lam: Array
    linear: Array
    scaling: Array
    bias: Array
    linear_se: Any = None
    scaling_se: Any = None
    bias_se: Any = None

    def __post_init__(self) -> None:
        lam = check_array("lam", self.lam, ndim=1)
        check_int("lam (its length)", len(lam), lower=4)
        if not (np.diff(lam) > 0).all():
            raise ValueError(f"lam must increase strictly; got {lam}")
        object.__setattr__(self, "lam", lam)
        shape = check_array("linear", self.linear).shape
        if shape[:1] != lam.shape:
            raise ValueError(f"linear must have one row per node, {len(lam)}; got shape {shape}")
        for name in (f.name for f in fields(self)[1:]):
            value = getattr(self, name)
            table = np.zeros(shape) if value is None else check_array(name, value, shape=shape)
            object.__setattr__(self, name, table)

    @property
    def event(self) -> tuple[int, ...]:
        """The shape of the coefficients at one node."""
        return self.linear.shape[1:]

    def save(self, path: str | PathLike[str]) -> None:
        """Write the statistics as a ``.npz`` file of NumPy, an array for each attribute.

        Parameters
        ----------
        path : path_like
            The file.
        """
        with open(path, "wb") as file:
            np.savez(file, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: str | PathLike[str]) -> ModelStatistics:
        """Return the statistics that :meth:`save` wrote.

        Parameters
        ----------
        path : path_like
            The file.

        Returns
        -------
        ModelStatistics
            With the same arrays, bit by bit.

        Raises
        ------
        ValueError
            If an array is missing from the file.
        """
        with np.load(path, allow_pickle=False) as archive:
            names = [f.name for f in fields(cls)]
            missing = [name for name in names if name not in archive]
            if missing:
                raise ValueError(f"path must hold the arrays {', '.join(names)}; lacks {missing}")
            return cls(**{name: archive[name] for name in names})


def gaussian_statistics(
    target: GaussianTarget,
    schedule: NoiseSchedule,
    *,
    n_nodes: int = 121,
    t_min: float | None = None,
    t_max: float | None = None,
) -> ModelStatistics:
    """Return the statistics of Gaussian data N(m, v) in closed form.

    They are l = 1 / (1 + v exp(2 lambda)), s = 0 and b = 2 l (1 - l) m. With them a step of
    DPM-Solver-v3 of any order and length is exact.

    Parameters
    ----------
    target : GaussianTarget
        With a diagonal covariance.
    schedule : NoiseSchedule
        The schedule.
    n_nodes : int
        Nodes, equally spaced in lambda, >= 4.
    t_min, t_max : float, optional
        The range of times that the nodes cover; by default that of the schedule.

    Returns
    -------
    ModelStatistics

    Raises
    ------
    ValueError
        If the covariance is not diagonal.

    References
    ----------
    Derived here: f = -l m does not depend on the draw, so that b = f' for every s.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import EDM
    >>> gaussian_statistics(GaussianTarget([2.0], 1.0), EDM(t_min=0.1, t_max=10.0)).event
    (1,)
    """
    if not isinstance(target, GaussianTarget):
        raise TypeError(f"target must be a GaussianTarget; got {target!r}")
    variances, vectors = target.directions()
    if (vectors != np.eye(target.dimension)).any():
        raise ValueError("target must have a diagonal covariance: v3 works by coordinates")
    check_int("n_nodes", n_nodes, lower=4)
    lam = lambda_nodes(schedule, n_nodes, t_min, t_max)
    linear = 1 / (1 + variances * np.exp(2 * lam)[:, None])
    bias = 2 * linear * (1 - linear) * target.law.means[0]
    return ModelStatistics(lam, linear, np.zeros_like(linear), bias)


def lambda_nodes(
    schedule: NoiseSchedule, n: int, t_min: float | None, t_max: float | None
) -> Array:
    """Return nodes that are equally spaced in lambda over a range of times."""
    ends = [schedule.t_max if t_max is None else t_max, schedule.t_min if t_min is None else t_min]
    first, last = schedule.lam(check_times(schedule, ends)).tolist()
    return np.linspace(first, last, n)


def nodes_within(statistics: ModelStatistics, lam: Array) -> Array:
    """Return the nodes of a time grid, checked against the range of the statistics."""
    if not isinstance(statistics, ModelStatistics):
        raise TypeError(f"statistics must be a ModelStatistics; got {statistics!r}")
    first, last = statistics.lam[[0, -1]]
    slack = 1e-9 * (last - first)
    if lam[0] < first - slack or lam[-1] > last + slack:
        raise ValueError(
            f"statistics must cover lambda from {lam[0]:g} to {lam[-1]:g}; they have "
            f"{len(statistics.lam)} nodes from {first:g} to {last:g}"
        )
    clipped: Array = np.clip(lam, first, last)
    return clipped
