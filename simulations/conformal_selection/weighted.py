"""Selection under covariate shift by weighted conformal p-values, and their pruning."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.conformal import (
    PRUNINGS,
    cfbh,
    clip_score,
    ebh,
    shifted_data,
    shifted_prediction,
    wcs,
)
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, violations_estimate

from .common import TRAINED_APART, WCS
from .pvalues import means
from .sizes import ANY_SCORES, random_instance

PRUNED = list(PRUNINGS)
SHIFTED = Assumption("test covariates of another law with known density ratio, labels alike")


def weighted_selection(cal, test, q, cal_weight, test_weight, pruning, rng):
    """Select as the library does, with randomised p-values."""
    return wcs(cal, test, q, cal_weight, test_weight, pruning=pruning, rng=rng).selected


def unweighted_selection(cal, test, q, cal_weight, test_weight, pruning, rng):
    """Select by cfBH, as if nothing had shifted."""
    return cfbh(cal, test, q, rng=rng).selected


SELECTIONS = {"wcs": weighted_selection, "unweighted": unweighted_selection}


@experiment(
    "conformal-selection/shifted",
    paper=WCS,
    design=grid(n=50, m=50, q=(0.2,), shift=1, sigma=0.5, pruning=PRUNED, sets=40),
    paired=("procedure", "own_weight"),
    columns={
        "level": Column("level q"),
        "fdp": Column("mean false discovery proportion of the data sets"),
        "ratio": Column("the same over q"),
        "power": Column("their mean power"),
    },
    presets={"quick": dict(replicates=50), "paper": dict(replicates=400)},
    block=10,
    algorithm="procedure",
)
def shifted(*, n, m, q, shift, sigma, pruning, sets, procedure="wcs", own_weight=1, rng):
    """Test covariates shifted to where positives are rarer; an imperfect prediction.

    Density ratios at test points are given times `own_weight`. The algorithm is ``procedure(cal,
    test, q, cal_weight, test_weight, pruning, rng) -> selected``, shape (m,); it may ignore the
    pruning.
    """
    rule, found = SELECTIONS.get(procedure, procedure), np.zeros((len(q), 2))
    for _ in range(sets):
        data = shifted_data(n, m, shift=shift, sigma=sigma, rng=rng)
        cal = clip_score(shifted_prediction(data.X_cal), data.y_cal)
        test = clip_score(shifted_prediction(data.X_test))
        weights = data.cal_weight, data.test_weight * own_weight
        found += [
            rates(rule(cal, test, level, *weights, pruning, rng), data.y_test > 0) for level in q
        ]
    fdp, power = found.T / sets
    return {"level": np.array(q), "fdp": fdp, "ratio": fdp / q, "power": power}


def rates(selected, positive):
    """Return the false discovery proportion and the power of one selection."""
    false = (selected & ~positive).sum() / max(1, selected.sum())
    return false, (selected & positive).sum() / max(1, positive.sum())


@claim(
    "conformal-selection/wcs-fdr",
    theorem="control of the false discovery rate in finite samples, all three prunings",
    statement=r"Under a known shift of the covariates weighted conformal selection has "
    r"$\mathrm{FDR}\le q$ in finite samples, with deterministic, homogeneous and heterogeneous "
    r"pruning.",
    experiment=shifted,
    region=AtMost(1, margin=0.12),
    reason="nearly attained with random pruning; the margin is the interval, 0.06 q, twice",
    assumptions=(SHIFTED, TRAINED_APART),
    control=(
        Control("the shift ignored: cfBH", procedure="unweighted"),
        Control("the test point's own weight forgotten in its p-value", own_weight=1e-9),
    ),
)
def wcs_fdr(table):
    """False discovery rate over q, per pruning."""
    return means(table, "ratio", ("pruning",))


def pruned_by_count(p, sizes, xi, q, strict):
    """Select p_j <= q r_j / m with xi_j r_j <= r, r the largest number of which r or more pass."""
    m, slack = len(p), -1e-12 if strict else 1e-12
    passed, cost = p <= q * sizes / m * (1 + 1e-12), xi * sizes
    r = max(r for r in range(m + 1) if (passed & (cost <= r * (1 + slack))).sum() >= r)
    return passed & (cost <= r * (1 + slack))


@experiment(
    "conformal-selection/pruning",
    paper=WCS,
    design=grid(pruning=PRUNED),
    paired=("divided", "strict"),
    columns={"differ": Column("whether the two selections differ", dtype="bool")},
    presets={"quick": dict(replicates=300), "paper": dict(replicates=5000)},
    block=100,
)
def pruning_forms(*, pruning, divided="e-values", strict=False, rng):
    """Selections of random weighted instances by e-BH and by counting.

    The e-values are divided by xi, or the "thresholds" are; the count may be `strict`.
    """
    cal, test, q, *weights = random_instance(rng)
    found = wcs(cal, test, q, *weights, pruning=pruning, rng=rng)
    e = found.evalues / found.xi if divided == "e-values" else found.evalues * found.xi
    counted = pruned_by_count(found.p, found.sizes, found.xi, q, strict)
    return {"differ": bool(np.any(ebh(e, q) != counted) or np.any(found.selected != counted))}


@claim(
    "conformal-selection/wcs-equals-ebh",
    theorem="pruning; derived again here",
    statement=r"Pruning, to keep the $j$ with $p_j\le s_j$, $\xi_jr_j\le r^*$, $r^*$ the largest "
    r"$r$ that at least $r$ of them satisfy, is e-BH on $1\{p_j\le s_j\}/(\xi_js_j)$.",
    experiment=pruning_forms,
    kind="refutable",
    region=AtMost(0),
    reason="masks are equal or not",
    assumptions=(ANY_SCORES,),
    control=(
        Control("counted with < for <=", strict=True),
        Control("e-values multiplied by xi", divided="thresholds"),
    ),
)
def wcs_equals_ebh(table):
    """Share of instances in which the two differ, per pruning."""
    return {
        pruning: violations_estimate(int(rows["differ"].sum()), len(rows))
        for pruning, rows in table.groupby("pruning")
    }
