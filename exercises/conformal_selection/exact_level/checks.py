"""Checks by exact fractions, by simulated rates, and by conditioning in another way."""

from fractions import Fraction
from functools import partial
from math import comb

import numpy as np

import theorytk as tk
from theorytk.classroom import Wrong, array, between, check, close, picture, quick, same

PAPER = "jin2023selection"
QUESTION = (
    "Show for any m that the false discovery rate with clipped scores is q if q (n + 1) / m is an "
    "integer and nulls suffice. Which step fails for sub?"
)


def _exact(cal, test, q):
    """Return the selection by counts and fractions, trying every k."""
    level = Fraction(str(q)) * (len(cal) + 1) / len(test)
    counts = np.array([1 + np.sum(cal <= s) for s in test])
    for k in range(len(test), 0, -1):
        chosen = counts <= int(level * k)
        if chosen.sum() >= k:
            return chosen
    return np.zeros(len(test), dtype=bool)


def _mask(value, m):
    found = array(value, "cfbh(cal, test, q)", shape=(m,))
    if not np.isin(found, (0, 1)).all():
        raise Wrong("cfbh(cal, test, q) must return booleans, one for each candidate")
    return found.astype(bool)


@check(points=1)
def labelled_scores(student, rng):
    """The two ways to score labelled points.

    Which points are kept, and which score says that a point is no evidence at all?
    """
    for _ in range(5):
        n = int(rng.integers(4, 30))
        prediction, y = rng.standard_normal(n), np.round(rng.standard_normal(n), 1)
        y[:3] = -1.0, 0.0, 0.5
        clipped = np.asarray(student.scores("clip", prediction.copy(), y.copy()))
        if clipped.shape != (n,):
            raise Wrong(f'scores("clip", ...) has shape {clipped.shape} for n = {n}')
        wanted = [
            np.inf if label > 0 else -value for value, label in zip(prediction, y, strict=True)
        ]
        same(clipped, wanted, 'scores("clip", ...)', given=f"n = {n}")
        kept = [-value for value, label in zip(prediction, y, strict=True) if label <= 0]
        found = array(
            student.scores("sub", prediction.copy(), y.copy()),
            'scores("sub", ...)',
            shape=(len(kept),),
        )
        close(np.sort(found), np.sort(kept), 'scores("sub", ...)', atol=1e-15)


@check(points=3)
def selections(student, rng):
    """The selection on small and large data, on ties, and where thresholds are p-values.

    Are all candidates below the last threshold that holds selected? Compare counts in the place
    of quotients: what does p <= q k / m say of the rank of a candidate?
    """
    found = _mask(student.cfbh(np.arange(1.0, 10), np.array([0.0, 20, 20]), 0.3), 3)
    same(found, [True, False, False], "cfbh(cal, test, q)", given="n = 9, m = 3 and p = 0.1, 1, 1")
    sizes = [(999, 100), (99, 10), (9, 3), (19, 2), (199, 20), (49, 30)]
    for i in range(60):
        n, m = sizes[i % len(sizes)]
        q = float(rng.choice([0.1, 0.2, 0.3, 0.6]))
        grain = rng.choice([2, 10, 1e6])
        shift = rng.choice([0.3, 1.0, 2.0])
        cal = np.round(rng.standard_normal(n) * grain) / grain
        cal[rng.random(n) < 0.4] = np.inf
        test = np.round((rng.standard_normal(m) - shift) * grain) / grain
        found = _mask(student.cfbh(cal.copy(), test.copy(), q), m)
        given = f"n = {n}, m = {m} and q = {q}"
        same(
            int(found.sum()),
            int(_exact(cal, test, q).sum()),
            "the number of selections",
            given=given,
        )
        same(found, _exact(cal, test, q), "cfbh(cal, test, q)", given=given)


def _near(student, rng, kind, pi0, rate, lattice=0.0):
    """Ask for a mean within 3 standard errors; three of three runs miss it in 1 of 10^7."""
    n, m, q, replicates = 999, 100, 0.1, 300
    name = f'the mean of simulate_fdp("{kind}", 999, 100, 0.1, {pi0:.2f}, ...)'
    for attempt in range(3):
        call = partial(student.simulate_fdp, kind, n, m, q, pi0, replicates, rng)
        fdp = quick(call, 3.0, "simulate_fdp")
        fdp = array(fdp, "simulate_fdp(...)", shape=(replicates,))
        spread, deviation = fdp.std(), abs(fdp.mean() - rate)
        between(spread, 0.005, 0.12, "the standard deviation of simulate_fdp(...)")
        if deviation <= 3 * spread / np.sqrt(replicates) + lattice:
            return
        replicates = 1000
        if attempt == 2:
            side = "above" if fdp.mean() > rate else "below"
            raise Wrong(
                f"{name} is {fdp.mean():.4g}, {side} the rate by more than 3 standard errors"
            )


@check(points=2)
def rate_of_clip(student, rng):
    """The rate with clipped scores is q, for half of the points null and for other shares.

    Who counts as a false discovery, and what is the proportion if nothing is selected?
    """
    _near(student, rng, "clip", 0.5, 0.1)
    _near(student, rng, "clip", float(rng.uniform(0.55, 0.8)), 0.1)


@check(points=2)
def rate_of_sub(student, rng):
    """The rate with sub scores is pi0 q, up to the lattice.

    Calibration on nulls only changes n, too: the p-values count the points that are kept.
    """
    for pi0 in (0.5, float(rng.uniform(0.6, 0.8))):
        _near(student, rng, "sub", pi0, pi0 * 0.1, lattice=0.001)


def _by_labels(q, n, pi0):
    """Return the rate by the number of labelled nulls given that the candidate is null."""
    most, share = int(Fraction(str(q)) * (n + 1)), Fraction(str(pi0))
    total = sum(
        comb(n, k) * share**k * (1 - share) ** (n - k) * Fraction(min(most, k + 1), k + 1)
        for k in range(n + 1)
    )
    return float(share * total)


@check(points=3)
def one_candidate(student, rng):
    """The rate with one candidate, also for few points, few nulls and on the lattice.

    How many ranks let the candidate in, how many nulls are there among n + 1 points, and how
    probable is it that the candidate is a given one of them?
    """
    cases = [(0.29, 99, 0.5), (0.1, 9, 0.05), (0.3, 9, 0.9), (0.57, 99, 0.6), (0.04, 20, 0.5)]
    for _ in range(10):
        q, pi0 = np.round(rng.uniform(0.02, 0.98, 2), 2)
        cases.append((float(q), int(rng.integers(1, 80)), float(pi0)))
    for q, n, pi0 in cases:
        found = student.fdr_one_candidate(q, n, pi0)
        given = f"q = {q}, n = {n} and pi0 = {pi0}"
        close(found, _by_labels(q, n, pi0), "fdr_one_candidate(...)", atol=1e-10, given=given)


@check(points=1)
def claim(student, rng):
    """The claim of exactness, with your selection in the place of the library's.

    If it fails, your selection is too cautious or too bold where thresholds are p-values.
    """

    def procedure(cal, test, q, rng):
        return _mask(student.cfbh(cal, test, q), len(test))

    procedure(rng.standard_normal(9), rng.standard_normal(3), 0.3, rng)
    seed = int(rng.integers(2**31))
    [result] = tk.check(
        "conformal-selection/cfbh-exact-lattice", algorithm=procedure, seed=seed, sets=50
    )
    if str(result.verdict) == "contradicted":
        raise Wrong(f"the false discovery rate is not the level (claim {result.claim.id})")


@picture
def levels(student, rng, figure):
    axes = figure.add_subplot()
    shares = np.array([0.2, 0.35, 0.5, 0.65, 0.8])
    for kind, colour in (("clip", "C0"), ("sub", "C1")):
        runs = [student.simulate_fdp(kind, 999, 100, 0.1, float(s), 200, rng) for s in shares]
        mean, se = np.mean(runs, axis=1), np.std(runs, axis=1) / np.sqrt(200)
        axes.errorbar(shares, mean, 2 * se, fmt="o", color=colour, label=f"{kind}, 2 std. errors")
    axes.axhline(0.1, color="C0", lw=0.8, label="$q$")
    axes.plot(shares, 0.1 * shares, color="C1", lw=0.8, label=r"$\pi_0 q$")
    one = [student.fdr_one_candidate(0.1, 39, float(s)) for s in shares]
    axes.plot(shares, one, "k:", label="one candidate, $n = 39$")
    axes.set(
        xlabel=r"share of nulls $\pi_0$ (1)", ylabel="false discovery rate (1)", ylim=(0, None)
    )
    axes.legend(ncols=2)
