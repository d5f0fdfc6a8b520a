"""Projects: folders with ``simulations/`` and ``paper_figures/``, found by path, loaded once."""

from __future__ import annotations

import hashlib
import importlib
import sys
import tomllib
import types
from dataclasses import dataclass
from pathlib import Path

import cloudpickle

from theorytk import registry
from theorytk._fingerprint import PROJECT_PREFIX, forget_sources

__all__ = ["Project", "load", "root_of"]

PACKAGE = Path(__file__).resolve().parent
_loaded: list[Project] = []


@dataclass(frozen=True)
class Project:
    """A loaded project: its root folder and its name, which its results folder remembers."""

    root: Path
    name: str


def load(folder: str | Path | None = None) -> Project:
    """Load the project in `folder` into the registries, once.

    Parameters
    ----------
    folder : path, optional
        Default: what is loaded already, else the present folder if it holds ``simulations`` and
        ``paper_figures``, else the checkout that theorytk runs from, else the copy inside the
        installed package.

    Raises
    ------
    ValueError
        If `folder` has no ``simulations`` folder.
    """
    if folder is None and _loaded:
        return _loaded[-1]
    root = root_of(folder)
    if _loaded and _loaded[-1].root == root:
        return _loaded[-1]
    if not (root / "simulations").is_dir():
        raise ValueError(f"project {root} has no folder 'simulations'")
    if _loaded:
        registry.clear()
    _loaded.clear()
    forget_sources()
    project = Project(root, _name(root))
    try:
        _import_all(root)
    except BaseException:
        registry.clear()
        raise
    _loaded.append(project)
    return project


def root_of(folder: str | Path | None = None) -> Path:
    """Return the root of the project that `load` would load, without loading it."""
    if folder is not None:
        return Path(folder).resolve()
    if _loaded:
        return _loaded[-1].root
    here = Path.cwd()
    if all((here / folder).is_dir() for folder in ("simulations", "paper_figures")):
        return here
    checkout = PACKAGE.parent
    return checkout if (checkout / "simulations").is_dir() else PACKAGE / "_project"


def _name(root: Path) -> str:
    declared = root / "pyproject.toml"
    if root == PACKAGE / "_project":
        return "theorytk"
    if declared.is_file():
        return str(tomllib.loads(declared.read_text()).get("project", {}).get("name", root.name))
    return root.name


def _import_all(root: Path) -> None:
    """Import every module of the two folders under a package name of the project's own."""
    package = types.ModuleType(PROJECT_PREFIX + hashlib.sha256(str(root).encode()).hexdigest()[:8])
    package.__path__ = [str(root)]
    for name in [n for n in sys.modules if n.split(".")[0] == package.__name__]:
        del sys.modules[name]
    sys.modules[package.__name__] = package
    cloudpickle.register_pickle_by_value(package)
    for folder in ("simulations", "paper_figures"):
        for path in sorted((root / folder).rglob("*.py")):
            module = path.parent if path.name == "__init__.py" else path.with_suffix("")
            parts = module.relative_to(root).parts
            if not any(part.startswith(".") for part in parts):
                importlib.import_module(".".join([package.__name__, *parts]))
