"""Leaves the motion of the noise out: v = E[dI/dt | x] in the place of b."""

import numpy as np
from scipy.special import softmax


def fields(x, law0, law1, path):
    alpha, beta, gamma2, d_alpha, d_beta, _ = path
    logits, velocities, scores = [], [], []
    for p, m0, C0 in zip(*law0, strict=True):
        for q, m1, C1 in zip(*law1, strict=True):
            C = alpha**2 * C0 + beta**2 * C1 + gamma2 * np.eye(len(m0))
            half = alpha * d_alpha * C0 + beta * d_beta * C1
            gap = x - alpha * m0 - beta * m1
            y = np.linalg.solve(C, gap.T).T
            log_det = np.linalg.slogdet(C)[1]
            logits.append(np.log(p * q) - log_det / 2 - np.sum(gap * y, axis=1) / 2)
            velocities.append(d_alpha * m0 + d_beta * m1 + y @ half.T)
            scores.append(-y)
    w = softmax(logits, axis=0)[:, :, None]
    return np.sum(w * velocities, axis=0), np.sum(w * scores, axis=0)
