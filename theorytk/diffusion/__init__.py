"""Diffusion samplers as plans: schedules, grids, targets with exact scores, certified orders.

A method compiles to a :class:`~theorytk.diffusion.plans.Plan`. Its families are in
:mod:`theorytk.diffusion.samplers`; what is proven is in :mod:`theorytk.diffusion.theory`.
"""

from theorytk.diffusion.certify import BlackBoxSampler, OrderCertificate, certify_order
from theorytk.diffusion.execution import SampleResult, sample
from theorytk.diffusion.grids import GRIDS, integer_ladder, time_grid
from theorytk.diffusion.mean_reverting import MeanReverting
from theorytk.diffusion.metrics import (
    gaussian_kl,
    gaussian_w2,
    mmd2_unbiased,
    sliced_wasserstein,
)
from theorytk.diffusion.models import OUTPUTS, PREDICTIONS, Model, conversion
from theorytk.diffusion.phi import phi, phi_moment
from theorytk.diffusion.plans import (
    Eval,
    Instruction,
    Lin,
    Noise,
    Plan,
    check_times,
    with_final_denoise,
)
from theorytk.diffusion.reference import ReferenceTrajectory, reference_trajectory
from theorytk.diffusion.samplers import METHODS, adaptive_sample, compile_plan
from theorytk.diffusion.schedules import (
    EDM,
    NoiseSchedule,
    VESchedule,
    VPCosine,
    VPDiscrete,
    VPLinear,
)
from theorytk.diffusion.targets import (
    GaussianTarget,
    GuidedTarget,
    MixtureTarget,
    Target,
    random_mixture,
    three_modes,
)
from theorytk.diffusion.theory import (
    FIXED_ORDERS,
    FROZEN_RATE_METHODS,
    Moments,
    adams_bashforth_weights,
    ddim_factor,
    expected_order,
    flow_factor,
    frozen_rate_limit,
    propagate_gaussian,
)

__all__ = [
    "EDM",
    "FIXED_ORDERS",
    "FROZEN_RATE_METHODS",
    "GRIDS",
    "METHODS",
    "OUTPUTS",
    "PREDICTIONS",
    "BlackBoxSampler",
    "Eval",
    "GaussianTarget",
    "GuidedTarget",
    "Instruction",
    "Lin",
    "MeanReverting",
    "MixtureTarget",
    "Model",
    "Moments",
    "Noise",
    "NoiseSchedule",
    "OrderCertificate",
    "Plan",
    "ReferenceTrajectory",
    "SampleResult",
    "Target",
    "VESchedule",
    "VPCosine",
    "VPDiscrete",
    "VPLinear",
    "adams_bashforth_weights",
    "adaptive_sample",
    "certify_order",
    "check_times",
    "compile_plan",
    "conversion",
    "ddim_factor",
    "expected_order",
    "flow_factor",
    "frozen_rate_limit",
    "gaussian_kl",
    "gaussian_w2",
    "integer_ladder",
    "mmd2_unbiased",
    "phi",
    "phi_moment",
    "propagate_gaussian",
    "random_mixture",
    "reference_trajectory",
    "sample",
    "sliced_wasserstein",
    "three_modes",
    "time_grid",
    "with_final_denoise",
]
