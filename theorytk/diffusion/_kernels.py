"""Linear combinations in one pass or, by coordinate, one per term: numba only, no validation.

`COMBINE[k](out, c, r0, ..., r{k-1})` writes the sum of c[j] r_j to `out` in one pass over the
memory. All arrays are contiguous with one shape and dtype; the sum runs from the left in that
dtype. `out` may be one of the terms.
"""

from __future__ import annotations

from typing import Any

from numba import njit

__all__ = ["COMBINE", "combine_rows"]


@njit(cache=True, nogil=True)
def _flat(a):
    return a.reshape(a.size)


@njit(cache=True, nogil=True)
def combine_1(out, c, r0):
    """Write c[0] r0 to out."""
    o, a0 = _flat(out), _flat(r0)
    c0 = out.dtype.type(c[0])
    for i in range(o.size):
        o[i] = c0 * a0[i]


@njit(cache=True, nogil=True)
def combine_2(out, c, r0, r1):
    """Write the sum of two terms to out."""
    o, a0, a1 = _flat(out), _flat(r0), _flat(r1)
    c0, c1 = out.dtype.type(c[0]), out.dtype.type(c[1])
    for i in range(o.size):
        o[i] = c0 * a0[i] + c1 * a1[i]


@njit(cache=True, nogil=True)
def combine_3(out, c, r0, r1, r2):
    """Write the sum of three terms to out."""
    o, a0, a1, a2 = _flat(out), _flat(r0), _flat(r1), _flat(r2)
    c0, c1, c2 = out.dtype.type(c[0]), out.dtype.type(c[1]), out.dtype.type(c[2])
    for i in range(o.size):
        o[i] = c0 * a0[i] + c1 * a1[i] + c2 * a2[i]


@njit(cache=True, nogil=True)
def combine_4(out, c, r0, r1, r2, r3):
    """Write the sum of four terms to out."""
    o, a0, a1, a2, a3 = _flat(out), _flat(r0), _flat(r1), _flat(r2), _flat(r3)
    c0, c1 = out.dtype.type(c[0]), out.dtype.type(c[1])
    c2, c3 = out.dtype.type(c[2]), out.dtype.type(c[3])
    for i in range(o.size):
        o[i] = c0 * a0[i] + c1 * a1[i] + c2 * a2[i] + c3 * a3[i]


@njit(cache=True, nogil=True)
def combine_5(out, c, r0, r1, r2, r3, r4):
    """Write the sum of five terms to out."""
    o, a0, a1, a2, a3, a4 = _flat(out), _flat(r0), _flat(r1), _flat(r2), _flat(r3), _flat(r4)
    c0, c1 = out.dtype.type(c[0]), out.dtype.type(c[1])
    c2, c3, c4 = out.dtype.type(c[2]), out.dtype.type(c[3]), out.dtype.type(c[4])
    for i in range(o.size):
        o[i] = c0 * a0[i] + c1 * a1[i] + c2 * a2[i] + c3 * a3[i] + c4 * a4[i]


@njit(cache=True, nogil=True)
def combine_rows(out, c, terms):
    """Write the sum of c[j] terms[j] to out, where c[j] has one number per coordinate."""
    rows = c.reshape(c.shape[0], -1)
    o = out.reshape(-1, rows.shape[1])
    for j in range(len(terms)):
        row, a = rows[j], terms[j].reshape(-1, rows.shape[1])
        for i in range(o.shape[0]):
            for k in range(o.shape[1]):
                if j == 0:
                    o[i, k] = row[k] * a[i, k]
                else:
                    o[i, k] += row[k] * a[i, k]


COMBINE: dict[int, Any] = {
    1: combine_1,
    2: combine_2,
    3: combine_3,
    4: combine_4,
    5: combine_5,
}
