"""Models: a function of (x, t) and what it predicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from theorytk._validation import check_choice
from theorytk.diffusion.schedules import NoiseSchedule

__all__ = ["OUTPUTS", "PREDICTIONS", "Model", "conversion"]

OUTPUTS = ("noise", "data")
PREDICTIONS = ("noise", "data", "velocity", "score")


@dataclass(frozen=True)
class Model:
    """A function of (x, t) together with what it predicts.

    Parameters
    ----------
    function : callable
        Takes the states x, shape (n, *event), and the time t (a float); returns an array of x's
        shape. It must not write to x.
    predicts : {"noise", "data", "velocity", "score"}
        The noise eps, the clean data x_0, the velocity v = alpha eps - sigma x_0 or the score,
        -eps / sigma.
    schedule : NoiseSchedule, optional
        The schedule that the model was made for; a plan for another one is then refused.

    References
    ----------
    Salimans and Ho (2022), *Progressive distillation*, section 4 and appendix D, for the velocity;
    its inversion for alpha^2 + sigma^2 != 1 is derived here.

    Examples
    --------
    >>> from theorytk.diffusion.schedules import EDM
    >>> shrink = Model(lambda x, t: x / (1 + t**2), "data", EDM())
    >>> shrink(2.0, 1.0)
    1.0
    >>> shrink.predict("noise", 2.0, 1.0)
    1.0
    """

    function: Callable[[Any, float], Any]
    predicts: str = "noise"
    schedule: NoiseSchedule | None = None

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"function must be a function of (x, t); got {self.function!r}")
        check_choice("predicts", self.predicts, PREDICTIONS)
        if self.schedule is not None and not isinstance(self.schedule, NoiseSchedule):
            raise TypeError(f"schedule must be a NoiseSchedule or None; got {self.schedule!r}")

    def __call__(self, x: Any, t: float) -> Any:
        """Return the function's value, as it is."""
        return self.function(x, t)

    def predict(self, output: str, x: Any, t: float) -> Any:
        """Return the prediction of the ``"noise"`` or of the ``"data"`` at states x and time t."""
        if self.schedule is None:
            raise ValueError("predict needs a model with a schedule; this one has None")
        alpha, sigma = float(self.schedule.alpha(t)), float(self.schedule.sigma(t))
        of_x, of_value = conversion(self.predicts, output, alpha, sigma)
        value = self.function(x, t)
        return of_value * value if of_x == 0 else of_x * x + of_value * value


def conversion(predicts: str, output: str, alpha: float, sigma: float) -> tuple[float, float]:
    """Return (a, b) such that the wanted output is a x + b (what the model predicts).

    Parameters
    ----------
    predicts : {"noise", "data", "velocity", "score"}
        What the model predicts.
    output : {"noise", "data"}
        What is wanted.
    alpha, sigma : float
        The coefficients of the forward law at the time, > 0.

    Returns
    -------
    tuple of float
        The coefficients a and b.

    Raises
    ------
    ValueError
        For another name, or if alpha or sigma is not positive.

    Examples
    --------
    >>> conversion("score", "noise", 0.6, 0.8)
    (0.0, -0.8)
    """
    check_choice("predicts", predicts, PREDICTIONS)
    check_choice("output", output, OUTPUTS)
    if predicts == output:
        return 0.0, 1.0
    if not (alpha > 0 and sigma > 0):
        raise ValueError(
            f"{predicts} cannot be turned into {output} at alpha = {alpha:g}, sigma = {sigma:g}"
        )
    if predicts == "velocity":
        norm = alpha**2 + sigma**2
        return (sigma / norm, alpha / norm) if output == "noise" else (alpha / norm, -sigma / norm)
    if predicts == "score":
        return (0.0, -sigma) if output == "noise" else (1 / alpha, sigma**2 / alpha)
    return (1 / alpha, -sigma / alpha) if output == "data" else (1 / sigma, -alpha / sigma)
