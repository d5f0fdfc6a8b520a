"""The asymptotic rate of gradient descent at a limit, for any measurements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import svdvals

from theorytk._validation import check_array, check_int, check_real
from theorytk.matrix_sensing.operators import IdentitySensing
from theorytk.matrix_sensing.sensing import Array
from theorytk.matrix_sensing.theory import degrees_of_freedom

__all__ = ["LocalRate", "local_rate"]


@dataclass(frozen=True)
class LocalRate:
    """Curvature of the loss at a limit of asymmetric gradient descent.

    Attributes
    ----------
    rate : float
        The smallest non-zero eigenvalue lambda of the Gauss-Newton Hessian: the error shrinks by
        1 - step_size * lambda an iteration.
    n_nonzero : int
        The number of non-zero eigenvalues.
    spectrum : ndarray, shape (n_nonzero,)
        All of them, increasing.
    """

    rate: float
    n_nonzero: int
    spectrum: Array = field(repr=False)

    def contraction(self, step_size: float) -> float:
        """Return the asymptotic factor of the error per iteration, max |1 - step_size lambda|.

        Parameters
        ----------
        step_size : float
            The step eta > 0; below 2 / max(spectrum) for convergence.

        Returns
        -------
        float
        """
        step_size = check_real("step_size", step_size, lower=0.0, lower_open=True)
        return float(np.abs(1 - step_size * self.spectrum[[0, -1]]).max())


def local_rate(operator: Any, F: Any, G: Any, *, rank: int | None = None) -> LocalRate:
    """Return the exact asymptotic rate of gradient descent that converges to (F, G).

    Near the limit the error is E = J d with J(dF, dG) = dF G^T + F dG^T, and d moves by
    ``-step_size * J^T A*A J d``. In the population the non-zero eigenvalues of J^T J are those of
    E -> E G G^T + F F^T E, the sums of an eigenvalue of F F^T and one of G G^T.

    Parameters
    ----------
    operator : SensingOperator
        The measurements A.
    F : array_like, shape (n1, k)
        Left factor at (or very near) the limit.
    G : array_like, shape (n2, k)
        Right factor there.
    rank : int, optional
        Rank r of the product. With it, exactly ``degrees_of_freedom(n1, n2, r, k)`` eigenvalues
        (at most m) count as non-zero, as for F of rank k and G of rank r; without it, those above
        1e-8 times the largest.

    Returns
    -------
    LocalRate

    References
    ----------
    Derived here; the count for F of rank k and G of rank r is n1 r + n2 k - k r.

    Examples
    --------
    >>> from theorytk.matrix_sensing.operators import IdentitySensing
    >>> local_rate(IdentitySensing(2), [[2.0], [0.0]], [[1.0], [0.0]])
    LocalRate(rate=1.0, n_nonzero=3)
    """
    n1, n2 = operator.shape
    F = check_array("F", F, shape=(n1, None))
    G = check_array("G", G, shape=(n2, F.shape[1]))
    if isinstance(operator, IdentitySensing):
        spectrum = _population_spectrum(F, G)
    else:
        spectrum = np.sort(svdvals(_jacobian(operator, F, G)) ** 2)
    if rank is None:
        spectrum = spectrum[spectrum > 1e-8 * spectrum[-1]]
    else:
        rank = check_int("rank", rank, lower=1, upper=min(n1, n2, F.shape[1]))
        spectrum = spectrum[-degrees_of_freedom(n1, n2, rank, F.shape[1]) :]
    return LocalRate(float(spectrum[0]), len(spectrum), spectrum)


def _population_spectrum(F: Array, G: Array) -> Array:
    """Return the n1 n2 sums of an eigenvalue of F F^T and one of G G^T, increasing."""
    f, g = np.zeros(len(F)), np.zeros(len(G))
    f[: min(F.shape)] = svdvals(F) ** 2
    g[: min(G.shape)] = svdvals(G) ** 2
    return np.sort(np.add.outer(f, g), axis=None)


def _jacobian(operator: Any, F: Array, G: Array) -> Array:
    """Return the matrix of (dF, dG) -> A(dF G^T + F dG^T), shape (m, (n1 + n2) k)."""
    matrices = operator.matrix().reshape(-1, *operator.shape)
    left = matrices @ G
    right = matrices.transpose(0, 2, 1) @ F
    m = len(matrices)
    return np.hstack([left.reshape(m, -1), right.reshape(m, -1)])
