import numpy as np


def damped_step(w, tau, eta, p):
    return w * (tau / w) ** (eta * p / 2)


def _leverage(A, w, p):
    return (np.linalg.qr(w[:, None] ** (0.5 - 1 / p) * A)[0] ** 2).sum(axis=1)


def lewis_weights(A, p):
    w = np.full(len(A), A.shape[1] / len(A))
    for _ in range(1000):
        tau = _leverage(A, w, p)
        w = damped_step(w, tau, best_step(p), p)
        if np.abs(np.log(tau / w)).max() < 1e-12:
            break
    return w


def predicted_rate(A, w, p, eta):
    Q = np.linalg.qr(w[:, None] ** (0.5 - 1 / p) * A)[0]
    P = Q @ Q.T
    J = (1 - eta) * np.eye(len(w)) + eta * (1 - p / 2) * P**2 / np.diag(P)[:, None]
    return np.abs(np.linalg.eigvals(J)).max()


def best_step(p):
    return 4 / (p + 2)
