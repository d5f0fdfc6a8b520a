"""Checks by the library's p-values and selection, by a recursion, and by simulation."""

from functools import partial

import numpy as np

from theorytk.classroom import Wrong, array, between, check, close, number, picture, quick, same
from theorytk.conformal import bh, conformal_pvalues

PAPER = "bai2024"
QUESTION = (
    "Derive your formula. Where does the derivation use that the models are useless, and where "
    "that they are independent of each other? Is the true rate above or below it, and why?"
)
N, M, Q = 199, 20, 0.1


def _curve(q, pi0, K):
    """Return the rate by adding one model after the other."""
    rate = 0.0
    for _ in range(K):
        rate += q / pi0 * (pi0 - rate)
    return rate


@check(points=3)
def choice(student, rng):
    """The model that selects most, and what it selects.

    Look at all models, and return the selection of the one that you name.
    """
    for K in (1, 2, 5, 8, 8, 8):
        n, m, q = int(rng.integers(20, 60)), int(rng.integers(3, 12)), 0.3
        cal, test = rng.standard_normal((K, n)), rng.standard_normal((K, m))
        cal[:, rng.random(n) < 0.5] = np.inf
        test -= rng.uniform(0, 3, (K, 1))
        found = student.best_selection(cal.copy(), test.copy(), q)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("best_selection must return a pair: an index and a selection")
        index, given = number(found[0], "the index"), f"K = {K}, n = {n} and m = {m}"
        selected = bh(conformal_pvalues(cal, test), q)
        sizes = selected.sum(axis=1)
        if index not in range(K):
            raise Wrong(f"the index is {index:g} for {given}")
        chosen = array(found[1], "the selection", shape=(m,))
        same(chosen, selected[int(index)], "the selection of the model that you name", given=given)
        if sizes[int(index)] < sizes.max():
            raise Wrong(f"another model selects more than the one that you name for {given}")


@check(points=2)
def law(student, rng):
    """The predicted curve.

    With one model it has to be q. What does one more model change if all others select nothing,
    and what if one of them selects something?
    """
    for _ in range(20):
        pi0 = float(rng.uniform(0.3, 1.0))
        q = float(rng.uniform(0.02, 0.9) * pi0)
        K = int(rng.integers(1, 60))
        given = f"q = {q:.3f}, pi0 = {pi0:.3f} and K = {K}"
        close(
            student.predicted_fdr(q, pi0, K),
            _curve(q, pi0, K),
            "predicted_fdr(q, pi0, K)",
            rtol=1e-10,
            given=given,
        )


def _near(student, rng, pi0, K):
    """Ask for a mean within 3 standard errors of the curve; four runs miss it in 1 of 10^9."""
    replicates = 300
    for _ in range(4):
        call = partial(student.simulate_fdp, K, N, M, Q, pi0, replicates, rng)
        fdp = array(quick(call, 4.0, "simulate_fdp"), "simulate_fdp(...)", shape=(replicates,))
        between(fdp.min(), 0, 1, "a false discovery proportion")
        between(fdp.max(), 0, 1, "a false discovery proportion")
        rate, error = _curve(Q, pi0, K), fdp.std() / np.sqrt(replicates)
        if error > 0 and abs(fdp.mean() - rate) <= 3 * error:
            return
    side = "above" if fdp.mean() > rate else "below"
    raise Wrong(
        f"the mean of simulate_fdp({K}, {N}, {M}, {Q}, {pi0:.2f}, ...) is {fdp.mean():.3g}, "
        f"{side} the law by more than 3 standard errors"
    )


@check(points=3)
def curve(student, rng):
    """Simulated rates are within three standard errors of the law.

    All models share the labels, which are drawn anew in each data set. Only nulls that are
    selected are false discoveries, and a data set without selections counts as 0.
    """
    for pi0 in (0.5, float(rng.uniform(0.6, 0.9))):
        for K in (1, 2, 4, 8, 16):
            _near(student, rng, pi0, K)


@check(points=2)
def number_of_models(student, rng):
    """The number of models that bring the rate to a share of its limit.

    What is the limit? Solve for K, and take care of the rounding.
    """
    for _ in range(12):
        pi0 = float(rng.uniform(0.3, 1.0))
        q, share = float(rng.uniform(0.02, 0.5) * pi0), float(rng.uniform(0.05, 0.99))
        least = next(K for K in range(1, 10_000) if _curve(q, pi0, K) >= share * pi0)
        given = f"q = {q:.3f}, pi0 = {pi0:.3f} and share = {share:.3f}"
        same(student.models_until(q, pi0, share), least, "models_until(...)", given=given)


@picture
def inflation(student, rng, figure):
    axes = figure.add_subplot()
    models = [1, 2, 4, 8, 16, 32]
    fine = range(1, 41)
    for pi0, colour in ((0.5, "C0"), (0.8, "C1")):
        runs = [student.simulate_fdp(K, N, M, Q, pi0, 100, rng) for K in models]
        error = 2 * np.std(runs, axis=1) / np.sqrt(100)
        label = rf"simulated, $\pi_0 = {pi0}$"
        axes.errorbar(models, np.mean(runs, axis=1), error, fmt="o", color=colour, label=label)
        law = [student.predicted_fdr(Q, pi0, K) for K in fine]
        axes.plot(fine, law, color=colour, label="predicted")
        axes.axhline(pi0, color=colour, lw=0.8, ls=":")
    axes.axhline(Q, color="black", lw=0.8, label="level $q$")
    axes.set(xlabel="models to choose from $K$ (1)", ylabel="false discovery rate (1)", ylim=(0, 1))
    axes.legend(ncols=2)
