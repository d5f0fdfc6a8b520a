"""A data set's separation profile: how far the usual paths are from the best one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from theorytk._validation import check_int
from theorytk.paths.datasets import as_data_set
from theorytk.paths.energy import kinetic_energy
from theorytk.paths.named_paths import ddpm_path
from theorytk.paths.separation import RIGHT_ANGLE, Separation, separation_function
from theorytk.paths.separation_laws import entropy_bound, paper_separation_bound, spectral_bound
from theorytk.paths.theory import (
    cond_ot_energy,
    cond_ot_gap_bound,
    gaussian_wasserstein,
    optimal_energy,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Profile", "separation_profile"]


@dataclass(frozen=True)
class Profile:
    """What `separation_profile` found; energies are per dimension, of the normalised data.

    Parameters
    ----------
    n, d : int
        Distinct points and dimension.
    separation : Separation
        The estimated separation; 1 - gamma(theta) is the share of the dimensions that the data
        still seem to fill at the noise of that angle.
    delta, delta_error : float
        int (1 - lambda) ds and its standard error.
    delta_bounds : dict of str to float
        Upper bounds of delta: "entropy", "spectral" and "paper".
    energies : dict of str to float
        Kinetic energies of the named paths and of the optimum.
    energy_errors : dict of str to float
        Their standard errors.
    gap_bound : float
        The certificate: Cond-OT exceeds the optimum by at most this.
    wasserstein_bound : float
        A lower bound of the energy of any path, by the covariance.
    """

    n: int
    d: int
    separation: Separation = field(repr=False)
    delta: float
    delta_error: float
    delta_bounds: dict[str, float]
    energies: dict[str, float]
    energy_errors: dict[str, float] = field(repr=False)
    gap_bound: float
    wasserstein_bound: float

    def plot(self) -> Figure:
        """Draw gamma with its error over the angle, and the energies.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        theta = np.linspace(0, RIGHT_ANGLE, 400)
        gamma, error = self.separation.gamma(theta), self.separation.standard_error(theta)
        left.fill_between(theta, gamma - 2 * error, gamma + 2 * error, alpha=0.3, linewidth=0)
        left.plot(theta, gamma, label="gamma")
        left.axvline(
            self.delta_bounds["entropy"], color="grey", linestyle=":", label="arccos(e^(-H/d))"
        )
        left.set(xlabel="angle theta", ylabel="gamma", title=f"n = {self.n}, d = {self.d}")
        left.legend()
        names = list(self.energies)
        errors = [2 * self.energy_errors[name] for name in names]
        right.barh(names, [self.energies[name] for name in names], xerr=errors)
        right.axvline(self.wasserstein_bound, color="grey", linestyle=":")
        right.set(xlabel="kinetic energy per dimension")
        return figure


def separation_profile(
    X: Any,
    weights: Any = None,
    *,
    n_sweeps: int = 4,
    n_sources: int | None = None,
    rng: int | np.random.Generator | None = None,
) -> Profile:
    """Measure the separation of a data set and what it says about Gaussian paths to it.

    Parameters
    ----------
    X : array_like, torch tensor, shape (n, d), or DataSet
        The points; unless they are a `DataSet` they are centred, scaled and equal rows merged.
    weights : array_like, shape (n,), optional
        Weights of the points of an array.
    n_sweeps : int, default 4
        Independent estimates, >= 2.
    n_sources : int, optional
        Sources of an estimate; by default all points. See `separation_function`.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    Profile

    Raises
    ------
    ValueError
        As for `separation_function`.

    References
    ----------
    Shaul et al. (ICML 2023) for the separation and the bound "paper"; the other bounds, the
    certificate and the energies in closed form are derived in :mod:`theorytk.paths.theory`.

    Examples
    --------
    >>> found = separation_profile(np.random.default_rng(0).standard_normal((64, 32)), rng=0)
    >>> found.delta < found.delta_bounds["entropy"] < found.delta_bounds["paper"]
    True
    >>> found.energies["cond-ot"] - found.energies["kinetic-optimal"] < found.gap_bound
    True
    """
    n_sweeps = check_int("n_sweeps", n_sweeps, lower=2)
    data = as_data_set(X, weights)
    found = separation_function(data, n_sweeps=n_sweeps, n_sources=n_sources, rng=rng)
    sweeps = found.replicates()
    eigenvalues = data.covariance_eigenvalues()
    energies = _energies(found)
    each = [_energies(sweep) for sweep in sweeps]
    delta = found.delta()
    return Profile(
        n=data.n,
        d=data.d,
        separation=found,
        delta=delta,
        delta_error=_standard_error([sweep.delta() for sweep in sweeps]),
        delta_bounds={
            "entropy": entropy_bound(data.entropy, data.d),
            "spectral": spectral_bound(eigenvalues),
            "paper": paper_separation_bound(data.n, data.d),
        },
        energies=energies,
        energy_errors={name: _standard_error([e[name] for e in each]) for name in energies},
        gap_bound=cond_ot_gap_bound(delta),
        wasserstein_bound=gaussian_wasserstein(eigenvalues),
    )


def _energies(separation: Separation) -> dict[str, float]:
    """Return the energies of the named paths, those with closed forms from delta and Phi."""
    delta, angle = separation.delta(), separation.angle()
    return {
        "ddpm": kinetic_energy(ddpm_path(), separation),
        "trigonometric": RIGHT_ANGLE * (RIGHT_ANGLE - delta),
        "cond-ot": cond_ot_energy(delta),
        "best-vp": angle**2,
        "kinetic-optimal": optimal_energy(angle),
    }


def _standard_error(values: list[float]) -> float:
    """Return the standard error of the mean of independent values."""
    return float(np.std(values, ddof=1)) / math.sqrt(len(values))
