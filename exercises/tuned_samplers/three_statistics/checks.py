"""Checks against Gauss-Hermite quadrature of the population, with derivatives by complex steps."""

import numpy as np

from theorytk.classroom import Wrong, array, check, close, number, picture

PAPER = "zheng2023v3"
QUESTION = "Why must l at the two levels that give its slope be estimated from the same draws?"

N = 20_000
NODES, LENGTHS = np.polynomial.hermite_e.hermegauss(200)
LENGTHS = LENGTHS / LENGTHS.sum()
TINY = 1e-30


class Mixture:
    """A mixture of Gaussians on the line, whose predictions take complex arguments."""

    def __init__(self, weights, means, variances):
        self.w, self.m, self.v = (np.asarray(a, dtype=float) for a in (weights, means, variances))

    def draw(self, n, rng):
        k = rng.choice(len(self.w), n, p=self.w)
        return self.m[k] + np.sqrt(self.v[k]) * rng.standard_normal(n), rng.standard_normal(n)

    def noise(self, x, alpha, sigma):
        """Return the noise prediction, what a student's function is given."""
        x = np.asarray(x, dtype=float)
        return self._both(x, float(alpha), float(sigma))[0]

    def at(self, x, lam):
        """Return the noise and sigma times its derivative, at complex x and lam."""
        alpha, sigma = 1 / np.sqrt(1 + np.exp(-2 * lam)), 1 / np.sqrt(1 + np.exp(2 * lam))
        return self._both(x, alpha, sigma)

    def _both(self, x, alpha, sigma):
        V = alpha**2 * self.v + sigma**2
        d = np.asarray(x)[..., None] - alpha * self.m
        logs = np.log(self.w) - d**2 / (2 * V) - np.log(V) / 2
        p = np.exp(logs - logs.real.max(axis=-1, keepdims=True))
        p = p / p.sum(axis=-1, keepdims=True)
        score = (p * -d / V).sum(axis=-1)
        bend = (p * (d / V) ** 2).sum(axis=-1) - score**2 - (p / V).sum(axis=-1)
        return -sigma * score, -(sigma**2) * bend

    def parts(self, x, lam, moved):
        """Return sigma eps', its derivative by lam at `moved`, eps and its total derivative."""
        sigma = 1 / np.sqrt(1 + np.exp(2 * lam))
        epsilon, jacobian = self.at(x, lam)
        velocity = sigma**2 * x - sigma * epsilon
        along = self.at(x + 1j * TINY * velocity, lam + 1j * TINY)[0].imag / TINY
        return jacobian, self.at(moved, lam + 1j * TINY)[1].imag / TINY, epsilon, along

    def population(self, lam):
        """Return l, s and b by 200 nodes for each component."""
        at = lam + 1j * TINY
        alpha2, sigma2 = 1 / (1 + np.exp(-2 * at)), 1 / (1 + np.exp(2 * at))
        moved = np.sqrt(alpha2) * self.m + np.sqrt(alpha2 * self.v + sigma2) * NODES[:, None]
        weights = (self.w * LENGTHS[:, None]).ravel()
        x = moved.real.ravel()
        return _fit(x, lam, weights, self.parts(x, lam, moved.ravel()))

    def deviations(self, lam, rng):
        """Return the standard errors for N draws, from estimates with a tenth of them."""
        found, at = [], lam + 1j * TINY
        alpha, sigma = 1 / np.sqrt(1 + np.exp(-2 * at)), 1 / np.sqrt(1 + np.exp(2 * at))
        for _ in range(120):
            clean, normal = self.draw(N // 10, rng)
            moved = alpha * clean + sigma * normal
            parts = self.parts(moved.real, lam, moved)
            found.append(_fit(moved.real, lam, np.full(len(clean), 10 / N), parts))
        return np.std(found, axis=0) / np.sqrt(10)


def _fit(x, lam, weights, parts):
    """Return l, s and b for points with weights."""
    jacobian, slope, epsilon, along = parts
    ell, slope_of_l = weights @ jacobian, weights @ slope
    y = x * np.sqrt(1 + np.exp(-2 * lam))
    f = np.exp(-lam) * epsilon - ell * y
    rate = np.exp(-lam) * ((ell - 1) * epsilon + along) - slope_of_l * y
    centred = f - weights @ f
    s = weights @ (centred * rate) / (weights @ centred**2)
    return ell, s, weights @ rate - s * (weights @ f)


def _mixture(rng):
    share = rng.uniform(0.35, 0.65)
    means = [rng.uniform(-1.5, -0.7), rng.uniform(0.5, 1.5)]
    return Mixture([share, 1 - share], means, rng.uniform(0.05, 0.3, 2))


def _three(student, mixture, draws, lam):
    found = student.statistics(mixture.noise, *(a.copy() for a in draws), lam)
    return array(found, "statistics(noise, clean, normal, lam)", shape=(3,))


def _within_four(estimate, expected, deviation, name, lam):
    """Accept an estimate within four standard errors for one of two sets of draws.

    For one of them an unbiased estimate is further off about once in 5000 cases, as there are three
    numbers; for both about once in 10^7.
    """
    times = [np.abs(estimate() - expected) / deviation for _ in range(2)]
    if min(np.max(t) for t in times) > 4:
        written = " and ".join(f"{np.max(t):.3g}" for t in times)
        raise Wrong(
            f"{name} is off by {written} standard errors at lam = {lam:.3g}, for two independent "
            f"sets of {N} draws"
        )


@check(points=2)
def derivative(student, rng):
    """The total derivative of the noise prediction.

    Both x and lam move. What is dx / dlam along the flow, from the equation for x / alpha?
    """
    for lam in (0.0, *rng.uniform(-1.0, 1.0, 3)):
        mixture, x = _mixture(rng), rng.normal(0.0, 1.3, 50)
        expected = mixture.parts(x, lam, x)[3]
        found = student.total_derivative(mixture.noise, x.copy(), float(lam))
        name = "total_derivative(noise, x, lam)"
        close(found, expected, name, rtol=1e-5, atol=1e-5, given=f"lam = {lam:.3g}")


@check(points=2)
def linear_part(student, rng):
    """The statistic l.

    Which number minimises the mean square of a random variable less that number?
    """
    for lam in (0.0, rng.uniform(-0.7, 0.7)):
        mixture = _mixture(rng)
        expected, deviation = mixture.population(lam)[0], mixture.deviations(lam, rng)[0]

        def estimate(mixture=mixture, lam=lam):
            clean, normal = mixture.draw(N, rng)
            name = "linear(noise, clean, normal, lam)"
            return number(student.linear(mixture.noise, clean, normal, lam), name)

        _within_four(estimate, expected, deviation, "linear(noise, clean, normal, lam)", lam)


@check(points=4)
def all_three(student, rng):
    """The statistics l, s and b.

    f depends on lam through alpha, sigma, the prediction, x, and l: did every term get its
    derivative? The line of f' on f has an intercept.
    """
    for lam in (0.0, rng.uniform(-0.7, 0.7)):
        mixture = _mixture(rng)
        expected, deviation = mixture.population(lam), mixture.deviations(lam, rng)

        def estimate(mixture=mixture, lam=lam):
            return _three(student, mixture, mixture.draw(N, rng), lam)

        name = "one of the three numbers of statistics(noise, clean, normal, lam)"
        _within_four(estimate, np.array(expected), deviation, name, lam)


@check(points=2)
def gaussian(student, rng):
    """The statistics for one Gaussian, where f is the same number for all draws.

    What is a slope worth if f does not vary, up to rounding?
    """
    for lam in (0.0, *rng.uniform(-1.0, 1.0, 3)):
        mean, variance = rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 1.5), rng.uniform(0.1, 0.8)
        mixture = Mixture([1.0], [mean], [variance])
        ratio = variance * np.exp(2 * lam)
        expected = [1 / (1 + ratio), 0.0, 2 * ratio * mean / (1 + ratio) ** 2]
        found = _three(student, mixture, mixture.draw(200, rng), float(lam))
        given = f"data N({mean:.3g}, {variance:.3g}) and lam = {lam:.3g}"
        name = "statistics(noise, clean, normal, lam)"
        close(found, expected, name, atol=1e-5, given=given)


@picture
def tables(student, rng, figure):
    axes, mixture = figure.add_subplot(), _mixture(rng)
    lam, draws = np.linspace(-3.0, 2.5, 40), mixture.draw(2000, rng)
    rows = np.array([_three(student, mixture, draws, float(at)) for at in lam])
    exact = np.array([mixture.population(at) for at in lam])
    for i, name in enumerate("lsb"):
        [line] = axes.plot(lam, rows[:, i], ".", label=f"${name}$, from 2000 draws")
        axes.plot(lam, exact[:, i], color=line.get_color())
    axes.plot([], [], color="black", label="quadrature")
    axes.set(xlabel=r"half log signal-to-noise ratio $\lambda$ (1)", ylabel="statistic (1)")
    axes.legend()
