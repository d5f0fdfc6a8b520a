"""The released third-order multistep method: its order, the reason, and the consistent weights."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.diffusion import adams_bashforth_weights
from theorytk.diffusion.samplers import multistep_weights
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, exact_estimate

from .common import DPMPP
from .order_experiments import order_claim, order_experiment

third_orders = order_experiment("third-order-multistep", DPMPP, "dpmpp_3m")

order_claim(
    "published-3m-is-second-order",
    2,
    ["dpmpp_3m published", "dpm_3m published"],
    of=third_orders,
    coarsest=64,
    status="erratum",
    theorem="third-order multistep solver of the released code",
    statement=r"The released multistep solver of order 3, in data and in noise prediction, has "
    r"order 2: its $D_2$ is the coefficient of $u^2$, $h^2f''/2$, weighed by $h\varphi_3$ "
    r"in place of $2h\varphi_3$.",
    control=(
        Control("the order that the code states: the weight of D2 doubled", algorithm="dpmpp_3m"),
        Control("the method 2M, its difference 2% too small", algorithm="dpmpp_2m damped 0.02"),
    ),
)
order_claim(
    "third-order-multistep",
    3,
    ["dpmpp_3m", "dpm_3m"],
    of=third_orders,
    status="ours",
    theorem="the consistent weights, derived here",
    statement=r"With the weight $2h\varphi_3$ of $D_2$, that is the exact integral of the "
    r"interpolating polynomial, the multistep method has order 3.",
    control=(
        Control("the released weight", algorithm="dpmpp_3m published"),
        Control("differences weighed 0.3% too little", algorithm="dpmpp_3m damped 0.003"),
        Control("lower orders in the last steps", algorithm="3M with lower_order_final"),
    ),
)


@experiment(
    "diffusion-samplers/small-step-weights",
    paper=DPMPP,
    design=grid(order=[2, 3, 4, 5], output=["data", "noise"], variant="consistent"),
    paired=("variant",),
    columns={"error": Column("largest difference of a weight from its limit, over h")},
    presets={"quick": dict(replicates=1), "paper": dict(replicates=1)},
)
def small_step_weights(*, order, output, variant, h=1e-7, rng):
    """Weights of equal steps h in lambda over their sum, against Adams and Bashforth's."""
    if order > 3 and variant == "published":
        variant = "consistent"
    nodes = [-float(j) for j in range(order)]
    weights = np.array(multistep_weights(nodes, h, output=output, variant=variant))
    return {"error": np.max(np.abs(weights / weights.sum() - adams_bashforth_weights(order)))}


@claim(
    "diffusion-samplers/adams-bashforth-limit",
    theorem="derived here",
    status="erratum",
    statement=r"As $h\to0$ the weights of a consistent multistep step of order 3 tend to "
    r"Adams and Bashforth's $(23,-16,5)/12$; the released ones tend to $(\frac{11}6,-\frac76,"
    r"\frac13)$. So at every order: a method of order $k$ has no other limit.",
    experiment=small_step_weights,
    kind="identity",
    region=AtMost(1e-6),
    reason="at h = 1e-7 the weights differ from their limits by a multiple of h below 10",
    assumptions=(Assumption("equal steps in lambda"),),
    control=Control("the released weights of order 3", variant="published"),
)
def adams_bashforth_limit(table):
    """Largest difference from the limit, per order and prediction."""
    return {
        f"order {order}, {output}": exact_estimate(g["error"].max(), len(g))
        for (order, output), g in table.groupby(["order", "output"])
    }
