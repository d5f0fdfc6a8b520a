"""When a sample counts as a hallucination."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from theorytk._validation import check_array, check_choice, check_real
from theorytk.diffusion.hallucination.mixtures import common_sigma
from theorytk.diffusion.targets import MixtureTarget

__all__ = ["HallucinationRule"]

Array = np.ndarray

SAME = 1e-9  # relative difference of distances that are equal


@dataclass(frozen=True)
class HallucinationRule:
    """A point is a hallucination if it is farther than k standard deviations from every mode.

    Neighbouring modes closer than 2 k standard deviations overlap: there is no gap between them,
    and no point between them is ever called a hallucination. Then a warning is given and
    `empty_gap` is true: a rate of zero would say nothing.

    Parameters
    ----------
    target : MixtureTarget
        The law of the data; its modes have one covariance, sigma^2 I.
    k : float
        Standard deviations, > 0. The paper's own threshold is not published.
    norm : {"euclidean", "max"}
        How distances are measured. With ``"max"`` a point of a product grid is a hallucination if
        and only if one of its coordinates is.
    between : bool
        Whether points outside the range of the modes do not count; in one dimension only.

    Raises
    ------
    ValueError
        If modes coincide, or an argument is not as above.

    References
    ----------
    Aithal et al. (2024), definition of an epsilon-hallucination: the density is at most epsilon.
    The rule implies it with the :attr:`epsilon` below, derived here.

    Examples
    --------
    >>> from theorytk.diffusion.hallucination.mixtures import three_in_a_row
    >>> rule = HallucinationRule(three_in_a_row(), between=True)
    >>> rule(np.array([[0.5], [1.2], [1.5], [2.9]]))
    array([False, False,  True, False])
    >>> rule.gaps
    array([[1.3, 1.7],
           [2.3, 2.7]])
    """

    target: MixtureTarget
    k: float = 6.0
    norm: str = "euclidean"
    between: bool = False

    def __post_init__(self) -> None:
        common_sigma(self.target)
        check_real("k", self.k, lower=0.0, lower_open=True)
        check_choice("norm", self.norm, ("euclidean", "max"))
        if self.between and self.target.dimension != 1:
            raise ValueError(f"between needs dimension 1; got {self.target.dimension}")
        if self.spacing == 0:
            raise ValueError("target's modes must be distinct")
        if self.empty_gap:
            warnings.warn(
                f"modes at distance {self.spacing:g} <= {2 * self.radius:g} = 2 k sigma overlap: "
                "no point between them is a hallucination",
                stacklevel=3,
            )

    @property
    def radius(self) -> float:
        """The distance k sigma."""
        return self.k * common_sigma(self.target)

    @cached_property
    def spacing(self) -> float:
        """The least distance of two modes, inf for one mode."""
        if len(self.target.law.means) == 1:
            return math.inf
        distances, _ = self._tree.query(self.target.law.means, k=2, p=self._p)
        return float(np.asarray(distances)[:, 1].min())

    @property
    def empty_gap(self) -> bool:
        """Whether the gap between some neighbouring modes is empty."""
        return self.spacing <= 2 * self.radius

    @property
    def epsilon(self) -> float:
        """A bound on the density at hallucinations, (2 pi sigma^2)^(-d/2) exp(-k^2 / 2).

        Each component is at most this there, and so is their average.
        """
        d = self.target.dimension
        volume = math.sqrt(2 * math.pi) * common_sigma(self.target)
        return math.exp(-0.5 * self.k**2) * volume**-d

    @property
    def gaps(self) -> Array:
        """The gaps that are not empty, from one interval to the next, (m, 2); dimension 1 only."""
        if self.target.dimension != 1:
            raise ValueError(f"gaps need dimension 1; got {self.target.dimension}")
        means = np.sort(self.target.law.means[:, 0])
        ends = np.stack([means[:-1] + self.radius, means[1:] - self.radius], axis=1)
        return np.asarray(ends[ends[:, 0] < ends[:, 1]])

    def __call__(self, x: Any) -> Array:
        """Return which of the points (n, d) are hallucinations, (n,)."""
        x = check_array("x", x, shape=(None, self.target.dimension))
        distances, _ = self._tree.query(x, p=self._p)
        far = distances > self.radius
        if self.between:
            means = self.target.law.means
            far &= (x[:, 0] > means.min()) & (x[:, 0] < means.max())
        return np.asarray(far)

    def near_segment(self, x: Any, stretch: float = 1.0) -> Array:
        """Return which of the points (n, d) are near the segment between two modes, (n,).

        Near is within k standard deviations, in Euclidean distance. The two modes are `stretch`
        times the least spacing apart: by default nearest neighbours, and sqrt(2) gives the
        diagonals of a square grid. Without such modes no point is near.
        """
        x = check_array("x", x, shape=(None, self.target.dimension))
        stretch = check_real("stretch", stretch, lower=1.0)
        means = self.target.law.means
        first, second = np.triu_indices(len(means), 1)
        lengths = np.linalg.norm(means[second] - means[first], axis=1)
        least = lengths.min(initial=np.inf)
        chosen = np.abs(lengths - stretch * least) < SAME * least
        near = np.zeros(len(x), dtype=bool)
        for start, end in zip(means[first[chosen]], means[second[chosen]], strict=True):
            along = np.clip((x - start) @ (end - start) / np.sum((end - start) ** 2), 0.0, 1.0)
            foot = start + along[:, None] * (end - start)
            near |= np.linalg.norm(x - foot, axis=1) <= self.radius
        return near

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.target.law.means)

    @property
    def _p(self) -> float:
        return math.inf if self.norm == "max" else 2.0
