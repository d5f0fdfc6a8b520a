"""The other kernel mechanisms against their plain NumPy versions, in one thread.

Both have floating-point sums without noise, or the same noise: what is timed is the fit of
n = 10^5 points of the plane, or of 2000 for the Gaussian process, and a query.
Run with ``pytest benchmarks/test_kernel_mechanisms.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import binom

from theorytk.privacy.bernstein import bernstein
from theorytk.privacy.gauss_transform import gauss_transform
from theorytk.privacy.gaussian_process import gaussian_process
from theorytk.privacy.hashing import l2_hashes
from theorytk.privacy.kernels import kernel_values
from theorytk.privacy.race import race

RNG = np.random.default_rng(0)
POINTS, QUERIES, FEW = RNG.random((100_000, 2)), RNG.random((2000, 2)), RNG.random((50, 2))
ROWS, DEGREE, WIDTH = 200, 6, 4.0
BLOCK = 4096


def seconds(function, repeats=3):
    """Return the median CPU seconds of a call, after one that compiles."""
    function()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return float(np.median(times))


def plain_race(hashes):
    """Return (fit, query) of counters by NumPy, with codes modulo 256 for buckets."""
    a, b = hashes.linear[:, 0], hashes.offsets[:, 0]

    def fit(x):
        counts = np.zeros((ROWS, 256))
        for i in range(0, len(x), BLOCK):
            codes = np.floor(x[i : i + BLOCK] @ a.T + b).astype(int) % 256
            np.add.at(counts, (np.arange(ROWS), codes), 1)
        return counts

    def query(counts, y):
        codes = np.floor(y @ a.T + b).astype(int) % 256
        return counts[np.arange(ROWS), codes].mean(axis=1)

    return fit, query


def plain_transform():
    """Return (fit, query) of moments by NumPy: scattered sums, and a loop over queries."""
    cells = int(WIDTH)
    k = np.arange(DEGREE)
    factorials = np.cumprod(np.maximum(k, 1))

    def fit(x):
        place = np.minimum((x * WIDTH).astype(int), cells - 1)
        powers = (x * WIDTH - place - 0.5)[:, :, None] ** k
        table = np.zeros((cells, cells, DEGREE, DEGREE))
        moments = powers[:, 0, :, None] * powers[:, 1, None, :]
        np.add.at(table, (place[:, 0], place[:, 1]), moments)
        return table

    def query(table, y):
        out = []
        for v in y * WIDTH:
            away = v[:, None] - np.arange(cells) - 0.5
            hermite = np.polynomial.hermite.hermvander(away, DEGREE - 1) / factorials
            first, second = hermite * np.exp(-(away**2))[:, :, None]
            out.append(np.einsum("ak,abkl,bl->", first, table, second))
        return np.array(out)

    return fit, query


def plain_bernstein():
    """Return (fit, query) of lattice values by NumPy and binomial weights by SciPy."""
    steps = np.arange(DEGREE + 1) / DEGREE
    lattice = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)

    def fit(x):
        blocks = range(0, len(x), BLOCK)
        return sum(
            kernel_values("gaussian", x[i : i + BLOCK], lattice, bandwidth=1 / WIDTH).sum(axis=1)
            for i in blocks
        )

    def query(values, y):
        first, second = (binom.pmf(np.arange(DEGREE + 1), DEGREE, c[:, None]) for c in y.T)
        return np.einsum("qi,qj,ij->q", first, second, values.reshape(DEGREE + 1, -1))

    return fit, query


HASHES = l2_hashes(2, ROWS, rng=0)
CASES = {
    "race": (race(HASHES, epsilon=1.0), plain_race(HASHES)),
    "fgt": (gauss_transform([WIDTH] * 2, DEGREE, epsilon=1.0), plain_transform()),
    "bernstein": (bernstein("gaussian", [WIDTH] * 2, DEGREE, epsilon=1.0), plain_bernstein()),
}


@pytest.mark.parametrize("name", CASES)
def test_fit_and_queries_against_numpy(name):
    mechanism, (fit, query) = CASES[name]
    ours_fit = seconds(lambda: mechanism.release(POINTS, RNG))
    theirs_fit = seconds(lambda: fit(POINTS))
    table, plain = mechanism.synthesise(mechanism.release(POINTS, RNG)), fit(POINTS)
    ours = seconds(lambda: mechanism.answers(table, QUERIES)) / len(QUERIES)
    theirs = seconds(lambda: query(plain, FEW), 1) / len(FEW)
    print(
        f"\n{name}: fit {ours_fit:.3g} s against {theirs_fit:.3g} s, "
        f"{1 / ours:.3g} queries per second against {1 / theirs:.3g}"
    )
    assert 2 * theirs_fit > ours_fit
    assert theirs > ours


def plain_process(points, queries):
    """Answer queries one by one, with the factor of the whole covariance each time."""
    noise, answers = RNG.normal(size=len(queries)), []
    for q in range(1, len(queries) + 1):
        y = queries[:q]
        covariance = kernel_values("gaussian", y, y) + 1e-8 * np.eye(q)
        total = kernel_values("gaussian", points, y[-1:]).sum()
        answers.append(total + np.linalg.cholesky(covariance)[-1] @ noise[:q])
    return answers


def test_adaptive_process_against_numpy():
    points, queries = POINTS[:2000], QUERIES[:400]

    def ours():
        private = gaussian_process(points, rho=0.5, rng=0)
        return [private.answers(y[None]) for y in queries]

    mine, theirs = seconds(ours, 1), seconds(lambda: plain_process(points, queries), 1)
    print(f"\ngp: 400 queries one by one {mine:.3g} s against {theirs:.3g} s")
    assert mine < 10 * theirs
