"""Kernel sums plus a Gaussian process: a private function whose values are drawn when asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import as_generator, check_array, check_choice, check_real
from theorytk.privacy import _kernel_loops
from theorytk.privacy._arguments import Array
from theorytk.privacy._noise_law import noise_quantile
from theorytk.privacy.kernels import KERNELS
from theorytk.privacy.linear_mechanism import (
    GRID_BITS,
    LinearMechanism,
    check_noise,
    is_replace,
    noise_scale,
)
from theorytk.privacy.noise import release

__all__ = ["MAX_QUERIES", "GaussianProcess", "KernelProjections", "gaussian_process"]

MAX_QUERIES = 5000
# Variance of a query of its own, which keeps the factor stable; answers stay unbiased.
JITTER = 1e-8
# Share of the squared sensitivity that covers the rounding of the factor and of projections.
SLACK = 1e-6


@dataclass(frozen=True, eq=False)
class KernelProjections(LinearMechanism):
    """Projections of the points' kernels onto those of queries, made orthonormal one by one.

    What a `GaussianProcess` has released up to now: with K = L L^T the kernel of the m queries, a
    point x adds the solution of L c = k(queries, x), whose norm is at most 1.

    Attributes
    ----------
    kernel : str
        Name of the kernel.
    bandwidth : float
        Distances are divided by it.
    queries : ndarray, shape (m, d)
        Queries in the order in which they came.
    factor : ndarray, shape (m, m)
        The lower triangle L.
    """

    kernel: str = "gaussian"
    bandwidth: float = 1.0
    queries: Array = field(default_factory=lambda: np.zeros((0, 1)))
    factor: Array = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def groups(self) -> tuple[str, ...]:
        """All have one scale."""
        return ("projections",)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """One per query."""
        return np.array([len(self.queries)])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Each projection of each point is rounded towards zero."""
        return np.array([GRID_BITS])

    def grid_points(self, x: Any) -> NDArray[Any]:
        """Return the points as they are: their kernels are bounded everywhere."""
        return check_array("x", x, shape=(None, self.queries.shape[1]))

    def totals(self, points: NDArray[Any]) -> NDArray[np.int64]:
        """Return the sums of the projections in grid steps."""
        out = np.empty((len(points), len(self.queries)))
        scaled, code = points / self.bandwidth, KERNELS.index(self.kernel)
        _kernel_loops.project(scaled, self.queries / self.bandwidth, self.factor, code, out, 0)
        return np.asarray(_kernel_loops.truncated_totals(out, 2.0**GRID_BITS))

    def synthesise(self, released: Array) -> Array:
        """Return the estimated sums at the queries."""
        return np.asarray(self.factor @ released)


class GaussianProcess:
    """A private function that may be asked adaptively; from `gaussian_process`.

    Its answers are the kernel sums plus a Gaussian process with the kernel over sqrt(2 rho), drawn
    where it is asked. It keeps the points; what it has released is `mechanism`. The same query gets
    the same answer, and the joint law of all answers does not depend on their order.

    Attributes
    ----------
    points : ndarray, shape (n, d)
        Private points, in units of the bandwidth.
    """

    def __init__(
        self,
        points: Array,
        kernel: str,
        bandwidth: float,
        scale: float,
        noise: str,
        rng: np.random.Generator | None,
    ) -> None:
        self.points = points / bandwidth
        self._kernel, self._bandwidth = kernel, bandwidth
        self._scale, self._noise, self._rng = scale, noise, rng
        self._code, self._places = KERNELS.index(kernel), dict[bytes, int]()
        self._queries = np.empty((0, points.shape[1]))
        self._factor, self._projections = np.empty((0, 0)), np.empty((len(points), 0))
        self._released = np.empty(0)

    @property
    def mechanism(self) -> KernelProjections:
        """What has been released up to now, for audits."""
        return KernelProjections(
            0,
            np.array([self._scale]),
            "gaussian",
            self._noise,
            self._kernel,
            self._bandwidth,
            self._queries * self._bandwidth,
            self._factor,
        )

    @property
    def mechanisms(self) -> list[LinearMechanism]:
        """The mechanism, in a list."""
        return [self.mechanism]

    def answers(self, y: Any) -> Array:
        """Return the estimated sums at queries, shape (q, d); new ones are released now.

        Raises
        ------
        ValueError
            If the queries would be more than 5000 different ones.
        """
        y = check_array("y", y, shape=(None, self.points.shape[1])) / self._bandwidth + 0.0
        keys = [query.tobytes() for query in y]
        new = {key: query for key, query in zip(keys, y, strict=True) if key not in self._places}
        if len(self._places) + len(new) > MAX_QUERIES:
            raise ValueError(
                f"y must not bring the different queries above {MAX_QUERIES}; got "
                f"{len(self._places) + len(new)}"
            )
        if new:
            self._extend(new)
        places = [self._places[key] for key in keys]
        return np.asarray(self._factor[places] @ self._released)

    def noise_std(self, y: Array) -> Array:
        """Return the standard deviation of the noise, the same for every query, shape (q,)."""
        return np.full(len(y), math.sqrt((1 + JITTER) * self.mechanism.variances[0]))

    def noise_quantile(self, y: Array, coverage: float) -> Array:
        """Return what the noise of each answer keeps with this probability, shape (q,)."""
        one = np.ones((1, 1))
        return self.noise_std(y) * noise_quantile(one, one, "gaussian", coverage)

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return what rounding the projections of a point can do, both ways."""
        error = np.full(len(y), math.sqrt(MAX_QUERIES) * 2.0**-GRID_BITS)
        return error, error

    def _extend(self, new: dict[bytes, Array]) -> None:
        """Release the projections onto new queries."""
        known, more = len(self._places), len(new)
        self._queries = np.vstack([self._queries, *new.values()])
        self._factor = _padded(self._factor, known + more, known + more)
        self._projections = _padded(self._projections, len(self.points), known + more)
        _kernel_loops.extend_factor(self._queries, self._factor, self._code, known, JITTER)
        _kernel_loops.project(
            self.points, self._queries, self._factor, self._code, self._projections, known
        )
        sums = _kernel_loops.truncated_totals(self._projections[:, known:], 2.0**GRID_BITS)
        noisy = release(
            sums, self._scale, bits=GRID_BITS, rng=self._rng, kind="gaussian", noise=self._noise
        )
        self._released = np.append(self._released, noisy)
        self._places.update({key: known + i for i, key in enumerate(new)})


def _padded(matrix: Array, rows: int, columns: int) -> Array:
    out = np.zeros((rows, columns))
    out[: matrix.shape[0], : matrix.shape[1]] = matrix
    return out


def gaussian_process(
    points: Any,
    *,
    kernel: str = "gaussian",
    bandwidth: float = 1.0,
    rho: float,
    neighbours: str = "add_remove",
    noise: str = "discrete",
    rng: Any = None,
) -> GaussianProcess:
    """Return the private function of points that adds a Gaussian process to their kernel sums.

    Parameters
    ----------
    points : array_like, shape (n, d)
        Private points, which the function keeps.
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        As in `kernel_profile`; points may lie anywhere.
    bandwidth : float
        Distances are divided by it, > 0.
    rho : float
        zCDP > 0 of all answers together, whatever the queries and however they are chosen.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation. In the norm of the kernel one point counts 1, a replacement at most
        sqrt(2), since kernels are not negative.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.
    rng : int, numpy.random.Generator or None
        Random state of the noise; ``None`` is the entropy of the operating system.

    Returns
    -------
    GaussianProcess

    Notes
    -----
    A query costs as many operations as there are points times earlier queries, and as much memory.
    With (epsilon, delta), rho is 1 / (2 s^2) for s = `gaussian_sigma` of both, as Hall, Rinaldo and
    Wasserman's theorem but with the least standard deviation in the place of
    sqrt(2 log(2 / delta)) / epsilon; this is exact for continuous noise.

    References
    ----------
    Hall, Rinaldo, Wasserman (JMLR 2013). Derived here: the release by orthonormal projections,
    whose contributions are rounded point by point so that the noise can be integer.

    Examples
    --------
    >>> points = np.random.default_rng(0).normal(size=(100, 2))
    >>> private = gaussian_process(points, rho=0.5, rng=0)
    >>> first = private.answers([[0.0, 0.0]])
    >>> both = private.answers([[1.0, 0.0], [0.0, 0.0]])
    >>> bool(first[0] == both[1]), private.noise_std(np.zeros((1, 2))).round(3)
    (True, array([1.]))
    """
    points = check_array("points", points, shape=(None, None))
    bandwidth = check_real("bandwidth", bandwidth, lower=0.0, lower_open=True)
    norm = 2.0 if is_replace(neighbours) else 1.0
    scale, _ = noise_scale(norm * (1 + SLACK), None, rho)
    return GaussianProcess(
        points,
        check_choice("kernel", kernel, KERNELS),
        bandwidth,
        scale,
        check_noise(noise),
        None if rng is None else as_generator(rng),
    )
