"""Checks by enumeration of all neighbours of small data sets, and by densities."""

import numpy as np
from scipy.stats import laplace

from theorytk.classroom import check, close, number, picture, refuses, true

PAPER = "backurs2024similarities"
QUESTION = "Why can both relations be sensible, and which number may be published under each?"
RELATIONS = ("add_remove", "replace")


def _neighbours(values, k, relation):
    """Yield the histograms of all neighbours of a data set of values 0..k-1."""
    for i in range(len(values)):
        rest = np.delete(values, i)
        if relation == "add_remove":
            yield np.bincount(rest, minlength=k)
        for other in range(k):
            kept = values if relation == "add_remove" else rest
            yield np.bincount(np.append(kept, other), minlength=k)


def _largest(values, k, scale, relation):
    here = np.bincount(values, minlength=k)
    changes = [np.abs(here - there).sum() for there in _neighbours(values, k, relation)]
    return max(changes) / scale


@check(points=2)
def loss(student, rng):
    """The loss between two histograms, against densities at many outputs.

    Where is the ratio of two Laplace densities largest, for one count? And for independent counts?
    """
    for _ in range(5):
        h, other = rng.integers(0, 6, (2, 4))
        scale = rng.uniform(0.5, 3.0)
        corners = np.array(np.meshgrid(*[[-20, 30]] * 4)).reshape(4, -1).T
        ratio = laplace.logpdf(corners, h, scale) - laplace.logpdf(corners, other, scale)
        found = student.privacy_loss(h, other, scale)
        expected = np.abs(ratio.sum(axis=1)).max()
        close(found, expected, "privacy_loss(h, h_other, scale)", rtol=1e-9, given=f"h = {h}")


@check(points=2)
def scale(student, rng):
    """The scale: the worst of all neighbours of small data sets loses exactly epsilon.

    List the neighbours of the data set {0, 1} with two bins. How many counts change, by how much?
    """
    for relation in RELATIONS:
        epsilon, k = rng.uniform(0.2, 2.0), int(rng.integers(2, 5))
        values = rng.integers(0, k, 6)
        b = number(student.laplace_scale(epsilon, relation), "laplace_scale(epsilon, relation)")
        true(b > 0, f"laplace_scale(epsilon, {relation!r}) is not positive: it is {b:.6g}")
        spent = _largest(values, k, b, relation)
        name = "the loss of the worst neighbours with your scale"
        close(spent, epsilon, name, atol=1e-9, given=f"relation = {relation!r}")


@check(points=2)
def largest(student, rng):
    """The largest loss, also with noise that was computed for the other relation.

    A replacement is a removal and an addition.
    """
    for noise_for in RELATIONS:
        for relation in RELATIONS:
            epsilon = rng.uniform(0.2, 2.0)
            b = {"add_remove": 1, "replace": 2}[noise_for] / epsilon
            expected = _largest(rng.integers(0, 3, 6), 3, b, relation)
            given = f"scale = {b:.3g}, relation = {relation!r}"
            found = student.largest_loss(b, relation)
            close(found, expected, "largest_loss(scale, relation)", atol=1e-9, given=given)


@check(points=1)
def names(student, rng):
    """Other relations are refused.

    Raise a ValueError that names what came.
    """
    refuses(lambda: student.laplace_scale(1.0, "swap"), "laplace_scale(1.0, 'swap')")
    refuses(lambda: student.largest_loss(1.0, "swap"), "largest_loss(1.0, 'swap')")


@picture
def losses(student, rng, figure):
    axes = figure.add_subplot()
    scales = np.linspace(0.5, 4, 50)
    for relation in RELATIONS:
        axes.plot(scales, [student.largest_loss(b, relation) for b in scales], label=relation)
    axes.axhline(1.0, color="0.6", linewidth=0.8)
    marks = [student.laplace_scale(1.0, relation) for relation in RELATIONS]
    axes.plot(marks, [1, 1], "ko", label=r"scale for $\varepsilon = 1$")
    axes.set(xlabel="scale of the noise $b$ (1)", ylabel="largest privacy loss (1)")
    axes.legend()
