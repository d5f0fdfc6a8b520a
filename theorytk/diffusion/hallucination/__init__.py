"""Hallucination by mode interpolation: exact laws of chains, slopes, detection.

A denoiser is a function of points (n, d) and an integer label to predictions of the clean data.
What is proven is in :mod:`theorytk.diffusion.hallucination.theory`.
"""

from theorytk.diffusion.hallucination.chain import (
    Denoiser,
    ReverseSteps,
    checked_prediction,
    levels,
    reverse_steps,
    steep_schedule,
    subsample_schedule,
)
from theorytk.diffusion.hallucination.detector import (
    DetectorReport,
    detector_report,
    least_variable,
    trajectory_variance,
)
from theorytk.diffusion.hallucination.lipschitz import (
    cap_slope,
    excess_loss,
    level_weights,
    lipschitz_projection,
)
from theorytk.diffusion.hallucination.local_window import (
    BoxSignals,
    LocalWindowDenoiser,
)
from theorytk.diffusion.hallucination.mixtures import (
    common_sigma,
    diamond_mixture,
    exact_denoiser,
    grid_mixture,
    line_mixture,
    three_in_a_row,
)
from theorytk.diffusion.hallucination.mlp import (
    MLPDenoiser,
    train_mlp,
)
from theorytk.diffusion.hallucination.modes import (
    mode_spread,
    start_tilt,
)
from theorytk.diffusion.hallucination.propagation import (
    CertifiedMass,
    GridLaw,
    certified_mass,
    ddim_cdf,
    propagate_law,
    transport_quantiles,
)
from theorytk.diffusion.hallucination.ramp import (
    ramp_rate,
)
from theorytk.diffusion.hallucination.recursion import (
    Generation,
    denoiser_of_masses,
    keep_first,
    population_recursion,
    recursive_training,
)
from theorytk.diffusion.hallucination.rules import (
    HallucinationRule,
)
from theorytk.diffusion.hallucination.sampling import (
    ChainSamples,
    sample_chain,
)
from theorytk.diffusion.hallucination.shapes import (
    count_shapes,
    has_repeated_shape,
    sample_shapes,
)
from theorytk.diffusion.hallucination.tables import (
    DenoiserTable,
    default_grid,
    tabulate,
)
from theorytk.diffusion.hallucination.theory import (
    density_floor,
    midpoint_slope,
    ode_exponent,
    ode_valley_density,
    peak_slope,
    required_score_slope,
    score_slope,
    sde_exponent,
    separable_rate,
)

__all__ = [
    "BoxSignals",
    "CertifiedMass",
    "ChainSamples",
    "Denoiser",
    "DenoiserTable",
    "DetectorReport",
    "Generation",
    "GridLaw",
    "HallucinationRule",
    "LocalWindowDenoiser",
    "MLPDenoiser",
    "ReverseSteps",
    "cap_slope",
    "certified_mass",
    "checked_prediction",
    "common_sigma",
    "count_shapes",
    "ddim_cdf",
    "default_grid",
    "denoiser_of_masses",
    "density_floor",
    "detector_report",
    "diamond_mixture",
    "exact_denoiser",
    "excess_loss",
    "grid_mixture",
    "has_repeated_shape",
    "keep_first",
    "least_variable",
    "level_weights",
    "levels",
    "line_mixture",
    "lipschitz_projection",
    "midpoint_slope",
    "mode_spread",
    "ode_exponent",
    "ode_valley_density",
    "peak_slope",
    "population_recursion",
    "propagate_law",
    "ramp_rate",
    "recursive_training",
    "required_score_slope",
    "reverse_steps",
    "sample_chain",
    "sample_shapes",
    "score_slope",
    "sde_exponent",
    "separable_rate",
    "start_tilt",
    "steep_schedule",
    "subsample_schedule",
    "tabulate",
    "three_in_a_row",
    "train_mlp",
    "trajectory_variance",
    "transport_quantiles",
]
