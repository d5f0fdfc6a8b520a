"""Checks by builders of known defects, by the library's audit, and on replayed data sets."""

from itertools import cycle

import numpy as np

from theorytk.classroom import (
    Wrong,
    array,
    check,
    close,
    number,
    picture,
    same,
    true,
)
from theorytk.conformal import audit_exchangeability, bh, conformal_pvalues

PAPER = "bai2024"
QUESTION = (
    "fitted_to_all predicts points that it was fitted to, as fitted_to_labelled does. Why is one "
    "valid and the other not?"
)


def _design(X):
    return np.column_stack([np.ones(len(X)), X])


def _ridge(X):
    """Return the matrix that turns labels into coefficients, penalty 1."""
    A = _design(X)
    return np.linalg.solve(A.T @ A + np.eye(A.shape[1]), A.T)


def fitted_to_labelled(X, y, X_test):
    """Fit to the labelled points, predict labelled points and candidates."""
    labels = (y > 0).astype(float)
    coefficients = _ridge(X) @ labels
    cal = np.where(y > 0, np.inf, -_design(X) @ coefficients)
    return cal, -_design(X_test) @ coefficients


def fitted_to_all(X, y, X_test):
    """Fit to all points, candidates with the label 0, and predict them."""
    labels = np.append((y > 0).astype(float), np.zeros(len(X_test)))
    rows = np.vstack([X, X_test])
    fitted = _design(rows) @ (_ridge(rows) @ labels)
    return np.where(y > 0, np.inf, -fitted[: len(y)]), -fitted[len(y) :]


def left_out_of_all(X, y, X_test):
    """Predict each point by the fit to all others, candidates with the label 0."""
    labels = np.append((y > 0).astype(float), np.zeros(len(X_test)))
    rows = np.vstack([X, X_test])
    solve = _ridge(rows)
    leverage = np.sum(_design(rows) * solve.T, axis=1)
    fitted = (_design(rows) @ (solve @ labels) - leverage * labels) / (1 - leverage)
    return np.where(y > 0, np.inf, -fitted[: len(y)]), -fitted[len(y) :]


def draw(rng, n=60, m=20, d=20):
    """Return X (n, d), y (n,), X_test (m, d), y_test (m,): one useful covariate of d."""
    X = rng.standard_normal((n + m, d))
    y = X[:, 0] + 0.7 * rng.standard_normal(n + m)
    return X[:n], y[:n], X[n:], y[n:]


def _left_out_of_labelled(X, y, X_test):
    """Leave labelled points out among themselves, but none for the candidates."""
    labels = (y > 0).astype(float)
    solve = _ridge(X)
    leverage = np.sum(_design(X) * solve.T, axis=1)
    fitted = (_design(X) @ (solve @ labels) - leverage * labels) / (1 - leverage)
    return np.where(y > 0, np.inf, -fitted), -_design(X_test) @ (solve @ labels)


def _bootstrap(X, y, X_test):
    """Fit to all points, but to rows drawn by their position."""
    rows = np.vstack([X, X_test])
    labels = np.append((y > 0).astype(float), np.zeros(len(X_test)))
    drawn = np.random.default_rng(0).integers(len(rows), size=len(rows))
    fitted = _design(rows) @ (_ridge(rows[drawn]) @ labels[drawn])
    return np.where(y > 0, np.inf, -fitted[: len(y)]), -fitted[len(y) :]


def _apart(X, y, X_test):
    """Score by a rule that was fixed before."""
    return np.where(y > 0, np.inf, -X[:, 0]), -X_test[:, 0]


def _first_row(X, y, X_test):
    """Let the first labelled row move the score of the last one."""
    cal, test = _apart(X, y, X_test)
    cal[-1] += 0.3 * X[0, 1]
    return cal, test


def _slightly(X, y, X_test):
    """Treat the candidates worse by 1e-6."""
    cal, test = fitted_to_all(X, y, X_test)
    return cal, test + 1e-6


BUILDERS = {
    "fitted_to_labelled": fitted_to_labelled,
    "fitted_to_all": fitted_to_all,
    "left_out_of_all": left_out_of_all,
}
UNSEEN = {
    "that leaves labelled points out among themselves only": _left_out_of_labelled,
    "that draws rows by their position": _bootstrap,
    "that was fixed beforehand": _apart,
    "that adds 1e-6 to the scores of candidates": _slightly,
}


@check(points=3)
def swap(student, rng):
    """The change by one swap, for builders whose change is known.

    After the swap the score of the labelled row has to be compared with the earlier score of the
    test row, and the other way round. Every builder gets copies.
    """
    for _ in range(5):
        X, y, X_test, _ = draw(rng, n=12, m=5, d=3)
        y[:3], y[-1] = (-1.0, 1.0, -1.0), -1.0
        i, j = 2, int(rng.integers(5))
        before = X.copy(), y.copy(), X_test.copy()
        for builder, row, expected in (
            (_first_row, 0, 0.3 * abs(X_test[j, 1] - X[0, 1])),
            (_first_row, i, 0.0),
            (_apart, 0, 0.0),
            (fitted_to_all, i, 0.0),
            (_slightly, i, 1e-6),
        ):
            found = student.swap_difference(builder, X, y, X_test, row, j)
            given = f"rows {row} and {j} and the builder: {builder.__doc__}"
            close(found, expected, "swap_difference(...)", atol=1e-12, given=given)
        intact = all(map(np.array_equal, before, (X, y, X_test)))
        true(intact, "swap_difference changes the arrays that it is given")


def _verdicts(student, rng, builders):
    for name, builder in builders.items():
        X, y, X_test, _ = draw(rng, n=40, m=12, d=6)
        found = student.is_valid(builder, X.copy(), y.copy(), X_test.copy(), rng)
        if not isinstance(found, bool | np.bool_):
            raise Wrong(f"is_valid must return True or False; it returned {found!r:.60}")
        passed = audit_exchangeability(builder, X, y, X_test, n_swaps=200, rng=rng).passed
        same(bool(found), passed, "is_valid(...)", given=f"a builder {name}")


@check(points=3)
def three(student, rng):
    """The audit's verdicts on the three builders of the scaffold, on several data sets.

    If a good builder fails: which labelled rows may be swapped with a candidate? And is the
    tolerance relative to the size of the scores?
    """
    for _ in range(3):
        _verdicts(student, rng, BUILDERS)


@check(points=2)
def unseen(student, rng):
    """The audit's verdicts on builders that you have not seen.

    One of them departs from exchangeability by very little, one depends on the position of rows.
    """
    for _ in range(3):
        _verdicts(student, rng, UNSEEN)


def _interval(student, rng, name, q, replicates):
    """Return the student's interval and the proportions, on data sets that are replayed."""
    sets = [draw(rng) for _ in range(replicates)]
    fdp = []
    for X, y, X_test, y_test in sets:
        selected = bh(conformal_pvalues(*BUILDERS[name](X, y, X_test)), q)
        fdp.append(np.sum(selected & (y_test <= 0)) / max(1, selected.sum()))
    replay = cycle(sets)
    found = student.fdr_interval(
        BUILDERS[name], lambda _: tuple(v.copy() for v in next(replay)), q, replicates, rng
    )
    return array(found, "fdr_interval(...)", shape=(2,)), np.array(fdp)


@check(points=3)
def interval(student, rng):
    """The interval of the false discovery rate, on data sets that the check draws.

    Its centre is the mean of all proportions, data sets without a selection included. The standard
    error of a mean is not the standard deviation.
    """
    for name in BUILDERS:
        q = float(rng.choice([0.1, 0.2, 0.3]))
        (low, high), fdp = _interval(student, rng, name, q, 80)
        given = f"{name}, q = {q}"
        close((low + high) / 2, fdp.mean(), "the centre of the interval", atol=1e-9, given=given)
        half = 1.96 * fdp.std() / np.sqrt(len(fdp))
        close((high - low) / 2, half, "half the width of the interval", rtol=0.02, given=given)


@check(points=1)
def inflation(student, rng):
    """Your interval shows the inflation of the invalid builder, and none of a valid one.

    With 300 data sets the interval of an invalid builder lies above the level.
    """
    (low, _), _ = _interval(student, rng, "fitted_to_labelled", 0.2, 300)
    true(number(low, "the lower end") > 0.2, f"the lower end {low:.3g} is not above the level")
    (low, _), _ = _interval(student, rng, "fitted_to_all", 0.2, 300)
    true(low <= 0.2, f"the lower end {low:.3g} of a valid builder is above the level")


@picture
def rates(student, rng, figure):
    axes = figure.add_subplot()
    levels = np.array([0.1, 0.2, 0.3, 0.4])
    for shift, (name, builder) in zip((-0.004, 0, 0.004), BUILDERS.items(), strict=True):
        ends = np.array([student.fdr_interval(builder, draw, float(q), 100, rng) for q in levels])
        middle, half = ends.mean(axis=1), np.ptp(ends, axis=1) / 2
        valid = student.is_valid(builder, *draw(rng)[:3], rng)
        label = f"{name.replace('_', ' ')}: audit {'passed' if valid else 'failed'}"
        axes.errorbar(levels + shift, middle, half, fmt="o", capsize=3, label=label)
    axes.plot(levels, levels, color="black", lw=0.8, label="level $q$")
    axes.set(
        xlabel="level $q$ (1)", ylabel="false discovery rate, 95% interval (1)", ylim=(0, None)
    )
    axes.legend()
