"""Checks by enumeration of all outcomes, by a closed form, and by a claim of the library."""

from functools import partial
from itertools import product

import numpy as np

import theorytk as tk
from theorytk.classroom import Wrong, array, check, close, picture, quick

PAPER = "ferbach2024"
QUESTION = (
    "Derive your integral from the definition of H. Why does the trapezoidal rule in v = log u "
    "need so few nodes?"
)
NAME = "curation_weights(p, r, K)"


def _enumerated(p, r, K):
    """Return the curation weights as they are defined, outcome by outcome."""
    w = np.exp(r - np.max(r))
    others = np.array(list(product(range(len(p)), repeat=K - 1)), dtype=int).reshape(
        len(p) ** (K - 1), K - 1
    )
    chance, total = p[others].prod(axis=1), w[others].sum(axis=1)
    return np.array([K * np.sum(chance * (wi / (wi + total))) for wi in w])


def _problem(rng, most=5):
    n = int(rng.integers(1, most + 1))
    return rng.dirichlet(np.ones(n)), rng.uniform(0.1, 4) * rng.standard_normal(n)


@check(points=1)
def transform(student, rng):
    """The function phi.

    It is an expectation: which function of the weight, at which u?
    """
    for _ in range(5):
        p, r = _problem(rng)
        u = np.append(0.0, rng.exponential(2.0, 6))
        expected = [
            sum(pj * np.exp(-v * np.exp(rj)) for pj, rj in zip(p, r, strict=True)) for v in u
        ]
        close(student.phi(u.copy(), p, r), expected, "phi(u, p, r)", rtol=1e-12, atol=1e-300)


@check(points=4)
def enumeration(student, rng):
    """The weights against the sum over all outcomes, up to 5 outputs and 6 samples.

    How many other samples are there? If digits are missing only, look at the ends and the step of
    the quadrature.
    """
    for i in range(24):
        K = 1 + i % 6
        p, r = _problem(rng)
        given = f"n = {len(p)}, K = {K} and rewards from {r.min():.3g} to {r.max():.3g}"
        found = student.curation_weights(p.copy(), r.copy(), K)
        close(found, _enumerated(p, r, K), NAME, rtol=1e-12, given=given)


@check(points=2)
def extremes(student, rng):
    """The weights for large rewards, for far ones, and for an output that never occurs.

    Only differences of rewards matter. How large must u become before exp(-u w) dies for the
    smallest of the weights?
    """
    cases = [
        (np.array([0.3, 0.7]), np.array([900.0, 901.0]), 3, "rewards about 900"),
        (np.array([0.3, 0.7]), np.array([-900.0, -902.0]), 4, "rewards about -900"),
        (np.array([1e-3, 0.999]), np.array([30.0, 0.0]), 4, "rewards 30 apart"),
        (np.array([0.0, 0.5, 0.5]), np.array([0.0, 1.0, 3.0]), 3, "an output of probability 0"),
        (np.array([0.0, 0.5, 0.5]), np.array([9.0, 1.0, 3.0]), 3, "a best output that is absent"),
    ]
    for p, r, K, given in cases:
        found = student.curation_weights(p.copy(), r.copy(), K)
        close(found, _enumerated(p, r, K), NAME, rtol=1e-12, given=given)


@check(points=1)
def many(student, rng):
    """Ten thousand outputs in two seconds.

    The integrals of all outputs share phi: compute it once, and let arrays do the rest.
    """
    n, K = 10_000, 16
    p, r = rng.dirichlet(np.ones(n)), rng.uniform(0, 5, n)
    found = quick(partial(student.curation_weights, p.copy(), r.copy(), K), 2.0, f"{NAME}, n = {n}")
    weights = array(found, NAME, shape=(n,))
    close(p @ weights, 1.0, "sum of p_i H_i", atol=1e-10, given=f"n = {n} and K = {K}")


@check(points=1)
def generations(student, rng):
    """Several generations, against the closed form for two outputs and two samples.

    The next law is p H; H has to be computed anew in each generation.
    """
    for _ in range(5):
        q0, gap, count = rng.uniform(0.05, 0.9), rng.uniform(-2, 2), int(rng.integers(0, 6))
        q = q0
        for _ in range(count):
            q = q * (1 + (1 - q) * np.tanh(gap / 2))
        p, r = np.array([1 - q0, q0]), np.array([0.5, 0.5 + gap])
        found = student.curate(p.copy(), r.copy(), 2, count)
        given = f"two outputs, K = 2 and {count} generations"
        close(found, [1 - q, q], "curate(p, r, K, generations)", atol=1e-10, given=given)


@check(points=1)
def claim(student, rng):
    """The claim of the library, with your weights in the place of its own.

    Its problems hold up to 4 outputs and rewards that may be more than a hundred apart.
    """

    def weights(p, reward, K):
        return array(student.curation_weights(p, reward, K), NAME, shape=p.shape)

    weights(*_problem(rng), 3)
    seed = int(rng.integers(2**31))
    [result] = tk.check("self-consuming-curation/exact-weights", algorithm=weights, seed=seed)
    if str(result.verdict) != "supported":
        raise Wrong(f"the relative error exceeds 1e-12 (claim {result.claim.id})")


@picture
def weights_of_rewards(student, rng, figure):
    left, right = figure.subplots(1, 2)
    r = np.linspace(-3, 3, 61)
    p = np.full(61, 1 / 61)
    for K in (1, 2, 4, 16, 64):
        left.plot(r, student.curation_weights(p, r, K), label=f"$K = {K}$")
    left.set(xlabel="reward $r_i$ (1)", ylabel="curation weight $H_i$ (1)")
    left.legend()
    for count in (0, 1, 3, 10):
        right.plot(r, 61 / 6 * student.curate(p, r, 4, count), label=f"{count} generations")
    right.set(xlabel="reward $r$ (1)", ylabel="density of the reward, $K = 4$ (1)")
    right.legend()
