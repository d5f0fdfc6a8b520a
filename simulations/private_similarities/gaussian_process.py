"""The Gaussian process mechanism: consistent answers to adaptive queries."""

from __future__ import annotations

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between
from theorytk.privacy.gaussian_process import gaussian_process
from theorytk.privacy.kernels import KERNELS, kernel_values

from .estimates import largest, means

PAPER = "hall2013functions"


def process(points, rho, rng):
    """Return the answers of the Gaussian process mechanism."""
    return gaussian_process(points, rho=rho, rng=rng).answers


def smoother(points, rho, rng):
    """Return answers whose noise has a bandwidth 15% too large."""
    noise = gaussian_process(np.empty((0, points.shape[1])), bandwidth=1.15, rho=rho, rng=rng)
    return lambda y: kernel_values("gaussian", points, y).sum(axis=1) + noise.answers(y)


PROCESSES = {
    "process": process,
    "bandwidth 15% off": smoother,
    "12% less noise": lambda points, rho, rng: process(points, rho / 0.88**2, rng),
}


@experiment(
    "private-similarities/adaptive-answers",
    paper=PAPER,
    design=grid(rho=[0.3], batch=60, rounds=4),
    paired=("mechanism",),
    columns={"ratio": Column("square of whitened errors over their number")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=400)},
    block=10,
    algorithm="mechanism",
)
def adaptive_answers(*, rho, batch, rounds, mechanism="process", rng):
    """Errors of answers to pairs of queries, chosen by the last answer, whitened by K / (2 rho).

    The algorithm is ``mechanism(points, rho, rng) -> answers`` and ``answers(y) -> sums`` of
    exp(-|x_i - y|^2), for queries y of shape (q, d) that come in parts: rho-zCDP together.
    """
    make = PROCESSES.get(mechanism, mechanism)
    total = 0.0
    for _ in range(batch):
        points = rng.normal(size=(30, 2))
        answers, y, found = make(points, rho, rng), np.zeros((1, 2)), [0.0]
        for steps in rng.uniform(-1, 1, (rounds, 2, 2)):
            ahead = 1 if found[-1] > 10 else -1
            y = np.vstack([y, y[-1] + ahead * steps])
            found.extend(answers(y[-2:]))
        error = found[1:] - kernel_values("gaussian", points, y[1:]).sum(axis=1)
        covariance = kernel_values("gaussian", y[1:], y[1:]) / (2 * rho)
        total += error @ np.linalg.solve(covariance, error)
    return {"ratio": total / (batch * 2 * rounds)}


@claim(
    "private-similarities/gp-adaptive",
    theorem="Hall, Rinaldo, Wasserman (2013), released lazily: derived here (gaussian_process)",
    status="ours",
    statement=r"Answers released in parts, queries chosen by the answers before, have noise "
    r"with the covariance $k(y,y')/(2\rho)$ of one Gaussian process.",
    experiment=adaptive_answers,
    region=Between(1, 1, margin=0.1),
    reason="the mean of a chi-squared variable over its degrees is exact; the rest is resolution",
    assumptions=(
        Assumption("four pairs of queries within a few bandwidths, the rule uses the last answer"),
    ),
    control=(
        Control("noise of a bandwidth 15% too large", mechanism="bandwidth 15% off"),
        Control("12% less noise", mechanism="12% less noise"),
    ),
)
def whitened_errors(table):
    """Mean square of the whitened errors, per rho."""
    return means(table, "ratio", "rho")


@experiment(
    "private-similarities/orders",
    paper=PAPER,
    design=grid(kernel=list(KERNELS), queries=12),
    paired=("memory",),
    columns={"error": Column("largest entry of the covariance times 2 rho less the kernel")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=200)},
    block=20,
)
def orders(*, kernel, queries, memory=None, rng):
    """Covariance of answers to queries in a random order and in random batches.

    With a `memory` only so many earlier queries count in the law of the next answer.
    """
    y = rng.normal(size=(queries, 2))
    private = gaussian_process(np.empty((0, 2)), kernel=kernel, rho=0.5, rng=rng)
    order = rng.permutation(queries)
    cuts = np.sort(rng.integers(0, queries + 1, 3))
    for batch in np.split(order, cuts):
        private.answers(y[batch])
    factor = private.mechanism.factor
    if memory is not None:
        factor = forgetful(kernel, y[order], memory)
    exact = kernel_values(kernel, y[order], y[order])
    return {"error": np.abs(factor @ factor.T - exact).max()}


def forgetful(kernel, y, memory):
    """Return the factor of answers that are drawn given the latest answers only."""
    factor, exact = np.zeros((len(y), len(y))), kernel_values(kernel, y, y)
    for j in range(len(y)):
        known = slice(max(j - memory, 0), j)
        weights = np.linalg.solve(exact[known, known], exact[known, j])
        factor[j] = weights @ factor[known]
        factor[j, j] = np.sqrt(max(1 - weights @ exact[known, j], 0))
    return factor


@claim(
    "private-similarities/gp-orders",
    theorem="derived here (gaussian_process)",
    status="ours",
    statement=r"The covariance of all answers is $k(y,y')/(2\rho)$ in every order of the queries "
    "and in every split into batches, for all kernels.",
    experiment=orders,
    kind="identity",
    region=AtMost(1e-7),
    reason="a variance of 1e-8 is added for each query, and rounding",
    assumptions=(Assumption("random queries in the plane"),),
    control=(
        Control("answers drawn given the latest three", memory=3),
        Control("answers drawn given the latest", memory=1),
    ),
)
def order_is_irrelevant(table):
    """Largest deviation of the covariance."""
    return largest(table, "error")
