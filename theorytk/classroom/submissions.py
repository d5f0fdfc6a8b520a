"""What a student hands in: a Python file or a notebook, and the names that it defines."""

from __future__ import annotations

import json
import re
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from theorytk.classroom.comparing import Wrong

__all__ = ["Submission", "explain", "read"]

HEADER = re.compile(r"^# theorytk exercise: (\S+), seed (\d+)$", re.MULTILINE)
LARGEST = 20_000_000  # bytes of a file; a notebook that printed for hours is not read


@dataclass(frozen=True)
class Submission:
    """The code of a file, in pieces that have names, and which exercise and seed it names.

    A Python file is one piece; a notebook has one for each code cell that is the student's.
    """

    path: Path
    pieces: tuple[tuple[str, str], ...]
    exercise: str | None
    seed: int

    def names(self) -> Names:
        """Run the code and return what it defines.

        Raises
        ------
        Wrong
            If it is no Python, or raises.
        """
        defined: dict[str, Any] = {"__name__": "submission", "__file__": str(self.path)}
        for name, source in self.pieces:
            try:
                exec(compile(source, name, "exec"), defined)
            except Exception as error:
                raise Wrong(explain(error, self)) from None
        return Names(defined)


class Names:
    """What a student defined, as attributes; what is missing is said."""

    def __init__(self, defined: dict[str, Any]) -> None:
        self._defined = defined

    def __getattr__(self, name: str) -> Any:
        """Return what the student called `name`."""
        try:
            return self._defined[name]
        except KeyError:
            raise Wrong(f"nothing is called `{name}`; keep the names of the scaffold") from None


def read(path: str | Path) -> Submission:
    """Read a Python file or a notebook.

    Parameters
    ----------
    path : path
        ``.py`` or ``.ipynb``.

    Returns
    -------
    Submission

    Raises
    ------
    ValueError
        If it is neither, cannot be read or is larger than 20 MB.
    """
    path = Path(path)
    if path.suffix not in (".py", ".ipynb"):
        raise ValueError(f"a submission must be a .py or .ipynb file; got {path}")
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} is larger than {LARGEST // 1_000_000} MB")
    try:
        text = path.read_text(encoding="utf-8")
        return _python(path, text) if path.suffix == ".py" else _notebook(path, text)
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} cannot be read: {error!r}") from None


def explain(error: BaseException, submission: Submission) -> str:
    """Return what an error in a student's code was and where it came from.

    Parameters
    ----------
    error : exception
        What was raised.
    submission : Submission
        The code that was running.

    Returns
    -------
    str
        The error with its line in the student's code; "" if none of the student's lines raised it.
    """
    pieces = {name for name, _ in submission.pieces}
    if isinstance(error, SyntaxError) and error.filename in pieces:
        return f"{_where(error.filename)}line {error.lineno}: not Python ({error.msg})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in pieces]
    if not frames:
        return ""
    last = frames[-1]
    said = "; ".join(traceback.format_exception_only(error)[-1].split("\n")).rstrip("; ")
    return f"{_where(last.filename)}line {last.lineno}: {said[:400]}"


def _where(piece: str | None) -> str:
    return f"{piece}, " if piece and piece.startswith("cell ") else ""


def _python(path: Path, text: str) -> Submission:
    found = HEADER.search(text)
    exercise, seed = (found[1], int(found[2])) if found else (None, 0)
    return Submission(path, ((path.name, text),), exercise, seed)


def _notebook(path: Path, text: str) -> Submission:
    """Keep the code that is the student's: neither our locked cells nor IPython's commands."""
    content = json.loads(text)
    pieces = []
    for i, cell in enumerate(content["cells"], start=1):
        mark = cell.get("metadata", {}).get("nbgrader", {})
        if cell["cell_type"] == "code" and not mark.get("locked", False):
            lines = "".join(cell["source"]).split("\n")
            kept = ["" if line.lstrip().startswith(("%", "!")) else line for line in lines]
            pieces.append((f"cell {i}", "\n".join(kept)))
    about = content.get("metadata", {}).get("theorytk", {})
    return Submission(path, tuple(pieces), about.get("exercise"), int(about.get("seed", 0)))
