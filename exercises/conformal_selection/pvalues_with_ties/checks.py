"""Checks by exact fractions, by the law of ranks among ties, and by a claim of the library."""

from fractions import Fraction

import numpy as np
from scipy import stats

import theorytk as tk
from theorytk.classroom import Wrong, array, check, close, picture, true
from theorytk.conformal import bh

PAPER = "jin2023selection"
QUESTION = (
    "Given that the null is true, p <= t has a probability of about t / pi0, above t. Why does "
    "Benjamini-Hochberg on these p-values keep its level nevertheless?"
)

FIXED = (
    ([1, 2, 2, 3, np.inf], [0, 2, 3, 4, 2]),
    ([0, 0, 0], [0, -1, 1]),
    ([np.inf, np.inf], [5, 5]),
    ([7], [7, 6, 8]),
)


def _exact(cal, test):
    """Return the conservative p-values by comparing one pair after the other, exactly."""
    counts = [1 + sum(1 for v in cal if v <= s) for s in test]
    return [float(Fraction(count, len(cal) + 1)) for count in counts]


def _tied(rng, n, m):
    """Return scores on a coarse grid, some labelled ones infinite."""
    cal, test = (rng.integers(0, 6, size).astype(float) for size in (n, m))
    cal[rng.random(n) < 0.3] = np.inf
    return cal, test


@check(points=2)
def conservative(student, rng):
    """Conservative p-values on arrays with ties.

    A tie counts against the candidate, as does the candidate itself; which comparison is that?
    """
    cases = [(np.array(cal, float), np.array(test, float)) for cal, test in FIXED]
    cases += [_tied(rng, int(rng.integers(1, 30)), int(rng.integers(1, 10))) for _ in range(20)]
    for cal, test in cases:
        given = f"cal = {cal[:8]} and test = {test[:8]}"
        found = student.conservative_pvalues(cal.copy(), test.copy())
        close(found, _exact(cal, test), "conservative_pvalues(cal, test)", atol=1e-12, given=given)


@check(points=3)
def randomised(student, rng):
    """Each randomised p-value is uniform over the places that the candidate may have.

    How many places are there for a candidate with T ties, itself counted? And is the uniform
    number of one candidate another one than that of the next?
    """
    cal = np.array([0, 1, 1, 1, 3, 3, np.inf, np.inf, np.inf])
    n, m = len(cal), 3000
    for score in (0.5, 1.0, 3.0, -1.0):
        test = np.full(m, score)
        name = "randomised_pvalues(cal, test, rng)"
        p = array(student.randomised_pvalues(cal.copy(), test, rng), name, shape=(m,))
        below, ties = np.sum(cal < score), np.sum(cal == score)
        given = f"cal = {cal} and test scores of {score:g}"
        low, high = below / (n + 1), (below + 1 + ties) / (n + 1)
        true(p.min() >= low - 1e-12, f"{name} is sometimes too small, {p.min():.4g}, for {given}")
        true(p.max() <= high + 1e-12, f"{name} is sometimes too large, {p.max():.4g}, for {given}")
        place = (p - low) / (high - low)
        if stats.kstest(place, "uniform").pvalue < 1e-8:
            raise Wrong(
                f"{name} is not uniform over the places of {m} equal candidates for {given}"
            )
        if abs(np.corrcoef(place[1:], place[:-1])[0, 1]) > 6 / np.sqrt(m):
            raise Wrong(f"{name} depends on the p-value of the neighbouring candidate")


@check(points=2)
def shares(student, rng):
    """The two ways to read calibration, on p-values with values at t.

    What is each share a share of?
    """
    for _ in range(5):
        m = int(rng.integers(5, 40))
        p, null = rng.integers(1, 11, m) / 10, rng.random(m) < 0.6
        null[0] = True
        t = float(rng.integers(1, 10) / 10)
        found = student.calibration(p.copy(), null.copy(), t)
        low = sum(bool(h) and v <= t for v, h in zip(p, null, strict=True))
        close(
            found,
            [low / m, low / sum(null.tolist())],
            "calibration(p, null, t)",
            atol=1e-12,
            given=f"m = {m} and t = {t}",
        )


@check(points=2)
def joint(student, rng):
    """Joint calibration on data with ties, by simulation.

    If null candidates are too often below t, does a tie count where it should?
    """
    n, m, runs, pi0 = 19, 10, 1500, 0.6
    levels = np.array([0.1, 0.25, 0.5])
    found = {"conservative_pvalues": [], "randomised_pvalues": []}
    for _ in range(runs):
        scores = rng.integers(0, 4, n + m).astype(float)
        null = rng.random(n + m) < pi0
        cal, test = np.where(null[:n], scores[:n], np.inf), scores[n:]
        both = (
            student.conservative_pvalues(cal.copy(), test.copy()),
            student.randomised_pvalues(cal.copy(), test.copy(), rng),
        )
        for (name, rows), p in zip(found.items(), both, strict=True):
            p = array(p, name, shape=(m,))
            rows.append(((p <= levels[:, None] + 1e-12) & null[n:]).mean(axis=1))
    for name, rows in found.items():
        mean, se = np.mean(rows, axis=0), np.std(rows, axis=0) / np.sqrt(runs)
        for t, share, error in zip(levels, mean, se, strict=True):
            # The standard error of a rare event may itself be too small: that of the level counts.
            if share > t + 6 * max(error, np.sqrt(t / runs) / 10):
                raise Wrong(
                    f"{name}: a share {share:.3f} of all candidates is null and has p <= {t:g}"
                )


@check(points=1)
def selection(student, rng):
    """Benjamini-Hochberg on your randomised p-values keeps its level when predictions tie.

    The claim of the library takes your function in the place of its own. Look at ties once more.
    """

    def procedure(cal, test, q, rng):
        name = "randomised_pvalues(cal, test, rng)"
        p = array(student.randomised_pvalues(cal, test, rng), name, shape=test.shape)
        true(((p >= 0) & (p <= 1)).all(), f"{name} is not between 0 and 1")
        return bh(p, q)

    procedure(*_tied(rng, 20, 5), 0.2, rng)
    seed = int(rng.integers(2**31))
    [result] = tk.check("conformal-selection/ties", algorithm=procedure, seed=seed, sets=20)
    if str(result.verdict) == "contradicted":
        raise Wrong(f"the false discovery rate exceeds its level (claim {result.claim.id})")


@picture
def calibrated(student, rng, figure):
    axes = figure.add_subplot()
    n, m, pi0 = 99, 20, 0.5
    shown = {"conservative": [], "randomised": []}
    nulls = []
    for _ in range(300):
        scores = np.round(2 * rng.standard_normal(n + m)) / 2
        null = rng.random(n + m) < pi0
        cal, test = np.where(null[:n], scores[:n], np.inf), scores[n:]
        shown["conservative"].append(student.conservative_pvalues(cal, test))
        shown["randomised"].append(student.randomised_pvalues(cal, test, rng))
        nulls.append(null[n:])
    null, t = np.concatenate(nulls), np.linspace(0.01, 0.6, 60)
    for (name, p), colour in zip(shown.items(), ("C0", "C1"), strict=True):
        both = np.array([student.calibration(np.concatenate(p), null, level) for level in t])
        axes.plot(t, both[:, 0], color=colour, label=f"{name}, and null")
        axes.plot(t, both[:, 1], color=colour, ls="--", label=f"{name}, given null")
    axes.plot(t, t, color="black", lw=0.8, label="level $t$")
    axes.set(xlabel="level $t$ (1)", ylabel=r"share with $p_j \leq t$ (1)")
    axes.legend()
