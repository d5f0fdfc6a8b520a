"""Diffusion samplers as plans: schedules, grids, targets with exact scores, certified orders.

A method compiles to a :class:`~theorytk.diffusion.plans.Plan`. Its families are in
:mod:`theorytk.diffusion.samplers`; what is proven is in :mod:`theorytk.diffusion.theory`.
"""

from theorytk.diffusion.centring import (
    centred,
    mean_reverting_sample,
    mean_reverting_velocity,
)
from theorytk.diffusion.certify import (
    BlackBoxSampler,
    OrderCertificate,
    certify_order,
)
from theorytk.diffusion.denoising_mcmc import (
    LEVEL_RULES,
    SELECTIONS,
    GibbsResult,
    Kernel,
    denoise,
    exact_kernel,
    langevin_gibbs,
    mala_kernel,
    ula_kernel,
)
from theorytk.diffusion.execution import (
    SampleResult,
    sample,
)
from theorytk.diffusion.frozen_rates import (
    FROZEN_RATE_METHODS,
    frozen_rate_growth,
    frozen_rate_limit,
    frozen_rate_root_limit,
    momentum_rate_limit,
    multistep_rate_limit,
)
from theorytk.diffusion.grids import (
    GRIDS,
    integer_ladder,
    time_grid,
)
from theorytk.diffusion.instructions import (
    Eval,
    Instruction,
    Lin,
    Noise,
    Ones,
)
from theorytk.diffusion.joint_law import (
    JointLaw,
)
from theorytk.diffusion.mean_reverting import (
    MeanReverting,
)
from theorytk.diffusion.metrics import (
    gaussian_kl,
    gaussian_w2,
    mmd2_unbiased,
    sliced_wasserstein,
)
from theorytk.diffusion.models import (
    OUTPUTS,
    PREDICTIONS,
    Model,
    conversion,
)
from theorytk.diffusion.phi import (
    phi,
    phi_moment,
)
from theorytk.diffusion.plans import Plan, check_times, with_final_denoise
from theorytk.diffusion.reference import (
    ReferenceTrajectory,
    reference_trajectory,
)
from theorytk.diffusion.samplers import (
    METHODS,
    adaptive_sample,
    compile_plan,
)
from theorytk.diffusion.schedules import (
    EDM,
    NoiseSchedule,
    VESchedule,
    VPCosine,
    VPDiscrete,
    VPLinear,
)
from theorytk.diffusion.sde_theory import (
    expected_weak_order,
    first_order_variance_loss,
)
from theorytk.diffusion.stability import (
    STABILITY_METHODS,
    Ellipse,
    LinearMultistep,
    boundary_locus,
    characteristic,
    heavy_ball_ellipse,
    is_stable,
    momentum_lag,
    real_limit,
    real_stability_limit,
    stability_area,
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
    Moments,
    adams_bashforth_differences,
    adams_bashforth_weights,
    ddim_factor,
    expected_order,
    flow_factor,
    propagate_gaussian,
)
from theorytk.diffusion.time_shift import (
    TimeShiftResult,
    by_label,
    error_variance,
    forward_variance,
    time_shift_sample,
)

__all__ = [
    "EDM",
    "FIXED_ORDERS",
    "FROZEN_RATE_METHODS",
    "GRIDS",
    "LEVEL_RULES",
    "METHODS",
    "OUTPUTS",
    "PREDICTIONS",
    "SELECTIONS",
    "STABILITY_METHODS",
    "BlackBoxSampler",
    "Ellipse",
    "Eval",
    "GaussianTarget",
    "GibbsResult",
    "GuidedTarget",
    "Instruction",
    "JointLaw",
    "Kernel",
    "Lin",
    "LinearMultistep",
    "MeanReverting",
    "MixtureTarget",
    "Model",
    "Moments",
    "Noise",
    "NoiseSchedule",
    "Ones",
    "OrderCertificate",
    "Plan",
    "ReferenceTrajectory",
    "SampleResult",
    "Target",
    "TimeShiftResult",
    "VESchedule",
    "VPCosine",
    "VPDiscrete",
    "VPLinear",
    "adams_bashforth_differences",
    "adams_bashforth_weights",
    "adaptive_sample",
    "boundary_locus",
    "by_label",
    "centred",
    "certify_order",
    "characteristic",
    "check_times",
    "compile_plan",
    "conversion",
    "ddim_factor",
    "denoise",
    "error_variance",
    "exact_kernel",
    "expected_order",
    "expected_weak_order",
    "first_order_variance_loss",
    "flow_factor",
    "forward_variance",
    "frozen_rate_growth",
    "frozen_rate_limit",
    "frozen_rate_root_limit",
    "gaussian_kl",
    "gaussian_w2",
    "heavy_ball_ellipse",
    "integer_ladder",
    "is_stable",
    "langevin_gibbs",
    "mala_kernel",
    "mean_reverting_sample",
    "mean_reverting_velocity",
    "mmd2_unbiased",
    "momentum_lag",
    "momentum_rate_limit",
    "multistep_rate_limit",
    "phi",
    "phi_moment",
    "propagate_gaussian",
    "random_mixture",
    "real_limit",
    "real_stability_limit",
    "reference_trajectory",
    "sample",
    "sliced_wasserstein",
    "stability_area",
    "three_modes",
    "time_grid",
    "time_shift_sample",
    "ula_kernel",
    "with_final_denoise",
]
