"""The claim of this project judges the estimator; the law is inverted by counting."""

from pathlib import Path

import theorytk as tk
from theorytk.classroom import check, picture, same, true

PAPER = "bienayme1853"
QUESTION = "Where does the proof use that the draws are independent?"
PROJECT = Path(__file__).parents[3]
CLAIM = "first-steps/variance-of-a-mean"


@check(points=2)
def law(student, rng):
    """The squared error of the estimates, judged by the project's claim.

    Which weights, that sum to one, give a weighted sum of independent draws the least variance?
    """
    verdicts = tk.check(CLAIM, student.estimate, project=PROJECT)
    true(verdicts.ok, f"the claim {CLAIM} does not hold for estimate(draws)")


@check(points=1)
def number(student, rng):
    """The number of draws that is needed.

    Solve the law for n, and mind that n is whole.
    """
    for error in rng.uniform(1e-3, 0.05, 10):
        n = 1
        while 1 / (12 * n) > error:
            n += 1
        found = student.draws_needed(error)
        same(found, n, "draws_needed(error)", given=f"error = {error:.4g}")


@picture
def errors(student, rng, figure):
    axes = figure.add_subplot()
    sizes = [4, 16, 64, 256]
    draws = [rng.random((500, n)) for n in sizes]
    measured = [float(((student.estimate(rows) - 0.5) ** 2).mean()) for rows in draws]
    axes.loglog(sizes, measured, "o", label="measured")
    axes.loglog(sizes, [1 / (12 * n) for n in sizes], label="law")
    axes.set(xlabel="draws $n$ (1)", ylabel="squared error (1)")
    axes.legend()
