"""Takes the central limit theorem for the sum of signs: right for large d only."""

import numpy as np
from scipy.special import gamma


def spiky_total(d, n_copies, p):
    return float(d)


def flat_total(d, p):
    moment = 2 ** (p / 2) * gamma((p + 1) / 2) / np.sqrt(np.pi)
    return d ** (p / 2) / moment


def flat_slope(p):
    d = np.arange(2, 201)
    totals = [flat_total(int(k), p) for k in d]
    return np.polyfit(np.log(d), np.log(totals), 1)[0]
