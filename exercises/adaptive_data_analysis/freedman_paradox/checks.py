"""Regressions against our own by another decomposition, the paradox and its cure by our claims."""

import numpy as np
from scipy.stats import beta

import theorytk as tk
from theorytk.adaptive.freedman import FreedmanResult, Regression, regression
from theorytk.classroom import array, between, check, close, number, picture, same, true

PAPER = "freedman1983"
QUESTION = (
    "The first F-test has its exact size. Why does the second not, although its formula is right?"
)
ALARM = 1e-6  # probability of a false alarm


def _noise(n, d, rng):
    return rng.standard_normal((n, d)), rng.standard_normal(n)


def _three(found, name):
    """Return the three values of a student's function."""
    true(isinstance(found, (tuple, list)) and len(found) == 3, f"{name} must return three values")
    return found


def _compare(found, name, ours, given):
    """Compare (kept, f_p_value, significant) to the regression on the variables kept."""
    kept, f_p_value, significant = _three(found, name)
    same(number(kept, f"kept of {name}"), len(ours.p_values), f"kept of {name}", given=given)
    close(f_p_value, ours.f_p_value, f"f_p_value of {name}", rtol=1e-6, atol=1e-12, given=given)
    expected = np.sum(ours.p_values < 0.05)
    same(number(significant, f"significant of {name}"), expected, f"significant of {name}")


@check(points=2)
def regressions(student, rng):
    """R^2, the F-test and the t-tests of one regression.

    The intercept costs a degree of freedom, and the t-tests are two-sided. The standard errors are
    on the diagonal of the inverse of the design's Gram matrix.
    """
    for n, d in ((30, 3), (60, 20), (100, 50)):
        X, y = _noise(n, d, rng)
        X = X + rng.standard_normal(d)
        y = 2 + y + X[:, 0] / 5
        r_squared, f_p_value, p_values = _three(student.tests(X.copy(), y.copy()), "tests(X, y)")
        ours, given = regression(X, y), f"n = {n}, d = {d}"
        close(r_squared, ours.r_squared, "r_squared of tests(X, y)", rtol=1e-6, given=given)
        close(f_p_value, ours.f_p_value, "f_p_value of tests(X, y)", rtol=1e-6, given=given)
        close(p_values, ours.p_values, "p_values of tests(X, y)", rtol=1e-6, given=given)


@check(points=2)
def screening(student, rng):
    """Screening and the second regression, on the same points.

    The second regression has fewer variables: that counts in its degrees of freedom.
    """
    for n, d in ((40, 10), (100, 50)):
        X, y = _noise(n, d, rng)
        kept = regression(X, y).p_values < 0.25
        given = f"noise with n = {n}, d = {d}"
        found = student.screened(X.copy(), y.copy(), 0.25)
        _compare(found, "screened(X, y, 0.25)", regression(X[:, kept], y), given)
    X, y = _noise(30, 2, rng)
    given = "a level below all p-values"
    found = student.screened(X, y, 1e-12)
    _compare(found, "screened(X, y, keep)", regression(X[:, :0], y), given)


@check(points=1)
def means(student, rng):
    """The table for 100 points and 50 variables.

    The first two numbers are known by theory: what are E R^2 and the size of the first F-test?
    """
    found = array(student.table(100, 100, 50, 0.25, rng), "table(100, 100, 50, 0.25, rng)", (5,))
    # More than five standard errors of a mean of 100 on either side.
    limits = {
        "the mean R^2": (0.465, 0.545),
        "the share of first F-tests": (0.0, 0.2),
        "the mean number kept": (9.9, 15.1),
        "the share of second F-tests": (0.8, 1.0),
        "the mean number of significant coefficients": (3.7, 7.4),
    }
    for value, (name, (low, high)) in zip(found, limits.items(), strict=True):
        between(value, low, high, f"{name} in the table")


@check(points=1)
def paradox(student, rng):
    """The paradox: theorytk's claim freedman-f-test with your screening.

    More than half of the second F-tests call noise a discovery.
    """
    result = _judged(student.screened, "screened(X, y, keep)", rng, rows=1)
    true(result == "supported", f"the claim that the second F-test rejects noise is {result}")


@check(points=2)
def halves(student, rng):
    """Sample splitting: which rows decide and which are tested.

    No row may have a say in both.
    """
    for n, d in ((60, 8), (200, 50)):
        X, y = _noise(n, d, rng)
        half = n // 2
        kept = regression(X[:half], y[:half]).p_values < 0.25
        found = student.split(X.copy(), y.copy(), 0.25)
        ours = regression(X[half:][:, kept], y[half:])
        _compare(found, "split(X, y, 0.25)", ours, f"noise with {n} rows, d = {d}")


@check(points=2)
def size(student, rng):
    """The size of the final F-test after splitting, in 1000 runs.

    Its Clopper-Pearson interval must contain 0.05. If it does not, some rows were used twice.
    """
    result = _judged(student.split, "split(X, y, keep)", rng, rows=2)
    true(result == "contradicted", f"the paradox remains after splitting: the claim is {result}")
    runs, rejected = 1000, 0
    for _ in range(runs):
        found = student.split(*_noise(80, 15, rng), 0.25)
        p = number(_three(found, "split(X, y, keep)")[1], "f_p_value of split(X, y, keep)")
        rejected += p < 0.05
    low = beta.ppf(ALARM / 2, rejected, runs - rejected + 1) if rejected else 0.0
    high = beta.ppf(1 - ALARM / 2, rejected + 1, runs - rejected) if rejected < runs else 1.0
    share = f"the final F-test rejects {rejected} of {runs} times at the level 0.05"
    true(low <= 0.05 <= high, f"{share}, and that is no chance")


def _judged(screening, name, rng, rows):
    """Return the verdict on the paradox with a student's screening of `rows` times n points."""

    def algorithm(n, d, keep_level, rng):
        found = _three(screening(*_noise(rows * n, d, rng), keep_level), name)
        kept, p, significant = (number(value, name) for value in found)
        first, second = (Regression(0.0, value, np.empty(0)) for value in (1.0, p))
        return FreedmanResult(first, second, int(kept), int(significant))

    algorithm(100, 50, 0.25, rng)  # what goes wrong at once is said better here
    claim = "adaptive-data-analysis/freedman-f-test"
    [result] = tk.check(claim, algorithm=algorithm, seed=int(rng.integers(2**31)))
    return str(result.verdict)


@picture
def p_values(student, rng, figure):
    axes = figure.add_subplot()
    bins = np.linspace(0, 1, 21)
    runs = [_noise(200, 50, rng) for _ in range(150)]
    series = {
        "first, all variables": [student.tests(X[:100], y[:100])[1] for X, y in runs],
        "second, same points": [student.screened(X[:100], y[:100], 0.25)[1] for X, y in runs],
        "second, other points": [student.split(X, y, 0.25)[1] for X, y in runs],
    }
    for label, values in series.items():
        axes.step(np.sort(values), np.linspace(0, 1, len(values)), label=label)
    axes.plot(bins, bins, "k:", lw=1, label="uniform, as it should be")
    axes.axvline(0.05, color="grey", lw=1)
    axes.set(xlabel="$p$-value of the $F$-test (1)", ylabel="share of regressions below (1)")
    axes.legend(loc="lower right")
