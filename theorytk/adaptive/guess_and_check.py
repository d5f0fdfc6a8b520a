"""Guess-and-Check: any guesses at all, held to a width by a holdout that says little."""

from __future__ import annotations

import math

from scipy.special import gammaln, xlogy

from theorytk._validation import check_real
from theorytk.adaptive._arguments import check_probability
from theorytk.adaptive._optimise import Array
from theorytk.adaptive.mechanisms import BudgetExhaustedError, Mechanism, OneAtATime

__all__ = ["GuessAndCheck"]


class GuessAndCheck(OneAtATime):
    """Answer with the guess of another mechanism if the rest of the sample does not object.

    The guess comes from the first part of the sample. If the points that are left cannot rule out
    that it is wrong by more than tau, the answer is their own mean on a grid, and later guesses
    are tested at a smaller level: this is the only way in which their values get out. With
    probability 1 - beta all answers are within tau of the population's means, or within their
    `widths` if these grow.

    Parameters
    ----------
    tau : float
        The width, in (0, 1).
    beta : float
        Failure probability, in (0, 1).
    guess : Mechanism
        What guesses, whatever its quality.
    check_fraction : float
        Part of the sample that checks, in (0, 1).
    growth : float, optional
        Factor > 1 by which the width grows when a failure cannot be answered to within it, as often
        as needed. If not given, the width stays at tau and the mechanism stops instead.

    Attributes
    ----------
    n_failures : int
        Guesses that were replaced.
    widths : list of float
        The width of each answer: all are tau without growth.

    References
    ----------
    Rogers et al. (AISTATS 2020), Section 3; growing widths are an option of its published code.
    Derived here: histories are counted exactly, with the
    middles of ceil(1 / gamma) cells as grid; and a guess is tested against an error on either side
    by the Chernoff bound. The published code tests only the side of the holdout's mean, which is
    not always the one that is closer in relative entropy.

    Examples
    --------
    >>> from theorytk.adaptive.noise_addition import GaussianMechanism
    >>> import numpy as np
    >>> sample = np.linspace(0, 1, 2000)[np.random.default_rng(0).permutation(2000)]
    >>> mechanism = GuessAndCheck(0.1, 0.05, GaussianMechanism(0.01)).attach(sample, rng=0)
    >>> abs(mechanism.answer(lambda points: points) - 0.5) < 0.05, mechanism.n_failures
    (True, 0)
    """

    def __init__(
        self,
        tau: float,
        beta: float,
        guess: Mechanism,
        check_fraction: float = 0.5,
        growth: float | None = None,
    ) -> None:
        self.tau = check_probability("tau", tau)
        self.beta = check_probability("beta", beta)
        if not isinstance(guess, Mechanism):
            raise TypeError(f"guess must be a Mechanism; got {type(guess).__name__}")
        self.guess = guess
        self.check_fraction = check_probability("check_fraction", check_fraction)
        self.growth = (
            None if growth is None else check_real("growth", growth, lower=1.0, lower_open=True)
        )

    @property
    def budget_left(self) -> int | None:
        """None while the mechanism answers, 0 when it has stopped."""
        return 0 if self._stopped else None

    def _start(self) -> None:
        super()._start()
        n = len(self._points)
        self._check_rows = round(n * self.check_fraction)
        if not 0 < self._check_rows < n:
            raise ValueError(
                f"check_fraction must leave points on both sides of n = {n}; "
                f"got {self.check_fraction}"
            )
        self.guess.attach(self._points[: n - self._check_rows], rng=self._rng.spawn(1)[0])
        self.n_failures = 0
        self.widths: list[float] = []
        self._width = self.tau
        self._log_grids = 0.0
        self._stopped = False

    def _answer(self, values: Array) -> float:
        rows = len(values) - self._check_rows
        guess = self.guess.answer(values[:rows])
        holdout = float(values[rows:].mean())
        self.privacy = self.privacy.pure(math.inf)
        needed = self._log_two_over_beta()
        answer = guess
        if not self._is_accepted(guess, holdout, needed):
            cells = math.ceil(1 / self._grid(math.sqrt(needed / (2 * self._check_rows))))
            self.n_failures += 1
            self._log_grids += math.log(cells)
            answer = (min(math.floor(holdout * cells), cells - 1) + 0.5) / cells
        self.widths.append(self._width)
        return answer

    def _grid(self, error: float) -> float:
        """Return what the holdout's error leaves of the width, which grows if that is nothing."""
        while error >= self._width:
            if self.growth is None:
                self._stopped = True
                raise BudgetExhaustedError(
                    "GuessAndCheck cannot answer a failure to within tau any more"
                )
            self._width *= self.growth
        return self._width - error

    def _is_accepted(self, guess: float, holdout: float, needed: float) -> bool:
        """Return whether the holdout rules out, at this level, too large an error on any side."""
        low, high = guess - self._width, guess + self._width
        return (low <= 0 or (holdout > low and self._evidence(holdout, low) >= needed)) and (
            high >= 1 or (holdout < high and self._evidence(holdout, high) >= needed)
        )

    def _evidence(self, mean: float, limit: float) -> float:
        """Return n kl(mean || limit): means as far away have probability exp(-it) at most."""
        with_ones = xlogy(mean, mean) - xlogy(mean, limit)
        with_zeros = xlogy(1 - mean, 1 - mean) - xlogy(1 - mean, 1 - limit)
        return float(self._check_rows * (with_ones + with_zeros))

    def _log_two_over_beta(self) -> float:
        """Return ln(2 / beta_j), where the beta_j of all histories add up to beta."""
        j, f = self.n_answered, self.n_failures
        histories = gammaln(j + 1) - gammaln(f + 1) - gammaln(j - f + 1) + self._log_grids
        share = 2 * math.log(6 / math.pi**2) - 2 * math.log((j + 1) * (f + 1))
        return float(math.log(2 / self.beta) + histories - share)
