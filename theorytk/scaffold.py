"""A new project of one's own, that runs at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

__all__ = ["init"]

TEMPLATE = Path(__file__).resolve().parent / "_template"


def init(folder: str | Path) -> Path:
    """Make a project with one paper, one experiment, one claim with its control, and one figure.

    Parameters
    ----------
    folder : path
        Where; it must not exist, or be empty. Its name becomes the project's.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ValueError
        If the folder holds something, or its name is no name of a project.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp(), "my-paper")
    >>> sorted(path.name for path in init(folder).iterdir())
    ['README.md', 'exercises', 'paper_figures', 'pyproject.toml', 'simulations']
    """
    folder = Path(folder)
    name = folder.resolve().name
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", name):
        raise ValueError(
            f"folder must end in a project's name: letters, digits and ._-; got {name!r}"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"folder {folder} must not exist yet, or be empty")
    shutil.copytree(
        TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    for path in (folder / "pyproject.toml", folder / "README.md"):
        path.write_text(path.read_text(encoding="utf-8").replace("@NAME@", name), encoding="utf-8")
    return folder
