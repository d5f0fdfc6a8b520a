"""A predictor of solver schedules' errors, and the search in stages that it guides."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import as_generator, check_array, check_int, check_real
from theorytk.diffusion.tuning.decisions import SolverSchedule, StepDecision
from theorytk.diffusion.tuning.unrolled import Trajectories, schedule_errors

__all__ = [
    "PredictorSearchResult",
    "RidgeRegression",
    "SchedulePredictor",
    "predictor_search",
    "schedule_features",
]

Array = np.ndarray
DECISIONS = tuple(field.name for field in dataclasses.fields(StepDecision))


def schedule_features(schedules: Sequence[SolverSchedule]) -> Array:
    """Return indicators of every decision of every step, and of pairs of them.

    Parameters
    ----------
    schedules : sequence of SolverSchedule
        With one time grid. A decision that is the same in all of them gives no indicator.

    Returns
    -------
    ndarray, shape (n_schedules, n_features)
        Zeros and ones.

    Raises
    ------
    ValueError
        If the schedules are none or differ in their times.

    References
    ----------
    Derived here: the released code has no predictor. Pairs are those of different decisions.

    Examples
    --------
    >>> times = [1.0, 0.4, 0.001]
    >>> pair = [SolverSchedule(times, [StepDecision(), StepDecision(p)]) for p in ("noise", "data")]
    >>> schedule_features(pair)
    array([[0., 1.],
           [1., 0.]])
    """
    if not schedules:
        raise ValueError("schedules must hold at least one schedule")
    if len({one.times for one in schedules}) > 1:
        raise ValueError("schedules must have one time grid")
    blocks = []
    for i in range(schedules[0].n_steps):
        for name in DECISIONS:
            values = [str(getattr(one.decisions[i], name)) for one in schedules]
            kinds, codes = np.unique(values, return_inverse=True)
            if len(kinds) > 1:
                blocks.append(np.eye(len(kinds))[codes.reshape(-1)])
    if not blocks:
        return np.zeros((len(schedules), 0))
    singles = np.hstack(blocks)
    of_block = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    left, right = np.nonzero(of_block[:, None] < of_block[None, :])
    return np.hstack([singles, singles[:, left] * singles[:, right]])


class RidgeRegression:
    """Least squares with an intercept and a squared penalty on the other coefficients.

    Parameters
    ----------
    penalty : float
        Its weight, > 0.

    References
    ----------
    The solution in the dual: ``w = A' (A A' + penalty I)^-1 y`` with centred A and y.

    Examples
    --------
    >>> model = RidgeRegression(1e-9).fit([[0.0], [1.0]], [1.0, 3.0])
    >>> model.predict([[2.0]]).round(6)
    array([5.])
    """

    def __init__(self, penalty: float = 1.0) -> None:
        self.penalty = check_real("penalty", penalty, lower=0.0, lower_open=True)

    def fit(self, features: Any, values: Any) -> RidgeRegression:
        """Fit the values (n,) by the features (n, p), and return the model."""
        A = check_array("features", features, ndim=2)
        y = check_array("values", values, shape=(len(A),))
        self.centre = A.mean(axis=0)
        centred = A - self.centre
        dual = np.linalg.solve(centred @ centred.T + self.penalty * np.eye(len(A)), y - y.mean())
        self.coefficients = centred.T @ dual
        self.intercept = float(y.mean() - self.centre @ self.coefficients)
        return self

    def predict(self, features: Any) -> Array:
        """Return the values (m,) that the features (m, p) give."""
        A = check_array("features", features, shape=(None, len(self.centre)))
        predicted: Array = A @ self.coefficients + self.intercept
        return predicted


class SchedulePredictor:
    """A regression of the logarithm of the error on the decisions, over a space of schedules.

    Parameters
    ----------
    schedules : sequence of SolverSchedule
        The space, with one time grid.
    regressor : object, optional
        With ``fit(features, values)`` and ``predict(features)``, such as any of scikit-learn; by
        default :class:`RidgeRegression`.

    References
    ----------
    Liu et al. (ICLR 2024) train a predictor on evaluated schedules; theirs is not released, and
    this one is ours.

    Examples
    --------
    >>> from theorytk.diffusion.tuning.search import decision_space
    >>> space = decision_space([1.0, 0.4, 0.001])
    >>> predictor = SchedulePredictor(space).fit([0, 5, 11, 15], [0.4, 0.3, 0.2, 0.1])
    >>> predictor.predict().shape
    (16,)
    """

    def __init__(self, schedules: Sequence[SolverSchedule], regressor: Any = None) -> None:
        self.features = schedule_features(schedules)
        self.regressor = RidgeRegression() if regressor is None else regressor

    def fit(self, positions: Any, errors: Any) -> SchedulePredictor:
        """Fit the errors > 0, shape (n,), of the schedules at n positions; return the predictor."""
        positions = check_array("positions", positions, ndim=1, dtype=int)
        errors = check_array("errors", errors, shape=positions.shape)
        if not (errors > 0).all():
            raise ValueError(f"errors must be positive; got {errors.min()}")
        self.regressor.fit(self.features[positions], np.log(errors))
        return self

    def predict(self) -> Array:
        """Return the predicted logarithm of the error of every schedule of the space."""
        return np.asarray(self.regressor.predict(self.features))


@dataclass(frozen=True, eq=False)
class PredictorSearchResult:
    """What a search with a predictor evaluated and found.

    Attributes
    ----------
    best : SolverSchedule
        The evaluated schedule with the smallest training error.
    train_error, held_out_error : float
        Its root mean square errors, in the unit of the states.
    positions : ndarray of int, shape (n_evaluated,)
        Which schedules were evaluated, in that order.
    train_errors : ndarray, shape (n_evaluated,)
        Their training errors.
    """

    best: SolverSchedule
    train_error: float
    held_out_error: float
    positions: Array
    train_errors: Array


def predictor_search(
    schedules: Sequence[SolverSchedule],
    train: Trajectories,
    held_out: Trajectories,
    *,
    stages: Sequence[int] = (50, 25, 25),
    regressor: Any = None,
    rng: int | np.random.Generator | None = None,
) -> PredictorSearchResult:
    """Search a space in stages: evaluate, fit the predictor, propose the best predicted.

    Parameters
    ----------
    schedules : sequence of SolverSchedule
        The space, with one time grid.
    train : Trajectories
        What schedules are judged on.
    held_out : Trajectories
        What the best is reported on.
    stages : sequence of int
        How many schedules each stage evaluates; those of the first are drawn at random.
    regressor : object, optional
        As in :class:`SchedulePredictor`.
    rng : int, Generator or None
        Random state.

    Returns
    -------
    PredictorSearchResult

    Raises
    ------
    ValueError
        If the stages are none or take more schedules than there are.

    References
    ----------
    The stages of S^3 (Liu et al., ICLR 2024); their sizes and the predictor are ours.

    Examples
    --------
    >>> import numpy as np
    >>> from theorytk.diffusion import VPLinear, three_modes
    >>> from theorytk.diffusion.tuning.search import decision_space
    >>> from theorytk.diffusion.tuning.unrolled import solve_trajectories
    >>> x = np.random.default_rng(0).standard_normal((48, 2))
    >>> train, held_out = (
    ...     solve_trajectories(three_modes(), VPLinear(), part) for part in (x[:16], x[16:])
    ... )
    >>> space = decision_space([1.0, 0.5, 0.2, 0.001])
    >>> found = predictor_search(space, train, held_out, stages=(20, 10), rng=0)
    >>> len(found.positions)
    30
    """
    sizes = [check_int("stages", size, lower=1) for size in stages]
    if not sizes or sum(sizes) > len(schedules):
        raise ValueError(
            f"stages must take between 1 and {len(schedules)} schedules; got {list(stages)}"
        )
    predictor = SchedulePredictor(schedules, regressor)
    positions = as_generator(rng).choice(len(schedules), sizes[0], replace=False)
    errors = schedule_errors([schedules[i] for i in positions], train)
    for size in sizes[1:]:
        predicted = predictor.fit(positions, errors).predict()
        predicted[positions] = np.inf
        proposed = np.argsort(predicted, kind="stable")[:size]
        more = schedule_errors([schedules[i] for i in proposed], train)
        positions, errors = np.append(positions, proposed), np.append(errors, more)
    found = int(np.argmin(errors))
    best = schedules[positions[found]]
    reported = float(schedule_errors([best], held_out)[0])
    return PredictorSearchResult(best, float(errors[found]), reported, positions, errors)
