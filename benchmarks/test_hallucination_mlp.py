"""A training step of the small network, against the budget and against plain NumPy.

The baseline is the same step in the usual NumPy code: one array for each operation. Both take turns
in one thread, and CPU times are printed. Run with
``pytest benchmarks/test_hallucination_mlp.py -s``.
"""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from theorytk.diffusion.hallucination.chain import steep_schedule
from theorytk.diffusion.hallucination.mixtures import three_in_a_row
from theorytk.diffusion.hallucination.mlp import train_mlp

HIDDEN, BATCH, UPDATES = 64, 1000, 200


@pytest.fixture(autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def seconds(function):
    """Return the CPU seconds of a call."""
    started = time.process_time()
    function()
    return time.process_time() - started


def plain_updates(n_updates):
    """Train a network of the same size on inputs that are there already."""
    rng = np.random.default_rng(0)
    widths = [17, HIDDEN, HIDDEN, HIDDEN, 1]
    sizes = list(pairwise(widths))
    parameters = [rng.standard_normal(s, np.float32) / np.float32(s[0] ** 0.5) for s in sizes]
    parameters += [np.zeros(b, np.float32) for _, b in sizes]
    means, squares = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    x = rng.standard_normal((BATCH, 17), np.float32)
    noise = rng.standard_normal((BATCH, 1), np.float32)
    for _ in range(n_updates):
        values, slopes = [x], []
        for matrix, bias in zip(parameters[:3], parameters[4:7], strict=True):
            z = values[-1] @ matrix + bias
            s = 1 / (1 + np.exp(-z))
            values.append(z * s)
            slopes.append(s * (1 + z * (1 - s)))
        error = 2 * (values[-1] @ parameters[3] + parameters[7] - noise) / np.float32(BATCH)
        gradients = [parameters[0]] * 8
        for i in range(3, -1, -1):
            gradients[i], gradients[4 + i] = values[i].T @ error, error.sum(axis=0)
            if i:
                error = (error @ parameters[i].T) * slopes[i - 1]
        for p, g, m, v in zip(parameters, gradients, means, squares, strict=True):
            m += np.float32(0.1) * (g - m)
            v += np.float32(0.001) * (g**2 - v)
            p -= np.float32(1e-3) * m / (np.sqrt(v) + np.float32(1e-8))


def test_an_update(benchmark):
    data, schedule = three_in_a_row().sample(50_000, 0), steep_schedule()

    def ours(n_updates=UPDATES):
        train_mlp(
            data, schedule, hidden=HIDDEN, batch_size=BATCH, n_updates=n_updates, t_start=400, rng=0
        )

    ours(2)
    rows = [(seconds(ours), seconds(lambda: plain_updates(UPDATES))) for _ in range(7)]
    benchmark.pedantic(ours, rounds=1)
    mine, plain = 1e3 * np.median(rows, axis=0) / UPDATES
    ratio = float(np.median([b / a for a, b in rows]))
    benchmark.extra_info["milliseconds"] = float(mine)
    print(
        f"\n  ours {mine:.2f} ms per update; NumPy without drawing {plain:.2f}, {ratio:.2f} times"
    )
    assert mine <= 1.5
