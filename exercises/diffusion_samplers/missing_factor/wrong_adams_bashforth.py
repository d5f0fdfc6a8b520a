"""Takes the small-step limit for equal steps as the weights, whatever the grid."""

import numpy as np
from scipy.integrate import solve_ivp


def released(r0, r1, h):
    """Return the weights of m_0, m_1, m_2, newest first, shape (3,), of the released method."""
    phi_1 = np.expm1(-h)
    phi_2 = phi_1 / h + 1.0
    phi_3 = phi_2 / h - 0.5
    m_0, m_1, m_2 = np.eye(3)
    D1_0 = (m_0 - m_1) / r0
    D1_1 = (m_1 - m_2) / r1
    D1 = D1_0 + r0 / (r0 + r1) * (D1_0 - D1_1)
    D2 = (D1_0 - D1_1) / (r0 + r1)
    return -phi_1 * m_0 + phi_2 * D1 - phi_3 * D2


def prediction(x, lam):
    """Return E[x_0 | x] at the level `lam`, alpha^2 + sigma^2 = 1, for two Gaussians."""
    alpha, sigma = 1 / np.hypot(1, np.exp(-lam)), 1 / np.hypot(1, np.exp(lam))
    weight = np.array([0.6, 0.4])[:, None]
    mean = np.array([-1.0, 0.8])[:, None]
    variance = np.array([0.3, 0.2])[:, None]
    total = alpha**2 * variance + sigma**2
    from_mean = x - alpha * mean
    density = weight * np.exp(-(from_mean**2) / (2 * total)) / np.sqrt(total)
    conditional = mean + alpha * variance * from_mean / total
    return (density * conditional).sum(axis=0) / density.sum(axis=0)


def run(weights, lam, states):
    """Return the states at the last of the levels `lam`, shape (n,).

    `states`, shape (3, n), are the states at the first three levels.
    """
    alpha, sigma = 1 / np.hypot(1, np.exp(-lam)), 1 / np.hypot(1, np.exp(lam))
    outputs = [prediction(states[0], lam[0]), prediction(states[1], lam[1])]
    x = states[2]
    for i in range(2, len(lam) - 1):
        outputs.append(prediction(x, lam[i]))
        h = lam[i + 1] - lam[i]
        w = weights((lam[i] - lam[i - 1]) / h, (lam[i - 1] - lam[i - 2]) / h, h)
        newest_first = np.stack(outputs[:-4:-1])
        x = sigma[i + 1] / sigma[i] * x + alpha[i + 1] * (np.asarray(w) @ newest_first)
    return x


def flow(x, levels):
    """Return the states at all levels, by a solver of order 8."""

    def slope(at, y):
        alpha = 1 / np.hypot(1, np.exp(-at))
        return -(alpha**2) * y + alpha * prediction(y, at)

    span = levels[0], levels[-1]
    solved = solve_ivp(slope, span, x, "DOP853", t_eval=levels, rtol=1e-12, atol=1e-13)
    return solved.y.T


def measured_order(weights):
    x, errors, counts = np.linspace(-2, 2, 40), [], (40, 80, 160)
    for n in counts:
        lam = np.linspace(-2.5, 1.5, n + 1)
        exact = flow(x, lam[[0, 1, 2, -1]])
        error = run(weights, lam, exact[:3]) - exact[3]
        errors.append(np.sqrt(np.mean(error**2)))
    local = np.log2(np.divide(errors[:-1], errors[1:]))
    return 2 * local[1] - local[0]


def missing_factor():
    return 2.0


def corrected(r0, r1, h):
    return -np.expm1(-h) * np.array([23.0, -16.0, 5.0]) / 12
