"""Checks by the library's exact map and its fixed points, and by a claim of the library."""

from functools import partial

import numpy as np

import theorytk as tk
from theorytk.classroom import Wrong, check, close, number, picture, quick
from theorytk.selfconsuming import CurationMap, two_atom_fixed_mass

PAPER = "ferbach2024"
QUESTION = (
    "Why does the threshold stay positive for infinitely many samples, and when is 1 / (K - 1) a "
    "good approximation of it? What happens to a favourite that is not rare?"
)
SIZES = (2, 4, 10, np.inf)


def _map(gap, K, lam, eps):
    return CurationMap([0.0, gap], K, lam=lam, p_ref=[1 - eps, eps])


def _true_threshold(gap, K):
    """Return 1 over the growth of a favourite that is absent, by the library's quadrature."""
    return 1 / (float(CurationMap([0.0, gap], K).weights([1.0, 0.0])[1]) - 1)


@check(points=2)
def steps(student, rng):
    """One retraining.

    If b of the K samples are of the rare kind, what is the chance that one of them is kept? Real
    data enter after curation; their share is 1 / (1 + lam).
    """
    for K in (*SIZES, 2, 3):
        q, gap = rng.uniform(0.001, 1), rng.uniform(0.2, 8)
        lam, eps = rng.uniform(0.1, 5), rng.uniform(0.001, 0.5)
        given = f"q = {q:.3g}, gap = {gap:.3g}, K = {K}, lam = {lam:.3g} and eps = {eps:.3g}"
        expected = _map(gap, K, lam, eps).step([1 - q, q])[1]
        close(student.step(q, gap, K, lam, eps), expected, "step(...)", rtol=1e-10, given=given)


@check(points=2)
def limits(student, rng):
    """The mass at the end, below the change and beyond it.

    If digits are missing, retraining has not come to its end yet, or rounding ends it too early.
    """
    name = "limit_mass(...)"
    for i, K in enumerate(2 * SIZES):
        gap, eps = rng.uniform(0.5, 6), 10 ** rng.uniform(-6, -1)
        relative = rng.uniform(0.1, 0.8) if i % 2 else rng.uniform(1.3, 4)
        lam = relative * _true_threshold(gap, K)
        given = f"gap = {gap:.3g}, K = {K}, lam = {lam:.3g} and eps = {eps:.3g}"
        expected = _map(gap, K, lam, eps).fixed_point(tol=1e-16).probabilities[1]
        close(student.limit_mass(gap, K, lam, eps), expected, name, rtol=1e-6, given=given)
        if K == 2:
            expected = two_atom_fixed_mass(eps, gap, lam)
            close(student.limit_mass(gap, K, lam, eps), expected, name, rtol=1e-6, given=given)


@check(points=3)
def takes_over(student, rng):
    """The weight at which a rare favourite takes over, within 5 %.

    At which lam is the given mass a fixed point? The rarer the favourite, the sharper the change.
    """
    for K in SIZES:
        for gap in (3.0 if np.isinf(K) else 50.0, float(rng.uniform(0.3, 3))):
            found = quick(partial(student.takeover, gap, K, 1e-6), 1.0, "takeover(...)")
            given = f"gap = {gap:.3g}, K = {K} and eps = 1e-6"
            close(found, _true_threshold(gap, K), "takeover(...)", rtol=0.05, given=given)


@check(points=3)
def closed_form(student, rng):
    """The threshold in closed form, for large and small gaps and for infinite K.

    With whom does a favourite compete if it is alone among K samples? And how must lam and the
    growth of the favourite balance if q' = q for tiny q?
    """
    for K in (*SIZES, 3, 100):
        for gap in rng.uniform(0.2, 12, 3):
            given = f"gap = {gap:.3g} and K = {K}"
            found = student.threshold(float(gap), K)
            close(found, _true_threshold(gap, K), "threshold(gap, K)", rtol=1e-9, given=given)


@check(points=1)
def claim(student, rng):
    """The claim of the library on two samples, with your step in the place of its own.

    Its law is that of a fixed point, far below the change and far beyond it.
    """

    def both(p, reward, K, lam, p_ref):
        q = number(student.step(p[1], reward[1] - reward[0], K, lam, p_ref[1]), "step(...)")
        if not 0 <= q <= 1:
            raise Wrong(f"step(...) returned {q:.4g}, which is no mass")
        return np.array([1 - q, q])

    both(np.array([0.9, 0.1]), np.array([0.0, 1.0]), 2, 0.5, np.array([0.9, 0.1]))
    seed = int(rng.integers(2**31))
    [result] = tk.check(
        "self-consuming-curation/threshold",
        algorithm=both,
        seed=seed,
        rare=[1e-3],
        relative_lam=[0.5, 2.0],
    )
    if str(result.verdict) != "supported":
        raise Wrong(f"fixed points are not where they should be (claim {result.claim.id})")


@picture
def phase_change(student, rng, figure):
    axes = figure.add_subplot()
    gap, K = 3.0, 4
    change = student.threshold(gap, K)
    lams = np.linspace(0.2, 3, 57)
    for power in (2, 4, 6):
        eps = 10.0**-power
        mass = [student.limit_mass(gap, K, change * x, eps) for x in lams]
        [line] = axes.semilogy(lams, mass, label=rf"$\epsilon = 10^{{-{power}}}$")
        x = student.takeover(gap, K, eps) / change
        axes.plot(x, np.sqrt(eps), "o", color=line.get_color())
    axes.axvline(1, color="black", lw=0.8, label="threshold")
    axes.set(
        xlabel=r"$\lambda$ over the threshold (1)", ylabel="mass of the favourite in the limit (1)"
    )
    axes.legend()
