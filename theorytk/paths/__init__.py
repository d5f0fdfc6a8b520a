"""Probability paths: kinetic-optimal ones and stochastic interpolants.

What is proven is in :mod:`theorytk.paths.theory`, :mod:`theorytk.paths.separation_laws`,
:mod:`theorytk.paths.interpolant_theory` and :mod:`theorytk.paths.kl_examples`.
"""

from theorytk.paths.bridges import (
    GaussianBridge,
    gaussian_schroedinger_bridge,
    variance_action,
)
from theorytk.paths.checkerboard import (
    checkerboard_posterior_mean,
    checkerboard_sample,
    checkerboard_separation,
    outside_checkerboard,
)
from theorytk.paths.datasets import (
    DataSet,
    entropy,
    normalise,
)
from theorytk.paths.energy import (
    DiscretePath,
    conditional_energy,
    kinetic_energy,
    minimise_discrete_energy,
)
from theorytk.paths.fokker_planck import (
    fokker_planck_residual,
    kl_along_flow,
    kl_on_grid,
    solve_fokker_planck,
)
from theorytk.paths.gaussian_paths import (
    GaussianPath,
    PolarState,
)
from theorytk.paths.generate import (
    METHODS,
    denoise,
    feynman_kac,
    integrate_ode,
    integrate_sde,
)
from theorytk.paths.interpolants import (
    Coefficients,
    Gamma,
    Interpolant,
    NonlinearInterpolant,
    Parts,
    gamma_schedule,
    interpolant,
)
from theorytk.paths.kinetic_optimal import (
    KineticBVP,
    best_vp_path,
    kinetic_optimal_path,
    solve_kinetic_bvp,
)
from theorytk.paths.mixtures import (
    GaussianMixture,
    MixtureInterpolant,
)
from theorytk.paths.named_paths import (
    cond_ot_path,
    ddpm_path,
    perturbed_path,
    polynomial_path,
    trigonometric_path,
    vp_linear_path,
)
from theorytk.paths.objectives import (
    TARGETS,
    interpolant_loss,
)
from theorytk.paths.oracles import (
    atoms_separation,
    gaussian_posterior_mean,
    gaussian_separation,
    single_point_separation,
    sphere_separation,
    subspace_separation,
    two_point_separation,
)
from theorytk.paths.profile import (
    Profile,
    separation_profile,
)
from theorytk.paths.separation import (
    Separation,
    default_angles,
    separation_function,
)
from theorytk.paths.smoothness import (
    count_modes,
    fisher_information,
    interpolant_energy,
    mean_square,
    velocity_lipschitz,
)

__all__ = [
    "METHODS",
    "TARGETS",
    "Coefficients",
    "DataSet",
    "DiscretePath",
    "Gamma",
    "GaussianBridge",
    "GaussianMixture",
    "GaussianPath",
    "Interpolant",
    "KineticBVP",
    "MixtureInterpolant",
    "NonlinearInterpolant",
    "Parts",
    "PolarState",
    "Profile",
    "Separation",
    "atoms_separation",
    "best_vp_path",
    "checkerboard_posterior_mean",
    "checkerboard_sample",
    "checkerboard_separation",
    "cond_ot_path",
    "conditional_energy",
    "count_modes",
    "ddpm_path",
    "default_angles",
    "denoise",
    "entropy",
    "feynman_kac",
    "fisher_information",
    "fokker_planck_residual",
    "gamma_schedule",
    "gaussian_posterior_mean",
    "gaussian_schroedinger_bridge",
    "gaussian_separation",
    "integrate_ode",
    "integrate_sde",
    "interpolant",
    "interpolant_energy",
    "interpolant_loss",
    "kinetic_energy",
    "kinetic_optimal_path",
    "kl_along_flow",
    "kl_on_grid",
    "mean_square",
    "minimise_discrete_energy",
    "normalise",
    "outside_checkerboard",
    "perturbed_path",
    "polynomial_path",
    "separation_function",
    "separation_profile",
    "single_point_separation",
    "solve_fokker_planck",
    "solve_kinetic_bvp",
    "sphere_separation",
    "subspace_separation",
    "trigonometric_path",
    "two_point_separation",
    "variance_action",
    "velocity_lipschitz",
    "vp_linear_path",
]
