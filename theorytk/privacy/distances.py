"""Private sums of distances: fit once, ask as often as you like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real
from theorytk.privacy._arguments import Array
from theorytk.privacy._estimator import PrivateEstimator, budget, check_points
from theorytk.privacy._released_sum import Part, ReleasedSum
from theorytk.privacy.answering import as_answering
from theorytk.privacy.dyadic_tree import dyadic_tree
from theorytk.privacy.exact_tree import exact_tree
from theorytk.privacy.flat_histogram import flat_histogram
from theorytk.privacy.guarantees import PrivacyGuarantee
from theorytk.privacy.hat import hierarchical_hat
from theorytk.privacy.linear_mechanism import LinearMechanism
from theorytk.privacy.projections import (
    CLIP_FAILURE,
    projection_box,
    projection_deviation,
    random_directions,
)
from theorytk.privacy.squared_distance import squared_distance

__all__ = ["PrivateDistanceSum"]

METRICS = ("l1", "l2", "l2_squared", "lp_power")
METHODS: dict[str, Callable[..., LinearMechanism]] = {
    "hat": hierarchical_hat,
    "tree": dyadic_tree,
    "exact_tree": exact_tree,
    "flat": flat_histogram,
}
# Without a public size the grid has 2^16 cells.
DEFAULT_LEVELS = 16


class Interval(NamedTuple):
    """Ends of an interval per query, each of shape (q,)."""

    lower: Array
    upper: Array


class PrivateDistanceSum(PrivateEstimator):
    """Sums over private points of their distances from any query, with a privacy guarantee.

    ``fit`` releases noisy sums once; queries only process them and are unlimited. All results are
    sums over the points except those of `query_mean`.

    Parameters
    ----------
    metric : {"l1", "l2", "l2_squared", "lp_power"}
        Distance: sum_c |x_c - y_c|, Euclidean, Euclidean squared, or sum_c |x_c - y_c|^p.
    method : {"hat", "tree", "exact_tree", "flat"}
        One-dimensional mechanism, an equal share of the budget for each coordinate:
        `hierarchical_hat`, `dyadic_tree`, `exact_tree` or `flat_histogram`. For "l2_squared" it
        plays no part, "lp_power" needs "tree" or "flat".
    epsilon : float
        Privacy epsilon > 0, pure unless `delta` is positive.
    rho : float, optional
        zCDP > 0 by Gaussian noise, in place of `epsilon`.
    delta : float
        In [0, 1): if positive, the Gaussian noise that makes (epsilon, delta).
    alpha : float
        Relative bias in (0, 1) of the method "tree".
    ring_weights : {"outer", "geometric_mean"}
        Distance that stands for a ring of the method "tree".
    p : float
        Power >= 1 of "lp_power".
    projections : int
        Random projections, >= 1, through which "l2" goes.
    levels : int, optional
        The range of a coordinate is cut into 2^levels cells; by default log2 of the public size
        times epsilon, rounded up (of n sqrt(2 rho) for Gaussian noise).
    size_hint : int, optional
        Public guess of the number of points; the intervals of "l2" count on no more. With
        "replace" that number itself is public; otherwise and without a hint, levels is 16, and
        "l2" must have one.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.
    rng : int, numpy.random.Generator or None
        Random state of noise and directions; ``None`` is the entropy of the operating system. An
        integer gives every fit the same noise: for tests, never for private data.

    Attributes
    ----------
    guarantee_ : PrivacyGuarantee
        Of the latest fit; its sensitivity is in units of the noise scales.
    spent_ : PrivacyGuarantee
        Of all fits of this object together: each one releases anew.
    mechanisms_ : list of LinearMechanism
        What was released, for audits: ``contributions(x)``, ``scales``, ``with_scales``.
    directions_ : ndarray, shape (d, projections)
        The public random directions of "l2".

    References
    ----------
    Backurs, Lin, Mahabadi, Silwal, Tarnawski (ICLR 2024) for "tree", "l2" and the budget split;
    the other mechanisms name their own.

    Examples
    --------
    >>> points = np.random.default_rng(0).random((1000, 1))
    >>> sums = PrivateDistanceSum(epsilon=1.0, rng=0).fit(points, bounds=(0, 1))
    >>> sums.guarantee_
    <1-DP, neighbours 'add_remove', l1 sensitivity 1, discrete Laplace noise>
    >>> truth = np.abs(points - 0.25).sum()
    >>> interval = sums.interval([[0.25]], level=0.99)
    >>> bool(interval.lower[0] < truth < interval.upper[0])
    True
    """

    def __init__(
        self,
        *,
        metric: str = "l1",
        method: str = "hat",
        epsilon: float = 1.0,
        rho: float | None = None,
        delta: float = 0.0,
        alpha: float = 0.1,
        ring_weights: str = "outer",
        p: float = 2.0,
        projections: int = 200,
        levels: int | None = None,
        size_hint: int | None = None,
        neighbours: str = "add_remove",
        noise: str = "discrete",
        rng: Any = None,
    ) -> None:
        self.metric = metric
        self.method = method
        self.epsilon = epsilon
        self.rho = rho
        self.delta = delta
        self.alpha = alpha
        self.ring_weights = ring_weights
        self.p = p
        self.projections = projections
        self.levels = levels
        self.size_hint = size_hint
        self.neighbours = neighbours
        self.noise = noise
        self.rng = rng

    def fit(self, X: Any, *, bounds: Any = None, clip: bool = False) -> Self:
        """Release noisy sums of the points; every fit spends the budget again.

        Parameters
        ----------
        X : array_like, shape (n, d)
            Private points; n may be 0.
        bounds : array_like, shape (2,) or (2, d)
            Public box: lower and upper ends, for all coordinates or for each. Required.
        clip : bool
            Whether points outside are moved to the nearest point of the box; otherwise they are an
            error, which itself tells that they are outside.

        Returns
        -------
        PrivateDistanceSum
            This object.

        Raises
        ------
        ValueError
            If an argument is out of range, or X has NaN or points outside: before anything is
            spent.
        """
        check_choice("metric", self.metric, METRICS)
        check_choice("method", self.method, METHODS)
        if self.metric == "lp_power" and self.method not in ("tree", "flat"):
            raise ValueError(f"method must be 'tree' or 'flat' for 'lp_power'; got {self.method!r}")
        gaussian, amount = budget(self.epsilon, self.rho, self.delta)
        points, lower, upper = check_points(X, bounds, clip)
        rng = None if self.rng is None else as_generator(self.rng)
        size = len(points) if self.neighbours == "replace" else self.size_hint
        if size is not None:
            size = check_int("size_hint", size, lower=0)
        directions = None
        if self.metric == "l2":
            directions, lower, upper = self._project(lower, upper, size, rng)
            points = np.clip(points @ directions, lower, upper)
        width = upper - lower
        mechanism = self._mechanism(width, gaussian, amount, size)
        guarantee = PrivacyGuarantee(
            neighbours=self.neighbours,
            epsilon=None if self.rho is not None else self.epsilon,
            delta=self.delta,
            rho=amount if gaussian else None,
            sensitivity=math.sqrt(2 * amount) if gaussian else amount,
            norm="l2" if gaussian else "l1",
            noise=f"{self.noise} {'Gaussian' if gaussian else 'Laplace'}",
        )
        self._spend(guarantee)
        self._lower, self._width, self._dimension = lower, width, np.shape(X)[1]
        self._size = len(points) if self.neighbours == "replace" else None
        if directions is not None:
            self.directions_ = directions
        columns: list[int | slice] = (
            [slice(None)] if self.metric == "l2_squared" else list(range(len(width)))
        )
        unit = np.clip((points - lower) / width, 0, 1)
        factors = self._factors(width)
        parts = [
            Part(c, mechanism, f, mechanism.synthesise(mechanism.release(unit[:, c], rng)))
            for c, f in zip(columns, factors, strict=True)
        ]
        self._released = ReleasedSum(parts)
        self.mechanisms_ = [part.mechanism for part in parts]
        return self

    def query(self, Y: Any) -> Array:
        """Return the estimated sums of distances.

        Parameters
        ----------
        Y : array_like, shape (q, d)
            Queries; within the bounds for "lp_power", anywhere for other metrics.

        Returns
        -------
        ndarray, shape (q,)
        """
        y = self._unit(Y, "query")
        return self._released.answers(y)

    def query_mean(self, Y: Any) -> Array:
        """Return the estimated mean distances: `query` over `count`.

        Parameters
        ----------
        Y : array_like, shape (q, d)
            Queries as in `query`.

        Returns
        -------
        ndarray, shape (q,)
            NaN where the released number of points is not positive.
        """
        count = self.count()
        return self.query(Y) / (count if count > 0 else math.nan)

    def count(self) -> float:
        """Return the number of points: as released, or the public one with "replace"."""
        self._check_fitted("count")
        if self._size is not None:
            return float(self._size)
        return self._released.count()

    def noise_std(self, Y: Any) -> Array:
        """Return the standard deviation of the noise of each answer, which is no secret.

        Parameters
        ----------
        Y : array_like, shape (q, d)
            Queries as in `query`.

        Returns
        -------
        ndarray, shape (q,)
            Exact for integer Laplace noise; the randomness of projections is not part of it.
        """
        y = self._unit(Y, "noise_std")
        return self._released.noise_std(y)

    def interval(self, Y: Any, level: float = 0.95) -> Interval:
        """Return intervals that hold the true sums, each with probability at least `level`.

        They cover the noise by its law, the bias of the method and the rounding of points by their
        bounds, with an upper confidence bound for the number of points where that is private, and
        for "l2" the projections. Integer noise counts with the law of continuous noise of the same
        variance.

        Parameters
        ----------
        Y : array_like, shape (q, d)
            Queries as in `query`.
        level : float
            Coverage in (0, 1), below 1 - 1e-4 for "l2".

        Returns
        -------
        Interval
            Fields `lower` and `upper`, of shape (q,).
        """
        y = self._unit(Y, "interval")
        spare = 1 - check_real(
            "level", level, lower=0.0, upper=1.0, lower_open=True, upper_open=True
        )
        low, high = (1 + bias for bias in as_answering(self.mechanisms_[0]).relative_bias)
        if self.metric == "l2":
            if spare <= CLIP_FAILURE:
                raise ValueError(f"level must be < {1 - CLIP_FAILURE} for 'l2'; got {level}")
            spare = (spare - CLIP_FAILURE) / 2
            deviation = projection_deviation(self.projections, spare)
            low, high = low * max(1 - deviation, 0.0), high * (1 + deviation)
        count = self.count()
        if self._size is None:
            count = max(count + self._released.count_quantile(1 - spare / 10), 0.0)
            spare *= 0.9
        width = self._released.noise_quantile(y, 1 - spare)
        below, above = self._released.bias_per_point(y)
        answer = self._released.answers(y)
        lower = np.maximum(answer - width - count * above, 0) / high
        with np.errstate(divide="ignore", invalid="ignore"):
            upper = np.maximum(answer + width + count * below, 0) / low
        return Interval(lower, np.nan_to_num(upper, nan=np.inf, posinf=np.inf))

    def _project(
        self, lower: Array, upper: Array, size: int | None, rng: Any
    ) -> tuple[Array, Array, Array]:
        """Return the directions and the public box of the projections of the points."""
        if size is None:
            raise ValueError("size_hint must be given for 'l2': its box holds that many points")
        k = check_int("projections", self.projections, lower=1)
        directions = random_directions(len(lower), k, rng)
        half = projection_box(float(np.linalg.norm(upper - lower) / 2), max(size, 1), k)
        centre = (lower + upper) / 2 @ directions
        return directions, centre - half, centre + half

    def _mechanism(
        self, width: Array, gaussian: bool, amount: float, size: int | None
    ) -> LinearMechanism:
        """Return the mechanism of a coordinate, or of all of them for squared distances."""
        options: dict[str, Any] = dict(neighbours=self.neighbours, noise=self.noise)
        unit = "rho" if gaussian else "epsilon"
        if self.metric == "l2_squared":
            return squared_distance(width / 2, **options | {unit: amount})
        if self.method in ("tree", "flat"):
            options["power"] = self.p if self.metric == "lp_power" else 1.0
        if self.method == "tree":
            options.update(alpha=self.alpha, ring_weights=self.ring_weights)
        levels = self.levels
        if levels is None:
            strength = math.sqrt(2 * amount) if gaussian else amount
            cells = 2.0**DEFAULT_LEVELS if size is None else size * strength
            levels = min(max(math.ceil(math.log2(max(cells, 2.0))), 1), 26)
        return METHODS[self.method](levels, **options | {unit: amount / len(width)})

    def _factors(self, width: Array) -> list[float]:
        """Return how much the unit distance of each part is worth."""
        if self.metric == "l2_squared":
            return [1.0]
        return [float(each) for each in width ** (self.p if self.metric == "lp_power" else 1.0)]

    def _unit(self, Y: Any, method: str) -> Array:
        """Return the queries in units of the box of the released coordinates."""
        self._check_fitted(method)
        Y = check_array("Y", Y, shape=(None, self._dimension))
        if self.metric == "l2":
            Y = Y @ self.directions_
        y = (Y - self._lower) / self._width
        if self.metric == "lp_power" and ((y < 0) | (y > 1)).any():
            raise ValueError("Y must lie within bounds for 'lp_power'; got a query outside")
        return np.asarray(y)
