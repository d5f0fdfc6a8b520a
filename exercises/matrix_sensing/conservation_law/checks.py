"""Checks by steps that are taken, with random measurements, and the claim of the library."""

import numpy as np

import theorytk as tk
from theorytk.classroom import Wrong, array, check, close, picture, same

PAPER = "xiong2024"
QUESTION = "Why does the gradient flow conserve $F^\\top F - G^\\top G$, whatever is measured?"


def _problem(rng, square=False):
    """Return factors and the function that returns R, with fewer measurements than entries."""
    n1, n2, k, m = rng.integers(4, 8), rng.integers(8, 11), rng.integers(2, 4), 30
    n2 = n1 if square else n2
    A = rng.standard_normal((m, n1, n2))
    M = np.outer(rng.standard_normal(n1), rng.standard_normal(n2)) / np.sqrt(n1 * n2)
    F, G = (rng.standard_normal((n, k)) / np.sqrt(n) for n in (n1, n2))

    def residual(F, G):
        measured = np.einsum("aij,ij->a", A, F @ G.T - M)
        return np.einsum("a,aij->ij", measured, A) / m

    return F, G, residual


def _change(F, G, F_next, G_next):
    return (F_next.T @ F_next - G_next.T @ G_next) - (F.T @ F - G.T @ G)


def _steps(F, G, residual, step_size):
    """Return both factors from the old values, and G from the new F."""
    R = residual(F, G)
    F_next = F - step_size * R @ G
    turns = G - step_size * residual(F_next, G).T @ F_next
    return R, F_next, G - step_size * R.T @ F, turns


@check(points=1)
def matrix(student, rng):
    """The imbalance.

    It is a matrix that compares the columns of the two factors, not a number.
    """
    F, G, _ = _problem(rng)
    close(student.imbalance(F, G), F.T @ F - G.T @ G, "imbalance(F, G)", atol=1e-12)


@check(points=3)
def identity(student, rng):
    """The change of the imbalance in one step, to 1e-12 and with random measurements.

    Multiply out F_+^T F_+ and G_+^T G_+. Which terms cancel, and which power of the step is left?
    """
    for step_size in rng.uniform(0.05, 0.3, 6):
        F, G, residual = _problem(rng)
        R, F_next, G_next, _ = _steps(F, G, residual, step_size)
        close(
            student.predicted_change(F, G, R, step_size),
            _change(F, G, F_next, G_next),
            "predicted_change(F, G, R, step_size)",
            atol=1e-12,
            given=f"F of shape {F.shape}, G of shape {G.shape}, step_size = {step_size:.3g}",
        )


@check(points=2)
def descent(student, rng):
    """The step of gradient descent, by itself and under the claim of the library.

    Which F does the gradient with respect to G belong to?
    """
    F, G, residual = _problem(rng)
    found = student.gradient_step(F, G, residual, 0.1)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("gradient_step must return a pair: the new F and the new G")
    _, F_next, G_next, _ = _steps(F, G, residual, 0.1)
    close(found[0], F_next, "the new F", atol=1e-12)
    array(found[1], "the new G", shape=G.shape)
    [result] = tk.check("matrix-sensing/imbalance-identity", algorithm=student.gradient_step)
    if str(result.verdict) != "supported":
        raise Wrong(
            "a run of your steps does not keep the identity of the imbalance "
            f"(claim {result.claim.id}: {result.verdict})"
        )
    close(found[1], G_next, "the new G", atol=1e-12)


@check(points=2)
def detector(student, rng):
    """Steps of descent are accepted, and steps taken in turns are found out.

    Compare the change that happened with the change that you predict; how small is rounding?
    """
    for i, step_size in enumerate(rng.uniform(0.01, 0.3, 12)):
        F, G, residual = _problem(rng, square=i % 2 == 0)
        R, F_next, G_next, turns = _steps(F, G, residual, step_size)
        given = f"step_size = {step_size:.3g}"
        same(
            student.violates(F, G, F_next, G_next, R, step_size),
            False,
            "violates(...)",
            given=f"a step of gradient descent, {given}",
        )
        same(
            student.violates(F, G, F_next, turns, R, step_size),
            True,
            "violates(...)",
            given=f"G updated with the new F, {given}",
        )


@picture
def drift(student, rng, figure):
    axes = figure.add_subplot()
    F0, G0, residual = _problem(rng)
    for step_size in (0.2, 0.05, 0.0125):
        F, G, t, norms, predicted = F0, G0, [], [], np.zeros((F0.shape[1],) * 2)
        start = student.imbalance(F, G)
        for i in range(1, round(10 / step_size) + 1):
            predicted = predicted + student.predicted_change(F, G, residual(F, G), step_size)
            F, G = student.gradient_step(F, G, residual, step_size)
            t.append(i * step_size)
            norms.append(
                (np.linalg.norm(student.imbalance(F, G) - start), np.linalg.norm(predicted))
            )
        taken, summed = np.transpose(norms)
        [line] = axes.semilogy(t, taken, label=rf"$\eta = {step_size}$")
        axes.semilogy(t, summed, "--", color=line.get_color(), lw=3, alpha=0.4)
    axes.plot([], [], "--", color="grey", label="sum of predicted changes")
    axes.set(xlabel=r"time $\eta t$ (1)", ylabel=r"$\Vert\Delta_t - \Delta_0\Vert_F$ (1)")
    axes.legend()
