"""Mechanisms whose released numbers and weights are indexed by one number per coordinate."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import check_array
from theorytk.privacy._arguments import Array, check_positive
from theorytk.privacy.answering import AnsweringMechanism
from theorytk.privacy.linear_mechanism import GRID_BITS

__all__ = ["MAX_NUMBERS", "TensorMechanism", "check_widths"]

MAX_NUMBERS = 10**7
# Noises of an answer that are listed one by one, the largest; and numbers handled at a time.
LISTED = 32
CHUNK = 2**22


@dataclass(frozen=True, eq=False)
class TensorMechanism(AnsweringMechanism):
    """A table of released numbers, whose weights in an answer are products over coordinates.

    Points are given in the unit cube.

    Attributes
    ----------
    widths : tuple of float, length d
        Widths of the box in units of the bandwidth.
    degree : int
        How many moments, or of which degree the polynomial is.
    """

    widths: tuple[float, ...] = (1.0,)
    degree: int = 1

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the table: how many indices each coordinate has."""

    @abstractmethod
    def coordinate_weights(self, y: Array, j: int) -> Array:
        """Return the factor of coordinate j in the weights, shape (q, shape[j])."""

    @property
    def groups(self) -> tuple[str, ...]:
        """All numbers have one scale."""
        return ("table",)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """All of them."""
        return np.array([math.prod(self.shape)])

    @property
    def bits(self) -> NDArray[np.int64]:
        """Each contribution is rounded towards zero."""
        return np.array([GRID_BITS])

    def grid_points(self, x: Any) -> NDArray[np.int64]:
        """Return points of the unit cube as whole multiples of 2^-32, rounded to nearest."""
        return super().grid_points(check_array("x", x, shape=(None, len(self.widths))))

    def synthesise(self, released: Array) -> Array:
        """Return the released table."""
        return released.reshape(self.shape)

    def answers(self, table: Array, y: Array) -> Array:
        """Return the sums of all numbers times their weights."""
        rows = max(1, CHUNK * self.shape[0] // table.size)
        parts = [self._contract(table, y[i : i + rows]) for i in range(0, len(y), rows)]
        return np.concatenate([np.empty(0), *parts])

    def noise_components(self, y: Array) -> tuple[Array, Array]:
        """Return the largest noises one by one, and the others as equal ones.

        These have their variance and their fourth cumulant. Gaussian noises are one.
        """
        squares = [weights**2 for weights in self._weights(y)]
        if self.kind == "gaussian":
            product = math.prod(square.sum(axis=1, keepdims=True) for square in squares)
            return self.variances[0] * np.asarray(product), np.ones((len(y), 1))
        shares = [_condensed([square[i] for square in squares]) for i in range(len(y))]
        variances, counts = np.array(shares).reshape(len(y), 2, -1).swapaxes(0, 1)
        return self.variances[0] * variances, counts

    def bias_per_point(self, y: Array) -> tuple[Array, Array]:
        """Return what rounding points and contributions does; no profile has a slope above 1."""
        weight = math.prod(np.abs(weights).sum(axis=1) for weights in self._weights(y))
        error = 2.0**-GRID_BITS * (np.asarray(weight) + sum(self.widths))
        return error, error

    def _weights(self, y: Array) -> list[Array]:
        return [self.coordinate_weights(y[:, j], j) for j in range(len(self.widths))]

    def _contract(self, table: Array, y: Array) -> Array:
        first, *others = self._weights(y)
        partial = first @ table.reshape(self.shape[0], -1)
        for weights in others:
            partial = np.einsum(
                "qi,qir->qr", weights, partial.reshape(len(y), weights.shape[1], -1)
            )
        return np.asarray(partial[:, 0])


def check_widths(widths: Any) -> tuple[float, ...]:
    """Return the widths of a box as a tuple of numbers > 0."""
    widths = check_positive("widths", widths)
    if widths.ndim != 1 or len(widths) == 0:
        raise ValueError(f"widths must have 1 dimension and an entry; got shape {widths.shape}")
    return tuple(widths.tolist())


def _condensed(factors: list[Array]) -> tuple[Array, Array]:
    """Return variances and counts of the largest products, and of the others as equal noises."""
    products = functools.reduce(np.multiply.outer, factors).ravel()
    if len(products) <= LISTED:
        return products, np.ones(len(products))
    products = np.partition(products, len(products) - LISTED)
    rest, listed = products[:-LISTED], products[-LISTED:]
    square = float(rest @ rest)
    count = float(rest.sum()) ** 2 / square if square > 0 else 1.0
    return np.append(listed, rest.sum()), np.append(np.ones(LISTED), count)
