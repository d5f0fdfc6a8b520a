"""Checks by the library's exact map: weights of rare losers, and levels that die over time."""

import numpy as np

from theorytk.classroom import check, close, picture
from theorytk.selfconsuming import CurationMap

PAPER = "ferbach2024"
QUESTION = (
    "Derive the ratio. Why does the half-life hardly depend on K when the gap is large? And why do "
    "two samples take twice as long as infinitely many when it is small?"
)
SIZES = (2, 3, 4, 10, np.inf)


def _ratio(gap, K):
    """Return the curation weight of a loser among winners, by the library's quadrature."""
    return float(CurationMap([0.0, -gap], K).weights([1.0, 0.0])[1])


def _gaps(rng, count):
    return 10 ** rng.uniform(-2, 1.6, count)


@check(points=3)
def generation(student, rng):
    """One generation of two levels, rare losers included.

    If b of the K samples are losers, what is the chance that one of them is kept? For few losers,
    do not compute their mass as 1 minus that of the winners.
    """
    for K in (*SIZES, 2, 4):
        gap, q = rng.uniform(0.1, 5), 10 ** rng.uniform(-12, -0.01)
        expected = CurationMap([0.0, -gap], K).step([1 - q, q])[1]
        given = f"q = {q:.3g}, gap = {gap:.3g} and K = {K}"
        close(student.next_mass(q, gap, K), expected, "next_mass(...)", rtol=1e-10, given=given)


@check(points=3)
def ratio(student, rng):
    """The ratio for K = 2, 4, infinity and others.

    A rare loser is shown with K - 1 winners, and there are K places at which it may stand.
    """
    for gap in _gaps(rng, 6):
        for K in SIZES:
            given = f"gap = {gap:.3g} and K = {K}"
            found = student.losing_ratio(gap, K)
            close(found, _ratio(gap, K), "losing_ratio(gap, K)", rtol=1e-9, given=given)


@check(points=1)
def half(student, rng):
    """The half-life.

    After that many generations the ratio's power is one half.
    """
    for gap in _gaps(rng, 5):
        for K in SIZES:
            given = f"gap = {gap:.3g} and K = {K}"
            expected = -np.log(2) / np.log(_ratio(gap, K))
            close(student.half_life(gap, K), expected, "half_life(gap, K)", rtol=1e-6, given=given)


@check(points=1)
def worst(student, rng):
    """The longest half-life over the numbers of samples.

    Does a user who sees more samples choose more or less sharply?
    """
    for gap in _gaps(rng, 5):
        times = [-np.log(2) / np.log(_ratio(gap, K)) for K in (2, 3, 5, 20, 100, np.inf)]
        given = f"gap = {gap:.3g}"
        close(
            student.worst_half_life(gap), max(times), "worst_half_life(...)", rtol=1e-6, given=given
        )


@check(points=2)
def many_levels(student, rng):
    """Half-lives measured on six levels over many generations, within 0.1 %.

    In the end all that is left besides the best level is the second best.
    """
    for K in (2, 4, np.inf):
        gap = float(rng.uniform(0.3, 1.0))
        rewards = np.array([0.0, -gap, -gap - 1.0, -gap - 1.3, -gap - 2.0, -gap - 2.5])
        p = CurationMap(rewards, K).iterate(160, rng.dirichlet(np.full(6, 5.0))).probabilities
        lost = p[:, 1:].sum(axis=1)
        measured = 10 * np.log(2) / np.log(lost[150] / lost[160])
        given = f"K = {K}, gap = {gap:.3g} and six levels"
        close(student.half_life(gap, K), measured, "half_life(...)", rtol=1e-3, given=given)


@picture
def decay(student, rng, figure):
    axes = figure.add_subplot()
    gap, generations = 0.7, np.arange(31)
    for K, colour in ((2, "C0"), (4, "C1"), (np.inf, "C2")):
        q = [0.9]
        for _ in generations[1:]:
            q.append(student.next_mass(q[-1], gap, K))
        name = r"\infty" if np.isinf(K) else K
        axes.semilogy(generations, q, "o", ms=3, color=colour, label=f"$K = {name}$")
        line = q[-1] * 0.5 ** ((generations - 30) / student.half_life(gap, K))
        axes.semilogy(generations, line, color=colour, lw=0.8, label="half-life")
    axes.set(
        xlabel="generation $t$ (1)",
        ylabel=r"mass of losers $q_t$, $\Delta = 0.7$ (1)",
        ylim=(None, 2),
    )
    axes.legend(ncols=3)
