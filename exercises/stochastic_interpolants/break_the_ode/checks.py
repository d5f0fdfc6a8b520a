"""Checks against a numerical solution of the flow and of its variations."""

import numpy as np
from scipy.integrate import solve_ivp

from theorytk.classroom import check, close, number, picture, true

PAPER = "albergo2023"
QUESTION = (
    "A small error of the velocity does so much harm to the density: which error is not small?"
)


def _solve(x, c, k):
    """Return start and its derivative by a solver, of the flow and of its linearisation."""
    n = len(x)

    def speed(_, y):
        return np.r_[-c / k * np.sin(k * y[:n]), -c * np.cos(k * y[:n]) * y[n:]]

    start = np.r_[x, np.ones(n)]
    found = solve_ivp(speed, (0, 1), start, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    return found[:n], found[n:]


def _instance(rng):
    c, k = rng.uniform(0.5, 3), np.exp(rng.uniform(0, np.log(30)))
    return c, k, rng.uniform(-5, 5, 40), f"c = {c:.3g} and k = {k:.3g}"


@check(points=1)
def loss(student, rng):
    """The excess loss.

    The square of a sine is half of one minus a cosine, whose mean is the characteristic function.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(100)
    for _ in range(5):
        c, k = rng.uniform(0.5, 3), rng.uniform(0.3, 5)
        mean = weights @ np.sin(k * nodes) ** 2 / weights.sum()
        given = f"c = {c:.3g} and k = {k:.3g}"
        close(
            student.excess_loss(c, k),
            (c / k) ** 2 * mean / 2,
            "excess_loss",
            rtol=1e-8,
            given=given,
        )


@check(points=2)
def flow(student, rng):
    """The trajectories backwards, over many periods of the sine.

    A tangent does not know in which period you are; points where the sine is 0 do not move.
    """
    for _ in range(4):
        c, k, x, given = _instance(rng)
        expected = _solve(x, c, k)[0]
        close(student.backward(x.copy(), c, k), expected, "backward", atol=1e-8, given=given)


@check(points=2)
def derivative(student, rng):
    """The derivative of the start by the end.

    Differentiate tan(u_0 / 2) = e^(-c) tan(u / 2), and remove tangents: the result is smooth.
    """
    for _ in range(4):
        c, k, x, given = _instance(rng)
        expected = _solve(x, c, k)[1]
        close(student.stretch(x.copy(), c, k), expected, "stretch", rtol=1e-6, given=given)


@check(points=3)
def value(student, rng):
    """The divergence, at small and at large wave numbers.

    The density at x is the density at the start times the derivative. It is the truth from which
    points are drawn. The grid has to resolve the waves.
    """
    from theorytk.paths.kl_examples import oscillating_drift

    x = np.linspace(-9, 9, 3001)
    for k in (1.0, rng.uniform(1, 2.5)):  # without the closed forms
        c = rng.uniform(0.5, 3)
        start, slope = _solve(x, c, k)
        weights = np.exp(-(x**2) / 2)
        expected = weights @ ((start**2 - x**2) / 2 - np.log(slope)) / weights.sum()
        given = f"c = {c:.3g} and k = {k:.3g}"
        close(student.divergence(c, k), expected, "divergence", rtol=1e-6, given=given)
    for k in (rng.uniform(3, 16), 64.0):
        c = rng.uniform(0.5, 3)
        given = f"c = {c:.3g} and k = {k:.3g}"
        expected = oscillating_drift(c, k).kl
        close(student.divergence(c, k), expected, "divergence", rtol=1e-6, given=given)


@check(points=2)
def limits(student, rng):
    """The limit: the loss vanishes, the divergence does not.

    For fast waves x and its start are the same point, and the phase is uniform. The mean of
    log(1 + r cos u) over a period is known.
    """
    for c in rng.uniform(0.3, 4, 4):
        u = (np.arange(4000) + 0.5) / 4000 * 2 * np.pi
        expected = np.mean(np.log(np.cosh(c) + np.sinh(c) * np.cos(u)))
        close(student.limit(c), expected, "limit(c)", rtol=1e-8, given=f"c = {c:.3g}")
    ratio = number(student.divergence(2.0, 64.0), "divergence") / (2 * np.log(np.cosh(1.0)))
    true(abs(ratio - 1) < 0.01, "your divergence for c = 2, k = 64 is not within 1% of your limit")
    true(number(student.excess_loss(2.0, 64.0), "excess_loss") < 3e-4, "the loss is not small")


@picture
def loss_and_divergence(student, rng, figure):
    left, right = figure.subplots(1, 2)
    k = np.geomspace(1, 64, 25)
    left.loglog(k, [number(student.divergence(2.0, v), "divergence") for v in k], label="KL")
    left.loglog(k, [number(student.excess_loss(2.0, v), "excess_loss") for v in k], label="loss")
    left.axhline(number(student.limit(2.0), "limit(c)"), color="k", ls=":", lw=1, label="limit")
    left.set(xlabel="wave number $k$ (1)", ylabel="KL (nat), excess loss (1)")
    left.legend()
    x = np.linspace(-3, 3, 1200)
    density = np.exp(-np.square(student.backward(x, 2.0, 12.0)) / 2) * student.stretch(x, 2.0, 12.0)
    right.plot(x, density / np.sqrt(2 * np.pi), lw=0.8, label="generated, $k = 12$")
    right.plot(x, np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), "k", label="truth")
    right.set(xlabel="$x$ (1)", ylabel="density (1)")
    right.legend()
