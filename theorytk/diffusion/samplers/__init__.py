"""Samplers as functions ``f(schedule, times, **options)`` that return a plan, a family per file."""

from theorytk.diffusion.samplers.adaptive import AdaptiveResult, adaptive_sample
from theorytk.diffusion.samplers.compile import METHODS, compile_plan
from theorytk.diffusion.samplers.deis import deis, ipndm
from theorytk.diffusion.samplers.multistep import ddim, multistep, multistep_weights
from theorytk.diffusion.samplers.runge_kutta import TABLEAUX, Tableau, rho_runge_kutta
from theorytk.diffusion.samplers.singlestep import fast_orders, singlestep
from theorytk.diffusion.samplers.unipc import unip, unipc

__all__ = [
    "METHODS",
    "TABLEAUX",
    "AdaptiveResult",
    "Tableau",
    "adaptive_sample",
    "compile_plan",
    "ddim",
    "deis",
    "fast_orders",
    "ipndm",
    "multistep",
    "multistep_weights",
    "rho_runge_kutta",
    "singlestep",
    "unip",
    "unipc",
]
