"""The mechanisms of private kernel sums by name: how each plans its releases."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_int
from theorytk.privacy._arguments import Array
from theorytk.privacy._feature_kernels import map_points
from theorytk.privacy._released_sum import Part, ReleasedSum
from theorytk.privacy.bernstein import bernstein, bernstein_error
from theorytk.privacy.dimension_reduction import RADIAL_KERNELS, distortion_deviation, gaussian_map
from theorytk.privacy.exponential_spline import exponential_spline
from theorytk.privacy.exponential_sums import exponential_sum
from theorytk.privacy.gauss_transform import gauss_transform, gauss_transform_error
from theorytk.privacy.gaussian_process import GaussianProcess, gaussian_process
from theorytk.privacy.hashing import BINNING_KERNELS, binning_hashes
from theorytk.privacy.kernels import random_frequencies
from theorytk.privacy.linear_mechanism import LinearMechanism
from theorytk.privacy.race import race, race_deviation
from theorytk.privacy.random_features import feature_deviation, random_features

__all__ = ["MECHANISMS", "Plan", "Problem", "release_all"]

# Without a public size the grid has 2^16 cells.
DEFAULT_LEVELS = 16
SPLINE_KERNELS = ("exponential", "laplacian", "inverse")


@dataclass(frozen=True)
class Problem:
    """What a mechanism is planned from, all of it public.

    Attributes
    ----------
    kernel : str
        Name of the kernel.
    bandwidth : float
        Distances are divided by it.
    d : int
        Dimension of the points.
    box : tuple of ndarray or None
        Lower and upper ends, where bounds were given.
    size : int or None
        Public number of points, or a guess of it.
    gaussian : bool
        Whether the budget is for Gaussian noise.
    amount : float
        Its rho, or else the pure epsilon.
    neighbours, noise : str
        As in `PrivateKernelSum`.
    rng : Generator or None
        Random state.
    options : dict
        All parameters of the estimator.
    """

    kernel: str
    bandwidth: float
    d: int
    box: tuple[Array, Array] | None
    size: int | None
    gaussian: bool
    amount: float
    neighbours: str
    noise: str
    rng: np.random.Generator | None
    options: dict[str, Any]

    def budget(self, share: float = 1.0) -> dict[str, Any]:
        """Return a share of the budget, and what else every mechanism wants to know."""
        kind = "rho" if self.gaussian else "epsilon"
        return {
            kind: share * self.amount,
            "neighbours": self.neighbours,
            "noise": self.noise,
        }

    def public_box(self, mechanism: str) -> tuple[Array, Array]:
        """Return the lower ends and the widths of the box, which this mechanism needs."""
        if self.box is None:
            raise ValueError(f"bounds must be public: mechanism {mechanism!r} needs them")
        return self.box[0], self.box[1] - self.box[0]


@dataclass(frozen=True)
class Plan:
    """Releases whose answers add up.

    Attributes
    ----------
    release : callable
        From coordinates of the points and a random state to what answers queries.
    coordinates : callable
        From points or queries, shape (n, d), to the coordinates of the mechanisms.
    error : float
        Approximation error of a kernel value, whatever the points.
    deviation : callable, optional
        Error of a mean of kernel values that public randomness keeps but for a probability.
    """

    release: Callable[[Array, np.random.Generator | None], ReleasedSum | GaussianProcess]
    coordinates: Callable[[Array], Array]
    error: float = 0.0
    deviation: Callable[[float], float] | None = None


def release_all(
    mechanisms: list[tuple[LinearMechanism, float]],
) -> Callable[[Array, np.random.Generator | None], ReleasedSum]:
    """Return what releases each of these mechanisms, whose answers count by their factors."""

    def released(points: Array, rng: np.random.Generator | None) -> ReleasedSum:
        return ReleasedSum(
            [
                Part(slice(None), mechanism, factor, mechanism.synthesise(numbers))
                for mechanism, factor in mechanisms
                for numbers in [mechanism.release(points, rng)]
            ]
        )

    return released


def plan_features(problem: Problem) -> Plan:
    """Plan random Fourier features, after a Gaussian map if a target dimension is given."""
    n_features = check_int("n_features", problem.options["n_features"], lower=1)
    k, linear = problem.options["target_dimension"], np.eye(problem.d)
    if k is not None:
        check_choice("kernel with a target_dimension", problem.kernel, RADIAL_KERNELS)
        linear = gaussian_map(problem.d, check_int("target_dimension", k, lower=1), rng=problem.rng)
    frequencies = random_frequencies(
        problem.kernel, linear.shape[1], n_features, bandwidth=problem.bandwidth, rng=problem.rng
    )
    mechanism = random_features(frequencies, **problem.budget(), rng=problem.rng)

    def deviation(failure: float) -> float:
        if k is None:
            return feature_deviation(n_features, failure, paired=problem.gaussian)
        mapped = distortion_deviation(problem.kernel, k, failure / 2)
        return mapped + feature_deviation(n_features, failure / 2, paired=problem.gaussian)

    def coordinates(points: Array) -> Array:
        return points if k is None else map_points(points, linear)

    return Plan(release_all([(mechanism, 1.0)]), coordinates, deviation=deviation)


def plan_features_laplace(problem: Problem) -> Plan:
    """Plan random Fourier features with Laplace noise."""
    if problem.gaussian:
        raise ValueError("mechanism 'rff_laplace' is pure: give epsilon with delta=0")
    return plan_features(problem)


def plan_features_gaussian(problem: Problem) -> Plan:
    """Plan random Fourier features with Gaussian noise."""
    if not problem.gaussian:
        raise ValueError("mechanism 'rff_gaussian' has Gaussian noise: give rho, or delta > 0")
    return plan_features(problem)


def plan_spline(problem: Problem) -> Plan:
    """Plan exponential splines on a line: one, or one for each term of an exponential sum."""
    check_choice("kernel of 'expspline1d'", problem.kernel, SPLINE_KERNELS)
    if problem.d != 1:
        raise ValueError(f"mechanism 'expspline1d' is for d = 1; got {problem.d} coordinates")
    lower, width = problem.public_box("expspline1d")
    kappa = float(width[0]) / problem.bandwidth
    rates, weights, error = np.ones(1), np.ones(1), 0.0
    if problem.kernel == "inverse":
        terms = exponential_sum(problem.options["n_terms"])
        rates, weights, error = terms.t, terms.w, terms.error
    levels = problem.options["levels"]
    if levels is None:
        strength = math.sqrt(2 * problem.amount) if problem.gaussian else problem.amount
        cells = 2.0**DEFAULT_LEVELS if problem.size is None else problem.size * strength * kappa
        levels = min(max(math.ceil(math.log2(max(cells, 2.0))), 1), 26)
    # Least variance of the weighted sum of answers with noise about as large at every rate.
    shares = weights ** (1 if problem.gaussian else 2 / 3)
    shares = shares / shares.sum()
    mechanisms: list[tuple[LinearMechanism, float]] = [
        (exponential_spline(levels, kappa * rate, **problem.budget(float(share))), float(weight))
        for rate, weight, share in zip(rates, weights, shares, strict=True)
    ]
    return Plan(
        release_all(mechanisms), lambda points: (points[:, 0] - lower[0]) / width[0], error=error
    )


def plan_race(problem: Problem) -> Plan:
    """Plan hashed counters, into random grids."""
    check_choice("kernel of 'race'", problem.kernel, BINNING_KERNELS)
    rows = check_int("n_features", problem.options["n_features"], lower=1)
    hashes = binning_hashes(
        problem.kernel, problem.d, rows, bandwidth=problem.bandwidth, rng=problem.rng
    )
    mechanism = race(hashes, **problem.budget())
    return Plan(
        release_all([(mechanism, 1.0)]),
        lambda points: points,
        deviation=lambda failure: race_deviation(rows, failure, bits=hashes.bits),
    )


def plan_gauss_transform(problem: Problem) -> Plan:
    """Plan moments of the cells of the box."""
    check_choice("kernel of 'fgt'", problem.kernel, ("gaussian",))
    lower, width = problem.public_box("fgt")
    degree = problem.options["degree"]
    mechanism = gauss_transform(width / problem.bandwidth, degree, **problem.budget())
    return Plan(
        release_all([(mechanism, 1.0)]),
        lambda points: (points - lower) / width,
        error=gauss_transform_error(degree, problem.d),
    )


def plan_bernstein(problem: Problem) -> Plan:
    """Plan lattice values in the box, outside of which there are no answers."""
    lower, width = problem.public_box("bernstein")
    degree, widths = problem.options["degree"], width / problem.bandwidth
    mechanism = bernstein(problem.kernel, widths, degree, **problem.budget())

    def coordinates(points: Array) -> Array:
        y = (points - lower) / width
        if ((y < 0) | (y > 1)).any():
            raise ValueError("Y must lie within bounds: 'bernstein' has no answers outside")
        return y

    return Plan(
        release_all([(mechanism, 1.0)]),
        coordinates,
        error=bernstein_error(problem.kernel, widths, degree),
    )


def plan_gaussian_process(problem: Problem) -> Plan:
    """Plan a function that is released where it is asked."""
    if not problem.gaussian:
        raise ValueError("mechanism 'gp' has Gaussian noise: give rho, or delta > 0")

    def released(points: Array, rng: np.random.Generator | None) -> GaussianProcess:
        return gaussian_process(
            points,
            kernel=problem.kernel,
            bandwidth=problem.bandwidth,
            **problem.budget(),
            rng=rng,
        )

    return Plan(released, lambda points: points)


# A further mechanism is one more line here; its parameters go to `PrivateKernelSum`.
MECHANISMS: dict[str, Callable[[Problem], Plan]] = {
    "rff_gaussian": plan_features_gaussian,
    "rff_laplace": plan_features_laplace,
    "expspline1d": plan_spline,
    "race": plan_race,
    "fgt": plan_gauss_transform,
    "bernstein": plan_bernstein,
    "gp": plan_gaussian_process,
}
