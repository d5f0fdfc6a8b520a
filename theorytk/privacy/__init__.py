"""Private sums of similarities: noise that is private, sums of distances and of kernels, audits.

What is proven is in :mod:`theorytk.privacy.distance_theory`, :mod:`theorytk.privacy.kernel_theory`,
:mod:`theorytk.privacy.lower_bounds` and :mod:`theorytk.privacy.audit_theory`.
"""

from theorytk.privacy._estimator import (
    NotFittedError,
)
from theorytk.privacy.answering import AnsweringMechanism, CountingMechanism
from theorytk.privacy.audit_result import (
    AuditReport,
    AuditResult,
)
from theorytk.privacy.audit_sampling import (
    granularity_audit,
    one_run_audit,
    two_sample_audit,
)
from theorytk.privacy.audit_scale import (
    scale_audit,
    scale_limit,
)
from theorytk.privacy.audit_structural import (
    ReleasedPair,
    WorstPair,
    canary_scores,
    release_pair,
    structural_audit,
    worst_pair,
)
from theorytk.privacy.audit_theory import (
    certified_epsilon,
    detection_probability,
    gaussian_certified,
    laplace_certified,
    one_run_certified,
    one_run_epsilon,
    one_run_p_value,
)
from theorytk.privacy.audits import (
    Mutant,
    MutationAudit,
    audit,
    black_box_audit,
    mutation_audit,
)
from theorytk.privacy.bernstein import (
    Bernstein,
    bernstein,
    bernstein_error,
    bernstein_noise,
)
from theorytk.privacy.classification import (
    ClassFeatures,
    average_noise,
    best_count_share,
    class_features,
)
from theorytk.privacy.composition import (
    advanced_composition,
    laplace_composed_delta,
    laplace_composed_epsilon,
)
from theorytk.privacy.conversions import (
    gaussian_delta,
    gaussian_epsilon,
    gaussian_sigma,
    pure_delta,
    pure_zcdp,
    sharp_zcdp_delta,
    sharp_zcdp_epsilon,
    zcdp_epsilon,
    zcdp_rho,
)
from theorytk.privacy.dimension_reduction import (
    RADIAL_KERNELS,
    distortion_constant,
    distortion_deviation,
    gaussian_kernel_moments,
    gaussian_map,
    johnson_lindenstrauss_dimension,
    largest_distortion,
    mapped_kernel_error,
)
from theorytk.privacy.distance_theory import (
    flat_noise_rms,
    gaussian_distance_noise,
    hat_noise_rms,
    huang_roth_order,
    noise_rms,
    split_noise,
    squared_distance_noise,
    tree_flat_crossover,
    tree_noise_bound,
)
from theorytk.privacy.distances import (
    PrivateDistanceSum,
)
from theorytk.privacy.dp_sgd import (
    SoftmaxRegression,
    dp_sgd,
    sampled_gaussian_epsilon,
    sampled_gaussian_multiplier,
    sampled_gaussian_rdp,
)
from theorytk.privacy.dyadic_tree import (
    DyadicTree,
    dyadic_tree,
)
from theorytk.privacy.exact_sums import (
    distance_sum,
    kernel_sum,
)
from theorytk.privacy.exact_tree import (
    ExactTree,
    exact_tree,
)
from theorytk.privacy.exponential_spline import (
    ExponentialSpline,
    exponential_spline,
    mean_square_weights,
    spline_loss_supremum,
)
from theorytk.privacy.exponential_sums import (
    ExponentialSum,
    certified_error,
    exponential_sum,
    exponential_sum_rate,
)
from theorytk.privacy.flat_histogram import (
    FlatHistogram,
    flat_histogram,
)
from theorytk.privacy.gauss_transform import (
    GaussTransform,
    gauss_transform,
    gauss_transform_error,
    gauss_transform_noise,
    gauss_transform_sensitivity,
)
from theorytk.privacy.gaussian_process import (
    MAX_QUERIES,
    GaussianProcess,
    KernelProjections,
    gaussian_process,
)
from theorytk.privacy.guarantees import (
    NEIGHBOURS,
    NORMS,
    PrivacyGuarantee,
    compose,
)
from theorytk.privacy.hashing import (
    BINNING_KERNELS,
    Hashes,
    angular_collision,
    angular_hashes,
    binning_hashes,
    l2_collision,
    l2_hashes,
)
from theorytk.privacy.hat import (
    HierarchicalHat,
    hat_loss_supremum,
    hierarchical_hat,
)
from theorytk.privacy.kernel_mechanisms import (
    MECHANISMS,
)
from theorytk.privacy.kernel_sums import (
    PrivateKernelSum,
)
from theorytk.privacy.kernel_theory import (
    best_feature_count,
    exponential_spline_noise_rms,
    feature_variance,
    gaussian_feature_noise,
    kernel_sum_lower_bound,
    laplace_feature_noise,
)
from theorytk.privacy.kernels import (
    KERNELS,
    kernel_profile,
    kernel_values,
    random_frequencies,
)
from theorytk.privacy.linear_mechanism import (
    LinearMechanism,
)
from theorytk.privacy.lower_bounds import (
    distance_sum_lower_bound,
    distance_sum_zcdp_lower_bound,
)
from theorytk.privacy.metric_privacy import (
    hat_metric_loss,
    kernel_metric_loss,
)
from theorytk.privacy.noise import (
    NOISES,
    PrivacyWarning,
    discrete_gaussian,
    discrete_laplace,
    float_gaussian,
    float_laplace,
    noise_variance,
    quantise,
    release,
)
from theorytk.privacy.projections import (
    CLIP_FAILURE,
    projection_box,
    projection_deviation,
    projection_relative_sd,
    random_directions,
)
from theorytk.privacy.race import (
    Race,
    race,
    race_deviation,
    race_noise,
)
from theorytk.privacy.random_features import (
    RandomFeatures,
    ReleasedCount,
    feature_deviation,
    random_features,
    released_count,
)
from theorytk.privacy.squared_distance import (
    SquaredDistance,
    squared_distance,
)
from theorytk.privacy.tensor_mechanism import (
    TensorMechanism,
)

__all__ = [
    "BINNING_KERNELS",
    "CLIP_FAILURE",
    "KERNELS",
    "MAX_QUERIES",
    "MECHANISMS",
    "NEIGHBOURS",
    "NOISES",
    "NORMS",
    "RADIAL_KERNELS",
    "AnsweringMechanism",
    "AuditReport",
    "AuditResult",
    "Bernstein",
    "ClassFeatures",
    "CountingMechanism",
    "DyadicTree",
    "ExactTree",
    "ExponentialSpline",
    "ExponentialSum",
    "FlatHistogram",
    "GaussTransform",
    "GaussianProcess",
    "Hashes",
    "HierarchicalHat",
    "KernelProjections",
    "LinearMechanism",
    "Mutant",
    "MutationAudit",
    "NotFittedError",
    "PrivacyGuarantee",
    "PrivacyWarning",
    "PrivateDistanceSum",
    "PrivateKernelSum",
    "Race",
    "RandomFeatures",
    "ReleasedCount",
    "ReleasedPair",
    "SoftmaxRegression",
    "SquaredDistance",
    "TensorMechanism",
    "WorstPair",
    "advanced_composition",
    "angular_collision",
    "angular_hashes",
    "audit",
    "average_noise",
    "bernstein",
    "bernstein_error",
    "bernstein_noise",
    "best_count_share",
    "best_feature_count",
    "binning_hashes",
    "black_box_audit",
    "canary_scores",
    "certified_epsilon",
    "certified_error",
    "class_features",
    "compose",
    "detection_probability",
    "discrete_gaussian",
    "discrete_laplace",
    "distance_sum",
    "distance_sum_lower_bound",
    "distance_sum_zcdp_lower_bound",
    "distortion_constant",
    "distortion_deviation",
    "dp_sgd",
    "dyadic_tree",
    "exact_tree",
    "exponential_spline",
    "exponential_spline_noise_rms",
    "exponential_sum",
    "exponential_sum_rate",
    "feature_deviation",
    "feature_variance",
    "flat_histogram",
    "flat_noise_rms",
    "float_gaussian",
    "float_laplace",
    "gauss_transform",
    "gauss_transform_error",
    "gauss_transform_noise",
    "gauss_transform_sensitivity",
    "gaussian_certified",
    "gaussian_delta",
    "gaussian_distance_noise",
    "gaussian_epsilon",
    "gaussian_feature_noise",
    "gaussian_kernel_moments",
    "gaussian_map",
    "gaussian_process",
    "gaussian_sigma",
    "granularity_audit",
    "hat_loss_supremum",
    "hat_metric_loss",
    "hat_noise_rms",
    "hierarchical_hat",
    "huang_roth_order",
    "johnson_lindenstrauss_dimension",
    "kernel_metric_loss",
    "kernel_profile",
    "kernel_sum",
    "kernel_sum_lower_bound",
    "kernel_values",
    "l2_collision",
    "l2_hashes",
    "laplace_certified",
    "laplace_composed_delta",
    "laplace_composed_epsilon",
    "laplace_feature_noise",
    "largest_distortion",
    "mapped_kernel_error",
    "mean_square_weights",
    "mutation_audit",
    "noise_rms",
    "noise_variance",
    "one_run_audit",
    "one_run_certified",
    "one_run_epsilon",
    "one_run_p_value",
    "projection_box",
    "projection_deviation",
    "projection_relative_sd",
    "pure_delta",
    "pure_zcdp",
    "quantise",
    "race",
    "race_deviation",
    "race_noise",
    "random_directions",
    "random_features",
    "random_frequencies",
    "release",
    "release_pair",
    "released_count",
    "sampled_gaussian_epsilon",
    "sampled_gaussian_multiplier",
    "sampled_gaussian_rdp",
    "scale_audit",
    "scale_limit",
    "sharp_zcdp_delta",
    "sharp_zcdp_epsilon",
    "spline_loss_supremum",
    "split_noise",
    "squared_distance",
    "squared_distance_noise",
    "structural_audit",
    "tree_flat_crossover",
    "tree_noise_bound",
    "two_sample_audit",
    "worst_pair",
    "zcdp_epsilon",
    "zcdp_rho",
]
