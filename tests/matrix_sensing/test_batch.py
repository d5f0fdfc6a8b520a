"""A batch against single runs, which go through other code: `factorized_gd`, start by start."""

import numpy as np
import pytest

from theorytk.matrix_sensing.batch import batched_gd
from theorytk.matrix_sensing.descent import factorized_gd
from theorytk.matrix_sensing.operators import GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.problems import init_factors, low_rank_matrix
from theorytk.matrix_sensing.structured import EntrySensing, RankOneSensing

N1, N2, K, M, STARTS, STEPS = 8, 7, 3, 300, 4, [0.2, 0.1, 0.05, 0.15]


def operators():
    rng = np.random.default_rng(0)
    positions = rng.integers(0, N1, M), rng.integers(0, N2, M)
    return {
        "dense": GaussianSensing(M, N1, N2, rng=rng),
        "gram": GaussianSensing(M, N1, N2, storage="gram", rng=rng),
        "rank one": RankOneSensing(rng.standard_normal((M, N1)), rng.standard_normal((M, N2))),
        "entries": EntrySensing(*positions, (N1, N2)),
        "population": IdentitySensing(N1, N2),
    }


OPERATORS = operators()


def starts(n1=N1, n2=N2):
    pairs = [init_factors(n1, n2, K, scale=0.2 + 0.1 * i, rng=i) for i in range(STARTS)]
    return np.array([F for F, _ in pairs]), np.array([G for _, G in pairs])


def assert_equals_single_runs(batch, runs):
    for i, run in enumerate(runs):
        np.testing.assert_allclose(batch.F[i], run.F, rtol=0, atol=1e-12)
        np.testing.assert_allclose(batch.G[i], run.G, rtol=0, atol=1e-12)
        assert np.array_equal(batch.history["iteration"], run.history["iteration"])
        assert set(batch.history) == set(run.history)
        for name in set(run.history) - {"iteration"}:
            ours, theirs = batch.history[name][:, i], run.history[name]
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("given", ["truth", "y", "both"])
def test_batch_equals_single_runs(name, given):
    operator, (F0, G0) = OPERATORS[name], starts()
    truth = low_rank_matrix(N1, N2, singular_values=[1.0, 0.5], rng=1)
    noise = 0.01 * np.random.default_rng(2).standard_normal(operator.m)
    data = {"truth": truth, "y": operator.apply(truth) + noise}
    data = data if given == "both" else {given: data[given]}
    batch = batched_gd(operator, **data, F0=F0, G0=G0, step_size=STEPS, max_iter=300)
    runs = [
        factorized_gd(operator, **data, F0=F, G0=G, step_size=step, max_iter=300)
        for F, G, step in zip(F0, G0, STEPS, strict=True)
    ]
    assert_equals_single_runs(batch, runs)
    assert not batch.diverged.any()


@pytest.mark.parametrize("symmetric", [True, False])
def test_symmetric_batch_equals_single_runs(symmetric):
    operator = GaussianSensing(M, N1, symmetric=symmetric, rng=0)
    truth = low_rank_matrix(N1, singular_values=[1.0, 0.5], psd=True, rng=1)
    F0, _ = starts(N1, N1)
    options = dict(truth=truth, step_size=0.1, max_iter=300, record=[1, 10, 100])
    batch = batched_gd(operator, F0=F0, **options)
    assert_equals_single_runs(batch, [factorized_gd(operator, F0=F, **options) for F in F0])
    assert batch.G is batch.F


@pytest.mark.filterwarnings("ignore:step above the stability limit:RuntimeWarning")
def test_a_divergent_descent_leaves_the_others_alone():
    operator, (F0, G0) = OPERATORS["dense"], starts()
    truth = low_rank_matrix(N1, N2, singular_values=[1.0, 0.5], rng=1)
    options = dict(truth=truth, max_iter=100)
    steps = [0.2, 50.0, 0.1, 0.1]
    batch = batched_gd(operator, F0=F0, G0=G0, step_size=steps, **options)
    assert batch.diverged.tolist() == [False, True, False, False]
    single = factorized_gd(operator, F0=F0[1], G0=G0[1], step_size=50.0, **options)
    assert single.stop_reason == "diverged"
    after = batch.history["iteration"] >= single.n_iter
    for name in ("error", "loss", "imbalance", "min_eigenvalue"):
        assert np.isinf(batch.history[name][after, 1]).all()
        assert np.isfinite(batch.history[name][~after, 1]).all()
    kept = factorized_gd(operator, F0=F0[2], G0=G0[2], step_size=0.1, **options)
    np.testing.assert_allclose(batch.F[2], kept.F, rtol=0, atol=1e-12)


def test_each_step_is_checked_for_stability():
    F0, G0 = starts()
    with pytest.warns(RuntimeWarning, match="step above the stability limit: step_size = 1,"):
        batched_gd(
            OPERATORS["population"],
            truth=np.eye(N1, N2),
            F0=F0,
            G0=G0,
            step_size=[0.1, 0.1, 1.0, 0.1],
            max_iter=1,
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"F0": np.ones((N1, K))}, r"F0 must have 3 dimension"),
        ({"F0": np.ones((0, N1, K))}, r"F0 must hold at least one start"),
        ({"F0": np.ones((STARTS, N1 + 1, K))}, r"F0 must have shape \(8, any\)"),
        ({"G0": np.ones((STARTS, N2, K + 1))}, r"G0 must have shape \(4, any, 3\)"),
        ({"G0": np.ones((STARTS, N2 + 1, K))}, r"G0 must have shape \(7, 3\)"),
        ({"step_size": [0.1, 0.1]}, r"step_size must have shape \(4\)"),
        ({"step_size": [0.1, 0.1, 0.0, 0.1]}, r"step_size must be > 0; got 0"),
        ({"step_size": -0.1}, r"step_size must be a number > 0"),
        ({"max_iter": -1}, r"max_iter must be an integer >= 0"),
        ({"truth": None}, r"y and truth are both missing"),
    ],
)
def test_bad_arguments(change, message):
    F0, G0 = starts()
    good = dict(truth=np.eye(N1, N2), F0=F0, G0=G0, step_size=0.1, max_iter=1)
    with pytest.raises(ValueError, match=message):
        batched_gd(OPERATORS["dense"], **{**good, **change})


@pytest.mark.parametrize("storage", ["dense", "gram"])
def test_measurements_instead_of_the_truth_reach_rounding(storage):
    operator = GaussianSensing(M, N1, N2, storage=storage, rng=0)
    truth = low_rank_matrix(N1, N2, singular_values=[1.0, 0.5], rng=1)
    F0, G0 = init_factors(N1, N2, 2, scale=0.5, rng=2)
    y = operator.apply(truth)
    batch = batched_gd(operator, y, F0=F0[None], G0=G0[None], step_size=0.2, max_iter=2000)
    single = factorized_gd(operator, y, F0=F0, G0=G0, step_size=0.2, max_iter=2000)
    np.testing.assert_allclose(batch.F[0] @ batch.G[0].T, truth, rtol=0, atol=1e-14)
    np.testing.assert_allclose(single.F @ single.G.T, truth, rtol=0, atol=1e-14)
