"""Takes epsilon for exp(epsilon) - 1: it is not that small."""

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import erfcinv


def split_width(n, k, beta):
    return np.sqrt(np.log(2 * k / beta) / (2 * (n // k)))


def noise_width(n, k, beta, sigma, delta):
    rho = k / (2 * n**2 * sigma**2)
    log = np.log(min(1, np.sqrt(np.pi * rho)) / delta)
    epsilon = rho + 2 * np.sqrt(rho * max(log, 0))
    noise = np.sqrt(2) * sigma * erfcinv(delta / k)
    return noise + epsilon + 6 * delta / beta


def best_width(n, k, beta):
    def width(logs):
        return noise_width(n, k, beta, *np.exp(np.clip(logs, -60, 0)))

    # A balance of noise and privacy without logarithms; the simplex finds the rest.
    start = np.log([(k / n**2) ** 0.25, beta / 1000])
    found = minimize(width, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-9})
    return found.fun


def allowed(n, tau, beta, bound):
    """The largest k as a real number: widths grow with k."""

    def excess(log_k):
        k = np.exp(log_k)
        if bound == "split":
            return np.log(2 * k / beta) / (2 * n / k) - tau**2
        return best_width(n, k, beta) - tau

    if excess(0.0) > 0:
        return 0.0
    return np.exp(brentq(excess, 0.0, np.log(n) + 5, xtol=1e-3))


def max_queries(n, tau, beta, bound):
    guess = allowed(n, tau, beta, bound)
    if bound == "noise" or guess == 0:
        return int(guess)
    k = int(np.ceil(guess)) + 2
    while k > 0 and split_width(n, k, beta) > tau:
        k -= 1
    return k


def crossing(tau, beta):
    def ahead(log_n):
        n = np.exp(log_n)
        noise = max(allowed(n, tau, beta, "noise"), 0.5)
        return np.log(noise / max(allowed(n, tau, beta, "split"), 0.5))

    return np.exp(brentq(ahead, np.log(3e3), np.log(3e6), xtol=5e-3))
