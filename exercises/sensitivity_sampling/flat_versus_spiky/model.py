import numpy as np
from scipy.stats import binom


def spiky_total(d, n_copies, p):
    return float(d)


def flat_total(d, p):
    k = np.arange(d + 1)
    moment = binom.pmf(k, d, 0.5) @ np.abs(2.0 * k - d) ** p
    return d**p / moment


def flat_slope(p):
    d = np.arange(2, 201)
    totals = [flat_total(int(k), p) for k in d]
    return np.polyfit(np.log(d), np.log(totals), 1)[0]
