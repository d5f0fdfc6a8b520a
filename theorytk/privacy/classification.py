"""Average similarity to each class: one private sum of features per class, and class counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_array, check_int, check_real
from theorytk.privacy._arguments import Array, check_positive, check_probability
from theorytk.privacy.linear_mechanism import LinearMechanism, is_replace, noise_scale
from theorytk.privacy.random_features import RandomFeatures, random_features

__all__ = ["ClassFeatures", "average_noise", "best_count_share", "class_features"]


@dataclass(frozen=True, eq=False)
class ClassFeatures(LinearMechanism):
    """Sums of random features and numbers of points, for each class; see `class_features`.

    A labelled point is a row of d coordinates and the index of its class.

    Attributes
    ----------
    features : RandomFeatures
        The waves, the same for all classes.
    n_classes : int
        Number of classes.
    """

    features: RandomFeatures = field(default_factory=lambda: random_features([[1.0]], epsilon=1.0))
    n_classes: int = 1

    @property
    def groups(self) -> tuple[str, ...]:
        """The features of all classes, and their counts if they are released."""
        return ("features", "counts")[: len(self.scales)]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """All waves for each class, class after class, then a count for each."""
        waves = self.n_classes * self.features.sizes[0]
        return np.array([waves, self.n_classes])[: len(self.scales)]

    @property
    def bits(self) -> NDArray[np.int64]:
        """Waves are rounded towards zero; counts are whole."""
        return np.array([self.features.bits[0], 0])[: len(self.scales)]

    def grid_points(self, x: Any) -> NDArray[Any]:
        """Return the labelled points as they are, checked."""
        x = check_array("x", x, shape=(None, len(self.features.frequencies) + 1))
        label = x[:, -1]
        if not np.isin(label, np.arange(self.n_classes)).all():
            raise ValueError(f"the last column of x must hold classes 0 to {self.n_classes - 1}")
        return np.asarray(x)

    def totals(self, points: NDArray[Any]) -> NDArray[np.int64]:
        """Return the sums of the waves of each class in grid steps, and the counts."""
        members = [points[points[:, -1] == c, :-1] for c in range(self.n_classes)]
        sums = [self.features.totals(np.ascontiguousarray(rows)) for rows in members]
        counts = [len(rows) for rows in members] if len(self.scales) == 2 else []
        return np.concatenate([*sums, np.array(counts, np.int64)])

    def synthesise(self, released: Array) -> Array:
        """Return what was released."""
        return released

    def similarities(self, table: Array, y: Array) -> Array:
        """Return the estimated mean kernel of each query with each class, shape (q, classes).

        A released count below 1 is taken as 1. Without released counts these are sums, not means.
        """
        waves, counts = np.split(table, [self.sizes[0]])
        sums = self.features.answers(waves.reshape(self.n_classes, -1).T, y)
        return np.asarray(sums / np.maximum(counts, 1.0)) if len(counts) else sums


def class_features(
    frequencies: Any,
    n_classes: int,
    *,
    epsilon: float | None = None,
    rho: float | None = None,
    count_share: float = 0.1,
    neighbours: str = "add_remove",
    noise: str = "discrete",
    rng: Any = None,
) -> ClassFeatures:
    """Return sums of random features and counts of classes with the noise of their budget.

    Parameters
    ----------
    frequencies : array_like, shape (d, n_features)
        Public frequencies, from `random_frequencies`.
    n_classes : int
        Number of classes, >= 1; which they are is public.
    epsilon : float, optional
        Pure privacy > 0 by Laplace noise.
    rho : float, optional
        zCDP > 0 by Gaussian noise, instead of `epsilon`.
    count_share : float
        Share in [0, 1) of the budget for the counts; with 0 they are not released. With "replace"
        and Gaussian noise they cost nothing, whatever the share.
    neighbours : {"add_remove", "replace"}
        Neighbouring relation; with "replace" a point may change its class.
    noise : {"discrete", "float"}
        Exact integer noise, or floating-point noise with a `PrivacyWarning`.
    rng : int, numpy.random.Generator or None
        Random state of the phases of the waves, which are public.

    Returns
    -------
    ClassFeatures

    Notes
    -----
    A point is in one class. Added or removed it changes the sums of this class only: each class
    has the noise that a single one would need, which is parallel composition. Replaced, it either
    stays in its class, whose waves change by up to twice their length while no count does; or it
    moves, and two classes change by one length each and two counts by 1. In the l_1 norm both
    changes of the waves are as large, and what the counts need comes on top: 2 for their own. In
    the squared l_2 norm the first is 4 and the second 2: with the whole rho for the first, moving
    leaves rho / 2, which counts with variance 2 / rho use up.

    References
    ----------
    Classification by average similarity: Backurs, Lin, Mahabadi, Silwal, Tarnawski (ICLR 2024),
    Section 11. Parallel composition: McSherry (SIGMOD 2009), Theorem 4. The noise for "replace" is
    derived here.

    Examples
    --------
    >>> w = np.ones((1, 100))
    >>> class_features(w, 3, rho=0.5, count_share=0.5).scales.round(6)
    array([1.414214, 1.414214])
    >>> class_features(w, 3, rho=0.5, neighbours="replace").scales.round(6)
    array([2., 2.])
    """
    share = check_real("count_share", count_share, lower=0.0, upper=1.0, upper_open=True)
    n_classes = check_int("n_classes", n_classes, lower=1)
    replace = is_replace(neighbours)
    free = replace and epsilon is None
    kept = 1.0 if free else 1 - share
    features = random_features(
        frequencies,
        epsilon=None if epsilon is None else kept * check_real("epsilon", epsilon),
        rho=None if rho is None else kept * check_real("rho", rho),
        neighbours=neighbours,
        noise=noise,
        rng=rng,
    )
    scales = features.scales
    if share > 0:
        spent, changed = 0.5 if free else share, 2.0 if replace else 1.0
        counts, _ = noise_scale(
            changed,
            None if epsilon is None else spent * epsilon,
            None if rho is None else spent * rho,
        )
        scales = np.append(scales, counts)
    return ClassFeatures(0, scales, features.kind, features.noise, features, n_classes)


def average_noise(mean: Any, size: Any, *, rho: float, count_share: float = 0.1) -> Array:
    """Return the standard deviation of an average similarity due to the noise of its release.

    Parameters
    ----------
    mean : array_like
        Mean kernel of a query with a class, >= 0.
    size : array_like
        Number of points of the class, > 0.
    rho : float
        zCDP > 0 of the release, for points that are added or removed.
    count_share : float
        Share in (0, 1) of it for the counts.

    Returns
    -------
    ndarray
        Equal to sqrt((1 / (1 - count_share) + mean^2 / count_share) / (2 rho)) / size, to first
        order in the noise of the count over the size.

    Notes
    -----
    A sum S + N over a count n + M is S / n + (N - M S / n) / n to first order, and N and M are
    independent with variances 1 / (2 rho (1 - count_share)) and 1 / (2 rho count_share).

    References
    ----------
    Derived here.

    Examples
    --------
    >>> round(float(average_noise(0.5, 100, rho=0.5, count_share=0.5)), 6)
    0.015811
    """
    mean, size = check_array("mean", mean), check_positive("size", size)
    share = check_probability("count_share", count_share)
    rho = check_real("rho", rho, lower=0.0, lower_open=True)
    return np.asarray(np.sqrt((1 / (1 - share) + mean**2 / share) / (2 * rho)) / size)


def best_count_share(mean: float) -> float:
    """Return the share of a zCDP budget for the counts that makes `average_noise` least.

    Parameters
    ----------
    mean : float
        Public guess > 0 of the mean kernel of a query with a class.

    Returns
    -------
    float
        Equal to mean / (1 + mean); the noise is then (1 + mean) / (sqrt(2 rho) size).

    References
    ----------
    Derived here.

    Examples
    --------
    >>> round(best_count_share(0.25), 6)
    0.2
    """
    mean = check_real("mean", mean, lower=0.0, lower_open=True)
    return mean / (1 + mean)
