"""A scikit-learn estimator over factorised descent; needs the extra ``theorytk[sklearn]``."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.matrix_sensing.descent import DescentResult, OneStep, factorized_gd
from theorytk.matrix_sensing.isometry import isometry_lower_bound
from theorytk.matrix_sensing.operators import DenseSensing
from theorytk.matrix_sensing.problems import init_factors, init_symmetric_factor
from theorytk.matrix_sensing.sensing import Array, SensingOperator

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "MatrixSensing needs scikit-learn; install it with: pip install 'theorytk[sklearn]'"
    ) from error

__all__ = ["MatrixSensing"]

STRETCH_ITERATIONS = 20
MAX_HALVINGS = 30
# In the place of sigma_1 where A*(y) = 0: the start then is a minimiser, 0 for all that matters.
NEXT_TO_NOTHING = 1e-100


class MatrixSensing(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Linear regression whose coefficients form a matrix of low rank, by factorised descent.

    The model is ``y_i = <A_i, M> + noise`` with a matrix M of low rank and no intercept; a sample
    is a matrix A_i. Gradient descent from a small random start fits F G^T to M; more columns than
    the rank of M do no harm, since a small start prefers low rank.

    Parameters
    ----------
    n_components : int, default 2
        Columns of the factors, a bound on the rank of the coefficients. More than min(n1, n2) are
        the same as min(n1, n2).
    shape : tuple of int, optional
        (n1, n2), the shape of the coefficients. Without it that of the samples or, where these are
        rows of features, the factorisation of their number that is closest to a square.
    symmetric : bool, default False
        Fit a positive semidefinite X X^T instead of F G^T. With more columns than the rank it
        converges sublinearly: that is the curse of symmetry.
    scale : float, default 0.01
        Scale of F at the start, in units of the square root of the estimated sigma_1 of M.
    ratio : float, default 1/3
        Scale of G at the start in units of that of F.
    step_size : float or "auto", default "auto"
        The step of descent on ``sum((<A_i, F G^T> - y_i)**2) / (2 m)``; see Notes.
    max_iter : int, default 5000
        The largest number of iterations.
    tol : float, default 1e-6
        Stop once a gradient is at most `tol` times its bound at the start, the spectral norm of
        ``sum(y_i A_i) / m`` times the norm of the other factor. Checked about 20 times a decade.
    one_step : bool, default True
        Rescale the factors once during the descent (see `OneStep`), which makes the rate
        independent of `scale`. It has no meaning for ``symmetric=True``.
    rng : int, Generator or None
        Random state of the start.

    Attributes
    ----------
    coef_ : ndarray, shape (n1, n2)
        The matrix fitted, ``F_ @ G_.T``.
    F_, G_ : ndarray, shapes (n1, k) and (n2, k)
        Its factors.
    n_iter_ : int
        Number of iterations done.
    stop_reason_ : str
        ``"converged"`` or ``"max_iter"``.
    history_ : dict of ndarray
        As in `DescentResult`; the loss is half the mean squared residual (symmetric: a quarter).
    n_features_in_ : int
        n1 * n2.

    Notes
    -----
    The operators of this package divide by sqrt(m); here nothing is divided: predictions are
    <A_i, M>.

    The automatic step is half of the limit of stability, ``2 / (||F0||^2 + ||G0||^2 + 2 sigma_1)``
    for an isometry, divided by the largest stretch ``mean(<A_i, Z>**2)`` found among the Z of rank
    at most 2 k and unit norm. sigma_1 is estimated by the least-squares multiple of the leading
    singular pair of ``sum(y_i A_i) / m``. Should descent diverge, it starts again with half the
    step. Features should be centred and of like size, or the step is small and the rate low.

    The rescaling is to singular values sqrt(sigma_1) of F, which leaves that limit as it is for
    every condition number; sqrt(sigma_r) would lower it by the condition number.

    References
    ----------
    Xiong, Ding, Du (ICLR 2024), asymmetric descent and the modification of one step. The
    automatic choices are ours.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.matrix_sensing.problems import low_rank_matrix
    >>> from theorytk.matrix_sensing.sklearn import MatrixSensing
    >>> M = low_rank_matrix(6, 5, singular_values=[2.0, 1.0], rng=0)
    >>> A = np.random.default_rng(1).standard_normal((120, 6, 5))
    >>> model = MatrixSensing(n_components=2, rng=0).fit(A, np.einsum("ijk,jk->i", A, M))
    >>> model.stop_reason_, bool(np.abs(model.coef_ - M).max() < 1e-4)
    ('converged', True)
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        shape: tuple[int, int] | None = None,
        symmetric: bool = False,
        scale: float = 0.01,
        ratio: float = 1 / 3,
        step_size: float | str = "auto",
        max_iter: int = 5000,
        tol: float = 1e-6,
        one_step: bool = True,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.n_components = n_components
        self.shape = shape
        self.symmetric = symmetric
        self.scale = scale
        self.ratio = ratio
        self.step_size = step_size
        self.max_iter = max_iter
        self.tol = tol
        self.one_step = one_step
        self.rng = rng

    def fit(self, X: Any, y: Any) -> MatrixSensing:
        """Fit the coefficients.

        Parameters
        ----------
        X : array_like (m, n1 * n2), ndarray (m, n1, n2) or SensingOperator
            The samples A_i, as rows vec(A_i) (row by row), as matrices, or as an operator.
        y : array_like, shape (m,)
            The targets <A_i, M>, without a factor 1 / sqrt(m) for an operator too.

        Returns
        -------
        MatrixSensing
            The estimator itself.
        """
        operator, y = self._operator(X, y)
        y = y / math.sqrt(operator.m)
        result = self._descend(operator, y)
        if result.stop_reason == "diverged":
            raise ValueError(
                f"step_size={self.step_size!r} is too large: the descent diverged at iteration "
                f"{result.n_iter}; give a smaller one, or standardise the features"
            )
        self.stop_reason_ = "max_iter" if result.stop_reason == "max_iter" else "converged"
        if self.stop_reason_ == "max_iter":
            warnings.warn(
                f"the descent has not converged to tol={self.tol:g} after max_iter="
                f"{self.max_iter} iterations",
                ConvergenceWarning,
                stacklevel=2,
            )
        self.F_, self.G_, self.coef_ = result.F, result.G, result.F @ result.G.T
        self.n_iter_, self.history_ = result.n_iter, result.history
        return self

    def predict(self, X: Any) -> Array:
        """Return <A_i, coef_> for each sample.

        Parameters
        ----------
        X : array_like (m, n1 * n2), ndarray (m, n1, n2) or SensingOperator
            The samples, as in `fit`.

        Returns
        -------
        ndarray, shape (m,)
        """
        check_is_fitted(self)
        if _own_shape(X) not in (None, self.coef_.shape):
            raise ValueError(f"X must measure {self.coef_.shape} matrices; got {_own_shape(X)}")
        if isinstance(X, SensingOperator):
            return math.sqrt(X.m) * X.apply(self.coef_)
        X = validate_data(self, _as_rows(X), reset=False, dtype=np.float64)
        return np.asarray(X @ self.coef_.ravel())

    def _operator(self, X: Any, y: Any) -> tuple[SensingOperator, Array]:
        """Return the checked samples as an operator, and the checked targets."""
        own = _own_shape(X)
        if own is not None and self.shape is not None and tuple(self.shape) != own:
            raise ValueError(f"shape must be that of the samples, {own}; got {self.shape}")
        if isinstance(X, SensingOperator):
            self.n_features_in_ = math.prod(X.shape)
            return X, check_array("y", y, shape=(X.m,))
        X, y = validate_data(self, _as_rows(X), y, y_numeric=True, dtype=np.float64)
        shape = own or self.shape or _near_square(X.shape[1])
        n1, n2 = (check_int(f"shape[{i}]", n, lower=1) for i, n in enumerate(shape))
        if n1 * n2 != X.shape[1]:
            raise ValueError(f"shape must have {X.shape[1]} entries, one a feature; got {n1, n2}")
        # Then an iteration reads half as much, or less; forming the Gram matrix costs little.
        storage = "gram" if len(X) > X.shape[1] else None
        return DenseSensing(X.reshape(len(X), n1, n2), storage=storage), y

    def _descend(self, operator: SensingOperator, y: Array) -> DescentResult:
        """Run the descent on data in the units of the operator."""
        rng = as_generator(self.rng)
        sigma = _leading_singular_value(operator, y)
        F0, G0 = self._start(operator.shape, math.sqrt(sigma), rng)
        rescaling = OneStep(beta=math.sqrt(sigma)) if self.one_step and not self.symmetric else None
        automatic = self.step_size == "auto"
        step_size: Any = _stable_step(operator, sigma, F0, G0, rng) if automatic else self.step_size
        with warnings.catch_warnings():
            if automatic:
                # Its limit takes the operator for an isometry; the automatic step does not.
                warnings.filterwarnings("ignore", "step above the stability", RuntimeWarning)
            for _ in range(MAX_HALVINGS if automatic else 1):
                result = factorized_gd(
                    operator,
                    y,
                    F0=F0,
                    G0=G0,
                    step_size=step_size,
                    max_iter=self.max_iter,
                    one_step=rescaling,
                    callback=self._stop_rule(operator, y),
                )
                if result.stop_reason != "diverged":
                    break
                step_size /= 2
        return result

    def _start(
        self, shape: tuple[int, int], unit: float, rng: np.random.Generator
    ) -> tuple[Array, Array | None]:
        """Return the initial factors, in units of `unit`."""
        n1, n2 = shape
        k = min(check_int("n_components", self.n_components, lower=1), n1, n2)
        scale = unit * check_real("scale", self.scale, lower=0.0, lower_open=True)
        if not self.symmetric:
            return init_factors(n1, n2, k, scale=scale, ratio=self.ratio, rng=rng)
        if n1 != n2:
            raise ValueError(f"symmetric=True needs square matrices; got shape {shape}")
        return init_symmetric_factor(n1, k, scale=scale, rng=rng), None

    def _stop_rule(
        self, operator: SensingOperator, y: Array
    ) -> Callable[[int, Array, Array], bool]:
        """Return the callback that says whether both gradients are small enough."""
        tol = check_real("tol", self.tol, lower=0.0)
        limit = tol * (float(np.linalg.norm(operator.adjoint(y), 2)) or math.inf)

        def is_stationary(_: int, F: Array, G: Array) -> bool:
            grad_F, grad_G = operator.gradients(F, G, y)
            if self.symmetric:
                grad_F = grad_G = (grad_F + grad_G) / 2
            return bool(
                np.linalg.norm(grad_F) <= limit * np.linalg.norm(G)
                and np.linalg.norm(grad_G) <= limit * np.linalg.norm(F)
            )

        return is_stationary


def _leading_singular_value(operator: SensingOperator, y: Array) -> float:
    """Return the least-squares multiple of the leading singular pair of A*(y), never 0."""
    U, s, Vt = np.linalg.svd(operator.adjoint(y))
    stretch = float(np.sum(operator.apply(np.outer(U[:, 0], Vt[0])) ** 2))
    return float(s[0]) / stretch if s[0] > 0 else NEXT_TO_NOTHING


def _stable_step(
    operator: SensingOperator, sigma: float, F0: Array, G0: Array | None, rng: np.random.Generator
) -> float:
    """Return half of the limit of stability for this start and sigma_1, see `MatrixSensing`."""
    rank = min(2 * F0.shape[1], *operator.shape)
    bound = isometry_lower_bound(operator, rank, n_restarts=1, n_iter=STRETCH_ITERATIONS, rng=rng)
    sizes = sum(np.linalg.norm(X, 2) ** 2 for X in (F0, F0 if G0 is None else G0))
    return 1 / (bound.upper * float(sizes + 2 * sigma))


def _own_shape(X: Any) -> tuple[int, ...] | None:
    """Return the shape of samples that are matrices, or None for rows of features."""
    if isinstance(X, SensingOperator):
        return X.shape
    return X.shape[1:] if getattr(X, "ndim", 2) == 3 else None


def _as_rows(X: Any) -> Any:
    """Return samples that are matrices as rows, anything else as it is."""
    return X if _own_shape(X) is None else np.reshape(X, (len(X), -1))


def _near_square(size: int) -> tuple[int, int]:
    """Return n1 <= n2 with n1 n2 = size, as close to each other as can be."""
    n1 = next(n for n in range(math.isqrt(size), 0, -1) if size % n == 0)
    return n1, size // n1
