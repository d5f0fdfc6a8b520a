"""Matrices whose sensitivities are known, or that separate the ways to sample rows."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import scipy.linalg

from theorytk._validation import as_generator, check_array, check_choice, check_int, check_real
from theorytk.sensitivity._linalg import Array, check_exponent

__all__ = [
    "coherent",
    "flat_block",
    "hadamard_block",
    "heavy_tailed",
    "lower_bound_instance",
    "polynomial_features",
    "sparse_plus_low_rank",
    "stacked_identity",
    "vandermonde",
]

BASES = {
    "monomial": np.polynomial.polynomial.polyvander,
    "chebyshev": np.polynomial.chebyshev.chebvander,
    "legendre": np.polynomial.legendre.legvander,
}


def stacked_identity(d: int, n_copies: int, p: float) -> Array:
    """Return `n_copies` identities above each other, scaled to ||Ax||_p = ||x||_p.

    Every sensitivity and Lewis weight is 1 / n_copies, the total d, for every p.

    Parameters
    ----------
    d : int
        Columns, >= 1.
    n_copies : int
        Copies, >= 1.
    p : float
        The exponent, >= 1; entries are n_copies^(-1/p).

    Returns
    -------
    ndarray, shape (n_copies * d, d)

    References
    ----------
    Woodruff, Yasuda (ICML 2023), the case of the smallest total for p >= 2.

    Examples
    --------
    >>> stacked_identity(1, 4, 2.0).ravel()
    array([0.5, 0.5, 0.5, 0.5])
    """
    d, n_copies = check_int("d", d, lower=1), check_int("n_copies", n_copies, lower=1)
    return np.tile(np.eye(d) * n_copies ** (-1 / check_exponent(p)), (n_copies, 1))


def flat_block(d: int) -> Array:
    """Return all sign rows of length d that begin with +1: the cube, one row of each +- pair.

    All rows have one score; the total is `theorytk.sensitivity.matrix_laws.flat_block_total`.

    Parameters
    ----------
    d : int
        Columns, 1 to 20.

    Returns
    -------
    ndarray, shape (2^(d - 1), d)

    References
    ----------
    A matrix of total of order d^(p/2), the extreme of Woodruff, Yasuda (ICML 2023).

    Examples
    --------
    >>> flat_block(2)
    array([[ 1.,  1.],
           [ 1., -1.]])
    """
    d = check_int("d", d, lower=1, upper=20)
    return np.array([(1.0, *signs) for signs in itertools.product((1.0, -1.0), repeat=d - 1)])


def hadamard_block(d: int, n: int, *, rng: int | np.random.Generator | None = None) -> Array:
    """Return d random columns of the Sylvester-Hadamard matrix of order n.

    All rows have exactly one score, for they are the orbit of one under sign changes of columns
    that map the set of rows to itself; the total, near
    `theorytk.sensitivity.matrix_laws.flat_block_total_limit`, is n times that score.

    Parameters
    ----------
    d : int
        Columns, 1 to n.
    n : int
        Rows, a power of two.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray, shape (n, d)

    References
    ----------
    Derived here, as a flat block for more columns than `flat_block` can have.

    Examples
    --------
    >>> abs(hadamard_block(3, 8, rng=0)).min()
    np.float64(1.0)
    """
    n = check_int("n", n, lower=1)
    if n & (n - 1):
        raise ValueError(f"n must be a power of two; got {n}")
    d = check_int("d", d, lower=1, upper=n)
    columns = as_generator(rng).choice(n, size=d, replace=False)
    parity = np.bitwise_count(np.arange(n)[:, None] & columns) % 2
    return np.asarray(1.0 - 2.0 * parity)


def lower_bound_instance(
    d: int, n_flat: int, n_copies: int, p: float, *, rng: int | np.random.Generator | None = None
) -> Array:
    """Return blockdiag(Hadamard block, stacked identity), hard for plain sensitivities if p < 2.

    The rank is 2 d and the total that of the Hadamard block, of order d^(p/2), plus d. The first
    block needs d rows of the sample but gets only its small share of it: see
    `theorytk.sensitivity.matrix_laws.rank_loss_probability`.

    Parameters
    ----------
    d : int
        Columns of each block.
    n_flat : int
        Rows of the Hadamard block, a power of two.
    n_copies : int
        Copies in the stacked identity.
    p : float
        The exponent, >= 1.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray, shape (n_flat + n_copies * d, 2 * d)
        The first `n_flat` rows are the Hadamard block.

    References
    ----------
    Derived here; in accordance with the lower bound d^(1 - p/2) S of Munteanu, Omlor (ICML 2024).

    Examples
    --------
    >>> lower_bound_instance(4, 16, 3, 1.0, rng=0).shape
    (28, 8)
    """
    flat = hadamard_block(d, n_flat, rng=rng)
    return np.asarray(scipy.linalg.block_diag(flat, stacked_identity(d, n_copies, p)))


def vandermonde(nodes: Any, d: int, *, basis: str = "chebyshev") -> Array:
    """Return the values of d polynomials of degrees 0 to d - 1 at nodes.

    The total is at most `theorytk.sensitivity.matrix_laws.vandermonde_total_bound`.

    Parameters
    ----------
    nodes : array_like, shape (n,)
        The nodes, in [-1, 1] for a well-conditioned matrix.
    d : int
        Columns, >= 1.
    basis : {"chebyshev", "legendre", "monomial"}, default "chebyshev"
        The polynomials; scores do not depend on it, rounding does.

    Returns
    -------
    ndarray, shape (n, d)

    References
    ----------
    Woodruff, Yasuda (ICML 2023), structured matrices.

    Examples
    --------
    >>> vandermonde([0.0, 2.0], 3, basis="monomial")
    array([[1., 0., 0.],
           [1., 2., 4.]])
    """
    nodes = check_array("nodes", nodes, shape=(None,))
    return BASES[check_choice("basis", basis, BASES)](nodes, check_int("d", d, lower=1) - 1)


def polynomial_features(X: Any, degree: int) -> Array:
    """Return all monomials of at most this degree in the columns of X, by degree.

    The total is at most `theorytk.sensitivity.matrix_laws.polynomial_features_total_bound`.

    Parameters
    ----------
    X : array_like, shape (n, v)
        The variables.
    degree : int
        The degree g >= 0.

    Returns
    -------
    ndarray, shape (n, binom(v + g, g))

    References
    ----------
    Woodruff, Yasuda (ICML 2023), structured matrices.

    Examples
    --------
    >>> polynomial_features([[2.0, 3.0]], 2)
    array([[1., 2., 3., 4., 6., 9.]])
    """
    X = check_array("X", X, shape=(None, None))
    degrees = range(check_int("degree", degree, lower=0) + 1)
    columns = [
        np.prod(X[:, list(chosen)], axis=1)
        for g in degrees
        for chosen in itertools.combinations_with_replacement(range(X.shape[1]), g)
    ]
    return np.column_stack(columns)


def sparse_plus_low_rank(
    n: int, d: int, *, rank: int, sparsity: int, rng: int | np.random.Generator | None = None
) -> Array:
    """Return a Gaussian matrix of this rank plus Gaussian entries at random columns of each row.

    The total is at most `theorytk.sensitivity.matrix_laws.sparse_low_rank_total_bound`.

    Parameters
    ----------
    n, d : int
        Rows and columns.
    rank : int
        Rank of the one summand, 0 to d.
    sparsity : int
        Non-zeros in each row of the other, 0 to d.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray, shape (n, d)

    References
    ----------
    Woodruff, Yasuda (ICML 2023), structured matrices.

    Examples
    --------
    >>> sparse_plus_low_rank(5, 4, rank=0, sparsity=1, rng=0).astype(bool).sum(axis=1)
    array([1, 1, 1, 1, 1])
    """
    n, d = check_int("n", n, lower=1), check_int("d", d, lower=1)
    rank = check_int("rank", rank, lower=0, upper=d)
    sparsity = check_int("sparsity", sparsity, lower=0, upper=d)
    rng = as_generator(rng)
    A = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d))
    columns = rng.permuted(np.tile(np.arange(d), (n, 1)), axis=1)[:, :sparsity]
    A[np.arange(n)[:, None], columns] += rng.standard_normal((n, sparsity))
    return A


def coherent(n: int, d: int, *, rng: int | np.random.Generator | None = None) -> Array:
    """Return a Gaussian matrix whose last column is zero but for a 1 in the first row.

    That row has every score 1, so the total is 1 plus that of the others: a uniform sample of rate
    q misses it, and loses a rank, with probability 1 - q.

    Parameters
    ----------
    n, d : int
        Rows and columns.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray, shape (n, d)

    References
    ----------
    The standard example against uniform sampling, Drineas, Mahoney (2016).

    Examples
    --------
    >>> coherent(4, 2, rng=0)[:, 1]
    array([1., 0., 0., 0.])
    """
    n, d = check_int("n", n, lower=1), check_int("d", d, lower=1)
    A = as_generator(rng).standard_normal((n, d))
    A[:, -1] = 0
    A[0, -1] = 1
    return A


def heavy_tailed(
    n: int, d: int, *, df: float = 2.0, rng: int | np.random.Generator | None = None
) -> Array:
    """Return independent Student t entries; a few rows carry most of every norm.

    Of the total only `theorytk.sensitivity.theory.total_sensitivity_range` is known.

    Parameters
    ----------
    n, d : int
        Rows and columns.
    df : float, default 2
        Degrees of freedom > 0; 1 is Cauchy.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    ndarray, shape (n, d)

    References
    ----------
    A customary test matrix of row sampling, Ma, Mahoney, Yu (JMLR 2015).

    Examples
    --------
    >>> heavy_tailed(5, 2, rng=0).shape
    (5, 2)
    """
    n, d = check_int("n", n, lower=1), check_int("d", d, lower=1)
    df = check_real("df", df, lower=0.0, lower_open=True)
    return as_generator(rng).standard_t(df, size=(n, d))
