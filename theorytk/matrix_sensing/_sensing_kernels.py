"""Kernels of the sensing operators: C-contiguous arrays in, arrays out, nothing is checked."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Sums may be taken in any order: without that a dot product is not vectorised.
_REASSOCIATE = {"reassoc", "contract", "nsz"}


@njit(cache=True, nogil=True, fastmath=_REASSOCIATE)
def normal_pass(rows, e):
    """Return ``rows.T @ (rows @ e)`` while reading `rows` from memory once.

    The products of the next four rows with `e` are taken in the same loop that adds up the
    previous four, which are still in cache; so the memory never waits for the arithmetic.
    """
    m, d = rows.shape
    zero = e.dtype.type(0)
    out = np.zeros(d, e.dtype)
    start = m % 4
    for i in range(start):
        s = zero
        for j in range(d):
            s += rows[i, j] * e[j]
        for j in range(d):
            out[j] += s * rows[i, j]
    if m < 4:
        return out
    s0 = s1 = s2 = s3 = zero
    p = start
    for i in range(start, m, 4):
        t0 = t1 = t2 = t3 = zero
        for j in range(d):
            x = e[j]
            t0 += rows[i, j] * x
            t1 += rows[i + 1, j] * x
            t2 += rows[i + 2, j] * x
            t3 += rows[i + 3, j] * x
            out[j] += (s0 * rows[p, j] + s1 * rows[p + 1, j]) + (
                s2 * rows[p + 2, j] + s3 * rows[p + 3, j]
            )
        s0, s1, s2, s3, p = t0, t1, t2, t3, i
    for j in range(d):
        out[j] += (s0 * rows[p, j] + s1 * rows[p + 1, j]) + (
            s2 * rows[p + 2, j] + s3 * rows[p + 3, j]
        )
    return out


@njit(cache=True, nogil=True)
def half_coordinates(matrices):
    """Return the orthonormal coordinates of sym(M), upper triangle by rows: (b, n, n) to (b, d)."""
    b, n, _ = matrices.shape
    out = np.empty((b, n * (n + 1) // 2), matrices.dtype)
    weight = matrices.dtype.type(math.sqrt(0.5))
    for q in range(b):
        p = 0
        for i in range(n):
            out[q, p] = matrices[q, i, i]
            p += 1
            for j in range(i + 1, n):
                out[q, p] = weight * (matrices[q, i, j] + matrices[q, j, i])
                p += 1
    return out


@njit(cache=True, nogil=True)
def from_half_coordinates(coordinates, n):
    """Return the symmetric matrices with the given coordinates: (b, d) to (b, n, n)."""
    b = coordinates.shape[0]
    out = np.empty((b, n, n), coordinates.dtype)
    weight = coordinates.dtype.type(math.sqrt(0.5))
    for q in range(b):
        p = 0
        for i in range(n):
            out[q, i, i] = coordinates[q, p]
            p += 1
            for j in range(i + 1, n):
                x = weight * coordinates[q, p]
                out[q, i, j] = x
                out[q, j, i] = x
                p += 1
    return out


@njit(cache=True, nogil=True)
def entry_sums(flat, z, size):
    """Return the arrays with ``z[:, i]`` added at ``flat[i]``: (b, m) to (b, size)."""
    out = np.zeros((z.shape[0], size))
    for q in range(z.shape[0]):
        for i in range(flat.shape[0]):
            out[q, flat[i]] += z[q, i]
    return out


@njit(cache=True, nogil=True)
def entry_products(rows, cols, F, G):
    """Return the sampled entries of ``F @ G.T``."""
    m, k = rows.shape[0], F.shape[1]
    out = np.empty(m)
    for i in range(m):
        r, c = rows[i], cols[i]
        s = 0.0
        for j in range(k):
            s += F[r, j] * G[c, j]
        out[i] = s
    return out


@njit(cache=True, nogil=True)
def entry_times(rows, cols, z, G, n1):
    """Return ``S @ G`` for the sparse matrix S with ``S[rows[i], cols[i]] += z[i]``."""
    k = G.shape[1]
    out = np.zeros((n1, k))
    for i in range(rows.shape[0]):
        r, c = rows[i], cols[i]
        for j in range(k):
            out[r, j] += z[i] * G[c, j]
    return out


@njit(cache=True, nogil=True, fastmath=_REASSOCIATE)
def entry_gradients(rows, cols, y, scale, F, G):
    """Return the gradients of ``sum((scale * (F @ G.T)[rows, cols] - y)**2) / 2`` in one pass."""
    k = F.shape[1]
    grad_f = np.zeros(F.shape)
    grad_g = np.zeros(G.shape)
    for i in range(rows.shape[0]):
        r, c = rows[i], cols[i]
        s = 0.0
        for j in range(k):
            s += F[r, j] * G[c, j]
        z = scale * (scale * s - y[i])
        for j in range(k):
            grad_f[r, j] += z * G[c, j]
        for j in range(k):
            grad_g[c, j] += z * F[r, j]
    return grad_f, grad_g
