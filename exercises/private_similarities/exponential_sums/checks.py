"""Checks with the library's certified error, which bounds the largest error over all z."""

import numpy as np

from theorytk.classroom import array, check, close, picture, true
from theorytk.privacy import certified_error, exponential_sum_rate

PAPER = "backurs2024similarities"
QUESTION = "Why does an error bound on $[0, \\infty)$ ask for rates $t_j$ on a logarithmic scale?"
MOST = 1.25  # of 16 exp(-pi sqrt(2 M))


def _sum(value, name, terms):
    true(isinstance(value, tuple | list) and len(value) == 2, f"{name} must return (t, w)")
    t, w = (
        array(part, f"{which} of {name}", (terms,)) for which, part in zip("tw", value, strict=True)
    )
    return t, w


@check(points=1)
def rule(student, rng):
    """The trapezoidal rule.

    dt = e^s ds, and a node counts with the step.
    """
    for count in (1, 5, 9):
        step = rng.uniform(0.3, 1.5)
        name, given = "trapezoid(step, count)", f"step = {step:.3g}, count = {count}"
        t, w = _sum(student.trapezoid(step, count), name, count)
        half = count // 2
        s = np.linspace(-half * step, half * step, count)
        close(np.log(np.maximum(t, 1e-300)), s, f"log t of {name}", atol=1e-10, given=given)
        close(w, step * np.exp(s - np.exp(s)), f"w of {name}", rtol=1e-10, given=given)


@check(points=2)
def largest_error(student, rng):
    """The largest error over all z.

    What remains of a sum of exponentials at z = 1000, and what of 1 / (1 + z)?
    """
    for terms in (3, 5, 8):
        step = rng.uniform(0.8, 1.4)
        t = np.exp(step * (np.arange(terms) - terms + 1.5))
        w = step * t * np.exp(-t)
        found = student.sup_error(t, w)
        close(found, certified_error(t, w), "sup_error(t, w)", rtol=0.01, given=f"{terms} terms")


@check(points=4)
def fits(student, rng):
    """The fit: positive terms, and an error near the best possible.

    Where are the extremes of your error, and are they equally large? At the optimum they are, and
    change their signs.
    """
    for terms in (3, 4, 5, 6):
        name = f"fit({terms})"
        t, w = _sum(student.fit(terms), name, terms)
        true((t > 0).all() and (w > 0).all(), f"{name} has terms that are not positive")
        ratio = certified_error(t, w) / exponential_sum_rate(terms)
        message = f"the error of {name} is {float(ratio):.3g} times 16 exp(-pi sqrt(2 M))"
        true(ratio <= MOST, message)


@picture
def equal_ripples(student, rng, figure):
    axes = figure.add_subplot()
    z = np.geomspace(1e-3, 1e4, 800)
    for terms in (3, 4):
        t, w = student.fit(terms)
        error = np.exp(-np.outer(z, t)) @ w - 1 / (1 + z)
        bound = float(exponential_sum_rate(terms))
        axes.plot(z, error / bound, label=f"$M = {terms}$")
    axes.set(xscale="log", xlabel="$z$ (1)", ylabel=r"error / $16\,e^{-\pi\sqrt{2M}}$ (1)")
    axes.legend()
