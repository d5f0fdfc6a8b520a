"""Self-consuming training with curation: models retrained on samples that users like.

The proven laws are in :mod:`theorytk.selfconsuming.theory` (bounds) and
:mod:`theorytk.selfconsuming.limits` (exact limits).
"""

from theorytk.selfconsuming.curation import (
    CurationMap,
    FixedPoint,
    curation_weights,
)
from theorytk.selfconsuming.history import (
    RetrainingHistory,
)
from theorytk.selfconsuming.limits import (
    losing_ratio,
    particle_deviations,
    reward_gap_limit,
    tilt,
    tilt_distance_constant,
    two_atom_curated_mass,
    two_atom_fixed_mass,
    uniform_reward_gap,
)
from theorytk.selfconsuming.particles import (
    ParticleHistory,
    empirical_model,
    kde_model,
    luce_choice,
    mixture_model,
    simulate_particles,
)
from theorytk.selfconsuming.theory import (
    contraction_factor,
    density_ratio_bound,
    gain_bound,
    kl_bound,
    mixed_gain_bound,
    paper_kl_bound,
    paper_mixed_gain_bound,
    stability_threshold,
    uncurated_factor,
    weight_bounds,
)

__all__ = [
    "CurationMap",
    "FixedPoint",
    "ParticleHistory",
    "RetrainingHistory",
    "contraction_factor",
    "curation_weights",
    "density_ratio_bound",
    "empirical_model",
    "gain_bound",
    "kde_model",
    "kl_bound",
    "losing_ratio",
    "luce_choice",
    "mixed_gain_bound",
    "mixture_model",
    "paper_kl_bound",
    "paper_mixed_gain_bound",
    "particle_deviations",
    "reward_gap_limit",
    "simulate_particles",
    "stability_threshold",
    "tilt",
    "tilt_distance_constant",
    "two_atom_curated_mass",
    "two_atom_fixed_mass",
    "uncurated_factor",
    "uniform_reward_gap",
    "weight_bounds",
]
