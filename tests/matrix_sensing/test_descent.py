import warnings

import numpy as np
import pytest

from theorytk.matrix_sensing.descent import OneStep, factorized_gd
from theorytk.matrix_sensing.iteration import iterates, log_schedule
from theorytk.matrix_sensing.operators import GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.problems import init_factors, init_symmetric_factor, low_rank_matrix
from theorytk.matrix_sensing.updates import gradient_step

ETA = 0.1


def plain_path(M, F, G, n_steps, step_size=ETA):
    """Return the population path of gradient descent in three lines: the oracle."""
    path = [(F, G)]
    for _ in range(n_steps):
        E = F @ G.T - M
        F, G = F - step_size * E @ G, G - step_size * E.T @ F
        path.append((F, G))
    return path


@pytest.fixture
def problem():
    M = low_rank_matrix(12, 9, singular_values=[1.0, 0.75], rng=0)
    return M, *init_factors(12, 9, 3, scale=0.3, rng=1)


@pytest.mark.parametrize(
    ("n1", "n2", "r", "k"),
    [(12, 9, 2, 3), (9, 12, 2, 8), (30, 30, 3, 20), (4, 4, 4, 5), (7, 7, 3, 2), (6, 5, 1, 8)],
)
def test_kernel_is_plain_descent_for_all_sizes(n1, n2, r, k):
    M = low_rank_matrix(n1, n2, singular_values=np.linspace(1, 0.5, r), rng=0)
    F0, G0 = init_factors(n1, n2, k, scale=0.3, rng=1)
    run = iterates(
        IdentitySensing(n1, n2),
        truth=M,
        F0=F0,
        G0=G0,
        step_size=ETA,
        max_iter=200,
        record="all",
    )
    for (t, F, G), (F_plain, G_plain) in zip(run, plain_path(M, F0, G0, 200), strict=True):
        assert np.allclose(F, F_plain, rtol=0, atol=1e-13), t
        assert np.allclose(G, G_plain, rtol=0, atol=1e-13), t


@pytest.mark.parametrize("k", [2, 5, 9])
def test_symmetric_kernel_is_plain_symmetric_descent(k):
    M = low_rank_matrix(9, singular_values=[1.0, 0.5], psd=True, rng=0)
    X0 = init_symmetric_factor(9, k, scale=0.3, rng=1)
    run = iterates(IdentitySensing(9), truth=M, F0=X0, step_size=ETA, max_iter=300, record="all")
    for (_, X, Y), (plain, _) in zip(run, plain_path(M, X0, X0, 300), strict=True):
        assert np.allclose(X, plain, rtol=0, atol=1e-13)
        assert X is Y


def test_a_users_rule_runs_as_the_kernel_does(problem):
    M, F0, G0 = problem
    arguments = {"truth": M, "F0": F0, "G0": G0, "step_size": ETA, "max_iter": 300}

    def my_rule(F, G, residual, step_size):
        R = residual(F, G)
        return F - step_size * R @ G, G - step_size * R.T @ F

    by_kernel = factorized_gd(IdentitySensing(12, 9), **arguments)
    by_rule = factorized_gd(IdentitySensing(12, 9), rule=my_rule, **arguments)
    for name, values in by_kernel.history.items():
        assert np.allclose(values, by_rule.history[name], rtol=1e-9, atol=1e-14), name


def test_population_by_y_agrees_with_population_by_truth(problem):
    M, F0, G0 = problem
    operator = IdentitySensing(12, 9)
    arguments = {"F0": F0, "G0": G0, "step_size": ETA, "max_iter": 300}
    by_truth = factorized_gd(operator, truth=M, **arguments)
    by_y = factorized_gd(operator, operator.apply(M), **arguments)
    assert np.allclose(by_truth.F, by_y.F, rtol=0, atol=1e-12)
    assert "error" not in by_y.history
    assert np.allclose(by_truth.history["error"] ** 2 / 2, by_y.history["loss"], atol=1e-13)


def test_history_is_measured_on_the_iterates(problem):
    M, F0, G0 = problem
    operator = GaussianSensing(150, 12, 9, rng=2)
    noise = 0.1 * np.random.default_rng(3).standard_normal(150)
    y = operator.apply(M) + noise
    seen = []
    result = factorized_gd(
        operator,
        y,
        truth=M,
        F0=F0,
        G0=G0,
        step_size=ETA,
        max_iter=50,
        record=[0, 7, 30],
        callback=lambda *iterate: seen.append(iterate),
    )
    assert [t for t, _, _ in seen] == result.history["iteration"].tolist() == [0, 7, 30, 50]
    for i, (_, F, G) in enumerate(seen):
        row = {name: values[i] for name, values in result.history.items()}
        assert row["error"] == pytest.approx(np.sqrt(np.sum((F @ G.T - M) ** 2)))
        z = np.einsum("mij,ij->m", operator.matrix().reshape(150, 12, 9), F @ G.T) - y
        assert row["loss"] == pytest.approx(z @ z / 2)
        assert row["imbalance"] == pytest.approx(np.sqrt(np.sum((F.T @ F - G.T @ G) ** 2)))
        assert row["min_eigenvalue"] == pytest.approx(np.linalg.svd(F)[1][-1] ** 2)
    assert np.array_equal(result.F, seen[-1][1])


def test_symmetric_mode_descends_a_quarter_of_the_squares():
    M = low_rank_matrix(5, singular_values=[1.0], psd=True, rng=0)
    X0 = init_symmetric_factor(5, 2, scale=0.5, rng=1)
    operator = GaussianSensing(60, 5, rng=2)
    result = factorized_gd(operator, truth=M, F0=X0, step_size=1e-3, max_iter=1, record="all")
    design = operator.matrix()

    def loss(X):
        return np.sum((design @ (X @ X.T - M).ravel()) ** 2) / 4

    gradient = np.zeros_like(X0)
    for index in np.ndindex(X0.shape):
        step = np.zeros_like(X0)
        step[index] = 1e-5
        gradient[index] = (loss(X0 + step) - loss(X0 - step)) / 2e-5
    assert np.allclose((X0 - result.F) / 1e-3, gradient, atol=1e-8)
    assert result.history["loss"][0] == pytest.approx(loss(X0))
    assert result.G is result.F


def test_residual_form_reaches_machine_precision():
    M = low_rank_matrix(10, singular_values=[1.0, 0.6], rng=0)
    F0, G0 = init_factors(10, 10, 2, scale=0.5, rng=1)
    operator = GaussianSensing(400, 10, dtype="float32", rng=2)
    result = factorized_gd(operator, truth=M, F0=F0, G0=G0, step_size=0.4, max_iter=400)
    assert result.history["error"][-1] < 1e-14


def test_equal_factors_follow_symmetric_descent():
    M = low_rank_matrix(8, singular_values=[1.0, 0.5], psd=True, rng=0)
    X0 = init_symmetric_factor(8, 4, scale=0.3, rng=1)
    arguments = {"truth": M, "F0": X0, "step_size": ETA, "max_iter": 2000}
    symmetric = factorized_gd(IdentitySensing(8), **arguments)
    with pytest.warns(UserWarning, match="F0 equals G0"):
        asymmetric = factorized_gd(IdentitySensing(8), G0=X0, **arguments)
    assert np.abs(asymmetric.F - symmetric.F).max() < 1e-12


@pytest.mark.parametrize("rule", ["gradient", lambda *a: gradient_step(*a)])
def test_divergence_is_found(problem, rule):
    M, F0, G0 = problem
    arguments = {"truth": M, "F0": F0, "G0": G0, "step_size": 3.0, "max_iter": 500, "rule": rule}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "step above the stability limit")
        result = factorized_gd(IdentitySensing(12, 9), record="all", **arguments)
    assert result.stop_reason == "diverged"
    sizes = [np.linalg.norm(F) for F, _ in plain_path(M, F0, G0, result.n_iter, 3.0)]
    assert sizes[-2] < 1e35 < sizes[-1]
    assert np.isfinite(result.history["loss"]).all()
    assert result.history["iteration"][-1] == result.n_iter - 1
    last = list(iterates(IdentitySensing(12, 9), **arguments))[-1]
    assert last[0] == result.n_iter


def test_a_start_beyond_the_limit_is_divergence():
    arguments = {"truth": [[1.0]], "F0": [[1e40]], "step_size": ETA, "max_iter": 3}
    with pytest.warns(RuntimeWarning, match="stability limit"):
        result = factorized_gd(IdentitySensing(1), **arguments)
    assert (result.stop_reason, result.n_iter, result.history) == ("diverged", 0, {})


def test_a_nan_from_a_rule_is_divergence(problem):
    M, F0, G0 = problem
    result = factorized_gd(
        IdentitySensing(12, 9),
        truth=M,
        F0=F0,
        G0=G0,
        step_size=ETA,
        max_iter=9,
        rule=lambda F, G, residual, step_size: (F * np.nan, G),
    )
    assert (result.stop_reason, result.n_iter) == ("diverged", 1)


def test_tolerance_and_callback_stop(problem):
    M, F0, G0 = problem
    arguments = {"truth": M, "F0": F0, "G0": G0, "step_size": ETA, "max_iter": 3000}
    result = factorized_gd(IdentitySensing(12, 9), tol=1e-3, **arguments)
    errors = result.history["error"]
    assert result.stop_reason == "converged"
    assert errors[-1] <= 1e-3 < errors[-2]
    stopped = factorized_gd(IdentitySensing(12, 9), callback=lambda t, F, G: t >= 10, **arguments)
    assert (stopped.stop_reason, stopped.n_iter) == ("callback", 10)
    assert "converged at iteration" in repr(result)


def test_no_iterations_return_the_start(problem):
    M, F0, G0 = problem
    result = factorized_gd(IdentitySensing(12, 9), truth=M, F0=F0, G0=G0, step_size=ETA, max_iter=0)
    assert np.allclose(result.F, F0, atol=1e-15)
    assert result.history["iteration"].tolist() == [0]


def test_a_rule_with_memory_is_made_once_per_run(problem):
    M, F0, G0 = problem

    class Momentum:
        def __init__(self):
            self.velocity = 0.0

        def __call__(self, F, G, residual, step_size):
            R = residual(F, G)
            self.velocity = 0.5 * self.velocity - step_size * R @ G
            return F + self.velocity, G - step_size * R.T @ F

    arguments = {"truth": M, "F0": F0, "G0": G0, "step_size": ETA, "max_iter": 40}
    runs = [
        factorized_gd(IdentitySensing(12, 9), rule=rule, **arguments).F
        for rule in (Momentum, Momentum, Momentum())
    ]
    assert np.array_equal(runs[0], runs[1])
    assert np.array_equal(runs[0], runs[2])


def test_log_schedule_has_twenty_a_decade():
    times = log_schedule(10**6)
    assert times[0] == 0
    assert times[-1] == 10**6
    assert (np.diff(times) > 0).all()
    for decade in (2, 3, 4, 5):
        assert np.sum((times >= 10**decade) & (times < 10 ** (decade + 1))) == 20
    assert log_schedule(0).tolist() == [0]


def one_step_run(scale, one_step, **changes):
    M = low_rank_matrix(30, singular_values=[1.0, 0.75, 0.5], rng=0)
    F0, G0 = init_factors(30, 30, 5, scale=scale, rng=1)
    arguments = {"truth": M, "F0": F0, "G0": G0, "step_size": ETA, "max_iter": 900} | changes
    return factorized_gd(IdentitySensing(30), one_step=one_step, **arguments)


def test_one_step_is_descent_before_and_after_the_rescaling():
    seen = {}
    result = one_step_run(
        0.1,
        OneStep(beta=0.7, at=100),
        record=[50, 100, 101],
        callback=lambda t, F, G: seen.update({t: (F, G)}),
    )
    M = low_rank_matrix(30, singular_values=[1.0, 0.75, 0.5], rng=0)
    before = plain_path(M, *init_factors(30, 30, 5, scale=0.1, rng=1), 100)
    assert np.allclose(seen[50][0], before[50][0], atol=1e-13)
    F, G = seen[100]
    assert np.allclose(F.T @ F, 0.49 * np.eye(5), atol=1e-13)
    assert np.allclose(F @ G.T, before[100][0] @ before[100][1].T, atol=1e-13)
    assert np.allclose(seen[101][1], plain_path(M, F, G, 1)[1][1], atol=1e-13)
    assert result.switched_at == 100
    assert sorted(seen) == [50, 100, 101, 900]


@pytest.mark.parametrize("scale", [0.02, 0.1, 0.4])
def test_automatic_one_step_is_free_of_the_initial_scale(scale):
    result = one_step_run(scale, OneStep())
    assert result.history["error"][-1] < 1e-13
    at_switch = result.history["iteration"] == result.switched_at
    assert result.history["error"][at_switch] <= 0.1 * 0.55
    beta = np.sqrt(result.history["min_eigenvalue"][at_switch])
    assert beta == pytest.approx(np.sqrt(0.5), rel=0.1)


def test_automatic_one_step_waits_when_nothing_is_learned():
    assert one_step_run(0.1, OneStep(), max_iter=20).switched_at is None


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"F0": np.ones((12, 0))}, ValueError, "F0 must have at least one column"),
        ({"F0": np.ones((9, 3))}, ValueError, "F0 must have shape"),
        ({"G0": np.ones((9, 2))}, ValueError, "G0 must have shape"),
        ({"G0": None}, ValueError, "G0 may be left out for square"),
        ({"truth": None}, ValueError, "y and truth are both missing"),
        ({"truth": np.full((12, 9), np.nan)}, ValueError, "truth must be finite"),
        ({"truth": np.ones((12, 9)) * 1j}, TypeError, "truth must be an array of real"),
        ({"y": np.ones(3)}, ValueError, "y must have shape"),
        ({"step_size": 0.0}, ValueError, "step_size must be"),
        ({"max_iter": -1}, ValueError, "max_iter must be"),
        ({"tol": -1.0}, ValueError, "tol must be"),
        ({"rule": "gradent"}, ValueError, "did you mean 'gradient'"),
        ({"rule": 3}, TypeError, "rule must be a name or a callable"),
        ({"record": "some"}, ValueError, "record must be"),
        ({"record": [3, 2]}, ValueError, "record must be increasing"),
        ({"record": [11]}, ValueError, "record must be"),
        ({"rule": lambda F, G, residual, step_size: (G, F)}, ValueError, "rule must return"),
    ],
)
def test_bad_input_is_named(problem, change, error, message):
    M, F0, G0 = problem
    arguments = {"y": None, "truth": M, "F0": F0, "G0": G0, "step_size": ETA, "max_iter": 10}
    with pytest.raises(error, match=message):
        factorized_gd(IdentitySensing(12, 9), **(arguments | change))


def test_bad_operator_and_one_step_are_named():
    M, X0 = np.eye(3), np.eye(3, 1)
    with pytest.raises(TypeError, match="operator must be a SensingOperator"):
        factorized_gd(np.eye(3), truth=M, F0=X0, step_size=ETA, max_iter=1)
    with pytest.raises(ValueError, match="one_step needs asymmetric factors"):
        factorized_gd(
            IdentitySensing(3), truth=M, F0=X0, step_size=ETA, max_iter=1, one_step=OneStep()
        )
    wide = np.ones((3, 4))
    with pytest.raises(ValueError, match=r"k <= n1; got F0 of shape \(3, 4\)"):
        factorized_gd(
            IdentitySensing(3),
            truth=M,
            F0=wide,
            G0=2 * wide,
            step_size=ETA,
            max_iter=1,
            one_step=OneStep(),
        )
    with pytest.raises(ValueError, match="truth must be symmetric"):
        factorized_gd(IdentitySensing(3), truth=M + X0, F0=X0, step_size=ETA, max_iter=1)
    for bad in ({"beta": 0.0}, {"at": -1}, {"threshold": 0.0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            OneStep(**bad)


def warned(operator, **arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        factorized_gd(operator, max_iter=1, **arguments)
    assert all(w.filename == __file__ for w in caught)
    return [(w.category, str(w.message)) for w in caught]


def test_a_sound_run_does_not_warn(problem):
    M, F0, G0 = problem
    assert warned(IdentitySensing(12, 9), truth=M, F0=F0, G0=G0, step_size=ETA) == []


def test_too_large_a_step_warns_for_gradient_steps_only(problem):
    M, F0, G0 = problem
    arguments = {"truth": M, "F0": F0, "G0": G0}
    limit = 2 / (np.linalg.norm(F0, 2) ** 2 + np.linalg.norm(G0, 2) ** 2 + 2.0)
    operator = IdentitySensing(12, 9)
    assert warned(operator, step_size=0.999 * limit, **arguments) == []
    ((category, message),) = warned(operator, step_size=1.001 * limit, **arguments)
    assert category is RuntimeWarning
    assert "stability limit" in message
    assert warned(operator, step_size=1.001 * limit, rule="agn", **arguments) == []


def test_symmetric_measurements_of_asymmetric_factors_warn():
    M = low_rank_matrix(6, singular_values=[1.0], psd=True, rng=0)
    F0, G0 = init_factors(6, 6, 2, scale=0.1, rng=1)
    operator = GaussianSensing(100, 6, symmetric=True, rng=2)
    ((category, message),) = warned(operator, truth=M, F0=F0, G0=G0, step_size=ETA)
    assert category is UserWarning
    assert "every sensing matrix is symmetric" in message
    assert warned(operator, truth=M, F0=F0, step_size=ETA) == []


def test_too_few_measurements_warn():
    M = low_rank_matrix(6, singular_values=[1.0], psd=True, rng=0)
    F0, G0 = init_factors(6, 6, 2, scale=0.1, rng=1)
    # d = 6 + 12 - 2 = 16; for the symmetric one n r - r (r - 1) / 2 = 6.
    for m, symmetric, expected in ((15, False, 1), (16, False, 0), (5, True, 1), (6, True, 0)):
        factors = {"F0": F0} if symmetric else {"F0": F0, "G0": G0}
        found = warned(GaussianSensing(m, 6, rng=2), truth=M, step_size=0.01, **factors)
        assert len(found) == expected
        assert all("interpolation regime" in message for _, message in found)


def test_a_negative_eigenvalue_warns():
    X0 = init_symmetric_factor(3, 2, scale=0.1, rng=1)
    ((_, message),) = warned(
        IdentitySensing(3), truth=np.diag([1.0, 0.0, -0.5]), F0=X0, step_size=ETA
    )
    assert "negative eigenvalue -0.5" in message
