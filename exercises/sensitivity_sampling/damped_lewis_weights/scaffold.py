import numpy as np


def damped_step(w, tau, eta, p):
    """Return w^(1 - eta) F(w)^eta, shape (n,).

    `tau`, shape (n,), are the leverage scores of diag(w)^(1/2 - 1/p) A.
    """
    return np.ones_like(w)


def lewis_weights(A, p):
    """Return the Lewis weights of `A`, shape (n, d), as an array of shape (n,)."""
    return np.ones(len(A))


def predicted_rate(A, w, p, eta):
    """Return the spectral radius of the damped iteration at the Lewis weights `w`, shape (n,)."""
    return 0.0


def best_step(p):
    """Return the step for which the slowest error decays fastest."""
    return 0.0
