"""Selection procedures on many data sets at once: the library's, and with the mistakes to catch."""

from __future__ import annotations

import numpy as np

from theorytk.conformal import bh, conformal_pvalues, storey_bh


def conservative(cal, test, rng):
    """(1 + L + T) / (n + 1)."""
    return conformal_pvalues(cal, test)


def randomised(cal, test, rng):
    """(L + U (1 + T)) / (n + 1) with a U for each point."""
    return conformal_pvalues(cal, test, tie="randomised", rng=rng)


def without_one(cal, test, rng):
    """(L + T) / n: the test point itself forgotten."""
    n = cal.shape[-1]
    return np.maximum(0, conformal_pvalues(cal, test) * (n + 1) - 1) / n


def strict(cal, test, rng):
    """(1 + L) / (n + 1): ties forgotten."""
    return conformal_pvalues(cal, np.nextafter(test, -np.inf))


def shared(cal, test, rng):
    """(L + U) / (n + 1) with one U for all points of a data set; scores without ties."""
    u = rng.random((*test.shape[:-1], 1))
    return conformal_pvalues(cal, test) - u / (cal.shape[-1] + 1)


def shared_by_batches(cal, test, rng):
    """(L + U) / (n + 1) with one U for each of two halves of the test points; no ties."""
    halves = np.arange(test.shape[-1]) * 2 // test.shape[-1]
    u = rng.random((*test.shape[:-1], 2))[..., halves]
    return conformal_pvalues(cal, test) - u / (cal.shape[-1] + 1)


def rows(rule, cal, test, rng):
    """Return p-values (sets, m); calibration sets of unequal sizes come as a list."""
    if isinstance(cal, np.ndarray):
        return rule(cal, test, rng)
    return np.stack([rule(c, t, rng) for c, t in zip(cal, test, strict=True)])


def bh_on(rule):
    """Return Benjamini-Hochberg on the p-values of a rule."""
    return lambda cal, test, q, rng: bh(rows(rule, cal, test, rng), q)


def storey(cal, test, q, rng):
    """Storey's procedure on conservative p-values."""
    return storey_bh(rows(conservative, cal, test, rng), q)


def storey_without_one(cal, test, q, rng):
    """Storey's procedure with #{p > 1/2} for 1 + #{p > 1/2}."""
    p = rows(conservative, cal, test, rng)
    above = (p > 0.5).sum(axis=1, keepdims=True)
    return bh(np.minimum(1, p * above / (p.shape[1] / 2)), q)


PVALUES = {
    "conservative": conservative,
    "randomised": randomised,
    "without-one": without_one,
    "strict": strict,
    "shared": shared,
    "shared-by-batches": shared_by_batches,
}
PROCEDURES = {
    **{name: bh_on(rule) for name, rule in PVALUES.items()},
    "storey": storey,
    "storey-without-one": storey_without_one,
}
