"""Steps by a solver and by products of densities, regressions by scipy, exponents by their laws."""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.stats import linregress
from scipy.stats import t as student_t

from theorytk.classroom import array, check, close, number, picture, true
from theorytk.diffusion.hallucination import ode_exponent, sde_exponent

PAPER = "aithal2024"
QUESTION = "The SDE adds noise at every step, and yet its valley empties twice as fast. Why?"


def _stepped(found, name, shape):
    """Return mean and standard deviation of a student's step."""
    true(isinstance(found, (tuple, list)) and len(found) == 2, f"{name} must return a pair")
    return array(found[0], f"the mean of {name}", shape=shape), number(found[1], f"sd of {name}")


def _state(rng):
    """Return points, two levels and predictions."""
    s = float(rng.uniform(0.05, 0.8))
    return rng.uniform(-1, 1, 5), s, s * float(rng.uniform(0.3, 0.99)), rng.uniform(-0.5, 0.5, 5)


@check(points=1)
def flow(student, rng):
    """The step of the ODE, against a numerical solution.

    The equation is linear in y - D: separate the variables.
    """
    for _ in range(5):
        y, s, t, prediction = _state(rng)
        solved = solve_ivp(
            lambda r, z, D=prediction: (z - D) / r,
            (s, t),
            y,
            rtol=1e-11,
            atol=1e-12,
            method="DOP853",
        )
        found = student.ode_step(y.copy(), s, t, prediction.copy())
        mean, sd = _stepped(found, "ode_step(y, s, t, D)", y.shape)
        given = f"s = {s:.3g}, t = {t:.3g}"
        close(mean, solved.y[:, -1], "the mean of ode_step", atol=1e-7, given=given)
        close(sd, 0, "sd of ode_step", atol=1e-12, given=given)


@check(points=2)
def posterior(student, rng):
    """The step of the SDE: mean and standard deviation of the posterior.

    Multiply the density of y_t around D with that of y_s around y_t, as functions of y_t.
    """
    for _ in range(5):
        y, s, t, prediction = _state(rng)
        prior, likelihood = 1 / t**2, 1 / (s**2 - t**2)
        expected = (prior * prediction + likelihood * y) / (prior + likelihood)
        found = student.sde_step(y.copy(), s, t, prediction.copy())
        mean, sd = _stepped(found, "sde_step(y, s, t, D)", y.shape)
        given = f"s = {s:.3g}, t = {t:.3g}"
        close(mean, expected, "the mean of sde_step", atol=1e-9, given=given)
        close(sd, (prior + likelihood) ** -0.5, "sd of sde_step", rtol=1e-9, given=given)


@check(points=1)
def regression(student, rng):
    """The slope and its confidence interval, on noisy power laws.

    Two parameters are estimated: that is what is missing in the degrees of freedom.
    """
    for count in (5, 8, 12):
        levels = np.geomspace(0.01, 0.1, count)
        masses = levels ** rng.uniform(0.5, 4) * np.exp(0.1 * rng.standard_normal(count))
        found = array(student.exponent(levels, masses), "exponent(levels, masses)", shape=(2,))
        fit = linregress(np.log(levels), np.log(masses))
        expected = student_t.ppf(0.975, count - 2) * fit.stderr
        given = f"{count} levels"
        close(found[0], fit.slope, "the slope of exponent", rtol=1e-9, given=given)
        close(found[1], expected, "the half-width of exponent", rtol=1e-6, given=given)


@check(points=2)
def laws(student, rng):
    """The two exponents as functions of the bound.

    With t = s exp(-h) and small h, what is (1 / h) ln of the factor by which the mean stretches y?
    """
    for bound in rng.uniform(1.2, 5, 5):
        found = array(student.laws(float(bound)), "laws(bound)", shape=(2,))
        given = f"bound = {bound:.3g}"
        close(found[0], ode_exponent(bound), "the law of the ODE", rtol=1e-9, given=given)
        close(found[1], sde_exponent(bound), "the law of the SDE", rtol=1e-9, given=given)


@check(points=2)
def estimates(student, rng):
    """The estimated exponents: their intervals lie within 0.03 and 0.06 of the laws.

    If the steps and the regression are right, so is this; are the levels those that were asked for?
    """
    for bound in (1.5, float(rng.uniform(1.4, 2.4))):
        found = array(student.estimate(bound), "estimate(bound)", shape=(2, 2))
        laws = ode_exponent(bound), sde_exponent(bound)
        for (slope, half), law, margin, name in zip(
            found, laws, (0.03, 0.06), ("ODE", "SDE"), strict=True
        ):
            inside = half >= 0 and abs(slope - law) + half <= margin
            shown = f"{slope:.3f} with a half-width of {half:.2g}"
            message = f"the exponent of the {name} is estimated as {shown} for bound = {bound:.3g}"
            true(inside, f"{message}, and that does not agree with the theory")


@picture
def valleys(student, rng, figure):
    axes = figure.add_subplot()
    bound = 2.0
    both = zip(student.laws(bound), ("ODE", "SDE"), ("o", "s"), strict=True)
    for (law, name, marker), step in zip(both, (student.ode_step, student.sde_step), strict=True):
        levels = np.geomspace(0.012, 0.1, 8)
        masses = np.asarray(student.valley_masses(step, bound, levels))
        [line] = axes.loglog(levels, masses, marker, label=f"{name}")
        fitted = masses[0] * (levels / levels[0]) ** law
        axes.loglog(levels, fitted, color=line.get_color(), lw=1, label=f"exponent {law:g}")
    axes.set(xlabel="noise level $s$ (data units)", ylabel=r"mass in $|y| \leq 0.005$ (1)")
    axes.legend(title=rf"slope at most $\Lambda = {bound:g}$")
