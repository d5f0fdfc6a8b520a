"""What a release may be good for beyond itself: answers to queries, and the number of points.

A mechanism derives from the bases for what it can do, and has no methods for anything else.
"""

from __future__ import annotations

from abc import abstractmethod

from theorytk.privacy._arguments import Array
from theorytk.privacy.linear_mechanism import LinearMechanism

__all__ = ["AnsweringMechanism", "CountingMechanism", "as_answering", "as_counting"]


class AnsweringMechanism(LinearMechanism):
    """A mechanism from whose release sums are estimated at every query."""

    @property
    def relative_bias(self) -> tuple[float, float]:
        """Bounds of the relative bias of a noiseless answer."""
        return 0.0, 0.0

    @abstractmethod
    def answers(self, table: Array, y: Array) -> Array:
        """Return the estimated sums at y, shape (q,)."""

    @abstractmethod
    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return (variances, counts), each of shape (q, k): what the noise of an answer is made of.

        Entry (i, j) stands for that many equal noises of this total variance.
        """

    @abstractmethod
    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return how far below and above its share a point can lie in a noiseless answer."""


class CountingMechanism(LinearMechanism):
    """A mechanism from whose release the number of points is estimated."""

    @abstractmethod
    def count(self, table: Array) -> float:
        """Return the released number of points."""

    @property
    @abstractmethod
    def count_components(self) -> tuple[Array, Array]:
        """Variances and counts, each of shape (1, k), of the noise of `count`."""


def as_answering(mechanism: object) -> AnsweringMechanism:
    """Return the mechanism, or raise TypeError if it answers no queries."""
    if isinstance(mechanism, AnsweringMechanism):
        return mechanism
    raise TypeError(
        "mechanism must answer queries, as an AnsweringMechanism does; got "
        f"{type(mechanism).__name__}"
    )


def as_counting(mechanism: object) -> CountingMechanism:
    """Return the mechanism, or raise TypeError if it releases no number of points."""
    if isinstance(mechanism, CountingMechanism):
        return mechanism
    raise TypeError(
        "mechanism must release the number of points, as a CountingMechanism does; got "
        f"{type(mechanism).__name__}"
    )
