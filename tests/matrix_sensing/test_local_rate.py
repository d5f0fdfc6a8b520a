import numpy as np
import pytest

from theorytk.matrix_sensing.iteration import iterates
from theorytk.matrix_sensing.local_rate import local_rate, predict_iterations
from theorytk.matrix_sensing.operators import GaussianSensing, IdentitySensing
from theorytk.matrix_sensing.problems import init_factors, low_rank_matrix


def random_case(seed, *, measured):
    """Return an operator, a truth and factors of random sizes."""
    rng = np.random.default_rng(seed)
    n1, n2 = (int(n) for n in rng.integers(8, 13, 2))
    r = int(rng.integers(1, 3))
    k = int(rng.integers(r, r + 3))
    M = low_rank_matrix(n1, n2, singular_values=rng.uniform(0.5, 1, r), rng=rng)
    F0, G0 = init_factors(n1, n2, k, scale=float(rng.uniform(0.25, 0.5)), rng=rng)
    operator = GaussianSensing(250, n1, n2, rng=rng) if measured else IdentitySensing(n1, n2)
    return operator, M, F0, G0


def path(operator, M, F0, G0, max_iter=80000):
    """Yield the iteration, the error and the factors of a run."""
    arguments = {"truth": M, "F0": F0, "G0": G0, "step_size": 0.1, "max_iter": max_iter}
    for t, F, G in iterates(operator, record=range(0, max_iter, 10), **arguments):
        yield t, np.linalg.norm(F @ G.T - M), F, G


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_rate_is_the_tail_of_a_run(seed, measured):
    case = random_case(seed, measured=measured)
    run = path(*case)
    start, before = next((t, error) for t, error, _, _ in run if error < 1e-9)
    t, error, F, G = next(iterate for iterate in run if iterate[1] < 1e-11)
    slope = (error / before) ** (1 / (t - start))
    k, r = F.shape[1], np.linalg.matrix_rank(case[1])
    found = local_rate(case[0], F, G, rank=r)
    assert (1 - slope) == pytest.approx(0.1 * found.rate, rel=0.02)
    assert found.contraction(0.1) == pytest.approx(1 - 0.1 * found.rate)
    assert found.n_nonzero == len(F) * r + len(G) * k - k * r
    assert local_rate(case[0], F, G).n_nonzero == found.n_nonzero


def test_population_spectrum_is_that_of_the_dense_hessian():
    rng = np.random.default_rng(0)
    F, G = rng.standard_normal((5, 3)), rng.standard_normal((4, 2)) @ rng.standard_normal((2, 3))
    left = [np.outer(e, G[:, b]).ravel() for e in np.eye(5) for b in range(3)]
    right = [np.outer(F[:, b], e).ravel() for e in np.eye(4) for b in range(3)]
    J = np.array(left + right).T
    dense = np.linalg.eigvalsh(J @ J.T)
    found = local_rate(IdentitySensing(5, 4), F, G)
    assert np.allclose(found.spectrum, dense[dense > 1e-9], rtol=1e-9)
    assert found.rate == found.spectrum[0]


def test_measured_spectrum_is_that_of_the_loss_by_differences():
    operator, M, F, G = random_case(1, measured=True)
    G = np.linalg.lstsq(F, M, rcond=None)[0].T
    M = F @ G.T
    z = np.concatenate([F.ravel(), G.ravel()])

    def gradient(z):
        A, B = z[: F.size].reshape(F.shape), z[F.size :].reshape(G.shape)
        R = operator.normal(A @ B.T - M)
        return np.concatenate([(R @ B).ravel(), (R.T @ A).ravel()])

    steps = 1e-6 * np.eye(len(z))
    hessian = np.array([(gradient(z + h) - gradient(z - h)) / 2e-6 for h in steps])
    largest = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    found = local_rate(operator, F, G)
    assert np.allclose(found.spectrum, largest[-found.n_nonzero :], atol=1e-6)
    assert np.abs(largest[: -found.n_nonzero]).max() < 1e-6


@pytest.mark.parametrize("measured", [False, True])
def test_predicted_iterations_are_within_a_tenth_on_twenty_instances(measured):
    for seed in range(20):
        operator, M, F0, G0 = random_case(seed, measured=measured)
        predicted = predict_iterations(operator, M, F0, G0, step_size=0.1, epsilon=1e-7)
        actual = next(t for t, error, _, _ in path(operator, M, F0, G0) if error <= 1e-7)
        assert predicted.iterations == pytest.approx(actual, rel=0.1), seed
        assert predicted.pilot < 0.5 * actual


def test_a_coarse_target_may_lie_within_the_pilot_run():
    operator, M, F0, G0 = random_case(0, measured=False)
    errors = {t: error for t, error, _, _ in path(operator, M, F0, G0, max_iter=500)}
    found = predict_iterations(operator, M, F0, G0, step_size=0.1, epsilon=0.3)
    assert found.iterations <= found.pilot
    before = max(t for t in errors if t < found.iterations / 1.2)
    assert errors[before] > 0.3


def test_bad_input():
    operator, M, F0, G0 = random_case(0, measured=False)
    with pytest.raises(ValueError, match="epsilon must be"):
        predict_iterations(operator, M, F0, G0, step_size=0.1, epsilon=0.0)
    with pytest.raises(ValueError, match="did not come near a limit"):
        predict_iterations(operator, M, F0, G0, step_size=0.1, epsilon=1e-6, max_pilot=10)
    with pytest.raises(ValueError, match="F must have shape"):
        local_rate(operator, F0[1:], G0)
    with pytest.raises(ValueError, match="rank must be"):
        local_rate(operator, F0, G0, rank=0)
    with pytest.raises(ValueError, match="step_size must be"):
        local_rate(operator, F0, G0).contraction(0.0)
