"""How a figure looks: its size, its curves, its theory lines.

Everything here draws on a `matplotlib.figure.Figure` made without pyplot, so nothing has to be
closed and drawing is safe in threads and without a display.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from theorytk._validation import check_array, check_choice, check_int

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["WIDTHS", "curve", "end_labels", "subplots", "theory", "use_style"]

WIDTHS = {"single": 3.4, "double": 7.0}
"""Widths in inches of a figure in one column and across two columns of a paper."""

_MARK_ALL = 25


def use_style() -> AbstractContextManager[None]:
    """Return a context in which matplotlib draws in the toolkit's style.

    Returns
    -------
    context manager
        Restores the former settings on leaving.

    Examples
    --------
    >>> import matplotlib
    >>> with use_style():
    ...     matplotlib.rcParams["axes.grid"]
    True
    """
    import matplotlib.style

    return matplotlib.style.context(Path(__file__).with_name("theorytk.mplstyle"))


def subplots(
    nrows: int = 1,
    ncols: int = 1,
    *,
    width: str = "single",
    height: float | None = None,
    **options: Any,
) -> tuple[Figure, np.ndarray]:
    """Return a figure of a print width and its axes.

    Parameters
    ----------
    nrows, ncols : int
        Panels, at least 1.
    width : {"single", "double"}
        One column (3.4 in) or two (7 in).
    height : float, optional
        Height in inches; by default panels are three quarters as high as wide.
    **options
        Passed to `matplotlib.figure.Figure.subplots`, such as ``sharey=True``.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure; pyplot does not know it.
    axes : ndarray of Axes, shape (nrows, ncols)
        Always two-dimensional.

    Raises
    ------
    ValueError
        If `width` is neither name, or there is no panel.

    Examples
    --------
    >>> fig, axes = subplots(1, 2, width="double")
    >>> axes.shape, float(fig.get_figwidth())
    ((1, 2), 7.0)
    """
    from matplotlib.figure import Figure

    inches = WIDTHS[check_choice("width", width, WIDTHS)]
    rows, cols = check_int("nrows", nrows, lower=1), check_int("ncols", ncols, lower=1)
    high = 0.75 * inches * rows / cols if height is None else height
    fig = Figure(figsize=(inches, high), layout="constrained")
    axes: np.ndarray = fig.subplots(rows, cols, squeeze=False, **options)
    return fig, axes


def curve(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    *,
    label: str | None = None,
    **options: Any,
) -> Line2D:
    """Draw measured values (means or medians) and, if given, the band of their intervals.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    x, y : array_like, shape (n,)
        The line, in the units of the axes. Each of up to 25 points is marked; a longer line is
        marked at even distances.
    low, high : array_like, shape (n,), optional
        Ends of the intervals; both or neither.
    label : str, optional
        Name in the legend.
    **options
        Passed to ``ax.plot``, such as ``color``.

    Returns
    -------
    matplotlib.lines.Line2D
        The line.

    Raises
    ------
    ValueError
        If only one end of the band is given or the lengths differ.
    """
    x = check_array("x", x, ndim=1)
    y = check_array("y", y, shape=x.shape, finite=False)
    if (low is None) != (high is None):
        raise ValueError("low and high must be given together; got only one of them")
    every = None if len(x) <= _MARK_ALL else 0.12
    (line,) = ax.plot(x, y, **{"label": label, "markevery": every, **options})
    if low is not None and high is not None:
        low = check_array("low", low, shape=x.shape, finite=False)
        high = check_array("high", high, shape=x.shape, finite=False)
        ax.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    return line


def theory(ax: Axes, x: ArrayLike, y: ArrayLike, *, label: str = "theory") -> Line2D:
    """Draw a proven law: black and dashed in every figure, and nothing else is.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    x, y : array_like, shape (n,)
        The law, in the units of the axes.
    label : str
        Name in the legend.

    Returns
    -------
    matplotlib.lines.Line2D
        The line.
    """
    (line,) = ax.plot(
        x, y, color="black", linestyle="--", marker="none", linewidth=1.0, zorder=3, label=label
    )
    return line


def end_labels(ax: Axes) -> None:
    """Name each labelled line of `ax` at its right end, in its colour, instead of in a legend.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Whose lines to name. Lines that end in the same place need a legend instead.
    """
    for line in ax.get_lines():
        if not str(line.get_label()).startswith("_"):
            ax.annotate(
                str(line.get_label()),
                xy=(np.asarray(line.get_xdata())[-1], np.asarray(line.get_ydata())[-1]),
                xytext=(4, 0),
                textcoords="offset points",
                color=line.get_color(),
                fontsize="small",
                verticalalignment="center",
            )
