"""Checks against steps that are taken, and decisions that are known from how data were made."""

import numpy as np

from theorytk.classroom import Wrong, check, close, picture, same

PAPER = "xiong2024"
QUESTION = (
    "If every $A_i$ is symmetric, which $k \\times k$ matrix do the flows of $P$ and $N$ conserve, "
    "and why does nothing drive the skew part of $F G^\\top$ to zero?"
)


def _symmetric(A):
    return (A + A.transpose(0, 2, 1)) / 2


def _kinds(n, rng):
    """Return measurements of every kind, and whether independent factors help."""
    m = 4 * n * n
    plain = rng.standard_normal((m, n, n))
    symmetric, skew = _symmetric(plain), plain - _symmetric(plain)
    a, b = rng.standard_normal((2, m, n))
    half = np.arange(m) % 2 == 0
    few = np.arange(m) < n // 2
    one_direction = rng.standard_normal((m, 1, 1)) * skew[0]
    entries = np.zeros((m, n, n))
    entries[np.arange(m), *rng.integers(0, n, (2, m))] = n / np.sqrt(2)
    kinds = {
        "Gaussian": (plain, True),
        "products a b^T": (a[:, :, None] * b[:, None, :], True),
        "small skew parts": (symmetric + 0.3 * skew, True),
        "half symmetric, half skew": (np.where(half[:, None, None], symmetric, skew), True),
        "Gaussian, rescaled": (1e-3 * plain, True),
        "symmetric": (symmetric, False),
        "products a a^T": (a[:, :, None] * a[:, None, :], False),
        "symmetric up to rounding": (symmetric * (1 + 1e-9 * plain), False),
        "single entries, made symmetric": (entries + entries.transpose(0, 2, 1), False),
        "few that are not symmetric": (np.where(few[:, None, None], plain, symmetric), False),
        "one skew direction": (symmetric + one_direction, False),
        "only one triangle measured": (np.tril(plain), False),
    }
    return [(name, A, helps) for name, (A, helps) in kinds.items()]


def _measured(A, rng):
    u = rng.standard_normal(A.shape[1])
    return np.tensordot(A, np.outer(u, u) / (u @ u), 2) / np.sqrt(len(A))


@check(points=2)
def sum_and_difference(student, rng):
    """One step in the coordinates P and N.

    Take the step in F and G, and add and subtract; then put the symmetric part of R here and the
    skew part there.
    """
    for step_size in rng.uniform(0.05, 0.5, 4):
        n, k = int(rng.integers(3, 7)), int(rng.integers(1, 4))
        R, P, N = rng.standard_normal((n, n)), *rng.standard_normal((2, n, k))
        F, G = P + N, P - N
        F, G = F - step_size * R @ G, G - step_size * R.T @ F
        found = student.split_step(R, P, N, step_size)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("split_step must return a pair: the new P and the new N")
        given = f"n = {n}, k = {k}, step_size = {step_size:.3g}"
        close(found[0], (F + G) / 2, "the new P", atol=1e-12, given=given)
        close(found[1], (F - G) / 2, "the new N", atol=1e-12, given=given)


@check(points=1)
def plain_cases(student, rng):
    """The decision for Gaussian matrices, symmetric and not.

    Run `descend` on both and look.
    """
    kinds = {name: (A, helps) for name, A, helps in _kinds(6, rng)}
    for name in ("Gaussian", "symmetric"):
        A, helps = kinds[name]
        same(student.helps(A, _measured(A, rng)), helps, "helps(A, y)", given=f"{name} A_i")


@check(points=4)
def hidden_cases(student, rng):
    """The right decision for each of 20 data sets.

    A step is blind to some part of the error. Which part must the measurements see for descent to
    remove it, and do they see all of it?
    """
    more = _kinds(7, rng)
    cases = [*_kinds(5, rng), *(more[i] for i in rng.permutation(len(more))[:8])]
    wrong = []
    for i in rng.permutation(len(cases)):
        name, A, helps = cases[i]
        try:
            same(student.helps(A, _measured(A, rng)), helps, "helps(A, y)")
        except Wrong:
            wrong.append(name)
    if wrong:
        raise Wrong(f"{len(wrong)} of 20 decisions are wrong, one of them for A_i: {wrong[0]}")


@picture
def both_parts(student, rng, figure):
    axes = figure.subplots(1, 2, sharey=True)
    M = np.outer(u := rng.standard_normal(6), u) / (u @ u)
    P0, N0 = 0.3 * rng.standard_normal((2, 6, 3)) / np.sqrt(6) * np.array([1, 0.5])[:, None, None]
    for ax, (name, A, _) in zip(axes, (_kinds(6, rng)[0], _kinds(6, rng)[5]), strict=True):
        rows = A.reshape(len(A), -1)
        gram = rows.T @ rows / len(A)
        P, N, parts, t = P0, N0, [], sorted(set(np.geomspace(1, 2000, 80).astype(int).tolist()))
        for i in range(t[-1] + 1):
            E = (P + N) @ (P - N).T - M
            if i in t:
                parts.append((np.linalg.norm(E + E.T) / 2, np.linalg.norm(E - E.T) / 2))
            P, N = student.split_step((gram @ E.ravel()).reshape(6, 6), P, N, 0.3)
        for part, label in zip(np.transpose(parts), ("symmetric part", "skew part"), strict=True):
            ax.loglog(t, part, label=label)
        ax.set(title=f"{name} $A_i$", xlabel="iteration (1)", ylim=(1e-8, 3))
    axes[0].set(ylabel="norm of the error (1)")
    axes[0].legend()
