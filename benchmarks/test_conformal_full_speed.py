"""OptCS-Full through one factorisation against refitting each leave-one-out model, side by side.

The refits get the kernel matrix for nothing; one thread each, timed by turns. Run with
``pytest benchmarks/test_conformal_full_speed.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
import scipy.linalg
from scipy.spatial.distance import cdist
from sklearn.kernel_ridge import KernelRidge
from threadpoolctl import threadpool_limits

from theorytk.conformal.full import class_weights, full_scores
from theorytk.conformal.learners import KernelRidgeLearner

N_LABELLED, N_TEST, GAMMA, PENALTY, ROUNDS = 500, 100, 0.1, 1.0, 3
N = N_LABELLED + N_TEST
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 10))
Y = X[:, 0] + RNG.standard_normal(N)
LABELS = np.where(np.arange(N) < N_LABELLED, Y > 0, 0).astype(float)
WEIGHTS = class_weights(LABELS)
KERNEL = np.exp(-GAMMA * cdist(X, X, "sqeuclidean"))


def one_factorisation():
    learner = KernelRidgeLearner(GAMMA, PENALTY)
    cal, test = full_scores(X[:N_LABELLED], Y[:N_LABELLED], X[N_LABELLED:], learner)
    return np.append(cal[0], test[0])


def cholesky_refits():
    values = np.empty(N)
    for i, others in enumerate(~np.eye(N, dtype=bool)):
        system = KERNEL[np.ix_(others, others)]
        system[np.diag_indices(N - 1)] += PENALTY / WEIGHTS[others]
        factor = scipy.linalg.cho_factor(system, overwrite_a=True, check_finite=False)
        alpha = scipy.linalg.cho_solve(factor, LABELS[others], check_finite=False)
        values[i] = KERNEL[i, others] @ alpha
    return values


def sklearn_refits():
    values = np.empty(N)
    model = KernelRidge(alpha=PENALTY, kernel="precomputed")
    for i, others in enumerate(~np.eye(N, dtype=bool)):
        model.fit(KERNEL[np.ix_(others, others)], LABELS[others], WEIGHTS[others])
        values[i] = model.predict(KERNEL[i : i + 1, others])[0]
    return values


@pytest.mark.parametrize("refits", [cholesky_refits, sklearn_refits])
def test_full_against_refitting_each_model(refits):
    with threadpool_limits(1):
        scores, values = one_factorisation(), refits()
        null = np.isfinite(scores)
        np.testing.assert_allclose(-scores[null], values[null], atol=1e-9)
        seconds = np.empty((ROUNDS, 2))
        for row in seconds:
            for j, function in enumerate((refits, one_factorisation)):
                started = time.perf_counter()
                function()
                row[j] = time.perf_counter() - started
    ratio = np.median(seconds[:, 0] / seconds[:, 1])
    for name, column in zip((refits.__name__, "full_scores"), seconds.T, strict=True):
        print(
            f"\n  {name:18s} least {column.min():7.4f} s, median {np.median(column):7.4f} s", end=""
        )
    print(f"\n  N = {N}: faster by {ratio:.0f}")
    assert ratio >= 50


def test_a_path_of_penalties_against_one_by_one():
    penalties = tuple(np.logspace(-2, 2, 24))
    seconds = np.empty((ROUNDS, 2))
    with threadpool_limits(1):
        for row in seconds:
            started = time.perf_counter()
            singles = [KernelRidgeLearner(GAMMA, p).loo_predict(X, LABELS) for p in penalties]
            row[0] = time.perf_counter() - started
            started = time.perf_counter()
            path = KernelRidgeLearner(GAMMA, penalties).loo_predict(X, LABELS)
            row[1] = time.perf_counter() - started
    np.testing.assert_allclose(path, singles, atol=1e-9)
    ratio = np.median(seconds[:, 0] / seconds[:, 1])
    print(f"\n  24 penalties {seconds[:, 1].min():.4f} s, faster by {ratio:.1f} than one by one")
    assert ratio >= 2
