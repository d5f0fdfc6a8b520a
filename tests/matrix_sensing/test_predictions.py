import numpy as np
import pytest

from theorytk.matrix_sensing.iteration import iterates
from theorytk.matrix_sensing.local_rate import local_rate
from theorytk.matrix_sensing.operators import GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.predictions import (
    escape_time,
    imbalance_bound,
    imbalance_edge,
    max_columns,
    measurement_slowdown,
    noise_error,
    optimal_beta,
    optimal_scale,
    small_scale_rate,
)
from theorytk.matrix_sensing.problems import init_factors, init_symmetric_factor, low_rank_matrix
from theorytk.matrix_sensing.theory import degrees_of_freedom, one_step_contraction

SIGMA = [1.0, 0.75, 0.5]


def limit_rate(M, F0, G0, *, max_iter, step_size=0.1):
    """Return the exact local rate at the limit of a population run."""
    operator = IdentitySensing(*M.shape)
    arguments = {"truth": M, "F0": F0, "G0": G0, "step_size": step_size, "max_iter": max_iter}
    _, F, G = list(iterates(operator, record=[max_iter], **arguments))[-1]
    return local_rate(operator, F, G, rank=np.linalg.matrix_rank(M)).rate


@pytest.mark.parametrize("scale", [1e-2, 1e-4, 1e-6])
def test_escape_times_of_a_run(scale):
    M = low_rank_matrix(50, singular_values=[1.0, 0.5, 0.25], psd=True, rng=0)
    U, s, _ = np.linalg.svd(M)
    X0 = init_symmetric_factor(50, 5, scale=scale, rng=1)
    run = iterates(IdentitySensing(50), truth=M, F0=X0, step_size=0.1, max_iter=900, record="all")
    learned = np.array([np.sum((U[:, :3].T @ X) ** 2, axis=1) for _, X, _ in run])
    measured = np.argmax(learned >= s[:3] / 2, axis=0)
    amplitude = np.linalg.norm(U[:, :3].T @ X0, axis=1)
    assert measured == pytest.approx(escape_time(s[:3], amplitude, 0.1), rel=0.03)


@pytest.mark.parametrize(("aspect", "ratio"), [(0.1, 1 / 3), (0.4, 1 / 3), (0.3, 0.0), (0.3, 1.0)])
def test_imbalance_edge_is_the_least_eigenvalue_of_a_large_draw(aspect, ratio):
    # At this n it is 0.075 and more from the bound by Weyl's inequality.
    n = 1500
    F, G = init_factors(n, n, int(aspect * n), scale=1.0, ratio=ratio, rng=0)
    least = np.linalg.eigvalsh(F.T @ F - G.T @ G)[0]
    assert least == pytest.approx(imbalance_edge(aspect, ratio=ratio), abs=0.06)
    assert imbalance_edge(aspect, ratio=ratio) >= imbalance_bound(aspect, ratio=ratio) - 1e-12


@pytest.mark.parametrize("ratio", [0.05, 1 / 3, 0.5, 0.95])
def test_max_columns_is_the_zero_of_the_edge(ratio):
    critical = max_columns(1000, ratio=ratio) / 1000
    assert imbalance_edge(critical * 0.999, ratio=ratio) > 0
    assert imbalance_edge(critical * 1.001, ratio=ratio) < 0


def test_imbalance_bound_vanishes_where_weyl_says():
    assert imbalance_bound(0.2499) > 0 > imbalance_bound(0.2501)


def test_noise_error_of_least_squares():
    # The exact law is that of a linear regression: simulate it as one.
    rng = np.random.default_rng(0)
    m, d, noise = 60, 20, 0.3
    squares = []
    for _ in range(2000):
        design = rng.standard_normal((m, d)) / np.sqrt(m)
        error = np.linalg.lstsq(design, noise * rng.standard_normal(m) / np.sqrt(m), rcond=None)
        squares.append(np.sum(error[0] ** 2))
    standard_error = np.std(squares) / np.sqrt(len(squares))
    assert abs(np.mean(squares) - noise_error(m, d, noise)) < 5 * standard_error


def test_noise_error_of_descent():
    M = low_rank_matrix(8, singular_values=[1.0], rng=0)
    F0, G0 = init_factors(8, 8, 1, scale=0.5, rng=1)
    squares = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        operator = GaussianSensing(120, 8, rng=rng)
        y = operator.apply(M) + 0.01 * rng.standard_normal(120) / np.sqrt(120)
        run = iterates(operator, y, truth=M, F0=F0, G0=G0, step_size=0.3, max_iter=150)
        _, F, G = list(run)[-1]
        squares.append(np.sum((F @ G.T - M) ** 2))
    standard_error = np.std(squares) / np.sqrt(len(squares))
    expected = noise_error(120, degrees_of_freedom(8, 8, 1, 1), 0.01)
    assert abs(np.mean(squares) - expected) < 5 * standard_error
    assert expected == pytest.approx(np.mean(squares), rel=0.3)


@pytest.mark.parametrize("m", [400, 800, 1600])
def test_measurements_slow_the_rate_down_as_predicted(m):
    # At one limit, so that only the operator differs; d = 112 here.
    ratios = []
    for seed in range(3):
        M = low_rank_matrix(20, singular_values=[1.0, 0.6], rng=seed)
        F0, G0 = init_factors(20, 20, 4, scale=0.3, rng=seed)
        run = iterates(
            IdentitySensing(20), truth=M, F0=F0, G0=G0, step_size=0.2, max_iter=4000, record=[]
        )
        _, F, G = list(run)[-1]
        operator = GaussianSensing(m, 20, rng=seed)
        measured = local_rate(operator, F, G, rank=2).rate
        ratios.append(measured / local_rate(IdentitySensing(20), F, G, rank=2).rate)
    assert np.mean(ratios) == pytest.approx(measurement_slowdown(m, 20, 20, 2, 4), rel=0.15)


def test_optimal_beta_is_the_best_of_a_sweep():
    betas = np.linspace(0.2, 1.5, 261)
    factors = [one_step_contraction(0.5, beta, 0.1) for beta in betas]
    assert betas[np.argmin(factors)] == pytest.approx(optimal_beta(0.5), abs=0.005)


@pytest.mark.parametrize(("n1", "n2", "k"), [(50, 50, 5), (40, 60, 8), (30, 30, 4)])
def test_small_scale_rate_is_the_limit_of_the_exact_rate(n1, n2, k):
    M = low_rank_matrix(n1, n2, singular_values=SIGMA, rng=0)
    F0, G0 = init_factors(n1, n2, k, scale=1.0, rng=1)
    excess = []
    for scale in (0.2, 0.1, 0.05):
        measured = limit_rate(M, scale * F0, scale * G0, max_iter=int(60 / scale**2) * 10)
        excess.append(abs(measured / small_scale_rate(M, scale * F0, scale * G0) - 1))
    assert excess[2] < 0.02
    assert excess[2] < excess[1] < excess[0]


def test_optimal_scale_is_near_the_best_of_a_sweep():
    scales = np.geomspace(0.35, 1.5, 22)
    ratios = []
    for seed in range(4):
        M = low_rank_matrix(50, singular_values=SIGMA, rng=seed)
        F0, G0 = init_factors(50, 50, 5, scale=1.0, rng=seed)
        rates = [limit_rate(M, a * F0, a * G0, max_iter=4000, step_size=0.05) for a in scales]
        ratios.append(optimal_scale(M, F0, G0) / scales[np.argmax(rates)])
    assert np.mean(ratios) == pytest.approx(1, abs=0.15)
    assert optimal_scale(M, 2 * F0, 2 * G0) == pytest.approx(optimal_scale(M, F0, G0) / 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: escape_time(1.0, 0.8, 0.1), "amplitude must be"),
        (lambda: escape_time(1.0, 0.1, 0.0), "step_size must be"),
        (lambda: imbalance_edge(1.0), "aspect must be"),
        (lambda: imbalance_bound(0.5, ratio=2.0), "ratio must be"),
        (lambda: max_columns(0), "n must be"),
        (lambda: measurement_slowdown(112, 20, 20, 2, 4), "m must be"),
        (lambda: measurement_slowdown(500, 20, 20, 2, 2), "k must be"),
        (lambda: noise_error(24, 23, 1.0), "m must be"),
        (lambda: optimal_beta(0.0), "sigma_r must be"),
        (lambda: small_scale_rate(np.eye(2), np.eye(2), np.eye(2)), "truth must have a rank"),
        (lambda: optimal_scale(np.diag([1.0, 0.0]), np.eye(2), np.eye(2)), "positive small_scale"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
