"""Private sums of kernels: fit once, ask as often as you like."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real
from theorytk.privacy._arguments import Array, check_probability
from theorytk.privacy._estimator import PrivateEstimator, budget, check_points
from theorytk.privacy.distances import Interval
from theorytk.privacy.guarantees import NEIGHBOURS, PrivacyGuarantee
from theorytk.privacy.kernel_mechanisms import MECHANISMS, Problem, release_all
from theorytk.privacy.kernels import KERNELS
from theorytk.privacy.linear_mechanism import LinearMechanism, check_noise
from theorytk.privacy.random_features import released_count

__all__ = ["PrivateKernelSum"]


class PrivateKernelSum(PrivateEstimator):
    """Sums over private points of their kernels with any query, with a privacy guarantee.

    ``fit`` releases noisy sums once; queries only process them and are unlimited. With "gp" each
    new query releases a part of what ``fit`` has paid for, and the object keeps the points: it is
    as secret as they are. All results are sums over the points except those of `query_mean`.

    Parameters
    ----------
    kernel : {"gaussian", "exponential", "laplacian", "cauchy", "inverse"}
        exp(-r^2), exp(-r), exp(-r) of the l_1 distance, 1 / (1 + r^2) or 1 / (1 + r), with r the
        distance over the bandwidth, Euclidean except for "laplacian".
    bandwidth : float
        Distances are divided by it, > 0.
    mechanism : {"rff_laplace", "rff_gaussian", "expspline1d", "race", "fgt", "bernstein", "gp"}
        `random_features` with either noise; `exponential_spline` for one coordinate and the
        kernels "exponential", "laplacian" and "inverse"; `race` for "laplacian", and for one
        coordinate also "exponential" and "inverse"; `gauss_transform` for "gaussian"; `bernstein`
        and `gaussian_process` for every kernel. A budget with rho or delta is for Gaussian noise,
        which all but "rff_laplace" have and "rff_gaussian" and "gp" need.
    n_features : int
        Number of frequencies, >= 1, of random features, or of rows of hashed counters.
    target_dimension : int, optional
        Points go through a Gaussian map to this dimension, >= 1, before random features; not for
        "laplacian".
    levels : int, optional
        The range is cut into 2^levels cells by "expspline1d"; by default log2 of the product of
        public size, epsilon and range over bandwidth, rounded up (with sqrt(2 rho) for Gaussian
        noise).
    n_terms : int
        Exponentials, from 1 to 12, of which "expspline1d" makes "inverse".
    degree : int
        Moments per coordinate of "fgt", or degree of the polynomial of "bernstein"; >= 1.
    size_hint : int, optional
        Public guess >= 1 of the number of points. With "replace" that number itself is public;
        otherwise and without a hint, levels is 16.
    count_share : float
        Share in [0, 1) of the budget for the number of points, which `query_mean` and `interval`
        need; with "replace" it is public and nothing is spent.
    epsilon : float
        Privacy epsilon > 0, pure unless `delta` is positive.
    rho : float, optional
        zCDP > 0 by Gaussian noise, in place of `epsilon`.
    delta : float
        In [0, 1): if positive, the Gaussian noise that makes (epsilon, delta).
    neighbours : {"add_remove", "replace"}
        Neighbouring relation.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.
    rng : int, numpy.random.Generator or None
        Random state of noise, frequencies and maps; ``None`` is the entropy of the operating
        system. An integer gives every fit the same noise: for tests, never for private data.

    Attributes
    ----------
    guarantee_ : PrivacyGuarantee
        Of the latest fit; its sensitivity is in units of the noise scales.
    spent_ : PrivacyGuarantee
        Of all fits of this object together: each one releases anew.
    mechanisms_ : list of LinearMechanism
        What was released, the count last if it was, for audits: ``contributions(x)``, ``scales``,
        ``with_scales``.

    References
    ----------
    Backurs, Lin, Mahabadi, Silwal, Tarnawski (ICLR 2024) for maps and exponential sums; Wagner,
    Naamad, Mishra (ICML 2023) for "rff_laplace" and "fgt"; Coleman, Shrivastava (2020) for "race";
    Alda, Rubinstein (AAAI 2017) for "bernstein"; Hall, Rinaldo, Wasserman (JMLR 2013) for "gp";
    "rff_gaussian" and "expspline1d" are derived here.

    Examples
    --------
    >>> points = np.random.default_rng(0).random((1000, 1))
    >>> sums = PrivateKernelSum(kernel="exponential", mechanism="expspline1d", rng=0)
    >>> sums.fit(points, bounds=(0, 1)).guarantee_
    <1-DP, neighbours 'add_remove', l1 sensitivity 1, discrete Laplace noise>
    >>> truth = np.exp(-np.abs(points - 0.25)).sum()
    >>> interval = sums.interval([[0.25]], level=0.99)
    >>> bool(interval.lower[0] < truth < interval.upper[0])
    True
    """

    def __init__(
        self,
        *,
        kernel: str = "gaussian",
        bandwidth: float = 1.0,
        mechanism: str = "rff_laplace",
        n_features: int = 1000,
        target_dimension: int | None = None,
        levels: int | None = None,
        n_terms: int = 8,
        degree: int = 8,
        size_hint: int | None = None,
        count_share: float = 0.1,
        epsilon: float = 1.0,
        rho: float | None = None,
        delta: float = 0.0,
        neighbours: str = "add_remove",
        noise: str = "discrete",
        rng: Any = None,
    ) -> None:
        self.kernel = kernel
        self.bandwidth = bandwidth
        self.mechanism = mechanism
        self.n_features = n_features
        self.target_dimension = target_dimension
        self.levels = levels
        self.n_terms = n_terms
        self.degree = degree
        self.size_hint = size_hint
        self.count_share = count_share
        self.epsilon = epsilon
        self.rho = rho
        self.delta = delta
        self.neighbours = neighbours
        self.noise = noise
        self.rng = rng

    def fit(self, X: Any, *, bounds: Any = None, clip: bool = False) -> Self:
        """Release noisy sums of the points; every fit spends the budget again.

        Parameters
        ----------
        X : array_like, shape (n, d)
            Private points; n may be 0.
        bounds : array_like, shape (2,) or (2, d), optional
            Public box: lower and upper ends, for all coordinates or for each. Required by
            "expspline1d", "fgt" and "bernstein"; the others work everywhere.
        clip : bool
            Whether points outside given bounds are moved to the nearest point of the box;
            otherwise they are an error, which itself tells that they are outside.

        Returns
        -------
        PrivateKernelSum
            This object.

        Raises
        ------
        ValueError
            If an argument is out of range, or X has NaN or points outside: before anything is
            spent.
        """
        points, box = check_array("X", X, shape=(None, None)), None
        if bounds is not None:
            points, *ends = check_points(X, bounds, clip)
            box = (ends[0], ends[1])
        gaussian, amount = budget(self.epsilon, self.rho, self.delta)
        rng = None if self.rng is None else as_generator(self.rng)
        public = check_choice("neighbours", self.neighbours, NEIGHBOURS) == "replace"
        share = 0.0 if public else self._count_share()
        problem = Problem(
            kernel=check_choice("kernel", self.kernel, KERNELS),
            bandwidth=check_real("bandwidth", self.bandwidth, lower=0.0, lower_open=True),
            d=points.shape[1],
            box=box,
            size=len(points) if public else self._hint(),
            gaussian=gaussian,
            amount=(1 - share) * amount,
            neighbours=self.neighbours,
            noise=check_noise(self.noise),
            rng=rng,
            options=self.get_params(),
        )
        plan = MECHANISMS[check_choice("mechanism", self.mechanism, MECHANISMS)](problem)
        counting: dict[str, Any] = {"rho" if gaussian else "epsilon": share * amount}
        count = released_count(**counting, noise=self.noise) if share > 0 else None
        coordinates = plan.coordinates(points)
        self._spend(
            PrivacyGuarantee(
                neighbours=self.neighbours,
                epsilon=None if self.rho is not None else self.epsilon,
                delta=self.delta,
                rho=amount if gaussian else None,
                sensitivity=math.sqrt(2 * amount) if gaussian else amount,
                norm="l2" if gaussian else "l1",
                noise=f"{self.noise} {'Gaussian' if gaussian else 'Laplace'}",
            )
        )
        self._released = plan.release(coordinates, rng)
        self._counted = None if count is None else release_all([(count, 1.0)])(points, rng)
        self._plan, self._dimension = plan, points.shape[1]
        self._size = len(points) if public else None
        return self

    @property
    def mechanisms_(self) -> list[LinearMechanism]:
        """What has been released up to now, the count last."""
        self._check_fitted("mechanisms_")
        counted = [] if self._counted is None else self._counted.mechanisms
        return [*self._released.mechanisms, *counted]

    def query(self, Y: Any) -> Array:
        """Return the estimated sums of kernels.

        Parameters
        ----------
        Y : array_like, shape (q, d)
            Queries, anywhere; for "bernstein" within the bounds.

        Returns
        -------
        ndarray, shape (q,)
        """
        y = self._coordinates(Y, "query")
        return self._released.answers(y)

    def query_mean(self, Y: Any) -> Array:
        """Return the estimated mean kernels: `query` over `count`.

        Parameters
        ----------
        Y : array_like, shape (q, d)
            Queries, anywhere.

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
        if self._counted is None:
            raise ValueError("count_share must be > 0 for the number of points to be known; got 0")
        return self._counted.count()

    def noise_std(self, Y: Any) -> Array:
        """Return the standard deviation of the noise of each answer, which is no secret.

        Parameters
        ----------
        Y : array_like, shape (q, d)
            Queries, anywhere.

        Returns
        -------
        ndarray, shape (q,)
            The randomness of features and maps is not part of it.
        """
        y = self._coordinates(Y, "noise_std")
        return self._released.noise_std(y)

    def interval(self, Y: Any, level: float = 0.95) -> Interval:
        """Return intervals that hold the true sums, each with probability at least `level`.

        They cover the noise by its law, grid, rounding, features, hashes, maps and sums by their
        bounds, with an upper confidence bound for the number of points where that is private.
        Integer noise counts with the law of continuous noise of the same variance.

        Parameters
        ----------
        Y : array_like, shape (q, d)
            Queries, anywhere.
        level : float
            Coverage in (0, 1).

        Returns
        -------
        Interval
            Fields `lower` and `upper`, of shape (q,).
        """
        y = self._coordinates(Y, "interval")
        spare = 1 - check_probability("level", level)
        count = self.count()
        if self._counted is not None:
            count = max(count + self._counted.count_quantile(1 - spare / 10), 0.0)
            spare *= 0.9
        error = self._plan.error
        if self._plan.deviation is not None:
            spare /= 2
            error += self._plan.deviation(spare)
        width = self._released.noise_quantile(y, 1 - spare)
        below, above = self._released.bias_per_point(y)
        answer = self._released.answers(y)
        lower = np.maximum(answer - width - count * (above + error), 0)
        return Interval(lower, np.maximum(answer + width + count * (below + error), 0))

    def _count_share(self) -> float:
        return check_real("count_share", self.count_share, lower=0.0, upper=1.0, upper_open=True)

    def _hint(self) -> int | None:
        hint = self.size_hint
        return None if hint is None else check_int("size_hint", hint, lower=1)

    def _coordinates(self, Y: Any, method: str) -> Array:
        """Return the queries in the coordinates of the mechanisms, shape (q, coordinates)."""
        self._check_fitted(method)
        Y = check_array("Y", Y, shape=(None, self._dimension))
        return self._plan.coordinates(Y).reshape(len(Y), -1)
