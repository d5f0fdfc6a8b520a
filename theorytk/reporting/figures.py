"""Figures: a function from stored rows to a picture and the numbers in it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorytk import registry
from theorytk._files import write_atomically
from theorytk.reporting.style import use_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from pandas import DataFrame

__all__ = ["Figure", "check_labels", "figure"]

Draw = Callable[[dict[str, "DataFrame"]], tuple["Canvas", "DataFrame"]]

_ID = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
_LABEL = re.compile(r".*\S\s*(\[[^\[\]]+\]|\([^()]+\))", re.DOTALL)


@dataclass(frozen=True)
class Figure:
    """A figure of a paper, drawn from stored rows and the theory, nothing else.

    Parameters
    ----------
    id : str
        ``"topic/name"``, in lower case letters, digits and hyphens.
    paper : str
        Key of the paper.
    experiments : tuple of str
        Ids of the experiments whose tables it draws; at least one.
    at : mapping of str to mapping, optional
        By experiment id, the factors to override in the preset's conditions.
    title, caption : str
        What it is and what to see in it; both may hold ``$...$`` mathematics.
    reproduces : str
        The figure or theorem of the paper, and what differs.
    draw : callable
        ``draw(tables)``: tables by experiment id -> (matplotlib figure, table of what it plots).

    Raises
    ------
    ValueError
        If the id is malformed or no experiment is named.
    """

    id: str
    paper: str
    experiments: tuple[str, ...]
    title: str
    caption: str
    reproduces: str
    draw: Draw = field(repr=False)
    at: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(
                "id must be 'topic/name' in lower case letters, digits and hyphens; "
                f"got {self.id!r}"
            )
        stray = [e for e in self.at if e not in self.experiments]
        if stray:
            raise ValueError(f"at of figure {self.id!r} names {stray[0]!r}, not one of its")
        if not self.experiments:
            raise ValueError(f"experiments of figure {self.id!r} must name at least one; got none")

    def save(
        self, tables: Mapping[str, DataFrame], folder: str | Path, provenance: str
    ) -> dict[str, Path]:
        """Draw the figure and write it as PDF, PNG and the plotted CSV.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            Tables by experiment id; those of `experiments` are required.
        folder : path
            Files are ``<folder>/<topic>/<name>.{pdf,png,csv}``. Each is complete or absent.
        provenance : str
            One line on what made it, kept in the metadata of the PDF and the PNG. The same
            tables and provenance give the same bytes.

        Returns
        -------
        dict
            The paths under ``"pdf"``, ``"png"`` and ``"csv"``.

        Raises
        ------
        ValueError
            If a table is missing.
        TypeError
            If `draw` returns something else than a matplotlib figure and a DataFrame.
        """
        missing = [e for e in self.experiments if e not in tables]
        if missing:
            raise ValueError(
                f"tables must hold every experiment of figure {self.id!r}; missing "
                + ", ".join(missing)
            )
        stem = Path(folder) / self.id
        stem.parent.mkdir(parents=True, exist_ok=True)
        with use_style():
            canvas, plotted = self._drawn({e: tables[e] for e in self.experiments})
            meta = {"Title": f"{self.id}: {self.title}"}
            pdf = {**meta, "Keywords": provenance, "CreationDate": None}
            png = {**meta, "Description": provenance}
            writers: dict[str, Callable[[Path], Any]] = {
                "pdf": lambda p: canvas.savefig(p, format="pdf", backend="pdf", metadata=pdf),
                "png": lambda p: _save_png(canvas, p, png),
                "csv": lambda p: plotted.to_csv(p, index=False, lineterminator="\n"),
            }
            return {
                ext: write_atomically(Path(f"{stem}.{ext}"), write)
                for ext, write in writers.items()
            }

    def _drawn(self, tables: dict[str, DataFrame]) -> tuple[Canvas, DataFrame]:
        """Call `draw`, take its figure out of pyplot's hands, and check what came."""
        import matplotlib.pyplot as plt
        from matplotlib.figure import Figure as Canvas
        from pandas import DataFrame

        before = set(plt.get_fignums())
        try:
            drawn = self.draw(tables)
        finally:
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
        match drawn:
            case (Canvas() as canvas, DataFrame() as plotted):
                return canvas, plotted
        raise TypeError(
            f"draw of figure {self.id!r} must return (matplotlib Figure, DataFrame); "
            f"got {type(drawn).__name__}"
        )


def _save_png(canvas: Canvas, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a PNG with a palette of 256 colours: a third of the size, and it looks the same.

    Taken by maximum coverage, colours are at most some 15 of 255 off; a median cut forgets rare
    ones.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    buffer = io.BytesIO()
    canvas.savefig(buffer, format="png", backend="agg")
    said = PngInfo()
    for name, text in metadata.items():
        said.add_text(name, text)
    with Image.open(buffer) as image:
        few = image.convert("RGB").quantize(
            256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
        few.save(path, format="png", optimize=True, dpi=image.info["dpi"], pnginfo=said)


def figure(
    id: str,
    *,
    paper: str,
    experiments: Sequence[str],
    title: str,
    caption: str,
    reproduces: str,
    at: Mapping[str, Mapping[str, Any]] | None = None,
) -> Callable[[Draw], Figure]:
    """Register the decorated function as the figure `id`.

    Parameters
    ----------
    id, paper, title, caption, reproduces : str
        See `Figure`.
    experiments : sequence of str
        Ids of the experiments whose tables the function is given.
    at : mapping of str to mapping, optional
        By experiment id, the factors to override: ``{"topic/name": {"alpha": [0.1, 0.2]}}``.

    Returns
    -------
    callable
        A decorator that turns ``draw(tables)`` into a registered `Figure`.

    Examples
    --------
    Registering changes the project, so this example is not run::

        @figure("demo/line", paper="doe2024", experiments=["demo/run"], title="A line",
                caption="It rises.", reproduces="Figure 1, own parameters")
        def line(tables):
            rows = tables["demo/run"]
            fig, axes = subplots()
            curve(axes[0, 0], rows["x"], rows["y"])
            axes[0, 0].set(xlabel="time (s)", ylabel="error (1)")
            return fig, rows
    """
    if isinstance(experiments, str):
        raise TypeError(f"experiments must be a sequence of ids; got the string {experiments!r}")

    def register(draw: Draw) -> Figure:
        made = Figure(id, paper, tuple(experiments), title, caption, reproduces, draw, at or {})
        registry.figures.add(made)
        return made

    return register


def check_labels(fig: Canvas) -> list[str]:
    """List the axes of `fig` that lack a quantity or a unit.

    A label ends with its unit in brackets, as in ``"time [s]"`` or ``"time (s)"``; what has no
    dimension says ``"(1)"``. Panels that share an axis need one label between them, and a
    figure's ``supxlabel`` or ``supylabel`` counts for all its panels.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        The figure.

    Returns
    -------
    list of str
        One line per offending axis; empty if all is well.

    Examples
    --------
    >>> from theorytk.reporting import subplots
    >>> fig, axes = subplots()
    >>> _ = axes[0, 0].set(xlabel="iteration (1)", ylabel="error")
    >>> check_labels(fig)
    ["panel 1: y label 'error' has no unit"]
    """
    found = []
    for number, ax in enumerate(fig.axes, start=1):
        for which in ("x", "y"):
            labels = _labels(fig, ax, which)
            if _shows(ax, which) and not any(_LABEL.fullmatch(label) for label in labels):
                said = f"label {labels[0]!r} has no unit" if labels else "axis has no label"
                found.append(f"panel {number}: {which} {said}")
    return found


def _shows(ax: Axes, which: str) -> bool:
    """Tell whether an axis of `ax` has ticks to be read (a colour bar's short side has none)."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    return bool(ax.axison and axis.get_visible() and len(axis.get_ticklocs()))


def _labels(fig: Canvas, ax: Axes, which: str) -> list[str]:
    """Return the labels that speak for an axis: its own, its sharing panels', the figure's."""
    if which == "x":
        panels, above = ax.get_shared_x_axes().get_siblings(ax), fig.get_supxlabel()
    else:
        panels, above = ax.get_shared_y_axes().get_siblings(ax), fig.get_supylabel()
    own = [str(getattr(panel, f"get_{which}label")()) for panel in panels]
    return [label for label in [*own, above] if label]
