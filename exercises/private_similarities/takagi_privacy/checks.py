"""Checks by hats summed one by one at dyadic points, and by the library's supremum."""

import numpy as np

from theorytk.classroom import array, check, close, number, picture, true
from theorytk.privacy import hat_loss_supremum

PAPER = "backurs2024similarities"
QUESTION = "Why is the worst point a multiple of $2^{-L}$, and why does it tend to 1/3 or 2/3?"


def _by_hats(x, rates):
    """Return the loss with every hat written out."""
    total = np.full(len(x), rates[0])
    for level in range(1, len(rates)):
        h = 2.0**-level
        centres = np.arange(1, 2**level, 2) * h
        hats = np.maximum(0, 1 - np.abs(x[:, None] - centres) / h)
        total += rates[level] * hats.sum(axis=1)
    return total


@check(points=1)
def losses(student, rng):
    """The loss at random points.

    One term for every level: on which level is a point that lies midway between two centres?
    """
    for levels in (1, 4, 7):
        rates, x = rng.uniform(0.1, 1.0, levels + 1), rng.random(20)
        found = student.loss(x, rates)
        close(found, _by_hats(x, rates), "loss(x, rates)", rtol=1e-10, given=f"L = {levels}")


@check(points=2)
def largest(student, rng):
    """The largest loss, for random rates and for Takagi's.

    The loss is piecewise linear in x. Where does a piecewise linear function take its maximum, and
    where are this one's knots?
    """
    for levels in (1, 3, 6, 10):
        rates = rng.uniform(0.1, 1.0, levels + 1)
        dyadic = np.arange(2**levels + 1) / 2**levels
        found = student.largest_loss(rates)
        expected = _by_hats(dyadic, rates).max()
        close(found, expected, "largest_loss(rates)", rtol=1e-10, given=f"{levels} levels")
    takagi = np.append(0.0, 2.0 ** -np.arange(1, 13))
    found = student.largest_loss(takagi)
    close(found, hat_loss_supremum(takagi), "largest_loss(rates)", rtol=1e-10, given="Takagi")


@check(points=2)
def budgets(student, rng):
    """The budget: its shape, and a largest loss of exactly epsilon.

    Scale the shape by its own largest loss.
    """
    for levels in (2, 6, 10):
        epsilon = rng.uniform(0.3, 3.0)
        name, given = "budget(levels, epsilon)", f"levels = {levels}, epsilon = {epsilon:.3g}"
        rates = array(student.budget(levels, epsilon), name, shape=(levels + 1,))
        true((rates > 0).all(), f"{name} has rates that are not positive for {given}")
        shape = rates[1:] / rates[0]
        close(shape, 4.0 ** (-np.arange(1, levels + 1) / 3), f"the shape of {name}", rtol=1e-9)
        spent = hat_loss_supremum(rates)
        close(spent, epsilon, f"the largest loss of {name}", rtol=1e-9, given=given)


@check(points=1)
def savings(student, rng):
    """The factor that is saved.

    Compare two scalings of the same shape.
    """
    for levels in (3, int(rng.integers(5, 13))):
        rates = 4.0 ** (-np.arange(levels + 1) / 3)
        expected = rates.sum() / hat_loss_supremum(rates)
        found = number(student.saving(levels), "saving(levels)")
        close(found, expected, "saving(levels)", rtol=1e-9, given=f"levels = {levels}")


@picture
def profile(student, rng, figure):
    axes = figure.add_subplot()
    x = np.linspace(0, 1, 2049)
    for levels in (2, 4, 11):
        rates = np.append(0.0, 2.0 ** -np.arange(1, levels + 1))
        axes.plot(x, student.loss(x, rates), label=f"{levels} levels")
        axes.axhline(student.largest_loss(rates), color="0.7", linewidth=0.8)
    axes.axvline(1 / 3, color="0.5", linestyle=":", linewidth=0.8)
    axes.set(xlabel="point $x$ (1)", ylabel=r"loss for $\varepsilon_\ell = 2^{-\ell}$ (1)")
    axes.legend()
