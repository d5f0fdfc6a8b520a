"""Sums of kernels by random features: how well they estimate, and their noise."""

from __future__ import annotations

import math

import numpy as np

from theorytk.claims import Assumption, Control, claim
from theorytk.experiments import Column, experiment, grid
from theorytk.inference import AtMost, Between
from theorytk.privacy.kernel_theory import (
    best_feature_count,
    feature_variance,
    gaussian_feature_noise,
    laplace_feature_noise,
)
from theorytk.privacy.kernels import KERNELS, kernel_values, random_frequencies
from theorytk.privacy.random_features import random_features

from .estimates import means

PAPER = "backurs2024similarities"
ONE_DISTANCE = Assumption("one distance in units of the bandwidth; the law is for every one")
RELEASES = Assumption("sums of no points: noise does not depend on the data")
MARGIN = "the law is exact; the margin is what the draws resolve"


@experiment(
    "private-similarities/frequencies",
    paper=PAPER,
    design=grid(kernel=list(KERNELS), d=3, batch=4000),
    paired=("drawn", "paired_law"),
    columns={
        "bias": Column("mean cosine less the kernel, at a distance with z = 1"),
        "ratio": Column("mean square of (wave estimate - kernel) over its law"),
    },
    presets={"quick": dict(replicates=50), "paper": dict(replicates=200)},
    block=10,
)
def frequencies(*, kernel, d, batch, drawn="spectral", paired_law=False, rng):
    """Random frequencies of a kernel, each with a phase, against the kernel at z = 1.

    `drawn` "narrow" divides frequencies by sqrt(2), as for exp(-r^2/2), "5% off" by 1.05. The law
    of the variance is that for phases, or for pairs.
    """
    w = random_frequencies(kernel, d, batch, rng=rng)
    w /= {"spectral": 1, "narrow": math.sqrt(2), "5% off": 1.05}[drawn]
    # Half of the first axis and half of the second: l_1 distance 1 for the Laplacian kernel.
    u = np.zeros(d)
    u[:2] = 0.5 if kernel == "laplacian" else math.sqrt(0.5)
    value = float(kernel_values(kernel, [u], np.zeros((1, d)))[0, 0])
    phase = rng.uniform(0, 2 * math.pi, batch)
    waves = 2 * np.cos(u @ w + phase) * np.cos(phase)
    law = variance_law(kernel, u, paired_law)
    return {"bias": np.mean(np.cos(u @ w)) - value, "ratio": np.mean((waves - value) ** 2) / law}


def variance_law(kernel, u, paired):
    """Return the variance of an estimate from one frequency for the difference u of points."""
    length = np.abs(u).sum() if kernel == "laplacian" else np.linalg.norm(u)
    return float(feature_variance(kernel, length, paired=paired))


@claim(
    "private-similarities/spectral-laws",
    theorem="Bochner's theorem; derived here for three of the kernels (random_frequencies)",
    status="ours",
    statement=r"$E\cos\langle w,x-y\rangle=k(x,y)$ for frequencies $w$ that are Gaussian, "
    "Gaussian over an independent Gaussian, independent Cauchy, or one of the first two times a "
    "power of an exponential variable.",
    experiment=frequencies,
    region=Between(0, 0, margin=0.02),
    reason=MARGIN,
    assumptions=(ONE_DISTANCE,),
    control=(
        Control("frequencies of exp(-r^2 / 2) and the like", drawn="narrow"),
        Control("a bandwidth 5% too large", drawn="5% off"),
    ),
)
def cosines_average(table):
    """Mean difference, per kernel."""
    return means(table, "bias", "kernel")


@claim(
    "private-similarities/feature-variance",
    theorem="derived here (feature_variance)",
    status="ours",
    statement=r"One frequency with a random phase estimates $k(z)$ with variance "
    r"$1+\frac12k(2z)-k(z)^2$, one with cosine and sine with $\frac12$ less.",
    experiment=frequencies,
    region=Between(1, 1, margin=0.05),
    reason=MARGIN,
    assumptions=(ONE_DISTANCE,),
    control=(
        Control("the law of pairs read for phases", paired_law=True),
        Control("frequencies of exp(-r^2 / 2) and the like", drawn="narrow"),
    ),
)
def features_vary(table):
    """Mean square over the law, per kernel."""
    return means(table, "ratio", "kernel")


BUDGETS = {"laplace": dict(epsilon=1.0), "gaussian": dict(rho=0.5)}
SCALES = {
    "as planned": lambda n_features: 1.0,
    "not times the number": lambda n_features: 1 / n_features,
    "10% too small": lambda n_features: 0.9,
}


@experiment(
    "private-similarities/feature-noise",
    paper=PAPER,
    design=grid(kind=list(BUDGETS), n_features=[10, 100], batch=25),
    paired=("scale",),
    columns={
        "ratio": Column("mean square of the noise of an answer over its law"),
        "noise": Column("root mean square of the noise of a sum"),
    },
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=10,
)
def feature_noise(*, kind, n_features, batch, scale="as planned", rng):
    """Noise of random features on sums, at epsilon = 1 or rho = 1/2, at 20 queries."""
    w = random_frequencies("gaussian", 2, n_features, rng=rng)
    planned = random_features(w, **BUDGETS[kind], rng=rng)
    mechanism = planned.with_scales(planned.scales * SCALES[scale](n_features))
    released = mechanism.releases(np.empty((0, 2)), batch, rng)
    noise = mechanism.answers(released.T, 40 * rng.random((20, 2)))
    law = laplace_feature_noise(1, n_features) if kind == "laplace" else gaussian_feature_noise(0.5)
    square = np.mean(np.square(noise))
    return {"ratio": square / law**2, "noise": math.sqrt(square)}


def noise_claim(name, kind, theorem, status, statement):
    """Declare that the noise of random features of a kind has its law."""

    @claim(
        f"private-similarities/{name}",
        theorem=theorem,
        status=status,
        statement=statement,
        experiment=feature_noise,
        at=dict(kind=kind),
        region=Between(1, 1, margin=0.25),
        reason=MARGIN,
        assumptions=(RELEASES,),
        control=(
            Control("the number of features forgotten", scale="not times the number"),
            Control("scales 10% too small", scale="10% too small"),
        ),
    )
    def estimate(table):
        """Mean square of the noise over its law, per number of features."""
        return means(table, "ratio", "n_features")

    return estimate


rff_laplace_noise = noise_claim(
    "rff-laplace-noise",
    "laplace",
    "Wagner, Naamad, Mishra (2023); the law derived here (laplace_feature_noise)",
    "ours",
    r"Laplace features answer a kernel sum with noise of root mean square $2\sqrt I/\varepsilon$: "
    "more features, more noise.",
)
rff_gauss_noise = noise_claim(
    "rff-gauss-noise",
    "gaussian",
    "derived here (gaussian_feature_noise)",
    "ours",
    r"Gaussian features answer every query with noise $1/\sqrt{2\rho}$, whatever their number.",
)


def feature_sums(n_features):
    """Return ``mechanism(x, y, epsilon, rng) -> sums`` by so many Laplace features."""

    def mechanism(x, y, epsilon, rng):
        w = random_frequencies("gaussian", x.shape[1], n_features(epsilon, len(x)), rng=rng)
        released = random_features(w, epsilon=epsilon, rng=rng)
        return released.answers(released.release(x, rng), y)

    return mechanism


SUMS = {
    "best count": feature_sums(best_feature_count),
    "twice the count": feature_sums(lambda epsilon, n: 2 * best_feature_count(epsilon, n)),
    "ten times the count": feature_sums(lambda epsilon, n: 10 * best_feature_count(epsilon, n)),
}


FAR = (-8.0, -4.0, 4.0, 8.0)


@experiment(
    "private-similarities/feature-error",
    paper=PAPER,
    design=grid(n=100, epsilon=[0.5, 2], batch=20),
    paired=("mechanism",),
    columns={"ratio": Column("mean square error over 4 n / epsilon")},
    presets={"quick": dict(replicates=40), "paper": dict(replicates=200)},
    block=5,
    algorithm="mechanism",
)
def feature_error(*, n, epsilon, batch, mechanism="best count", rng):
    """Error of Gaussian kernel sums of n points close together, far from 16 queries.

    The algorithm is ``mechanism(x, y, epsilon, rng) -> sums`` of exp(-|x_i - y|^2), for points
    (n, d) and queries (q, d): epsilon-private for added and removed points; n is public.
    """
    answer = SUMS.get(mechanism, mechanism)
    y, errors = np.array([(a, b) for a in FAR for b in FAR]), []
    for _ in range(batch):
        x = 0.01 * rng.random((n, 2))
        truth = kernel_values("gaussian", x, y).sum(axis=1)
        errors.append(answer(x, y, epsilon, rng) - truth)
    return {"ratio": np.mean(np.square(errors)) * epsilon / (4 * n)}


@claim(
    "private-similarities/rff-best-count",
    theorem="derived here (best_feature_count)",
    status="ours",
    statement=r"With $I=\varepsilon n/2$ Laplace features the root mean square error of a kernel "
    r"sum is at most $2\sqrt{n/\varepsilon}$ for kernels with $k(2z)\le2k(z)^2$: on the mean, of "
    r"order $(\varepsilon n)^{-1/2}$.",
    experiment=feature_error,
    region=AtMost(1, margin=0.2),
    reason="the instance is the worst one, where the bound is attained; the margin is resolution",
    assumptions=(Assumption("points together, far from all queries: the largest variance"),),
    control=(
        Control("twice as many features", mechanism="twice the count"),
        Control("ten times as many features", mechanism="ten times the count"),
    ),
)
def error_at_best_count(table):
    """Mean square error over its bound, per epsilon."""
    return means(table, "ratio", "epsilon")


@experiment(
    "private-similarities/error-against-features",
    paper=PAPER,
    design=grid(kind=list(BUDGETS), n_features=[10, 30, 100, 300, 1000, 3000], n=500),
    columns={"error": Column("root mean square error of a Gaussian kernel sum over 40 queries")},
    presets={"quick": dict(replicates=20), "paper": dict(replicates=100)},
    block=10,
)
def error_against_features(*, kind, n_features, n, rng):
    """Error of kernel sums of n points in the square by random features, epsilon = 1, rho = 1/2."""
    x, y = 2 * rng.random((n, 2)), 2 * rng.random((40, 2))
    w = random_frequencies("gaussian", 2, n_features, rng=rng)
    mechanism = random_features(w, **BUDGETS[kind], rng=rng)
    error = mechanism.answers(mechanism.release(x, rng), y) - kernel_values("gaussian", x, y).sum(1)
    return {"error": math.sqrt(np.mean(error**2))}
