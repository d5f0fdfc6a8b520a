"""Orders of DEIS, of iPNDM, of UniP and of UniPC."""

from __future__ import annotations

from theorytk.claims import Control

from .common import DEIS, UNIPC
from .order_experiments import FOURTH, order_claim, order_experiment

deis_orders = order_experiment("deis-orders", DEIS, "deis_tab2")
unipc_orders = order_experiment("unipc-orders", UNIPC, "unipc-2")

order_claim(
    "deis-second-order",
    2,
    ["deis_tab1", "deis_rhoab1", "deis_logrho1"],
    of=deis_orders,
    theorem="tAB-DEIS and rhoAB-DEIS, r = 1",
    statement=r"DEIS with a polynomial of degree 1 in $t$, in $\rho$ or in $\log\rho$ has order 2.",
    control=(
        Control("the older output forgotten: DDIM", algorithm="deis_tab0"),
        Control("the older output weighed 3% too little", algorithm="deis_tab1 damped 0.03"),
    ),
)
order_claim(
    "deis-third-order",
    3,
    ["deis_tab2", "deis_rhoab2", "deis_logrho2"],
    of=deis_orders,
    theorem="tAB-DEIS and rhoAB-DEIS, r = 2",
    statement=r"DEIS with a polynomial of degree 2 in $t$ has order 3, with its weights integrated "
    r"to round-off.",
    control=(
        Control("weights by the released left Riemann sum", algorithm="deis_tab2 riemann"),
        Control("the oldest of three outputs forgotten", algorithm="deis_tab1"),
        Control("older outputs weighed 0.3% too little", algorithm="deis_tab2 damped 0.003"),
    ),
)
order_claim(
    "deis-fourth-order",
    4,
    ["deis_tab3", "deis_rhoab3"],
    of=deis_orders,
    **FOURTH,
    theorem="tAB-DEIS and rhoAB-DEIS, r = 3",
    statement=r"DEIS with a polynomial of degree 3 in $t$ has order 4, with its weights integrated "
    r"to round-off.",
    control=(
        Control("weights by the released left Riemann sum", algorithm="deis_tab3 riemann"),
        Control("the oldest of four outputs forgotten", algorithm="deis_tab2"),
        Control("older outputs weighed 0.03% too little", algorithm="deis_tab3 damped 0.0003"),
    ),
)
order_claim(
    "ipndm-order-two",
    2,
    ["ipndm"],
    of=deis_orders,
    status="ours",
    theorem="iPNDM; its order derived here",
    statement=r"iPNDM with four terms has order 2, not 4, on a grid uniform in $\lambda$: its "
    r"weights are those of an unweighted mean over the step, and the integral carries $d\rho$.",
    control=(
        Control("exact weights: rhoAB of degree 3", algorithm="deis_rhoab3"),
        Control("the older outputs weighed 3% too little", algorithm="ipndm damped 0.03"),
    ),
)
order_claim(
    "ipndm-uniform-rho",
    4,
    ["ipndm"],
    of=deis_orders,
    kind="rho",
    lam_start=-1.0,
    coarsest=48,
    status="ours",
    theorem="iPNDM; its order derived here",
    statement=r"On a grid uniform in $\rho=\sigma/\alpha$ iPNDM is the Adams-Bashforth method of "
    r"four steps for $dy/d\rho=\epsilon$, of order 4.",
    control=(
        Control("the grid uniform in lambda", kind="logsnr"),
        Control("the older outputs weighed 3e-5 too little", algorithm="ipndm damped 3e-05"),
    ),
)
order_claim(
    "unip-second-order",
    2,
    ["unip-2", "unip-2 bh1", "unip-2 noise"],
    of=unipc_orders,
    coarsest=16,
    theorem="UniP-p, p = 2",
    statement=r"The predictor UniP-2 has order 2 with $B(h)=h$ and with $B(h)=e^h-1$.",
    control=(
        Control("the difference of outputs left out: UniP-1", algorithm="unip-1"),
        Control("the difference of outputs 3% too small", algorithm="unip-2 damped 0.03"),
    ),
)
order_claim(
    "unip-third-order",
    3,
    ["unip-3", "unip-3 noise"],
    of=unipc_orders,
    theorem="UniP-p, p = 3",
    statement=r"The predictor UniP-3 has order 3: its global error is $O(h^3)$.",
    control=(
        Control("lower orders in the last steps", algorithm="3M with lower_order_final"),
        Control("UniP-2, in noise prediction", algorithm="unip-2 noise"),
        Control("differences weighed 0.3% too little", algorithm="unip-3 damped 0.003"),
    ),
)
order_claim(
    "corrector-gains-one",
    3,
    ["unipc-2", "unipc-2 bh1", "unipc-2 noise"],
    of=unipc_orders,
    theorem="UniC raises the order by one (abstract); p = 2",
    statement=r"The corrector raises UniP-2 from order 2 to 3, a global error of $O(h^3)$, and "
    r"calls the model no more often.",
    control=(
        Control("no corrector: UniP-2, in noise prediction", algorithm="unip-2 noise"),
        Control("half of the correction", algorithm="unipc-2 undercorrected 0.5"),
        Control("the correction 0.3% too small", algorithm="unipc-2 undercorrected 0.003"),
    ),
)
order_claim(
    "corrector-gains-one-at-three",
    4,
    ["unipc-3", "unipc-3 noise"],
    of=unipc_orders,
    **FOURTH,
    theorem="UniC raises the order by one (abstract); p = 3",
    statement=r"The corrector raises UniP-3 from order 3 to 4, a global error of $O(h^4)$, and "
    r"calls the model no more often.",
    control=(
        Control("no corrector: UniP-3", algorithm="unip-3"),
        Control("the correction 0.03% too small", algorithm="unipc-3 undercorrected 0.0003"),
        Control(
            "lower orders in the last steps",
            algorithm="unipc-3 with lower_order_final",
        ),
    ),
)
