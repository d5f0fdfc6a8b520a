"""Samplers by name, each a function ``f(schedule, times, bootstrap)`` that returns a plan."""

from __future__ import annotations

import inspect
import math
from functools import partial

import numpy as np

from theorytk.diffusion import METHODS, Eval, Lin, Plan, compile_plan, phi_moment

WHOLE = dict(lower_order_final=False)


def planned(schedule, times, bootstrap, *, method, **options):
    """Return the plan of a method; `bootstrap` is for those that have a history."""
    if "bootstrap" in inspect.signature(METHODS[method]).parameters:
        options["bootstrap"] = min(bootstrap, len(times) - 2)
    return compile_plan(schedule, times, method, **options)


def named(method, **options):
    """Return a method with these options as a function of schedule, times and bootstrap."""
    return partial(planned, method=method, **options)


def data_multistep(order, weights):
    """Return a multistep method in data prediction by ``weights(nodes, h)``, one for each output.

    The nodes are (lambda - lambda_i) / h, newest first.
    """

    def sampler(schedule, times, bootstrap):
        lam, alpha, steps = schedule.lam(times), schedule.alpha(times), []
        for i, t in enumerate(times[:-1]):
            steps.append(Eval(f"m{i}", f"x{i}", float(t), "data"))
            if i >= bootstrap:
                h, used = float(lam[i + 1] - lam[i]), range(i, max(i - order, -1), -1)
                row = weights([float(lam[j] - lam[i]) / h for j in used], h)
                terms = [(float(alpha[i + 1] * w), f"m{j}") for w, j in zip(row, used, strict=True)]
                decay = math.exp(-h) * float(alpha[i + 1] / alpha[i])
                steps.append(Lin(f"x{i + 1}", ((decay, f"x{i}"), *terms)))
        inputs = tuple(f"x{i}" for i in range(bootstrap + 1))
        return Plan("by weights", schedule, times, tuple(steps), inputs, f"x{len(times) - 1}")

    return sampler


def released_unip(nodes, h, *, b):
    """Return the weights of UniP as released: a linear system whose right side is over B(h)."""
    if len(nodes) == 1:
        return [-math.expm1(-h)]
    B = -h if b == "bh1" else math.expm1(-h)
    r, p = np.array(nodes[1:]), len(nodes) - 1
    right = [-phi_moment(j, h, "data") / B for j in range(1, p + 1)]
    system = np.vander(r, p, increasing=True).T
    rho = np.array([0.5]) if p == 1 else np.linalg.solve(system, right)
    differences = -B * rho / r
    return [-math.expm1(-h) - differences.sum(), *differences]


SAMPLERS = {
    **{name: named(name) for name in METHODS if name not in ("unip", "unipc", "dpm_fast")},
    **{f"unip-{p}": named("unip", order=p, **WHOLE) for p in (1, 2, 3)},
    **{f"unip-{p} noise": named("unip", order=p, output="noise", **WHOLE) for p in (1, 2, 3)},
    **{f"unipc-{p}": named("unipc", order=p, **WHOLE) for p in (1, 2, 3)},
    **{f"unipc-{p} noise": named("unipc", order=p, output="noise", **WHOLE) for p in (1, 2, 3)},
    **{f"{s}-2 bh1": named(s, order=2, b="bh1", **WHOLE) for s in ("unip", "unipc")},
    **{f"{s}-3 bh1": named(s, order=3, b="bh1", **WHOLE) for s in ("unip", "unipc")},
    **{
        f"released unip-{p} {b}": data_multistep(p, partial(released_unip, b=b))
        for p in (2, 3, 4)
        for b in ("bh1", "bh2")
    },
    "dpm_3m published": named("dpm_3m", variant="published"),
    "dpmpp_3m published": named("dpmpp_3m", variant="published"),
    "dpm_3s taylor": named("dpm_3s", variant="taylor"),
    "dpm_2s taylor": named("dpm_2s", variant="taylor"),
    "dpm_2m taylor": named("dpm_2m", variant="consistent"),
    "dpmpp_2m taylor": named("dpmpp_2m", variant="consistent"),
}
