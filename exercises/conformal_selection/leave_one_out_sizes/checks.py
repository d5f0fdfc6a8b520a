"""Checks by the definition with exact fractions, by a claim of the library, and by the clock."""

from fractions import Fraction
from functools import partial

import numpy as np

import theorytk as tk
from theorytk.classroom import Wrong, array, check, picture, quick, true
from theorytk.conformal import leave_one_out_sizes

PAPER = "bai2024"
QUESTION = (
    "Why does R_j not change if candidate j's score and a labelled score change places, and what "
    "is this good for?"
)
NAME = "leave_one_out_sizes(cal, test, q)"


def _definition(cal, test, q):
    """Return the sizes as they are defined, by counting with integers and fractions."""
    n, m = len(cal), len(test)
    counts = (cal[:, None] <= test).sum(axis=0) + (test[:, None] <= test)
    np.fill_diagonal(counts, 0)
    most = [int(Fraction(str(q)) * (n + 1) * k / m) for k in range(1, m + 1)]
    selected = (counts[:, :, None] <= np.array(most)).sum(axis=1)
    k = np.arange(1, m + 1)
    return np.where(selected >= k, k, 0).max(axis=1)


def _instance(rng, grain):
    """Return scores on a grid, often on the lattice where q (n + 1) / m is an integer."""
    n, m = (int(rng.integers(low, high)) for low, high in ((5, 60), (1, 25)))
    if rng.random() < 0.5:
        m = int(rng.choice([2, 4, 8, 10]))
        n = 10 * m - 1
    cal = np.round(rng.standard_normal(n) * grain) / grain
    test = np.round((rng.standard_normal(m) - rng.uniform(0, 2)) * grain) / grain
    cal[rng.random(n) < 0.4] = np.inf
    return cal, test, float(rng.choice([0.1, 0.2, 0.3, 0.5, 0.7]))


def _compare(student, rng, grains, instances):
    for _ in range(instances):
        cal, test, q = _instance(rng, rng.choice(grains))
        given = f"n = {len(cal)}, m = {len(test)} and q = {q}"
        found = array(
            student.leave_one_out_sizes(cal.copy(), test.copy(), q), NAME, shape=test.shape
        )
        expected = _definition(cal, test, q)
        if np.array_equal(found, expected):
            continue
        j = int(np.flatnonzero(found != expected)[0])
        side = "large" if found[j] > expected[j] else "small"
        above, tied = np.sum(test < test[j]), np.sum(test == test[j]) - 1
        raise Wrong(
            f"{NAME} is too {side} at index {j} for {given}; {above} candidates have a smaller "
            f"score than this one, and {tied} others the same: it is {found[j]:g}"
        )


@check(points=3)
def distinct(student, rng):
    """Sizes on 100 random instances without ties.

    The size comes from candidates behind j, or, if none of them passes, from those before j, which
    have moved by one place.
    """
    _compare(student, rng, [1e9], 100)


@check(points=3)
def tied(student, rng):
    """Sizes on 200 random instances with ties, many of them on the lattice.

    Candidates with the score of j get the additional 1, too. What are their ranks in j's world?
    """
    _compare(student, rng, [1, 2, 5], 200)


@check(points=1)
def claim(student, rng):
    """The claim of the library, with your function in the place of its own.

    Its instances hold 10 to 30 labelled scores and 2 to 15 candidates, with ties and without.
    """

    def sizes(cal, test, q, cal_weight=None, test_weight=None):
        if cal_weight is not None:
            return leave_one_out_sizes(cal, test, q, cal_weight, test_weight)
        return array(student.leave_one_out_sizes(cal, test, q), NAME, shape=test.shape)

    sizes(rng.standard_normal(9), rng.standard_normal(3), 0.3)
    seed = int(rng.integers(2**31))
    [result] = tk.check("conformal-selection/aux-sizes", algorithm=sizes, seed=seed)
    if str(result.verdict) != "not_refuted":
        raise Wrong(f"sizes differ from their definition (claim {result.claim.id})")


@check(points=3)
def fast(student, rng):
    """A hundred thousand candidates in less than a second, ten thousand in less than 0.3 s.

    Sort once, count labelled scores by `searchsorted`, and let one pass serve all candidates.
    """
    for size, seconds in ((1000, 0.3), (10_000, 0.3), (30_000, 0.5), (100_000, 1.0)):
        cal, test = rng.standard_normal((2, size))
        cal[rng.random(size) < 0.4] = np.inf
        test -= 1.0
        call = partial(student.leave_one_out_sizes, cal.copy(), test.copy(), 0.2)
        found = array(quick(call, seconds, f"{NAME} for n = m = {size}"), NAME, shape=(size,))
        wrong = int(np.sum(found != leave_one_out_sizes(cal, test, 0.2)))
        true(wrong == 0, f"{wrong} sizes of {size} are wrong for n = m = {size}")


@picture
def staircase(student, rng, figure):
    axes = figure.add_subplot()
    n, m = 199, 40
    cal, test = rng.standard_normal(n), np.sort(rng.standard_normal(m) - 1.0)
    cal[rng.random(n) < 0.4] = np.inf
    for q in (0.1, 0.2, 0.3):
        sizes = student.leave_one_out_sizes(cal, test, q)
        axes.step(np.arange(1, m + 1), sizes, where="mid", marker=".", label=f"level $q = {q}$")
    axes.set(xlabel="rank of candidate $j$ by its score (1)", ylabel="size $R_j$ (1)")
    axes.legend()
