"""Checks against the library's fields, quadratures and densities, and of the law of epsilon*."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from theorytk.classroom import array, between, check, close, number, picture, true

PAPER = "albergo2023"
QUESTION = "What happens to the best epsilon if the score is exact, and why does noise help at all?"
GRID = np.linspace(-10, 10, 321)
STEPS = 120


class _Case:
    """Two and three modes joined by the trigonometric interpolant, and fields with waves added."""

    def __init__(self, rng, score_error=True):
        from theorytk.paths.interpolants import interpolant
        from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

        two = GaussianMixture([0.5, 0.5], [-3.0, 3.0], [0.25, 0.25])
        three = GaussianMixture([1 / 3] * 3, [-6.0, 0.0, 6.0], [0.5, 0.33, 0.5])
        self.flow = MixtureInterpolant(two, three, interpolant("trigonometric"))
        size = rng.uniform(0.4, 0.55)
        self.size_b, self.size_s = size, size * rng.uniform(0.9, 1.1) * score_error

    def density(self, t):
        return np.exp(self.flow.logpdf(t, GRID[:, None]))

    def b(self, t, x):
        return self.flow.velocity(t, x[:, None])[:, 0]

    def s(self, t, x):
        return self.flow.score(t, x[:, None])[:, 0]

    def error_b(self, t, x):
        return self.size_b * np.sin(3 * x)

    def error_s(self, t, x):
        return self.size_s * np.cos(2 * x)

    def drift(self, epsilon):
        def drift(t, x):
            b, s = self.flow.velocity_and_score(t, x)
            return b + self.error_b(t, x) + epsilon * (s + self.error_s(t, x))

        return drift

    def swept(self, student, epsilons):
        """Return what the student's sweep finds."""
        fields = self.b, self.s, self.error_b, self.error_s
        ends = self.density(0.0), self.density(1.0)
        found = student.sweep(np.array(epsilons), *fields, *ends, GRID, STEPS)
        return array(found, "sweep(...)", shape=(len(epsilons),))

    def losses(self, student):
        """Return the excess losses that the student finds."""
        times = np.linspace(0, 1, 21)
        densities = np.array([self.density(t) for t in times])
        found = []
        for error in (self.error_b, self.error_s):
            errors = np.array([error(t, GRID) for t in times])
            loss = student.excess_loss(densities, errors, times, GRID)
            found.append(number(loss, "excess_loss(...)"))
        return found


@check(points=1)
def losses(student, rng):
    """The excess loss, for Gaussian densities that move and errors that are known.

    Square the errors, weigh them by the density, integrate over x, then over time.
    """
    times, grid = np.linspace(0, 1, 41), np.linspace(-9, 9, 721)
    for _ in range(3):
        a, k, speed = rng.uniform(0.5, 2, 3)
        densities = norm.pdf(grid, speed * times[:, None], 1.0)
        errors = np.broadcast_to(a * np.sin(k * grid), densities.shape).copy()
        fine = (np.arange(2000) + 0.5) / 2000
        squares = a**2 / 2 * (1 - np.exp(-2 * k**2) * np.cos(2 * k * speed * fine))
        found = student.excess_loss(densities, errors, times, grid)
        close(found, squares.mean() / 2, "excess_loss(...)", rtol=3e-3)


@check(points=1)
def best(student, rng):
    """The epsilon at which the bound is smallest.

    Differentiate, or ask when both terms are equal.
    """
    for _ in range(5):
        b, s = np.exp(rng.uniform(-3, 3, 2))
        least = minimize_scalar(lambda u, b=b, s=s: np.exp(-u) * b + np.exp(u) * s, (-1, 1)).x
        given = f"excess losses {b:.3g} and {s:.3g}"
        close(student.best_epsilon(b, s), np.exp(least), "best_epsilon", rtol=1e-5, given=given)


@check(points=1)
def kl(student, rng):
    """The divergence of two Gaussian densities, in the right direction.

    It is the mean of log(p / q) under p, a sum over the grid times its spacing.
    """
    for _ in range(4):
        m, v = rng.uniform(-1, 1), rng.uniform(0.5, 2.0)
        grid = np.linspace(-15, 15, 1501)
        p, q = norm.pdf(grid), norm.pdf(grid, m, np.sqrt(v))
        p[np.abs(grid) > 9] = 0.0
        expected = (np.log(v) + (1 + m**2) / v - 1) / 2
        given = f"N(0, 1) and N({m:.3g}, {v:.3g})"
        close(student.divergence(p, q, grid), expected, "divergence", rtol=1e-6, given=given)


@check(points=3)
def sweeps(student, rng):
    """The divergences of the sweep, at three epsilons.

    The score comes with its error, and with epsilon, into the drift. Begin with the right density.
    """
    from theorytk.paths.fokker_planck import kl_along_flow

    case, epsilons = (
        _Case(rng),
        np.exp(rng.uniform(np.log([0.15, 0.6, 2.5]), np.log([0.3, 1.2, 5]))),
    )
    found = case.swept(student, epsilons)
    for epsilon, value in zip(epsilons, found, strict=True):
        run = dict(epsilon=epsilon, times=[0, 1], n_steps=STEPS)
        expected = kl_along_flow(case.flow.logpdf, case.drift(epsilon), GRID, **run)[-1]
        close(value, expected, "sweep(...)", rtol=0.02, given=f"epsilon = {epsilon:.3g}")


@check(points=2)
def minimum(student, rng):
    """Where the minimum is: of a parabola, and of your sweep, near the best epsilon of the bound.

    Three points determine a parabola; its lowest point is -b / (2 a), in log(epsilon).
    """
    for _ in range(3):
        u, centre = np.linspace(-2, 2, 9) + rng.uniform(-0.2, 0.2), rng.uniform(-1, 1)
        values = 1 + rng.uniform(0.1, 1) * (u - centre) ** 2
        found = student.locate(np.exp(u), values)
        close(found, np.exp(centre), "locate(...) for a parabola", rtol=1e-6)
    case = _Case(rng)
    star = number(student.best_epsilon(*case.losses(student)), "best_epsilon(...)")
    between(star, 0.7, 1.4, "best_epsilon of the two losses", given="errors of about equal size")
    epsilons = star * 2.0 ** np.arange(-3, 4)
    found = case.swept(student, epsilons)
    true(min(found[0], found[-1]) > 1.05 * found.min(), "your sweep has no minimum inside")
    where = number(student.locate(epsilons, found), "locate(...)")
    between(where / star, 0.5, 2, "the minimum of your sweep over epsilon*")


@check(points=1)
def exact_score(student, rng):
    """With an exact score more noise is always better.

    Without an error of the score the second term of the bound is 0.
    """
    found = _Case(rng, score_error=False).swept(student, [0.05, 0.25, 1.0, 4.0])
    true((np.diff(found) < 0).all(), "your divergences do not fall with epsilon")
    true((found > 0).all(), "a divergence is not positive")


@picture
def divergences(student, rng, figure):
    axes = figure.add_subplot()
    case, exact = _Case(rng), _Case(rng, score_error=False)
    epsilons = np.geomspace(0.1, 10, 7)
    found = case.swept(student, epsilons)
    axes.loglog(epsilons, found, "o-", label="both fields with errors")
    axes.loglog(epsilons[::2], exact.swept(student, epsilons[::2]), "s-", label="exact score")
    b, s = case.losses(student)
    axes.loglog(epsilons, b / epsilons + epsilons * s, "k--", lw=1, label="bound")
    star = number(student.best_epsilon(b, s), "best_epsilon(...)")
    axes.axvline(star, color="k", ls=":", lw=1, label=r"$\epsilon^*$ of the bound")
    where = number(student.locate(epsilons, found), "locate(...)")
    axes.axvline(where, color="C0", ls=":", lw=1, label="located minimum")
    axes.set(xlabel=r"diffusion coefficient $\epsilon$ (1)", ylabel="KL (nat)", ylim=(1e-5, 5))
    axes.legend(fontsize="small")
