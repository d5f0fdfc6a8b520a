"""What the experiments on stability share: keys of papers, coverage entries, momentum by name."""

from __future__ import annotations

import dataclasses
from functools import cache, partial

from theorytk.diffusion import Lin, compile_plan
from theorytk.registry import Covered

TOPIC = "sampler-stability"
MOMENTUM = "wizadwongsa2024momentum"
TIME_SHIFT = "li2024timeshift"
IMAGES = Covered(
    "FID tables and sample images",
    "not reproducible",
    "They need trained image models; the same samplers run here on laws with exact scores.",
)


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


def planned(schedule, times, bootstrap, *, method, order, damping, started, slip):
    """Return the plan of a momentum method, its velocity's damping off by the factor 1 + slip."""
    exact = min(bootstrap, len(times) - 2) if started == "exactly" else 0
    options = dict(order=order, damping=damping, bootstrap=exact)
    plan = compile_plan(schedule, times, method, **options)
    return plan if slip == 0 else slipped(plan, damping, slip)


def slipped(plan, damping, slip):
    """Return GHVB's plan with another damping of the velocities than their weights undo."""

    def change(step):
        if not (isinstance(step, Lin) and step.target[0] == "v" and len(step.terms) == 2):
            return step
        (keep, velocity), (_, output) = step.terms
        share = 1 - keep + damping * slip
        return Lin(step.target, ((1 - share, velocity), (share, output)))

    return dataclasses.replace(plan, instructions=tuple(map(change, plan.instructions)))


@cache
def momentum(name, started="exactly"):
    """Return a sampler named like "ghvb-3 at 0.8" or, mistaken, "ghvb-3 at 0.8 slip 0.001"."""
    method, _, damping, *rest = name.split()
    kind, order = method.rsplit("-", 1)
    settings = dict(method=kind, order=int(order), damping=float(damping))
    return partial(planned, **settings, started=started, slip=float(rest[1]) if rest else 0.0)
