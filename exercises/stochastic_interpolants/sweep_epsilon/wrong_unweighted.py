"""Averages the squared error over the grid, not over the law of x."""

import numpy as np
from scipy.linalg import solve_banded


def evolve(drift, epsilon, start, grid, n_steps):
    """Return the density at time 1 of dX = drift(t, X) dt + sqrt(2 epsilon) dW. (Complete.)

    `start`, shape (n,), is the density at time 0 on the uniform `grid`; implicit steps with the
    fluxes of Scharfetter and Gummel, which keep it positive and of mass 1.
    """
    h = grid[1] - grid[0]
    between = grid[:-1] + h / 2
    density = start
    for k in range(1, n_steps + 1):
        z = drift(k / n_steps, between) * h / epsilon
        z = np.where(np.abs(z) < 1e-8, 1e-8, z)
        right, left = z / -np.expm1(-z), z / np.expm1(z)
        scale = epsilon / h**2 / n_steps
        bands = np.zeros((3, len(grid)))
        bands[0, 1:], bands[2, :-1] = -scale * left, -scale * right
        bands[1] = 1.0
        bands[1, :-1] += scale * right
        bands[1, 1:] += scale * left
        density = solve_banded((1, 1), bands, density)
    return density


def excess_loss(densities, errors, times, grid):
    mean = np.mean(errors**2, axis=1)
    return np.trapezoid(mean, times) / 2


def best_epsilon(excess_b, excess_s):
    return np.sqrt(excess_b / excess_s)


def divergence(p, q, grid):
    seen = p > 0
    return np.sum(p[seen] * np.log(p[seen] / q[seen])) * (grid[1] - grid[0])


def sweep(epsilons, b, s, error_b, error_s, start, target, grid, n_steps):
    found = []
    for epsilon in epsilons:

        def drift(t, x, epsilon=epsilon):
            return b(t, x) + error_b(t, x) + epsilon * (s(t, x) + error_s(t, x))

        end = evolve(drift, epsilon, start, grid, n_steps)
        found.append(divergence(target, end, grid))
    return np.array(found)


def locate(epsilons, divergences):
    k = int(np.clip(np.argmin(divergences), 1, len(epsilons) - 2))
    near = slice(k - 1, k + 2)
    a, b, _ = np.polyfit(np.log(epsilons[near]), divergences[near], 2)
    return np.exp(-b / (2 * a))
