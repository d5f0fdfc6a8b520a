"""The certificate of an order of convergence: what was measured and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theorytk.inference import Estimate, Verdict

__all__ = ["OrderCertificate"]

Array = np.ndarray


@dataclass(frozen=True, repr=False)
class OrderCertificate:
    """The observed order of a sampler, with its interval and the verdict.

    Attributes
    ----------
    sampler : str
        Its name.
    order : Estimate
        The order, from the four finest grids; its interval is the whole line where nothing can
        be decided.
    level : float
        The error probability at which the verdict was taken.
    expected : int
        The order that is judged: the stated one, or the integer nearest to the observed order.
    stated : bool
        Whether it was stated.
    verdict : Verdict
        On "the order is within 1/4 of the expected one".
    n_steps : tuple of int
        The refined grids.
    errors : ndarray, shape (n_replicates, n_grids)
        Root mean square errors at the last time, each over a group of starting points.
    accuracy : float
        That of the reference or of the sampler, the worse; nothing is decided from errors below
        100 times this.
    """

    sampler: str
    order: Estimate
    level: float
    expected: int
    stated: bool
    verdict: Verdict
    n_steps: tuple[int, ...]
    errors: Array
    accuracy: float

    @property
    def local_orders(self) -> Array:
        """The order between each two grids, averaged over replicates."""
        orders: Array = -np.diff(np.log(self._mean_errors())) / np.diff(np.log(self.n_steps))
        return orders

    @property
    def finding(self) -> str:
        """What was found, ``"order 2"``, ``"not order 3"`` or ``"undecided"``."""
        if self.verdict == Verdict.SUPPORTED:
            return f"order {self.expected}"
        if self.verdict == Verdict.CONTRADICTED:
            return f"not order {self.expected}"
        return "undecided"

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the order, at the level of the verdict."""
        return self.order.interval(self.level)

    def summary(self) -> str:
        """Return the certificate as a table of text."""
        low, high = self.interval
        stated = f", stated order {self.expected} {self.verdict}" if self.stated else ""
        orders = ("", *(f"{p:.3f}" for p in self.local_orders))
        rows = zip(self.n_steps, self._mean_errors(), orders, strict=True)
        return "\n".join(
            [
                f"{self.sampler}: {self.finding}{stated}",
                f"observed order {self.order.value:.3f} in [{low:.3f}, {high:.3f}], error "
                f"probability {self.level:.1g}, {len(self.errors)} replicates",
                f"{'steps':>8}{'error':>12}{'local order':>14}",
                *(f"{n:>8}{error:>12.3e}{p:>14}" for n, error, p in rows),
                f"(geometric means over replicates; accuracy {self.accuracy:.1e})",
            ]
        )

    def _mean_errors(self) -> Array:
        means: Array = np.exp(np.log(np.maximum(self.errors, self.accuracy)).mean(axis=0))
        return means

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"OrderCertificate({self.sampler!r}: {self.finding}, observed "
            f"{self.order.value:.2f} in [{low:.2f}, {high:.2f}])"
        )
