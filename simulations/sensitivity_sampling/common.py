"""What the experiments on sensitivity sampling share: random matrices of many kinds."""

from __future__ import annotations

from theorytk.sensitivity.matrices import (
    coherent,
    flat_block,
    heavy_tailed,
    sparse_plus_low_rank,
    stacked_identity,
    vandermonde,
)

PAPER = "woodruff2023"
FULL_RANK = "columns independent: the rank is d"

FAMILIES = {
    "gaussian": lambda n, d, rng: rng.standard_normal((n, d)),
    "heavy-tailed": lambda n, d, rng: heavy_tailed(n, d, df=1, rng=rng),
    "coherent": lambda n, d, rng: coherent(n, d, rng=rng),
    "vandermonde": lambda n, d, rng: vandermonde(rng.uniform(-1, 1, n), d),
    "sparse-low-rank": lambda n, d, rng: sparse_plus_low_rank(n, d, rank=1, sparsity=1, rng=rng),
    "stacked": lambda n, d, rng: stacked_identity(d, n // d, 2),
    "flat": lambda n, d, rng: flat_block(d),
}


def random_matrix(rng):
    """Return the name of a family and a matrix of it, of 2 to 5 columns and at most 40 rows."""
    family = list(FAMILIES)[rng.integers(len(FAMILIES))]
    return family, FAMILIES[family](int(rng.integers(12, 41)), int(rng.integers(2, 6)), rng)
