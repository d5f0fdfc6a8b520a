"""The asymptotic rate of gradient descent at a limit, for any measurements."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import svdvals
from scipy.optimize import brentq

from theorytk._validation import check_array, check_int, check_real
from theorytk.matrix_sensing.iteration import iterates
from theorytk.matrix_sensing.operators import IdentitySensing
from theorytk.matrix_sensing.sensing import Array
from theorytk.matrix_sensing.theory import degrees_of_freedom

__all__ = ["LocalRate", "Prediction", "local_rate", "predict_iterations"]


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


@dataclass(frozen=True)
class Prediction:
    """A predicted number of iterations.

    Attributes
    ----------
    iterations : int
        Predicted iterations until the error is at most epsilon, the pilot run included.
    pilot : int
        Iterations that were really run.
    rate : float
        The eigenvalue lambda that decides: the error finally shrinks by 1 - step_size * lambda.
    """

    iterations: int
    pilot: int
    rate: float


def predict_iterations(
    operator: Any,
    truth: Any,
    F0: Any,
    G0: Any,
    *,
    step_size: float,
    epsilon: float,
    max_pilot: int = 100_000,
) -> Prediction:
    """Predict the iterations of gradient descent to an error of at most `epsilon`.

    A pilot run goes until the error is a tenth of the least curvature, min(lambda_k(F^T F),
    lambda_r(G^T G)); from there on the linearised dynamics are solved in closed form, with all
    their eigenvalues. The pilot does not depend on `epsilon`, and takes a few times 1 / (step *
    rate) iterations. For a rate before any iteration see
    :func:`theorytk.matrix_sensing.predictions.small_scale_rate`.

    Parameters
    ----------
    operator : SensingOperator
        The measurements A, at least as many as degrees of freedom.
    truth : array_like, shape (n1, n2)
        The matrix M, of rank r <= k.
    F0 : array_like, shape (n1, k)
        Initial left factor.
    G0 : array_like, shape (n2, k)
        Initial right factor.
    step_size : float
        The step eta > 0.
    epsilon : float
        Frobenius norm of the error aimed at, > 0.
    max_pilot : int, default 100000
        Limit of the pilot run.

    Returns
    -------
    Prediction

    Raises
    ------
    ValueError
        If the pilot run does not come near a limit with zero error.

    References
    ----------
    Derived here. It neglects terms of second order in error / curvature at the end of the pilot.

    Examples
    --------
    >>> from theorytk.matrix_sensing.operators import IdentitySensing
    >>> predict_iterations(
    ...     IdentitySensing(1), [[1.0]], [[0.9]], [[0.3]], step_size=0.1, epsilon=1e-9
    ... ).iterations
    94
    """
    epsilon = check_real("epsilon", epsilon, lower=0.0, lower_open=True)
    truth = check_array("truth", truth, shape=operator.shape)
    r = int(np.linalg.matrix_rank(truth))
    run = iterates(operator, truth=truth, F0=F0, G0=G0, step_size=step_size, max_iter=max_pilot)
    reached = None
    for pilot, F, G in run:
        error = float(np.linalg.norm(F @ G.T - truth))
        curvature = min(svdvals(F)[-1], svdvals(G)[r - 1]) ** 2
        if reached is None and error <= epsilon:
            reached = pilot
        if error <= 0.1 * curvature:
            steps, rate = _linear_steps(operator, truth, F, G, r, step_size, epsilon)
            return Prediction(pilot + steps if reached is None else reached, pilot, rate)
    raise ValueError(
        f"max_pilot = {max_pilot} iterations did not come near a limit: error {error:.3g} at "
        f"curvature {curvature:.3g}"
    )


def _linear_steps(
    operator: Any, truth: Array, F: Array, G: Array, r: int, step_size: float, epsilon: float
) -> tuple[int, float]:
    """Return the linearised iterations from (F, G) to `epsilon`, and the least eigenvalue."""
    n1, n2 = operator.shape
    d = degrees_of_freedom(n1, n2, r, F.shape[1])
    U, s, _ = np.linalg.svd(_jacobian(IdentitySensing(n1, n2), F, G))
    U, s = U[:, :d], s[:d]
    # E = U S x, and x moves by -step * S U' A*A U S x: symmetric in x.
    images = operator.apply(U.T.reshape(d, n1, n2)) * s[:, None]
    eigenvalues, V = np.linalg.eigh(images @ images.T)
    x = V.T @ (U.T @ (F @ G.T - truth).ravel() / s)
    modes = s[:, None] * V

    def excess(steps: float) -> float:
        damping = np.exp(steps * np.log1p(-step_size * eigenvalues))
        return math.log(float(np.linalg.norm(modes @ (damping * x))) / epsilon)

    if step_size * eigenvalues[-1] >= 1 or eigenvalues[0] <= 0:
        raise ValueError(
            f"step_size must be below 1 / {eigenvalues[-1]:.3g} with a positive least eigenvalue; "
            f"got {step_size:g} and {eigenvalues[0]:.3g}"
        )
    if excess(0.0) <= 0:
        return 0, float(eigenvalues[0])
    upper = 2.0
    while excess(upper) > 0:
        upper *= 2
    return math.ceil(brentq(excess, 0.0, upper)), float(eigenvalues[0])


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
