"""Choosing among models: the procedures by name, and what the claims take from their rows."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, by_replicate
from theorytk.conformal import (
    PRUNINGS,
    naive_selection,
    optcs_msel,
    random_selection,
    split_selection,
    unpruned_selection,
)
from theorytk.experiments import Column
from theorytk.inference import mean_estimate

from .common import proportions

SYMMETRIC = Assumption("what is fitted or chosen does not depend on the order of exchangeable rows")
CLIPPED = Assumption("clipped scores, which do not tell apart the labels below the threshold")
NAIVE = Control("the model that selects most, taken as if it had been given", selection="naive")
UNPRUNED = Control("all points within their thresholds, not pruned", selection="unpruned")

COLUMNS = {
    "method": Column("procedure", dtype="str"),
    "baseline": Column("whether it is there to compare with", dtype="bool"),
    "level": Column("level q"),
    "fdp": Column("mean false discovery proportion of the data sets"),
    "power": Column("their mean power"),
}


BETAS = (0.9, 0.5)
# Labelled points that choose the model, that train it and that calibrate it, as in the paper.
THREE_WAYS = {
    "split 1:1:2": (1, 1, 2),
    "split 1:2:1": (1, 2, 1),
    "split 2:1:1": (2, 1, 1),
    "split 1:1:1": (1, 1, 1),
}


def pruned(pruning, beta=1.0):
    """Return OptCS-MSel with a pruning."""

    def selection(cal, imputed, test, q, rng):
        return optcs_msel(cal, test, q, pruning=pruning, beta=beta, rng=rng).selected

    return selection


def split(share=0.5):
    """Return the choice of a model on a share of the calibration points."""

    def selection(cal, imputed, test, q, rng):
        return split_selection(cal, imputed, test, q, share=share, rng=rng).selected

    return selection


SELECTIONS = {
    **{pruning: pruned(pruning) for pruning in PRUNINGS},
    **{f"{pruning}, beta {beta}": pruned(pruning, beta) for pruning in PRUNINGS for beta in BETAS},
    "split": split(),
    **{name: split(chosen / (chosen + rest)) for name, (chosen, _, rest) in THREE_WAYS.items()},
    "random": lambda cal, imputed, test, q, rng: random_selection(cal, test, q, rng=rng).selected,
    "naive": lambda cal, imputed, test, q, rng: naive_selection(cal, test, q, rng=rng).selected,
    "unpruned": lambda cal, imputed, test, q, rng: (
        unpruned_selection(cal, test, q, rng=rng).selected
    ),
}


def several(procedures):
    """Return procedures as a tuple: they are names, one name, or the user's own function."""
    return procedures if isinstance(procedures, tuple) else (procedures,)


def selected_at(selection, cal, imputed, test, levels, rng):
    """Return the selections (levels, m) of a named procedure, or of the user's own."""
    if isinstance(selection, str):
        return SELECTIONS[selection](cal, imputed, test, np.array(levels), rng)
    return np.stack([selection(cal, imputed, test, q, rng) for q in levels])


def rows_of(method, baseline, levels, outcomes):
    """Return a row for each level from the (proportions, powers) of many data sets."""
    fdp, power = np.mean(outcomes, axis=0)
    name = method if isinstance(method, str) else "own"
    return [
        {"method": name, "baseline": baseline, "level": q, "fdp": f, "power": p}
        for q, f, p in zip(levels, fdp, power, strict=True)
    ]


def outcome(selected, positive):
    """Return (proportions, powers) of selections (levels, m) on one data set."""
    return proportions(selected, positive[None])


def excess(table, by):
    """False discovery rate minus the level, for each combination of `by`."""
    rows = table[~table["baseline"].astype(bool)]
    rows = rows.assign(excess=rows["fdp"] - rows["level"])
    return {k: mean_estimate(v[:, 0]) for k, v in by_replicate(rows, "excess", by=by).items()}


def gains(table, by):
    """Power minus that of each baseline on the same data, for each combination of `by`."""
    beside = table["baseline"].astype(bool)
    keys = ["setting", "level", "replicate"]
    pairs = table[beside].merge(table[~beside], on=keys, suffixes=("", "_own"), validate="m:1")
    pairs["gain"] = pairs["power_own"] - pairs["power"]
    found = by_replicate(pairs, "gain", by=("method", *by))
    return {label: mean_estimate(values[:, 0]) for label, values in found.items()}
