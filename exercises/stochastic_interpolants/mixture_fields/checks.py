"""Checks by the equations that the fields solve, by differences and by other formulas."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from theorytk.classroom import array, check, close, picture, true

PAPER = "albergo2023"
QUESTION = "Why is the velocity of a mixture not a velocity that any of its particles has?"


def _law(k, d, rng):
    A = rng.standard_normal((k, d, d)) / 2
    covariances = 0.3 * np.eye(d) + A @ A.swapaxes(1, 2)
    return rng.dirichlet(np.full(k, 4.0)), rng.uniform(-3, 3, (k, d)), covariances


def _path(t, a):
    """The trigonometric interpolant with gamma^2 = a t (1 - t)."""
    gamma2, slope = a * t * (1 - t), a * (1 - 2 * t) / 2
    root, angle = np.sqrt(1 - gamma2), np.pi * t / 2
    d_alpha = -slope / root * np.cos(angle) - root * np.pi / 2 * np.sin(angle)
    d_beta = -slope / root * np.sin(angle) + root * np.pi / 2 * np.cos(angle)
    return root * np.cos(angle), root * np.sin(angle), gamma2, d_alpha, d_beta, slope


def _log_density(x, law0, law1, path):
    alpha, beta, gamma2 = path[:3]
    terms = [
        np.log(p * q)
        + multivariate_normal.logpdf(
            x, alpha * m + beta * n, alpha**2 * C + beta**2 * D + gamma2 * np.eye(len(m))
        )
        for p, m, C in zip(*law0, strict=True)
        for q, n, D in zip(*law1, strict=True)
    ]
    return logsumexp(np.reshape(terms, (len(terms), len(x))), axis=0)


def _fields(student, x, *rest):
    pair = student.fields(x.copy(), *rest)
    true(isinstance(pair, tuple) and len(pair) == 2, "fields(...) must return two arrays")
    return array(pair[0], "the velocity", x.shape), array(pair[1], "the score", x.shape)


def _claim(student, claim, rng):
    import theorytk as tk

    def fields(flow, t, x):
        laws = [(r.weights, r.means, r.covariances) for r in (flow.rho0, flow.rho1)]
        path = tuple(float(c) for c in flow.interpolant.coefficients(t))
        return student.fields(x.copy(), *laws, path)

    law = _law(2, 1, rng)
    _fields(student, np.zeros((5, 1)), law, law, _path(0.3, 1.0))
    ledger = tk.check(claim, fields, seed=int(rng.integers(2**31)))
    return str(ledger.results[0].verdict)


@check(points=3)
def transport(student, rng):
    """The velocity carries the density: the residual of the transport equation is 0.

    The conditional mean of dx/dt given x has the covariance of dx/dt and x_t in it: half the
    derivative of the covariance of x_t. The noise z moves, too.
    """
    verdict = _claim(student, "stochastic-interpolants/transport", rng)
    message = f"the library finds the transport equation {verdict} for your velocity"
    true(verdict == "supported", message)


@check(points=2)
def fokker_planck(student, rng):
    """With noise and the score the same densities solve the Fokker-Planck equation.

    The score is a gradient of the logarithm of the density: which way does it point?
    """
    verdict = _claim(student, "stochastic-interpolants/fokker-planck", rng)
    message = f"the library finds the Fokker-Planck equation {verdict} for your fields"
    true(verdict == "supported", message)


@check(points=2)
def more_dimensions(student, rng):
    """Two and three dimensions: the score by differences, the velocity by the weak equation.

    C' and C do not commute in general: which of them acts on x - m first?
    """
    h = 1e-4
    for d in (2, 3):
        law0, law1 = _law(2, d, rng), _law(3, d, rng)
        t, a = rng.uniform(0.2, 0.8), rng.uniform(0.5, 2)
        x = rng.uniform(-3, 3, (20, d))
        b, s = _fields(student, x, law0, law1, _path(t, a))
        steps = h * np.eye(d)
        laws = (law0, law1, _path(t, a))
        rise = [_log_density(x + e, *laws) - _log_density(x - e, *laws) for e in steps]
        given = f"d = {d} and t = {t:.3g}"
        close(s, np.transpose(rise) / (2 * h), "the score", rtol=1e-5, atol=1e-5, given=given)
        # One pair of components: x_t + h dx_t is Gaussian, and so is the conditional mean.
        one = [tuple(values[:1] for values in law) for law in (law0, law1)]
        one = [(np.ones(1), *law[1:]) for law in one]
        b, _ = _fields(student, x, *one, _path(t, a))
        close(b, _regression(x, *one, _path(t, a)), "the velocity", rtol=1e-8, given=given)


def _regression(x, law0, law1, path):
    """Return E[dx | x] of two Gaussian laws from the joint covariance of (x0, x1, z)."""
    d = x.shape[1]
    alpha, beta, gamma2, d_alpha, d_beta, slope = path
    gamma = np.sqrt(gamma2)
    joint = np.zeros((3 * d, 3 * d))
    joint[:d, :d], joint[d : 2 * d, d : 2 * d] = law0[2][0], law1[2][0]
    joint[2 * d :, 2 * d :] = np.eye(d)
    position = np.hstack([alpha * np.eye(d), beta * np.eye(d), gamma * np.eye(d)])
    motion = np.hstack([d_alpha * np.eye(d), d_beta * np.eye(d), slope / gamma * np.eye(d)])
    mean = np.concatenate([law0[1][0], law1[1][0], np.zeros(d)])
    gain = motion @ joint @ position.T @ np.linalg.inv(position @ joint @ position.T)
    return motion @ mean + (x - position @ mean) @ gain.T


@check(points=1)
def far_away(student, rng):
    """Points at a distance of 200, and both ends of the path.

    A quotient of two numbers that underflow is 0 / 0. Subtract the largest logarithm first.
    """
    from theorytk.paths.interpolants import gamma_schedule, interpolant
    from theorytk.paths.mixtures import GaussianMixture, MixtureInterpolant

    law0, law1 = _law(2, 2, rng), _law(3, 2, rng)
    direction = rng.standard_normal((6, 2))
    x = 200 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    path = interpolant("trigonometric", gamma_schedule("brownian", a=1.0))
    flow = MixtureInterpolant(GaussianMixture(*law0), GaussianMixture(*law1), path)
    for t in (0.0, 0.4, 1.0):
        b, s = _fields(student, x, law0, law1, _path(t, 1.0))
        expected = flow.velocity_and_score(t, x)
        close(b, expected[0], "the velocity", rtol=1e-7, atol=1e-7, given=f"|x| = 200, t = {t}")
        close(s, expected[1], "the score", rtol=1e-7, atol=1e-7, given=f"|x| = 200, t = {t}")


@picture
def trajectories(student, rng, figure):
    axes = figure.add_subplot()
    law0 = (np.array([0.5, 0.5]), np.array([[-3.0], [3.0]]), np.full((2, 1, 1), 0.25))
    law1 = (np.full(3, 1 / 3), np.array([[-6.0], [0.0], [6.0]]), np.full((3, 1, 1), 0.4))
    grid, times = np.linspace(-9, 9, 200)[:, None], np.linspace(0, 1, 101)
    density = [np.exp(_log_density(grid, law0, law1, _path(t, 1.0))) for t in times]
    axes.pcolormesh(times, grid[:, 0], np.transpose(density), cmap="Greys", shading="nearest")
    x = law0[1][rng.integers(2, size=30)] + rng.normal(0, 0.5, (30, 1))
    track = [x]
    for t in times[:-1]:
        half = x + 0.005 * _fields(student, x, law0, law1, _path(t, 1.0))[0]
        x = x + 0.01 * _fields(student, half, law0, law1, _path(t + 0.005, 1.0))[0]
        track.append(x)
    lines = axes.plot(times, np.array(track)[:, :, 0], "C0", lw=0.7)
    lines[0].set_label("along your velocity")
    axes.set(xlabel="time $t$ (1)", ylabel="position $x$ (1)", ylim=(-9, 9))
    axes.legend(loc="upper left")
