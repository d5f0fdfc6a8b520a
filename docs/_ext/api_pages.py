"""Pages of the interface: one per public module, and for every public name the paths it has."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sphinx.pycode import ModuleAnalyzer

import theorytk

_LONGEST_VALUE = 200
_TABLE = ".. list-table::\n   :class: names\n   :widths: 35 65"
_CODE_OR_SIGN = re.compile(
    r"(?P<code>^ *>>>.*?(?:\n *\n|\Z)|::\n *\n(?: [^\n]*\n| *\n)+|``.+?``|`.+?`)"
    r"|(?P<sign>\||(?<=[\s(])\*(?=\w+[),])|(?<=\w)_(?![\w`]))",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Name:
    """A public object, where it is documented, and all paths under which it can be imported."""

    page: str
    module: str
    name: str
    kind: str
    paths: tuple[str, ...]
    summary: str

    @property
    def path(self) -> str:
        """The path under which it is documented."""
        return f"{self.module}.{self.name}"


def modules() -> list[str]:
    """Return the public modules, parents before children."""
    found = [module.name for module in pkgutil.walk_packages(theorytk.__path__, "theorytk.")]
    return ["theorytk", *(m for m in found if not any(p.startswith("_") for p in m.split(".")))]


def exported(module: str) -> list[str]:
    """Return what a module exports."""
    return list(getattr(importlib.import_module(module), "__all__", ()))


def names() -> list[Name]:
    """Return every public object once, in the order of modules."""
    public = modules()
    places: dict[tuple[Any, ...], list[tuple[str, str]]] = defaultdict(list)
    objects: dict[tuple[Any, ...], Any] = {}
    for module in public:
        for name in exported(module):
            item = getattr(importlib.import_module(module), name)
            key = (id(item),) if _kind(item) != "data" else (id(item), name)
            objects[key] = item
            places[key].append((module, name))
    return [_name(objects[key], found, public) for key, found in places.items()]


def escaped(text: str) -> str:
    """Escape the bars, stars and final underscores that would be markup outside of code."""
    return _CODE_OR_SIGN.sub(lambda m: m["code"] or rf"\{m['sign']}", text)


def _name(item: Any, found: list[tuple[str, str]], public: list[str]) -> Name:
    """Return where an object is documented: under its shortest path, on its own module's page."""
    kind = _kind(item)
    shortest = min(found, key=lambda place: (place[0].count("."), len(place[0])))
    longest = max(found, key=lambda place: (place[0].count("."), len(place[0])))
    defined = getattr(item, "__module__", "") if kind != "data" else longest[0]
    page = defined if defined in public else shortest[0]
    module, name = longest if kind == "data" or ".".join(shortest) in public else shortest
    text = " ".join(_comment(module, name)) if kind == "data" else inspect.getdoc(item) or ""
    summary = text.partition("\n\n")[0] or _value(item)
    paths = tuple(f"{module}.{name}" for module, name in found)
    return Name(page, module, name, kind, paths, escaped(" ".join(summary.split())))


def _kind(item: Any) -> str:
    if isinstance(item, type) and item.__module__.startswith("theorytk"):
        return "exception" if issubclass(item, BaseException) else "class"
    return "function" if inspect.isfunction(item) else "data"


def pages() -> dict[str, str]:
    """Return the pages of the interface, by document name."""
    everything = names()
    made = {"index": _index()}
    for module in modules():
        own = [name for name in everything if name.page == module]
        made[module] = _page(module, own, everything)
    return made


def _index() -> str:
    """Return the page that lists the packages."""
    top = [m for m in modules() if m.count(".") == 1]
    rows = "\n".join(f"   * - `{m}`\n     - {_first_line(m)}" for m in ["theorytk", *top])
    entries = "\n".join(f"   {m}" for m in ["theorytk", *top])
    return (
        f"{_title('Interface')}Every public name. `theorytk` itself has what the command has; the "
        f"topics are packages.\n\n{_TABLE}\n\n{rows}\n\n"
        f".. toctree::\n   :hidden:\n\n{entries}\n"
    )


def _page(module: str, own: list[Name], everything: list[Name]) -> str:
    """Return the page of a module: what it exports, its submodules, and the names defined in it."""
    by_path = {path: name for name in everything for path in name.paths}
    here = {name.path for name in own}
    others = [by_path[f"{module}.{name}"] for name in exported(module)]
    rows = [
        f"   * - `{n.path if module == 'theorytk' else n.name}`\n     - {n.summary}"
        for n in others
        if n.path not in here
    ]
    children = [m for m in modules() if m.rpartition(".")[0] == module and module != "theorytk"]
    parts = [_title(module), f".. automodule:: {module}\n   :no-members:\n"]
    if rows:
        parts.append(f"{_TABLE}\n\n" + "\n".join(sorted(set(rows))) + "\n")
    parts += [_directive(name) for name in own]
    if children:
        entries = "\n".join(f"   {m.rpartition('.')[2]} <{m}>" for m in children)
        parts.append(f".. toctree::\n   :caption: Modules\n   :maxdepth: 1\n\n{entries}\n")
    return "\n".join(parts)


def _directive(name: Name) -> str:
    if name.kind == "data":
        return _constant(name)
    members = "" if name.kind == "function" else "   :members:\n"
    return f".. auto{name.kind}:: {name.module}::{name.name}\n{members}"


def _constant(name: Name) -> str:
    """Return the entry of a constant, whose type's docstring would say nothing about it."""
    item = getattr(importlib.import_module(name.module), name.name)
    shown = f"   :value: {_value(item)}\n" if _value(item) else ""
    body = "".join(f"   {line}\n" for line in _comment(name.module, name.name))
    return f".. py:data:: {name.name}\n   :module: {name.module}\n{shown}\n{body}"


def _comment(module: str, name: str) -> list[str]:
    """Return what the source says of a constant."""
    comments = ModuleAnalyzer.for_module(module).find_attr_docs()
    return comments.get(("", name), [])


def _value(item: Any) -> str:
    """Return the value of a constant, or the keys, if they are short."""
    value = ", ".join(map(str, item)) if isinstance(item, dict | tuple) else repr(item)
    return value if len(value) < _LONGEST_VALUE and " at 0x" not in value else ""


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n\n"


def _first_line(module: str) -> str:
    return (inspect.getdoc(importlib.import_module(module)) or "").splitlines()[0]
