"""Checks against adaptive quadrature, the library's best path and the number of eigenvalues."""

import numpy as np
from scipy.integrate import quad

from theorytk.classroom import Wrong, array, check, close, number, picture, true
from theorytk.paths import gaussian_posterior_mean, gaussian_separation, kinetic_optimal_path

PAPER = "shaul2023"
QUESTION = "Why is one step exact for your law: how do the particles move along the best path?"

NEAR = 0.05


def _eigenvalues(rng, d):
    e = rng.uniform(0.05, 2.5, d)
    return e / e.mean()


def _angle(e):
    def root(theta):
        s, c = np.sin(theta) ** 2, np.cos(theta) ** 2
        return float(np.sqrt(np.mean((e - 1) ** 2 * s * c / (c + e * s))))

    return quad(root, 0, np.pi / 2, epsabs=1e-12, epsrel=1e-12, limit=400)[0]


def _factors(e):
    """Return the factors by which one step multiplies the coordinates."""
    Phi, kappa = _angle(e), np.sqrt(np.mean((e - 1) ** 2))
    return np.cos(Phi) + np.sin(Phi) / kappa * (e - 1)


def _distance(e):
    return np.mean((np.abs(_factors(e)) - np.sqrt(e)) ** 2)


def _law(value, name, d):
    """Return eigenvalues after the conditions of the statement, and how many are different."""
    e = array(value, name, shape=(d,))
    true((e > 0).all(), f"{name} has eigenvalues that are not positive")
    true(abs(e.mean() - 1) < 1e-10, f"{name} has the mean {e.mean():.6g}, and not 1")
    gaps = np.diff(np.sort(e))
    distinct = 1 + int((gaps > 1e-9).sum())
    true(distinct > 1, f"all eigenvalues of {name} are equal")
    true(((gaps <= 1e-9) | (gaps >= NEAR)).all(), f"{name} has eigenvalues that are too near")
    return e, distinct


@check(points=2)
def integral(student, rng):
    """The angle Phi.

    Compare two rules, or twice as many nodes, before you trust eight digits.
    """
    for d in (2, 3, 6):
        e = _eigenvalues(rng, d)
        close(student.angle(e), _angle(e), "angle(e)", atol=1e-8, given=f"e = {e.round(3)}")
    e = np.array([0.01, 1.99])
    close(student.angle(e), _angle(e), "angle(e)", atol=1e-8, given=f"e = {e}")


@check(points=2)
def step(student, rng):
    """The Euler step, also against the velocity of the library's path at a small time.

    One step of length 1: the new x is the old one plus the velocity there.
    """
    for d in (2, 5):
        e, x = _eigenvalues(rng, d), rng.standard_normal((4, d))
        found = array(student.euler_step(e, x), "euler_step(e, x)", shape=x.shape)
        close(found, x * _factors(e), "euler_step(e, x)", atol=1e-7, given=f"e = {e.round(3)}")
        path = kinetic_optimal_path(gaussian_separation(e))
        u = path.velocity(1e-8, x, gaussian_posterior_mean(e))
        close(found, x + u, "euler_step(e, x)", atol=0.02, given=f"e = {e.round(3)}")


@check(points=1)
def error(student, rng):
    """The distance of the result to the data.

    By which number does the step multiply a coordinate? And e holds variances.
    """
    for d in (2, 3, 6):
        e = _eigenvalues(rng, d)
        found, given = student.distance(e), f"e = {e.round(3)}"
        close(found, _distance(e), "distance(e)", rtol=1e-5, atol=1e-8, given=given)


@check(points=2)
def exact(student, rng):
    """A law for which the step is exact.

    Begin in the plane. How many eigenvalues are there, and how many may a longer e have?
    """
    for d in (2, 3, int(rng.integers(4, 30))):
        e, distinct = _law(student.exact_law(d), f"exact_law({d})", d)
        if distinct != 2 or _distance(e) > 1e-12:
            raise Wrong(f"one step is not exact for exact_law({d}), with {distinct} eigenvalues")
        found = number(student.distance(e), "distance(exact_law(d))")
        true(abs(found) < 1e-8, f"your distance for exact_law({d}) is {found:.3g}")


@check(points=2)
def inexact(student, rng):
    """A law for which the step is not exact, with as few eigenvalues as possible.

    One more than for the exact one. How far apart must they be?
    """
    for d in (3, int(rng.integers(4, 8)), int(rng.integers(8, 30))):
        e, distinct = _law(student.inexact_law(d), f"inexact_law({d})", d)
        if _distance(e) < 1e-3:
            raise Wrong(f"one step is off by only {_distance(e):.2g} for inexact_law({d})")
        if distinct != 3:
            raise Wrong(f"inexact_law({d}) has {distinct} different eigenvalues; fewer will do")


@picture
def factors(student, rng, figure):
    axes = figure.add_subplot()
    for name, e in (("exact", student.exact_law(6)), ("inexact", student.inexact_law(6))):
        e = np.sort(np.asarray(e, dtype=float))
        after = student.euler_step(e, np.eye(6)).diagonal()
        label = rf"{name}: $W_2^2/d = {max(student.distance(e), 1e-16):.1g}$"
        axes.plot(e, after, "o", label=label)
        ends = np.array([0.0, 1.1 * e[-1]])
        line = np.polyval(np.polyfit(e, after, 1), ends)
        axes.plot(ends, line, lw=0.8, color=axes.lines[-1].get_color())
    curve = np.linspace(0, 5.5, 200)
    axes.plot(curve, np.sqrt(curve), "--", color="grey", label=r"the data: $\sqrt{e}$")
    axes.set(xlabel="eigenvalue $e_i$ (1)", ylabel="factor of one step (1)", xlim=(0, 5.5))
    axes.legend()
