"""Checks against Gaussian conditioning with full matrices, and quadrature."""

import numpy as np

from theorytk.classroom import array, check, close, picture
from theorytk.paths import gaussian_separation

PAPER = "shaul2023"
QUESTION = "For which Gaussian is $\\gamma = 0$, and what does that say about the best path?"


def _eigenvalues(rng, d=None, zeros=0):
    d = int(rng.integers(2, 7)) if d is None else d
    e = np.concatenate([np.zeros(zeros), rng.uniform(0.1, 2.0, d)])
    return e / e.mean()


def _gain(s, e):
    """Return the covariance of (x_1, y) with x_1 times the inverse covariance of y."""
    joint = s * np.diag(e)
    return np.linalg.solve(s * joint + np.eye(len(e)), joint).T


@check(points=1)
def posterior(student, rng):
    """The posterior mean.

    The pair (x_1, y) is Gaussian: a posterior mean is a linear regression.
    """
    for s in (0.0, *rng.uniform(0.1, 5.0, 3)):
        e = _eigenvalues(rng, zeros=1)
        y = rng.standard_normal((3, len(e)))
        found = student.posterior_mean(y, s, e)
        given = f"s = {s:.3g}"
        close(found, y @ _gain(s, e).T, "posterior_mean(y, s, e)", atol=1e-10, given=given)


@check(points=2)
def separation(student, rng):
    """The separation lambda.

    What is the mean square of a linear function of y? Or: what is the error of a regression?
    """
    for zeros in (0, 2):
        e, s = _eigenvalues(rng, zeros=zeros), np.concatenate([[0.0], rng.uniform(0.05, 20.0, 6)])
        gains = [(_gain(v, e), v * v * np.diag(e) + np.eye(len(e))) for v in s]
        expected = [1 - np.trace(K @ C @ K.T) / len(e) for K, C in gains]
        found = student.one_minus_lambda(s, e)
        close(found, expected, "one_minus_lambda(s, e)", atol=1e-10, given=f"{zeros} e_i = 0")


@check(points=2)
def angles(student, rng):
    """The function gamma, from end to end.

    At the right angle only the directions without data are left.
    """
    for zeros in (0, 3):
        e = _eigenvalues(rng, zeros=zeros)
        theta = np.concatenate([[0.0], rng.uniform(0.1, 1.45, 6), [np.pi / 2]])
        gains = [(v, _gain(v, e)) for v in np.tan(theta[1:-1])]
        # gamma = (1 + s^2) E|mu - s y / (1 + s^2)|^2 / d, which holds for normalised data.
        inner = [
            (1 + v * v) * np.trace(D @ (v * v * np.diag(e) + np.eye(len(e))) @ D.T) / len(e)
            for v, D in ((v, K - v / (1 + v * v) * np.eye(len(e))) for v, K in gains)
        ]
        expected = [0.0, *inner, zeros / len(e)]
        found = student.gamma(theta, e)
        close(found, expected, "gamma(theta, e)", atol=1e-9, given=f"{zeros} e_i = 0")


@check(points=2)
def near_the_ends(student, rng):
    """The relative accuracy of gamma near the ends.

    A difference of two numbers near 1 has lost its digits. Bring the terms on one denominator,
    and subtract zero in the form of the mean of 1 - e.
    """
    e = _eigenvalues(rng)
    for end, side in ((0.0, 1), (np.pi / 2, -1)):
        theta = end + side * np.array([1e-2, 1e-4, 1e-6])
        expected = gaussian_separation(e).gamma_function(theta)
        found = student.gamma(theta, e)
        close(found, expected, "gamma(theta, e)", rtol=1e-6, given=f"angles near {end:.3g}")


@check(points=2)
def energy(student, rng):
    """The energy of Cond-OT to 1e-8, and your gamma together with it.

    Without the correction it is 2. Which integral over s is subtracted?
    """
    x, w = np.polynomial.legendre.leggauss(400)
    theta, w = np.pi / 4 * (1 + x), np.pi / 4 * w
    for zeros in (0, 1, 4):
        e = _eigenvalues(rng, zeros=zeros)
        expected = 2 - np.pi / 2 * np.mean(np.sqrt(e))
        given = f"{zeros} of {len(e)} e_i = 0"
        found = array(student.gamma(theta, e), "gamma(theta, e)", shape=theta.shape)
        integrated = 2 - np.pi / 2 + w @ found
        close(integrated, expected, "the energy from your gamma", atol=1e-8, given=given)
        close(student.cond_ot_energy(e), expected, "cond_ot_energy(e)", atol=1e-8, given=given)


@picture
def spectra(student, rng, figure):
    axes = figure.add_subplot()
    theta = np.linspace(0, np.pi / 2, 300)
    laws = {
        "all equal": np.ones(4),
        "0.25 and 1.75": np.array([0.25, 1.75]),
        "three different": _eigenvalues(rng, 3),
        "one of four, others 0": np.array([0.0, 0, 0, 4]),
    }
    for label, e in laws.items():
        energy = student.cond_ot_energy(e)
        label = rf"{label}: $\mathcal{{E}} = {energy:.3f}$"
        axes.plot(theta, student.gamma(theta, e), label=label)
    axes.axhline(1, color="grey", lw=0.8, ls=":", label="one point")
    axes.set(xlabel=r"angle $\theta$ (rad)", ylabel=r"$\gamma(\theta)$ (1)")
    axes.legend(title="eigenvalues, energy of Cond-OT")
