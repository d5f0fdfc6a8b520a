"""Links from code to what it names: public names, claims and figures, without any markup."""

from __future__ import annotations

import functools
import importlib
import re
from collections import defaultdict
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from api_pages import escaped, exported, names
from docutils import nodes
from ledger_pages import anchor
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from stored import topic_of

from theorytk import registry

_ARRAY = re.compile(r"(~?numpy\.)?ndarray\[tuple\[[~\w.]*Any, \.\.\.\], [~\w.]+\[[~\w.]+\]\]")

_WORD = re.compile(r"[a-z]*")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the steps of the build."""
    app.connect("autodoc-process-docstring", escape, priority=100)
    app.connect("autodoc-process-signature", shorten)
    app.connect("autodoc-skip-member", is_foreign)
    app.connect("doctree-read", complete)
    app.connect("env-updated", add_paths)
    app.connect("missing-reference", resolve)
    app.connect("doctree-resolved", link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def escape(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Let a docstring have words, code in backticks and sections, and no other markup."""
    lines[:] = escaped("\n".join(lines)).split("\n")


def add_paths(app: Sphinx, env: BuildEnvironment) -> None:
    """Give every public name an entry under each path from which it can be imported."""
    objects = env.domains.python_domain.objects
    for name in names():
        if name.path not in objects:
            raise ExtensionError(f"the public name {name.path} is on no page")
        entry = objects[name.path]
        for path in name.paths:
            objects.setdefault(path, entry._replace(aliased=True))


def shorten(
    app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: Any
) -> tuple[str, str | None] | None:
    """Write an array type in a signature as short as in a docstring."""
    if not signature:
        return None
    return _ARRAY.sub("ndarray", signature), returns and _ARRAY.sub("ndarray", returns)


def is_foreign(
    app: Sphinx, what: str, name: str, item: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out what a class has from another library, such as scikit-learn's requests."""
    module = getattr(item, "__module__", None) or "theorytk"
    return None if module.startswith("theorytk") else True


def complete(app: Sphinx, doctree: nodes.document) -> None:
    """Give the full path of what a signature or a docstring names by its last part only."""
    for node in doctree.findall(addnodes.pending_xref):
        if node.get("refdomain") == "py" and "." not in node["reftarget"]:
            context = node.get("py:module") or "theorytk"
            path = _best(_by_last_part().get(node["reftarget"], ()), context)
            node["reftarget"] = path or node["reftarget"]


def resolve(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, contnode: nodes.Element
) -> nodes.Element | None:
    """Leave without a link what exists but is not public, such as the alias of a type."""
    module, _, name = node["reftarget"].rpartition(".")
    if node.get("refdomain") != "py" or not module.startswith("theorytk"):
        return None
    exists = find_spec(module) and hasattr(importlib.import_module(module), name)
    return contnode if exists and name not in exported(module) else None


def link(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Link the code in a page that is the name of something."""
    context = _context(doctree, docname)
    for literal in list(doctree.findall(nodes.literal)):
        text = literal.astext()
        if _is_linked(literal) or text in _parameters(literal):
            continue
        uri = _uri(app, docname, text.removesuffix("()"), context)
        if uri:
            linked = nodes.reference("", "", literal.deepcopy(), internal=True, refuri=uri)
            literal.replace_self(linked)


def _uri(app: Sphinx, docname: str, text: str, context: str) -> str | None:
    """Return where what `text` names stands, relative to a page."""
    if text in registry.figures:
        return app.builder.get_relative_uri(docname, f"generated/gallery/{text}")
    if text in registry.claims:
        target = app.builder.get_relative_uri(docname, f"generated/ledger/{topic_of(text)}")
        return f"{target}#{anchor(text)}"
    if docname.startswith(("generated/ledger", "generated/gallery")):
        return None
    domain = app.env.domains.python_domain
    # A plain word, such as the name of an argument, names something of its own package only.
    path = _best(_paths(domain).get(text, ()), context, near=bool(_WORD.fullmatch(text)))
    if path is None:
        return None
    entry = domain.objects[path]
    return f"{app.builder.get_relative_uri(docname, entry.docname)}#{entry.node_id}"


@functools.cache
def _paths(domain: PythonDomain) -> dict[str, list[str]]:
    """Return, for each name and each class's member, the paths that end in it."""
    found = defaultdict(list)
    for path, entry in domain.objects.items():
        if entry.aliased:
            continue
        parts = path.split(".")
        found[path].append(path)
        if entry.objtype in ("function", "class", "exception", "data"):
            found[parts[-1]].append(path)
        elif entry.objtype in ("method", "property", "attribute"):
            found[".".join(parts[-2:])].append(path)
    for name in names():
        for path in set(name.paths) - {name.path}:
            found[path].append(name.path)
    return dict(found)


@functools.cache
def _by_last_part() -> dict[str, list[str]]:
    """Return the paths of public objects by their last part."""
    found = defaultdict(list)
    for name in names():
        found[name.name].append(name.path)
    return dict(found)


def _best(paths: Iterable[str], context: str, near: bool = False) -> str | None:
    """Return the path in `context` or nearest above it; else the only one, unless `near`."""
    found = list(dict.fromkeys(paths))
    while "." in context:
        here = [path for path in found if path.startswith(context + ".")]
        if len(here) == 1:
            return here[0]
        context = context.rpartition(".")[0]
    return found[0] if len(found) == 1 and not near else None


def _context(doctree: nodes.document, docname: str) -> str:
    """Return the module that a page is about: its own, or the first package that it names."""
    if docname.startswith("generated/api/"):
        return docname.rpartition("/")[2]
    literals = (literal.astext() for literal in doctree.findall(nodes.literal))
    return next((text for text in literals if text.startswith("theorytk.")), "theorytk")


def _is_linked(literal: nodes.Element) -> bool:
    """Tell whether code stands in a link or a title already."""
    node: nodes.Node | None = literal
    while node is not None:
        if isinstance(node, nodes.reference | nodes.title | addnodes.download_reference):
            return True
        node = node.parent
    return False


def _parameters(literal: nodes.Element) -> set[str]:
    """Return the parameters of the function whose description a piece of code stands in."""
    node: nodes.Node | None = literal
    found: set[str] = set()
    while node is not None:
        if isinstance(node, addnodes.desc):
            for parameter in node.findall(addnodes.desc_parameter):
                name = parameter.next_node(addnodes.desc_sig_name)
                found.add(name.astext() if name is not None else "")
        node = node.parent
    return found
