"""Conformal selection: test points whose unknown label exceeds a threshold, with FDR control.

The proven laws are in :mod:`theorytk.conformal.theory` and :mod:`theorytk.conformal.limits`.
"""

from theorytk.conformal.audit import (
    Audit,
    NullRanks,
    audit_exchangeability,
    null_rank_test,
)
from theorytk.conformal.baselines import (
    naive_selection,
    random_selection,
    split_selection,
    unpruned_selection,
)
from theorytk.conformal.full import (
    class_weights,
    full_scores,
    held_out_scores,
    optcs_full,
    optcs_full_msel,
)
from theorytk.conformal.learners import (
    ColumnsLearner,
    KernelRidgeLearner,
    KNNLearner,
    Learner,
    RidgeLearner,
    ScaledLearner,
    predict_all,
)
from theorytk.conformal.multiple_testing import (
    bh,
    ebh,
    q_values,
    storey_bh,
)
from theorytk.conformal.problems import (
    ShiftedData,
    screening_data,
    separated_data,
    shifted_data,
    shifted_prediction,
)
from theorytk.conformal.pruning import (
    PRUNINGS,
    Selection,
)
from theorytk.conformal.pvalues import (
    conformal_pvalues,
)
from theorytk.conformal.regressions import (
    SETTINGS,
    Setting,
    regression_data,
)
from theorytk.conformal.scores import (
    checked_score,
    clip_score,
    quantile_score,
    residual_score,
    sub_score,
)
from theorytk.conformal.selection import (
    cfbh,
    optcs_msel,
    wcs,
)
from theorytk.conformal.sizes import (
    leave_one_out_sizes,
)

__all__ = [
    "PRUNINGS",
    "SETTINGS",
    "Audit",
    "ColumnsLearner",
    "KNNLearner",
    "KernelRidgeLearner",
    "Learner",
    "NullRanks",
    "RidgeLearner",
    "ScaledLearner",
    "Selection",
    "Setting",
    "ShiftedData",
    "audit_exchangeability",
    "bh",
    "cfbh",
    "checked_score",
    "class_weights",
    "clip_score",
    "conformal_pvalues",
    "ebh",
    "full_scores",
    "held_out_scores",
    "leave_one_out_sizes",
    "naive_selection",
    "null_rank_test",
    "optcs_full",
    "optcs_full_msel",
    "optcs_msel",
    "predict_all",
    "q_values",
    "quantile_score",
    "random_selection",
    "regression_data",
    "residual_score",
    "screening_data",
    "separated_data",
    "shifted_data",
    "shifted_prediction",
    "split_selection",
    "storey_bh",
    "sub_score",
    "unpruned_selection",
    "wcs",
]
