"""Queries per second against the number of points: our structures, brute force, scikit-learn.

One thread, CPU times; methods take turns, and medians over the rounds are told. Errors are equal
where methods have one: the tree's tolerance is the error of the private answers, or 5% of the mean
kernel. Run with ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 pytest -s
benchmarks/test_queries_per_second.py``; with ``THEORYTK_IMAGES=docs/images`` before it, the picture
of the theory page and its table are written to this folder.
"""

from __future__ import annotations

import csv
import math
import os
import time
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from sklearn.neighbors import KernelDensity

from theorytk.privacy.distances import PrivateDistanceSum
from theorytk.privacy.exact_sums import kernel_sum
from theorytk.privacy.kernel_sums import PrivateKernelSum

SIZES = (10**3, 10**4, 10**5, 10**6)
ROUNDS = 5
# CPU seconds that a method may take in a round, about; queries are as many as fit.
ROUND_SECONDS = 0.1
# Blocks hold this many queries, which share the work on the points.
LEAST = {"exact, in blocks": 64}
DIMENSION, BROAD, NARROW = 3, math.sqrt(3) / 2, 0.01
TITLES = {
    "distances": "distances on a line",
    "broad": "Gaussian kernel, d = 3, bandwidth 0.87",
    "narrow": "Gaussian kernel, d = 3, bandwidth 0.01",
}


@njit(fastmath=True)
def distances_by_loops(x, y):
    out = np.zeros(len(y))
    for i in range(len(y)):
        for j in range(len(x)):
            out[i] += abs(x[j, 0] - y[i, 0])
    return out


@njit(fastmath=True)
def kernels_by_loops(x, y):
    out = np.zeros(len(y))
    for i in range(len(y)):
        for j in range(len(x)):
            square = 0.0
            for c in range(x.shape[1]):
                square += (x[j, c] - y[i, c]) ** 2
            out[i] += math.exp(-square)
    return out


def distances_by_numpy(x, y):
    return np.array([np.abs(x - each).sum() for each in y])


def kernels_by_numpy(x, y):
    return np.array([np.exp(-((x - each) ** 2).sum(axis=1)).sum() for each in y])


def tree(x, bandwidth, error):
    """Return sums of kernels by scikit-learn's tree, at this error of their mean."""
    h = bandwidth / math.sqrt(2)
    volume = (math.sqrt(2 * math.pi) * h) ** x.shape[1]  # densities are mean kernels over it
    density = KernelDensity(bandwidth=h, atol=error / volume).fit(x)
    return lambda y: len(x) * volume * np.exp(density.score_samples(y))


def line(n, rng):
    """Return the dimension and the methods for sums of distances from n points."""
    x = rng.random((n, 1))
    hat, rings = (
        PrivateDistanceSum(method=m, epsilon=1.0, size_hint=n, rng=0).fit(x, bounds=(0, 1))
        for m in ("hat", "tree")
    )
    return 1, {
        "private, hat mechanism": hat.query,
        "private, tree of the paper": rings.query,
        "exact, sorted": sorted_sums(x),
        "brute force, numba": lambda y: distances_by_loops(x, y),
        "brute force, NumPy": lambda y: distances_by_numpy(x, y),
    }


def sorted_sums(x):
    """Return exact sums of distances from points that are sorted once."""
    ordered = np.sort(x[:, 0])
    sums = np.concatenate([[0.0], np.cumsum(ordered)])

    def query(y):
        below = np.searchsorted(ordered, y[:, 0])
        return y[:, 0] * (2 * below - len(ordered)) + sums[-1] - 2 * sums[below]

    return query


def kernels(bandwidth, private):
    """Return what makes the methods for a Gaussian kernel, with features where `private`."""

    def methods(n, rng):
        x, few = rng.random((n, DIMENSION)), rng.random((8, DIMENSION))
        scaled = x / bandwidth
        truth = kernel_sum("gaussian", x, few, bandwidth=bandwidth) / n
        found, error = {}, 0.05 * float(truth.mean())
        if private:
            sums = PrivateKernelSum(
                mechanism="rff_gaussian", rho=0.5, bandwidth=bandwidth, n_features=500, rng=0
            ).fit(x)
            found["private, 500 features"] = sums.query
            error = float(np.sqrt(np.mean((sums.query(few) / n - truth) ** 2)))
        found["scikit-learn's tree"] = tree(x, bandwidth, error)
        found["exact, in blocks"] = lambda y: kernel_sum("gaussian", x, y, bandwidth=bandwidth)
        found["brute force, numba"] = lambda y: kernels_by_loops(scaled, y / bandwidth)
        found["brute force, NumPy"] = lambda y: kernels_by_numpy(scaled, y / bandwidth)
        return DIMENSION, found

    return methods


PANELS = {
    "distances": line,
    "broad": kernels(BROAD, private=True),
    "narrow": kernels(NARROW, private=False),
}


def seconds(function, queries):
    """Return the CPU seconds per query of a call."""
    started = time.process_time()
    function(queries)
    return (time.process_time() - started) / len(queries)


def rates(methods, d, rng):
    """Return the queries per second of each method, medians over rounds in which they take turns.

    The first calls compile, and tell how many queries fit into a round.
    """
    queries = {}
    for name, function in methods.items():
        number = 2
        for _ in range(3):
            one = seconds(function, rng.random((number, d))) + 1e-9
            number = min(max(int(ROUND_SECONDS / one), LEAST.get(name, 1)), 10**6)
        queries[name] = rng.random((number, d))
    rounds = [[seconds(f, queries[name]) for name, f in methods.items()] for _ in range(ROUNDS)]
    return dict(zip(methods, (1 / np.median(rounds, axis=0)).tolist(), strict=True))


def measured(panel):
    """Return the queries per second of every method of a panel for every number of points."""
    found: dict[str, list[float]] = {}
    for n in SIZES:
        rng = np.random.default_rng(n)
        d, methods = PANELS[panel](n, rng)
        for name, rate in rates(methods, d, rng).items():
            found.setdefault(name, []).append(rate)
    return found


@pytest.fixture(scope="module")
def table():
    """Return what is measured, and write it where the environment says so."""
    found = {panel: measured(panel) for panel in PANELS}
    for panel, methods in found.items():
        print(f"\n{TITLES[panel]}, n = {', '.join(f'{n:g}' for n in SIZES)}:")
        for name, values in methods.items():
            print(f"  {name:28}" + " ".join(f"{value:12.4g}" for value in values))
    if "THEORYTK_IMAGES" in os.environ:
        written(found, Path(os.environ["THEORYTK_IMAGES"]))
    return found


def written(found, folder):
    """Write the picture and its table."""
    with (folder / "queries-per-second.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["problem", "method", "n", "queries per second"])
        for panel, methods in found.items():
            for name, values in methods.items():
                for n, value in zip(SIZES, values, strict=True):
                    rows.writerow([panel, name, n, f"{value:.4g}"])
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.2), layout="constrained")
    names = list(dict.fromkeys(name for methods in found.values() for name in methods))
    looks = {name: (f"C{i}", "osD^vP*X"[i]) for i, name in enumerate(names)}
    panels = figure.subplots(1, len(found), sharey=True)
    for axes, (panel, methods) in zip(panels, found.items(), strict=True):
        for name, values in methods.items():
            colour, marker = looks[name]
            axes.loglog(SIZES, values, color=colour, marker=marker, label=name)
        axes.set(title=TITLES[panel], xlabel="number of points (1)")
        axes.grid(alpha=0.3)
        axes.set_ylabel("queries per CPU second (1/s)" if panel == "distances" else "")
    handles = {
        text: handle
        for axes in figure.axes
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=4)
    figure.savefig(folder / "queries-per-second.png", dpi=120, metadata={"Software": None})


@pytest.mark.parametrize(
    ("panel", "name"),
    [("distances", "private, hat mechanism"), ("broad", "private, 500 features")],
)
def test_structures_do_not_slow_down(table, panel, name):
    # Tables that leave the cache cost something; brute force loses a factor of 1000.
    assert table[panel][name][-1] > table[panel][name][0] / 10


def test_hats_against_brute_force(table):
    ours, theirs = (
        table["distances"][name][-1] for name in ("private, hat mechanism", "brute force, numba")
    )
    assert ours >= 1000 * theirs


def test_broad_kernels_belong_to_features(table):
    broad = table["broad"]
    assert broad["private, 500 features"][-1] >= 100 * broad["scikit-learn's tree"][-1]


def test_narrow_kernels_belong_to_the_tree(table):
    narrow = table["narrow"]
    others = [values[-1] for name, values in narrow.items() if name != "scikit-learn's tree"]
    assert narrow["scikit-learn's tree"][-1] > 2 * max(others)
