import numpy as np


def level(lam):
    return 1 / np.hypot(1, np.exp(-lam)), 1 / np.hypot(1, np.exp(lam))


def total_derivative(noise, x, lam, step=1e-4):
    alpha, sigma = level(lam)
    velocity = sigma**2 * x - sigma * noise(x, alpha, sigma)
    ahead = noise(x + step * velocity, *level(lam + step))
    behind = noise(x - step * velocity, *level(lam - step))
    return (ahead - behind) / (2 * step)


def linear(noise, clean, normal, lam, step=1e-4):
    alpha, sigma = level(lam)
    x = alpha * clean + sigma * normal
    rise = noise(x + step, alpha, sigma) - noise(x - step, alpha, sigma)
    return np.mean(sigma * rise / (2 * step))


def statistics(noise, clean, normal, lam, step=1e-3):
    alpha, sigma = level(lam)
    x = alpha * clean + sigma * normal
    ell = linear(noise, clean, normal, lam)
    ends = [linear(noise, clean, normal, lam + sign * step) for sign in (1, -1)]
    slope_of_l = (ends[0] - ends[1]) / (2 * step)
    epsilon = noise(x, alpha, sigma)
    f = (sigma * epsilon - ell * x) / alpha
    change = (ell - 1) * epsilon + total_derivative(noise, x, lam)
    rate = np.exp(-lam) * change - slope_of_l * x / alpha
    spread = f.var()
    s = 0.0
    if spread > 1e-12 * (1 + f.mean() ** 2):
        s = np.mean((f - f.mean()) * (rate - rate.mean())) / spread
    return ell, s, rate.mean() - s * f.mean()
