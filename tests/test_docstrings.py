"""Docstrings are numpydoc and match what they document, and their examples are true."""

import doctest
import importlib
import inspect
import pkgutil

import pytest
from numpydoc.validate import validate

import theorytk

# Every code of numpydoc.validate applies to everything public, but for these.
IGNORED = {
    "GL01": "the summary starts on the line of the quotes (PEP 257)",
    "ES01": "one sentence can be enough",
    "SA01": "cross references stand in the sentences",
    "EX01": "examples stand where they teach something",
    "PR03": "arguments that are described together stand together",
    "PR04": "arguments of one kind may share an entry; the annotation gives the type",
    "PR08": "a description may begin with a symbol",
    "RT02": "several returned values may share a line",
    "RT03": "the summary says what is returned; the section adds its type and shape",
}
# These ask for whole sections: of the functions that a package exports, which people call. For
# methods, result classes and what lies deeper, a sentence and the annotations are enough.
SECTIONS = {"PR01", "RT01", "YD01"}
EXAMPLE_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules():
    """Return the names of all modules, private ones too."""
    found = pkgutil.walk_packages(theorytk.__path__, "theorytk.")
    return ["theorytk", *(module.name for module in found)]


def is_public(name):
    return not any(part.startswith("_") for part in name.split("."))


def documented():
    """Return the dotted names of all public classes, functions and methods."""
    names = []
    for module in filter(is_public, modules()):
        members = vars(importlib.import_module(module))
        own = [members[name] for name in members.get("__all__", ()) if name in members]
        for item in own:
            if getattr(item, "__module__", None) == module and callable(item):
                names.append(f"{module}.{item.__qualname__}")
            if inspect.isclass(item) and item.__module__ == module:
                names += [f"{module}.{item.__name__}.{method}" for method in methods(item)]
    return names


def methods(item):
    kinds = property | staticmethod | classmethod
    return [
        name
        for name, value in vars(item).items()
        if is_public(name) and (inspect.isfunction(value) or isinstance(value, kinds))
    ]


def exported_functions():
    """Return the dotted names of the functions in the ``__all__`` of theorytk's packages."""
    packages = [importlib.import_module(name) for name in modules() if is_public(name)]
    items = [
        getattr(package, name)
        for package in packages
        if hasattr(package, "__path__")
        for name in vars(package).get("__all__", ())
    ]
    return {f"{item.__module__}.{item.__qualname__}" for item in items if inspect.isfunction(item)}


EXPORTED = exported_functions()


def has_examples(module):
    return any(test.examples for test in doctest.DocTestFinder().find(module))


@pytest.mark.parametrize("name", documented())
def test_docstring_is_numpydoc(name):
    ignored = set(IGNORED) if name in EXPORTED else set(IGNORED) | SECTIONS
    found = validate(name)["errors"]
    errors = [f"{code} {message}" for code, message in found if code not in ignored]
    assert errors == []


@pytest.mark.parametrize("name", modules())
def test_module_says_what_it_is_for(name):
    assert importlib.import_module(name).__doc__


@pytest.mark.parametrize(
    "name", [name for name in modules() if has_examples(importlib.import_module(name))]
)
def test_examples_are_true(name):
    results = doctest.testmod(importlib.import_module(name), optionflags=EXAMPLE_FLAGS)
    assert results.failed == 0


def test_exported_functions_are_among_the_documented():
    assert set(documented()) >= EXPORTED
