"""Orders of DDIM, of the DPM-Solvers and of the Runge-Kutta methods in rho."""

from __future__ import annotations

from theorytk.claims import Control

from .common import DEIS, DPM, DPMPP
from .order_experiments import FOURTH, order_claim, order_experiment

dpm_orders = order_experiment("dpm-orders", DPM, "dpm_2s")
dpmpp_orders = order_experiment("dpmpp-orders", DPMPP, "dpmpp_2m")
runge_kutta_orders = order_experiment("runge-kutta-orders", DEIS, "heun")

order_claim(
    "first-order",
    1,
    ["ddim"],
    of=dpm_orders,
    kind=["logsnr", "uniform", "quadratic"],
    theorem="convergence theorem, k = 1",
    statement=r"DDIM, which is DPM-Solver-1, has a global error of order $h$ on grids uniform in "
    r"$\lambda$, in $t$ and in $\sqrt t$.",
    control=Control("the weight of the output 1% too small", algorithm="ddim 1% short"),
)
order_claim(
    "singlestep-second-order",
    2,
    ["dpm_2s", "dpm_2s taylor"],
    of=dpm_orders,
    theorem="convergence theorem, k = 2",
    statement=r"DPM-Solver-2 (singlestep, $r_1=\frac12$) has order 2: global error "
    r"$O(h^2)$, with both published weights of the inner output.",
    control=(
        Control("the term with 1/(2 r1) left out", algorithm="dpm_2s damped 1"),
        Control("that term 3% too small", algorithm="dpm_2s damped 0.03"),
    ),
)
order_claim(
    "singlestep-third-order",
    3,
    ["dpm_3s", "dpm_3s taylor"],
    of=dpm_orders,
    theorem="convergence theorem, k = 3",
    statement=r"DPM-Solver-3 (singlestep, $r_1=\frac13$, $r_2=\frac23$) has order 3: global error "
    r"$O(h^3)$, with both published weights of the inner outputs.",
    control=(
        Control("DPM-Solver-2 in its place", algorithm="dpm_2s"),
        Control("outputs 0.01% off, in data prediction", algorithm="dpmpp_3s damped 0.0001"),
    ),
)
order_claim(
    "dpmpp-second-order",
    2,
    ["dpmpp_2m", "dpmpp_2m taylor", "dpm_2m", "dpmpp_2s"],
    of=dpmpp_orders,
    coarsest=16,
    theorem="DPM-Solver++(2S) and (2M), Algorithms 1 and 2",
    statement=r"The multistep method 2M in data and in noise prediction, and DPM-Solver++(2S), "
    r"have order 2: global error $O(h^2)$.",
    control=(
        Control("the difference of outputs left out", algorithm="dpmpp_2m damped 1"),
        Control("the difference of outputs 3% too small", algorithm="dpmpp_2m damped 0.03"),
    ),
)
order_claim(
    "uneven-steps",
    2,
    ["dpmpp_2m", "dpm_2m"],
    of=dpmpp_orders,
    kind="alternating",
    theorem="DPM-Solver++(2M), Algorithm 2",
    statement=r"With $r_0=h_{i-1}/h_i$ the method 2M has order 2 on steps that alternate in the "
    r"ratio 1 to 4.",
    control=(
        Control("r_0 = 1, as for equal steps", algorithm="2M with r0 = 1"),
        Control("the difference of outputs 2% too small", algorithm="dpmpp_2m damped 0.02"),
    ),
)
order_claim(
    "dpmpp-singlestep-third-order",
    3,
    ["dpmpp_3s"],
    of=dpmpp_orders,
    status="ours",
    theorem="DPM-Solver-3 in data prediction, from the released code",
    statement=r"DPM-Solver++(3S), singlestep in data prediction, has order 3: global error "
    r"$O(h^3)$.",
    control=(
        Control("DPM-Solver++(2S) in its place", algorithm="dpmpp_2s"),
        Control("differences weighed 0.01% too little", algorithm="dpmpp_3s damped 0.0001"),
    ),
)
order_claim(
    "heun-second-order",
    2,
    ["heun"],
    of=runge_kutta_orders,
    theorem="rhoRK; Algorithm 1 of Karras et al. (2022)",
    statement=r"Heun's method for $dy/d\rho=\epsilon$, $y=x/\alpha$, $\rho=\sigma/\alpha$, has "
    r"order 2.",
    control=(
        Control("the slope at the end forgotten: Euler", algorithm="euler"),
        Control("the slope at the end weighed 10% too little", algorithm="heun damped 0.1"),
    ),
)
order_claim(
    "runge-kutta-third-order",
    3,
    [f"deis_rhork_{name}" for name in ("kutta3", "ralston3", "heun3", "houwen3", "ssprk3")],
    of=runge_kutta_orders,
    theorem="rhoRK, third-order tableaux of the released code",
    statement=r"The five third-order Butcher tableaux give methods of order 3 in $\rho$.",
    control=(
        Control("Heun's second-order method", algorithm="heun"),
        Control("later slopes 0.02% too little", algorithm="deis_rhork_kutta3 damped 0.0002"),
    ),
)
order_claim(
    "runge-kutta-fourth-order",
    4,
    ["deis_rhork_rk4"],
    of=runge_kutta_orders,
    **FOURTH,
    theorem="rhoRK, the classical tableau",
    statement=r"The classical Runge-Kutta method has order 4 in $\rho$.",
    control=(
        Control("Kutta's third-order method", algorithm="deis_rhork_kutta3"),
        Control("later slopes weighed 3e-6 too little", algorithm="deis_rhork_rk4 damped 3e-06"),
    ),
)
