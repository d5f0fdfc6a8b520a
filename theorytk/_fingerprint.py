"""The fingerprint: a hash of all the source that an experiment's rows depend on."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from theorytk.experiments import Experiment

__all__ = ["fingerprint", "forget_sources", "project_files", "sources"]

PACKAGE = Path(__file__).resolve().parent
PROJECT_PREFIX = "_project_"
LIBRARIES = ("numpy", "scipy", "numba")
DOWNSTREAM = (
    "theorytk.api",
    "theorytk.claims",
    "theorytk.experiments",
    "theorytk.registry",
    "theorytk.reporting",
    "theorytk.runner",
    "theorytk.running",
)


def fingerprint(experiment: Experiment) -> str:
    """Return the fingerprint of the source as it was when this process first asked for it."""
    return _fingerprint(experiment.function)


@functools.cache
def _fingerprint(function: Callable[..., Any]) -> str:
    """Return sixteen hexadecimal digits that change with the experiment's source or its libraries.

    Hashed are the experiment's file, every module of theorytk and of the project that it imports,
    directly or not (but claims, runner and reporting), and the versions of numpy, scipy and numba.
    """
    digest = hashlib.sha256()
    for library in LIBRARIES:
        digest.update(f"{library}={version(library)}\n".encode())
    closure = _closure(function.__module__)
    if not closure:
        digest.update(inspect.getsource(function).encode())
    for module, path in sorted(closure.items()):
        digest.update(f"{_name(module)}\n".encode())
        digest.update(_source(path))
    return digest.hexdigest()[:16]


def sources(experiment: Experiment) -> dict[str, str]:
    """Return what the fingerprint covers by name: hashes of modules, versions of libraries."""
    return dict(_sources(experiment.function))


@functools.cache
def _sources(function: Callable[..., Any]) -> dict[str, str]:
    closure = sorted(_closure(function.__module__).items())
    hashes = {_name(m): hashlib.sha256(_source(path)).hexdigest()[:16] for m, path in closure}
    return {**hashes, **{library: version(library) for library in LIBRARIES}}


def project_files(experiment: Experiment) -> dict[str, bytes]:
    """Return the files of the project that an experiment imports, by path below its folder."""
    found = {}
    for module, path in _closure(experiment.function.__module__).items():
        if module.startswith(PROJECT_PREFIX):
            below = Path(*module.split(".")[1:])
            name = below / "__init__.py" if path.name == "__init__.py" else below.with_suffix(".py")
            found[name.as_posix()] = _source(path)
    return found


def _name(module: str) -> str:
    """Return the name of a module without that of the project's package."""
    return module.partition(".")[2] if module.startswith(PROJECT_PREFIX) else module


def forget_sources() -> None:
    """Read the sources again (a project is loaded anew)."""
    for cached in (_closure, _file, _imports, _source):
        cached.cache_clear()


@functools.cache
def _closure(module: str) -> dict[str, Path]:
    """Return the file of `module` and of all it imports from theorytk and the project."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file(name)
        if path is None or name in found or name.startswith(DOWNSTREAM):
            continue
        found[name] = path
        waiting.extend(_imports(name, path))
        if "." in name:
            waiting.append(name.rpartition(".")[0])
    return found


@functools.cache
def _file(name: str) -> Path | None:
    """Return the source file of a module of theorytk or of the loaded project."""
    if name.startswith(PROJECT_PREFIX):
        file = getattr(sys.modules.get(name), "__file__", None)
        return Path(file) if file else None
    if name.split(".")[0] != "theorytk":
        return None
    base = PACKAGE.joinpath(*name.split(".")[1:])
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


@functools.cache
def _imports(name: str, path: Path) -> tuple[str, ...]:
    is_package = path.name == "__init__.py"
    return tuple(_imported_names(ast.parse(_source(path)), name, is_package))


def _imported_names(tree: ast.AST, name: str, is_package: bool) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".")[: len(name.split(".")) - node.level + is_package]
            base = ".".join((parts if node.level else []) + ([node.module] if node.module else []))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@functools.cache
def _source(path: Path) -> bytes:
    """Return the source as it was first seen, for that is what this process runs."""
    return path.read_bytes().replace(b"\r\n", b"\n")
