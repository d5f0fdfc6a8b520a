"""Checks against closed forms, the library's path and both solutions against each other."""

import numpy as np
from scipy.integrate import quad

from theorytk.classroom import Wrong, array, check, close, number, picture
from theorytk.paths import gaussian_separation
from theorytk.paths.theory import two_eigenvalue_path

PAPER = "shaul2023"
QUESTION = (
    "Why does $a_t$ start like $\\sqrt t$, and what would a finite difference at $t = 0$ give?"
)


def _law(rng, different):
    """Return eigenvalues, some of them zero, and gamma with its slope."""
    zeros, others = int(rng.integers(1, 4)), rng.uniform(0.5, 2.0, different)
    e = np.concatenate([np.zeros(zeros), others])
    e = e / e.mean()
    separation = gaussian_separation(e)

    def gamma(theta):
        return separation.gamma_function(np.asarray(theta, dtype=float))

    def slope(theta):
        # gamma is a mean of (1 - e)^2 / (1 / sin^2 + e / cos^2).
        s, c = np.sin(theta)[..., None], np.cos(theta)[..., None]
        below = c**2 + e * s**2
        return ((1 - e) ** 2 * 2 * s * c * (c**4 - e * s**4) / below**2).mean(axis=-1)

    return e, gamma, slope


def _energy(gamma, start):
    phi = quad(lambda x: float(np.sqrt(gamma(x))), start, np.pi / 2, epsabs=1e-12, limit=200)[0]
    return 2 - 2 * np.cos(phi)


def _pair(student, gamma, t):
    found = student.path(gamma, t)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("path(gamma, t) must return a pair: a and m")
    return array(found[0], "a", shape=t.shape), array(found[1], "m", shape=t.shape)


@check(points=1)
def plane(student, rng):
    """The angle Phi.

    Which multiple of d theta is d phi?
    """
    for different in (1, 2, 3):
        e, gamma, _ = _law(rng, different)
        expected = gaussian_separation(e).angle()
        close(student.angle(gamma), expected, "angle(gamma)", atol=1e-6, given=f"e = {e.round(3)}")


@check(points=3)
def chord(student, rng):
    """The path, for data in a subspace, where it has a closed form, and for others.

    A straight line at constant speed in the plane with the angle phi. Which angle theta belongs
    to phi, and what are a and m then?
    """
    t = np.concatenate([[0.0, 1.0], rng.uniform(0, 1, 20), [1e-4]])
    e, gamma, _ = _law(rng, 1)
    for value, expected, name in zip(
        _pair(student, gamma, t), two_eigenvalue_path(0.0, np.sqrt(e[-1]), t), "am", strict=True
    ):
        close(value, expected, name, atol=1e-6, given=f"e = {e.round(3)}")
    e, gamma, _ = _law(rng, 3)
    inner = t[(t > 0.01) & (t < 0.99)]
    a, m = _pair(student, gamma, inner)
    r2 = 1 - _energy(gamma, 0.0) * inner * (1 - inner)
    close(a**2 + m**2, r2, "a^2 + m^2", atol=1e-6, given=f"e = {e.round(3)}")
    Phi = gaussian_separation(e).angle()
    reached = [
        quad(lambda x: float(np.sqrt(gamma(x))), 0, x, epsabs=1e-11)[0] for x in np.arctan2(a, m)
    ]
    phi = np.arctan2(inner * np.sin(Phi), 1 - inner + inner * np.cos(Phi))
    close(reached, phi, "phi(arctan(a / m))", atol=1e-6, given=f"e = {e.round(3)}")


@check(points=1)
def beginning(student, rng):
    """The start: a is a power of t with the exponent that it must have, within 0.01.

    How do gamma and phi behave at small angles, and how phi at small times?
    """
    t = np.geomspace(1e-5, 1e-3, 9)
    for different in (1, 3):
        _, gamma, _ = _law(rng, different)
        a, _ = _pair(student, gamma, t)
        if (a <= 0).any():
            raise Wrong("a must be positive for t > 0")
        exponent = np.polyfit(np.log(t), np.log(a), 1)[0]
        close(exponent, 0.5, "the slope of log a against log t", atol=0.01)


@check(points=1)
def energies(student, rng):
    """The energy of the chord.

    The square of the distance of two points on the unit circle.
    """
    for start in (0.0, *rng.uniform(0.1, 1.2, 3)):
        e, gamma, _ = _law(rng, int(rng.integers(1, 4)))
        found = student.chord_energy(gamma, start)
        given = f"start = {start:.3g}, e = {e.round(3)}"
        close(found, _energy(gamma, start), "chord_energy(gamma, start)", atol=1e-6, given=given)


@check(points=3)
def solver(student, rng):
    """The energy by solve_bvp, which must agree with that of the chord to 1e-6.

    Two equations: for r and for the momentum p. The force on p is the derivative of the integrand
    with respect to theta, and half of it, if the integrand is not halved.
    """
    for start in rng.uniform(0.1, 0.5, 3):
        e, gamma, slope = _law(rng, int(rng.integers(1, 4)))
        found = number(student.bvp_energy(gamma, slope, start), "bvp_energy(gamma, slope, start)")
        given = f"start = {start:.3g}, e = {e.round(3)}"
        close(found, _energy(gamma, start), "bvp_energy(...)", atol=1e-6, given=given)
        other = number(student.chord_energy(gamma, start), "chord_energy(gamma, start)")
        if abs(found - other) > 1e-6:
            raise Wrong(f"the two energies differ by {abs(found - other):.2g} for {given}")


@picture
def both_views(student, rng, figure):
    left, right = figure.subplots(1, 2)
    t = np.linspace(0, 1, 401)
    for label, different in (("one variance", 1), ("three variances", 3)):
        _, gamma, _ = _law(rng, different)
        a, m = student.path(gamma, t)
        [line] = left.plot(t, a, label=label)
        left.plot(t, m, "--", color=line.get_color())
        Phi, r = student.angle(gamma), np.hypot(a, m)
        phi = np.arctan2(t * np.sin(Phi), 1 - t + t * np.cos(Phi))
        right.plot(r * np.cos(phi), r * np.sin(phi))
    left.plot(t, t, ":", color="grey", label="Cond-OT")
    left.set(xlabel="time $t$ (1)", ylabel="$a_t$ (full), $m_t$ (dashed) (1)")
    left.legend()
    arc = np.linspace(0, np.pi / 2, 100)
    right.plot(np.cos(arc), np.sin(arc), ":", color="grey")
    right.set(xlabel=r"$r \cos\varphi$ (1)", ylabel=r"$r \sin\varphi$ (1)", aspect="equal")
