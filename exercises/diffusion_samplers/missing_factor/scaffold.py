import numpy as np


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


def measured_order(weights):
    """Return the order of convergence of the method that has these weights, a number.

    `weights(r0, r1, h)` returns three weights, as `released` does.
    """
    return 0.0


def missing_factor():
    """Return the factor that the released code lacks, a number."""
    return 0.0


def corrected(r0, r1, h):
    """Return the weights of m_0, m_1, m_2, newest first, shape (3,), of the right method."""
    return np.zeros(3)
