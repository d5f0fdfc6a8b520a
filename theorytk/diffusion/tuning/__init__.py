"""What is fitted to a model before sampling: its statistics, solver schedules, compensation."""

from theorytk.diffusion.tuning.cascade import (
    CascadePolynomialRegression,
)
from theorytk.diffusion.tuning.compensation import (
    Compensation,
    search_compensation,
)
from theorytk.diffusion.tuning.decisions import (
    CORRECTORS,
    MOST_OUTPUTS,
    RELAXATIONS,
    SolverSchedule,
    StepDecision,
)
from theorytk.diffusion.tuning.estimation import (
    JACOBIANS,
    estimate_statistics,
)
from theorytk.diffusion.tuning.evolution import (
    EvolutionResult,
    Mutation,
    evolve,
)
from theorytk.diffusion.tuning.gradient import (
    RefinementResult,
    noise_jacobian_product,
    refine,
)
from theorytk.diffusion.tuning.predictor import (
    PredictorSearchResult,
    RidgeRegression,
    SchedulePredictor,
    predictor_search,
    schedule_features,
)
from theorytk.diffusion.tuning.search import (
    BASELINES,
    SearchResult,
    baselines,
    decision_space,
    exhaustive_search,
    n_distinct_solvers,
    n_schedules,
)
from theorytk.diffusion.tuning.statistics import (
    ModelStatistics,
    gaussian_statistics,
)
from theorytk.diffusion.tuning.step_grid_theory import (
    angle_grid,
    ddim_contraction,
    noise_angle,
)
from theorytk.diffusion.tuning.step_grids import (
    OptimalGrid,
    StepCosts,
    optimal_grid,
    step_costs,
)
from theorytk.diffusion.tuning.unrolled import (
    PlanBatch,
    Trajectories,
    Unrolled,
    schedule_errors,
    solve_trajectories,
    unroll,
)

__all__ = [
    "BASELINES",
    "CORRECTORS",
    "JACOBIANS",
    "MOST_OUTPUTS",
    "RELAXATIONS",
    "CascadePolynomialRegression",
    "Compensation",
    "EvolutionResult",
    "ModelStatistics",
    "Mutation",
    "OptimalGrid",
    "PlanBatch",
    "PredictorSearchResult",
    "RefinementResult",
    "RidgeRegression",
    "SchedulePredictor",
    "SearchResult",
    "SolverSchedule",
    "StepCosts",
    "StepDecision",
    "Trajectories",
    "Unrolled",
    "angle_grid",
    "baselines",
    "ddim_contraction",
    "decision_space",
    "estimate_statistics",
    "evolve",
    "exhaustive_search",
    "gaussian_statistics",
    "n_distinct_solvers",
    "n_schedules",
    "noise_angle",
    "noise_jacobian_product",
    "optimal_grid",
    "predictor_search",
    "refine",
    "schedule_errors",
    "schedule_features",
    "search_compensation",
    "solve_trajectories",
    "step_costs",
    "unroll",
]
