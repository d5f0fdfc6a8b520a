import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import minimize

from theorytk.paths.bridges import gaussian_schroedinger_bridge, variance_action


def covariance(d, seed):
    A = np.random.default_rng(seed).standard_normal((d, d))
    return A @ A.T / d + 0.3 * np.eye(d)


def bridge_in(d, epsilon):
    m0, m1 = np.random.default_rng(9).standard_normal((2, d))
    return gaussian_schroedinger_bridge(m0, covariance(d, 0), m1, covariance(d, 1), epsilon)


@pytest.mark.parametrize(
    ("s0", "s1", "epsilon", "action"),
    [(1, 2, 0.5, 0.431214), (1, 1, 1, 0.934320), (0.5, 2, 0.1, 1.982733)],
)
def test_the_action_is_least_among_paths_of_variances(s0, s1, epsilon, action):
    bridge = gaussian_schroedinger_bridge([0.0], [[s0**2]], [0.0], [[s1**2]], epsilon)
    assert bridge.action == pytest.approx(action, abs=1e-6)

    # The variance as the linear law plus sum of w_k t (1 - t) T_k, T_k of Chebyshev.
    def path_action(w):
        bump = np.polynomial.Chebyshev(w, domain=[0, 1]) * np.polynomial.Polynomial(
            [0, 1, -1], domain=[0, 1], window=[0, 1]
        ).convert(kind=np.polynomial.Chebyshev, domain=[0, 1])
        law = np.polynomial.Polynomial([s0**2, s1**2 - s0**2], domain=[0, 1], window=[0, 1])
        bump = bump.convert(kind=np.polynomial.Polynomial, domain=[0, 1], window=[0, 1])
        try:
            return variance_action(law + bump, (law + bump).deriv(), epsilon)
        except ValueError:
            return 1e3

    found = minimize(
        path_action, [0.5, 0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-13}
    )
    assert found.fun == pytest.approx(bridge.action, rel=1e-6)


def test_the_independent_coupling_costs_more():
    # c = 0 in C = (1 - t)^2 + 4 t^2 + 2 (c + epsilon) t (1 - t), epsilon = 1/2.
    found = variance_action(
        lambda t: (1 - t) ** 2 + 4 * t**2 + t * (1 - t),
        lambda t: -2 * (1 - t) + 8 * t + 1 - 2 * t,
        0.5,
    )
    assert found == pytest.approx(0.9245, abs=1e-4)


@pytest.mark.parametrize("d", [1, 2, 4])
@pytest.mark.parametrize("epsilon", [0.05, 1.0])
def test_the_drift_carries_the_moments_and_has_the_action(d, epsilon):
    bridge, h, action = bridge_in(d, epsilon), 1e-5, 0.0
    nodes, weights = np.polynomial.legendre.leggauss(40)
    for t, weight in zip((1 + nodes) / 2, weights / 2, strict=True):
        m, C = bridge.moments(t)
        u = bridge.drift(t, m[None])[0]
        K = (bridge.drift(t, m + np.eye(d)) - u).T
        before, after = bridge.moments(t - h), bridge.moments(t + h)
        np.testing.assert_allclose((after[0] - before[0]) / (2 * h), u, atol=1e-8)
        slope = (after[1] - before[1]) / (2 * h)
        np.testing.assert_allclose(slope, K @ C + C @ K.T + 2 * epsilon * np.eye(d), atol=1e-7)
        action += weight * (u @ u + np.trace(K @ C @ K.T))
    assert bridge.action == pytest.approx(action, rel=1e-8)


@pytest.mark.parametrize("epsilon", [0.05, 1.0])
def test_the_coupling_is_optimal(epsilon):
    # 4 epsilon times the entropy of the coupling relative to the heat kernel, by minimisation.
    d, bridge = 2, bridge_in(2, epsilon)
    apart = np.sum((bridge.mean1 - bridge.mean0) ** 2)

    def action(entries):
        C = entries.reshape(d, d)
        V = bridge.cov1 - C.T @ np.linalg.solve(bridge.cov0, C)
        if np.linalg.eigvalsh(V)[0] <= 0:
            return np.inf
        cost = apart + np.trace(bridge.cov0 + bridge.cov1 - 2 * C)
        return cost - 2 * epsilon * (d + np.linalg.slogdet(V / (2 * epsilon))[1])

    found = minimize(
        action,
        np.zeros(4),
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-14, "maxiter": 20_000, "maxfev": 20_000},
    )
    assert bridge.action == pytest.approx(found.fun, rel=1e-9)
    np.testing.assert_allclose(bridge.cross_covariance.ravel(), found.x, atol=1e-5)


def test_ends_and_limits():
    bridge = bridge_in(3, 0.7)
    for t, m, C in ((0, bridge.mean0, bridge.cov0), (1, bridge.mean1, bridge.cov1)):
        np.testing.assert_allclose(bridge.moments(t)[0], m)
        np.testing.assert_allclose(bridge.moments(t)[1], C)
    # Without noise: Bures' distance. With much: the coupling becomes independent.
    quiet, loud = bridge_in(3, 1e-9), bridge_in(3, 1e6)
    root = sqrtm(quiet.cov0).real
    cross = sqrtm(root @ quiet.cov1 @ root).real
    distance = np.sum((quiet.mean1 - quiet.mean0) ** 2)
    distance += np.trace(quiet.cov0 + quiet.cov1 - 2 * cross)
    assert quiet.action == pytest.approx(distance, rel=1e-6)
    assert np.abs(loud.cross_covariance).max() < 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0], [[1.0]], [0.0, 1.0], [[1.0]], 1.0), "mean1 must have shape"),
        (([0.0], [[0.0]], [0.0], [[1.0]], 1.0), "cov0 must be symmetric and positive definite"),
        (([0.0, 0.0], np.eye(2), [0.0, 0.0], [[1.0, 1.0], [0.0, 1.0]], 1.0), "cov1 must be sym"),
        (([0.0], [[1.0]], [0.0], [[1.0]], 0.0), "epsilon must be a number > 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        gaussian_schroedinger_bridge(*arguments)


def test_bad_times_and_variances():
    bridge = bridge_in(1, 1.0)
    with pytest.raises(ValueError, match="t must be a number >= 0 and <= 1; got 2"):
        bridge.drift(2, [[0.0]])
    with pytest.raises(ValueError, match="variance must be > 0"):
        variance_action(lambda t: t - 0.5, np.ones_like, 1.0)
