"""The Schur-Cohn test of many polynomials: numba only, no validation."""

from __future__ import annotations

from typing import Any

from numba import njit

__all__ = ["schur_stable"]


@njit(cache=True, nogil=True)
def schur_stable(rho: Any, sigma: Any, z: Any, work: Any, out: Any) -> None:
    """Write to out[i] whether all roots of rho - z[i] sigma lie in the open unit disc.

    Coefficients come highest power first, both of length n + 1; `work` is complex, (2, n + 1).
    Each pass lowers the degree by one: a polynomial p is stable if its last coefficient is smaller
    than its first and (p - k p*) / xi is stable, with p* its reversed conjugate and k their ratio.
    """
    n = rho.size - 1
    for i in range(z.size):
        a, b = work[0], work[1]
        for k in range(n + 1):
            a[k] = rho[k] - z[i] * sigma[k]
        out[i] = True
        for m in range(n, 0, -1):
            first, last = abs(a[0]), abs(a[m])
            if not last < first:
                out[i] = False
                break
            ratio = a[m] / a[0].conjugate()
            for k in range(m):
                b[k] = a[k] - ratio * a[m - k].conjugate()
            a, b = b, a
