"""A user's own algorithm against a claim."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from theorytk._validation import check_choice, check_int
from theorytk.claims.claim import Claim
from theorytk.claims.evaluate import evaluate
from theorytk.claims.ledger import Ledger
from theorytk.experiments import PRESETS
from theorytk.runner.run import Wanted, run_in_memory

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check"]


def check(
    claim: Claim,
    algorithm: Callable[..., Any],
    *,
    preset: str,
    seed: int,
    jobs: int,
    looks: int,
    **factors: Any,
) -> Ledger:
    """Judge `claim` with `algorithm` in the place of the one that its experiment exercises.

    The conditions, the draws, the estimate and the region are those of the claim; `factors`
    override its conditions. Nothing is stored.

    Parameters
    ----------
    claim : Claim
        The claim.
    algorithm : callable
        Its signature is documented by the claim's experiment.
    preset : {"quick", "paper"}
        Which conditions and how many replicates.
    seed : int
        Root seed, >= 0.
    jobs : int
        Worker processes, >= 1.
    looks : int
        How often to look at twice as many replicates while the claim is undecided, >= 1.
    **factors
        Factors to override.

    Returns
    -------
    Ledger
        With one claim.
    """
    check_choice("preset", preset, PRESETS)
    check_int("seed", seed, lower=0)
    check_int("jobs", jobs, lower=1)
    check_int("looks", looks, lower=1)
    name = claim.experiment.algorithm
    if name is None:
        raise ValueError(
            f"the experiment {claim.experiment.id} of {claim.id} has no algorithm to replace"
        )
    if not callable(algorithm):
        raise TypeError(
            f"algorithm must be callable; got {algorithm!r} ({type(algorithm).__name__})"
        )
    fixed = {**claim.at, **factors}
    if name in fixed:
        raise ValueError(f"factor {name!r} is the algorithm's place in {claim.id}; leave it out")

    def tables(want: Wanted) -> pd.DataFrame:
        return run_in_memory(want, jobs=jobs, replace={name: algorithm})

    started = time.perf_counter()
    result = evaluate(replace(claim, at=fixed), preset, seed, tables, controls=False, looks=looks)
    return Ledger([result], preset, time.perf_counter() - started)
