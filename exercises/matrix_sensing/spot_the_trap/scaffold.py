import numpy as np


def data_set(n, symmetric, rng):
    """Return A and y = A(M) for a random M of rank 1, with Gaussian A_i, symmetric or not."""
    A = rng.standard_normal((4 * n * n, n, n))
    if symmetric:
        A = (A + A.transpose(0, 2, 1)) / 2
    u = rng.standard_normal(n)
    M = np.outer(u, u) / (u @ u)
    return A, np.tensordot(A, M, 2) / np.sqrt(len(A))


def descend(A, y, F, G, step_size, n_steps):
    """Return the factors after n_steps of gradient descent."""
    m, n, _ = A.shape
    rows = A.reshape(m, n * n)
    gram, target = rows.T @ rows / m, rows.T @ y / np.sqrt(m)
    for _ in range(n_steps):
        R = (gram @ (F @ G.T).ravel() - target).reshape(n, n)
        F, G = F - step_size * R @ G, G - step_size * R.T @ F
    return F, G


def split_step(R, P, N, step_size):
    """Return P and N after one step of descent on F = P + N and G = P - N.

    R has shape (n, n), P and N have shape (n, k).
    """
    return np.zeros_like(P), np.zeros_like(N)


def helps(A, y):
    """Return True if independent factors find M exponentially fast from these data, else False.

    A has shape (m, n, n) and y shape (m,).
    """
    return False
