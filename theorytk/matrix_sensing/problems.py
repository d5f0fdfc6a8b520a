"""What is given in matrix sensing: a low-rank truth and initial factors."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from theorytk._validation import as_generator, check_array, check_int, check_real

__all__ = ["Core", "init_factors", "init_symmetric_factor", "low_rank_matrix", "reduce_core"]

Array = NDArray[np.float64]


def low_rank_matrix(
    n1: int, n2: int | None = None, *, singular_values: Any, psd: bool = False, rng: Any = None
) -> Array:
    """Return a matrix with the given non-zero singular values and random singular vectors.

    Parameters
    ----------
    n1 : int
        Number of rows.
    n2 : int, optional
        Number of columns; `n1` if not given.
    singular_values : array_like, shape (r,)
        Positive singular values, in any order; r is the rank.
    psd : bool, default False
        Use the same vectors left and right, so that the matrix is positive semidefinite.
    rng : int, Generator or None
        Random state; the singular vectors are uniform (Haar).

    Returns
    -------
    ndarray, shape (n1, n2)

    Raises
    ------
    ValueError
        If the rank exceeds the shape, a singular value is not positive, or `psd` and n1 != n2.

    Examples
    --------
    >>> import numpy as np
    >>> M = low_rank_matrix(5, 4, singular_values=[2.0, 1.0], rng=0)
    >>> np.linalg.svd(M)[1].round(12)
    array([2., 1., 0., 0.])
    """
    n1 = check_int("n1", n1, lower=1)
    n2 = n1 if n2 is None else check_int("n2", n2, lower=1)
    s = check_array("singular_values", singular_values, shape=(None,))
    if not 1 <= len(s) <= min(n1, n2) or not (s > 0).all():
        raise ValueError(
            f"singular_values must be 1 to {min(n1, n2)} positive numbers; got {s.tolist()}"
        )
    if psd and n1 != n2:
        raise ValueError(f"psd=True needs n1 == n2; got n1 = {n1} and n2 = {n2}")
    generator = as_generator(rng)
    U = _orthonormal(generator, n1, len(s))
    if psd:
        M = (U * s) @ U.T
        return np.asarray((M + M.T) / 2)
    return np.asarray((U * s) @ _orthonormal(generator, n2, len(s)).T)


def init_factors(
    n1: int, n2: int, k: int, *, scale: float, ratio: float = 1 / 3, rng: Any = None
) -> tuple[Array, Array]:
    """Return Gaussian initial factors F0 of size `scale` and G0 of size ``scale * ratio``.

    The entries of F0 / scale are N(0, 1 / n1) and those of G0 / (scale * ratio) are N(0, 1 / n2),
    so that ``F0.T @ F0`` is near ``scale**2`` times the identity. Another normalisation rescales
    every rate that is proportional to the squared scale.

    Parameters
    ----------
    n1, n2 : int
        Rows of the left and of the right factor.
    k : int
        Number of columns of both.
    scale : float
        The scale alpha > 0 of F0.
    ratio : float, default 1/3
        Scale of G0 in units of that of F0, >= 0. The default is the paper's.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    F0 : ndarray, shape (n1, k)
    G0 : ndarray, shape (n2, k)

    References
    ----------
    Xiong, Ding, Du (ICLR 2024), asymmetric initialisation with scales alpha and alpha / 3.

    Examples
    --------
    >>> F0, G0 = init_factors(50, 40, 5, scale=0.1, rng=0)
    >>> F0.shape, G0.shape
    ((50, 5), (40, 5))
    """
    generator = as_generator(rng)
    F0 = init_symmetric_factor(n1, k, scale=scale, rng=generator)
    G0 = init_symmetric_factor(n2, k, scale=scale, rng=generator)
    return F0, check_real("ratio", ratio, lower=0.0) * G0


def init_symmetric_factor(n: int, k: int, *, scale: float, rng: Any = None) -> Array:
    """Return a Gaussian initial factor X0 with entries N(0, scale**2 / n).

    Parameters
    ----------
    n : int
        Rows.
    k : int
        Columns.
    scale : float
        The scale alpha > 0; ``X0.T @ X0`` is near ``scale**2`` times the identity.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray, shape (n, k)

    Examples
    --------
    >>> init_symmetric_factor(50, 5, scale=0.1, rng=0).shape
    (50, 5)
    """
    n, k = check_int("n", n, lower=1), check_int("k", k, lower=1)
    scale = check_real("scale", scale, lower=0.0, lower_open=True)
    return scale / math.sqrt(n) * as_generator(rng).standard_normal((n, k))


class Core(NamedTuple):
    """Factors in reduced coordinates: ``left @ F`` and ``right @ G`` are the full ones.

    Attributes
    ----------
    F, G : ndarray, shapes (p1, k) and (p2, k)
        Core factors; their first r rows are the signal, the others the noise.
    left, right : ndarray, shapes (n1, p1) and (n2, p2)
        Orthonormal bases. They stay fixed along population gradient descent.
    """

    F: Array
    G: Array
    left: Array
    right: Array


def reduce_core(F: Any, G: Any, U: Any, s: Any, V: Any) -> Core:
    """Reduce factors to the coordinates in which population gradient descent moves.

    With the truth ``U diag(s) V.T``, the rows of F orthogonal to U evolve by multiplication from
    the right alone, so an orthonormal basis of their column space stays fixed. In the core the
    truth is diag(s), padded with zeros, and errors keep their Frobenius norm.

    Parameters
    ----------
    F : array_like, shape (n1, k)
        Left factor.
    G : array_like, shape (n2, k)
        Right factor.
    U : array_like, shape (n1, r)
        Left singular vectors of the truth.
    s : array_like, shape (r,)
        Its non-zero singular values (signed eigenvalues if U is V).
    V : array_like, shape (n2, r)
        Right singular vectors.

    Returns
    -------
    Core
        With p1 = r + min(k, n1 - r) rows in F, and likewise in G.

    References
    ----------
    Derived here: F - step (F G^T - M) G has noise rows J_F (I - step G^T G).

    Examples
    --------
    >>> import numpy as np
    >>> F, G = init_factors(50, 50, 2, scale=0.1, rng=0)
    >>> U = np.eye(50, 3)
    >>> core = reduce_core(F, G, U, [1.0, 0.75, 0.5], U)
    >>> core.F.shape, np.allclose(core.left @ core.F, F)
    ((5, 2), True)
    """
    r = len(check_array("s", s, shape=(None,)))
    k = check_array("F", F, shape=(None, None)).shape[1]
    n1, n2 = len(check_array("U", U, shape=(None, r))), len(check_array("V", V, shape=(None, r)))
    F_core, left = _reduce(check_array("F", F, shape=(n1, k)), np.asarray(U, dtype=float))
    G_core, right = _reduce(check_array("G", G, shape=(n2, k)), np.asarray(V, dtype=float))
    return Core(F_core, G_core, left, right)


def _reduce(F: Array, U: Array) -> tuple[Array, Array]:
    """Return the core factor and the basis [U, Q] with Q R the noise part of F."""
    complement = np.linalg.qr(U, mode="complete")[0][:, U.shape[1] :]
    Q, R = np.linalg.qr(complement.T @ F)
    return np.vstack([U.T @ F, R]), np.hstack([U, complement @ Q])


def _orthonormal(rng: np.random.Generator, n: int, r: int) -> Array:
    """Return r uniform orthonormal columns; the sign makes the factor R's diagonal positive."""
    Q, R = np.linalg.qr(rng.standard_normal((n, r)))
    return np.asarray(Q * np.sign(np.diag(R)))
