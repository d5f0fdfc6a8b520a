"""The attack by integers, its margins by brute force, its accuracy by the exact binomial law."""

import itertools

import numpy as np
from scipy.stats import binom

import theorytk as tk
from theorytk.classroom import array, check, close, number, picture, true

PAPER = "dwork2015"
QUESTION = "Every answer is exact, and off the truth by $1/\\sqrt n$ only. What goes wrong?"


def _coins(n, k, rng):
    return 2 * rng.integers(2, size=(n, k)) - 1, 2 * rng.integers(2, size=n) - 1


def _exact(n, k):
    """Return the exact expectation: n times the margin is k plus a sum of k (n - 1) signs."""
    return float(binom.sf((k * (n - 1) - k) / 2, k * (n - 1), 0.5))


@check(points=2)
def accuracy(student, rng):
    """The attack on given samples.

    Which labels and features enter m_j, and which enter the margin of a point?
    """
    for _ in range(20):
        n, k = 2 * rng.integers(5, 60, size=2) + 1
        u, y = _coins(n, k, rng)
        agree = u * y[:, None]
        expected = np.mean(agree @ agree.sum(axis=0) > 0)
        given = f"coins with n = {n}, k = {k}"
        close(student.attack(u.copy(), y.copy()), expected, "attack(u, y)", atol=1e-9, given=given)


@check(points=2)
def moments(student, rng):
    """The mean and the variance of a margin, against all coins of small samples.

    Split m_j into the term of the point itself and the others. What is the first times u_ij y_i?
    """
    for n, k in ((2, 2), (3, 2), (3, 3), (4, 2)):
        signs = np.array(list(itertools.product((-1, 1), repeat=n * k))).reshape(-1, n, k)
        margins = np.sum(signs[:, 0] * signs.mean(axis=1), axis=1)
        found = student.margin_moments(n, k)
        found = array(found, "margin_moments(n, k)", shape=(2,))
        given = f"n = {n}, k = {k}"
        close(found[0], margins.mean(), "the mean of margin_moments", atol=1e-9, given=given)
        close(found[1], margins.var(), "the variance of margin_moments", atol=1e-9, given=given)


@check(points=2)
def curve(student, rng):
    """The predicted accuracy against the exact expectation, at five pairs.

    A normal variable with mean a and variance b is positive with which probability?
    """
    for _ in range(5):
        n = 2 * int(rng.integers(200, 2000)) + 1
        k = 2 * int(n * rng.uniform(0.05, 0.5)) + 1
        given = f"n = {n}, k = {k}"
        found = student.predicted_accuracy(n, k)
        close(found, _exact(n, k), "predicted_accuracy(n, k)", atol=0.01, given=given)
    k = np.array([101, 301, 701])
    found = student.predicted_accuracy(1001, k)
    expected = [_exact(1001, int(each)) for each in k]
    close(found, expected, "predicted_accuracy(n, k)", atol=0.01, given="n = 1001 and an array k")


@check(points=1)
def claim(student, rng):
    """The mean accuracy of the attack over many samples: the claim exact-attack-law of theorytk.

    If the first check fails, this one does too; else it is the average that is off.
    """

    def attack(n, k, weights, sigma, rng):
        return number(student.attack(*_coins(n, k, rng)), "attack(u, y)")

    attack(101, 31, "linear", 0, rng)  # what goes wrong at once is said better here
    law = "adaptive-data-analysis/exact-attack-law"
    options = dict(weights="linear", sigma=0, n=101, k=31, draws=40)
    [result] = tk.check(law, algorithm=attack, seed=int(rng.integers(2**31)), **options)
    message = "the mean accuracy of the attack over many samples contradicts its exact law"
    true(str(result.verdict) != "contradicted", message)


@picture
def overfitting(student, rng, figure):
    axes = figure.add_subplot()
    n = 501
    ks = 2 * np.geomspace(5, 500, 12).astype(int) + 1
    found = [np.mean([student.attack(*_coins(n, k, rng)) for _ in range(4)]) for k in ks]
    axes.semilogx(ks, found, "o", label="the attack, 4 samples each")
    axes.semilogx(ks, student.predicted_accuracy(n, ks), label="predicted")
    axes.axhline(0.5, color="grey", lw=1, label="on new points")
    axes.set(xlabel=f"queries $k$ (1), $n = {n}$", ylabel="accuracy on the sample (1)")
    axes.legend()
