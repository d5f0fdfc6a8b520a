"""Checks by samples, whose rank is computed, and by linear programs for the sensitivities."""

import numpy as np
from scipy.linalg import block_diag, hadamard
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import beta

from theorytk.classroom import Wrong, array, check, close, picture, true

PAPER = "woodruff2023"
QUESTION = (
    "Why does a stack of identities, 64 columns and 100 copies, break the sampler too, and why do "
    "leverage scores not repair that one?"
)
DRAWS = 50
LEVEL = 1e-6  # of the confidence limits: who meets the demand is refused less often than this


def _given(student):
    """Return the student's matrix and scores once they are what they should be."""
    pair = student.breaking_matrix()
    true(isinstance(pair, tuple) and len(pair) == 2, "breaking_matrix() must return two arrays")
    A = array(pair[0], "the matrix of breaking_matrix()", shape=(None, None))
    n, d = A.shape
    true(n <= 10_000, f"the matrix has {n} rows; at most 10000 are allowed")
    true(1 <= d <= 64, f"the matrix has {d} columns; 1 to 64 are allowed")
    true(n >= d, f"a matrix of {n} rows does not have {d} independent columns")
    Q, R = np.linalg.qr(A)
    true(np.linalg.matrix_rank(R) == d, "the columns of the matrix are not independent")
    scores = array(pair[1], "the sensitivities of breaking_matrix()", shape=(n,))
    bound = np.linalg.norm(Q, axis=1) * (1 + 1e-6)  # root leverage scores
    possible = (scores <= bound).all() and (np.sqrt(n) * scores >= bound - 1e-5).all()
    true(
        possible, "your sensitivities contradict the leverage scores: sqrt(tau/n) <= s <= sqrt(tau)"
    )
    return A, scores


def _sensitivity(A, i):
    """Return the sensitivity of a row by duality, in its own block of rows and columns."""
    pattern = csr_array(A != 0, dtype=float)
    _, block = connected_components(pattern.T @ pattern, directed=False)
    columns = np.flatnonzero(block == block[np.argmax(A[i] != 0)])
    B = A[:, columns]
    B, a = B[B.any(axis=1)], A[i, columns]
    n, d = B.shape
    equations = np.c_[B.T, -a]
    bounds = [(-1, 1)] * n + [(0, None)]
    found = linprog(np.r_[np.zeros(n), -1], A_eq=equations, b_eq=np.zeros(d), bounds=bounds)
    return 1 / found.x[-1]


def _losses(A, scores, rng):
    """Return in how many of the draws the kept rows have a lower rank than A."""
    q = np.minimum(1, 2 * scores)
    d = A.shape[1]
    kept = (A[rng.random(len(q)) < q] for _ in range(DRAWS))
    return sum(len(B) < d or np.linalg.matrix_rank(B) < d for B in kept)


def _upper(k):
    """Return the Clopper-Pearson upper limit of a probability, from k of the draws."""
    return 1.0 if k == DRAWS else beta.ppf(1 - LEVEL, k + 1, DRAWS - k)


def _instance(rng):
    """Return a matrix of a flat block and pairs of equal rows, and its sensitivities."""
    flat = hadamard(1024)[:, rng.choice(1024, 32, replace=False)].astype(float)
    A = block_diag(flat, np.repeat(np.eye(16), 2, axis=0) / 2)
    return A, np.r_[np.full(1024, _sensitivity(flat, 0)), np.full(32, 0.5)]


@check(points=2)
def sensitivities(student, rng):
    """The sensitivities that you return, at rows of different scores.

    In a block-diagonal matrix each block has scores of its own; rows that a symmetry of the block
    exchanges have one score; the scores of a column with m equal entries alone are 1/m.
    """
    A, scores = _given(student)
    _, first = np.unique(np.round(scores, 9), return_index=True)
    rows = np.r_[rng.permutation(first)[:3], rng.integers(len(A), size=2)]
    for i in rows:
        expected = _sensitivity(A, i) if A[i].any() else 0.0
        close(scores[i], expected, "a sensitivity", rtol=1e-6, atol=1e-12, given=f"row {i}")


@check(points=2)
def breaks(student, rng):
    """The sample loses rank, in nearly all of 50 draws.

    A block of rank k loses rank whenever fewer than k of its rows are kept. How many are kept in
    the mean, for sign rows of length k? Several blocks fail independently of each other.
    """
    A, scores = _given(student)
    k = _losses(A, scores, rng)
    true(_upper(k) >= 0.9, f"rank was lost in {k} of {DRAWS} draws only")


@check(points=1)
def insidious(student, rng):
    """The expected number of kept rows is at least the number of columns.

    Add columns whose rows are kept in any case, more of them than the columns need.
    """
    A, scores = _given(student)
    expected = np.minimum(1, 2 * scores).sum()
    message = f"{expected:.4g} rows are kept in the mean; the matrix has {A.shape[1]} columns"
    true(expected >= A.shape[1], message)


@check(points=3)
def repaired(student, rng):
    """The repaired scores keep the rank, on your matrix and on another, and are not too large.

    A block of rank k has leverage scores that sum to k, however flat it is. Which combination of
    two scores sums to the total sensitivity plus d?
    """
    try:
        cases = {"your matrix": _given(student)}
    except Wrong:
        cases = {}
    cases["the checker's matrix"] = _instance(rng)
    for which, (A, scores) in cases.items():
        found = student.repaired_scores(A.copy(), scores.copy())
        new = array(found, f"repaired_scores(...) for {which}", shape=(len(A),))
        true((new >= 0).all(), f"a repaired score of {which} is negative")
        limit = scores.sum() + A.shape[1] + 1e-6
        true(new.sum() <= limit, f"the repaired scores of {which} sum to more than S + d")
        k = _losses(A, new, rng)
        lower = beta.ppf(LEVEL, k, DRAWS - k + 1) if k else 0.0
        true(lower <= 0.1, f"with your scores {which} lost rank in {k} of {DRAWS} draws")


@picture
def lost_rank(student, rng, figure):
    axes = figure.add_subplot()
    A, scores = _given(student)
    new = array(student.repaired_scores(A.copy(), scores.copy()), "repaired_scores(...)")
    alphas = np.geomspace(0.5, 16, 11)
    for s, label in ((scores, "sensitivities"), (new, "repaired")):
        shares = []
        for alpha in alphas:
            lost = 0
            for _ in range(12):
                B = A[rng.random(len(s)) < np.minimum(1, alpha * s)]
                lost += len(B) < A.shape[1] or np.linalg.matrix_rank(B) < A.shape[1]
            shares.append(lost / 12)
        axes.semilogx(alphas, shares, "o-", label=label)
    axes.axvline(2, color="k", lw=0.5, label="the colleague")
    axes.set(xlabel=r"oversampling $\alpha$ (1)", ylabel="share of samples that lose rank (1)")
    axes.legend()
