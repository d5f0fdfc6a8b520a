"""Weighs components by p q, not by their probabilities given x."""

import numpy as np


def fields(x, law0, law1, path):
    alpha, beta, gamma2, d_alpha, d_beta, slope = path
    logits, velocities, scores = [], [], []
    for p, m0, C0 in zip(*law0, strict=True):
        for q, m1, C1 in zip(*law1, strict=True):
            C = alpha**2 * C0 + beta**2 * C1 + gamma2 * np.eye(len(m0))
            half = alpha * d_alpha * C0 + beta * d_beta * C1 + slope * np.eye(len(m0))
            gap = x - alpha * m0 - beta * m1
            y = np.linalg.solve(C, gap.T).T
            logits.append(np.full(len(x), p * q))
            velocities.append(d_alpha * m0 + d_beta * m1 + y @ half.T)
            scores.append(-y)
    w = np.array(logits)[:, :, None]
    return np.sum(w * velocities, axis=0), np.sum(w * scores, axis=0)
