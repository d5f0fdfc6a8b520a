"""Checks draw by draw, by exact quadrature, and with the library's claim on mixtures."""

import numpy as np

from theorytk.classroom import array, check, close, picture, true

PAPER = "albergo2023"
QUESTION = (
    "What is the variance of the simple loss if t is uniform on (0, 1), and what is seen of it?"
)


def _path(a):
    def path(t):
        gamma = np.sqrt(a * t * (1 - t))
        return 1 - t, t, gamma, -1.0, 1.0, a * (1 - 2 * t) / (2 * gamma)

    return path


def _variances(t, sd0, sd1, a):
    """Return both variances by Gauss-Hermite quadrature, exact for polynomials."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(12)
    alpha, beta, gamma = _path(a)(t)[:3]
    sd = np.hypot(alpha * sd0, beta * sd1)
    y, z = sd * nodes[:, None], nodes[None]
    w = np.outer(weights, weights) / weights.sum() ** 2

    def loss(z):
        s = -(y + gamma * z) / (sd**2 + gamma**2)
        return s**2 / 2 + s * z / gamma

    single, pair = loss(z), (loss(z) + loss(-z)) / 2
    return [np.sum(w * (v - np.sum(w * v)) ** 2) for v in (single, pair)]


def _instances(rng):
    for _ in range(5):
        sd0, sd1, a = rng.uniform(0.5, 2, 3)
        t = rng.uniform(0.003, 0.9)
        yield (t, sd0, sd1, a), f"t = {t:.3g}, sd0 = {sd0:.3g}, sd1 = {sd1:.3g}, a = {a:.3g}"


def _two(pair, name):
    true(isinstance(pair, tuple) and len(pair) == 2, f"{name} must return two numbers")
    return pair


@check(points=2)
def draws(student, rng):
    """The loss of each draw, simple and antithetic.

    With -z the point x_t is another one: the field is evaluated again. And in the loss of the
    velocity not only x_t changes.
    """
    for target in ("velocity", "score"):
        n, d, t, a = 9, int(rng.integers(1, 4)), rng.uniform(0.05, 0.95), rng.uniform(0.5, 2)
        x0, x1, z = rng.standard_normal((3, n, d))
        path = _path(a)
        alpha, beta, gamma, d_alpha, d_beta, d_gamma = path(t)
        M = rng.standard_normal((d, d))
        expected = {}
        for sign in (1, -1):
            x = alpha * x0 + beta * x1 + sign * gamma * z
            f = np.tanh(x @ M) + t
            goal = d_alpha * x0 + d_beta * x1 + sign * d_gamma * z
            goal = goal if target == "velocity" else -sign * z / gamma
            expected[sign] = (((f - goal) ** 2).sum(axis=1) - (goal**2).sum(axis=1)) / 2
        for antithetic in (False, True):
            found = student.losses(
                lambda t, x, M=M: np.tanh(x @ M) + t, target, path, t, x0, x1, z, antithetic
            )
            right = (expected[1] + expected[-1]) / 2 if antithetic else expected[1]
            given = f"the {target}, antithetic = {antithetic}"
            close(found, right, "losses(...)", rtol=1e-8, atol=1e-8, given=given)


@check(points=3)
def law(student, rng):
    """The variances in closed form.

    Split the loss into a part that is even in z and one that is odd; they are uncorrelated. The
    square of a Gaussian of variance v has the variance 2 v^2.
    """
    for case, given in _instances(rng):
        pair = _two(student.score_variances(*case), "score_variances(...)")
        single, even = _variances(*case)
        close(pair[0], single, "the variance of the simple loss", rtol=1e-8, given=given)
        close(pair[1], even, "the variance of the antithetic loss", rtol=1e-8, given=given)


@check(points=1)
def powers(student, rng):
    """The exponents of t near 0.

    They are about standard deviations, not variances. Read them off your law.
    """
    pair = _two(student.exponents(), "exponents()")
    t, (sd0, sd1) = np.array([1e-7, 1e-6]), rng.uniform(0.5, 2, 2)
    sds = np.sqrt([_variances(v, sd0, sd1, 1.0) for v in t])
    slopes = np.diff(np.log(sds), axis=0)[0] / np.diff(np.log(t))
    close(pair[0], slopes[0], "the exponent of the simple loss", atol=1e-3)
    close(pair[1], slopes[1], "the exponent of the antithetic loss", atol=1e-3)


@check(points=1)
def gains(student, rng):
    """How many evaluations antithetic draws save.

    N draws have a mean of variance V / N; count the evaluations of N draws of each kind.
    """
    for case, given in _instances(rng):
        single, even = _variances(*case)
        close(student.gain(*case), single / (2 * even), "gain(...)", rtol=1e-8, given=given)


@check(points=2)
def mixtures(student, rng):
    """Your antithetic losses between mixtures: their spread stays bounded, as the claim says.

    This is about velocity and score, at times down to 1e-4.
    """
    import theorytk as tk

    def loss(field, target, interpolant, t, x0, x1, z):
        c = interpolant.coefficients(t)
        gamma = float(np.sqrt(c.gamma2))
        numbers = (c.alpha, c.beta, gamma, c.d_alpha, c.d_beta, c.gamma_d_gamma / gamma)
        path = tuple(float(v) for v in numbers)
        return student.losses(field, target, lambda t: path, t, x0, x1, z, True)

    x = rng.standard_normal((3, 4, 1))
    found = student.losses(lambda t, x: -x, "score", _path(1.0), 0.5, *x, True)
    true(np.ptp(array(found, "losses(...)", shape=(4,))) > 0, "losses(...) do not depend on draws")
    claim = "stochastic-interpolants/antithetic-draws"
    ledger = tk.check(claim, loss, seed=int(rng.integers(2**31)))
    verdict = str(ledger.results[0].verdict)
    true(verdict == "supported", f"with your losses the library finds its claim {verdict}")


@picture
def spreads(student, rng, figure):
    axes = figure.add_subplot()
    times, n = np.geomspace(1e-4, 0.5, 30), 8000
    x0, x1, z = rng.standard_normal((3, n, 1))
    for antithetic, color, label in ((False, "C0", "simple"), (True, "C1", "antithetic")):
        sds = [
            np.std(
                array(
                    student.losses(
                        lambda t, x: -x / ((1 - t) ** 2 + t**2 + t * (1 - t)),
                        "score",
                        _path(1.0),
                        t,
                        x0,
                        x1,
                        z,
                        antithetic,
                    ),
                    "losses(...)",
                )
            )
            for t in times
        ]
        axes.loglog(times, sds, color + "o", ms=3, label=f"{label}, {n} draws")
        pairs = [_two(student.score_variances(t, 1.0, 1.0, 1.0), "score_variances") for t in times]
        law = np.sqrt([array(pair[int(antithetic)], "a variance", shape=()) for pair in pairs])
        axes.loglog(times, law, color, lw=1, label=f"{label}, your law")
    axes.set(xlabel="time $t$ (1)", ylabel="standard deviation of the score's loss (1)")
    axes.legend()
