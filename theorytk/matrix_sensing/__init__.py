"""Low-rank matrix sensing by factorised descent: operators, algorithms, laws.

The proven laws are in :mod:`theorytk.matrix_sensing.theory`, first-order and random-matrix
predictions in :mod:`theorytk.matrix_sensing.predictions`, and the scikit-learn estimator in
:mod:`theorytk.matrix_sensing.sklearn`.
"""

from theorytk.matrix_sensing.batch import BatchResult, batched_gd
from theorytk.matrix_sensing.descent import DescentResult, OneStep, factorized_gd
from theorytk.matrix_sensing.flows import flow_balanced, flow_scalar, flow_symmetric
from theorytk.matrix_sensing.invariants import (
    balance,
    imbalance,
    imbalance_step,
    one_step_rescale,
)
from theorytk.matrix_sensing.isometry import IsometryBound, isometry_lower_bound
from theorytk.matrix_sensing.iteration import iterates, log_schedule
from theorytk.matrix_sensing.local_rate import (
    LocalRate,
    Prediction,
    local_rate,
    predict_iterations,
)
from theorytk.matrix_sensing.operators import DenseSensing, GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.problems import (
    init_factors,
    init_symmetric_factor,
    low_rank_matrix,
    reduce_core,
)
from theorytk.matrix_sensing.sensing import SensingOperator
from theorytk.matrix_sensing.structured import EntrySensing, RankOneSensing
from theorytk.matrix_sensing.updates import (
    UPDATE_RULES,
    AlternatingLeastSquares,
    agn_step,
    damped_step,
    gradient_step,
    precgd_step,
    scaled_step,
    sequential_step,
)

__all__ = [
    "UPDATE_RULES",
    "AlternatingLeastSquares",
    "BatchResult",
    "DenseSensing",
    "DescentResult",
    "EntrySensing",
    "GaussianSensing",
    "IdentitySensing",
    "IsometryBound",
    "LocalRate",
    "OneStep",
    "Prediction",
    "RankOneSensing",
    "SensingOperator",
    "agn_step",
    "balance",
    "batched_gd",
    "damped_step",
    "factorized_gd",
    "flow_balanced",
    "flow_scalar",
    "flow_symmetric",
    "gradient_step",
    "imbalance",
    "imbalance_step",
    "init_factors",
    "init_symmetric_factor",
    "isometry_lower_bound",
    "iterates",
    "local_rate",
    "log_schedule",
    "low_rank_matrix",
    "one_step_rescale",
    "precgd_step",
    "predict_iterations",
    "reduce_core",
    "scaled_step",
    "sequential_step",
]
