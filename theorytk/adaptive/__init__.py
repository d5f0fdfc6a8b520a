"""Validity in adaptive data analysis: mechanisms, analysts, attacks, and what is guaranteed.

Widths and sample sizes are computed by :mod:`theorytk.adaptive.bounds`; what is proven is in
:mod:`theorytk.adaptive.theory`, :mod:`theorytk.adaptive.transfer`,
:mod:`theorytk.adaptive.update_laws` and :mod:`theorytk.adaptive.attack_laws`.
"""

from theorytk.adaptive.analysts import (
    BoostingAttack,
    FeatureSelection,
    ProgressiveAnalyst,
    QuadraticAdaptive,
    TwoStageAttack,
    accuracy_query,
    agreement_query,
)
from theorytk.adaptive.attacks import (
    AttackResult,
    PackedQueries,
    SignStream,
    plurality_attack,
    random_signs,
    two_stage_attack,
)
from theorytk.adaptive.bounds import (
    BOUNDS,
    Bound,
    Width,
    confidence_width,
    max_queries,
    samples_needed,
)
from theorytk.adaptive.database_update import (
    MedianMechanism,
    PrivateMultiplicativeWeights,
    mw_parameters,
)
from theorytk.adaptive.feature_selection import (
    FeatureSelectionResult,
    feature_selection,
)
from theorytk.adaptive.freedman import (
    FreedmanResult,
    freedman_screening,
)
from theorytk.adaptive.guess_and_check import (
    GuessAndCheck,
)
from theorytk.adaptive.information import (
    binomial_prior,
    gaussian_channel,
    geometric_channel,
    max_information,
    max_information_of_outputs,
    max_information_of_privacy,
    posterior_sensitivity,
)
from theorytk.adaptive.interaction import (
    Analyst,
    Query,
    Transcript,
    interact,
)
from theorytk.adaptive.ladder import (
    Ladder,
    ParameterFreeLadder,
)
from theorytk.adaptive.mechanisms import (
    BudgetExhaustedError,
    EmpiricalMechanism,
    Mechanism,
    RoundingMechanism,
    SplitMechanism,
)
from theorytk.adaptive.noise_addition import (
    GaussianMechanism,
    LaplaceMechanism,
    VarianceCalibratedGaussian,
)
from theorytk.adaptive.privacy import (
    PrivacyLedger,
)
from theorytk.adaptive.rounds import (
    EffectiveRounds,
    SparseValidate,
)
from theorytk.adaptive.sparse_vector import (
    NoiseScales,
    SparseVector,
    sparse_vector_scales,
)
from theorytk.adaptive.thresholdout import (
    GaussianThresholdout,
    Thresholdout,
)

__all__ = [
    "BOUNDS",
    "Analyst",
    "AttackResult",
    "BoostingAttack",
    "Bound",
    "BudgetExhaustedError",
    "EffectiveRounds",
    "EmpiricalMechanism",
    "FeatureSelection",
    "FeatureSelectionResult",
    "FreedmanResult",
    "GaussianMechanism",
    "GaussianThresholdout",
    "GuessAndCheck",
    "Ladder",
    "LaplaceMechanism",
    "Mechanism",
    "MedianMechanism",
    "NoiseScales",
    "PackedQueries",
    "ParameterFreeLadder",
    "PrivacyLedger",
    "PrivateMultiplicativeWeights",
    "ProgressiveAnalyst",
    "QuadraticAdaptive",
    "Query",
    "RoundingMechanism",
    "SignStream",
    "SparseValidate",
    "SparseVector",
    "SplitMechanism",
    "Thresholdout",
    "Transcript",
    "TwoStageAttack",
    "VarianceCalibratedGaussian",
    "Width",
    "accuracy_query",
    "agreement_query",
    "binomial_prior",
    "confidence_width",
    "feature_selection",
    "freedman_screening",
    "gaussian_channel",
    "geometric_channel",
    "interact",
    "max_information",
    "max_information_of_outputs",
    "max_information_of_privacy",
    "max_queries",
    "mw_parameters",
    "plurality_attack",
    "posterior_sensitivity",
    "random_signs",
    "samples_needed",
    "sparse_vector_scales",
    "two_stage_attack",
]
