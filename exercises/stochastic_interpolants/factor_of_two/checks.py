"""Checks against moments by a solver, and with diffusions that the library solves."""

import numpy as np
from scipy.integrate import quad, solve_ivp

from theorytk.classroom import check, close, number, picture, same, true

PAPER = "albergo2023"
QUESTION = "Prove the inequality that is true, from the lemma. Where does the factor 2 come from?"


def _kl(A, epsilon):
    """Return the divergence from the moments of the linear equation, by a solver."""

    def speed(t, y):
        push = A * np.exp(-epsilon * (1 - t))
        return [-epsilon * y[0] + push, -2 * epsilon * y[1] + 2 * epsilon]

    m, v = solve_ivp(speed, (0, 1), [0.0, 1.0], method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
    return (np.log(v) + (1 + m**2) / v - 1) / 2


def _losses(A, epsilon):
    square = quad(lambda t: (A / 2 * np.exp(-epsilon * (1 - t))) ** 2, 0, 1, epsabs=1e-13)[0]
    return square / 2, square / epsilon**2 / 2


def _instances(rng):
    for _ in range(5):
        A, epsilon = rng.uniform(0.3, 3), np.exp(rng.uniform(np.log(0.1), np.log(5)))
        yield A, epsilon, f"A = {A:.3g} and epsilon = {epsilon:.3g}"


@check(points=2)
def losses(student, rng):
    """The excess losses of the example.

    The errors do not depend on x. Do not forget the half, and do not count it twice.
    """
    for A, epsilon, given in _instances(rng):
        pair = student.excess_losses(A, epsilon)
        true(isinstance(pair, tuple) and len(pair) == 2, "excess_losses must return two numbers")
        expected = _losses(A, epsilon)
        close(pair[0], expected[0], "the excess loss of b", rtol=1e-8, given=given)
        close(pair[1], expected[1], "the excess loss of s", rtol=1e-8, given=given)


@check(points=2)
def divergence(student, rng):
    """The divergence of the example.

    Write the equation of the mean; its drift is linear in x. Does the variance change?
    """
    for A, epsilon, given in _instances(rng):
        close(student.kl(A, epsilon), _kl(A, epsilon), "kl(A, epsilon)", rtol=1e-6, given=given)


@check(points=1)
def bounds(student, rng):
    """Both bounds, and from where on the smaller is exceeded.

    Divide the divergence by the bound: the amplitude A cancels.
    """
    for _ in range(5):
        b, s, epsilon = np.exp(rng.uniform(-2, 2, 3))
        found = student.bound_a(b, s, epsilon)
        close(found, (b / epsilon + epsilon * s) / 2, "bound_a", rtol=1e-12)
        close(student.bound_b(b, s, epsilon), b / epsilon + epsilon * s, "bound_b", rtol=1e-12)
    start = number(student.exceeded_from(), "exceeded_from()")
    true(start > 0, "exceeded_from() is not positive")
    for factor, exceeded in ((0.9999, False), (1.0001, True)):
        b, s = _losses(1.0, factor * start)
        found = _kl(1.0, factor * start) > (b / start / factor + factor * start * s) / 2
        true(found == exceeded, "the smaller bound is not exceeded from your epsilon on")


@check(points=3)
def decision(student, rng):
    """Your decision, tried on diffusions that are solved numerically.

    If an example exceeds a bound, then the bound is no theorem. The other follows from the lemma,
    if you split the square of a sum into two squares.
    """
    import theorytk as tk
    from theorytk.paths.smoothness import mean_square

    said = student.theorem()
    true(isinstance(said, str) and said in ("A", "B"), 'theorem() must return "A" or "B"')
    bound = {"A": student.bound_a, "B": student.bound_b}[said]
    grid = np.linspace(-10.5, 10.5, 351)

    def limit(flow, errors, epsilon):
        losses = [
            mean_square(flow, lambda t, x, k=k: errors(t, x)[k] + 0 * x, grid, n_nodes=8) / 2
            for k in (0, 1)
        ]
        return number(bound(*losses, epsilon), "your bound")

    true(number(bound(1.0, 2.0, 3.0), "your bound") > 0, "your bound is not positive")
    # That claim counts divergences above any bound; the one by losses names its bound already.
    claim = "stochastic-interpolants/likelihood-by-drift"
    ledger = tk.check(claim, limit, example="tight", seed=int(rng.integers(2**31)))
    verdict = str(ledger.results[0].verdict)
    true(verdict == "not_refuted", f"the library finds examples above your bound: {verdict}")
    same(said, "B", "theorem()")


@picture
def ratios(student, rng, figure):
    axes = figure.add_subplot()
    epsilon = np.geomspace(0.05, 5, 60)
    for name, bound in (("(A)", student.bound_a), ("(B)", student.bound_b)):
        ratio = [
            number(student.kl(1.0, e), "kl")
            / number(bound(*student.excess_losses(1.0, e), e), "bound")
            for e in epsilon
        ]
        axes.semilogx(epsilon, ratio, label=f"KL over the bound {name}")
    axes.axhline(1, color="k", lw=0.5)
    axes.axvline(number(student.exceeded_from(), "exceeded_from()"), color="k", ls=":", lw=1)
    axes.set(xlabel=r"diffusion coefficient $\epsilon$ (1)", ylabel="ratio (1)")
    axes.legend()
