"""Errors that privacy forces on every mechanism, and mechanisms that cannot be private."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtLeast, mean_estimate
from theorytk.privacy.lower_bounds import distance_sum_lower_bound, distance_sum_zcdp_lower_bound

from .common import CONCENTRATED, MECHANISMS, PAPER, UNIT_BOX

LAWS = {"pure": distance_sum_lower_bound, "zcdp": distance_sum_zcdp_lower_bound}


@experiment(
    "private-similarities/lower-bound",
    paper=PAPER,
    design=grid(kind="pure", d=[1, 3], budget=1.0, added=1, n=15, batch=10),
    paired=("mechanism",),
    columns={
        "near": Column("mean absolute error with all points at the query, over the bound"),
        "far": Column("that with more points in the opposite corner, over the bound"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=10,
    algorithm="mechanism",
)
def lower_bound(*, kind, d, budget, added, n, batch, mechanism="hat", rng):
    """Error at a corner of the cube, where n points are, without and with `added` far points.

    The algorithm is ``mechanism(x, y, budget, rng) -> answers`` for points (n, d) and queries
    (1, d) in the unit cube, private for added points; its budget is epsilon, or rho for "zcdp".
    """
    named = MECHANISMS if kind == "pure" else CONCENTRATED
    answer, bound = named.get(mechanism, mechanism), LAWS[kind](budget, d=d)
    y, error = np.zeros((1, d)), {}
    for name, k in (("near", 0), ("far", added)):
        x = np.repeat([[0.0], [1.0]], [n, k], axis=0) * np.ones(d)
        found = np.array([answer(x, y, budget, rng)[0] for _ in range(batch)])
        error[name] = np.abs(found - k * d).mean() / bound
    return error


REASON = "a bound: a private mechanism cannot be below 1, whatever it does"


@claim(
    "private-similarities/lower-bound",
    theorem="Section 5 for the order in d; the constant derived here",
    status="ours",
    statement=r"Every $\varepsilon$-private answer to a sum of $\ell_1$ distances in $[0,R]^d$ has "
    r"a mean absolute error of at least $\max_k\frac{kdR}{2(1+e^{k\varepsilon})}$ on one of two "
    "data sets, at one fixed query.",
    experiment=lower_bound,
    region=AtLeast(1),
    reason=REASON,
    assumptions=(UNIT_BOX,),
    control=Control("a twenty-fifth of the noise: no longer private", mechanism="noise / 25"),
)
def lower_bound_holds(table):
    """Mean error of the worse data set over the bound, per dimension."""
    return {
        f"d={d}": max(
            (mean_estimate(g[name].to_numpy()) for name in ("near", "far")),
            key=lambda estimate: estimate.value,
        )
        for d, g in table.groupby("d")
    }


@claim(
    "private-similarities/zcdp-lower-bound",
    theorem="derived here (distance_sum_zcdp_lower_bound)",
    status="ours",
    statement=r"Every $\rho$-zCDP answer has a mean absolute error of at least "
    r"$\max_k\frac{kdR}4(1-k\sqrt{\rho/2})$ on one of two data sets; the Gaussian hat mechanism "
    "is within a constant factor of it in every dimension.",
    experiment=lower_bound,
    at=dict(kind="zcdp", budget=0.5),
    region=AtLeast(1),
    reason=REASON,
    assumptions=(UNIT_BOX,),
    control=Control("a tenth of the noise: no longer private", mechanism="noise / 10"),
)
def zcdp_lower_bound_holds(table):
    """Mean error of the worse data set over the bound, per dimension."""
    return lower_bound_holds.estimate(table)
