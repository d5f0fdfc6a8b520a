"""The e-values behind OptCS: exact on average over which point of a pool is the tested one."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import (
    KernelRidgeLearner,
    RidgeLearner,
    clip_score,
    full_scores,
    held_out_scores,
    leave_one_out_sizes,
    naive_selection,
    optcs_msel,
    regression_data,
)
from theorytk.conformal.evalue_laws import mean_null_evalue
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between, exact_estimate, mean_estimate

from .common import CONTINUOUS, PAPER
from .selections import CLIPPED, SYMMETRIC, several

LEARNERS = [KernelRidgeLearner(0.1, 0.3), KernelRidgeLearner(0.3, 0.1), RidgeLearner()]


def given(X, y, X_test):
    """Scores of given models: the first eight features predict the label."""
    return clip_score(X.T[:8], y), clip_score(X_test.T[:8])


def fitted(X, y, X_test):
    """Scores of three learners that are fitted to labelled and test points together."""
    return full_scores(X, y, X_test, LEARNERS)


def one_fitted(X, y, X_test):
    """Scores of one such learner."""
    return full_scores(X, y, X_test, LEARNERS[0])


def refitted(X, y, X_test):
    """The mistake: the labelled points that calibrate are those that were fitted."""
    return held_out_scores(X, y, X, y, X_test, LEARNERS)


SCORES = {"msel": given, "full": one_fitted, "full-msel": fitted, "refitted": refitted}


def optcs(tie):
    """Return the e-values of OptCS with p-values of a kind."""
    return lambda cal, test, q, rng: optcs_msel(cal, test, q, tie=tie, rng=rng).evalues


def naive(cal, test, q, rng):
    """The mistake: the model and its number of selected points, seen on the same data."""
    return naive_selection(cal, test, q, rng=rng).evalues


def mid_p(cal, test, q, rng):
    """The mistake: (L + 1/2) / (n + 1), the randomised p-value with its mean for U."""
    found = optcs_msel(cal, test, q, rng=rng)
    threshold = q * found.sizes / test.shape[1]
    return (found.p - 0.5 / (cal.shape[1] + 1) <= threshold) / threshold


EVALUES = {
    "conservative": optcs("conservative"),
    "randomised": optcs("randomised"),
    "naive": naive,
    "mid-p": mid_p,
}


def exchanged(X, y, N):
    """Yield, for each null one of the first N rows, that row tested and the others labelled."""
    for i in np.flatnonzero(y[:N] <= 0):
        rest = np.delete(np.arange(N), i)
        yield X[rest], y[rest], np.vstack([X[i : i + 1], X[N:]])


def averaged(evalues, scores, X, y, N, q, rng):
    """Return the mean over who is tested of the e-value, 0 where not null, and the threshold."""
    rule, seed = EVALUES.get(evalues, evalues), int(rng.integers(2**31))
    worlds = [scores(*rows) for rows in exchanged(X, y, N)]
    found = [rule(cal, test, q, np.random.default_rng(seed))[0] for cal, test in worlds]
    cal, test = worlds[0]
    size = leave_one_out_sizes(cal, test, q)[:, 0].max()
    return sum(found) / N, q * size / test.shape[1]


@experiment(
    "conformal-selection/exchanged-points",
    paper=PAPER,
    design=grid(n=39, m=[1, 15], d=10, q=0.3),
    paired=("evalues", "scores"),
    columns={
        "score": Column("scores", dtype="str"),
        "evalue": Column("mean e-value over which point of the pool is tested"),
        "law": Column("its law"),
    },
    presets={"quick": dict(replicates=4), "paper": dict(replicates=100)},
    block=4,
    algorithm="evalues",
)
def exchanged_points(
    *, n, m, d, q, evalues="conservative", scores=("msel", "full", "full-msel"), rng
):
    """Each of n + 1 points in turn is a test point beside m - 1 others, the rest calibrate.

    The algorithm is ``evalues(cal, test, q, rng) -> e``: clipped scores (K, n) and (K, m) of K
    models, and an e-value for each test point; what it draws at random may decide among models.
    """
    N, rows = n + 1, []
    X, y = regression_data("jin-full-2", N + m - 1, sigma=0.2, d=d, rng=rng)
    nulls = int((y[:N] <= 0).sum())
    for name in several(scores):
        evalue, threshold = averaged(evalues, SCORES[name], X, y, N, q, rng)
        law = mean_null_evalue(threshold, N, nulls)
        rows.append({"score": name, "evalue": evalue, "law": law})
    return rows


@claim(
    "conformal-selection/optcs-evalue",
    theorem="derived here (mean_null_evalue)",
    status="ours",
    statement=r"Given the other test points, the mean of $e_j1\{Y_j\le c\}$ over which of $N=n+1$ "
    r"points is $j$ is exactly $\min(\lfloor sN\rfloor,N_0)/(sN)\le1$, with $s=q\hat r_j/m$ and "
    r"$N_0$ nulls: for OptCS-MSel, -Full and -Full-MSel, and for $m=1$, where it is FDR$/q$.",
    experiment=exchanged_points,
    region=AtMost(1e-12),
    kind="identity",
    reason="sums of 40 numbers of order 10, rounded",
    assumptions=(SYMMETRIC, CLIPPED, CONTINUOUS),
    control=(
        Control("the size of the naive selection for the leave-one-out size", evalues="naive"),
        Control("calibrated on the labelled rows that were fitted", scores="refitted"),
    ),
)
def evalue_law(table):
    """Largest distance of the mean e-value from its law, per scores and m."""
    return {
        f"{name}, m={m}": exact_estimate((rows["evalue"] - rows["law"]).abs().max(), len(rows))
        for (name, m), rows in table.groupby(["score", "m"])
    }


@experiment(
    "conformal-selection/randomised-points",
    paper=PAPER,
    design=grid(n=29, m=3, d=10, q=0.25, pools=5),
    paired=("evalues",),
    columns={
        "evalue": Column("mean e-value over which point of a pool is tested, over pools"),
        "law": Column("its law, the uniform numbers averaged out"),
    },
    presets={"quick": dict(replicates=25), "paper": dict(replicates=60)},
    block=10,
    algorithm="evalues",
)
def randomised_points(*, n, m, d, q, pools, evalues="randomised", rng):
    """As `exchanged_points`, for eight given models and with randomised p-values, off the lattice.

    The algorithm is ``evalues(cal, test, q, rng) -> e``, as there.
    """
    means, laws = [], []
    for _ in range(pools):
        X, y = regression_data("jin-full-2", n + m, sigma=0.2, d=d, rng=rng)
        evalue, threshold = averaged(evalues, given, X, y, n + 1, q, rng)
        nulls = int((y[: n + 1] <= 0).sum())
        means.append(evalue)
        laws.append(mean_null_evalue(threshold, n + 1, nulls, tie="randomised"))
    return {"evalue": np.mean(means), "law": np.mean(laws)}


@claim(
    "conformal-selection/optcs-randomised-evalue",
    theorem="derived here (mean_null_evalue)",
    status="ours",
    statement=r"With randomised p-values inside OptCS, the sizes being as they are, the null "
    r"e-values keep their mean $\min(sN,N_0)/(sN)$, which is $1$ off the lattice too.",
    experiment=randomised_points,
    region=Between(0, 0, margin=0.07),
    reason="exact; the margin leaves room for the interval of 125 pools, 0.035, twice",
    assumptions=(CLIPPED, CONTINUOUS, Assumption(r"$sN$ is not an integer: $2.5\,\hat r_j$")),
    control=(
        Control(
            "conservative p-values, which lose what is off the lattice", evalues="conservative"
        ),
        Control("the mean 1/2 in the place of the uniform number", evalues="mid-p"),
    ),
)
def randomised_law(table):
    """Mean e-value minus its law."""
    return mean_estimate(table["evalue"] - table["law"])
