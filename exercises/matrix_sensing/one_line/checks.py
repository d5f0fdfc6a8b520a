"""Checks against the law of the library and against a numerical solution of the flow."""

import numpy as np
from scipy.integrate import solve_ivp

from theorytk.classroom import check, close, picture

PAPER = "xiong2024"
QUESTION = "Why is the decay $1/t$ for equal factors and $e^{-ct}$ for others, however close?"


def _flow(t, f0, g0):
    """Return f g by a solver, the oracle that knows no closed form."""
    found = solve_ivp(
        lambda _, y: (-y[0] * y[1] ** 2, -y[1] * y[0] ** 2),
        (0, t[-1]),
        (f0, g0),
        t_eval=t,
        method="DOP853",
        rtol=1e-13,
        atol=1e-30,
    )
    return found.y[0] * found.y[1]


@check(points=2)
def equal(student, rng):
    """The flow of equal factors.

    Separate the variables: what is the derivative of x^-2 along the flow?
    """
    for x0 in rng.uniform(0.2, 2.0, 5):
        t = np.sort(rng.uniform(0.1, 20.0, 8))
        expected = _flow(t, x0, x0)
        given = f"x0 = {x0:.3g} and t = {t[0]:.3g}, ..."
        close(
            student.equal_factors(t, x0), expected, "equal_factors(t, x0)", rtol=1e-8, given=given
        )


@check(points=3)
def independent(student, rng):
    """The flow of independent factors, also when they happen to be equal.

    Compute the derivatives of f^2 and of g^2 and compare them.
    """
    for _ in range(5):
        f0, g0 = rng.uniform(0.2, 1.5, 2)
        t = np.sort(rng.uniform(0.1, 5.0, 8))
        given = f"f0 = {f0:.3g}, g0 = {g0:.3g} and t = {t[0]:.3g}, ..."
        found = student.independent_factors(t, f0, g0)
        close(found, _flow(t, f0, g0), "independent_factors(t, f0, g0)", rtol=1e-8, given=given)
    found = student.independent_factors(t, f0, f0)
    given = f"f0 = g0 = {f0:.3g}"
    close(found, _flow(t, f0, f0), "independent_factors(t, f0, f0)", rtol=1e-8, given=given)


@check(points=1)
def decay(student, rng):
    """The rate.

    The smaller factor dies; what does the larger one tend to, and what drives the product then?
    """
    for f0, g0 in rng.uniform(0.5, 1.5, (5, 2)):
        conserved = abs(f0 - g0) * (f0 + g0)
        given = f"f0 = {f0:.3g}, g0 = {g0:.3g}"
        close(student.rate(f0, g0), conserved, "rate(f0, g0)", rtol=1e-10, given=given)


@picture
def both_flows(student, rng, figure):
    axes = figure.add_subplot()
    t = np.geomspace(0.1, 30, 200)
    x0 = rng.uniform(0.8, 1.2)
    axes.loglog(t, student.equal_factors(t, x0), label="equal factors")
    for ratio in (0.95, 0.8, 0.5):
        product = student.independent_factors(t, x0, ratio * x0)
        axes.loglog(t, product, label=f"independent, $g_0 = {ratio} f_0$")
    axes.set(xlabel="time $t$ (1)", ylabel="product $fg$ (1)", ylim=(1e-12, 3))
    axes.legend()
