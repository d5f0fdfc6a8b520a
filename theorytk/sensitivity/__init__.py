"""l_p sensitivity sampling: scores, samples, certified distortion, regression.

The proven laws are in :mod:`theorytk.sensitivity.theory` (scores),
:mod:`theorytk.sensitivity.matrix_laws` (explicit matrices) and
:mod:`theorytk.sensitivity.sampling_laws` (how many rows suffice). Dask arrays are the matter of
:mod:`theorytk.sensitivity.dask`, scikit-learn's conventions of :mod:`theorytk.sensitivity.sklearn`.
"""

from theorytk.sensitivity.adaptive import CertifiedSample, certified_sample
from theorytk.sensitivity.distortion import Distortion, distortion
from theorytk.sensitivity.leverage import (
    BlockLeverage,
    SketchedScores,
    leverage_scores,
    root_leverage_scores,
    sketched_leverage_scores,
)
from theorytk.sensitivity.lewis import (
    LewisWeights,
    OneSidedWeights,
    lewis_weights,
    lewis_weights_onesided,
)
from theorytk.sensitivity.matrices import (
    coherent,
    flat_block,
    hadamard_block,
    heavy_tailed,
    lower_bound_instance,
    polynomial_features,
    sparse_plus_low_rank,
    stacked_identity,
    vandermonde,
)
from theorytk.sensitivity.regression import Regression, irls, lp_regression
from theorytk.sensitivity.sampled_regression import SampledRegression, sampled_regression
from theorytk.sensitivity.sampling import (
    FlattenedScores,
    RootLeverageSample,
    RowSample,
    augmented_scores,
    flattened_scores,
    root_leverage_sample,
    sample_rows,
)
from theorytk.sensitivity.sensitivities import Sensitivities, sensitivities
from theorytk.sensitivity.streaming import Coreset, StreamedCoreset, StreamingCoreset
from theorytk.sensitivity.totals import (
    MaxSensitivity,
    TotalSensitivity,
    block_sensitivities,
    max_sensitivity,
    total_sensitivity,
)

__all__ = [
    "BlockLeverage",
    "CertifiedSample",
    "Coreset",
    "Distortion",
    "FlattenedScores",
    "LewisWeights",
    "MaxSensitivity",
    "OneSidedWeights",
    "Regression",
    "RootLeverageSample",
    "RowSample",
    "SampledRegression",
    "Sensitivities",
    "SketchedScores",
    "StreamedCoreset",
    "StreamingCoreset",
    "TotalSensitivity",
    "augmented_scores",
    "block_sensitivities",
    "certified_sample",
    "coherent",
    "distortion",
    "flat_block",
    "flattened_scores",
    "hadamard_block",
    "heavy_tailed",
    "irls",
    "leverage_scores",
    "lewis_weights",
    "lewis_weights_onesided",
    "lower_bound_instance",
    "lp_regression",
    "max_sensitivity",
    "polynomial_features",
    "root_leverage_sample",
    "root_leverage_scores",
    "sample_rows",
    "sampled_regression",
    "sensitivities",
    "sketched_leverage_scores",
    "sparse_plus_low_rank",
    "stacked_identity",
    "total_sensitivity",
    "vandermonde",
]
