"""Takes the median, whose squared error is up to three times as large."""

import math

import numpy as np


def estimate(draws):
    return np.median(draws, axis=1)


def draws_needed(error):
    return math.ceil(1 / (12 * error))
