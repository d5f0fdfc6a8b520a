"""Recursive sampling by root leverage scores: how the number of rows falls, and where it ends."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between, mean_estimate
from theorytk.sensitivity.matrices import hadamard_block
from theorytk.sensitivity.sampling_laws import root_leverage_limit

from .common import PAPER
from .samplers import RECURSIONS

FLAT = Assumption("rows of equal scores")
WITHOUT_ROOT = Control("leverage scores without the root: no recursion", sampler="no-root")


@experiment(
    "sensitivity-sampling/root-leverage-rounds",
    paper=PAPER,
    design=grid(n=2**14, d=8, p=[1, 1.5], relative_limit=125, rounds=8, p_scale=1),
    paired=("sampler", "p_scale"),
    columns={
        "round": Column("rounds done", dtype="int"),
        "rows": Column("rows left", dtype="int"),
        "gap": Column("logarithm of the rows left over their limit"),
    },
    presets={"quick": dict(replicates=100), "paper": dict(replicates=300, n=2**15)},
    algorithm="sampler",
)
def rounds_of_root_leverage(
    *, n, d, p, relative_limit, rounds, p_scale, sampler="root-leverage", rng
):
    """Sample a flat matrix recursively, the oversampling set for so many times d rows in the end.

    The algorithm is a sampler ``sampler(A, p, alpha, rounds=..., rng=...)`` that returns an object
    with ``counts``, the rows before the first round and after each, fewer if it stops before. It
    gets the exponent p times `p_scale`.
    """
    A, alpha = hadamard_block(d, n, rng=rng), relative_limit ** (p / 2)
    recursion = RECURSIONS[sampler] if isinstance(sampler, str) else sampler
    rows = recursion(A, p * p_scale, alpha, rounds=rounds, rng=rng).counts
    gap = np.log(rows / root_leverage_limit(d, p, alpha))
    return {"round": np.arange(len(rows)), "rows": rows, "gap": gap}


@claim(
    "sensitivity-sampling/root-leverage-recursion",
    theorem="root leverage score sampling; its recursion derived here (root_leverage_next)",
    status="ours",
    statement=r"One round of root leverage scores, $1\le p<2$, takes $n$ rows of equal scores to "
    r"$\alpha n^{1-p/2}d^{p/2}$: the logarithm of the rows over $\alpha^{2/p}d$ shrinks by "
    r"$1-p/2$.",
    experiment=rounds_of_root_leverage,
    at=dict(rounds=1),
    region=Between(0, 0, margin=0.007),
    reason="the mean count is exact, its logarithm off by 1/4000 of a gap of 2.8; the margin "
    "leaves room for the interval of 100 samples, 0.0035, twice",
    assumptions=(FLAT,),
    control=(WITHOUT_ROOT, Control("an exponent 0.7% too large", p_scale=1.007)),
)
def root_leverage_recursion(table):
    """Ratio of the gaps after and before the round, less 1 - p/2, per p."""
    found = {}
    for p, rows in table.groupby("p"):
        before, after = (rows.loc[rows["round"] == k, "gap"].to_numpy() for k in (0, 1))
        found[f"p={p:g}"] = mean_estimate(after / before - (1 - p / 2))
    return found


@claim(
    "sensitivity-sampling/root-leverage-limit",
    theorem="root leverage score sampling: roughly d rows; the limit derived here",
    status="ours",
    statement=r"Repeated, root leverage scores leave $\alpha^{2/p}d$ rows: of order "
    r"$d/\varepsilon^2$ if $\alpha=\varepsilon^{-p}$, without any sensitivity.",
    experiment=rounds_of_root_leverage,
    region=Between(-0.02, 0.05),
    reason="it stops when a round changes the count by less than 5%, which leaves a gap of "
    "5% (1 - p/2) / (p/2), at most 5%; scores that differ by chance lower it by less than 1%",
    assumptions=(FLAT, Assumption("rounds up to a change below 5%")),
    control=(WITHOUT_ROOT, Control("an exponent 1.6% too large", p_scale=1.016)),
)
def limit_of_root_leverage(table):
    """Logarithm of the rows left in the end over the limit, per p."""
    last = table.sort_values("round").groupby(["p", "replicate"])["gap"].last()
    return {f"p={p:g}": mean_estimate(gaps) for p, gaps in last.groupby("p")}
