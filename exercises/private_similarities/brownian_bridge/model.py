import numpy as np


def hat_sum(t, levels):
    t = np.asarray(t)
    total = np.zeros(t.shape)
    for level in range(1, levels + 1):
        height = 1 - np.abs((2**level * t) % 2 - 1)
        total += 2.0**-level * height**2
    return total


def limit(t):
    t = np.asarray(t)
    return 2 * t * (1 - t)


def privacy_cost(x, rho, levels):
    x = np.asarray(x)
    return rho * (x**2 + (1 - x) ** 2 + hat_sum(x, levels))


def answer_noise(levels, rho, size, rng):
    sd = 1 / np.sqrt(2 * rho)
    cells = 2**levels
    noise = np.zeros((size, cells + 1))
    noise[:, [0, cells]] = rng.normal(0, sd, (size, 2))
    for level in range(1, levels + 1):
        h, step = 2.0**-level, cells // 2**level
        centres = np.arange(step, cells, 2 * step)
        hats = rng.normal(0, sd / np.sqrt(h), (size, len(centres)))
        ends = noise[:, centres - step] + noise[:, centres + step]
        noise[:, centres] = ends / 2 - h * hats
    return noise
