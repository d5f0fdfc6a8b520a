import numpy as np


def imbalance(F, G):
    return F.T @ F - G.T @ G


def predicted_change(F, G, R, step_size):
    from_F = R @ G
    from_G = R.T @ F
    return step_size**2 * (from_F.T @ from_F - from_G.T @ from_G)


def gradient_step(F, G, residual, step_size):
    R = residual(F, G)
    return F - step_size * R @ G, G - step_size * R.T @ F


def violates(F, G, F_next, G_next, R, step_size):
    change = imbalance(F_next, G_next) - imbalance(F, G)
    scale = max(1.0, np.abs(F).max(), np.abs(G).max()) ** 2
    return bool(np.abs(change - predicted_change(F, G, R, step_size)).max() > 1e-11 * scale)
