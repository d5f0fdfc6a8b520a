"""Checks against linear programming and against what the definition says of changed matrices."""

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from theorytk.classroom import array, check, close, picture, true

PAPER = "woodruff2023"
QUESTION = (
    "Why is the score of a row unchanged by an invertible matrix T in A T, and what does that say "
    "of the units in which the columns are measured?"
)


def _by_programs(A):
    """Return the sensitivities by duality: 1 / max {s : A'u = s a_i, |u| <= 1}, one program."""
    n = len(A)
    equations = sp.hstack([sp.kron(sp.eye(n), A.T), -sp.block_diag(A[:, :, None])])
    bounds = [(-1, 1)] * (n * n) + [(0, None)] * n
    cost = np.r_[np.zeros(n * n), -np.ones(n)]
    found = linprog(cost, A_eq=equations.tocsr(), b_eq=np.zeros(2 * n), bounds=bounds)
    return 1 / found.x[-n:]


def _scores(student, A):
    return array(student.sens_l1_plane(A.copy()), "sens_l1_plane(A)", shape=(len(A),))


@check(points=1)
def three_rows(student, rng):
    """The three rows by hand.

    For a row, find the x that makes the other two terms of the sum small while its own term is 1.
    The leverage scores of a matrix of full rank sum to its number of columns.
    """
    pair = student.by_hand()
    true(isinstance(pair, tuple) and len(pair) == 2, "by_hand() must return two arrays")
    A = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    close(pair[0], _by_programs(A), "the first array of by_hand()", atol=1e-6)
    leverage = (np.linalg.qr(A)[0] ** 2).sum(axis=1)
    close(pair[1], leverage, "the second array of by_hand()", atol=1e-6)


@check(points=4)
def programs(student, rng):
    """Fifty random matrices of shape (30, 2), against linear programs.

    The norm has a kink where a term of the sum vanishes: which directions x are these?
    """
    for k in range(50):
        A = rng.standard_normal((30, 2)) if k % 2 else rng.standard_t(1.5, (30, 2))
        given = f"the random matrix number {k}"
        close(_scores(student, A), _by_programs(A), "sens_l1_plane(A)", atol=1e-9, given=given)


@check(points=2)
def invariances(student, rng):
    """Scores of changed matrices: other units, other bases, rows split, two blocks.

    Put the changed matrix into the definition and see what cancels.
    """
    n = int(rng.integers(8, 30))
    A = rng.standard_normal((n, 2))
    before = _scores(student, A)
    T = np.linalg.qr(rng.standard_normal((2, 2)))[0] * rng.uniform(0.1, 10, 2)
    close(_scores(student, A @ T), before, "the scores of A T", atol=1e-9, given="invertible T")
    scale = np.exp(rng.uniform(-9, 9))
    close(_scores(student, scale * A), before, "the scores of c A", atol=1e-9, given="a number c")
    k, i = int(rng.integers(2, 6)), int(rng.integers(n))
    split = _scores(student, np.vstack([np.delete(A, i, axis=0), np.tile(A[i] / k, (k, 1))]))
    close(split[:-k], np.delete(before, i), "the scores of the rows left whole", atol=1e-9)
    each = np.full(k, before[i] / k)
    close(split[-k:], each, "the scores of the pieces of a row", atol=1e-9, given=f"{k} pieces")
    a, b = np.abs(rng.standard_normal((2, 6))) + 0.1
    blocks = np.zeros((12, 2))
    blocks[:6, 0], blocks[6:, 1] = a, b
    expected = np.r_[a / a.sum(), b / b.sum()]
    close(_scores(student, blocks), expected, "the scores of two blocks", atol=1e-9)


@check(points=1)
def zero_and_parallel_rows(student, rng):
    """Rows of zeros, and rows that are multiples of others.

    A zero row has no direction orthogonal to it in particular. Rows k r and -r share theirs.
    """
    A = rng.standard_normal((12, 2))
    A[3:6] = A[:3] * rng.uniform(-3, 3, (3, 1))
    close(_scores(student, A), _by_programs(A), "sens_l1_plane(A)", atol=1e-9, given="parallels")
    holes = np.insert(A, [0, 7], 0.0, axis=0)
    expected = np.insert(_by_programs(A), [0, 7], 0.0)
    close(_scores(student, holes), expected, "sens_l1_plane(A)", atol=1e-9, given="two zero rows")


@picture
def strips(student, rng, figure):
    axes = figure.add_subplot()
    A = rng.standard_normal((5, 2)) * [1.5, 0.7]
    angle = np.linspace(0, 2 * np.pi, 2001)
    x = np.stack([np.cos(angle), np.sin(angle)])
    ball = x / np.abs(A @ x).sum(axis=0)
    axes.fill(*ball, color="0.85", label=r"$\|Ax\|_1 \leq 1$")
    reach = 1.3 * np.abs(ball).max()
    for i, (row, score) in enumerate(zip(A, _scores(student, A), strict=True)):
        along = np.array([-row[1], row[0]]) / np.linalg.norm(row)
        for sign in (1, -1):
            foot = sign * score * row / (row @ row)
            line = foot[:, None] + along[:, None] * np.array([-9, 9]) * reach
            label = rf"$|a_{i + 1}^\top x| = \sigma_{i + 1} = {score:.2f}$" if sign > 0 else None
            axes.plot(*line, color=f"C{i}", lw=1, label=label)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set(xlabel="$x_1$ (1)", ylabel="$x_2$ (1)")
    figure.legend(loc="outside right upper")
