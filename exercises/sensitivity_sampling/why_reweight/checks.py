"""Checks of the law of the weights, of their mean, and of the student's own test."""

import numpy as np
from scipy.stats import chi2

from theorytk.classroom import array, check, picture, true

PAPER = "woodruff2023"
QUESTION = (
    "The second wrong sampler is right for one p. For which, and why was it believed for all?"
)
DRAWS = 4000
SURE = 5.5  # standard errors; the normal law exceeds it with probability 4e-8


def _independent(scores, p, alpha, rng):
    q = np.minimum(1, alpha * scores)
    return (rng.random(len(q)) < q) / q


def _with_replacement(scores, p, alpha, rng):
    """An unbiased sampler of another law."""
    m, pi = max(1, round(np.minimum(1, alpha * scores).sum())), scores / scores.sum()
    return np.bincount(rng.choice(len(pi), m, p=pi), minlength=len(pi)) / (m * pi)


def _unweighted(scores, p, alpha, rng):
    return (_independent(scores, p, alpha, rng) > 0) * 1.0


def _square_root(scores, p, alpha, rng):
    q = np.minimum(1, alpha * scores)
    return (rng.random(len(q)) < q) * q ** (-p / 2)


def _without_replacement(scores, p, alpha, rng):
    m, pi = max(1, round(np.minimum(1, alpha * scores).sum())), scores / scores.sum()
    omega = np.zeros(len(pi))
    kept = rng.choice(len(pi), m, replace=False, p=pi)
    omega[kept] = 1 / (m * pi[kept])
    return omega


def _data(rng):
    """Return scores and powers of 25 rows; 8 are heavy, in the direction x more than others are."""
    scores = np.r_[rng.uniform(0.3, 0.4, 8), rng.uniform(0.02, 0.05, 17)]
    return scores, scores * np.r_[rng.uniform(0.8, 1.2, 8), rng.uniform(0, 0.2, 17)]


def _draws(student, scores, p, alpha, rng):
    """Return the weights of many draws, the first of which is checked for its shape and signs."""
    first = array(student.sample(scores.copy(), p, alpha, rng), "sample(...)", (len(scores),))
    true((first >= 0).all(), "sample(...) returned a negative weight")
    rest = [student.sample(scores.copy(), p, alpha, rng) for _ in range(DRAWS - 1)]
    return array([first, *rest], "a draw of sample(...)", shape=(DRAWS, len(scores)))


@check(points=2)
def weights(student, rng):
    """The two values of each weight, and how often each row is kept.

    A row is in the sample with probability q; which value must its weight have then, for the mean
    to be 1? Some rows here have q = 1.
    """
    scores = np.r_[rng.uniform(0.01, 0.2, 20), rng.uniform(0.6, 1, 4)]
    p, alpha = rng.choice([1.5, 3.0]), 3.0
    omega = _draws(student, scores, p, alpha, rng)
    q = np.minimum(1, alpha * scores)
    wrong = (omega > 0) & (np.abs(omega * q - 1) > 1e-9)
    if wrong.any():
        k, i = np.argwhere(wrong)[0]
        where = f"p = {p:g} and q = {q[i]:.3f}"
        true(False, f"the weight of a kept row is wrong for {where}: it is {omega[k, i]:.6g}")
    share = (omega > 0).mean(axis=0)
    off = np.abs(share - q) > SURE * np.sqrt(q * (1 - q) / DRAWS) + 4 / DRAWS
    true(not off.any(), "the share of draws that keep a row is not its probability q")


@check(points=1)
def independence(student, rng):
    """Rows are kept independently of each other.

    One random number for all rows, or a sample of a fixed size, gives another variance of the
    number of kept rows.
    """
    scores = rng.uniform(0.1, 0.4, 30)
    kept = (_draws(student, scores, 1.0, 1.5, rng) > 0).sum(axis=1)
    q = 1.5 * scores
    ratio = kept.var(ddof=1) / np.sum(q * (1 - q))
    low, high = chi2.ppf([1e-9, 1 - 1e-9], DRAWS - 1) / (DRAWS - 1)
    message = "the number of kept rows varies too {} from draw to draw for independent rows"
    true(ratio >= low, message.format("little"))
    true(ratio <= high, message.format("much"))


@check(points=1)
def mean(student, rng):
    """The mean of 4000 draws at a fixed x, and the theorem of the library with your sampler.

    Compute the mean of omega_i, a random variable with two values, from q and the weight.
    """
    import theorytk as tk

    scores, powers = _data(rng)
    for p in (1.0, 3.0):
        sums = _draws(student, scores, p, 2.0, rng) @ powers
        z = (sums.mean() - powers.sum()) / (sums.std(ddof=1) / np.sqrt(DRAWS) + 1e-12)
        true(abs(z) < SURE, f"the mean is {z:+.3g} standard errors off for p = {p:g}")
    ledger = tk.check(
        "sensitivity-sampling/unbiased", student.sample, seed=int(rng.integers(2**31))
    )
    verdict = str(ledger.results[0].verdict)
    true(verdict == "supported", f"with your sampler the library finds its theorem {verdict}")


def _ask(student, sampler, p, rng):
    scores, powers = _data(rng)
    said = student.looks_unbiased(sampler, scores, p, 2.0, powers, rng)
    true(isinstance(said, bool | np.bool_), "looks_unbiased(...) must return True or False")
    return said


@check(points=2)
def accepts(student, rng):
    """Your test accepts unbiased samplers, each time.

    Compare the mean with its own standard error, and let the limit follow from the probability of
    a false alarm that is allowed, for the normal law on both sides.
    """
    for sampler, law in ((_independent, "independent rows"), (_with_replacement, "replacement")):
        for p in (1.0, 2.0, 3.0):
            message = f"your test refuses an unbiased sampler ({law}, p = {p:g})"
            true(_ask(student, sampler, p, rng), message)
    true(_ask(student, _square_root, 2.0, rng), "your test refuses q^(-1/2) at p = 2")


@check(points=3)
def refuses_wrong_samplers(student, rng):
    """Your test refuses the three wrong samplers.

    The standard error of a mean is smaller than the standard deviation of a draw. By how much?
    """
    wrong = (
        (_unweighted, "that leaves rows as they are"),
        (_square_root, "that multiplies rows by q^(-1/2)"),
        (_without_replacement, "without replacement"),
    )
    for sampler, which in wrong:
        for p in (1.0, 3.0):
            message = f"your test accepts the sampler {which} at p = {p:g}"
            true(not _ask(student, sampler, p, rng), message)


@picture
def running_means(student, rng, figure):
    axes = figure.add_subplot()
    scores, powers = _data(rng)
    samplers = {
        "yours": student.sample,
        "rows as they are": _unweighted,
        "rows times $q^{-1/2}$": _square_root,
        "without replacement": _without_replacement,
    }
    draws = np.arange(1, 3001)
    for label, sampler in samplers.items():
        omega = array([sampler(scores, 1.0, 2.0, rng) for _ in draws], "a draw of sample(...)")
        axes.semilogx(draws, np.cumsum(omega @ powers) / draws / powers.sum(), label=label)
    axes.axhline(1, color="k", lw=0.5)
    axes.set(xlabel="draws (1)", ylabel=r"running mean of $\|SAx\|_1 / \|Ax\|_1$ (1)")
    axes.legend()
