"""Low-rank matrix sensing by factorised descent: operators, algorithms, laws."""

from theorytk.matrix_sensing.descent import DescentResult, OneStep, factorized_gd
from theorytk.matrix_sensing.invariants import (
    balance,
    imbalance,
    imbalance_step,
    one_step_rescale,
)
from theorytk.matrix_sensing.isometry import IsometryBound, isometry_lower_bound
from theorytk.matrix_sensing.iteration import iterates, log_schedule
from theorytk.matrix_sensing.operators import DenseSensing, GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.problems import (
    init_factors,
    init_symmetric_factor,
    low_rank_matrix,
    reduce_core,
)
from theorytk.matrix_sensing.sensing import SensingOperator
from theorytk.matrix_sensing.structured import EntrySensing, RankOneSensing
from theorytk.matrix_sensing.updates import UPDATE_RULES, gradient_step, sequential_step
