"""Samplers as a competent implementer gets them wrong, called as those of `samplers`."""

from __future__ import annotations

import dataclasses

from theorytk.diffusion import Lin
from theorytk.diffusion.samplers import multistep_weights

from .samplers import SAMPLERS, data_multistep, named


def rewritten(sampler, change):
    """Return the sampler with `change` applied to every linear combination of its plans."""

    def mistaken(schedule, times, bootstrap):
        plan = SAMPLERS[sampler](schedule, times, bootstrap)
        steps = [change(step) if isinstance(step, Lin) else step for step in plan.instructions]
        return dataclasses.replace(plan, instructions=tuple(steps))

    return mistaken


def damped(sampler, share, only=""):
    """Return a sampler that weighs differences from the newest output by too little, by `share`.

    With `only` those with the output of that kind alone, such as "m" of the node that comes.
    """

    def change(step):
        state, (newest, name), *others = step.terms
        if not others or (only and not corrects(step)):
            return step
        moved = share * sum(c for c, _ in others)
        kept = tuple(((1 - share) * c, m) for c, m in others)
        return Lin(step.target, (state, (newest + moved, name), *kept))

    return rewritten(sampler, change)


def corrects(step):
    """Tell whether a combination uses the output at the node whose state it computes."""
    return any(name == f"m{step.target[1:]}" for _, name in step.terms)


def scaled(sampler, factor):
    """Return a sampler whose weight of the newest output is off by a factor."""

    def change(step):
        state, (newest, name), *others = step.terms
        return Lin(step.target, (state, (factor * newest, name), *others))

    return rewritten(sampler, change)


def equal_steps(nodes, h):
    """Return the weights of DPM-Solver++(2M) with r_0 = 1, as if all steps had one length."""
    return multistep_weights([0.0, -1.0][: len(nodes)], h, variant="midpoint")


MISTAKES = {
    "ddim 0.1% short": scaled("ddim", 0.999),
    "ddim 1% short": scaled("ddim", 0.99),
    "2M with r0 = 1": data_multistep(2, equal_steps),
    "3M with lower_order_final": named("dpmpp_3m", lower_order_final=True),
    "deis_tab2 riemann": named("deis_tab2", quadrature="riemann"),
    "deis_tab3 riemann": named("deis_tab3", quadrature="riemann"),
    "unipc-3 with lower_order_final": named("unipc", order=3, lower_order_final=True),
}


def mistake(name):
    """Return a mistaken sampler: of the table, or "SAMPLER damped SHARE" and the like."""
    if name in MISTAKES:
        return MISTAKES[name]
    sampler, kind, share = name.rsplit(" ", 2)
    return damped(sampler, float(share), only={"damped": "", "undercorrected": "m"}[kind])
