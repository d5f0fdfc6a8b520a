"""What the experiments with noise share: keys of papers, SDE solvers by name, the target of DLG."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np

from theorytk.diffusion import Lin, MeanReverting, MixtureTarget, compile_plan, three_modes
from theorytk.diffusion.joint_law import JointLaw

MRS = "li2025mrs"
DLG = "kim2023dmcmc"
SCHEDULE = MeanReverting()


def restored():
    """Return a law of centred images in the unit of SCHEDULE: three modes."""
    law, unit = three_modes().law, SCHEDULE.sigma_inf
    return MixtureTarget(law.weights, unit * law.means, unit**2 * law.covariances)


def rewritten(plan, change):
    """Return the plan with `change` applied to every linear combination."""
    steps = [change(step) if isinstance(step, Lin) else step for step in plan.instructions]
    return dataclasses.replace(plan, instructions=tuple(steps))


def short(share):
    """Return a change of SDE steps: differences of outputs weighed too little, by a share."""

    def change(step):
        state, (newest, name), *others, noise = step.terms
        moved = share * sum(c for c, _ in others)
        kept = tuple(((1 - share) * c, m) for c, m in others)
        return Lin(step.target, (state, (newest + moved, name), *kept, noise))

    return change


def louder(share):
    """Return a change of SDE steps: the noise too large, by a share."""

    def change(step):
        *others, (spread, name) = step.terms
        return Lin(step.target, (*others, ((1 + share) * spread, name)))

    return change


CHANGES = {"short": short, "louder": louder}


def stochastic(name, schedule, times):
    """Return the plan named like "sde_dpmpp-2" or, mistaken, "sde_dpmpp-2 short 0.1"."""
    method, *rest = name.split()
    kind, order = method.rsplit("-", 1)
    plan = compile_plan(schedule, times, kind, order=int(order))
    return rewritten(plan, CHANGES[rest[0]](float(rest[1]))) if rest else plan


@cache
def joint_law():
    """Return the joint law of DLG: three isotropic modes apart, 60 levels from 0.01 to 20."""
    target = MixtureTarget(
        [0.5, 0.3, 0.2], [[4.0, 0.0], [-2.0, 3.0], [-2.0, -4.0]], [0.05, 0.1, 0.2]
    )
    return JointLaw(target, np.geomspace(0.01, 20.0, 60))
