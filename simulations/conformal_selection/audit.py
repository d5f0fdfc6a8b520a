"""Is a score function exchangeable? Swaps find out exactly, ranks of null points statistically."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from theorytk.claims import Control, claim
from theorytk.conformal import (
    ColumnsLearner,
    KernelRidgeLearner,
    KNNLearner,
    Learner,
    RidgeLearner,
    ScaledLearner,
    audit_exchangeability,
    full_scores,
    null_rank_test,
    regression_data,
)
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, distribution_distance_estimate, exact_estimate

from .common import EXCHANGEABLE, PAPER
from .full import SCORES, scored
from .selections import CLIPPED, SYMMETRIC, several


@dataclass(frozen=True)
class RowBootstrap:
    """The mistake: a bag of fits whose seed is fixed, so that rows are drawn by their position."""

    learner: Learner
    bags: int = 5

    def predict(self, X, y, X_new, sample_weight=None):
        """Return the mean prediction of fits to rows drawn with replacement."""
        drawn = np.random.default_rng(0).integers(len(X), size=(self.bags, len(X)))
        fits = [self.learner.predict(X[i], y[i], X_new, sample_weight[i]) for i in drawn]
        return np.mean(fits, axis=0)


LEARNERS = {
    "ridge": RidgeLearner((0.1, 1.0, 10.0)),
    "kernel ridge": KernelRidgeLearner(penalty=(0.1, 1.0)),
    "neighbours": KNNLearner(5),
    "scaled": ScaledLearner(RidgeLearner(), KernelRidgeLearner()),
    "some columns": ColumnsLearner(KernelRidgeLearner(), (0, 2)),
}


def by(learner, loo):
    """Return the scores of OptCS-Full by a learner."""
    return lambda X, y, X_test: full_scores(X, y, X_test, learner, loo=loo)


FUNCTIONS = {
    **{f"{name}, loo": by(learner, True) for name, learner in LEARNERS.items()},
    **{f"{name}, in-sample": by(learner, False) for name, learner in LEARNERS.items()},
    "row bootstrap": by(RowBootstrap(RidgeLearner()), False),
    **{name: partial(scored, name, fresh=None) for name in SCORES},
}
SYMMETRIC_ONES = tuple(f"{name}, {fit}" for name in LEARNERS for fit in ("loo", "in-sample"))


@experiment(
    "conformal-selection/swaps",
    paper=PAPER,
    design=grid(n=50, m=15, d=5, swaps=10),
    paired=("scores",),
    columns={
        "function": Column("score function", dtype="str"),
        "difference": Column("largest change of a score by a swap, relative to the largest score"),
    },
    presets={"quick": dict(replicates=5), "paper": dict(replicates=50, swaps=50)},
    algorithm="scores",
)
def swaps(*, n, m, d, swaps, scores=SYMMETRIC_ONES, rng):
    """Null labelled rows and test rows change places.

    The algorithm is ``scores(X, y, X_test) -> (cal, test)``, of shapes (n,) and (m,).
    """
    X, y = regression_data("jin-full-2", n + m, sigma=0.5, d=d, rng=rng)
    rows, found = (X[:n], y[:n], X[n:]), []
    for one in several(scores):
        function = FUNCTIONS[one] if isinstance(one, str) else one
        audit = audit_exchangeability(function, *rows, n_swaps=swaps, rng=rng.spawn(1)[0])
        name = one if isinstance(one, str) else "own"
        found.append({"function": name, "difference": audit.max_difference})
    return found


@claim(
    "conformal-selection/exchangeability-audit",
    theorem="conditions of OptCS-Full; derived here (audit_exchangeability)",
    status="ours",
    statement=r"A learner that is symmetric in the rows, fitted to labelled and test rows together "
    r"with labels $1\{Y>c\}$ and $0$, exchanges two scores where a null labelled row and a test "
    r"row change places, and changes no other: by leave-one-out or in-sample predictions.",
    experiment=swaps,
    region=AtMost(1e-9),
    kind="identity",
    reason="predictions are rounded to 33 bits of the largest, so that rows that tie go on to tie",
    assumptions=(SYMMETRIC, CLIPPED),
    control=(
        Control("leave-one-out among labelled rows only", scores="labelled-only"),
        Control("calibrated on the labelled rows that were fitted", scores="reused 1"),
        Control("a bootstrap of row positions with a fixed seed", scores="row bootstrap"),
    ),
)
def swap_audit(table):
    """Largest change of any other score, per score function."""
    return {
        name: exact_estimate(rows["difference"].max(), len(rows))
        for name, rows in table.groupby("function")
    }


@experiment(
    "conformal-selection/null-ranks",
    paper=PAPER,
    design=grid(n=40, m=15, d=10, splits=25),
    paired=("scores",),
    columns={"rank": Column("rank of a hidden null point among the labelled null points")},
    presets={"quick": dict(replicates=60), "paper": dict(replicates=150)},
    block=10,
    algorithm="scores",
)
def null_ranks(*, n, m, d, splits, scores="full", rng):
    """Splits of n + m labelled rows hide the labels of m, a null one among them.

    The algorithm is ``scores(X, y, X_test) -> (cal, test)``, of shapes (n,) and (m,).
    """
    X, y = regression_data("jin-full-2", n + m, sigma=0.2, d=d, rng=rng)
    function = FUNCTIONS[scores] if isinstance(scores, str) else scores
    return {"rank": null_rank_test(function, X, y, n_test=m, n_splits=splits, rng=rng).ranks}


@claim(
    "conformal-selection/null-rank-uniform",
    theorem="derived here (null_rank_test)",
    status="ours",
    statement=r"A null test point has a uniform rank among the null labelled points, by the scores "
    r"of OptCS-Full: $\sup_t|P(\mathrm{rank}\le t)-t|=0$.",
    experiment=null_ranks,
    region=AtMost(0, margin=0.1),
    reason="exact; the margin leaves room for the distance and the band of 1500 ranks, 0.08",
    assumptions=(EXCHANGEABLE, SYMMETRIC, CLIPPED),
    control=(
        Control("calibrated on the labelled rows that were fitted", scores="reused 1"),
        Control(
            "fitted to two fifths of the labelled rows, calibrated on all", scores="reused 0.4"
        ),
    ),
)
def rank_distance(table):
    """Largest distance of the distribution of ranks from the uniform one."""
    return distribution_distance_estimate(table["rank"].to_numpy(), lambda x: x)
