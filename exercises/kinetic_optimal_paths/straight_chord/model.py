import numpy as np
from scipy.integrate import cumulative_simpson, solve_bvp
from scipy.interpolate import CubicSpline


def _table(gamma, start=0.0):
    """Return angles theta, dense at the start, and phi there."""
    u = np.linspace(0, 1, 4001)
    length = np.pi / 2 - start
    theta = start + length * u**2
    phi = cumulative_simpson(np.sqrt(gamma(theta)) * 2 * length * u, x=u, initial=0)
    return theta, phi


def angle(gamma):
    return _table(gamma)[1][-1]


def path(gamma, t):
    theta, phi = _table(gamma)
    x = 1 - t + t * np.cos(phi[-1])
    y = t * np.sin(phi[-1])
    # phi is quadratic at small theta: theta is a smooth function of its root.
    theta_t = CubicSpline(np.sqrt(phi), theta)(np.sqrt(np.arctan2(y, x)))
    r = np.hypot(x, y)
    return r * np.sin(theta_t), r * np.cos(theta_t)


def chord_energy(gamma, start):
    return 2 - 2 * np.cos(_table(gamma, start)[1][-1])


def bvp_energy(gamma, slope, start):
    def derivatives(t, state):
        r, dr, theta, p = state
        g = np.maximum(gamma(theta), 1e-6)
        dtheta = p / (r**2 * g)
        return np.array([dr, r * dtheta**2 * g, dtheta, r**2 * dtheta**2 * slope(theta) / 2])

    def ends(left, right):
        return np.array([left[0] - 1, right[0] - 1, left[2] - start, right[2] - np.pi / 2])

    t = np.linspace(0, 1, 101)
    length = np.pi / 2 - start
    theta = start + length * t
    guess = np.array([np.ones_like(t), 0 * t, theta, length * gamma(theta)])
    solution = solve_bvp(derivatives, ends, t, guess, tol=1e-8, max_nodes=20_000)
    r, dr, theta, p = solution.y
    # The integrand is constant along a solution.
    return np.mean(dr**2 + p**2 / (r**2 * gamma(theta)))
