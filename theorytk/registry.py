"""What a project declares: papers, experiments, claims and figures, each found by its id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from theorytk._validation import check_choice, nearest

__all__ = [
    "Covered",
    "Paper",
    "Registry",
    "UnknownIdError",
    "check_known",
    "claims",
    "clear",
    "everything",
    "experiments",
    "figures",
    "papers",
]

COVERAGE = ("reproduced", "re-created", "verified", "not reproducible", "not started")


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_HasId)


class UnknownIdError(ValueError):
    """An id, topic or paper that nothing carries."""


class Registry(Generic[T]):
    """Objects by id, in the order of registration.

    Parameters
    ----------
    kind : str
        What the objects are called in messages, such as ``"claim"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def add(self, item: T) -> None:
        """Register `item`; an id names one object only."""
        if item.id in self._items:
            raise ValueError(f"{self.kind} id {item.id!r} is registered twice")
        self._items[item.id] = item

    def get(self, id: str) -> T:
        """Return the object called `id`, or raise and suggest the nearest id."""
        try:
            return self._items[id]
        except KeyError:
            hint = nearest(id, self._items)
            raise UnknownIdError(f"no {self.kind} has the id {id!r}{hint}") from None

    def select(self, ids: Iterable[str]) -> list[T]:
        """Return the objects that `ids` name: ids, topics or paper keys; none means all."""
        wanted = list(ids)
        return [x for x in self if not wanted or any(matches(x, w) for w in wanted)]

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, id: object) -> bool:
        return id in self._items


def matches(item: Any, wanted: str) -> bool:
    """Tell whether `wanted` is the id of `item`, its topic, or the key of its paper."""
    return wanted in (item.id, item.id.split("/")[0], getattr(item, "paper", None))


@dataclass(frozen=True)
class Covered:
    """One theorem, figure or table of a paper, and what this toolkit does about it.

    Parameters
    ----------
    item : str
        As the paper calls it, such as ``"Theorem 4.2"``.
    status : str
        One of ``reproduced`` (the paper's parameters), ``re-created`` (own parameters; say
        what differs), ``verified`` (a claim tests it), ``not reproducible`` or ``not started``.
    note : str
        What differs, or why not.
    by : tuple of str
        Ids of the claims or figures that do it.
    """

    item: str
    status: str
    note: str = ""
    by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_choice("status", self.status, COVERAGE)


@dataclass(frozen=True)
class Paper:
    """A published paper.

    Parameters
    ----------
    id : str
        Citation key, such as ``"xiong2024"``.
    topic : str
        Topic whose ids begin with it, such as ``"matrix-sensing"``.
    title, venue : str
        As published.
    authors : tuple of str
        Full names in the printed order.
    year : int
        Year of publication.
    arxiv, url : str
        Where to read it; may be empty.
    summary : str
        What the paper proves, in two or three sentences of plain words.
    coverage : tuple of Covered
        Its theorems, figures and tables.
    """

    id: str
    topic: str
    title: str
    authors: tuple[str, ...]
    year: int
    venue: str = ""
    arxiv: str = ""
    url: str = ""
    summary: str = ""
    coverage: tuple[Covered, ...] = field(default=())

    def bibtex(self) -> str:
        """Return a BibTeX entry."""
        lines: Mapping[str, str] = {
            "title": "{" + self.title + "}",
            "author": " and ".join(self.authors),
            "year": str(self.year),
            "booktitle": self.venue,
            "eprint": self.arxiv,
            "url": self.url,
        }
        body = ",\n".join(f"  {k} = {{{v}}}" for k, v in lines.items() if v)
        return f"@inproceedings{{{self.id},\n{body}\n}}"


papers: Registry[Paper] = Registry("paper")
experiments: Registry[Any] = Registry("experiment")
claims: Registry[Any] = Registry("claim")
figures: Registry[Any] = Registry("figure")


def check_known(registries: Iterable[Registry[Any]], ids: Iterable[str]) -> None:
    """Raise `UnknownIdError` if one of `ids` names nothing in `registries`."""
    items = [x for registry in registries for x in registry]
    for wanted in ids:
        if not any(matches(x, wanted) for x in items):
            names = {x.id for x in items} | {x.id.split("/")[0] for x in items}
            raise UnknownIdError(
                f"nothing is called {wanted!r}{nearest(wanted, sorted(names))}; "
                "`theorytk list` shows what there is"
            )


def everything() -> dict[str, Registry[Any]]:
    """Return the four registries by what they hold."""
    return {"papers": papers, "experiments": experiments, "claims": claims, "figures": figures}


def clear() -> None:
    """Forget everything registered (a project is loaded into an empty registry)."""
    for registry in everything().values():
        registry._items.clear()
