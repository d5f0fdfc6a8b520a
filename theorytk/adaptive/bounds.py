"""How wide, how many queries, how many points: a calculator for the published bounds and ours.

An analyst asks k queries with values in [0, 1] about n independent points, each chosen from the
answers before it. The width tau of a bound is such that, whoever asks,
P(max_j |a_j - q_j(P)| > tau) <= beta for the answers a_j of the mechanism that the bound is about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorytk._validation import check_choice, check_real
from theorytk.adaptive import _widths
from theorytk.adaptive._arguments import check_counts, check_probability
from theorytk.adaptive._optimise import Array

__all__ = ["BOUNDS", "Bound", "Width", "confidence_width", "max_queries", "samples_needed"]

LARGEST = 2**53  # counts are exact as floats up to here
PART = 512


@dataclass(frozen=True)
class Width:
    """A width and the parameters of the mechanism that has it.

    Attributes
    ----------
    value : float or ndarray
        The half-width tau in units of the queries' range; ``inf`` where there is no guarantee.
        Beyond 1 it is what the theorem gives, and says nothing.
    parameters : dict
        What the mechanism is to be run with (`sigma`, `scale`, `step`, `rows`), and the
        epsilon or delta in the bound; numbers or arrays like `value`.
    """

    value: Any
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Bound:
    """A bound of the calculator.

    Attributes
    ----------
    mechanism : str
        What gives the answers.
    source : str
        Whose theorem it is.
    constants : str
        Whose constants are used.
    options : tuple of str
        What `confidence_width` takes for it by name.
    width : callable
        ``width(n, k, beta, **options)`` on columns.
    """

    mechanism: str
    source: str
    constants: str
    options: tuple[str, ...]
    width: Callable[..., tuple[Array, dict[str, Array]]]


BOUNDS: dict[str, Bound] = {
    "split": Bound(
        "means of k disjoint parts",
        "Hoeffding's inequality and a union bound",
        "exact in the theorem",
        (),
        _widths.split,
    ),
    "split-binomial": Bound(
        "means of k disjoint parts, for queries with values 0 and 1 only",
        "the limits of Clopper and Pearson, at the worst P",
        "exact binomial tails",
        (),
        _widths.split_binomial,
    ),
    "description-length": Bound(
        "means rounded to multiples of a step",
        "HOLD, Theorem 9",
        "derived here: the histories of answers are counted exactly",
        ("step",),
        _widths.description_length,
    ),
    "dfhprr": Bound(
        "means with Gaussian noise",
        "DFHPRR, Theorem 10",
        "those of the code published for Jung et al.; the union over k in the noise is restored",
        ("sigma",),
        _widths.dfhprr,
    ),
    "dfhprr-pure": Bound(
        "means with Laplace noise",
        "DFHPRR, restated as HOLD, Theorem 6",
        "the paper's; the event is an error in any of k queries",
        ("scale",),
        _widths.dfhprr_pure,
    ),
    "nissim-stemmer": Bound(
        "means with Gaussian noise",
        "Nissim, Stemmer (2015), restated as HOLD, Theorem 8",
        "the paper's",
        ("sigma",),
        _widths.nissim_stemmer,
    ),
    "bns": Bound(
        "means with Gaussian noise",
        "BNS, the monitor argument",
        "c_delta = 6 as in the code published for Jung et al., 2 in that of Rogers et al.; "
        "3/2 suffices, derived here",
        ("sigma", "c_delta"),
        _widths.bns,
    ),
    "jung": Bound(
        "means with Gaussian noise",
        "Jung et al. (ITCS 2020)",
        "the paper's, c = d and delta = beta_sample as in its code",
        ("sigma",),
        _widths.jung,
    ),
    "mutual-information": Bound(
        "means with Gaussian noise",
        "Rogers et al. (AISTATS 2020), Theorem 2.1",
        "derived again here; noise_factor = 1/2 is the published curve, which is no bound",
        ("sigma", "noise_factor"),
        _widths.mutual_information,
    ),
    "tanh-zcdp": Bound(
        "means with Gaussian noise",
        "derived here: the tanh transfer theorem, privacy by zCDP",
        "derived here",
        ("sigma",),
        _widths.tanh_zcdp,
    ),
    "tanh-gdp": Bound(
        "means with Gaussian noise",
        "derived here: the tanh transfer theorem, privacy by the exact Gaussian curve",
        "derived here",
        ("sigma",),
        _widths.tanh_gdp,
    ),
    "laplace-pure": Bound(
        "means with Laplace noise",
        "derived here: the tanh transfer theorem, pure privacy",
        "derived here",
        ("scale",),
        _widths.laplace_pure,
    ),
}


def confidence_width(
    n: Any, k: Any, beta: float = 0.05, *, bound: str = "tanh-gdp", **options: float
) -> Width:
    """Return the width of k adaptive answers, least over what the mechanism leaves open.

    Parameters
    ----------
    n : array_like of int
        Points in the sample, >= 1.
    k : array_like of int
        Queries, >= 1; broadcast against `n`.
    beta : float
        Probability, in (0, 1), that some answer is off by more.
    bound : str
        A key of `BOUNDS`.
    **options : float
        What the bound lists in `Bound.options`. `sigma` or `scale` > 0 is the noise on each
        answer and `step` in (0, 1] the grid of answers, else chosen for the least width; `c_delta`
        >= 1.5 and `noise_factor` > 0 are the constants in question.

    Returns
    -------
    Width
        Its arrays have the shape of n and k broadcast; floats for numbers.

    Raises
    ------
    ValueError
        If an argument is out of range or no option of the bound.

    Notes
    -----
    Gaussian and Laplace answers are clamped to [0, 1].

    References
    ----------
    `Bound.source` and `Bound.constants`, bound by bound. DFHPRR is Dwork et al. (STOC 2015), HOLD
    Dwork et al. (NeurIPS 2015), BNS Bassily et al. (STOC 2016).

    Examples
    --------
    >>> round(confidence_width(10_000, 100, bound="split").value, 4)
    0.2036
    >>> found = confidence_width(100_000, [100, 1000], bound="tanh-gdp")
    >>> found.value.round(4), found.parameters["sigma"].round(4)
    (array([...]), array([...]))
    """
    check_choice("bound", bound, BOUNDS)
    points, queries = np.broadcast_arrays(check_counts("n", n), check_counts("k", k))
    value, parameters = _columns(points, queries, check_probability("beta", beta), bound, options)
    shape = points.shape
    return Width(_shaped(value, shape), {p: _shaped(v, shape) for p, v in parameters.items()})


def max_queries(
    n: Any, tau: Any, beta: float = 0.05, *, bound: str = "tanh-gdp", **options: float
) -> Any:
    """Return the most queries whose width is at most `tau`.

    Parameters
    ----------
    n : array_like of int
        Points in the sample, >= 1.
    tau : array_like
        The width, in (0, 1); broadcast against `n`.
    beta : float
        Probability, in (0, 1), that some answer is off by more.
    bound : str
        A key of `BOUNDS`.
    **options : float
        As in `confidence_width`.

    Returns
    -------
    int or ndarray of int
        0 where not even one query can be answered.

    References
    ----------
    As for `confidence_width`.

    Examples
    --------
    >>> max_queries([10_000, 100_000], 0.1, bound="split")
    array([ 28, 219])
    """
    check_choice("bound", bound, BOUNDS)
    points, widths = np.broadcast_arrays(check_counts("n", n), _widths_wanted(tau))
    beta = check_probability("beta", beta)

    def too_many(k: Array) -> Any:
        return _columns(points, k, beta, bound, options)[0] > widths.ravel()

    return _counted(_first(too_many, points.size, bound) - 1, points.shape)


def samples_needed(
    k: Any, tau: Any, beta: float = 0.05, *, bound: str = "tanh-gdp", **options: float
) -> Any:
    """Return the fewest points for which k queries have a width of at most `tau`.

    Parameters
    ----------
    k : array_like of int
        Queries, >= 1.
    tau : array_like
        The width, in (0, 1); broadcast against `k`.
    beta : float
        Probability, in (0, 1), that some answer is off by more.
    bound : str
        A key of `BOUNDS`.
    **options : float
        As in `confidence_width`.

    Returns
    -------
    int or ndarray of int

    Raises
    ------
    ValueError
        If no number of points will do, as with more noise than the width allows.

    References
    ----------
    As for `confidence_width`.

    Examples
    --------
    >>> samples_needed(2000, 0.1, bound="split")
    1130000
    """
    check_choice("bound", bound, BOUNDS)
    queries, widths = np.broadcast_arrays(check_counts("k", k), _widths_wanted(tau))
    beta = check_probability("beta", beta)

    def enough(n: Array) -> Any:
        return _columns(n, queries, beta, bound, options)[0] <= widths.ravel()

    return _counted(_first(enough, queries.size, bound), queries.shape)


def _columns(
    n: Array, k: Array, beta: float, bound: str, options: dict[str, float]
) -> tuple[Array, dict[str, Array]]:
    """Return widths and parameters, flattened."""
    known = BOUNDS[bound].options
    checked = {
        check_choice(f"option of bound {bound!r}", name, known): _option(name, value)
        for name, value in options.items()
    }
    parts = [
        BOUNDS[bound].width(points, queries, beta, **checked)
        for points, queries in zip(_parts(n), _parts(k), strict=True)
    ]
    names = parts[0][1]
    parameters = {name: np.concatenate([part[1][name] for part in parts]) for name in names}
    return np.concatenate([part[0] for part in parts]), parameters


def _parts(values: Array) -> list[Array]:
    """Return a column in parts that fit into memory with their grids."""
    return np.array_split(values.reshape(-1, 1), 1 + values.size // PART)


def _option(name: str, value: float) -> float:
    if name == "c_delta":
        return check_real(name, value, lower=1.5)
    upper = 1.0 if name == "step" else np.inf
    return check_real(name, value, lower=0.0, upper=upper, lower_open=True)


def _first(holds: Callable[[Array], Any], size: int, bound: str) -> Array:
    """Return the least count (size,) from which a monotone condition holds, by bisection."""
    below, above = np.zeros(size), np.ones(size)
    while not (reached := holds(above)).all():
        below, above = np.where(reached, below, above), np.where(reached, above, 2 * above)
        if above.max() > LARGEST:
            raise ValueError(f"bound {bound!r} reaches tau for no count up to {LARGEST}")
    while (above - below > 1).any():
        middle = np.where(above - below > 1, np.floor((below + above) / 2), above)
        reached = holds(middle)
        below, above = np.where(reached, below, middle), np.where(reached, middle, above)
    return above


def _widths_wanted(tau: Any) -> Array:
    widths = np.asarray(tau)
    for value in widths.ravel():
        check_probability("tau", value)
    return widths.astype(np.float64)


def _shaped(values: Array, shape: tuple[int, ...]) -> Any:
    return values.reshape(shape) if shape else float(values[0])


def _counted(values: Array, shape: tuple[int, ...]) -> Any:
    return values.astype(np.int64).reshape(shape) if shape else int(values[0])
