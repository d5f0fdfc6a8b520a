import math

import numpy as np


def estimate(draws):
    return np.mean(draws, axis=1)


def draws_needed(error):
    return math.ceil(1 / (12 * error))
