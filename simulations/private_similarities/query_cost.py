"""What a query costs: features against a tree of points, at the same relative error."""

from __future__ import annotations

import math

import numpy as np

from theorytk.experiments import Column, experiment, grid
from theorytk.privacy.exact_sums import kernel_sum

PAPER = "backurs2024similarities"


def tree_calls(points, queries, bandwidth, tolerance):
    """Return the distances per query that scikit-learn's tree computes; None without it."""
    try:
        from sklearn.neighbors import KernelDensity
    except ImportError:
        return None
    # Its kernel is exp(-r^2 / (2 h^2)).
    density = KernelDensity(bandwidth=bandwidth / math.sqrt(2), rtol=tolerance).fit(points)
    density.tree_.reset_n_calls()
    density.score_samples(queries)
    return density.tree_.get_n_calls() / len(queries)


@experiment(
    "private-similarities/query-cost",
    paper=PAPER,
    design=grid(bandwidth=[0.5, 0.02], n=[1000, 10_000, 100_000], d=2, tolerance=0.05, queries=30),
    paired=("bandwidth",),
    columns={
        "mean": Column("mean Gaussian kernel over points and queries"),
        "tree": Column("distances per query by scikit-learn's tree at this relative tolerance"),
        "features": Column("frequencies whose root mean square error is the tolerance"),
    },
    presets={"quick": dict(replicates=5), "paper": dict(replicates=20, n=[1000, 10_000, 10**6])},
    block=5,
)
def query_cost(*, bandwidth, n, d, tolerance, queries, rng):
    """Operations of one Gaussian kernel sum over n uniform points; noise plays no part."""
    x, y = rng.random((n, d)), rng.random((queries, d))
    mean = float(np.mean(kernel_sum("gaussian", x, y, bandwidth=bandwidth)) / n)
    # One frequency with cosine and sine has a variance of at most a half.
    features = 0.5 / (tolerance * mean) ** 2
    tree = tree_calls(x, y, bandwidth, tolerance)
    return {"mean": mean, "tree": tree, "features": features}
