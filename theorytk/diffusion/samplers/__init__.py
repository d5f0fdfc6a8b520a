"""Samplers as functions ``f(schedule, times, **options)`` that return a plan, a family per file."""

from theorytk.diffusion.samplers.adaptive import (
    AdaptiveResult,
    adaptive_sample,
)
from theorytk.diffusion.samplers.compile import (
    METHODS,
    SDE_METHODS,
    compile_plan,
)
from theorytk.diffusion.samplers.deis import (
    deis,
    ipndm,
)
from theorytk.diffusion.samplers.momentum import (
    MOMENTUM_METHODS,
    MomentumWeights,
    ghvb,
    ghvb_weights,
    heavy_ball,
    momentum_weights,
    nesterov,
)
from theorytk.diffusion.samplers.multistep import (
    ddim,
    multistep,
    multistep_weights,
)
from theorytk.diffusion.samplers.runge_kutta import (
    TABLEAUX,
    Tableau,
    rho_runge_kutta,
)
from theorytk.diffusion.samplers.singlestep import (
    fast_orders,
    singlestep,
)
from theorytk.diffusion.samplers.stochastic import (
    SDE_VARIANTS,
    sde_multistep,
)
from theorytk.diffusion.samplers.unipc import (
    unip,
    unipc,
)
from theorytk.diffusion.samplers.v3 import dpm_v3
from theorytk.diffusion.samplers.v3_interpolation import v3_weights

__all__ = [
    "METHODS",
    "MOMENTUM_METHODS",
    "SDE_METHODS",
    "SDE_VARIANTS",
    "TABLEAUX",
    "AdaptiveResult",
    "MomentumWeights",
    "Tableau",
    "adaptive_sample",
    "compile_plan",
    "ddim",
    "deis",
    "dpm_v3",
    "fast_orders",
    "ghvb",
    "ghvb_weights",
    "heavy_ball",
    "ipndm",
    "momentum_weights",
    "multistep",
    "multistep_weights",
    "nesterov",
    "rho_runge_kutta",
    "sde_multistep",
    "singlestep",
    "unip",
    "unipc",
    "v3_weights",
]
