"""What the experiments on tuned samplers share: the keys of papers, and DPM-Solver-v3 by names."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np

from theorytk.diffusion import Lin
from theorytk.diffusion.samplers.v3 import dpm_v3
from theorytk.diffusion.tuning.statistics import ModelStatistics

V3 = "zheng2023v3"
WHOLE = dict(lower_order_final=False)


def solver(schedule, times, statistics, bootstrap, **options):
    """Return a plan of DPM-Solver-v3."""
    return dpm_v3(schedule, times, statistics=statistics, bootstrap=bootstrap, **options)


SOLVERS = {
    **{f"v3-{k}": partial(solver, order=k, corrector=False, **WHOLE) for k in (1, 2, 3)},
    **{f"v3-{k} corrected": partial(solver, order=k, **WHOLE) for k in (2, 3)},
    "v3-3 pseudo": partial(solver, order=3, corrector=False, pseudo_predictor=True, **WHOLE),
    "v3-3 pseudo-corrected": partial(solver, order=3, pseudo_corrector=True, **WHOLE),
    "v3 as released": partial(solver, order=3),
    "v3 predictor": partial(solver, order=3, corrector=False),
    "v3-2 predictor": partial(solver, order=2, corrector=False),
}


def damped(schedule, times, statistics, bootstrap, *, base, share):
    """Return a plan that weighs all outputs but the newest by too little, by `share`."""
    plan = base(schedule, times, statistics, bootstrap)

    def change(step):
        state, newest, *others, one = step.terms
        moved = share * sum((c for c, _ in others), 0.0)
        kept = [((1 - share) * c, name) for c, name in others]
        return Lin(step.target, (state, (newest[0] + moved, newest[1]), *kept, one))

    steps = [
        change(step) if isinstance(step, Lin) and step.target[0] in "xp" else step
        for step in plan.instructions
    ]
    return dataclasses.replace(plan, instructions=tuple(steps))


def named(name):
    """Return a solver of the table, one "NAME damped SHARE", or a function as it is."""
    if callable(name) or name in SOLVERS:
        return SOLVERS.get(name, name)
    base, _, share = name.rsplit(" ", 2)
    return partial(damped, base=SOLVERS[base], share=float(share))


def constant_statistics(lam_span, linear, scaling, n_nodes=9):
    """Return statistics that are numbers: (1, 0) is data and (0, -1) noise prediction."""
    lam, ones = np.linspace(*lam_span, n_nodes), np.ones(n_nodes)
    return ModelStatistics(lam, linear * ones, scaling * ones, 0 * ones)
