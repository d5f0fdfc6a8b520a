"""Errors of all mechanisms for kernel sums, side by side, and the audit of RACE's scales."""

from __future__ import annotations

import numpy as np

from theorytk.experiments import Column, experiment, grid
from theorytk.privacy.bernstein import bernstein_error, bernstein_noise
from theorytk.privacy.gauss_transform import gauss_transform, gauss_transform_error
from theorytk.privacy.hashing import l2_collision, l2_hashes
from theorytk.privacy.kernel_sums import PrivateKernelSum
from theorytk.privacy.kernel_theory import best_feature_count
from theorytk.privacy.kernels import kernel_values
from theorytk.privacy.race import race

PAPER = "backurs2024similarities"
# Bandwidth in the unit cube, and delta where noise is Gaussian.
BANDWIDTH, DELTA = 0.25, 1e-6
UNIT = (0.0, 1.0)


def front_door(mechanism, planned, delta=0.0):
    """Return ``mechanism(x, y, epsilon, rng) -> (answers, kernel values)`` by PrivateKernelSum."""

    def answer(x, y, epsilon, rng):
        options = planned(len(x), x.shape[1], epsilon)
        sums = PrivateKernelSum(
            mechanism=mechanism,
            bandwidth=BANDWIDTH,
            epsilon=epsilon,
            delta=delta,
            count_share=0.0,
            rng=rng,
            **options,
        ).fit(x, bounds=UNIT)
        return sums.query(y), kernel_values("gaussian", x, y, bandwidth=BANDWIDTH)

    return answer


def moments(n, d, epsilon):
    """Return the degree with the least sum of truncation bound and noise at the centre."""

    def cost(degree):
        mechanism = gauss_transform([1 / BANDWIDTH] * d, degree, epsilon=epsilon, noise="float")
        noise = mechanism.noise_components(np.full((1, d), 0.5))[0].sum()
        return n * gauss_transform_error(degree, d) + np.sqrt(noise)

    return {"degree": min(range(1, 12), key=cost)}


def polynomials(n, d, epsilon):
    """Return the degree with the least sum of approximation bound and noise at the centre."""

    def cost(degree):
        error = min(1.0, bernstein_error("gaussian", [1 / BANDWIDTH] * d, degree))
        return n * error + bernstein_noise(np.full((1, d), 0.5), degree, epsilon)[0]

    return {"degree": min(range(1, 60), key=cost)}


def hashed(x, y, epsilon, rng):
    """Answer by hashed counters with the kernel of Gaussian projections in cells of a bandwidth."""
    rows = best_feature_count(epsilon, len(x))
    hashes = l2_hashes(x.shape[1], rows, width=BANDWIDTH, bits=6, rng=rng)
    mechanism = race(hashes, epsilon=epsilon)
    table = mechanism.synthesise(mechanism.release(x, rng))
    away = np.linalg.norm(x - y[:, None], axis=2)
    return mechanism.answers(table, y), l2_collision(away, width=BANDWIDTH)


MECHANISMS = {
    "rff_laplace": front_door(
        "rff_laplace", lambda n, d, epsilon: {"n_features": best_feature_count(epsilon, n)}
    ),
    "race": hashed,
    "fgt": front_door("fgt", moments),
    "bernstein": front_door("bernstein", polynomials),
    "rff_gaussian": front_door("rff_gaussian", lambda n, d, epsilon: {"n_features": 1000}, DELTA),
    "gp": front_door("gp", lambda n, d, epsilon: {}, DELTA),
}


@experiment(
    "private-similarities/kernel-mechanisms",
    paper=PAPER,
    design=grid(mechanism=list(MECHANISMS), d=[1, 2], epsilon=[0.1, 0.3, 1, 3], n=2000, queries=40),
    columns={"error": Column("root mean square error of the mean kernel over the queries")},
    presets={"quick": dict(replicates=4), "paper": dict(replicates=50)},
    block=2,
    algorithm="mechanism",
)
def kernel_mechanisms(*, mechanism, d, epsilon, n, queries, rng):
    """Errors of mean kernels of bandwidth 1/4 for n points of two clusters in the unit cube.

    The algorithm is ``mechanism(x, y, epsilon, rng) -> (answers, kernel values)``: sums over
    points x (n, d) at queries y (q, d), and the true values (q, n). Degrees and numbers of features
    minimise bounds that know n, epsilon and the box; Gaussian noise is for delta 1e-6.
    """
    centres = np.where(rng.random((n, 1)) < 0.3, 0.25, 0.7)
    x = np.clip(centres + 0.08 * rng.normal(size=(n, d)), 0, 1)
    y = rng.random((queries, d))
    answers, values = MECHANISMS.get(mechanism, mechanism)(x, y, epsilon, rng)
    return {"error": float(np.sqrt(np.mean((answers / n - values.mean(axis=1)) ** 2)))}
