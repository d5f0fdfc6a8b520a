import numpy as np
import pytest
from scipy.integrate import solve_ivp

from theorytk.matrix_sensing.flows import flow_balanced, flow_scalar, flow_symmetric
from theorytk.matrix_sensing.problems import low_rank_matrix

TOLERANCE = {"rtol": 1e-12, "atol": 1e-13, "method": "DOP853"}
TIMES = np.array([0.0, 0.3, 1.7, 6.0, 15.0])


def integrate(derivative, start):
    """Return the solution at TIMES by a Runge-Kutta method: the other route."""
    return solve_ivp(derivative, (0, TIMES[-1]), start, t_eval=TIMES, **TOLERANCE).y


@pytest.mark.parametrize("s", [0.0, 1.0, 0.3, -0.7])
@pytest.mark.parametrize(
    ("f0", "g0"),
    [(0.5, 0.2), (0.2, 0.5), (-0.5, 0.2), (0.1, -0.4), (0.3, 0.3), (0.3, -0.3), (0.0, 0.2)],
)
def test_scalar_flow_solves_its_equation(f0, g0, s):
    def derivative(_, z):
        return [-(z[0] * z[1] - s) * z[1], -(z[0] * z[1] - s) * z[0]]

    assert np.allclose(flow_scalar(f0, g0, s, TIMES), integrate(derivative, [f0, g0]), atol=1e-9)


def test_scalar_flow_keeps_relative_accuracy_without_target():
    # With s = 0, g / f = (g0 / f0) exp(-delta t) exactly.
    f, g = flow_scalar(1.0, 0.5, 0.0, [100.0])
    assert g / f == pytest.approx(0.5 * np.exp(-75.0), rel=1e-12)
    g, f = flow_scalar(0.5, 1.0, 0.0, [100.0])
    assert g / f == pytest.approx(0.5 * np.exp(-75.0), rel=1e-12)
    assert flow_scalar(0.0, 0.0, 0.0, [1.0]) == (0.0, 0.0)


def test_scalar_flow_has_no_cancellation_near_the_saddle():
    # From 1e-9 a balanced start is learned late: x^2 = s / (1 + (s / x0^2 - 1) e^(-2 s t)).
    t = np.array([10.0, 20.0, 30.0, 500.0])
    f, g = flow_scalar(1e-9, 1e-9, 1.0, t)
    assert np.array_equal(f, g)
    assert f**2 == pytest.approx(1 / (1 + (1e18 - 1) * np.exp(-2 * t)), rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 5, 8])
def test_symmetric_flow_solves_its_equation(k):
    rng = np.random.default_rng(k)
    M = low_rank_matrix(6, singular_values=[1.0, 0.6], psd=True, rng=rng)
    M -= 0.4 * low_rank_matrix(6, singular_values=[1.0], psd=True, rng=rng)
    X0 = 0.4 * rng.standard_normal((6, k))

    def derivative(_, x):
        X = x.reshape(6, k)
        return -((X @ X.T - M) @ X).ravel()

    X = integrate(derivative, X0.ravel()).T.reshape(-1, 6, k)
    assert np.allclose(flow_symmetric(M, X0, TIMES), X @ X.transpose(0, 2, 1), atol=1e-9)


def test_symmetric_flow_goes_on_for_long():
    # The noise part obeys x^2 = x0^2 / (1 + 2 t x0^2), the signal its logistic law.
    P = flow_symmetric(np.diag([1.0, 0.0]), np.diag([0.1, 0.5]), [0.0, 1e4])
    assert P[1, 1, 1] == pytest.approx(0.25 / (1 + 0.5e4), rel=1e-9)
    assert P[1, 0, 0] == pytest.approx(1.0, rel=1e-12)
    assert np.array_equal(P[0], np.diag([0.1, 0.5]) ** 2)


@pytest.mark.parametrize("swap", [False, True])
def test_balanced_flow_solves_its_equation(swap):
    rng = np.random.default_rng(3)
    M = low_rank_matrix(5, 4, singular_values=[1.0, 0.5], rng=rng)
    Q = np.linalg.qr(rng.standard_normal((5, 3)))[0]
    G0 = 0.3 * rng.standard_normal((4, 3))
    # F0 = Q (G0'G0 + I/4)^(1/2) up to a rotation from the left has the imbalance I / 4.
    F0 = Q @ np.linalg.cholesky(G0.T @ G0 + np.eye(3) / 4).T
    if swap:
        M, F0, G0 = M.T, G0, F0

    def derivative(_, z):
        F, G = z[: F0.size].reshape(F0.shape), z[F0.size :].reshape(G0.shape)
        E = F @ G.T - M
        return -np.concatenate([(E @ G).ravel(), (E.T @ F).ravel()])

    z = integrate(derivative, np.concatenate([F0.ravel(), G0.ravel()])).T
    F = z[:, : F0.size].reshape(-1, *F0.shape)
    G = z[:, F0.size :].reshape(-1, *G0.shape)
    assert np.allclose(flow_balanced(M, F0, G0, TIMES), F @ G.transpose(0, 2, 1), atol=1e-9)
    assert flow_balanced(M, F0, G0, 0.3).shape == M.shape


def test_bad_input():
    with pytest.raises(ValueError, match="t must be >= 0 and increasing"):
        flow_scalar(1.0, 0.5, 1.0, [-1.0])
    with pytest.raises(ValueError, match="t must be >= 0 and increasing"):
        flow_symmetric(np.eye(2), np.eye(2), [1.0, 0.5])
    with pytest.raises(ValueError, match="M must be symmetric"):
        flow_symmetric([[0.0, 1.0], [0.0, 0.0]], np.eye(2), 1.0)
    with pytest.raises(ValueError, match="imbalance lambda I"):
        flow_balanced(np.eye(2), np.diag([1.0, 2.0]), np.eye(2), 1.0)
    with pytest.raises(ValueError, match="s must be"):
        flow_scalar(1.0, 0.5, np.nan, [1.0])
