"""Leave-one-out selection sizes: one sort against the definition, and OptCS with one model."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import PRUNINGS, bh, cfbh, leave_one_out_sizes, optcs_msel
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, violations_estimate

from .common import PAPER

ANY_SCORES = Assumption("any scores and weights: here random ones, with and without ties")


def random_instance(rng):
    """Return scores and weights with ties, and a level: 10 to 30 and 2 to 15 points."""
    n, m = int(rng.integers(10, 31)), int(rng.integers(2, 16))
    grain = rng.choice([3, 10, 1000])
    cal, test = (np.round(rng.standard_normal(size) * grain) / grain for size in (n, m))
    cal[rng.random(n) < 0.3] = np.inf
    weights = [rng.choice([0.5, 1, 2, 3.7], size) for size in (n, m)]
    return cal, test, float(rng.choice([0.2, 0.3, 0.5])), *weights


def sizes_by_definition(cal, test, q, comparison):
    """Return the leave-one-out sizes one by one: Benjamini-Hochberg with p_j = 0."""
    compare = {"<=": np.less_equal, "<": np.less}[comparison]
    below, found = compare.outer(cal, test).sum(axis=0), []
    for j in range(len(test)):
        p = (below + compare(test[j], test)) / (len(cal) + 1)
        p[j] = 0
        found.append(bh(p, q).sum())
    return np.array(found)


def weighted_sizes_by_definition(cal, test, q, cal_weight, test_weight, comparison, own):
    """Return the weighted sizes one by one; `own` weighs the indicator by l in the place of j."""
    compare = {"<=": np.less_equal, "<": np.less}[comparison]
    below, found = cal_weight @ compare.outer(cal, test), []
    for j, w in enumerate(test_weight):
        added = test_weight if own else w
        p = (below + added * compare(test[j], test)) / (cal_weight.sum() + added)
        p[j] = 0
        found.append(bh(np.minimum(p, 1), q).sum())  # sums of weights may round above 1
    return np.array(found)


def differs_from_cfbh(cal, test, q, beta, rng):
    """Tell whether OptCS with one model selects other points than cfBH, for any pruning."""
    known = cfbh(cal, test, q, tie="conservative").selected
    return any(
        np.any(
            optcs_msel(cal[None], test[None], q, pruning=name, beta=beta, rng=rng).selected != known
        )
        for name in PRUNINGS
    )


@experiment(
    "conformal-selection/sizes",
    paper=PAPER,
    design=grid(),
    paired=("comparison", "own_weight", "beta"),
    columns={
        "plain": Column("whether the sizes differ from the definition", dtype="bool"),
        "weighted": Column("the same with weights", dtype="bool"),
        "one_model": Column("whether OptCS with one model is not cfBH", dtype="bool"),
    },
    presets={"quick": dict(replicates=400), "paper": dict(replicates=10_000)},
    block=100,
    algorithm="sizes",
)
def instances(*, sizes="one-sort", comparison="as defined", own_weight=False, beta=1, rng):
    """Leave-one-out sizes of a random instance with ties, by one sort and by their definition.

    The `comparison` of scores is <= without weights and < with them, or the other way round. The
    algorithm is ``sizes(cal, test, q, cal_weight=None, test_weight=None) -> counts``, shape (m,).
    """
    sizes = leave_one_out_sizes if sizes == "one-sort" else sizes
    cal, test, q, *weights = random_instance(rng)
    compare = ("<=", "<") if comparison == "as defined" else ("<", "<=")
    plain = sizes_by_definition(cal, test, q, compare[0])
    known = weighted_sizes_by_definition(cal, test, q, *weights, compare[1], own_weight)
    return {
        "plain": bool(np.any(sizes(cal, test, q) != plain)),
        "weighted": bool(np.any(sizes(cal, test, q, *weights) != known)),
        "one_model": differs_from_cfbh(cal, test, q, beta, rng),
    }


def violations(table, column):
    """Return the share of instances in which a statement fails."""
    return violations_estimate(int(table[column].sum()), len(table))


MASKS = "counts are equal or not"
OTHER = Control("ties counted the other way, < for <=", comparison="other")


@claim(
    "conformal-selection/aux-sizes",
    theorem="derived here (leave_one_out_sizes)",
    status="ours",
    statement=r"The sizes $|\hat R_j|$ of the selections with $p_j=0$, for all $m$ test points, "
    r"follow from one sort and two scans, $O((n+m)\log(n+m))$.",
    experiment=instances,
    kind="refutable",
    region=AtMost(0),
    reason=MASKS,
    assumptions=(ANY_SCORES,),
    control=OTHER,
)
def aux_sizes(table):
    """Share of instances in which a size differs from its definition."""
    return violations(table, "plain")


@claim(
    "conformal-selection/aux-sizes-weighted",
    theorem="derived here (leave_one_out_sizes)",
    status="ours",
    statement=r"With weights, too, the sizes $|\hat R_j|$ of all $m$ test points follow from one "
    r"sort, by suffix maxima and a monotone stack, in $O((n+m)\log(n+m))$.",
    experiment=instances,
    kind="refutable",
    region=AtMost(0),
    reason=MASKS,
    assumptions=(ANY_SCORES,),
    control=(
        Control(
            "the indicator weighed by the point's own weight, not by that of j", own_weight=True
        ),
        OTHER,
    ),
)
def aux_sizes_weighted(table):
    """Share of instances in which a weighted size differs from its definition."""
    return violations(table, "weighted")


@claim(
    "conformal-selection/aux-size-identity",
    theorem="single-score case; derived here",
    status="ours",
    statement=r"With one score function $j$ is selected by cfBH if and only if "
    r"$p_j\le q|\hat R_j|/m$, and then $|\hat R_j|$ is the number of selections: OptCS with one "
    r"model is cfBH, whatever the pruning.",
    experiment=instances,
    kind="refutable",
    region=AtMost(0),
    reason="masks are equal or not",
    assumptions=(ANY_SCORES, Assumption("conservative p-values")),
    control=Control("thresholds scaled by beta = 0.9", beta=0.9),
)
def aux_size_identity(table):
    """Share of instances in which a pruning selects other points than cfBH."""
    return violations(table, "one_model")
