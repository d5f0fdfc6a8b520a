"""Orders of momentum samplers: heavy ball has one, GHVB the order of its weights."""

from __future__ import annotations

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import Between

from ..diffusion_samplers.order_experiments import (
    ASSUMPTIONS,
    ERRORS,
    REASON,
    REFINED,
    order_errors,
    orders,
)
from .common import MOMENTUM, TOPIC, momentum

RHO = dict(kind="rho", lam_start=-1.0)
START = Assumption("the velocity starts as the average of the exact outputs' polynomial")


@experiment(
    f"{TOPIC}/momentum-orders",
    paper=MOMENTUM,
    design=grid(algorithm="hb-2 at 0.8"),
    paired=("algorithm", "kind", "started", "device"),
    columns={
        "accuracy": Column("largest error of the reference, in a coordinate"),
        **{
            name: Column(f"root mean square error of a group at coarsest * {2**k} steps")
            for k, name in enumerate(ERRORS)
        },
    },
    presets=REFINED,
    block=2,
    algorithm="algorithm",
)
def momentum_orders(
    *,
    algorithm,
    kind="logsnr",
    coarsest=32,
    lam_start=-4.0,
    groups=16,
    started="exactly",
    device="cpu",
    rng,
):
    """Errors of a momentum sampler at the end of grids of `coarsest` steps, twice that, and so on.

    The algorithm is ``algorithm(schedule, times, bootstrap) -> Plan``; it may take the exact states
    at the first ``bootstrap + 1`` times as inputs. It is `started` "exactly" from them, or from the
    "first" state alone. Rows are groups of starting points.
    """
    sampler = momentum(algorithm, started) if isinstance(algorithm, str) else algorithm
    settings = dict(kind=kind, coarsest=coarsest, lam_start=lam_start, groups=groups, device=device)
    return order_errors(algorithm=sampler, **settings, rng=rng)


def momentum_claim(name, order, algorithms, *, statement, theorem, control, **settings):
    """Register the claim that momentum samplers have an order."""
    status = settings.pop("status", "ours")
    return claim(
        f"{TOPIC}/{name}",
        theorem=theorem,
        status=status,
        statement=statement,
        experiment=momentum_orders,
        at=dict(algorithm=algorithms, **settings),
        region=Between(order - 0.25, order + 0.25),
        reason=REASON,
        assumptions=(*ASSUMPTIONS, START),
        control=control,
    )(orders)


momentum_claim(
    "heavy-ball-first-order",
    1,
    ["hb-2 at 0.8", "hb-4 at 0.8", "nesterov-2 at 0.5"],
    status="theorem",
    theorem="abstract: heavy ball has order 1; Nesterov's variant derived here",
    statement=r"Heavy ball and Nesterov's variant have order 1 for damping $\beta<1$, whatever the "
    r"Adams-Bashforth order inside: the velocity lags by $\frac{1-\beta}\beta$ of a step.",
    control=(
        Control("no momentum", algorithm="hb-2 at 1"),
        Control("weights that undo the lag: GHVB", algorithm="ghvb-2 at 0.8"),
        Control("a velocity that hardly averages", algorithm="hb-2 at 0.995"),
    ),
)
momentum_claim(
    "ghvb-second-order",
    2,
    ["ghvb-2 at 0.8", "ghvb-2 at 0.5"],
    **RHO,
    theorem="GHVB has order r; from the generating function, derived here",
    statement=r"GHVB with two velocities has order 2 on grids uniform in $\rho=\sigma/\alpha$.",
    control=(
        Control("Adams-Bashforth weights of outputs, then averaged: HB", algorithm="hb-2 at 0.8"),
        Control(
            "velocities damped by 0.815, weights made for 0.8",
            algorithm="ghvb-2 at 0.8 slip 0.02",
        ),
    ),
)
momentum_claim(
    "ghvb-third-order",
    3,
    ["ghvb-3 at 0.8", "ghvb-3 at 0.5"],
    **RHO,
    theorem="GHVB has order r; from the generating function, derived here",
    statement=r"GHVB with three velocities has order 3 on grids uniform in $\rho$, if its velocity "
    "starts consistently.",
    control=(
        Control("Adams-Bashforth weights of outputs, then averaged: HB", algorithm="hb-3 at 0.8"),
        Control("started at the first output, as published", started="first"),
        Control("velocities damped a little more", algorithm="ghvb-3 at 0.8 slip 0.0005"),
    ),
)
momentum_claim(
    "ghvb-fourth-order",
    4,
    ["ghvb-4 at 0.8"],
    **RHO,
    coarsest=48,
    theorem="GHVB has order r; from the generating function, derived here",
    statement=r"GHVB with four velocities has order 4 on grids uniform in $\rho$, if its velocity "
    "starts consistently.",
    control=(
        Control("started at the first output, as published", started="first"),
        Control("the grid uniform in lambda", kind="logsnr"),
        Control("velocities damped a little more", algorithm="ghvb-4 at 0.8 slip 0.00001"),
    ),
)
momentum_claim(
    "ghvb-order-two",
    2,
    ["ghvb-2 at 0.8", "ghvb-3 at 0.8", "ghvb-4 at 0.8"],
    lam_start=-2.0,
    theorem="derived here",
    statement=r"On a grid uniform in $\lambda$ GHVB has order 2, however many velocities it "
    r"weighs: its weights are those of an unweighted mean, and the integral carries $d\rho$.",
    control=(
        Control("the grid uniform in rho", kind="rho"),
        Control("HB", algorithm="hb-3 at 0.8"),
        Control("velocities damped a little more", algorithm="ghvb-2 at 0.8 slip 0.01"),
    ),
)
